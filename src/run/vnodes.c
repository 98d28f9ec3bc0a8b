/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/kqueue.h"
#include "base/deadline.h"
#include "base/flags.h"
#include "output/debug.h"
#include "run/vnodes.h"
#include "sys/fileid.h"

/* ns for which a path that is gone may come back: that is one event. */
#define GRACE (INT64_C(100) * 1000000)

enum state {
	NAMED, /* its path names the file that is watched */
	LEFT, /* it did until a moment ago */
	GONE /* that was reported */
};

struct vnode {
	bool is_followed;
	enum state state;
	uint32_t asked; /* fflags of the user */
	uint32_t seen; /* of the file that lost its name, not reported */
	deadline_t gone; /* of LEFT: when that is reported */
};

struct vnodes {
	const struct targets *targets;
	uint32_t leaves, writes; /* fflags */
	size_t waiting; /* those that are not NAMED */
	size_t cursor; /* vnodes_next's */
	bool began; /* all have been checked once */
	struct vnode list[];
};

int
vnodes_open(struct vnodes **vnodes, struct targets *targets)
{
	const struct flag *words = kqueue_filters[KQUEUE_VNODE].words;
	struct vnodes *v = NULL;
	struct kevent_request *request;

	*vnodes = NULL;
	for (size_t i = 0; targets->kevents != NULL && i < targets->count;
	     i++) {
		request = &targets->kevents[i];
		if (request->filter != KQUEUE_VNODE ||
		    (targets->list[i].flags & TARGET_PATH) == 0)
			continue;
		if (v == NULL)
			v = calloc(1,
			    sizeof *v + targets->count * sizeof *v->list);
		if (v == NULL)
			return -ENOMEM;
		*vnodes = v;
		v->targets = targets;
		v->writes = flags_bit(words, "write");
		v->leaves = flags_bit(words, "delete") |
		    flags_bit(words, "rename");
		v->list[i].is_followed = true;
		v->list[i].asked = request->fflags;
		request->fflags |= v->leaves;
		if (targets->list[i].fd != -1)
			continue;
		v->list[i].state = GONE;
		v->waiting++;
	}
	return 0;
}

void
vnodes_close(struct vnodes *v)
{
	free(v);
}

/* Whether the path of T names the file that it has open: 1, 0, or -errno. */
static int
is_named(const struct target *t)
{
	struct stat st;

	return file_has_name(t->fd, t->name, &st);
}

/* Wait for the path of target INDEX to name a file. */
static void
leave(struct vnodes *v, struct watched *w, uint32_t index, uint32_t fflags)
{
	struct vnode *n = &v->list[index];

	DEBUG("vnodes", "%.*s has lost its file",
	    (int)v->targets->list[index].length, v->targets->list[index].name);
	if (n->state == NAMED)
		v->waiting++;
	if (n->state != LEFT) {
		/* one that was GONE is back, if for a moment: see check */
		n->seen = n->state == GONE ? v->writes : 0;
		n->gone = deadline_in(GRACE);
	}
	n->state = LEFT;
	n->seen |= fflags;
	watched_await(w, index);
}

int
vnodes_take(struct vnodes *v, struct watched *w, struct event *event)
{
	struct vnode *n = v == NULL ? NULL : &v->list[event->token];
	int named = 1;

	if (n == NULL || !n->is_followed)
		return 1;
	if ((event->fflags & v->leaves) != 0)
		named = is_named(&v->targets->list[event->token]);
	if (named < 0)
		return named;
	if (named == 0)
		leave(v, w, event->token, event->fflags);
	/* a new file that is being written: that is a part of its event */
	if (n->state != NAMED)
		return 0;
	event->fflags &= n->asked;
	return event->fflags != 0;
}

/*
 * Set *EVENT for FFLAGS of the kernel, of which those that were not asked for
 * are dropped.  Returns whether any is left.
 */
static bool
make(const struct vnode *n, uint32_t index, uint32_t fflags,
    struct event *event)
{
	*event = (struct event){ .token = index,
		.bits = 1u << KQUEUE_VNODE,
		.flags = flags_bit(kqueue_flags, "clear"),
		.fflags = fflags & n->asked };
	return event->fflags != 0;
}

/* A file that has just been made is about to be written: one event for both. */
static bool
is_unwritten(const struct vnode *n, int fd)
{
	struct stat st;

	return n->state == LEFT && deadline_left(n->gone) != 0 &&
	    fstat(fd, &st) == 0 && st.st_size == 0;
}

/* Whether target INDEX has an event, which *EVENT is then: 1, 0, or -errno. */
static int
check(struct vnodes *v, struct watched *w, uint32_t index, struct event *event)
{
	struct vnode *n = &v->list[index];
	const struct target *t = &v->targets->list[index];
	uint32_t fflags;
	int named;

	if (t->fd == -1) {
		if (n->state != LEFT || deadline_left(n->gone) != 0)
			return 0;
		n->state = GONE;
		return make(n, index, n->seen, event);
	}
	if (n->state == NAMED || is_unwritten(n, t->fd))
		return 0;
	/* it may have been replaced before it was watched */
	named = is_named(t);
	if (named < 0)
		return named;
	fflags = n->state == LEFT ? n->seen | v->writes : v->writes;
	n->state = NAMED;
	v->waiting--;
	watched_returned(w, index);
	if (named == 0) {
		leave(v, w, index, fflags);
		return 0;
	}
	return make(n, index, fflags, event);
}

/*
 * What happened between the open and the wait is not reported by it.  Returns 0
 * or -errno.
 */
static int
begin(struct vnodes *v, struct watched *w, struct event *event)
{
	int named;

	v->began = true;
	for (uint32_t i = 0; i < v->targets->count; i++) {
		if (!v->list[i].is_followed || v->list[i].state != NAMED)
			continue;
		event->token = i;
		named = is_named(&v->targets->list[i]);
		if (named < 0)
			return named;
		if (named == 0)
			leave(v, w, i, v->leaves);
	}
	return 0;
}

int
vnodes_next(struct vnodes *v, struct watched *w, struct event *event)
{
	int n;

	if (v == NULL)
		return 0;
	n = v->began ? 0 : begin(v, w, event);
	while (n == 0 && v->waiting > 0 && v->cursor < v->targets->count) {
		event->token = (uint32_t)v->cursor;
		if (v->list[v->cursor++].is_followed)
			n = check(v, w, event->token, event);
	}
	if (n == 0)
		v->cursor = 0;
	return n;
}

int64_t
vnodes_left(const struct vnodes *v)
{
	deadline_t first = DEADLINE_NEVER;

	if (v == NULL)
		return -1;
	if (!v->began)
		return 0;
	for (size_t i = 0; v->waiting > 0 && i < v->targets->count; i++)
		if (v->list[i].is_followed && v->list[i].state == LEFT)
			first = deadline_sooner(first, v->list[i].gone);
	return deadline_left(first);
}
