/* SPDX-License-Identifier: ISC */
/*
 * launch.h - another program in the place that the caller of pmux gave it: with
 * the caller's limit of open files, signal mask and signal dispositions, and
 * with the descriptors that are not close-on-exec.
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>

struct launch {
	char **arguments; /* of the program, its name first; NULL ends */
	char **environment; /* as environ(7) */
	int input; /* to be its standard input, or -1 */
	int output; /* to be its standard output, or -1 */
};

/* The state of the caller and the program. */
struct launching {
	/* the caller's, as launch_remember found them */
	sigset_t mask, ignored;
	/* to be undone in the child: caught, or ignored */
	sigset_t changed;
	bool noted; /* CHANGED is set */
	bool changes; /* any is in it */
	/* the files that may be meant, in the order of PATH; where to begin */
	char **paths, **first;
	bool searched;
	/* the shell's arguments for a file that is no executable: its name is
	   [1] */
	char **script;
	volatile int failed; /* errno of the child of vfork(2) */
	char standard[256]; /* PATH, where there is none */
};

/* Release all that LAUNCHING holds. */
void launch_end(struct launching *launching);

/* Note the caller's state, before pmux changes any of it. */
void launch_remember(void);

/* Whether the caller had signal NUMBER ignored, and blocked. */
bool launch_ignores(int number);
bool launch_blocks(int number);

/*
 * Whether pmux has changed the disposition of a signal, for which launch_start
 * wants every signal blocked.  To be asked once it changes no other.
 */
bool launch_changes(void);

/*
 * Find the program that ARGUMENTS[0] names, as execvp(3) does, for the calls
 * below, which must have the same ARGUMENTS.  Returns 0, also if there is no
 * such program, or -ENOMEM.
 */
int launch_prepare(char **arguments);

/*
 * Become the program.  The caller blocks every signal.  Returns only if that
 * fails, with errno (execve(2)); the signals that were caught are at their
 * defaults then, and not blocked.  No descriptor that is closed is handed over.
 */
int launch_become(const struct launch *launch);

/*
 * Start the program, every signal being blocked if launch_changes says so.
 * Returns its process ID; 0 if it could not be executed (*ERROR is as above), or
 * -1 if no process could be created (*ERROR is as of fork(2)).
 */
pid_t launch_start(const struct launch *launch, int *error);

/*
 * Whether a process can be started just now, found out by starting one that
 * ends at once: 0 or -errno (fork(2)).  The caller blocks every signal.
 */
int launch_possible(void);

/* After ENOENT: whether it is the interpreter that is not there. */
bool launch_found(void);

#endif
