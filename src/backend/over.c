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
#include "base/pmux.h"
#include "sys/foreign.h"
#include "sys/foreign_table.h"
#include "sys/process.h"

#if defined(HAVE_EPOLL_CREATE1) && defined(__linux__)

#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend/kqueue.h"
#include "sys/fdplace.h"
#include "sys/fileid.h"

/* Copies that are open at a time; the limit of files may be low. */
#define BATCH 16

/* Events that are read from the bell at a time. */
#define RINGS 64

/* kcmp(2) goes through all entries: of more, a copy is sooner compared. */
#define MANY 256

#define FIRST_KEY (STDERR_FILENO + 1)

/* A check for closed descriptors may take 1/SHARE of the time. */
#define SHARE 50

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
	int key; /* number under which it is registered */
	uint32_t bits;
	uint32_t generation; /* entries of earlier ones are stale */
	uint8_t flags;
};

struct backend_state {
	const struct backend *base;
	struct backend_state *own; /* pmux's own descriptors */
	struct backend_state *asked;
	const struct kevent_request *given; /* kqueue */
	struct kevent_request *requests; /* those that ASKED gets */
	size_t request_count;
	struct member *members;
	uint32_t capacity;
	uint32_t *due;
	size_t due_count, due_capacity;
	struct event *events;
	size_t count, cursor, event_capacity;
	size_t registered;
	int64_t next_check; /* monotonic ns */
	int bell; /* -1: none */
	int key; /* to be tried next */
	bool shared; /* some have one key */
	bool waking; /* some wake from it */
	bool lasting;
};

static int64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool
is_epoll(const struct backend_state *s)
{
	return s->base == &backend_epoll;
}

/* ---- members ---- */

static struct member *
member_at(struct backend_state *s, uint32_t token)
{
	return token < s->capacity && (s->members[token].flags & MEMBER) != 0 ?
	    &s->members[token] :
	    NULL;
}

static int
reserve(struct backend_state *s, uint32_t token)
{
	uint32_t wanted = token + token / 2 + 16;
	struct member *members;

	if (token < s->capacity)
		return 0;
	members = realloc(s->members, wanted * sizeof *members);
	if (members == NULL)
		return -ENOMEM;
	memset(members + s->capacity, 0,
	    (wanted - s->capacity) * sizeof *members);
	s->members = members;
	s->capacity = wanted;
	return 0;
}

/* Ask about TOKEN next time.  Returns 0 or -ENOMEM. */
static int
make_due(struct backend_state *s, uint32_t token)
{
	size_t wanted = 2 * s->due_capacity + BATCH;
	uint32_t *due;

	if ((s->members[token].flags & (DUE | DISABLED)) != 0)
		return 0;
	if (s->due_count == s->due_capacity) {
		due = realloc(s->due, wanted * sizeof *due);
		if (due == NULL)
			return -ENOMEM;
		s->due = due;
		s->due_capacity = wanted;
	}
	s->members[token].flags |= DUE;
	s->due[s->due_count++] = token;
	return 0;
}

static int
add_event(struct backend_state *s, const struct event *event)
{
	size_t wanted = 2 * s->event_capacity + BATCH;
	struct event *events;

	if (s->count == s->event_capacity) {
		events = realloc(s->events, wanted * sizeof *events);
		if (events == NULL)
			return -ENOMEM;
		s->events = events;
		s->event_capacity = wanted;
	}
	s->events[s->count++] = *event;
	return 0;
}

/* Tokens of OWN: the first is the bell's, but kqueue's are its requests. */
static uint32_t
own_token(const struct backend_state *s, uint32_t token)
{
	return s->base->requests != NULL || is_epoll(s) ? token : token + 1;
}

static uint32_t
bell_token(const struct backend_state *s)
{
	return s->base->requests != NULL ? UINT32_MAX : 0;
}

/* ---- the bell ---- */

static int
open_bell(struct backend_state *s)
{
	int error;

	if (is_epoll(s) || s->bell >= 0)
		return 0;
	s->bell = fdplace(epoll_create1(EPOLL_CLOEXEC));
	if (s->bell < 0)
		return s->bell;
	/* the first flag of each primitive is its input event: read, in */
	error = s->base->add(s->own, bell_token(s), s->bell,
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
	(void)s->base->remove(s->own, bell_token(s), s->bell);
	(void)close(s->bell);
	s->bell = -1;
	s->key = FIRST_KEY;
	s->shared = false;
}

static int
bell_of(struct backend_state *s)
{
	return is_epoll(s) ? s->base->number(s->own) : s->bell;
}

/* The events of epoll(7) that can set BITS; errors and hangups always ring. */
static uint32_t
rings(const struct backend_state *s, uint32_t token, uint32_t bits)
{
	uint32_t events = EPOLLET;

	if (s->base->requests != NULL)
		bits = 1u << s->requests[token].filter;
	if ((bits & s->base->mask_read) != 0)
		events |= EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND |
		    EPOLLRDHUP | EPOLLMSG;
	if ((bits & s->base->mask_write) != 0)
		events |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
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
	return is_epoll(s) ?
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
	int fd = fcntl(copy, F_DUPFD_CLOEXEC, s->key);

	if (fd == -1) {
		s->shared = true;
		s->key = FIRST_KEY;
		fd = fcntl(copy, F_DUPFD_CLOEXEC, s->key);
	}
	if (fd == -1)
		return copy;
	s->key = fd + 1;
	return fd;
}

/*
 * Register member TOKEN, of which COPY is a copy.  Two numbers of one file are
 * two entries: the second wants a number where the first is not.
 */
static int
enter(struct backend_state *s, uint32_t token, int copy)
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

/*
 * The same.  Files that epoll does not take are sampled: those without a poll
 * function, instances that are nested too deep, and more numbers of one file
 * than pmux has.
 */
static int
enter_or_sample(struct backend_state *s, uint32_t token, int copy)
{
	int error = foreign_of(s->members[token].fd)->instance ?
	    -EPERM :
	    enter(s, token, copy);

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

/* Whether FD, a copy, is the file of M's entry; without kcmp(2), too. */
static bool
is_entry(struct backend_state *s, const struct member *m, int fd)
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

/* Whether M's owner still has that file under that number. */
static bool
is_open(struct backend_state *s, const struct member *m)
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
	same = is_entry(s, m, fd);
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
	error = is_epoll(s) ? s->base->remove(s->own, token, m->key) :
			      control(s, EPOLL_CTL_DEL, token, m->key);
	process_return(&loan);
	return error;
}

static int
drop(struct backend_state *s, uint32_t token)
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
			(void)make_due(s, i);
		}
	s->registered = 0;
}

/* The bell has rung.  Returns 0 or -errno. */
static int
answer_bell(struct backend_state *s)
{
	struct epoll_event rung[RINGS];
	bool stale = false;
	int n, error = 0;

	do {
		n = epoll_wait(s->bell, rung, RINGS, 0);
		for (int i = 0; i < n && error == 0; i++) {
			uint32_t token = (uint32_t)rung[i].data.u64;
			struct member *m = member_at(s, token);

			if (m == NULL ||
			    m->generation != rung[i].data.u64 >> 32)
				stale = true;
			else
				error = make_due(s, token);
		}
	} while (n == RINGS && error == 0);
	if (stale)
		renew(s);
	return error;
}

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
		struct member *m = member_at(s, i);
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
			if (!ended && is_open(s, m))
				continue;
			f->closed = true;
			if (is_epoll(s))
				error = -EBADF;
		}
		if (error == 0)
			error = make_due(s, i);
	}
	return error;
}

/* A check that began at BEGUN is over: set the time of the next one. */
static void
plan(struct backend_state *s, int64_t begun)
{
	int64_t end = now(), cost = end - begun;

	s->next_check = end +
	    (cost > FOREIGN_PAUSE / SHARE ? cost * SHARE : FOREIGN_PAUSE);
}

/* Whether it is time for a check. */
static bool
is_check_due(const struct backend_state *s)
{
	return s->waking && s->next_check <= now();
}

/* TIMEOUT, shortened so that the next check is not late. */
static int64_t
until_check(const struct backend_state *s, int64_t timeout)
{
	int64_t left = s->next_check - now();

	if (!s->waking)
		return timeout;
	if (left < 0)
		left = 0;
	return timeout == -1 || left < timeout ? left : timeout;
}

/* ---- questions ---- */

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
	if (is_entry(s, m, fd))
		return fd;
	(void)close(fd);
	f->closed = true;
	return CLOSED_FD;
}

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

static uint32_t
flag(const char *name)
{
	const struct flag *f = kqueue_flags;

	while (*f->name != '\0' && strcmp(f->name, name) != 0)
		f++;
	return f->bit;
}

/* Whether TOKEN asks for changes only. */
static bool
is_clear(const struct backend_state *s, uint32_t token)
{
	if (s->base->requests == NULL)
		return (s->members[token].bits & s->base->flag_edge) != 0;
	return (s->requests[token].flags & flag("clear")) != 0 ||
	    (s->members[token].bits & KQUEUE_CLEAR) != 0;
}

/* Whether TOKEN, which has no bell, was reported before and has not changed. */
static bool
is_old(const struct backend_state *s, uint32_t token)
{
	const struct member *m = &s->members[token];

	return (m->flags & REPORTED) != 0 && foreign_of(m->fd)->instance &&
	    is_clear(s, token);
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
		if (is_old(s, q[i].token))
			continue;
		s->members[q[i].token].flags |= REPORTED;
		event.token = q[i].token;
		event.ident = (uint64_t)foreign_number(
		    s->members[q[i].token].fd);
		error = add_event(s, &event);
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
	if ((flags & flag("oneshot")) != 0)
		(void)drop(s, token);
	else if ((flags & flag("dispatch")) != 0)
		s->members[token].flags |= DISABLED;
	return (flags & (flag("oneshot") | flag("dispatch"))) == 0 &&
	    !is_clear(s, token);
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
		(void)drop(s, q->token);
	if ((m->flags & MEMBER) == 0 || q->fd == CLOSED_FD)
		return stays;
	if (!arm && !q->answered && (m->flags & REGISTERED) == 0)
		return true;
	if (arm && (m->flags & (REGISTERED | SAMPLED)) == 0 && !stays)
		*error = enter_or_sample(s, q->token, q->fd);
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
		struct member *m = member_at(s, s->due[*at]);

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

/*
 * Ask about all members that are due, for MAX events at most, and the next time
 * begin with those that were not asked.  If ARM, register those that are not
 * ready.  Returns 0 or -errno.
 */
static int
ask(struct backend_state *s, size_t max, bool arm)
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
	s->next_check = now() + FOREIGN_PAUSE;
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

/* Ask the queue whether it takes the kevent of TOKEN at all. */
static int
try_kevent(struct backend_state *s, uint32_t token, int fd)
{
	struct kevent_request *r = &s->requests[token];
	int error;

	*r = s->given[token];
	r->flags |= flag("add") | flag("enable");
	r->flags &= ~(flag("delete") | flag("disable") | flag("receipt"));
	error = s->base->add(s->asked, token, fd, s->members[token].bits);
	if (error == 0)
		(void)s->base->remove(s->asked, token, fd);
	return error;
}

/*
 * Make member TOKEN, of which FD is a copy, due; one that asks for changes only
 * becomes due when the bell rings, which it does at once if FD is ready.  In an
 * object that lasts the member is registered at once, too, so that a file that
 * gets its number before the wait is not taken for it.
 */
static int
begin(struct backend_state *s, uint32_t token, int fd)
{
	const struct member *m = &s->members[token];
	bool clear = is_clear(s, token);
	int error;

	if ((!s->lasting && !clear) || (m->flags & (REGISTERED | SAMPLED)) != 0)
		return make_due(s, token);
	error = enter_or_sample(s, token, fd);
	if (error != 0 || (clear && (m->flags & REGISTERED) != 0))
		return error;
	return make_due(s, token);
}

/* Change member TOKEN, of which FD is a copy, as its kevent says. */
static int
change_kevent(struct backend_state *s, uint32_t token, int handle, int fd)
{
	uint32_t flags = s->given[token].flags;
	struct member *m = member_at(s, token);
	int error;

	if (m != NULL &&
	    (foreign_of(m->fd)->closed ||
		((m->flags & REGISTERED) != 0 && !is_entry(s, m, fd)))) {
		(void)drop(s, token);
		m = NULL;
	}
	if (m == NULL && (flags & flag("add")) == 0)
		return -ENOENT;
	if (m != NULL && (flags & flag("delete")) != 0)
		return drop(s, token);
	if ((error = try_kevent(s, token, fd)) != 0)
		return error;
	if (m == NULL) {
		m = &s->members[token];
		m->fd = handle;
		m->flags = (uint8_t)(MEMBER | (m->flags & DUE));
		foreign_of(handle)->closed = false;
	}
	if ((flags & flag("disable")) != 0)
		m->flags |= DISABLED;
	else if ((flags & flag("enable")) != 0)
		m->flags &= (uint8_t)~DISABLED;
	return begin(s, token, fd);
}

static int
add_kevent(struct backend_state *s, uint32_t token, int handle)
{
	int fd, error;

	if (token >= s->request_count)
		return -ENOMEM;
	fd = foreign_borrow(handle);
	if (fd < 0) {
		foreign_of(handle)->closed |= fd == -EBADF || fd == -ESRCH;
		return fd;
	}
	error = change_kevent(s, token, handle, fd);
	(void)close(fd);
	return error;
}

/* As epoll_ctl(2), which lets no instance be waited for exclusively. */
static int
add_instance(struct backend_state *s, uint32_t token)
{
	struct member *m = &s->members[token];

	if ((m->bits & EPOLLEXCLUSIVE) != 0)
		return -EINVAL;
	m->flags |= SAMPLED;
	return make_due(s, token);
}

/* As epoll_ctl(2), which checks the descriptor at once. */
static int
add_epoll(struct backend_state *s, uint32_t token, int handle)
{
	struct foreign *f = foreign_of(handle);
	int fd, error;

	/* the same one twice, which the primitive refuses */
	if (f->in == s)
		return -EEXIST;
	fd = foreign_borrow(handle);
	if (fd < 0) {
		f->closed |= fd == -EBADF || fd == -ESRCH;
		return fd;
	}
	error = f->instance ? add_instance(s, token) : enter(s, token, fd);
	(void)close(fd);
	/* it is another number of that file, and none is left here */
	if (error == -EEXIST)
		error = -EMFILE;
	if (error == 0)
		f->in = s;
	s->waking |= error == 0;
	return error;
}

static int
over_add(struct backend_state *s, uint32_t token, int fd, uint32_t bits)
{
	struct member *m;
	int error;

	if (!foreign_is(fd))
		return s->base->add(s->own, own_token(s, token), fd, bits);
	if ((error = reserve(s, token)) != 0)
		return error;
	m = &s->members[token];
	m->bits = bits;
	if (s->base->requests != NULL)
		return add_kevent(s, token, fd);
	if ((m->flags & MEMBER) != 0)
		(void)drop(s, token);
	m->fd = fd;
	m->flags |= MEMBER;
	foreign_of(fd)->closed = false;
	error = is_epoll(s) ? add_epoll(s, token, fd) : make_due(s, token);
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
	return member_at(s, token) == NULL ? -ENOENT : drop(s, token);
}

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
	if (is_old(s, token))
		return 0;
	m->flags |= REPORTED;
	if ((m->bits & EPOLLONESHOT) != 0)
		m->flags |= DISABLED;
	memset(&event, 0, sizeof event);
	event.token = token;
	event.ident = token;
	event.bits = (uint32_t)p.revents;
	n = add_event(s, &event);
	return n != 0 ? n : !is_clear(s, token);
}

/* Ask all instances that are due, for MAX events.  Returns 0 or -errno. */
static int
ask_instances(struct backend_state *s, size_t max)
{
	size_t kept = 0;
	int again = 0;

	for (size_t i = 0; i < s->due_count; i++) {
		uint32_t token = s->due[i];
		struct member *m = member_at(s, token);
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

static int
wait_epoll(struct backend_state *s, size_t max, int64_t timeout)
{
	bool checks = timeout != 0 && is_check_due(s);
	int64_t begun = now();
	int error = checks ? check_members(s) : 0, n;

	s->count = s->cursor = 0;
	if (error == 0)
		error = ask_instances(s, max);
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
		if (event.token == bell_token(s)) {
			rung = 1;
			continue;
		}
		event.token -= own_token(s, 0);
		error = add_event(s, &event);
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
	int64_t begun;

	if (is_epoll(s))
		return wait_epoll(s, max, timeout);
	/* the others report all events, as they do without this file */
	if (s->base->requests == NULL)
		max = SIZE_MAX;
	s->count = s->cursor = 0;
	error = ask(s, max, arm);
	if (error != 0)
		return error;
	none = s->count == 0;
	if (s->count < max)
		rung = wait_own(s, max - s->count,
		    s->count > 0 ? 0 : until_check(s, timeout));
	if (rung < 0)
		return rung;
	if (rung == 1)
		error = answer_bell(s);
	checks = is_check_due(s);
	begun = now();
	if (error == 0 && checks)
		error = check_members(s);
	if (error == 0 && none)
		error = ask(s, max, arm);
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
		return is_epoll(s) ? s->base->next(s->own, event) : 0;
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
