/* SPDX-License-Identifier: ISC */
/*
 * over_ask.c - asking the primitive about copies of the members that are due.
 */
#include "config.h"

#include "backend/over_internal.h"

#ifdef OVER_HERE

#include <sys/epoll.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sys/fileid.h"
#include "sys/foreign.h"
#include "sys/foreign_table.h"

/* ---- copies ---- */

/*
 * Whether FD, a copy of a descriptor that is not registered, may be polled: it
 * may be another file by now, and an instance may have other entries.  Returns
 * FD; or closes it and returns CLOSED_FD or -EOPNOTSUPP, or another -errno if
 * that cannot be known.
 */
static int
admit(struct foreign *f, int fd)
{
	const char *why;
	int error = foreign_objection(f, fd, &why), instance = 0;

	if (error == 0 && why == NULL)
		return fd;
	if (error == 0 && f->instance)
		error = instance = foreign_is_instance(fd);
	(void)close(fd);
	if (error < 0)
		return error;
	if (instance == 1)
		f->why = why;
	else
		f->closed = true;
	return instance == 1 ? -EOPNOTSUPP : CLOSED_FD;
}

/* A descriptor to ask about M: a copy, or CLOSED_FD; or -errno. */
static int
present(struct backend_state *s, struct member *m)
{
	struct foreign *f = foreign_of(m->fd);
	int fd;

	if (f->closed)
		return CLOSED_FD;
	fd = foreign_borrow(m->fd);
	if (fd == -EBADF || fd == -ESRCH) {
		f->closed = true;
		return CLOSED_FD;
	}
	if (fd < 0)
		return fd;
	if ((m->flags & REGISTERED) == 0)
		return admit(f, fd);
	if (over_is_entry(s, m, fd))
		return fd;
	(void)close(fd);
	f->closed = true;
	return CLOSED_FD;
}

/* ---- questions ---- */

struct question {
	uint32_t token;
	int fd;
	bool answered;
};

static uint32_t
asked_token(const struct backend_state *s, uint32_t i, uint32_t token)
{
	return s->base->requests != NULL ? token : i;
}

/* Take the answers to the COUNT questions at Q.  Returns 0 or -errno. */
static int
take_answers(struct backend_state *s, struct question *q, uint32_t count)
{
	struct event event;
	int n, error = 0;
	uint32_t i;

	/* it is asked once, and does not sleep */
	do
		n = s->base->wait(s->asked, BATCH, 0);
	while (n == -EINTR);
	if (n < 0)
		return n;
	while (error == 0 && s->base->next(s->asked, &event)) {
		for (i = 0; i < count; i++)
			if (asked_token(s, i, q[i].token) == event.token)
				break;
		if (i == count)
			continue;
		q[i].answered = true;
		if (over_is_old(s, q[i].token))
			continue;
		s->members[q[i].token].flags |= REPORTED;
		event.token = q[i].token;
		event.ident = (uint64_t)foreign_number(
		    s->members[q[i].token].fd);
		error = over_add_event(s, &event);
	}
	return error;
}

/* Whether TOKEN, which has answered, is asked again at the next wait. */
static bool
stays_due(struct backend_state *s, uint32_t token)
{
	uint32_t flags;

	if (s->base->requests == NULL)
		return true;
	flags = s->requests[token].flags;
	if (over_has_flag(flags, "oneshot"))
		(void)over_drop(s, token);
	else if (over_has_flag(flags, "dispatch"))
		s->members[token].flags |= DISABLED;
	return !over_has_flag(flags, "oneshot") &&
	    !over_has_flag(flags, "dispatch") && !over_is_clear(s, token);
}

/* Q has been asked.  Returns whether it stays due; *ERROR is set. */
static bool
conclude(struct backend_state *s, const struct question *q, bool arm,
    int *error)
{
	struct member *m = &s->members[q->token];
	bool stays = q->answered && stays_due(s, q->token);

	if (!q->answered)
		m->flags &= (uint8_t)~REPORTED;
	/* kqueue: its kevents have ended with it */
	if (s->lasting && q->fd == CLOSED_FD && s->base->requests != NULL)
		(void)over_drop(s, q->token);
	if ((m->flags & MEMBER) == 0 || q->fd == CLOSED_FD)
		return stays;
	if (!arm && !q->answered && (m->flags & REGISTERED) == 0)
		return true;
	if (arm && (m->flags & (REGISTERED | SAMPLED)) == 0 && !stays)
		*error = over_enter_or_sample(s, q->token, q->fd);
	return stays;
}

/* Put the question Q, number I.  Returns 0 or -errno. */
static int
put(struct backend_state *s, const struct question *q, uint32_t i)
{
	const struct member *m = &s->members[q->token];

	if (s->base->requests != NULL && q->fd == CLOSED_FD)
		return s->lasting ? 0 : -EBADF;
	return s->base->add(s->asked, asked_token(s, i, q->token), q->fd,
	    m->bits);
}

/*
 * Ask about the members that are due, from *AT on, for MAX events at most.
 * Those that stay due are kept in the list, *KEPT up to now.  Returns 0 or
 * -errno.
 */
static int
ask_some(struct backend_state *s, size_t max, size_t *at, size_t *kept,
    bool arm)
{
	struct question q[BATCH];
	uint32_t count = 0;
	int error = 0;

	while (
	    count < BATCH && count < max && *at < s->due_count && error == 0) {
		struct member *m = over_member_at(s, s->due[*at]);

		if (m == NULL || (m->flags & DISABLED) != 0) {
			s->members[s->due[(*at)++]].flags &= (uint8_t)~DUE;
			continue;
		}
		q[count] = (struct question){ s->due[*at], present(s, m),
			false };
		if (q[count].fd == -EMFILE && count > 0)
			break;
		if ((error = q[count].fd) >= 0)
			error = put(s, &q[count], count);
		if (q[count].fd >= 0) {
			count++;
			++*at;
		}
	}
	if (error == 0)
		error = take_answers(s, q, count);
	for (uint32_t i = 0; i < count; i++) {
		(void)s->base->remove(s->asked, asked_token(s, i, q[i].token),
		    q[i].fd);
		s->members[q[i].token].flags &= (uint8_t)~DUE;
		if (error != 0 || conclude(s, &q[i], arm, &error)) {
			s->members[q[i].token].flags |= DUE;
			s->due[(*kept)++] = q[i].token;
		}
		if (q[i].fd != CLOSED_FD)
			(void)close(q[i].fd);
	}
	return error;
}

static void
reverse(uint32_t *first, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		uint32_t token = first[i];

		first[i] = first[count - 1 - i];
		first[count - 1 - i] = token;
	}
}

int
over_ask(struct backend_state *s, size_t max, bool arm)
{
	size_t at = 0, kept = 0, unasked;
	int error = 0;

	if (s->due_count == 0)
		return 0;
	while (at < s->due_count && error == 0 && s->count < max)
		error = ask_some(s, max - s->count, &at, &kept, arm);
	unasked = s->due_count - at;
	memmove(s->due + kept, s->due + at, unasked * sizeof *s->due);
	s->due_count = kept + unasked;
	if (kept > 0 && unasked > 0) {
		reverse(s->due, kept);
		reverse(s->due + kept, unasked);
		reverse(s->due, s->due_count);
	}
	return error;
}

/* ---- instances of epoll(7) ---- */

/*
 * Add the event that epoll would report of TOKEN, an instance.  Returns whether
 * it would report it again, or -errno.
 */
static int
ask_instance(struct backend_state *s, uint32_t token)
{
	struct member *m = &s->members[token];
	struct pollfd p = { present(s, m), (short)m->bits, 0 };
	struct event event;
	int n;

	if (p.fd == CLOSED_FD || p.fd < 0)
		return p.fd < 0 ? p.fd : -EBADF;
	n = poll(&p, 1, 0);
	(void)close(p.fd);
	if (n < 1) {
		m->flags &= (uint8_t)~REPORTED;
		return 0;
	}
	if (over_is_old(s, token))
		return 0;
	m->flags |= REPORTED;
	if ((m->bits & EPOLLONESHOT) != 0)
		m->flags |= DISABLED;
	memset(&event, 0, sizeof event);
	event.token = token;
	event.ident = token;
	event.bits = (uint32_t)p.revents;
	n = over_add_event(s, &event);
	return n != 0 ? n : !over_is_clear(s, token);
}

int
over_ask_instances(struct backend_state *s, size_t max)
{
	size_t kept = 0;
	int again = 0;

	for (size_t i = 0; i < s->due_count; i++) {
		uint32_t token = s->due[i];
		struct member *m = over_member_at(s, token);
		bool stays = again < 0 || s->count == max;

		s->members[token].flags &= (uint8_t)~DUE;
		if (m == NULL || (m->flags & (DISABLED | SAMPLED)) != SAMPLED)
			continue;
		if (!stays)
			again = ask_instance(s, token);
		if (stays || again != 0) {
			m->flags |= DUE;
			s->due[kept++] = token;
		}
	}
	s->due_count = kept;
	return again < 0 ? again : 0;
}

#endif
