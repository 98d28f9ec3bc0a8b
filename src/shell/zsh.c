/* SPDX-License-Identifier: ISC */
/*
 * zsh.c - pmux as a module of zsh, whose headers have a config.h of their own:
 * that of pmux is not included.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/pmux.h"
#include "output/diag.h"
#include "shell/host.h"
#include "sys/signals.h"

/* After ours: they include term.h, which makes `lines' a macro. */
#define HAVE_CONFIG_H 1 /* that of zsh */
#define MODULE 1
#include <zsh/zsh.mdh>
#include <zsh/version.h>

/* The only symbols that zsh searches for. */
#define VISIBLE __attribute__((visibility("default")))
VISIBLE int setup_(Module m);
VISIBLE int features_(Module m, char ***features);
VISIBLE int enables_(Module m, int **enables);
VISIBLE int boot_(Module m);
VISIBLE int cleanup_(Module m);
VISIBLE int finish_(Module m);

static char tag[] = "pmux"; /* zsh's types lack const */

/* ---- signals ---- */

/*
 * A handler of zsh runs traps, which may call pmux, unless it queues the signal.
 * It queues them during the whole call, and shell_act lets it run.
 */
bool
shell_pending(void)
{
	return queue_front != queue_rear;
}

/* As while it waits for a program: SIGINT is for that one. */
static bool
only_for_program(int number)
{
	return number == SIGINT && sigtrapped[SIGINT] == 0;
}

/* It ends by exit(3), where all calls are given up. */
bool
shell_ends(void)
{
	return false;
}

bool
shell_ends_by(void (*handler)(int))
{
	(void)handler;
	return false;
}

void
shell_replaces(int number)
{
	(void)number;
}

bool
shell_pending_apart(void)
{
	for (int i = queue_front; i != queue_rear;) {
		i = (i + 1) % MAX_QUEUE_SIZE;
		if (!only_for_program(signal_queue[i]))
			return true;
	}
	return false;
}

/* zsh blocks these while a builtin runs, and a trap would come at its end. */
void
shell_mask(sigset_t *mask)
{
	(void)sigdelset(mask, SIGCHLD);
	(void)sigdelset(mask, SIGWINCH);
}

/*
 * A trap that returns, breaks or fails, and Ctrl-C, set variables.  One that
 * exits does not come back, except from a function: that is as return.
 */
int
shell_act(struct shell_call *call)
{
	int level = queue_signal_level(), number = 0;

	(void)call;
	if (shell_pending())
		number = signal_queue[(queue_front + 1) % MAX_QUEUE_SIZE];
	dont_queue_signals();
	restore_queue_signals(level);
	if (retflag != 0)
		return (int)lastval;
	if ((errflag & ERRFLAG_INT) != 0)
		return 128 + SIGINT;
	return errflag != 0 || breaks != 0 ? 128 + number : -1;
}

bool
shell_trapped(struct pmux_host *host, int number)
{
	(void)host;
	return number > 0 && number <= SIGCOUNT &&
	    (sigtrapped[number] & ZSIG_TRAPPED) != 0;
}

bool
shell_is_subshell(void)
{
	return subsh != 0;
}

/* zsh itself ignores this one, not its caller. */
static void
restore_default(int number)
{
	if ((sigtrapped[number] & ZSIG_IGNORED) == 0)
		(void)signal(number, SIG_DFL);
}

static void
close_at_exec(int fd)
{
	if (fd != -1)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/*
 * What zsh has for itself, as closem() of zsh.  pmux itself may be asked about
 * it.
 */
static void
hide_descriptors(void)
{
	for (int i = 10; i <= max_zsh_fd; i++)
		if (fdtable[i] != FDT_UNUSED && fdtable[i] != FDT_EXTERNAL &&
		    fdtable[i] != FDT_PROC_SUBST)
			close_at_exec(i);
	close_at_exec(coprocin);
	close_at_exec(coprocout);
}

/* As zsh before it executes a program, of which no handler may run here. */
void
shell_in_child(void)
{
	struct sigaction now;

	for (int i = 1; i <= SIGCOUNT; i++)
		if (sigaction(i, NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN && now.sa_handler != SIG_DFL)
			(void)signal(i, SIG_DFL);
	restore_default(SIGQUIT);
	if (interact)
		restore_default(SIGTERM);
	if (jobbing) {
		restore_default(SIGTTOU);
		restore_default(SIGTTIN);
	}
	/* a PROGRAM that stops would not be continued: it is no job */
	(void)signal(SIGTSTP, SIG_IGN);
	hide_descriptors();
}

/* As after a program: zsh is interrupted if the program was. */
void
shell_after_child(bool interrupted)
{
	int from = queue_front, to = queue_front;
	sigset_t old;

	if (interrupted)
		return;
	signals_block(&old);
	while (from != queue_rear) {
		from = (from + 1) % MAX_QUEUE_SIZE;
		if (only_for_program(signal_queue[from]))
			continue;
		to = (to + 1) % MAX_QUEUE_SIZE;
		signal_queue[to] = signal_queue[from];
		signal_mask_queue[to] = signal_mask_queue[from];
	}
	queue_rear = to;
	signals_restore(&old);
}

/* ---- the variable ---- */

static bool
is_name(const char *metafied)
{
	return *metafied != '\0' && !idigit(*metafied) &&
	    *itype_end(metafied, IIDENT, 0) == '\0';
}

static char *
metafied(const char *name)
{
	return metafy(dupstring(name), -1, META_USEHEAP);
}

const char *
shell_variable(struct pmux_host *host, const char *name)
{
	char *key = metafied(name);
	Param p;

	(void)host;
	if (!is_name(key))
		return "is not a name";
	/* paramtab->getnode would load the module that has it */
	p = (Param)gethashnode2(paramtab, key);
	if (p == NULL)
		return NULL;
	if ((p->node.flags & (PM_SPECIAL | PM_AUTOLOAD)) != 0)
		return "is a special variable of the shell";
	if ((p->node.flags & PM_READONLY) != 0)
		return "is readonly";
	if ((p->node.flags & PM_RESTRICTED) != 0 && isset(RESTRICTED))
		return "is restricted";
	if ((p->node.flags & PM_UNSET) != 0)
		return NULL;
	if ((p->node.flags & PM_TIED) != 0 &&
	    PM_TYPE(p->node.flags) != PM_ARRAY)
		return "is tied to an array";
	return PM_TYPE(p->node.flags) == PM_HASHED ? "is an associative array" :
						     NULL;
}

/* The records, for zsh, which frees them. */
static char **
take_records(struct shell_call *call)
{
	size_t most = 1, i = 0, length;
	char **records, *record;

	for (size_t at = 0; at < call->used; at++)
		most += call->bytes[at] == call->separator;
	records = zalloc((most + 1) * sizeof *records);
	while ((record = shell_next(call, &length)) != NULL)
		records[i++] = metafy(record, (int)length, META_DUP);
	records[i] = NULL;
	return records;
}

/* A trap may have changed the variable meanwhile. */
static bool
set_variable(struct shell_call *call)
{
	const char *why = shell_variable(&call->host, call->name);

	if (why != NULL) {
		zwarnnam(tag, "%s %s", call->name, why);
		return false;
	}
	return setaparam(metafied(call->name), take_records(call)) != NULL;
}

/* ---- the builtin ---- */

static int
call_pmux(char **args)
{
	int count = arrlen(args) + 1, status;
	struct shell_call *call = shell_begin(count);

	if (call == NULL)
		return EXIT_SYSTEM;
	call->words[0] = tag;
	/* a copy: the shell may keep them in memory that is read-only */
	for (int i = 1; i < count; i++)
		call->words[i] = unmetafy(dupstring(args[i - 1]), NULL);
	status = shell_run(call, count);
	if (call->name != NULL && status != EXIT_USAGE && !set_variable(call))
		status = EXIT_SYSTEM;
	shell_end(call);
	return status;
}

static int
pmux_builtin(char *name, char **args, Options options, int function)
{
	int status;

	(void)name;
	(void)options;
	(void)function;
	queue_signals();
	status = call_pmux(args);
	unqueue_signals();
	return retflag != 0 ? (int)lastval : status;
}

static struct builtin builtins[] = {
	BUILTIN(tag, BINF_HANDLES_OPTS, pmux_builtin, 0, -1, 0, NULL, NULL),
};

static struct features features = {
	.bn_list = builtins,
	.bn_size = sizeof builtins / sizeof *builtins,
};

/* ---- the module ---- */

/* Returns nonzero to refuse: the structures of zsh differ between versions. */
int
setup_(Module m)
{
	char name[] = "ZSH_VERSION", *version = getsparam(name);
	static bool set_up;

	(void)m;
	if (version == NULL || strcmp(version, ZSH_VERSION) != 0) {
		zwarnnam(tag, "this is the module for zsh %s, not for zsh %s",
		    ZSH_VERSION, version != NULL ? version : "(unknown)");
		return 1;
	}
	if (set_up)
		return 0;
	set_up = true;
	shell_load();
	/* exit in a trap, and the end by SIGHUP, while a call sleeps */
	return atexit(shell_abandon_all);
}

int
features_(Module m, char ***names)
{
	*names = featuresarray(m, &features);
	return 0;
}

int
enables_(Module m, int **enables)
{
	return handlefeatures(m, &features, enables);
}

int
boot_(Module m)
{
	(void)m;
	return 0;
}

int
cleanup_(Module m)
{
	return setfeatureenables(m, &features, NULL);
}

int
finish_(Module m)
{
	(void)m;
	return 0;
}
