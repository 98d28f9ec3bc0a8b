/* SPDX-License-Identifier: ISC */
/*
 * host.h - the part of the builtins that does not depend on the shell.  A shell
 * has a file of its own, which includes the headers of that shell and provides
 * the functions at the end of this one.
 */
#ifndef SHELL_HOST_H
#define SHELL_HOST_H

#include <sys/types.h>

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/pmux.h"

/* Words that need no allocation. */
#define SHELL_WORDS 32

/* One call of the builtin.  It outlives a longjmp of the shell out of it. */
struct shell_call {
	struct pmux_host host;
	struct pmux *outer; /* the call that sleeps meanwhile, or NULL */
	struct shell_call *next; /* the same, as this structure */
	char **words; /* of the command line, NULL behind them */
	char *few[SHELL_WORDS];
	char *name; /* of the variable that takes the records, or NULL */
	char *bytes; /* the records */
	size_t used, size, at;
	char separator;
	sigset_t mask; /* of a sleep */
	sigset_t before; /* of the shell, before CHILD was started */
	bool stuck; /* the shell does not run what is pending */
	bool running; /* the shell runs traps: it may fork, or leave */
	bool apart; /* this process is only for this call */
	pid_t child; /* that process, or 0 */
	int child_status;
	jmp_buf out; /* to the end of the call */
	int status; /* of a call that ends so */
};

/*
 * Begin a call with COUNT words, which the caller puts into `words'.  Returns
 * NULL if there is no memory, a message having been printed.
 */
struct shell_call *shell_begin(int count);

/*
 * Run it.  Returns its status.  The variable, if there is one, is set
 * afterwards, from shell_next; then comes shell_end.
 */
int shell_run(struct shell_call *call, int count);
void shell_end(struct shell_call *call);

/*
 * The next record, of *LENGTH bytes and a NUL, or NULL.  It is valid until the
 * next call.
 */
char *shell_next(struct shell_call *call, size_t *length);

/* The shell leaves CALL, which sleeps, by longjmp: give it up.  */
void shell_abandon(struct shell_call *call);

/* The shell is about to end by a signal: give up all calls. */
void shell_abandon_all(void);

/* To be called once, when the object has been loaded. */
void shell_load(void);

/* ---- provided by the file of the shell ---- */

/* Whether a signal waits for the shell to act on it. */
bool shell_pending(void);

/* The same while a process of its own has the call. */
bool shell_pending_apart(void);

/*
 * Whether one of them is about to end the shell, which then gives up no call by
 * itself.
 */
bool shell_ends(void);

/* Whether HANDLER notes for it that the shell ends. */
bool shell_ends_by(void (*handler)(int));

/*
 * The disposition of signal NUMBER is about to be replaced while the shell runs
 * traps: what it wants to know of the current one it asks now.
 */
void shell_replaces(int number);

/* Change the mask of the shell, MASK, to that of a sleep. */
void shell_mask(sigset_t *mask);

/*
 * Act on it, in CALL, which sleeps.  May leave CALL after shell_abandon.
 * Returns -1, or the status with which the call ends.
 */
int shell_act(struct shell_call *call);

/* In a child: as the shell does before it executes a program. */
void shell_in_child(void);

/* The child has ended, by SIGINT if INTERRUPTED, and the call ends. */
void shell_after_child(bool interrupted);

/* See struct pmux_host. */
bool shell_trapped(struct pmux_host *host, int number);
const char *shell_variable(struct pmux_host *host, const char *name);

/* Whether this process is a subshell: it ends without a reader. */
bool shell_is_subshell(void);

#endif
