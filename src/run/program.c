/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/program.h"
#include "sys/fdplace.h"
#include "sys/fileid.h"
#include "sys/foreign.h"
#include "sys/launch.h"
#include "sys/signals.h"

extern char **environ;

/* ---- what PROGRAM finds ---- */

enum {
	TARGET,
	NUMBER,
	EVENTS,
	FILTER,
	FFLAGS,
	DATA,
	IDENT,
	VARIABLES
};
static const char *const names[VARIABLES] = {
	[TARGET] = "PMUX_TARGET=",
	[NUMBER] = "PMUX_FD=",
	[EVENTS] = "PMUX_EVENTS=",
	[FILTER] = "PMUX_FILTER=",
	[FFLAGS] = "PMUX_FFLAGS=",
	[DATA] = "PMUX_DATA=",
	[IDENT] = "PMUX_IDENT=",
};

/* Their texts; the name of a target may be long. */
static char *target_text;
static size_t target_size;
static char texts[VARIABLES][512];

/* The caller's without those, and room for them behind. */
static char **environment;
static size_t others;

static bool
is_ours(const char *variable)
{
	for (size_t i = 0; i < VARIABLES; i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Returns 0 or -ENOMEM. */
static int
prepare(const struct request *request)
{
	size_t count = 0;

	while (environ[count] != NULL)
		count++;
	environment = calloc(count + VARIABLES + 1, sizeof *environment);
	if (environment == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (!is_ours(environ[i]))
			environment[others++] = environ[i];
	return launch_prepare(request->program);
}

/* The name as it was written, with its owner where that is not plain. */
static int
set_target(const struct request *r, const struct target *t)
{
	size_t size = strlen(names[TARGET]) + 24 + t->length, n;
	char *text = target_text;

	if (size > target_size) {
		text = realloc(text, size);
		if (text == NULL)
			return -ENOMEM;
		target_text = text;
		target_size = size;
	}
	n = strlen(names[TARGET]);
	memcpy(text, names[TARGET], n);
	if (r->targets.process_count > 1 && t->process != 0)
		n += (size_t)snprintf(text + n, 24, "%ld/",
		    (long)r->targets.processes[t->process - 1]);
	memcpy(text + n, t->name, t->length);
	text[n + t->length] = '\0';
	return 0;
}

static void
set_field(unsigned variable, const struct request *r, const struct target *t,
    const struct event *event, char field)
{
	size_t n = strlen(names[variable]);
	char *text = texts[variable];

	memcpy(text, names[variable], n);
	n += print_field(text + n, sizeof texts[variable] - n - 1, r, t, event,
	    field);
	text[n] = '\0';
}

/*
 * Its number where PROGRAM finds it: of one that the caller has the same, of
 * one that pmux made where it is handed over.  Returns whether there is one.
 */
static bool
set_number(const struct target *t, const struct launch *launch)
{
	int number = t->number;

	if ((t->flags & TARGET_PATH) != 0 || t->process != 0)
		number = launch->input != -1 ? STDIN_FILENO :
		    launch->output != -1     ? STDOUT_FILENO :
					       -1;
	(void)snprintf(texts[NUMBER], sizeof texts[NUMBER], "%s%d",
	    names[NUMBER], number);
	return number >= 0;
}

static int
set_environment(const struct request *r, const struct target *t,
    const struct event *event, const struct launch *launch)
{
	char **to = environment + others;

	if (set_target(r, t) != 0)
		return -ENOMEM;
	*to++ = target_text;
	if (set_number(t, launch))
		*to++ = texts[NUMBER];
	set_field(EVENTS, r, t, event, 'e');
	*to++ = texts[EVENTS];
	if (r->targets.kevents != NULL) {
		set_field(FILTER, r, t, event, 'F');
		set_field(FFLAGS, r, t, event, 'x');
		set_field(DATA, r, t, event, 'd');
		set_field(IDENT, r, t, event, 'i');
		*to++ = texts[FILTER];
		*to++ = texts[FFLAGS];
		*to++ = texts[DATA];
		*to++ = texts[IDENT];
	}
	*to = NULL;
	return 0;
}

/* Whether the target is a descriptor that can be handed over. */
static bool
is_handed(const struct request *r, const struct target *t)
{
	if (t->fd < 0 && !foreign_is(t->fd))
		return false;
	return r->targets.kevents == NULL ||
	    r->targets.kevents[t - r->targets.list].filter <= KQUEUE_WRITE;
}

/* The copy of another process's descriptor that PROGRAM is to have, or -1. */
static int lent = -1;

/* PROGRAM has it, or it has failed. */
static void
end_loan(void)
{
	if (lent >= 0)
		(void)close(lent);
	lent = -1;
}

/*
 * What is ready of what T asks for decides; if that is nothing, since the other
 * end has gone, all that it asks for.  Returns 0 or -errno.
 */
static int
hand_over(struct launch *launch, const struct request *r,
    const struct target *t, const struct event *event)
{
	uint32_t reading = r->backend->mask_read,
		 writing = r->backend->mask_write;
	uint32_t ready = event->bits & t->bits;
	int fd;

	launch->input = launch->output = -1;
	if (!is_handed(r, t))
		return 0;
	fd = foreign_borrow(t->fd);
	if (fd < 0)
		return fd;
	lent = foreign_is(t->fd) ? fd : -1;
	if ((event->bits & r->backend->mask_broken) != 0)
		ready &= ~writing;
	if ((ready & (reading | writing)) == 0)
		ready = t->bits & writing & ~reading;
	if ((ready & writing) != 0)
		launch->output = fd;
	if ((ready & reading) != 0 || (ready & writing) == 0)
		launch->input = fd;
	return 0;
}

/*
 * pmux opened it, a path or with --reopen a number's FIFO, and never to block;
 * what others opened is theirs.
 */
static int
set_blocking(const struct target *t)
{
	bool own = (t->flags & TARGET_PATH) != 0 ||
	    (t->process == 0 && t->fd != t->number);

	return own ? file_set_blocking(t->fd) : 0;
}

static int
describe(struct launch *launch, const struct request *r, const struct target *t,
    const struct event *event)
{
	int error = hand_over(launch, r, t, event);

	launch->arguments = r->program;
	launch->environment = environment;
	if (error == 0 && (launch->input != -1 || launch->output != -1))
		error = set_blocking(t);
	if (error == 0)
		error = set_environment(r, t, event, launch);
	if (error != 0)
		end_loan();
	return error;
}

/* ---- what goes wrong ---- */

static int
no_start(const struct request *r, int error)
{
	(void)diag_system(error, "it cannot be started", "%s", *r->program);
	return EXIT_NO_START;
}

static int
not_run(const struct request *r, int error)
{
	const char *hint = error == ENOENT && launch_found() ?
	    "the interpreter that it names" :
	    NULL;

	(void)diag_system(error, hint, "%s", *r->program);
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}

/* ---- once, as the successor of pmux ---- */

int
program_become(const struct request *request, const struct target *t,
    const struct event *event)
{
	struct launch launch;
	sigset_t all, old;
	int error = prepare(request), held;

	if (error == 0)
		error = describe(&launch, request, t, event);
	if (error != 0)
		return no_start(request, -error);
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	fifo_give(launch.input != -1 ? launch.input : launch.output);
	held = fifo_leave();
	error = held == 0 ? launch_become(&launch) : 0;
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	fifo_take_back();
	end_loan();
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return held != 0 ? EXIT_NO_START : not_run(request, error);
}

/* ---- again and again ---- */

struct run {
	pid_t pid;
	size_t index; /* of its target */
};
static struct run *runs;
static size_t running, capacity, jobs;
static size_t unseen; /* the first so many may have ended */

/* A pipe to itself: a byte says that a signal has come. */
static int wake[2] = { -1, -1 };

/* Those that are to end pmux, once the last that runs has ended. */
static const int endings[] = { SIGINT, SIGTERM, SIGHUP };
#define ENDINGS (sizeof endings / sizeof *endings)

static volatile sig_atomic_t ending, pass_on[ENDINGS];

/* What pmux had for those, and for SIGCHLD behind them. */
static struct sigaction before[ENDINGS + 1];
static bool caught[ENDINGS + 1];

static void
say_wake(void)
{
	int error = errno;

	/* where it is full there is enough to read */
	(void)!write(wake[1], "", 1);
	errno = error;
}

static void
note_child(int number)
{
	(void)number;
	say_wake();
}

/* A key of the terminal has been for the whole process group. */
static void
note_ending(int number, siginfo_t *information, void *context)
{
	(void)context;
	for (size_t i = 0; i < ENDINGS; i++)
		if (endings[i] == number && signals_sent(information))
			pass_on[i] = 1;
	if (ending == 0)
		ending = number;
	say_wake();
}

/* kqueue: a target may be that signal, which then ends nothing. */
static bool
is_watched(const struct request *r, int number)
{
	const struct kevent_request *k = r->targets.kevents;

	for (size_t i = 0; k != NULL && i < r->targets.count; i++)
		if (k[i].filter == KQUEUE_SIGNAL &&
		    k[i].ident == (uint64_t)number)
			return true;
	return false;
}

static void catch (size_t at, int number, const struct sigaction *action)
{
	caught[at] = sigaction(number, action, &before[at]) == 0;
}

static void
catch_signals(const struct request *r)
{
	struct sigaction action;
	sigset_t child;

	memset(&action, 0, sizeof action);
	sigfillset(&action.sa_mask);
	action.sa_handler = note_child;
	action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
	catch (ENDINGS, SIGCHLD, &action);
	/* the caller may have blocked it; PROGRAM has the caller's mask */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_UNBLOCK, &child, NULL);
	action.sa_sigaction = note_ending;
	action.sa_flags = SA_RESTART | SA_SIGINFO;
	for (size_t i = 0; i < ENDINGS; i++)
		if (!launch_ignores(endings[i]) && !is_watched(r, endings[i]))
			catch (i, endings[i], &action);
}

static void
restore_signals(void)
{
	for (size_t i = 0; i <= ENDINGS; i++) {
		if (caught[i])
			(void)sigaction(i == ENDINGS ? SIGCHLD : endings[i],
			    &before[i], NULL);
		caught[i] = false;
	}
}

static int
open_wake(void)
{
	int ends[2];

	if (pipe(ends) == -1)
		return -errno;
	/* a handler must not block, and to drain it must not either */
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) == -1 ||
		    fcntl(ends[i], F_SETFL, O_NONBLOCK) == -1)
			return -errno;
	wake[0] = fdplace(ends[0]);
	wake[1] = fdplace(ends[1]);
	return wake[0] < 0 ? wake[0] : wake[1] < 0 ? wake[1] : 0;
}

int
program_open(const struct request *request, int *readable)
{
	int error = prepare(request);

	if (error == 0)
		error = open_wake();
	if (error != 0)
		return no_start(request, -error);
	jobs = request->jobs == 0 ? 1 : request->jobs;
	catch_signals(request);
	*readable = wake[0];
	return 0;
}

bool
program_has_room(void)
{
	return ending == 0 && running < jobs;
}

size_t
program_running(void)
{
	return running;
}

static int
reserve(void)
{
	size_t wanted = capacity + capacity / 2 + 16;
	struct run *more;

	if (running < capacity)
		return 0;
	more = realloc(runs, wanted * sizeof *more);
	if (more == NULL)
		return -ENOMEM;
	runs = more;
	capacity = wanted;
	return 0;
}

/* Every signal is blocked: none that ends pmux comes between. */
static int
start(const struct request *r, size_t index, const struct launch *launch)
{
	pid_t pid;
	int error;

	/* then it was too late for what a key of the terminal would end */
	if (ending != 0)
		return 0;
	pid = launch_start(launch, &error);
	if (pid == -1)
		return no_start(r, error);
	if (pid == 0)
		return not_run(r, error);
	runs[running++] = (struct run){ pid, index };
	return 0;
}

int
program_start(const struct request *request, size_t index,
    const struct event *event)
{
	const struct target *t = &request->targets.list[index];
	struct launch launch;
	sigset_t all, old;
	int error = reserve(), status;

	if (error == 0)
		error = describe(&launch, request, t, event);
	if (error != 0)
		return no_start(request, -error);
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	status = start(request, index, &launch);
	end_loan();
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return status;
}

static void
report(const struct request *r, size_t index, int status)
{
	const struct target *t = &r->targets.list[index];
	char space[SIGNALS_SPACE];

	if (r->quiet || status == 0)
		return;
	if (WIFSIGNALED(status))
		diag_remark("%.*s: %s: killed by signal %s", (int)t->length,
		    t->name, *r->program,
		    signals_name(WTERMSIG(status), space));
	else
		diag_remark("%.*s: %s: exit status %d", (int)t->length, t->name,
		    *r->program, WEXITSTATUS(status));
}

static void
drain(void)
{
	char bytes[64];
	ssize_t n;

	do
		n = read(wake[0], bytes, sizeof bytes);
	while (n == sizeof bytes || (n == -1 && errno == EINTR));
}

static void
pass_signals_on(void)
{
	for (size_t i = 0; i < ENDINGS; i++) {
		if (pass_on[i] == 0)
			continue;
		pass_on[i] = 0;
		/* none has been waited for: the numbers are still theirs */
		for (size_t j = 0; j < running; j++)
			(void)kill(runs[j].pid, endings[i]);
	}
}

int
program_take(const struct request *request, size_t *index)
{
	struct run *run;
	int status = 0;
	pid_t pid;

	if (unseen == 0) {
		/* before the look: what comes later is readable again */
		drain();
		unseen = running;
	}
	pass_signals_on();
	while (unseen > 0) {
		run = &runs[--unseen];
		while ((pid = waitpid(run->pid, &status, WNOHANG)) == -1 &&
		    errno == EINTR)
			;
		if (pid == 0)
			continue;
		*index = run->index;
		*run = runs[--running];
		if (pid != -1)
			report(request, *index, status);
		return 1;
	}
	return 0;
}

int
program_signal(void)
{
	return ending;
}

static void
wait_for_all(const struct request *r)
{
	struct pollfd p = { wake[0], POLLIN, 0 };
	size_t index;

	for (;;) {
		while (program_take(r, &index))
			;
		if (running == 0)
			return;
		(void)poll(&p, 1, -1);
	}
}

void
program_close(const struct request *request)
{
	sigset_t one;

	wait_for_all(request);
	restore_signals();
	if (ending == 0)
		return;
	(void)output_flush();
	if (fifo_leave() != 0)
		return; /* the status says so */
	(void)signal(ending, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, ending);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	(void)raise(ending);
}
