/* SPDX-License-Identifier: ISC */
/*
 * over.c - a primitive for descriptors of other processes, too.
 *
 * Those are registered in an epoll(7) of pmux's own and are not kept: an entry
 * does not hold its file open (epoll(7), "Questions and answers").  It is
 * edge-triggered and is only a bell: when it rings, the primitive is asked
 * about a copy, which is closed at once.  A target that was ready is asked
 * again each time, since its readiness is a level.  For epoll itself no copy is
 * needed: it is its own bell.
 *
 * An epoll instance of another process is not registered: the kernel polls all
 * its entries whenever the bell is polled, and its owner may at any time add
 * one that must not be polled.  Instead its entries are examined, and it is
 * then polled, at each check.
 *
 * A closed descriptor is found by a check of all of them at intervals: kcmp(2)
 * reports whether a number of a process is still the file of an entry.
 */
#include "config.h"

#include "backend/over.h"
#include "backend/over_internal.h"
#include "base/pmux.h"

#ifdef OVER_HERE

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "sys/foreign.h"
#include "sys/foreign_table.h"
#include "sys/process.h"

/* A check for closed descriptors may use 1/SHARE of a CPU. */
#define SHARE 50

/* ---- closed descriptors ---- */

/*
 * Check all members: mark those that were closed as closed and due.  Returns 0
 * or -errno; epoll: -EBADF if one was closed.
 */
static int
check_members(struct backend_state *s)
{
	int process = -1, error = 0;
	bool ended = false;

	for (uint32_t i = 0; i < s->capacity && error == 0; i++) {
		struct member *m = over_member_at(s, i);
		struct foreign *f;

		if (m == NULL || (m->flags & (REGISTERED | SAMPLED)) == 0)
			continue;
		f = foreign_of(m->fd);
		/* kcmp(2) asks by its id, which may be another's by now */
		if (f->process != process) {
			process = f->process;
			ended = process_has_ended(process);
		}
		if ((m->flags & REGISTERED) != 0) {
			if (!ended && over_is_open(s, m))
				continue;
			f->closed = true;
			if (over_is_epoll(s))
				error = -EBADF;
		}
		if (error == 0)
			error = over_make_due(s, i);
	}
	return error;
}

/* A check that began when clock_cpu was BEGUN is over: plan the next one. */
static void
plan(struct backend_state *s, int64_t begun)
{
	int64_t cost = clock_cpu() - begun;

	s->next_check = clock_now() +
	    (cost > FOREIGN_PAUSE / SHARE ? cost * SHARE : FOREIGN_PAUSE);
}

/* Whether it is time for a check. */
static bool
is_check_due(const struct backend_state *s)
{
	return s->waking && s->next_check <= clock_now();
}

/* TIMEOUT, shortened so that the next check is not late. */
static int64_t
until_check(const struct backend_state *s, int64_t timeout)
{
	int64_t left = s->next_check - clock_now();

	if (!s->waking)
		return timeout;
	if (left < 0)
		left = 0;
	return timeout == -1 || left < timeout ? left : timeout;
}

/* ---- the functions of struct backend ---- */

static void
over_close(struct backend_state *s)
{
	if (s == NULL)
		return;
	s->base->close(s->own);
	s->base->close(s->asked);
	if (s->bell >= 0)
		(void)close(s->bell);
	free(s->requests);
	free(s->members);
	free(s->due);
	free(s->events);
	free(s);
}

static int
over_open(const struct backend *base, bool lasting,
    struct backend_state **state, size_t capacity)
{
	struct backend_state *s = calloc(1, sizeof *s);
	int error;

	if (s == NULL)
		return -ENOMEM;
	s->base = base;
	s->lasting = lasting;
	s->bell = -1;
	s->key = FIRST_KEY;
	s->next_check = clock_now() + FOREIGN_PAUSE;
	error = base->open(&s->own, capacity + 1);
	if (error == 0 && base != &backend_epoll)
		error = base->open(&s->asked, BATCH);
	if (error != 0) {
		over_close(s);
		return error;
	}
	*state = s;
	return 0;
}

static void
over_requests(struct backend_state *s, const struct kevent_request *requests,
    size_t count, bool data)
{
	struct kevent_request *grown;

	s->base->requests(s->own, requests, count, data);
	s->given = requests;
	if (count <= s->request_count)
		return;
	grown = realloc(s->requests, count * sizeof *grown);
	if (grown == NULL)
		return;
	memset(grown + s->request_count, 0,
	    (count - s->request_count) * sizeof *grown);
	s->requests = grown;
	s->request_count = count;
	s->base->requests(s->asked, grown, count, data);
}

/* Tokens of OWN: the first is the bell's, but kqueue's are its requests. */
static uint32_t
own_token(const struct backend_state *s, uint32_t token)
{
	return s->base->requests != NULL || over_is_epoll(s) ? token :
							       token + 1;
}

static int
over_add(struct backend_state *s, uint32_t token, int fd, uint32_t bits)
{
	struct member *m;
	int error;

	if (!foreign_is(fd))
		return s->base->add(s->own, own_token(s, token), fd, bits);
	if ((error = over_reserve(s, token)) != 0)
		return error;
	m = &s->members[token];
	m->bits = bits;
	if (s->base->requests != NULL)
		return over_add_kevent(s, token, fd);
	if ((m->flags & MEMBER) != 0)
		(void)over_drop(s, token);
	m->fd = fd;
	m->flags |= MEMBER;
	foreign_of(fd)->closed = false;
	error = over_is_epoll(s) ? over_add_epoll(s, token, fd) :
				   over_make_due(s, token);
	if (error != 0)
		m->flags &= DUE;
	return error;
}

static int
over_modify(struct backend_state *s, uint32_t token, int fd, uint32_t bits)
{
	if (foreign_is(fd))
		return over_add(s, token, fd, bits);
	return s->base->modify(s->own, own_token(s, token), fd, bits);
}

static int
over_remove(struct backend_state *s, uint32_t token, int fd)
{
	if (!foreign_is(fd))
		return s->base->remove(s->own, own_token(s, token), fd);
	return over_member_at(s, token) == NULL ? -ENOENT : over_drop(s, token);
}

static int
wait_epoll(struct backend_state *s, size_t max, int64_t timeout)
{
	bool checks = timeout != 0 && is_check_due(s);
	int64_t begun = checks ? clock_cpu() : 0;
	int error = checks ? check_members(s) : 0, n;

	s->count = s->cursor = 0;
	if (error == 0)
		error = over_ask_instances(s, max);
	if (checks)
		plan(s, begun);
	if (error != 0 || s->count == max)
		return error != 0 ? error : (int)max;
	n = s->base->wait(s->own, max - s->count,
	    s->count > 0 ? 0 : until_check(s, timeout));
	return n < 0 ? n : n + (int)s->count;
}

/* Wait for pmux's own descriptors and the bell.  Returns whether it rang. */
static int
wait_own(struct backend_state *s, size_t max, int64_t timeout)
{
	struct event event;
	int n = s->base->wait(s->own, max, timeout), rung = 0, error = 0;

	if (n < 0)
		return n;
	while (error == 0 && s->base->next(s->own, &event)) {
		if (event.token == over_bell_token(s)) {
			rung = 1;
			continue;
		}
		event.token -= own_token(s, 0);
		error = over_add_event(s, &event);
	}
	return error != 0 ? error : rung;
}

static int
by_token(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	return (a->token > b->token) - (a->token < b->token);
}

static int
over_wait(struct backend_state *s, size_t max, int64_t timeout)
{
	bool arm = timeout != 0 || s->waking, none, checks;
	int error, rung = 0;
	int64_t begun = 0;

	if (over_is_epoll(s))
		return wait_epoll(s, max, timeout);
	/* the others report all events, as they do without this file */
	if (s->base->requests == NULL)
		max = SIZE_MAX;
	s->count = s->cursor = 0;
	error = over_ask(s, max, arm);
	if (error != 0)
		return error;
	none = s->count == 0;
	if (s->count < max)
		rung = wait_own(s, max - s->count,
		    s->count > 0 ? 0 : until_check(s, timeout));
	if (rung < 0)
		return rung;
	if (rung == 1)
		error = over_answer_bell(s);
	checks = is_check_due(s);
	if (checks)
		begun = clock_cpu();
	if (error == 0 && checks)
		error = check_members(s);
	if (error == 0 && none)
		error = over_ask(s, max, arm);
	if (checks)
		plan(s, begun);
	if (error != 0)
		return error;
	if (s->base->requests == NULL && s->count > 1)
		qsort(s->events, s->count, sizeof *s->events, by_token);
	return s->count > INT_MAX ? INT_MAX : (int)s->count;
}

static int
over_next(struct backend_state *s, struct event *event)
{
	if (s->cursor == s->count)
		return over_is_epoll(s) ? s->base->next(s->own, event) : 0;
	*event = s->events[s->cursor++];
	return 1;
}

static int
over_number(struct backend_state *s)
{
	return s->base->number(s->own);
}

static int
over_adopt(struct backend_state *s, int fd)
{
	return s->base->adopt(s->own, fd);
}

/* One function for each primitive: open has no argument that names it. */
#define BACKEND(id)                                                         \
	static int open_##id(struct backend_state **state, size_t capacity) \
	{                                                                   \
		return over_open(&backend_##id, false, state, capacity);    \
	}                                                                   \
	static int open_lasting_##id(struct backend_state **state,          \
	    size_t capacity)                                                \
	{                                                                   \
		return over_open(&backend_##id, true, state, capacity);     \
	}
#include "backend/backends.def"
#undef BACKEND

static const struct {
	const struct backend *base;
	backend_open_fn *open, *open_lasting;
} opens[] = {
#define BACKEND(id) { &backend_##id, open_##id, open_lasting_##id },
#include "backend/backends.def"
#undef BACKEND
};

const struct backend *
backend_over(const struct backend *base, bool lasting)
{
	struct backend *over = pmux->over;
	size_t i = 0;

	while (opens[i].base != base)
		i++;
	*over = *base;
	over->late = true;
	over->open = lasting ? opens[i].open_lasting : opens[i].open;
	over->add = over_add;
	over->modify = base->modify == NULL ? NULL : over_modify;
	over->remove = over_remove;
	over->wait = over_wait;
	over->next = over_next;
	over->close = over_close;
	over->requests = base->requests == NULL ? NULL : over_requests;
	over->number = base->number == NULL ? NULL : over_number;
	over->adopt = base->adopt == NULL ? NULL : over_adopt;
	return over;
}

#else

const struct backend *
backend_over(const struct backend *base, bool lasting)
{
	(void)lasting;
	return base;
}

#endif
