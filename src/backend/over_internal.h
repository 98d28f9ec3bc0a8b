/* SPDX-License-Identifier: ISC */
/*
 * over_internal.h - declarations shared by the files of over.c.  A file calls
 * only those below it here:
 *
 *   over.c         the functions of struct backend
 *   over_add.c     members whose primitive checks a descriptor at once
 *   over_ask.c     asking the primitive about copies
 *   over_bell.c    the bell: the epoll instance and its entries
 *   over_member.c  lists: members, due members, events
 *
 * Functions that return an int return 0 or -errno, except where noted.
 */
#ifndef OVER_INTERNAL_H
#define OVER_INTERNAL_H

#include "backend/backend.h"
#include "backend/kqueue.h"

#if defined(HAVE_EPOLL_CREATE1) && defined(__linux__)

#define OVER_HERE

/* Copies that are open at a time, since the limit of files may be low. */
#define BATCH 16

#define FIRST_KEY (STDERR_FILENO + 1)

enum {
	MEMBER = 1,
	REGISTERED = 2, /* the bell rings for it */
	DUE = 4, /* to be asked */
	SAMPLED = 8, /* epoll does not take it: ask at each check */
	DISABLED = 16, /* asked when it is enabled, or modified */
	REPORTED = 32 /* it answered the last time */
};

/* A descriptor of another process, by token. */
struct member {
	int fd; /* the handle */
	int key; /* the number under which it is registered */
	uint32_t bits;
	uint32_t generation; /* entries of earlier ones are stale */
	uint8_t flags;
};

struct backend_state {
	const struct backend *base;
	struct backend_state *own; /* pmux's own descriptors */
	struct backend_state *asked; /* asks about copies */
	const struct kevent_request *given; /* kqueue: by token */
	struct kevent_request *requests; /* of ASKED, by token */
	size_t request_count;
	struct member *members; /* by token */
	uint32_t capacity;
	uint32_t *due; /* tokens */
	size_t due_count, due_capacity;
	struct event *events;
	size_t count, cursor, event_capacity;
	size_t registered; /* members in the bell */
	int64_t next_check; /* for closed descriptors, monotonic ns */
	int bell; /* -1: none */
	int key; /* the next number to try for an entry */
	bool shared; /* several members have one key */
	bool waking; /* a member is registered or sampled: checks are needed */
	bool lasting; /* see over.h */
};
/* ---- over_member.c ---- */

bool over_is_epoll(const struct backend_state *s);

/* The member with TOKEN, or NULL. */
struct member *over_member_at(struct backend_state *s, uint32_t token);

/* Make room for a member with TOKEN. */
int over_reserve(struct backend_state *s, uint32_t token);

/* Ask about TOKEN next time, unless it is disabled. */
int over_make_due(struct backend_state *s, uint32_t token);

/* Append a copy of EVENT to the events to be returned. */
int over_add_event(struct backend_state *s, const struct event *event);

/* Whether FLAGS of a kevent have the one with NAME. */
bool over_has_flag(uint32_t flags, const char *name);

/* Whether TOKEN asks for changes only. */
bool over_is_clear(const struct backend_state *s, uint32_t token);

/* Whether TOKEN, which has no bell, was reported before and has not changed. */
bool over_is_old(const struct backend_state *s, uint32_t token);

/* ---- over_bell.c ---- */

/* The token of the bell in OWN. */
uint32_t over_bell_token(const struct backend_state *s);

/*
 * Register member TOKEN, of which COPY is a copy.  Two numbers of one file are
 * two entries: the second needs a number at which the first is not.
 */
int over_enter(struct backend_state *s, uint32_t token, int copy);

/*
 * The same, but sample files that epoll does not accept: those without a poll
 * function, instances that are nested too deep, and more numbers of one file
 * than pmux has.
 */
int over_enter_or_sample(struct backend_state *s, uint32_t token, int copy);

/* Whether FD, a copy, is the file of M's entry.  Works without kcmp(2). */
bool over_is_entry(struct backend_state *s, const struct member *m, int fd);

/* Whether M's owner still has that file under that number. */
bool over_is_open(struct backend_state *s, const struct member *m);

/* Remove member TOKEN. */
int over_drop(struct backend_state *s, uint32_t token);

/* The bell has rung: make its members due. */
int over_answer_bell(struct backend_state *s);

/* ---- over_ask.c ---- */

/*
 * Ask about all members that are due, for MAX events at most, and the next time
 * begin with those that were not asked.  If ARM, register those that are not
 * ready.
 */
int over_ask(struct backend_state *s, size_t max, bool arm);

/* epoll: ask all instances that are due, for MAX events. */
int over_ask_instances(struct backend_state *s, size_t max);

/* ---- over_add.c ---- */

/* kqueue: make or change member TOKEN for HANDLE, as its kevent says. */
int over_add_kevent(struct backend_state *s, uint32_t token, int handle);

/* epoll: the same for HANDLE, with the errors of epoll_ctl(2). */
int over_add_epoll(struct backend_state *s, uint32_t token, int handle);

#endif
#endif
