/* SPDX-License-Identifier: ISC */
/*
 * lives.c - a program that logs what signals, stops, children and programs do
 * to it, alone or while its calls are traced: the log must be the same.
 *
 *	lives ROUNDS FILE
 *
 * Appends the log of ROUNDS rounds to FILE, and ends with status 9.  Exit status
 * 77: not on this system.
 */
#include "config.h"

#include <stdio.h>

#ifdef __linux__
#include <sys/types.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PATIENCE 60000 /* ms, for what must come */

extern char **environ;

static FILE *log_file;
static volatile sig_atomic_t handled;
static int ends[2];
static char *program;

static void
must(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "lives: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
rest(void)
{
	struct timespec time = { 0, 3000000 };

	while (nanosleep(&time, &time) == -1)
		;
}

static void
note(const char *what, long value)
{
	fprintf(log_file, "%s=%ld", what, value);
	if (value == -1)
		fprintf(log_file, "(%s)", strerror(errno));
	fprintf(log_file, " handled=%d\n", (int)handled);
	handled = 0;
	(void)fflush(log_file);
}

static void
handle(int signal)
{
	handled += signal == SIGUSR1 ? 1 : 100;
}

/* Start a child that, once its parent has had time to sleep, calls ACT. */
static pid_t
begin(void (*act)(void))
{
	pid_t pid = fork();

	must(pid != -1, "fork");
	if (pid == 0) {
		rest();
		act();
		_exit(0);
	}
	return pid;
}

static void
reap(pid_t pid)
{
	int status = 0;

	must(waitpid(pid, &status, 0) == pid, "waitpid");
	note("child", status);
}

static void
send_signal(void)
{
	(void)kill(getppid(), SIGUSR1);
}

static void
send_byte(void)
{
	must(write(ends[1], "x", 1) == 1, "write");
}

static void
take_byte(void)
{
	char byte;

	note("byte", read(ends[0], &byte, 1));
}

/* ---- a part of a life each ---- */

/* Blocked but in the call, so it cannot come before it. */
static void
be_interrupted(void)
{
	int instance = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e;
	sigset_t none;
	pid_t pid = begin(send_signal);

	sigemptyset(&none);
	note("epoll_pwait", epoll_pwait(instance, &e, 1, PATIENCE, &none));
	reap(pid);
	pid = begin(send_signal);
	note("ppoll", ppoll(NULL, 0, NULL, &none));
	reap(pid);
	pid = begin(send_signal);
	note("sigsuspend", sigsuspend(&none));
	reap(pid);
	(void)close(instance);
}

static void
wait_for_signal(void)
{
	const struct timespec time = { PATIENCE / 1000, 0 };
	sigset_t set;
	pid_t pid = begin(send_signal);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	note("sigtimedwait", sigtimedwait(&set, NULL, &time));
	reap(pid);
}

static void
be_woken(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct pollfd p = { ends[0], POLLIN, 0 };
	int instance = epoll_create1(EPOLL_CLOEXEC);
	pid_t pid = begin(send_byte);

	must(epoll_ctl(instance, EPOLL_CTL_ADD, ends[0], &e) == 0, "epoll_ctl");
	note("epoll_wait", epoll_wait(instance, &e, 1, PATIENCE));
	take_byte();
	reap(pid);
	pid = begin(send_byte);
	note("poll", poll(&p, 1, PATIENCE));
	take_byte();
	reap(pid);
	pid = begin(send_byte);
	take_byte();
	reap(pid);
	(void)close(instance);
	note("nothing", epoll_wait(-1, &e, 1, 0));
}

/* A child is stopped and continued, and goes on in its read. */
static void
stop_another(void)
{
	pid_t pid = fork();
	int status;

	must(pid != -1, "fork");
	if (pid == 0) {
		char byte;

		_exit(read(ends[0], &byte, 1) == 1 ? 4 : 5);
	}
	rest();
	must(kill(pid, SIGSTOP) == 0, "kill");
	must(waitpid(pid, &status, WUNTRACED) == pid, "waitpid");
	note("stopped", status);
	rest();
	must(kill(pid, SIGCONT) == 0, "kill");
	must(waitpid(pid, &status, WCONTINUED) == pid, "waitpid");
	note("continued", status);
	send_byte();
	reap(pid);
}

static void
end_by_signal(void)
{
	(void)raise(SIGTERM);
}

static void
execute(void)
{
	(void)execl(program, program, "executed", (char *)NULL);
}

static void
have_children(void)
{
	char word[] = "executed", *const argv[] = { program, word, NULL };
	pid_t pid;

	reap(begin(end_by_signal));
	reap(begin(execute));
	must(posix_spawn(&pid, program, NULL, NULL, argv, environ) == 0,
	    "posix_spawn");
	reap(pid);
}

static void *
act(void *unused)
{
	rest();
	send_byte();
	return unused;
}

static void
have_thread(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, act, NULL) == 0, "pthread_create");
	take_byte();
	note("join", pthread_join(thread, NULL));
}

static void
signal_itself(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	note("raise", raise(SIGUSR2));
	(void)sigprocmask(SIG_UNBLOCK, &set, &old);
	note("unblocked", 0);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
}

int
main(int argc, char **argv)
{
	static void (*const parts[])(void) = { be_interrupted, wait_for_signal,
		be_woken, stop_another, have_children, have_thread,
		signal_itself };
	struct sigaction action;
	sigset_t set;

	if (argc == 2)
		return 6;
	must(argc == 3 && pipe(ends) == 0, "usage: lives ROUNDS FILE");
	program = argv[0];
	memset(&action, 0, sizeof action);
	action.sa_handler = handle;
	(void)sigaction(SIGUSR1, &action, NULL);
	(void)sigaction(SIGUSR2, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	log_file = fopen(argv[2], "a");
	must(log_file != NULL, argv[2]);
	for (long n = strtol(argv[1], NULL, 10); n > 0; n--)
		for (size_t i = 0; i < COUNT(parts); i++)
			parts[i]();
	return 9;
}

#else

int
main(void)
{
	fprintf(stderr, "lives: is about Linux\n");
	return 77;
}

#endif
