/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "cli/pmux_run.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "run/request.h"
#include "shell/host.h"
#include "sys/apart.h"
#include "sys/caller.h"
#include "sys/kernel.h"
#include "sys/signals.h"
#include "sys/terminate.h"

/* So often the shell is to act before what is pending counts as stuck. */
#define ACT_TRIES 3

/* So long a child that is asked to end may take: ns. */
#define PATIENCE INT64_C(1000000000)

/*
 * The process is not ours alone: these are there between two calls.  The room
 * is for the outermost call, and stays allocated.
 */
static struct pmux_call room;
static struct shell_call first;
static struct shell_call *innermost;
static char program[PATH_MAX]; /* pmux, which a holder executes */

/* ---- sleeping ---- */

static void
leave(struct shell_call *c, int status)
{
	c->status = status;
	shell_abandon(c);
	longjmp(c->out, 1);
}

/* ---- what ends the shell while it runs traps ---- */

/* What was replaced, of the signals in GUARDED. */
static struct sigaction dispositions[NSIG];
static sigset_t guarded;
static struct shell_call *guard; /* the call that did it, or NULL */

/* Whatever the shell does now, no call goes on. */
static void
dies(int number)
{
	void (*handler)(int) = dispositions[number].sa_handler;
	int error = errno, lost = 0;
	bool running;

	if (innermost != NULL) {
		/* what is forked now is a holder */
		running = innermost->running;
		innermost->running = false;
		lost = fifo_leave_all();
		innermost->running = running;
	}
	if (handler != SIG_DFL) {
		errno = error;
		handler(number);
		return;
	}
	if (lost != 0)
		terminate_with(EXIT_SYSTEM);
	terminate_by(number);
}

static void
replace(int number, struct sigaction *action)
{
	struct sigaction *old = &dispositions[number];

	if (!kernel_signal_ends(number) || sigaction(number, NULL, old) == -1 ||
	    (old->sa_handler != SIG_DFL && !shell_ends_by(old->sa_handler)))
		return;
	shell_replaces(number);
	action->sa_flags = old->sa_flags & SA_RESTART;
	if (sigaction(number, action, NULL) == 0)
		(void)sigaddset(&guarded, number);
}

/* All signals are blocked, and the dispositions are those of the shell. */
static void
begin_guard(struct shell_call *c)
{
	struct sigaction action;

	if (guard != NULL || !fifo_needs_leave())
		return;
	guard = c;
	(void)sigemptyset(&guarded);
	memset(&action, 0, sizeof action);
	action.sa_handler = dies;
	(void)sigfillset(&action.sa_mask);
	for (int i = 1; i < NSIG; i++)
		replace(i, &action);
}

/* A trap may have set others. */
static void
end_guard(void)
{
	struct sigaction now;

	guard = NULL;
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&guarded, i) == 1 &&
		    sigaction(i, NULL, &now) == 0 && now.sa_handler == dies)
			(void)sigaction(i, &dispositions[i], NULL);
}

/*
 * All signals are blocked; NOW is the mask without that.  The one with which
 * traps run is that of the shell.
 */
static void
let_shell_run(struct shell_call *c, const sigset_t *now)
{
	sigset_t mask = *caller_mask(now);
	int status, tries = ACT_TRIES;

	caller_suspend();
	c->running = true;
	/* the shell may end before it runs traps, or without them */
	if (shell_ends())
		shell_abandon_all();
	begin_guard(c);
	/* one may have come after the shell had looked */
	do {
		signals_restore(&mask);
		status = shell_act(c);
		signals_block(NULL);
		c->stuck = shell_pending();
	} while (status == -1 && c->stuck && --tries > 0);
	if (guard == c)
		end_guard();
	c->running = false;
	if (pmux != NULL)
		caller_resume();
	signals_restore(status == -1 ? now : &mask);
	if (status != -1)
		leave(c, status);
}

/*
 * A signal between the check and the sleep must not wait for the end of the
 * sleep: all are blocked until the primitive sets the mask of the shell.
 */
static int
sleep_in_shell(struct pmux_host *host, int (*wait)(void *argument),
    void *argument)
{
	struct shell_call *c = host->data;
	bool (*pending)(void) = c->child != 0 ? shell_pending_apart :
						shell_pending;
	sigset_t old;
	int n = -EINTR;

	signals_block(&old);
	c->mask = old;
	caller_sleep_mask(&c->mask);
	shell_mask(&c->mask);
	if (c->child != 0 && !apart_hides)
		(void)sigaddset(&c->mask, SIGCHLD);
	if (!pending() || c->stuck) {
		host->mask = &c->mask;
		n = wait(argument);
		host->mask = NULL;
	}
	if (n == -EINTR && pending())
		let_shell_run(c, &old);
	else
		signals_restore(&old);
	return n;
}

/* ---- a process of its own ---- */

static void
wake(int number)
{
	(void)number;
}

/*
 * In the process that has the call.  Signals are blocked: SIGTERM is forwarded,
 * those of the terminal have reached PROGRAM.
 */
static int
attend(struct pmux_host *host, pid_t child)
{
	int number, status = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	/* by default it is ignored: a blocked one may be lost (POSIX, XSH 2.4.1) */
	(void)signal(SIGCHLD, wake);
	while (waitpid(child, &status, WNOHANG) == 0)
		if (sigwait(&set, &number) == 0 && number == SIGTERM)
			(void)kill(child, number);
	/* PROGRAM has outlived them */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		host->signal = SIGINT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
begin_child(struct shell_call *c)
{
	c->apart = true;
	c->host.stays = c->host.survives = false;
	c->host.sleep = NULL;
	c->host.apart = NULL;
	c->host.trapped = NULL;
	c->host.attend = attend;
	shell_in_child();
	(void)signal(SIGCHLD, SIG_DFL);
}

static int
wait_for_child(void *argument)
{
	struct shell_call *c = argument;

	return apart_wait(c->child, -1, &c->child_status);
}

static void
kill_child(struct shell_call *c)
{
	deadline_t end = deadline_in(PATIENCE);
	int status, error;

	(void)kill(c->child, SIGTERM);
	do
		error = apart_wait(c->child, deadline_left(end), &status);
	while (error == -EINTR && deadline_left(end) > 0);
	if (error == -EAGAIN || error == -EINTR) {
		(void)kill(c->child, SIGKILL);
		while (apart_wait(c->child, -1, &status) == -EINTR)
			;
	}
	c->child = 0;
}

/* It has ended, or the shell leaves the call. */
static void
end_child(void *argument)
{
	struct shell_call *c = argument;

	if (c->child != 0)
		kill_child(c);
	if (!apart_hides)
		signals_restore(&c->before);
}

static int
result(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool
run_apart(struct pmux_host *host, int *status)
{
	struct shell_call *c = host->data;
	sigset_t mask;
	int error;

	signals_block(&c->before);
	c->child = apart_start();
	if (c->child == 0)
		begin_child(c);
	error = errno;
	mask = c->before;
	if (c->child > 0 && !apart_hides)
		(void)sigaddset(&mask, SIGCHLD);
	signals_restore(&mask);
	if (c->child == 0)
		return false;
	if (c->child == -1) {
		c->child = 0;
		*status = diag_system(error, NULL, "a process");
		return true;
	}
	pmux_at_end(end_child, c);
	do
		error = pmux_sleep(wait_for_child, c);
	while (error == -EINTR || error == -EAGAIN);
	c->child = 0;
	pmux_close();
	*status = error == 0 ? result(c->child_status) :
			       diag_system(-error, NULL, "waitpid");
	shell_after_child(error == 0 && WIFSIGNALED(c->child_status) &&
	    WTERMSIG(c->child_status) == SIGINT);
	return true;
}

/* ---- records ---- */

static int
put(struct pmux_host *host, const char *bytes, size_t length)
{
	struct shell_call *c = host->data;
	size_t wanted = c->used + length + 1;
	char *more;

	if (wanted > c->size) {
		wanted += wanted / 2;
		more = realloc(c->bytes, wanted);
		if (more == NULL)
			return -ENOMEM;
		c->bytes = more;
		c->size = wanted;
	}
	memcpy(c->bytes + c->used, bytes, length);
	c->used += length;
	c->separator = pmux->request->print.null ? '\0' : '\n';
	return 0;
}

char *
shell_next(struct shell_call *c, size_t *length)
{
	char *record = c->bytes + c->at, *end;
	size_t left = c->used - c->at;

	if (left == 0)
		return NULL;
	end = memchr(record, c->separator, left);
	if (end == NULL)
		end = record + left;
	*length = (size_t)(end - record);
	c->at += *length + (*length < left);
	*end = '\0';
	return record;
}

static const char *
take_variable(struct pmux_host *host, const char *name)
{
	struct shell_call *c = host->data;
	const char *why = shell_variable(host, name);

	if (why != NULL)
		return why;
	free(c->name);
	c->name = strdup(name);
	if (c->name == NULL)
		return "needs memory";
	host->put = put;
	return NULL;
}

/* ---- one call ---- */

struct shell_call *
shell_begin(int count)
{
	struct shell_call *c = innermost == NULL ? &first : malloc(sizeof *c);
	char **words = c == NULL || count < SHELL_WORDS ?
	    NULL :
	    calloc((size_t)count + 1, sizeof *words);

	if (c == NULL || (count >= SHELL_WORDS && words == NULL)) {
		if (c != &first)
			free(c);
		(void)fprintf(stderr, "pmux: %s\n", strerror(ENOMEM));
		return NULL;
	}
	c->words = words != NULL ? words : c->few;
	c->words[count] = NULL;
	c->outer = pmux;
	c->next = innermost;
	c->name = c->bytes = NULL;
	c->used = c->size = c->at = 0;
	c->stuck = c->running = c->apart = false;
	c->child = 0;
	c->host = (struct pmux_host){
		.stays = true,
		.shell = true,
		.survives = !shell_is_subshell(),
		.data = c,
		.room = &room,
		.sleep = sleep_in_shell,
		.apart = run_apart,
		.program = program,
		.trapped = shell_trapped,
		.variable = take_variable,
	};
	innermost = c;
	return c;
}

static int
run(struct shell_call *c, int count)
{
	if (setjmp(c->out) != 0)
		return c->status;
	return pmux_run(&c->host, count, c->words);
}

int
shell_run(struct shell_call *c, int count)
{
	int status;

	(void)fflush(stdout);
	status = run(c, count);
	if (c->apart) {
		if (c->host.signal != 0)
			terminate_by(c->host.signal);
		terminate_with(status);
	}
	/* as if a program had ended by it, to which the shell has no child */
	return c->host.signal != 0 ? 128 + c->host.signal : status;
}

void
shell_end(struct shell_call *c)
{
	innermost = c->next;
	if (c->words != c->few)
		free(c->words);
	free(c->name);
	free(c->bytes);
	if (c != &first)
		free(c);
}

void
shell_abandon(struct shell_call *c)
{
	if (guard == c)
		end_guard();
	/* what it forks now is a holder */
	c->running = false;
	while (pmux != c->outer && pmux != NULL) {
		caller_keep_mask(); /* it has been put back */
		pmux_abandon(1);
	}
}

void
shell_abandon_all(void)
{
	for (struct shell_call *c = innermost; c != NULL; c = c->next)
		shell_abandon(c);
}

/*
 * Beside the object that the builtin is in, or above that, where it was built;
 * else where it is installed.
 */
static void
find_program(void)
{
	static const char *const places[] = { "/pmux", "/../pmux" };
	char path[PATH_MAX], *slash;
	Dl_info info;

	if (dladdr(&innermost, &info) != 0 && info.dli_fname != NULL &&
	    realpath(info.dli_fname, path) != NULL &&
	    (slash = strrchr(path, '/')) != NULL && slash != path)
		for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
			*slash = '\0';
			if ((size_t)snprintf(program, sizeof program, "%s%s",
				path, places[i]) < sizeof program &&
			    access(program, X_OK) == 0)
				return;
		}
	(void)strcpy(program, PMUX_PROGRAM);
}

/* Close what a child of fork(2) has of calls that sleep; see pmux_forget. */
static void
forget(void)
{
	if (innermost == NULL || !innermost->running)
		return;
	if (guard != NULL)
		end_guard();
	/* the parent waits for these */
	for (struct shell_call *c = innermost; c != NULL; c = c->next)
		c->child = 0;
	pmux_forget();
	innermost = NULL;
}

void
shell_load(void)
{
	find_program();
	(void)pthread_atfork(NULL, NULL, forget);
}
