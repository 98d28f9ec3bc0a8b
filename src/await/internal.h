/* SPDX-License-Identifier: ISC */
/*
 * internal.h - declarations shared by the files of await/.  A file calls only
 * those below it here:
 *
 *   await.c      the list of conditions, and the backend
 *   exit.c       a process has ended
 *   connect.c    an address accepts a connection
 *   path.c       a path exists, or does not
 *   resolve.c    the addresses of a name
 *   condition.c  what they share: their descriptors
 *
 * "Something reports that it may be met, then ask": a condition is watched
 * first and asked after that, so nothing is missed in between.
 */
#ifndef AWAIT_INTERNAL_H
#define AWAIT_INTERNAL_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "await/await.h"
#include "backend/backend.h"
#include "base/deadline.h"

struct condition;

/*
 * From this number of conditions on, epoll(7) costs less than a poll(2) of all
 * for each event.
 */
#define MANY 32

/* What differs between them. */
struct condition_kind {
	const char *option;
	uint32_t bit;
	/* descriptors of one that are watched at a time, at most */
	size_t descriptors;
	/* they need to be reported only when something changes */
	bool edges;
	/* check the word: 0 or an exit status, a message having been printed */
	int (*parse)(struct condition *c);
	/* begin to watch; 0 or -errno */
	int (*start)(struct backend_state *s, struct condition *c);
	/* whether it is met: 1, 0, or -errno; sets when to ask again */
	int (*ask)(struct backend_state *s, struct condition *c);
	/* release what it holds */
	void (*end)(struct backend_state *s, struct condition *c);
	/* release what parse has allocated; or NULL */
	void (*release)(struct condition *c);
};

enum {
	ADDED = 1, /* waited for, and not reported yet */
	DUE = 2, /* to be asked */
	MET = 4, /* to be reported */
	ACTIVE = 8 /* in struct await's list of these */
};

struct condition {
	const struct condition_kind *kind;
	const char *word;
	uint32_t first; /* the least index of those that are the same */
	uint32_t token;
	uint8_t state;
	int64_t data; /* of its event */
	int connection; /* kept, or -1 */
	deadline_t next; /* when to ask it, whatever is reported */
	int64_t pause; /* ns, the last one of a back-off, or 0 */
	struct {
		uint8_t flags;
		uint32_t links; /* symbolic, on the way */
	} path; /* path.c */
	union {
		struct {
			pid_t pid;
			int fd; /* exits_open's; or -1: it is sampled */
			uint32_t slot; /* of FD */
			uint64_t began; /* exits_runs's */
			bool ended;
		} exit;
		struct connect *connect; /* connect.c */
	} of;
};

/* What to do when the descriptor of SLOT is reported, which is of many. */
typedef void condition_shared_fn(struct backend_state *s, uint32_t slot);

struct paths;

struct await {
	bool keeps; /* connections */
	bool no_status; /* of processes is wanted */
	deadline_t until;
	struct condition *list;
	size_t count;
	/* those that are due, met, or have a time: indices of LIST */
	uint32_t *active;
	size_t active_count;
	struct paths *paths; /* path.c, or NULL */
	int exits; /* exits_status's */
	int64_t now; /* when conditions were last asked */
	/* the usual backend, and that of a stream */
	struct {
		const struct backend *base;
		struct backend backend;
		struct flag flags[24];
	} over[2];
};

struct backend_state {
	const struct backend *base;
	struct backend_state *own; /* of BASE; NULL: closed */
	uint32_t first_slot; /* tokens of OWN from here on are slots */
	struct slot {
		int fd; /* -1: unused */
		uint32_t condition;
		condition_shared_fn *shared; /* or NULL */
	} * slots;
	size_t slot_count, unused; /* those before UNUSED are used */
	bool conditions; /* were added to it */
	struct event *events;
	size_t count, cursor, capacity;
};

/* ---- exit.c ---- */

extern const struct condition_kind condition_exit;

/* ---- path.c ---- */

extern const struct condition_kind condition_exists, condition_absent;

/*
 * Watch all directories on the way to the path that is C's word, for a condition
 * of another kind too; path_changed says whether anything has changed there
 * since it was last called, or may have.
 */
int path_start(struct backend_state *s, struct condition *c);
void path_end(struct backend_state *s, struct condition *c);
bool path_changed(struct condition *c);

/* Give up what they share, if it is there. */
void paths_close(void);

/* ---- connect.c ---- */

extern const struct condition_kind condition_connect;

/* ---- resolve.c ---- */

#define MOST_ADDRESSES 16

struct address {
	socklen_t length;
	struct sockaddr_storage of;
};

/*
 * Look up HOST and PORT in a process of its own, since getaddrinfo(3) may take
 * as long as it likes.  Returns a descriptor, non-blocking, to read each address
 * from, a struct address, and then the end of file; or -errno.  Its close ends
 * the process.
 */
int resolve_start(const char *host, const char *port);

/* ---- condition.c ---- */

/*
 * Watch FD, which stays the condition's, for BITS of poll(2): C is asked when
 * one of them is reported.  Returns 0 with *SLOT set, or -errno.
 */
int condition_watch(struct backend_state *s, const struct condition *c, int fd,
    short bits, uint32_t *slot);

/* The same for one that several conditions share: READY is called. */
int condition_watch_shared(struct backend_state *s, condition_shared_fn *ready,
    int fd, short bits, uint32_t *slot);

/* Watch SLOT for nothing but a hangup from now on, or no longer. */
int condition_hangup_only(struct backend_state *s, uint32_t slot);
void condition_unwatch(struct backend_state *s, uint32_t slot);

/* C is to be asked. */
void condition_due(struct condition *c);

/* Have ask_all visit C, which is due, met, or has a time. */
void condition_activate(struct condition *c);

/*
 * Ask C again after a pause, which doubles each time from FIRST ns to LAST.
 */
void condition_back_off(struct condition *c, int64_t first, int64_t last);

/* Whether the call is about to end: what is not known now is unknown. */
bool condition_last_chance(void);

#endif
