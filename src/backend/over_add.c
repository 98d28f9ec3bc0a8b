/* SPDX-License-Identifier: ISC */
/*
 * over_add.c - members of kqueue and epoll, which check a descriptor when it is
 * added.
 */
#include "config.h"

#include "backend/over_internal.h"

#ifdef OVER_HERE

#include <sys/epoll.h>

#include <errno.h>
#include <unistd.h>

#include "sys/foreign.h"
#include "sys/foreign_table.h"

/* Ask the queue whether it takes the kevent of TOKEN at all. */
static int
try_kevent(struct backend_state *s, uint32_t token, int fd)
{
	struct kevent_request *r = &s->requests[token];
	int error;

	*r = s->given[token];
	r->flags |= flags_bit(kqueue_flags, "add") |
	    flags_bit(kqueue_flags, "enable");
	r->flags &= ~(flags_bit(kqueue_flags, "delete") |
	    flags_bit(kqueue_flags, "disable") |
	    flags_bit(kqueue_flags, "receipt"));
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
	bool clear = over_is_clear(s, token);
	int error;

	if ((!s->lasting && !clear) || (m->flags & (REGISTERED | SAMPLED)) != 0)
		return over_make_due(s, token);
	error = over_enter_or_sample(s, token, fd);
	if (error != 0 || (clear && (m->flags & REGISTERED) != 0))
		return error;
	return over_make_due(s, token);
}

/* Change member TOKEN, of which FD is a copy, as its kevent says. */
static int
change_kevent(struct backend_state *s, uint32_t token, int handle, int fd)
{
	uint32_t flags = s->given[token].flags;
	struct member *m = over_member_at(s, token);
	int error;

	if (m != NULL &&
	    (foreign_of(m->fd)->closed ||
		((m->flags & REGISTERED) != 0 && !over_is_entry(s, m, fd)))) {
		(void)over_drop(s, token);
		m = NULL;
	}
	if (m == NULL && !over_has_flag(flags, "add"))
		return -ENOENT;
	if (m != NULL && over_has_flag(flags, "delete"))
		return over_drop(s, token);
	if ((error = try_kevent(s, token, fd)) != 0)
		return error;
	if (m == NULL) {
		m = &s->members[token];
		m->fd = handle;
		m->flags = (uint8_t)(MEMBER | (m->flags & DUE));
		foreign_of(handle)->closed = false;
	}
	if (over_has_flag(flags, "disable"))
		m->flags |= DISABLED;
	else if (over_has_flag(flags, "enable"))
		m->flags &= (uint8_t)~DISABLED;
	return begin(s, token, fd);
}

int
over_add_kevent(struct backend_state *s, uint32_t token, int handle)
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
	return over_make_due(s, token);
}

int
over_add_epoll(struct backend_state *s, uint32_t token, int handle)
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
	error = f->instance ? add_instance(s, token) : over_enter(s, token, fd);
	(void)close(fd);
	/* it is another number of that file, and none is left here */
	if (error == -EEXIST)
		error = -EMFILE;
	if (error == 0)
		f->in = s;
	s->waking |= error == 0;
	return error;
}

#endif
