/* SPDX-License-Identifier: ISC */
/*
 * program.h - running PROGRAM for what is ready.
 *
 * The ready descriptor is its standard input if T asks to read, its standard
 * output if it asks to write and that is what is ready; PMUX_TARGET, PMUX_FD
 * and PMUX_EVENTS describe the event.  It has what the caller gave pmux:
 * limits, signal mask and dispositions, environment, descriptors.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"
#include "print/print.h"
#include "target/target.h"

struct program_options {
	char **arguments; /* PROGRAM is the first; or NULL */
	int64_t jobs; /* how many may run at once; 0: not given */
};

/*
 * Become PROGRAM for EVENT of T, which is described to it as PRINT says.  The
 * FIFO that is handed over stays open, the others are left.  Returns only if
 * that fails, with the exit status: 125, 126 (it cannot be run) or 127 (not
 * found), a message having been printed; or with that of PROGRAM where the host
 * ran it in another process.
 */
int program_become(const struct program_options *options,
    const struct print_options *print, const struct target *t,
    const struct event *event);

/*
 * Be ready to run it again and again.  *WAKE is set to a descriptor that is
 * readable once one of them has ended, or a signal has come that will end
 * pmux.  Returns 0 or an exit status, a message having been printed.
 */
int program_open(const struct program_options *options,
    const struct print_options *print, int *wake);

/*
 * PROGRAM, NAME, could not be started, or executed, with errno value ERROR: the
 * message.  Returns the exit status.
 */
int program_no_start(const char *name, int error);
int program_not_run(const char *name, int error);

/*
 * Whether one more may be started: fewer run than --jobs says (1), and no
 * signal has come that will end pmux.
 */
bool program_has_room(void);

/* How many run. */
size_t program_running(void);

/*
 * Start it for EVENT of target INDEX; but not if a signal has come meanwhile
 * that will end pmux.  Returns 0, or 125, 126 or 127 as above, a message
 * having been printed.
 */
int program_start(size_t index, const struct event *event);

/*
 * The next target whose PROGRAM has ended: 1 with *INDEX set, 0 if there is
 * none yet; wait for the descriptor of program_open only after that.
 * If its exit status was not 0 a message says so.
 */
int program_take(size_t *index);

/* The signal that will end pmux, or 0. */
int program_signal(void);

/*
 * Wait for all that run, messages as above.  A signal that has come to end pmux is
 * the host's then.
 */
void program_close(void);

/* Release P, which may be NULL, and close its descriptors. */
struct programs;
void program_end(struct programs *p);

#endif
