/* SPDX-License-Identifier: ISC */
/*
 * internal.h - declarations shared by the files of await/.  A file calls only
 * those below it here:
 *
 *   await.c      the list of conditions, and the backend
 *   exit.c       a process has ended
 *   condition.c  what they share: their descriptors
 *
 * "Something reports that it may be met, then ask": a condition is watched
 * first and asked after that, so nothing is missed in between.
 */
#ifndef AWAIT_INTERNAL_H
#define AWAIT_INTERNAL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "await/await.h"
#include "backend/backend.h"
#include "base/deadline.h"

struct condition;

/* What differs between them. */
struct condition_kind {
	const char *option;
	uint32_t bit;
	/* descriptors of one that are watched at a time, at most */
	size_t descriptors;
	/* check the word: 0 or an exit status, a message having been printed */
	int (*parse)(struct condition *c);
	/* begin to watch; 0 or -errno */
	int (*start)(struct backend_state *s, struct condition *c);
	/* whether it is met: 1, 0, or -errno; sets when to ask again */
	int (*ask)(struct backend_state *s, struct condition *c);
	/* release what it holds */
	void (*end)(struct backend_state *s, struct condition *c);
};

enum {
	ADDED = 1, /* waited for, and not reported yet */
	DUE = 2, /* to be asked */
	MET = 4 /* to be reported */
};

struct condition {
	const struct condition_kind *kind;
	const char *word;
	uint32_t first; /* the least index of those that are the same */
	uint32_t token;
	uint8_t state;
	int64_t data; /* of its event */
	deadline_t next; /* when to ask it, whatever is reported */
	int64_t pause; /* ns, the last one of a back-off, or 0 */
	union {
		struct {
			pid_t pid;
			int fd; /* exits_open's; or -1: it is sampled */
			uint32_t slot; /* of FD */
			uint64_t began; /* exits_runs's */
			bool ended;
		} exit;
	} of;
};

struct await {
	deadline_t until;
	struct condition *list;
	size_t count;
	/* the usual backend, and that of a stream */
	struct {
		const struct backend *base;
		struct backend backend;
		struct flag flags[24];
	} over[2];
};

struct backend_state {
	const struct backend *base;
	struct backend_state *own; /* of BASE */
	uint32_t first_slot; /* tokens of OWN from here on are slots */
	struct slot {
		int fd; /* -1: unused */
		uint32_t condition;
	} * slots;
	size_t slot_count, unused; /* those before UNUSED are used */
	bool conditions; /* were added to it */
	struct event *events;
	size_t count, cursor, capacity;
};

/* ---- exit.c ---- */

extern const struct condition_kind condition_exit;

/* ---- condition.c ---- */

/*
 * Watch FD, which stays the condition's, for BITS of poll(2): C is asked when
 * one of them is reported.  Returns 0 with *SLOT set, or -errno.
 */
int condition_watch(struct backend_state *s, const struct condition *c, int fd,
    short bits, uint32_t *slot);

/* Watch SLOT for BITS from now on, 0: for its end; or no longer. */
int condition_rewatch(struct backend_state *s, uint32_t slot, short bits);
void condition_unwatch(struct backend_state *s, uint32_t slot);

/*
 * Ask C again after a pause, which doubles each time from FIRST ns to LAST.
 */
void condition_back_off(struct condition *c, int64_t first, int64_t last);

/* Whether the call is about to end: what is not known now is unknown. */
bool condition_last_chance(void);

#endif
