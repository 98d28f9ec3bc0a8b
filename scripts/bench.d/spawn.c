/* SPDX-License-Identifier: ISC */
/*
 * spawn [-m MIB] vfork|fork|posix_spawn PROGRAM [ARG]...: run PROGRAM whenever
 * descriptor 10 is readable, with it as the standard input: the references of
 * scripts/bench for a program at each event.  With -m the process holds memory
 * that it has written to, which fork() has to copy the page tables of.
 */
#include <sys/epoll.h>
#include <sys/wait.h>

#include <err.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static char **command;

static void
become(void)
{
	if (dup2(10, 0) == 0)
		execv(command[0], command);
	_exit(127);
}

static pid_t
with_fork(void)
{
	pid_t pid;

	if ((pid = fork()) == 0)
		become();
	return pid;
}

static pid_t
with_vfork(void)
{
	pid_t pid;

	/* The child, which has our memory, changes none of it. */
	if ((pid = vfork()) == 0)
		become();
	return pid;
}

static pid_t
with_posix_spawn(void)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int error;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, 10, 0);
	error = posix_spawn(&pid, command[0], &fa, NULL, command, environ);
	posix_spawn_file_actions_destroy(&fa);
	return error == 0 ? pid : -1;
}

int
main(int argc, char *argv[])
{
	pid_t (*run)(void), pid;
	struct epoll_event ev = { .events = EPOLLIN };
	size_t mib = 0;
	int ch, ep, status;

	while ((ch = getopt(argc, argv, "+m:")) != -1) {
		if (ch != 'm')
			return 2;
		mib = (size_t)atoi(optarg);
	}
	if (argc - optind < 2)
		errx(2, "usage: spawn [-m MIB] HOW PROGRAM [ARG]...");
	if (mib != 0) {
		char *memory = malloc(mib << 20);

		if (memory == NULL)
			err(3, NULL);
		memset(memory, 1, mib << 20);
	}
	run = strcmp(argv[optind], "fork") == 0 ? with_fork :
	    strcmp(argv[optind], "vfork") == 0	? with_vfork :
						  with_posix_spawn;
	command = argv + optind + 1;
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, 10, &ev) == -1)
		err(3, "epoll");
	while (epoll_wait(ep, &ev, 1, -1) == 1) {
		if ((pid = run()) == -1 || waitpid(pid, &status, 0) != pid)
			err(3, "%s", command[0]);
		if (status != 0)
			errx(3, "%s: status %d", command[0], status);
	}
	err(3, "epoll_wait");
}
