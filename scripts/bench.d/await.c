/* SPDX-License-Identifier: ISC */
/*
 * await.c - what the conditions of pmux wait cost.
 *
 *	await wait PID...
 *		wait for the end of each, by pidfd_open(2) and poll(2)
 *	await status PID...
 *		the same, and print how each has ended
 *	await exit N ROUNDS NAME CMD [ARG]... [// NAME CMD [ARG]...]...
 *		run each CMD in turns with the numbers of N processes, end those,
 *		and print for each NAME the medians, in microseconds, of the time
 *		until CMD has ended and of its CPU time
 *	await exists FILE OTHER ROUNDS NAME CMD [ARG]... [// NAME CMD...]...
 *		run each CMD in turns, rename OTHER to FILE while it sleeps, and
 *		print for each NAME the medians of the time until it has printed
 *		something and of its CPU time
 *	await grow FILE LINES ROUNDS NAME CMD [ARG]... [// NAME CMD...]...
 *		run each CMD in turns, append so many lines to FILE, which is
 *		empty at first, and print for each NAME the medians of the time
 *		until it has printed the last one and of its CPU time until then
 *	await until [-q] ERE FILE
 *		print the lines of FILE, behind its name, to the first that
 *		matches, by memchr(3) and regexec(3); -q: only that they match
 *	await connect ROUNDS CMD [ARG]...
 *		run CMD with an address, listen there later, and print the median,
 *		in microseconds, of the time until CMD has ended
 */
#define _GNU_SOURCE
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST 1000
#define MOST_ROUNDS 1000
#define MOST_COMMANDS 8

static void
must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
ascending(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static double
median(double *list, int count)
{
	qsort(list, (size_t)count, sizeof *list, ascending);
	return list[count / 2];
}

struct pidfd_information {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t status;
};

/* The wait status of a reaped process (Linux 6.15), or -1. */
static int
status_of_reaped(int fd)
{
	struct pidfd_information information = { .mask = 8 };

	return ioctl(fd, _IOWR(0xff, 11, struct pidfd_information),
		   &information) == 0 &&
		(information.mask & 8) != 0 ?
	    information.status :
	    -1;
}

/* That of process WORD, which has ended. */
static int
status_of(int fd, const char *word)
{
	int status = status_of_reaped(fd), file;
	char path[64], text[1024];
	ssize_t n = 0;

	if (status != -1)
		return status;
	snprintf(path, sizeof path, "/proc/%s/stat", word);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file != -1) {
		n = read(file, text, sizeof text - 1);
		close(file);
	}
	/* it may have been reaped meanwhile */
	if (n <= 0)
		return status_of_reaped(fd);
	text[n] = '\0';
	return atoi(strrchr(text, ' ') + 1);
}

static int
wait_all(int count, char **words, int statuses)
{
	struct pollfd *fds = calloc((size_t)count, sizeof *fds);
	int left = count;

	must(fds != NULL, "calloc");
	for (int i = 0; i < count; i++) {
		fds[i].fd = (int)syscall(SYS_pidfd_open, atoi(words[i]), 0);
		fds[i].events = POLLIN;
		must(fds[i].fd != -1, "pidfd_open");
	}
	while (left > 0) {
		must(poll(fds, (nfds_t)count, -1) > 0, "poll");
		for (int i = 0; i < count; i++) {
			if (fds[i].revents == 0)
				continue;
			if (statuses)
				printf("status=%d\t%s\n",
				    status_of(fds[i].fd, words[i]), words[i]);
			else
				printf("exit\t%s\n", words[i]);
			fds[i].fd = -1;
			left--;
		}
		fflush(stdout);
	}
	return 0;
}

/* Start ARGUMENTS with standard output at the end of a pipe: its other end. */
static pid_t
start(char **arguments, int *output)
{
	int ends[2];
	pid_t pid;

	must(pipe(ends) == 0, "pipe");
	pid = fork();
	must(pid != -1, "fork");
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execvp(*arguments, arguments);
		_exit(127);
	}
	close(ends[1]);
	*output = ends[0];
	return pid;
}

/* Until PID sleeps: field 3 of /proc/PID/stat, several times in a row. */
static void
await_sleep(pid_t pid)
{
	const struct timespec pause = { 0, 1000000 };
	char path[64], text[512], *state;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	for (int seen = 0; seen < 20;) {
		FILE *file = fopen(path, "r");

		must(file != NULL, path);
		text[fread(text, 1, sizeof text - 1, file)] = '\0';
		fclose(file);
		state = strrchr(text, ')');
		seen = state != NULL && state[2] == 'S' ? seen + 1 : 0;
		nanosleep(&pause, NULL);
	}
}

struct cost {
	double time[MOST_ROUNDS], cpu[MOST_ROUNDS];
};

/* CMD has been woken at BEGAN: what it costs to its end. */
static void
finish(pid_t pid, int output, double began, struct cost *cost, int round)
{
	struct rusage usage;
	char text[65536];
	int status;

	while (read(output, text, sizeof text) > 0)
		;
	cost->time[round] = now() - began;
	close(output);
	must(wait4(pid, &status, 0, &usage) == pid, "wait4");
	if (status != 0) {
		fprintf(stderr, "await: a program ended with %d\n", status);
		exit(1);
	}
	cost->cpu[round] = (double)(usage.ru_utime.tv_sec +
			       usage.ru_stime.tv_sec) *
		1e6 +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void
measure_exit(char **command, int count, struct cost *cost, int round)
{
	static char numbers[MOST][32];
	static char *arguments[MOST + 32];
	static pid_t pids[MOST];
	int n = 0, output;
	double began;
	pid_t pid;

	while (command[n] != NULL && strcmp(command[n], "//") != 0) {
		arguments[n] = command[n];
		n++;
	}
	for (int i = 0; i < count; i++) {
		pids[i] = fork();
		must(pids[i] != -1, "fork");
		if (pids[i] == 0)
			for (;;)
				pause();
		/* the last word of pmux is --exit= */
		snprintf(numbers[i], sizeof numbers[i], "%s%ld",
		    strcmp(arguments[n - 1], "--exit=") == 0 ? "--exit=" : "",
		    (long)pids[i]);
	}
	if (strcmp(arguments[n - 1], "--exit=") == 0)
		n--;
	for (int i = 0; i < count; i++)
		arguments[n + i] = numbers[i];
	arguments[n + count] = NULL;
	pid = start(arguments, &output);
	await_sleep(pid);
	began = now();
	for (int i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < count; i++)
		waitpid(pids[i], NULL, 0);
	finish(pid, output, began, cost, round);
}

static int
compare_exit(int count, int rounds, char **words)
{
	static struct cost costs[MOST_COMMANDS];
	char **commands[MOST_COMMANDS];
	int n = 0;

	for (commands[n++] = words; *words != NULL; words++)
		if (strcmp(*words, "//") == 0 && n < MOST_COMMANDS)
			commands[n++] = words + 1;
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < n; i++)
			measure_exit(commands[i] + 1, count, &costs[i], round);
	for (int i = 0; i < n; i++)
		printf("exit-%d\t%s\t%.1f\t%.1f\n", count, *commands[i],
		    median(costs[i].time, rounds),
		    median(costs[i].cpu, rounds));
	return 0;
}

/* Cut WORDS into commands at //.  Returns how many; each begins with its name. */
static int
split(char **words, char ***commands)
{
	int n = 0;

	for (commands[n++] = words; *words != NULL; words++) {
		if (strcmp(*words, "//") != 0 || n == MOST_COMMANDS)
			continue;
		*words = NULL;
		commands[n++] = words + 1;
	}
	return n;
}

/* Count lines of OUTPUT until there are so many; the time when there are. */
static double
read_lines(int output, int lines)
{
	char text[65536];
	ssize_t n;

	while (lines > 0) {
		n = read(output, text, sizeof text);
		must(n > 0, "read");
		for (char *at = text; lines > 0 && at < text + n; at++)
			lines -= *at == '\n';
	}
	return now();
}

/* End PID, which was woken at BEGAN and had done everything at DONE. */
static void
stop(pid_t pid, int output, double began, double done, struct cost *cost,
    int round)
{
	struct rusage usage;

	kill(pid, SIGTERM);
	close(output);
	must(wait4(pid, NULL, 0, &usage) == pid, "wait4");
	cost->time[round] = done - began;
	cost->cpu[round] = (double)(usage.ru_utime.tv_sec +
			       usage.ru_stime.tv_sec) *
		1e6 +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void
measure_exists(char **command, char **files, struct cost *cost, int round)
{
	int output, fd = open(files[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	double began;
	pid_t pid;

	must(fd != -1, files[1]);
	close(fd);
	(void)unlink(files[0]);
	pid = start(command, &output);
	await_sleep(pid);
	began = now();
	must(rename(files[1], files[0]) == 0, "rename");
	stop(pid, output, began, read_lines(output, 1), cost, round);
}

/* Append LINES lines to FILE, a hundred and then a pause of 1 ms. */
static void
grow(const char *file, int lines)
{
	const struct timespec pause = { 0, 1000000 };
	int fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
	char line[128];

	must(fd != -1, file);
	for (int i = 1; i <= lines; i++) {
		int n = snprintf(line, sizeof line, "line %d %.60s\n", i,
		    "of a log that grows while somebody reads what is written");

		must(write(fd, line, (size_t)n) == n, "write");
		if (i % 100 == 0)
			nanosleep(&pause, NULL);
	}
	_exit(0);
}

static void
measure_growth(char **command, char **words, struct cost *cost, int round)
{
	int output, lines = atoi(words[1]),
		    fd = open(words[0], O_WRONLY | O_CREAT | O_TRUNC, 0666);
	double began;
	pid_t pid, writer;

	must(fd != -1, words[0]);
	close(fd);
	pid = start(command, &output);
	await_sleep(pid);
	began = now();
	writer = fork();
	must(writer != -1, "fork");
	if (writer == 0)
		grow(words[0], lines);
	stop(pid, output, began, read_lines(output, lines), cost, round);
	waitpid(writer, NULL, 0);
}

/* KIND of the results, by MEASURE with the two WORDS before ROUNDS. */
static int
compare(const char *kind, void (*measure)(char **, char **, struct cost *, int),
    char **words)
{
	static struct cost costs[MOST_COMMANDS];
	char **commands[MOST_COMMANDS];
	int rounds = atoi(words[2]), n = split(words + 3, commands);

	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < n; i++)
			measure(commands[i] + 1, words, &costs[i], round);
	for (int i = 0; i < n; i++)
		printf("%s\t%s\t%.1f\t%.1f\n", kind, *commands[i],
		    median(costs[i].time, rounds),
		    median(costs[i].cpu, rounds));
	return 0;
}

static int
until(const char *expression, const char *file, int quiet)
{
	static char text[1 << 17];
	size_t held = 0;
	int fd = open(file, O_RDONLY);
	regex_t compiled;
	ssize_t n;

	must(fd != -1, file);
	must(regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB) == 0,
	    "regcomp");
	while ((n = read(fd, text + held, sizeof text / 2)) > 0) {
		char *line = text, *end, *all = text + held + n;

		while ((end = memchr(line, '\n', (size_t)(all - line)))) {
			*end = '\0';
			if (!quiet)
				printf("%s\t%s\n", file, line);
			if (regexec(&compiled, line, 0, NULL, 0) == 0)
				return 0;
			line = end + 1;
		}
		held = (size_t)(all - line);
		memmove(text, line, held);
	}
	return 1;
}

static int
compare_connect(int rounds, char **command)
{
	static struct cost cost;
	char address[64], *arguments[32];
	int n = 0;

	for (; n < 30 && command[n] != NULL; n++)
		arguments[n] = command[n];
	arguments[n] = address;
	arguments[n + 1] = NULL;
	for (int round = 0; round < rounds; round++) {
		struct sockaddr_in in = { .sin_family = AF_INET };
		socklen_t size = sizeof in;
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), output;
		/* not in step with the pauses */
		const struct timespec pause = { 1,
			round * 7919 % 250 * 1000000 };
		double began;
		pid_t pid;

		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		must(bind(fd, (struct sockaddr *)&in, size) == 0, "bind");
		must(getsockname(fd, (struct sockaddr *)&in, &size) == 0,
		    "getsockname");
		snprintf(address, sizeof address, "127.0.0.1:%u",
		    (unsigned)ntohs(in.sin_port));
		pid = start(arguments, &output);
		nanosleep(&pause, NULL);
		began = now();
		must(listen(fd, 1) == 0, "listen");
		finish(pid, output, began, &cost, round);
		close(fd);
	}
	printf("connect\tpmux\t%.1f\t%.1f\n", median(cost.time, rounds),
	    median(cost.cpu, rounds));
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "wait") == 0)
		return wait_all(argc - 2, argv + 2, 0);
	if (argc > 2 && strcmp(argv[1], "status") == 0)
		return wait_all(argc - 2, argv + 2, 1);
	if (argc > 5 && strcmp(argv[1], "exit") == 0 && atoi(argv[2]) <= MOST &&
	    atoi(argv[3]) <= MOST_ROUNDS)
		return compare_exit(atoi(argv[2]), atoi(argv[3]), argv + 4);
	if (argc > 6 && strcmp(argv[1], "exists") == 0 &&
	    atoi(argv[4]) <= MOST_ROUNDS)
		return compare("exists", measure_exists, argv + 2);
	if (argc > 6 && strcmp(argv[1], "grow") == 0 &&
	    atoi(argv[4]) <= MOST_ROUNDS)
		return compare("grow", measure_growth, argv + 2);
	if (argc > 3 && strcmp(argv[1], "until") == 0)
		return until(argv[argc - 2], argv[argc - 1], argc > 4);
	if (argc > 3 && strcmp(argv[1], "connect") == 0 &&
	    atoi(argv[2]) <= MOST_ROUNDS)
		return compare_connect(atoi(argv[2]), argv + 3);
	fputs("usage: await wait|status|exit|exists|grow|until|connect\n",
	    stderr);
	return 2;
}
