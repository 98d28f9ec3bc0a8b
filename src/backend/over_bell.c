/* SPDX-License-Identifier: ISC */
/*
 * over_bell.c - the epoll instance in which over.c registers descriptors of other
 * processes, and its entries.
 */
#include "config.h"

#include "backend/over_internal.h"

#ifdef OVER_HERE

#include <sys/epoll.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sys/fdplace.h"
#include "sys/foreign.h"
#include "sys/foreign_table.h"
#include "sys/process.h"

/* Events that are read from the bell at a time. */
#define RINGS 64

/* kcmp(2) goes through all entries: of more, a copy is sooner compared. */
#define MANY 256

uint32_t
over_bell_token(const struct backend_state *s)
{
	return s->base->requests != NULL ? UINT32_MAX : 0;
}

static int
open_bell(struct backend_state *s)
{
	int error;

	if (over_is_epoll(s) || s->bell >= 0)
		return 0;
	s->bell = fdplace(epoll_create1(EPOLL_CLOEXEC));
	if (s->bell < 0)
		return s->bell;
	/* the first flag of each primitive is its input event: read, in */
	error = s->base->add(s->own, over_bell_token(s), s->bell,
	    s->base->flags->bit);
	if (error == 0)
		return 0;
	(void)close(s->bell);
	s->bell = -1;
	return error;
}

/* No entry is left, or none that is wanted. */
static void
close_bell(struct backend_state *s)
{
	if (s->bell < 0)
		return;
	(void)s->base->remove(s->own, over_bell_token(s), s->bell);
	(void)close(s->bell);
	s->bell = -1;
	s->key = FIRST_KEY;
	s->shared = false;
}

static int
bell_of(struct backend_state *s)
{
	return over_is_epoll(s) ? s->base->number(s->own) : s->bell;
}

/*
 * The events of epoll(7) that can set BITS, and no others: each ring costs a
 * copy, during which the file stays open if its owner closes it.  Errors and
 * hangups always ring.
 */
static uint32_t
rings(const struct backend_state *s, uint32_t token, uint32_t bits)
{
	const uint32_t reads = EPOLLIN | EPOLLRDNORM | EPOLLRDBAND,
		       writes = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	uint32_t events = EPOLLET;

	if (s->base->requests != NULL)
		return events |
		    (s->requests[token].filter == KQUEUE_READ ?
			    reads | EPOLLPRI | EPOLLRDHUP :
			    writes);
	/* the bits of poll(2) are those of epoll(7) */
	if (s->base != &backend_select)
		return events | bits;
	/* read, write, except (fs/select.c, POLLIN_SET and its like) */
	if ((bits & s->base->flags[0].bit) != 0)
		events |= reads;
	if ((bits & s->base->flags[1].bit) != 0)
		events |= writes;
	if ((bits & s->base->flags[2].bit) != 0)
		events |= EPOLLPRI;
	return events;
}

/* Operate on descriptor FD's entry for member TOKEN. */
static int
control(struct backend_state *s, int operation, uint32_t token, int fd)
{
	const struct member *m = &s->members[token];
	struct epoll_event event;

	memset(&event, 0, sizeof event);
	event.events = rings(s, token, m->bits);
	event.data.u64 = (uint64_t)m->generation << 32 | token;
	return epoll_ctl(s->bell, operation, fd, &event) == -1 ? -errno : 0;
}

static int
add_entry(struct backend_state *s, uint32_t token, int fd)
{
	return over_is_epoll(s) ?
	    s->base->add(s->own, token, fd, s->members[token].bits) :
	    control(s, EPOLL_CTL_ADD, token, fd);
}

/*
 * COPY under the next number that is free, or under its own if there is none.
 * An entry is known by its file and number (epoll(7)), and kcmp(2) finds it by
 * the number alone, so each has a number of its own as long as there are some.
 */
static int
next_key(struct backend_state *s, int copy)
{
	int fd = fdplace_copy(copy, s->key);

	if (fd == -1) {
		s->shared = true;
		s->key = FIRST_KEY;
		fd = fdplace_copy(copy, s->key);
	}
	if (fd == -1)
		return copy;
	s->key = fd + 1;
	return fd;
}

int
over_enter(struct backend_state *s, uint32_t token, int copy)
{
	struct member *m = &s->members[token];
	int error = open_bell(s), fd, first = -1;

	while (error == 0) {
		fd = next_key(s, copy);
		error = add_entry(s, token, fd);
		m->key = fd;
		if (fd != copy)
			(void)close(fd);
		if (error != -EEXIST || fd == copy || fd == first)
			break;
		if (first == -1)
			first = fd;
		error = 0;
	}
	if (error == 0) {
		m->flags |= REGISTERED;
		s->registered++;
	}
	return error;
}

int
over_enter_or_sample(struct backend_state *s, uint32_t token, int copy)
{
	int error = foreign_of(s->members[token].fd)->instance ?
	    -EPERM :
	    over_enter(s, token, copy);

	if (error == -EPERM || error == -EEXIST || error == -EINVAL ||
	    error == -ELOOP) {
		s->members[token].flags |= SAMPLED;
		error = 0;
	}
	s->waking |= error == 0;
	return error;
}

/* Whether kcmp(2) finds each entry, and soon. */
static bool
may_compare(const struct backend_state *s)
{
	return !s->shared && s->registered <= MANY;
}

bool
over_is_entry(struct backend_state *s, const struct member *m, int fd)
{
	struct epoll_event event;
	struct process_loan loan;
	int answer = -EPERM, bell = bell_of(s);

	if (may_compare(s))
		answer = process_registered(getpid(), fd, bell, m->key);
	if (answer >= 0)
		return answer == 1;
	if (process_put(fd, m->key, &loan) != 0)
		return true;
	memset(&event, 0, sizeof event);
	event.events = EPOLLET;
	event.data.u64 = UINT64_MAX;
	answer = epoll_ctl(bell, EPOLL_CTL_ADD, m->key, &event) == -1 ?
	    errno == EEXIST :
	    0;
	if (answer == 0)
		(void)epoll_ctl(bell, EPOLL_CTL_DEL, m->key, &event);
	process_return(&loan);
	return answer != 0;
}

bool
over_is_open(struct backend_state *s, const struct member *m)
{
	const struct foreign *f = foreign_of(m->fd);
	int answer = -EPERM, fd;
	bool same;

	if (may_compare(s))
		answer = process_registered(f->pid, f->number, bell_of(s),
		    m->key);
	if (answer >= 0)
		return answer == 1;
	fd = foreign_borrow(m->fd);
	if (fd < 0)
		return fd != -EBADF && fd != -ESRCH;
	same = over_is_entry(s, m, fd);
	(void)close(fd);
	return same;
}

/* Remove M.  An entry that its owner has closed stays, and is stale. */
static int
leave(struct backend_state *s, uint32_t token)
{
	struct member *m = &s->members[token];
	struct foreign *f = foreign_of(m->fd);
	struct process_loan loan;
	int error;

	error = process_lend(f->process, f->number, m->key, &loan);
	if (error != 0)
		return error;
	error = over_is_epoll(s) ? s->base->remove(s->own, token, m->key) :
				   control(s, EPOLL_CTL_DEL, token, m->key);
	process_return(&loan);
	return error;
}

int
over_drop(struct backend_state *s, uint32_t token)
{
	struct member *m = &s->members[token];
	struct foreign *f = foreign_of(m->fd);
	int error = 0;

	if ((m->flags & REGISTERED) != 0) {
		error = leave(s, token);
		s->registered--;
	}
	if (s->registered == 0)
		close_bell(s);
	if (f->in == s)
		f->in = NULL;
	m->generation++;
	m->flags &= DUE; /* until the list is gone through */
	return error;
}

/* It rings for an entry that no longer has a member, and cannot be stopped. */
static void
renew(struct backend_state *s)
{
	close_bell(s);
	for (uint32_t i = 0; i < s->capacity; i++)
		if ((s->members[i].flags & REGISTERED) != 0) {
			s->members[i].flags &= (uint8_t)~REGISTERED;
			(void)over_make_due(s, i);
		}
	s->registered = 0;
}

int
over_answer_bell(struct backend_state *s)
{
	struct epoll_event rung[RINGS];
	bool stale = false;
	int n, error = 0;

	do {
		n = epoll_wait(s->bell, rung, RINGS, 0);
		for (int i = 0; i < n && error == 0; i++) {
			uint32_t token = (uint32_t)rung[i].data.u64;
			struct member *m = over_member_at(s, token);

			if (m == NULL ||
			    m->generation != rung[i].data.u64 >> 32)
				stale = true;
			else
				error = over_make_due(s, token);
		}
	} while (n == RINGS && error == 0);
	if (stale)
		renew(s);
	return error;
}

#endif
