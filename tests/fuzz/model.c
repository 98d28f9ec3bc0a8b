/* SPDX-License-Identifier: ISC */
/*
 * model.c - a simple model of FreeBSD's queue: a list of knotes, all of them
 * checked at every call.
 *
 * Where systems may differ without harm, both answers are accepted: that is so
 * for an EV_CLEAR knote after an operation that need not make it ready again.
 */
#include "fuzz.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STORED (EV_ONESHOT | EV_CLEAR | EV_RECEIPT | EV_DISPATCH)
#define HUGE_DATA ((int64_t)1 << 40)
#define UNITS (NOTE_SECONDS | NOTE_MSECONDS | NOTE_USECONDS | NOTE_NSECONDS)

struct note {
	bool used;
	int queue;
	uintptr_t ident;
	int filter;
	unsigned flags;
	unsigned fflags;
	int64_t data;
	void *udata;
	const struct object *object;
	bool disabled;
	bool active; /* must be reported if ready */
	bool touched; /* may be reported */
	unsigned seen, perhaps; /* VNODE: since reported */
	bool triggered; /* USER; TIMER: expired */
	int64_t count; /* SIGNAL */
};

/* The present state of a knote. */
struct view {
	enum truth ready;
	unsigned flags;
	int64_t least, most;
	unsigned sure, perhaps; /* fflags */
};

static struct note notes[KNOTES], ghosts[KNOTES];
static bool renewed
    [QUEUES]; /* the queue may be rebuilt once, which checks all knotes */

static struct view view_of(const struct note *n);

static struct note *
find(int queue, int filter, uintptr_t ident)
{
	for (size_t i = 0; i < KNOTES; i++)
		if (notes[i].used && notes[i].queue == queue &&
		    notes[i].filter == filter && notes[i].ident == ident)
			return &notes[i];
	return NULL;
}

static struct note *
new_note(struct note *list)
{
	for (size_t i = 0; i < KNOTES; i++)
		if (!list[i].used) {
			memset(&list[i], 0, sizeof list[i]);
			list[i].used = true;
			return &list[i];
		}
	fail("the model is too small");
}

static bool
is_descriptor(int filter)
{
	return filter == EVFILT_READ || filter == EVFILT_WRITE ||
	    filter == EVFILT_VNODE;
}

/* ---- whether it is ready ---- */

static bool
ended(const struct object *o)
{
	return o->peer->numbers == 0 || o->peer->shut;
}

static bool
is_clear(const struct note *n)
{
	return (n->flags & EV_CLEAR) != 0;
}

static enum truth
expected(const struct note *n, struct view *v)
{
	*v = view_of(n);
	if (n->disabled || v->ready == NO)
		return NO;
	if (n->filter != EVFILT_READ && n->filter != EVFILT_WRITE)
		return v->ready;
	/* the events in a queue may change in many ways */
	if (n->object->kind == QUEUE)
		return is_clear(n) ? MAYBE : v->ready;
	/* no kernel reports reading or seeking in a file */
	if (n->object->kind == PLAIN && !is_clear(n))
		return n->active ? YES : MAYBE;
	if (!is_clear(n))
		return v->ready;
	if (n->active && v->ready == YES)
		return YES;
	return n->active || n->touched || renewed[n->queue] ? MAYBE : NO;
}

static void
view_queue(int queue, struct view *v)
{
	struct view inner;
	enum truth t;

	v->least = v->most = 0;
	for (size_t i = 0; i < KNOTES; i++)
		if (notes[i].used && notes[i].queue == queue) {
			t = expected(&notes[i], &inner);
			v->least += t == YES;
			v->most += t != NO;
		}
	v->ready = v->least > 0 ? YES : v->most > 0 ? MAYBE : NO;
}

static void
view_socket(const struct note *n, struct view *v)
{
	const struct object *o = n->object;
	int64_t wanted = 1;

	if (n->filter == EVFILT_WRITE) {
		v->least = 1;
		v->ready = (n->fflags & NOTE_LOWAT) != 0 &&
			n->data >= HUGE_DATA ?
		    NO :
		    YES;
		if (o->shut || o->peer->numbers == 0) {
			v->ready = YES;
			v->flags = EV_EOF;
			v->least = 0;
		}
	} else {
		v->least = v->most = o->bytes;
		if ((n->fflags & NOTE_LOWAT) != 0 && n->data > 1)
			wanted = n->data;
		v->ready = o->bytes >= wanted || ended(o) ? YES : NO;
		v->flags = ended(o) ? EV_EOF : 0;
	}
	if (o->reset)
		v->perhaps = ~0u;
}

static void
view_pipe(const struct note *n, struct view *v)
{
	const struct object *o = n->object;

	if (n->filter == EVFILT_READ && o->kind == PIPE_READ) {
		v->least = v->most = o->bytes;
		v->ready = o->bytes > 0 || ended(o) ? YES : NO;
		v->flags = ended(o) ? EV_EOF : 0;
	} else if (n->filter == EVFILT_WRITE && o->kind == PIPE_WRITE) {
		v->ready = o->full == YES ? NO : o->full == NO ? YES : MAYBE;
		v->least = o->full == NO;
		if (ended(o)) {
			v->ready = YES;
			v->flags = EV_EOF | EV_ONESHOT;
			v->least = 0;
		}
	} else if (ended(o)) { /* the wrong end */
		v->ready = MAYBE;
		v->flags = n->filter == EVFILT_READ ? EV_EOF : 0;
	}
}

static void
view_descriptor(const struct note *n, struct view *v)
{
	const struct object *o = n->object;

	switch (o->kind) {
	case PLAIN:
		if (n->filter == EVFILT_READ)
			v->least = o->file->size - o->offset;
		v->most = v->least;
		v->ready = n->filter == EVFILT_WRITE || v->least != 0 ? YES :
									NO;
		break;
	case QUEUE:
		view_queue(o->queue, v);
		break;
	case SOCKET:
		view_socket(n, v);
		break;
	default:
		view_pipe(n, v);
		break;
	}
	if ((n->fflags & NOTE_NODATA) != 0) {
		v->least = v->least < 0 ? v->least : 0;
		v->most = HUGE_DATA;
	}
}

static struct view
view_of(const struct note *n)
{
	struct view v = { NO, 0, 0, HUGE_DATA, 0, 0 };

	switch (n->filter) {
	case EVFILT_READ:
	case EVFILT_WRITE:
		view_descriptor(n, &v);
		return v;
	case EVFILT_VNODE:
		v.most = 0;
		v.ready = n->seen != 0 ? YES : n->perhaps != 0 ? MAYBE : NO;
		v.sure = n->seen;
		v.perhaps = n->perhaps;
		return v;
	case EVFILT_SIGNAL:
		v.least = v.most = n->count;
		v.ready = n->count > 0 ? YES : NO;
		return v;
	case EVFILT_TIMER:
		v.least = v.most = 1;
		break;
	default:
		v.least = v.most = n->data;
		v.sure = n->fflags;
		break;
	}
	v.ready = n->triggered ? YES : NO;
	return v;
}

/* A kernel checks N: if it is ready, that must be reported. */
static void
evaluate(struct note *n)
{
	struct view v = view_of(n);

	n->touched = true;
	if (!n->disabled && v.ready == YES)
		n->active = true;
}

/* ---- changes of the world ---- */

void
model_start(void)
{
	memset(notes, 0, sizeof notes);
	memset(ghosts, 0, sizeof ghosts);
	memset(renewed, 0, sizeof renewed);
}

void
model_queue_gone(int queue)
{
	for (size_t i = 0; i < KNOTES; i++) {
		if (notes[i].queue == queue)
			notes[i].used = false;
		if (ghosts[i].queue == queue)
			ghosts[i].used = false;
	}
}

void
model_close(int fd, const struct object *object)
{
	struct note *n;

	for (size_t i = 0; i < KNOTES; i++) {
		n = &notes[i];
		if (!n->used || !is_descriptor(n->filter) ||
		    n->ident != (uintptr_t)fd)
			continue;
		/* epoll(7) keeps reporting a file that is open elsewhere */
		if (object->numbers > 1)
			renewed[n->queue] = true;
		*new_note(ghosts) = *n;
		n->used = false;
	}
}

static bool
same_file(const struct object *a, const struct object *b)
{
	return a == b || (a->kind == PLAIN && a->file == b->file);
}

/*
 * Linux cannot detect that a file was closed and is open again at the same
 * number; so the knote is deleted.
 */
void
model_open(int fd, const struct object *object)
{
	struct kevent change;
	struct slot *queue;
	struct note *g;

	for (size_t i = 0; i < KNOTES; i++) {
		g = &ghosts[i];
		if (!g->used || g->ident != (uintptr_t)fd ||
		    !same_file(object, g->object))
			continue;
		g->used = false;
		if ((queue = queue_slot(g->queue)) == NULL)
			continue;
		EV_SET(&change, fd, g->filter, EV_DELETE, 0, 0, NULL);
		(void)kevent(queue->fd, &change, 1, NULL, 0, NULL);
	}
}

void
model_deed(const struct object *object, enum deed deed)
{
	struct note *n;

	for (size_t i = 0; i < KNOTES; i++) {
		n = &notes[i];
		if (!n->used || n->object != object)
			continue;
		n->touched = true;
		if ((deed == ARRIVED && n->filter == EVFILT_READ) ||
		    deed == ENDED)
			evaluate(n);
		/* a kernel that looks just now sees nothing */
		if (object->kind == PLAIN && view_of(n).ready != YES)
			n->active = false;
	}
}

static void
note_file(struct note *n, unsigned must_see, unsigned may_see)
{
	if (n->filter != EVFILT_VNODE) {
		n->touched = true;
		if ((must_see & NOTE_WRITE) != 0)
			evaluate(n);
		if (view_of(n).ready != YES)
			n->active = false;
		return;
	}
	if ((n->fflags & must_see) != 0)
		n->seen |= must_see;
	if ((n->fflags & may_see) != 0)
		n->perhaps |= may_see;
}

void
model_note(const struct file *file, unsigned must_see, unsigned may_see)
{
	for (size_t i = 0; i < KNOTES; i++)
		if (notes[i].used && notes[i].object != NULL &&
		    notes[i].object->file == file)
			note_file(&notes[i], must_see, may_see);
}

void
model_signal(int number)
{
	for (size_t i = 0; i < KNOTES; i++)
		if (notes[i].used && notes[i].filter == EVFILT_SIGNAL &&
		    notes[i].ident == (uintptr_t)number)
			notes[i].count++;
}

/* ---- changes ---- */

static const struct object *
object_of(uintptr_t fd)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i].object != NULL && (uintptr_t)slots[i].fd == fd)
			return slots[i].object;
	return NULL;
}

static int
refused_object(int filter, const struct object *o)
{
	if (filter == EVFILT_VNODE)
		return o->kind == PLAIN ? 0 : EINVAL;
	if (filter == EVFILT_WRITE && o->kind == QUEUE)
		return EINVAL;
	if (filter == EVFILT_WRITE && o->kind == PIPE_WRITE &&
	    o->peer->numbers == 0)
		return EPIPE;
	return 0;
}

static int
set_timer(struct note *n, const struct kevent *c)
{
	unsigned units = c->fflags & UNITS;

	if (c->data < 0 || (units & (units - 1)) != 0 ||
	    (c->fflags & ~(unsigned)(UNITS | NOTE_ABSTIME)) != 0)
		return EINVAL;
	n->triggered = (c->fflags & NOTE_ABSTIME) != 0 && c->data < 1000000;
	return 0;
}

static unsigned
combined(unsigned have, unsigned change)
{
	unsigned bits = change & NOTE_FFLAGSMASK;

	switch (change & NOTE_FFCTRLMASK) {
	case NOTE_FFAND:
		return have & bits;
	case NOTE_FFOR:
		return have | bits;
	case NOTE_FFCOPY:
		return bits;
	default:
		return have;
	}
}

static int
add(int queue, const struct kevent *c, const struct object *o)
{
	struct note *n;
	int error = o != NULL ? refused_object(c->filter, o) : 0;

	if (error != 0)
		return error;
	n = new_note(notes);
	n->queue = queue;
	n->ident = c->ident;
	n->filter = c->filter;
	n->flags = c->flags & STORED;
	n->fflags = c->fflags;
	n->data = c->data;
	n->udata = c->udata;
	n->object = o;
	n->disabled = (c->flags & (EV_DISABLE | EV_ENABLE)) == EV_DISABLE;
	if (c->filter == EVFILT_TIMER && (error = set_timer(n, c)) != 0) {
		n->used = false;
		return error;
	}
	if (c->filter == EVFILT_SIGNAL)
		n->flags |= EV_CLEAR;
	if (c->filter == EVFILT_TIMER && (c->fflags & NOTE_ABSTIME) == 0)
		n->flags |= EV_CLEAR;
	if (c->filter == EVFILT_USER)
		n->fflags &= NOTE_FFLAGSMASK;
	evaluate(n);
	return 0;
}

static int
modify(struct note *n, const struct kevent *c)
{
	int error;

	/* a refused change has no effect */
	if (n->filter == EVFILT_TIMER && (c->flags & EV_ADD) != 0 &&
	    (error = set_timer(n, c)) != 0)
		return error;
	n->udata = c->udata;
	if (n->filter == EVFILT_USER) {
		if ((c->fflags & NOTE_TRIGGER) != 0)
			n->triggered = true;
		if ((c->flags & EV_CLEAR) != 0)
			n->triggered = false;
		n->fflags = combined(n->fflags, c->fflags);
	} else
		n->fflags = c->fflags;
	n->data = c->data;
	if ((c->flags & EV_ENABLE) != 0)
		n->disabled = false;
	else if ((c->flags & EV_DISABLE) != 0)
		n->disabled = true;
	evaluate(n);
	return 0;
}

/* Returns the errno value. */
static int
apply(int queue, struct kevent *c)
{
	const struct object *o = NULL;
	struct note *n;
	int error;

	if (c->filter > -1 || c->filter < -11 || c->filter == -9 ||
	    c->filter == -10)
		return EINVAL;
	if (is_descriptor(c->filter) && (o = object_of(c->ident)) == NULL)
		return EBADF;
	n = find(queue, c->filter, c->ident);
	if (n == NULL) {
		if ((c->flags & EV_ADD) == 0)
			return ENOENT;
		error = add(queue, c, o);
		c->fflags = 0;
		return error;
	}
	if ((c->flags & EV_DELETE) != 0) {
		n->used = false;
		return 0;
	}
	return modify(n, c);
}

/* ---- changes at random ---- */

static void
wish_descriptor(struct kevent *c, struct random *r, int queue)
{
	static const int filters[] = { EVFILT_READ, EVFILT_READ, EVFILT_WRITE,
		EVFILT_VNODE };
	static const unsigned marks[] = { 0, 0, 0, NOTE_LOWAT, NOTE_NODATA,
		NOTE_LOWAT | NOTE_NODATA };
	static const int64_t sizes[] = { 0, 1, 2, 5, -1, HUGE_DATA };
	struct slot *s = &slots[random_below(r, SLOTS)];

	c->filter = (short)filters[random_below(r, COUNT(filters))];
	if (s->object != NULL && s->object->kind == PLAIN &&
	    random_below(r, 3) == 0)
		c->filter = EVFILT_VNODE;
	c->ident = (uintptr_t)(s->object != NULL ? s->fd : 900 + (s - slots));
	c->fflags = marks[random_below(r, COUNT(marks))];
	c->data = sizes[random_below(r, COUNT(sizes))];
	if (c->filter == EVFILT_VNODE)
		c->fflags = random_below(r, 0x40);
	/* no queue in itself, nor by way of another */
	if (s->object != NULL && s->object->kind == QUEUE &&
	    s->object->queue <= queue)
		c->filter = EVFILT_VNODE;
	if (random_below(r, 40) == 0)
		c->ident |= (uintptr_t)1 << (30 + random_below(r, 20));
}

static void
wish_timer(struct kevent *c, struct random *r)
{
	static const unsigned units[] = { 0, NOTE_SECONDS, NOTE_MSECONDS };
	bool switched;

	c->filter = EVFILT_TIMER;
	c->ident = random_below(r, TIMERS) + 1;
	c->fflags = units[random_below(r, COUNT(units))];
	c->data = INT64_C(1000000000) << random_below(r, 24);
	if (random_below(r, 2) == 0) {
		c->fflags |= NOTE_ABSTIME;
		c->data = random_below(r, 2) * 1000;
	}
	/* whether a refused change enables the knote is undefined */
	switched = (c->flags & (EV_ENABLE | EV_DISABLE)) != 0;
	if (!switched && random_below(r, 20) == 0)
		c->fflags |= 0x100;
}

static void
wish_other(struct kevent *c, struct random *r)
{
	static const int filters[] = { 1, -9, -10, -12, -100, 32767 };

	c->ident = random_below(r, 5);
	if (random_below(r, 2) == 0) {
		c->filter = (short)filters[random_below(r, COUNT(filters))];
		return;
	}
	c->filter = random_below(r, 2) == 0 ? EVFILT_PROC : EVFILT_NETDEV;
	c->flags &= (unsigned short)~EV_ADD;
}

static void
make_change(struct kevent *c, const struct wish *w, int queue)
{
	struct random r = { w->random };
	unsigned what = random_below(&r, 20);

	memset(c, 0, sizeof *c);
	c->flags = w->flags;
	c->udata = (void *)(uintptr_t)(random_next(&r) & 0xffff);
	if (what < 12)
		wish_descriptor(c, &r, queue);
	else if (what < 15) {
		c->filter = EVFILT_USER;
		c->ident = random_below(&r, USERS) + 1;
		c->fflags = (unsigned)random_next(&r);
		c->data = (int64_t)random_next(&r);
	} else if (what < 17)
		wish_timer(c, &r);
	else if (what < 19) {
		c->filter = EVFILT_SIGNAL;
		c->ident = random_below(&r, 2) != 0 ? SIGUSR1 : SIGUSR2;
		c->fflags = (unsigned)random_next(&r);
	} else
		wish_other(c, &r);
}

/* ---- answers ---- */

static void
flag_names(char *to, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ EV_ADD, " ADD" },
		{ EV_DELETE, " DELETE" },
		{ EV_ENABLE, " ENABLE" },
		{ EV_DISABLE, " DISABLE" },
		{ EV_ONESHOT, " ONESHOT" },
		{ EV_CLEAR, " CLEAR" },
		{ EV_RECEIPT, " RECEIPT" },
		{ EV_DISPATCH, " DISPATCH" },
		{ EV_EOF, " EOF" },
		{ EV_ERROR, " ERROR" },
	};

	*to = '\0';
	for (size_t i = 0; i < COUNT(names); i++)
		if ((flags & names[i].flag) != 0)
			strcat(to, names[i].name);
}

/* The text is valid until the third call after this one. */
static const char *
text(const struct kevent *e)
{
	static const char *const filters[] = { "?", "READ", "WRITE", "AIO",
		"VNODE", "PROC", "SIGNAL", "TIMER", "NETDEV", "#9", "#10",
		"USER" };
	static char buffers[4][200];
	static unsigned next;
	char *b = buffers[next++ % 4], number[16], flags[100];
	const char *filter = number;

	snprintf(number, sizeof number, "%d", e->filter);
	if (e->filter < 0 && e->filter > -(int)COUNT(filters))
		filter = filters[-e->filter];
	flag_names(flags, e->flags);
	snprintf(b, sizeof buffers[0], "%ju %s%s %#x =%jd @%p",
	    (uintmax_t)e->ident, filter, flags, e->fflags, (intmax_t)e->data,
	    e->udata);
	return b;
}

/* Change N as a report of the notes SEEN does; ALL: nothing else is ready. */
static void
reported(struct note *n, const struct view *v, unsigned seen, bool all)
{
	if (((n->flags | v->flags) & EV_ONESHOT) != 0) {
		n->used = false;
		return;
	}
	if ((n->flags & EV_DISPATCH) != 0)
		n->disabled = true;
	if (n->filter == EVFILT_VNODE && !is_clear(n))
		n->seen |= seen;
	if (!is_clear(n))
		return;
	n->active = false;
	n->touched = !all;
	n->triggered = false;
	n->count = 0;
	/* pending events of inotify(7) may cause another report */
	n->perhaps = all ? 0 : n->perhaps | n->seen;
	n->seen &= ~seen;
}

static void
check_event(int queue, const struct kevent *e, bool all)
{
	struct note *n = find(queue, e->filter, e->ident);
	unsigned flags;
	struct view v;

	if (n == NULL)
		fail("no such knote: %s", text(e));
	if (expected(n, &v) == NO)
		fail("%s: %s", n->disabled ? "disabled" : "not ready", text(e));
	flags = e->flags & ~(unsigned)(EV_ADD | EV_ENABLE);
	if (flags != (n->flags | v.flags))
		fail("flags are not %#x but %#x: %s", n->flags | v.flags, flags,
		    text(e));
	if (e->udata != n->udata)
		fail("udata is not %p: %s", n->udata, text(e));
	if (e->data < v.least || e->data > v.most)
		fail("data is not from %jd to %jd: %s", (intmax_t)v.least,
		    (intmax_t)v.most, text(e));
	if (e->fflags == 0 && e->filter == EVFILT_VNODE)
		fail("no fflags: %s", text(e));
	if ((e->fflags & ~(v.sure | v.perhaps)) != 0 ||
	    (all && (e->fflags & v.sure) != v.sure))
		fail("fflags are not %#x, perhaps %#x: %s", v.sure, v.perhaps,
		    text(e));
	reported(n, &v, e->fflags, all);
}

/* Check that no knote of QUEUE is left that had to be reported. */
static void
check_unreported(int queue)
{
	struct note *n;
	struct view v;

	for (size_t i = 0; i < KNOTES; i++) {
		n = &notes[i];
		if (!n->used || n->queue != queue || n->disabled)
			continue;
		/* reported just now, and may be reported again */
		if (n->filter == EVFILT_VNODE)
			n->perhaps = 0;
		if (expected(n, &v) != YES)
			n->active = false;
		n->touched = false;
	}
}

static unsigned
count_sure(int queue)
{
	struct view v;
	unsigned sure = 0;

	for (size_t i = 0; i < KNOTES; i++)
		if (notes[i].used && notes[i].queue == queue &&
		    expected(&notes[i], &v) == YES)
			sure++;
	return sure;
}

/* A knote that must be among the N events and is not: for the message. */
static const char *
missing(int queue, const struct kevent *e, int n)
{
	struct kevent one;
	struct view v;
	int j;

	for (size_t i = 0; i < KNOTES; i++) {
		if (!notes[i].used || notes[i].queue != queue ||
		    expected(&notes[i], &v) != YES)
			continue;
		for (j = 0; j < n; j++)
			if (e[j].ident == notes[i].ident &&
			    e[j].filter == notes[i].filter)
				break;
		if (j < n)
			continue;
		EV_SET(&one, notes[i].ident, notes[i].filter, notes[i].flags,
		    v.sure, v.least, notes[i].udata);
		return text(&one);
	}
	return NULL;
}

static void
check_events(int queue, const struct kevent *e, int n, int room)
{
	bool all = room == ROOM;
	const char *lost = missing(queue, e, n);
	unsigned sure = count_sure(queue);

	/* a knote that was not ready after all may have taken a place */
	if (lost != NULL && (n == 0 || (all && n < room)))
		fail("%d events in room for %d, %u were sure; missing: %s", n,
		    room, sure, lost);
	for (int i = 0; i < n; i++) {
		trace("    %s", text(&e[i]));
		for (int j = 0; j < i; j++)
			if (e[j].ident == e[i].ident &&
			    e[j].filter == e[i].filter)
				fail("twice in one answer: %s", text(&e[i]));
		check_event(queue, &e[i], all);
	}
	if (all)
		check_unreported(queue);
}

struct answer {
	int n, error;
	bool over; /* no event is collected */
	struct kevent errors[CHANGES];
};

static void
apply_all(const struct op *op, int queue, const struct kevent *changes,
    struct answer *a)
{
	struct kevent *e;
	int error;

	a->n = a->error = 0;
	a->over = op->room == 0;
	for (unsigned i = 0; i < op->nwishes; i++) {
		struct kevent change = changes[i];

		trace("  %s", text(&change));
		error = apply(queue, &change);
		if (error == 0 && (changes[i].flags & EV_RECEIPT) == 0)
			continue;
		if (a->n == op->room) {
			/* a receipt is no error */
			a->error = error;
			a->n = error != 0 ? -1 : 0;
			a->over = true;
			return;
		}
		e = &a->errors[a->n++];
		*e = change;
		e->flags = EV_ERROR;
		e->data = error;
	}
}

static bool
same_event(const struct kevent *a, const struct kevent *b)
{
	return a->ident == b->ident && a->filter == b->filter &&
	    a->flags == b->flags && a->fflags == b->fflags &&
	    a->data == b->data && a->udata == b->udata;
}

void
model_call(const struct op *op)
{
	static const struct timespec none = { 0, 0 };
	struct kevent changes[ROOM], separate[ROOM], *events = separate;
	struct slot *s = NULL;
	struct answer a;
	int n, queue;

	for (unsigned i = 0; i < SLOTS && s == NULL; i++)
		if (slots[(op->slot + i) % SLOTS].object != NULL &&
		    slots[(op->slot + i) % SLOTS].object->kind == QUEUE)
			s = &slots[(op->slot + i) % SLOTS];
	if (s == NULL)
		return;
	queue = s->object->queue;
	for (unsigned i = 0; i < op->nwishes; i++)
		make_change(&changes[i], &op->wishes[i], queue);
	trace("kevent of %d, room for %d%s", s->fd, op->room,
	    op->same ? ", in place" : "");
	apply_all(op, queue, changes, &a);
	if (op->same)
		events = changes;
	n = kevent(s->fd, changes, (int)op->nwishes, events, op->room, &none);
	trace("  = %d%s%s", n, n == -1 ? " " : "",
	    n == -1 ? strerror(errno) : "");
	if (n == -1 && (a.n != -1 || errno != a.error))
		fail("%s, where it has to return %d", strerror(errno), a.n);
	if (a.n == 0 && !a.over) {
		check_events(queue, events, n, op->room);
		return;
	}
	if (n != a.n)
		fail("returned %d, not %d (%s)", n, a.n, strerror(a.error));
	for (int i = 0; i < n; i++)
		if (!same_event(&events[i], &a.errors[i]))
			fail("not %s but %s", text(&a.errors[i]),
			    text(&events[i]));
}
