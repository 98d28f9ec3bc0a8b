/* SPDX-License-Identifier: ISC */
/*
 * sigwatch.h - signals that a wait reports: a descriptor is readable when one of
 * them has come.
 *
 * Where there is signalfd(2) they are blocked, and no handler runs.  Elsewhere
 * their handler writes to a pipe.
 */
#ifndef SIGWATCH_H
#define SIGWATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#define SIGWATCH_MOST 4

struct sigwatch {
	/* [0] is the descriptor, [1] the end for the handlers; or -1 */
	int ends[2];
	int numbers[SIGWATCH_MOST];
	size_t count;
	bool handles; /* by handlers */
	sigset_t set, mask; /* not HANDLES: those blocked, the mask before */
	volatile sig_atomic_t came[SIGWATCH_MOST], sent[SIGWATCH_MOST];
};

/*
 * Watch the COUNT signals NUMBERS, at most SIGWATCH_MOST, with HANDLERS or as is
 * best.  W is all zeros, and there is one such in a call of pmux.  Returns the
 * descriptor, which is W's until sigwatch_end, or -errno.
 */
int sigwatch_open(struct sigwatch *w, const int *numbers, size_t count,
    bool handlers);

/* One that has come. */
struct sigwatch_came {
	int number;
	bool sent; /* by a process */
};

/*
 * Those that have come, at most SIGWATCH_MOST.  Returns how many: from then on
 * the descriptor is readable only if there are more.
 */
size_t sigwatch_take(struct sigwatch *w, struct sigwatch_came *came);

/* Whether one has come that sigwatch_take has not returned, EXCEPT that one. */
bool sigwatch_has(const struct sigwatch *w, int except);

/* Restore the dispositions and the mask. */
void sigwatch_close(struct sigwatch *w);

/* Close the descriptors. */
void sigwatch_end(struct sigwatch *w);

#endif
