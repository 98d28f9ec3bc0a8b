/* SPDX-License-Identifier: ISC */
/*
 * runner [-fm] [-n NUMBER] [-r ROUNDS] [-- NAME COMMAND [ARG]...]...
 *
 * Run each COMMAND once a round, in turn, and print a line for each NAME: the
 * medians of its wall time and of its processor time, in microseconds; with -m
 * that of its peak memory, in KiB.  A round runs them all, each from another
 * beginning than the last, so that what disturbs the machine hits all alike.
 *
 * The standard input is a pipe with a byte in it, and standard output is
 * thrown away.  With -f the wall time ends with the first byte of output.
 * With -n the commands inherit the descriptors up to NUMBER, all of one idle
 * pipe, and NUMBER itself, of a pipe with a byte in it.
 *
 * The peak memory that wait4(2) reports is worth little for a small program on
 * Linux: the kernel adds up per-processor counts only now and then, and counts
 * what the process was before exec.  Memory is given back only by a system
 * call, so there the command is traced and its pages counted around each.
 */
#include <sys/types.h>
#ifdef __linux__
#include <sys/ptrace.h>
#endif
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct candidate {
	const char *name;
	char **argv;
	double *wall, *cpu;
};

static struct candidate *cands;
static int ncands, rounds = 100;
static int first_byte, memory;
static int input = -1, null = -1;

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double
usec(const struct timeval *tv)
{
	return (double)tv->tv_sec * 1e6 + (double)tv->tv_usec;
}

static void
check(const struct candidate *c, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	errx(1, "%s: ended with status %d of wait(2)", c->name, status);
}

static void
make_pipe(int fds[2])
{
	if (pipe(fds) == -1 || fcntl(fds[0], F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fds[1], F_SETFD, FD_CLOEXEC) == -1)
		err(1, "pipe");
}

static int
pipe_with(const char *byte)
{
	int fds[2];

	make_pipe(fds);
	if (*byte != '\0' && write(fds[1], byte, 1) != 1)
		err(1, "write");
	return fds[0];
}

static void
open_many(int last)
{
	struct rlimit rl;
	int fd, idle;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "setrlimit");
	idle = pipe_with("");
	while ((fd = dup(idle)) < last)
		if (fd == -1)
			err(1, "dup");
	if (dup2(input, last) == -1)
		err(1, "dup2");
}

static void
run_timed(struct candidate *c, int round)
{
	posix_spawn_file_actions_t fa;
	struct rusage ru;
	double start, end = 0;
	pid_t pid;
	char byte;
	int error, status, out[2] = { -1, -1 };

	if (first_byte)
		make_pipe(out);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, input, 0);
	posix_spawn_file_actions_adddup2(&fa, first_byte ? out[1] : null, 1);

	start = now();
	error = posix_spawn(&pid, c->argv[0], &fa, NULL, c->argv, environ);
	if (error != 0)
		errx(1, "%s: %s", c->argv[0], strerror(error));
	if (first_byte) {
		close(out[1]);
		if (read(out[0], &byte, 1) != 1)
			errx(1, "%s: printed nothing", c->name);
		end = now();
		close(out[0]);
	}
	if (wait4(pid, &status, 0, &ru) == -1)
		err(1, "wait4");
	if (!first_byte)
		end = now();
	posix_spawn_file_actions_destroy(&fa);
	check(c, status);
	c->wall[round] = end - start;
	c->cpu[round] = usec(&ru.ru_utime) + usec(&ru.ru_stime);
}

static pid_t
fork_traced(struct candidate *c)
{
	pid_t pid;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid != 0)
		return pid;
	if (dup2(input, 0) == -1 || dup2(null, 1) == -1)
		_exit(126);
#ifdef __linux__
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
		_exit(125);
#endif
	execv(c->argv[0], c->argv);
	_exit(127);
}

#ifdef __linux__
static double
resident(pid_t pid)
{
	char path[64], line[128];
	double kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Rss: %lf kB", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static void
run_measured(struct candidate *c, int round)
{
	pid_t pid = fork_traced(c);
	double kib, peak = 0;
	int signo, status;

	/* The first stop is the SIGTRAP of exec. */
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if ((kib = resident(pid)) > peak)
			peak = kib;
		signo = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signo) ==
		    -1)
			err(1, "ptrace");
	}
	check(c, status);
	c->wall[round] = peak;
}
#else
static void
run_measured(struct candidate *c, int round)
{
	pid_t pid = fork_traced(c);
	struct rusage ru;
	int status;

	if (wait4(pid, &status, 0, &ru) == -1)
		err(1, "wait4");
	check(c, status);
	c->wall[round] = (double)ru.ru_maxrss;
#ifdef __APPLE__
	c->wall[round] /= 1024;
#endif
}
#endif

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *v)
{
	qsort(v, (size_t)rounds, sizeof(*v), compare);
	return (v[(rounds - 1) / 2] + v[rounds / 2]) / 2;
}

/* Cut the command line into candidates: each "--" begins one. */
static void
split(int argc, char *argv[])
{
	struct candidate *c;
	int i;

	if ((cands = calloc((size_t)argc + 1, sizeof(*cands))) == NULL)
		err(1, NULL);
	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		argv[i] = NULL;
		if (i + 2 >= argc)
			errx(2, "a name and a command follow --");
		c = &cands[ncands++];
		c->name = argv[i + 1];
		c->argv = &argv[i + 2];
		c->wall = calloc((size_t)rounds, sizeof(double));
		c->cpu = calloc((size_t)rounds, sizeof(double));
		if (c->wall == NULL || c->cpu == NULL)
			err(1, NULL);
	}
}

int
main(int argc, char *argv[])
{
	int ch, i, j, last = 0;

	while ((ch = getopt(argc, argv, "fmn:r:")) != -1) {
		switch (ch) {
		case 'f':
			first_byte = 1;
			break;
		case 'm':
			memory = 1;
			break;
		case 'n':
			last = atoi(optarg);
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	/* getopt has eaten the first "--". */
	split(argc - optind + 1, argv + optind - 1);
	if (ncands == 0 || rounds < 1)
		errx(2, "nothing to run");
	/* What the caller left open is not to be a number of -n. */
	for (i = 3; i < 256; i++)
		close(i);
	if ((null = open("/dev/null", O_WRONLY | O_CLOEXEC)) == -1)
		err(1, "/dev/null");
	input = pipe_with("x");
	if (last != 0)
		open_many(last);

	for (i = 0; i < rounds; i++)
		for (j = 0; j < ncands; j++)
			(memory ? run_measured :
				  run_timed)(&cands[(i + j) % ncands], i);
	for (i = 0; i < ncands; i++) {
		printf("%s\t%.1f", cands[i].name, median(cands[i].wall));
		if (memory)
			printf("\n");
		else
			printf("\t%.1f\n", median(cands[i].cpu));
	}
	return 0;
}
