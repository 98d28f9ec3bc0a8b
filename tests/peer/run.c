/* SPDX-License-Identifier: ISC */
/* run.c - the status of a command, in a file. */
#include "peer.h"

#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A shell in the background ignores SIGINT, make may ignore SIGPIPE. */
static void
default_signals(void)
{
	static const int list[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGQUIT };
	sigset_t none;

	for (size_t i = 0; i < NITEMS(list); i++)
		signal(list[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{ "HUP", SIGHUP },
		{ "INT", SIGINT },
		{ "TERM", SIGTERM },
		{ "PIPE", SIGPIPE },
		{ "QUIT", SIGQUIT },
	};

	for (size_t i = 0; i < NITEMS(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].number;
	return (int)number(name, 64);
}

static void
write_status(const char *file, int status)
{
	FILE *f = fopen(file, "w");

	if (f == NULL)
		die(1, "%s", file);
	if (WIFSIGNALED(status))
		fprintf(f, "signal %d\n", WTERMSIG(status));
	else
		fprintf(f, "exit %d\n", WEXITSTATUS(status));
	if (fclose(f) == EOF)
		die(1, "%s", file);
}

static volatile sig_atomic_t child;

/* The child keeps its number until it is waited for. */
static void
pass_on(int sig)
{
	if (child > 0)
		kill((pid_t)child, sig);
}

static void
pass_signals_on(void)
{
	static const int list[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1 };
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = pass_on;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NITEMS(list); i++)
		sigaction(list[i], &action, NULL);
}

static void
mask_signals(int how)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(how, &all, NULL);
}

/* HUP, INT, TERM and USR1 are passed on to CMD. */
int
cmd_run(char **argv)
{
	long long after = 0;
	int sig = 0, status;
	siginfo_t info;
	char *colon;
	pid_t pid;

	if (strcmp(argv[0], "-k") == 0) {
		errno = 0;
		if ((colon = strchr(argv[1], ':')) == NULL)
			die(2, "not SIGNAL:NANOSECONDS: %s", argv[1]);
		*colon = '\0';
		sig = signal_number(argv[1]);
		after = number(colon + 1, LLONG_MAX);
		argv += 2;
	}
	if (argv[0] == NULL || argv[1] == NULL)
		usage();
	/* a signal that comes as soon as CMD runs is passed on, too */
	mask_signals(SIG_BLOCK);
	if ((pid = fork()) == -1)
		die(1, "fork");
	if (pid == 0) {
		default_signals();
		become(argv + 1);
	}
	child = (sig_atomic_t)pid;
	pass_signals_on();
	mask_signals(SIG_UNBLOCK);
	if (sig != 0) {
		nap(after);
		kill(pid, sig);
	}
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1)
		if (errno != EINTR)
			die(1, "waitid");
	child = 0;
	if (waitpid(pid, &status, 0) == -1)
		die(1, "waitpid");
	write_status(argv[0], status);
	return 0;
}
