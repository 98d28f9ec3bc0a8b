/* SPDX-License-Identifier: ISC */
/*
 * caller.h - the state of the process before a call of pmux changed it: signal
 * dispositions and mask, the limit of open files.
 */
#ifndef CALLER_H
#define CALLER_H

#include <sys/types.h>
#include <sys/resource.h>

#include <signal.h>
#include <stdbool.h>

#ifndef NSIG
#define NSIG 65
#endif

struct caller {
	bool limited; /* FILES is set */
	bool masked; /* MASK is set */
	bool held; /* see caller_hold_children */
	struct rlimit files;
	sigset_t mask;
	sigset_t changed; /* of these there are ACTIONS; once SIGNALS is set */
	bool signals;
	/* NSIG of them, which the call has; and those of pmux meanwhile */
	struct sigaction *actions, *own;
};

/*
 * As sigaction(2), for a NUMBER below NSIG; for a higher one it changes the
 * disposition for good.
 */
int caller_change(int number, const struct sigaction *action,
    struct sigaction *old);

/* Whether the caller has NUMBER, below NSIG, at its default action. */
bool caller_defaults(int number);

/* Restore the disposition that NUMBER had before the first change. */
void caller_put_back(int number);

/* Let NUMBER through, which may be blocked. */
void caller_unblock(int number);

/*
 * The caller is a shell, to which only a sleep may deliver SIGCHLD from now on.
 * In its handler bash looks for the signal that ends it, and does so there (5.0
 * to 5.3, waitchld of jobs.c), where the call would give up nothing.
 */
void caller_hold_children(void);

/* The mask of a sleep, which is MASK without the above. */
void caller_sleep_mask(sigset_t *mask);

/* That of the caller before the call, where NOW is the current one. */
const sigset_t *caller_mask(const sigset_t *now);

/*
 * Let SIGCONT interrupt a wait, so that the time for which pmux was stopped
 * counts.  poll(2), select(2) and ppoll(2) restart with the old timeout
 * otherwise (Linux 6.18).
 */
void caller_count_stops(void);

/*
 * Raise the limit of open files to the hard one, as far as possible: the
 * caller's may be low, and pmux is asked for any number of targets.
 */
void caller_raise_files(void);

/*
 * The caller runs code of its own during the call: restore all dispositions
 * and the limit, and change them again afterwards, except dispositions that the
 * caller has changed.
 */
void caller_suspend(void);
void caller_resume(void);

/* Put back all of it. */
void caller_restore(void);

/* The caller has its mask, or puts it back itself. */
void caller_keep_mask(void);

#endif
