/* SPDX-License-Identifier: ISC */
/*
 * signals.h - signals by name, and blocking them all.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The number of the signal that the LENGTH bytes at NAME mean: a name in any
 * case, with or without SIG before it, RTMIN+N, RTMAX-N, or a number.  Returns
 * -EINVAL if it is none that this system has.
 */
int signals_number(const char *name, size_t length);

/*
 * The name of signal NUMBER without SIG, written into SPACE where it is made
 * up; the number in decimal if it has none.
 */
#define SIGNALS_SPACE 24
const char *signals_name(int number, char space[SIGNALS_SPACE]);

/* The highest number that a signal has. */
int signals_last(void);

/*
 * Whether a process sent the signal that INFORMATION is about (sigaction(2)),
 * and not the kernel, as it does for a key on the terminal.
 */
bool signals_sent(const siginfo_t *information);

/*
 * Block every signal, *OLD becoming the mask there was unless it is NULL; and
 * set that mask again.  Async-signal-safe.
 */
void signals_block(sigset_t *old);
void signals_restore(const sigset_t *old);

/*
 * Block signal NUMBER, *OLD becoming the mask there was; then forget it if it
 * came meanwhile, and set that mask again.
 */
void signals_hold(int number, sigset_t *old);
void signals_drop(int number, const sigset_t *old);

#endif
