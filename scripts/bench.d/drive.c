/* SPDX-License-Identifier: ISC */
/*
 * drive PART KIND [OPTION]... [// NAME COMMAND [ARG]...]...: run programs that
 * go on, in turn, feed them with events and measure what those cost.  PART is
 * one of the table at the end, each a file of its own.  Prints lines of KIND,
 * NAME and one or two numbers, separated by tabs, for scripts/bench; of a
 * COMMAND that fails or does not answer, none.
 */
#define _GNU_SOURCE

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "drive.h"

extern char **environ;

struct candidate *cands;
int ncands, rounds = 10;
const char *kind;

double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

void
nap(double usec)
{
	struct timespec ts;

	ts.tv_sec = (time_t)(usec / 1e6);
	ts.tv_nsec = (long)((usec - (double)ts.tv_sec * 1e6) * 1e3);
	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		continue;
}

static void
nothing(int signo)
{
	(void)signo;
}

void
patience(unsigned seconds)
{
	struct sigaction sa = { .sa_handler = nothing };

	sigaction(SIGALRM, &sa, NULL);
	alarm(seconds);
}

void *
zeroed(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		err(1, NULL);
	return p;
}

void
add_sample(struct samples *s, double value)
{
	double *v;

	if (s->n == s->room) {
		s->room = s->room == 0 ? 64 : s->room * 2;
		if ((v = realloc(s->v, s->room * sizeof(*v))) == NULL)
			err(1, NULL);
		s->v = v;
	}
	s->v[s->n++] = value;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
quantile(struct samples *s, double part)
{
	double at = part * (double)(s->n - 1);
	size_t i = (size_t)at;

	qsort(s->v, s->n, sizeof(*s->v), compare);
	if (i + 1 >= s->n)
		return s->v[s->n - 1];
	return s->v[i] + (at - (double)i) * (s->v[i + 1] - s->v[i]);
}

void
make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) == -1)
		err(1, "pipe");
}

int
move_up(int fd, int least)
{
	int moved;

	if ((moved = fcntl(fd, F_DUPFD_CLOEXEC, least)) == -1)
		err(1, "fcntl");
	close(fd);
	return moved;
}

int
open_pipe(void)
{
	char path[32];
	int fd, fds[2];

	make_pipe(fds);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	if ((fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		err(1, "%s", path);
	close(fds[0]);
	close(fds[1]);
	return fd;
}

void
set_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "setrlimit");
}

void
drain(int fd)
{
	char buf[4096];
	int n;

	/* Not O_NONBLOCK, which the candidate would have too. */
	while (ioctl(fd, FIONREAD, &n) == 0 && n > 0)
		if (read(fd, buf, sizeof(buf)) == -1)
			err(1, "read");
}

void
put_bytes(int fd, const char *bytes, size_t n)
{
	if (write(fd, bytes, n) != (ssize_t)n)
		err(1, "write");
}

void
one_processor(void)
{
#ifdef __linux__
	cpu_set_t set;
	size_t i;

	if (sched_getaffinity(0, sizeof(set), &set) == -1)
		err(1, "sched_getaffinity");
	for (i = 0; !CPU_ISSET(i, &set); i++)
		continue;
	CPU_ZERO(&set);
	CPU_SET(i, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == -1)
		err(1, "sched_setaffinity");
#endif
}

void
be_patient(pid_t pid)
{
#ifdef SCHED_BATCH
	struct sched_param none = { .sched_priority = 0 };

	if (sched_setscheduler(pid, SCHED_BATCH, &none) == -1)
		err(1, "sched_setscheduler");
#else
	(void)pid;
#endif
}

static void
prepare(posix_spawn_file_actions_t *fa, posix_spawnattr_t *attr)
{
	const short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
	    POSIX_SPAWN_SETSIGMASK;
	sigset_t all, none;

	posix_spawn_file_actions_init(fa);
	posix_spawnattr_init(attr);
	/* A group of its own, so that what a shell has started ends too. */
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setflags(attr, flags);
}

void
start(struct candidate *c, int requests)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int error, in[2] = { -1, -1 }, out[2];

	make_pipe(out);
	if (requests)
		make_pipe(in);
	prepare(&fa, &attr);
	if (requests)
		posix_spawn_file_actions_adddup2(&fa, in[0], 0);
	else
		posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY,
		    0);
	posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	if (c->source != -1)
		posix_spawn_file_actions_adddup2(&fa, c->source, FIRST);
	error = posix_spawnp(&c->pid, c->argv[0], &fa, &attr, c->argv, environ);
	if (error != 0)
		errx(1, "%s: %s", c->argv[0], strerror(error));
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	close(out[1]);
	c->out = out[0];
	c->in = in[1];
	if (requests)
		close(in[0]);
}

static double
wait_for(struct candidate *c, int *status)
{
	struct rusage ru;

	if (wait4(c->pid, status, 0, &ru) == -1)
		err(1, "wait4");
	c->pid = 0;
	close(c->out);
	if (c->in != -1)
		close(c->in);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e6 +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
}

double
stop(struct candidate *c)
{
	int status;

	if (c->pid == 0)
		return -1;
	kill(-c->pid, SIGTERM);
	/* The shells are at their end; what they have started may not be. */
	return wait_for(c, &status);
}

double
finish(struct candidate *c)
{
	double usec;
	int status;

	usec = wait_for(c, &status);
	if (status == 0)
		return usec;
	fail(c, "ended with another status than 0");
	return -1;
}

int
is_running(const struct candidate *c)
{
	const int how = WEXITED | WNOHANG | WNOWAIT;
	siginfo_t info;

	info.si_pid = 0;
	if (waitid(P_PID, (id_t)c->pid, &info, how) == -1)
		return 0;
	return info.si_pid == 0;
}

double
processor_time(const struct candidate *c)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(c->pid, &clock) != 0 ||
	    clock_gettime(clock, &ts) == -1)
		return 0;
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

size_t
take_lines(struct candidate *c, size_t n, int ms)
{
	static char buf[65536];
	struct pollfd pfd = { .fd = c->out, .events = POLLIN };
	size_t left, lines = 0;
	ssize_t len;
	char *p;

	while (lines < n && poll(&pfd, 1, ms) == 1) {
		if ((len = read(c->out, buf, sizeof(buf))) <= 0)
			break;
		for (p = buf; p < buf + len; p++) {
			left = (size_t)(buf + len - p);
			if ((p = memchr(p, '\n', left)) == NULL)
				break;
			lines++;
		}
	}
	return lines;
}

void
fail(struct candidate *c, const char *why)
{
	warnx("%s, %s: %s", kind, c->name, why);
	c->failed = 1;
	if (c->pid != 0)
		stop(c);
}

void
print_number(const char *what, const struct candidate *c, double number)
{
	printf("%s%s\t%s\t%.2f\n", kind, what, c->name, number);
}

void
print_latency(struct candidate *c)
{
	if (c->failed)
		return;
	printf("%s\t%s\t%.2f\t%.2f\n", kind, c->name,
	    quantile(&c->samples[0], 0.5), quantile(&c->samples[0], 0.99));
	stop(c);
}

void
print_median(const char *what, struct candidate *c, int sample)
{
	if (!c->failed && c->samples[sample].n != 0)
		print_number(what, c, quantile(&c->samples[sample], 0.5));
}

/* Cut the command line into candidates: each "//" begins one. */
static void
split(int argc, char *argv[])
{
	struct candidate *c;
	int i;

	cands = zeroed((size_t)argc + 1, sizeof(*cands));
	for (i = 0; i < argc; i++) {
		if (argv[i] == NULL || strcmp(argv[i], "//") != 0)
			continue;
		argv[i] = NULL;
		if (i + 2 >= argc)
			errx(2, "a name and a command follow //");
		c = &cands[ncands++];
		c->name = argv[i + 1];
		c->argv = &argv[i + 2];
		c->in = c->out = c->source = -1;
	}
}

static void
kill_all(void)
{
	int i;

	for (i = 0; i < ncands; i++)
		if (cands[i].pid != 0)
			kill(-cands[i].pid, SIGKILL);
}

static void
interrupted(int signo)
{
	kill_all();
	_exit(128 + signo);
}

static const struct {
	const char *name;
	int (*run)(int argc, char *argv[]);
} parts[] = {
	{ "follow", drive_follow },
	{ "lines", drive_lines },
	{ "quiet", drive_quiet },
	{ "run", drive_run },
	{ "session", drive_session },
	{ "wake", drive_wake },
};

int
main(int argc, char *argv[])
{
	size_t i;
	int words;

	if (argc < 3)
		errx(2, "usage: drive PART KIND [OPTION]... [// WHAT]...");
	kind = argv[2];
	for (words = 3; words < argc && strcmp(argv[words], "//") != 0; words++)
		continue;
	split(argc - words, argv + words);
	/* What the caller left open is not to be a number of a candidate. */
	for (i = 3; i < 256; i++)
		close((int)i);
	set_limit();
	atexit(kill_all);
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strcmp(argv[1], parts[i].name) == 0)
			return parts[i].run(words - 2, argv + 2);
	errx(2, "no part %s", argv[1]);
}
