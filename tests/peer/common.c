/* SPDX-License-Identifier: ISC */
/* common.c - messages, numbers, processes. */
#include "peer.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *subject = "peer";

_Noreturn void
die(int status, const char *format, ...)
{
	va_list ap;
	int error = errno;

	fprintf(stderr, "peer: %s: ", subject);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	if (error != 0)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	exit(status);
}

long long
number(const char *s, long long max)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(s, &end, 0);
	if (end == s || *end != '\0' || errno != 0 || n < 0 || n > max) {
		errno = 0;
		die(2, "not a number: %s", s);
	}
	return n;
}

void
nap(long long nanoseconds)
{
	struct timespec ts;

	ts.tv_sec = (time_t)(nanoseconds / 1000000000);
	ts.tv_nsec = (long)(nanoseconds % 1000000000);
	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		continue;
}

_Noreturn void
become(char **argv)
{
	errno = 0;
	if (argv[0] == NULL)
		die(2, "no command");
	execvp(argv[0], argv);
	die(127, "%s", argv[0]);
}

pid_t
make_zombie(void)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid == -1 ||
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1)
		die(ABSENT, "fork");
	return pid;
}
