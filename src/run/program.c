/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "await/await.h"
#include "backend/backend.h"
#include "backend/kqueue.h"
#include "base/pmux.h"
#include "fifo/fifo.h"
#include "output/debug.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/program.h"
#include "sys/caller.h"
#include "sys/fdplace.h"
#include "sys/fileid.h"
#include "sys/foreign.h"
#include "sys/launch.h"
#include "sys/signals.h"
#include "sys/sigwatch.h"

extern char **environ;

/* ---- the environment of PROGRAM ---- */

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

struct run {
	pid_t pid;
	size_t index; /* of its target */
};

/* Signals that end pmux, once the last PROGRAM that runs has ended. */
static const int endings[] = { SIGINT, SIGTERM, SIGHUP };
#define ENDINGS (sizeof endings / sizeof *endings)

struct programs {
	char **arguments;
	const struct print_options *print;
	const struct targets *targets;
	/* the texts; the name of a target may be long */
	char *target_text;
	size_t target_size;
	char texts[VARIABLES][512];
	/* the caller's without those, and room for them behind */
	char **environment;
	size_t others;
	/* the copy of another process's descriptor that PROGRAM gets, or -1 */
	int lent;
	struct run *runs;
	size_t running, capacity;
	size_t jobs; /* the most that may run */
	bool started; /* one has been, since the signals were taken */
	bool taking; /* see program_take: of RUNS, the first UNSEEN are left */
	size_t unseen;
	struct sigwatch watch; /* SIGCHLD, and of ENDINGS those it has */
	bool watches;
	bool pass_on[ENDINGS];
	int ending; /* the first of those that has come, or 0 */
};

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
prepare(const struct program_options *options,
    const struct print_options *print)
{
	struct programs *p = calloc(1, sizeof *p);
	size_t count = 0;

	if (p == NULL)
		return -ENOMEM;
	pmux->programs = p;
	p->arguments = options->arguments;
	p->print = print;
	p->targets = print->targets;
	p->jobs = options->jobs == 0 ? 1 : (size_t)options->jobs;
	p->lent = -1;
	while (environ[count] != NULL)
		count++;
	p->environment = calloc(count + VARIABLES + 1, sizeof *p->environment);
	if (p->environment == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (!is_ours(environ[i]))
			p->environment[p->others++] = environ[i];
	return launch_prepare(p->arguments);
}

/* NUMBER and END at TO, SIZE bytes.  Returns how many bytes that are. */
static size_t
put_number(char *to, size_t size, int64_t number, const char *end)
{
	output_divert(to, size);
	output_number(number);
	output_string(end);
	return output_restore();
}

/* The name as it was written, with its owner where that is not plain. */
static int
set_target(const struct target *t)
{
	struct programs *p = pmux->programs;
	size_t size = strlen(names[TARGET]) + 24 + t->length, n;
	char *text = p->target_text;

	if (size > p->target_size) {
		text = realloc(text, size);
		if (text == NULL)
			return -ENOMEM;
		p->target_text = text;
		p->target_size = size;
	}
	n = strlen(names[TARGET]);
	memcpy(text, names[TARGET], n);
	if (p->targets->process_count > 1 && t->process != 0)
		n += put_number(text + n, 23,
		    p->targets->processes[t->process - 1], "/");
	memcpy(text + n, t->name, t->length);
	text[n + t->length] = '\0';
	return 0;
}

static void
set_field(unsigned variable, const struct target *t, const struct event *event,
    char field)
{
	struct programs *p = pmux->programs;
	size_t n = strlen(names[variable]);
	char *text = p->texts[variable];

	memcpy(text, names[variable], n);
	n += print_field(text + n, sizeof p->texts[variable] - n - 1, p->print,
	    t, event, field);
	text[n] = '\0';
}

/*
 * Its number where PROGRAM finds it: of one that the caller has the same, of
 * one that pmux made where it is handed over; of a condition it is empty.
 * Returns whether PROGRAM is given the variable.
 */
static bool
set_number(const struct target *t, const struct launch *launch)
{
	struct programs *p = pmux->programs;
	char *text = p->texts[NUMBER];
	int number = t->number;
	size_t n;

	if ((t->flags & TARGET_PATH) != 0 || t->process != 0)
		number = launch->input != -1 ? STDIN_FILENO :
		    launch->output != -1     ? STDOUT_FILENO :
					       -1;
	if ((t->flags & TARGET_CONDITION) != 0) {
		(void)strcpy(text, names[NUMBER]);
		return true;
	}
	n = strlen(names[NUMBER]);
	memcpy(text, names[NUMBER], n);
	n += put_number(text + n, sizeof p->texts[NUMBER] - n - 1, number, "");
	text[n] = '\0';
	return number >= 0;
}

static int
set_environment(const struct target *t, const struct event *event,
    const struct launch *launch)
{
	struct programs *p = pmux->programs;
	char **to = p->environment + p->others;

	if (set_target(t) != 0)
		return -ENOMEM;
	*to++ = p->target_text;
	if (set_number(t, launch))
		*to++ = p->texts[NUMBER];
	set_field(EVENTS, t, event, 'e');
	*to++ = p->texts[EVENTS];
	if (p->targets->kevents != NULL) {
		set_field(FILTER, t, event, 'F');
		set_field(FFLAGS, t, event, 'x');
		set_field(DATA, t, event, 'd');
		set_field(IDENT, t, event, 'i');
		*to++ = p->texts[FILTER];
		*to++ = p->texts[FFLAGS];
		*to++ = p->texts[DATA];
		*to++ = p->texts[IDENT];
	}
	*to = NULL;
	return 0;
}

/* Whether the target is a descriptor that can be handed over. */
static bool
is_handed(const struct target *t)
{
	if (t->fd < 0 && !foreign_is(t->fd))
		return false;
	return (t->bits & pmux->programs->targets->backend->mask_other) == 0;
}

/* PROGRAM has it, or it has failed. */
static void
end_loan(void)
{
	struct programs *p = pmux->programs;

	if (p->lent >= 0)
		(void)close(p->lent);
	p->lent = -1;
}

/*
 * The events of T that are ready decide; if there are none, since the other end
 * has gone, all events that it asks for.  Returns 0 or -errno.
 */
static int
hand_over(struct launch *launch, const struct target *t,
    const struct event *event)
{
	struct programs *p = pmux->programs;
	const struct backend *backend = p->targets->backend;
	uint32_t reading = backend->mask_read, writing = backend->mask_write;
	uint32_t ready = event->bits & t->bits;
	int fd;

	launch->input = launch->output = -1;
	if ((t->flags & TARGET_CONDITION) != 0)
		launch->input = launch->output = await_connection(event->token);
	if (!is_handed(t))
		return 0;
	fd = foreign_borrow(t->fd);
	if (fd < 0)
		return fd;
	p->lent = foreign_is(t->fd) ? fd : -1;
	if ((event->bits & backend->mask_broken) != 0)
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
 * Only a descriptor that pmux opened, without blocking: a path, or with
 * --reopen a number's FIFO.  The mode of other descriptors is their owners'.
 */
static int
set_blocking(const struct target *t)
{
	bool own = (t->flags & TARGET_PATH) != 0 ||
	    (t->process == 0 && t->fd >= 0 && t->fd != t->number);

	return own ? file_set_blocking(t->fd) : 0;
}

static int
describe(struct launch *launch, const struct target *t,
    const struct event *event)
{
	struct programs *p = pmux->programs;
	int error = hand_over(launch, t, event);

	launch->arguments = p->arguments;
	launch->environment = p->environment;
	if (error == 0 && (launch->input != -1 || launch->output != -1))
		error = set_blocking(t);
	if (error == 0)
		error = set_environment(t, event, launch);
	if (error != 0)
		end_loan();
	return error;
}

/* ---- errors ---- */

int
program_no_start(const char *name, int error)
{
	(void)diag_system(error, "it cannot be started", "%s", name);
	return EXIT_NO_START;
}

int
program_not_run(const char *name, int error)
{
	const char *hint = error == ENOENT && launch_found() ?
	    "the interpreter that it names" :
	    NULL;

	(void)diag_system(error, hint, "%s", name);
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}

/* ---- in a process of its own ---- */

/* See launch_start. */
static pid_t
start_process(const struct launch *launch, int *error)
{
	struct pmux_host *host = pmux->host;

	return host->start == NULL ? launch_start(launch, error) :
				     host->start(host, launch, error);
}

/* ---- once, as the successor of pmux ---- */

/*
 * Every signal is blocked.  Returns errno, or 0 with *STATUS set if PROGRAM has
 * run in another process.  Until it ends its input and output are its alone.
 */
static int
become(const struct launch *launch, int *status)
{
	struct pmux_host *host = pmux->host;
	pid_t child;
	int error;

	if (host->attend == NULL)
		return launch_become(launch);
	child = start_process(launch, &error);
	if (child <= 0)
		return error;
	fifo_let_go();
	await_let_go();
	end_loan();
	*status = host->attend(host, child);
	return 0;
}

int
program_become(const struct program_options *options,
    const struct print_options *print, const struct target *t,
    const struct event *event)
{
	struct launch launch;
	sigset_t old;
	int error = prepare(options, print), status = 0, held;

	if (error == 0)
		error = describe(&launch, t, event);
	if (error != 0)
		return program_no_start(*options->arguments, -error);
	signals_block(&old);
	fifo_give(launch.input != -1 ? launch.input : launch.output);
	held = fifo_leave();
	error = held == 0 ? become(&launch, &status) : 0;
	signals_block(NULL);
	fifo_take_back();
	end_loan();
	signals_restore(&old);
	if (held != 0)
		return EXIT_NO_START;
	return error != 0 ? program_not_run(*options->arguments, error) :
			    status;
}

/* ---- again and again ---- */

/* kqueue: a target may be that signal, which then ends nothing. */
static bool
is_watched(const struct targets *targets, int number)
{
	const struct kevent_request *k = targets->kevents;

	for (size_t i = 0; k != NULL && i < targets->count; i++)
		if (k[i].filter == KQUEUE_SIGNAL &&
		    k[i].ident == (uint64_t)number)
			return true;
	return false;
}

/*
 * Kevents may count signals by handlers of their own, which a blocked signal
 * would not reach.
 */
static int
watch_signals(void)
{
	struct programs *p = pmux->programs;
	int numbers[1 + ENDINGS] = { SIGCHLD };
	size_t count = 1;

	for (size_t i = 0; i < ENDINGS; i++)
		if (!launch_ignores(endings[i]) && !launch_blocks(endings[i]) &&
		    !is_watched(p->targets, endings[i]))
			numbers[count++] = endings[i];
	p->watches = true;
	return sigwatch_open(&p->watch, numbers, count,
	    p->targets->kevents != NULL);
}

int
program_open(const struct program_options *options,
    const struct print_options *print, int *readable)
{
	int fd = prepare(options, print);

	if (fd == 0)
		fd = watch_signals();
	if (fd < 0)
		return program_no_start(*options->arguments, -fd);
	*readable = fd;
	return 0;
}

bool
program_has_room(void)
{
	struct programs *p = pmux->programs;

	return p->ending == 0 && p->running < p->jobs;
}

size_t
program_running(void)
{
	return pmux->programs->running;
}

static int
reserve(void)
{
	struct programs *p = pmux->programs;
	size_t wanted = p->capacity + p->capacity / 2 + 16;
	struct run *more;

	if (p->running < p->capacity)
		return 0;
	more = realloc(p->runs, wanted * sizeof *more);
	if (more == NULL)
		return -ENOMEM;
	p->runs = more;
	p->capacity = wanted;
	return 0;
}

/* Forward only signals that a process sent: the terminal's reach all. */
static void
take_signals(struct programs *p)
{
	struct sigwatch_came came[SIGWATCH_MOST];
	size_t count = sigwatch_take(&p->watch, came);

	p->started = false;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < ENDINGS; j++)
			if (endings[j] == came[i].number) {
				p->pass_on[j] |= came[i].sent;
				if (p->ending == 0)
					p->ending = came[i].number;
			}
}

static int
start(size_t index, const struct launch *launch)
{
	struct programs *p = pmux->programs;
	pid_t pid;
	int error;

	/*
	 * PROGRAM would miss a signal that a key has just sent to the group.  The
	 * wait has reported none; but to start another one takes a while.
	 */
	if (p->started && sigwatch_has(&p->watch, SIGCHLD))
		take_signals(p);
	if (p->ending != 0)
		return 0;
	pid = start_process(launch, &error);
	if (pid == -1)
		return program_no_start(*p->arguments, error);
	if (pid == 0)
		return program_not_run(*p->arguments, error);
	DEBUG("dispatch", "process %d runs for %.*s", pid,
	    (int)p->targets->list[index].length, p->targets->list[index].name);
	p->runs[p->running++] = (struct run){ pid, index };
	p->started = true;
	return 0;
}

int
program_start(size_t index, const struct event *event)
{
	struct programs *p = pmux->programs;
	const struct target *t = &p->targets->list[index];
	struct launch launch;
	sigset_t old;
	int error = reserve(), status;
	bool block;

	if (error == 0)
		error = describe(&launch, t, event);
	if (error != 0)
		return program_no_start(*p->arguments, -error);
	block = pmux->host->start != NULL || launch_changes();
	if (block)
		signals_block(&old);
	status = start(index, &launch);
	end_loan();
	if (block)
		signals_restore(&old);
	return status;
}

static void
report(size_t index, pid_t pid, int status)
{
	struct programs *p = pmux->programs;
	const struct target *t = &p->targets->list[index];
	char space[SIGNALS_SPACE];

	DEBUG("dispatch", "process %d has ended, status %d%s", pid,
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
	    WIFSIGNALED(status) ? " (signal)" : "");
	if (p->print->quiet || status == 0)
		return;
	if (WIFSIGNALED(status))
		diag_remark("%.*s: %s: killed by signal %s", (int)t->length,
		    t->name, *p->arguments,
		    signals_name(WTERMSIG(status), space));
	else
		diag_remark("%.*s: %s: exit status %d", (int)t->length, t->name,
		    *p->arguments, WEXITSTATUS(status));
}

static void
pass_signals_on(void)
{
	struct programs *p = pmux->programs;

	for (size_t i = 0; i < ENDINGS; i++) {
		if (!p->pass_on[i])
			continue;
		p->pass_on[i] = false;
		/* none has been waited for: the numbers are still theirs */
		for (size_t j = 0; j < p->running; j++)
			(void)kill(p->runs[j].pid, endings[i]);
	}
}

int
program_take(size_t *index)
{
	struct programs *p = pmux->programs;
	struct run *run;
	int status = 0;
	pid_t pid;

	if (!p->taking) {
		/* before waitpid(2): a later end makes it readable again */
		take_signals(p);
		p->unseen = p->running;
		p->taking = true;
	}
	pass_signals_on();
	while (p->unseen > 0) {
		run = &p->runs[--p->unseen];
		while ((pid = waitpid(run->pid, &status, WNOHANG)) == -1 &&
		    errno == EINTR)
			;
		if (pid == 0)
			continue;
		*index = run->index;
		*run = p->runs[--p->running];
		if (pid != -1)
			report(*index, pid, status);
		return 1;
	}
	p->taking = false;
	return 0;
}

int
program_signal(void)
{
	return (int)pmux->programs->ending;
}

static void
wait_for_all(void)
{
	struct pollfd wake = { pmux->programs->watch.ends[0], POLLIN, 0 };
	size_t index;

	for (;;) {
		while (program_take(&index))
			;
		if (program_running() == 0)
			return;
		(void)poll(&wake, 1, -1);
	}
}

void
program_close(void)
{
	if (pmux->programs == NULL)
		return;
	wait_for_all();
	sigwatch_close(&pmux->programs->watch);
	pmux->host->signal = program_signal();
}

void
program_end(struct programs *p)
{
	if (p == NULL)
		return;
	end_loan();
	if (p->watches)
		sigwatch_end(&p->watch);
	free(p->target_text);
	free(p->environment);
	free(p->runs);
	free(p);
}
