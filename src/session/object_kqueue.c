/* SPDX-License-Identifier: ISC */
/*
 * object_kqueue.c - a session of kqueue: control, and its kevents.
 *
 * There are two kinds of handles: one for each descriptor or open path, and one
 * for each kevent that was added, known by its filter and number.  BITS of the
 * latter is the index plus 1 of the handle of its descriptor.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "output/diag.h"
#include "session/core.h"
#include "session/pending.h"
#include "session/resolve.h"
#include "target/kevent_parse.h"
#include "target/target.h"

/* Memory for more changes than these is freed after the request. */
#define MANY 16384

/* One KEVENT of the request under way, and its result. */
struct change {
	struct kevent_request request;
	struct target target;
	int error; /* errno */
	bool answered; /* with an event of its own */
};

struct object_state {
	struct kevent_request *kevents; /* by index, of KIND_KEVENT */
	uint32_t kevents_count;
	struct change *changes; /* of the request under way */
	size_t count, capacity;
	uint64_t timers, transfers; /* how many there were */
};

static uint32_t
descriptor_of(const struct session *s, uint32_t index)
{
	uint32_t bits = s->handles.list[index].bits;

	return bits == 0 ? HANDLES_NONE : bits - 1;
}

static bool
request_has(const struct kevent_request *request, const char *flag)
{
	return (request->flags & kevent_flag(flag)) != 0;
}

/* ---- handles of kevents ---- */

/* Forget the kevent, and its descriptor if it was the last of that. */
static void
forget(struct session *s, uint32_t index)
{
	uint32_t descriptor = descriptor_of(s, index);

	free(s->own->kevents[index].udata);
	s->own->kevents[index].udata = NULL;
	handles_remove(&s->handles, index);
	if (descriptor == HANDLES_NONE ||
	    --s->handles.list[descriptor].uses > 0)
		return;
	/* a FIFO stays open: closing it may lose what its peers wrote */
	if ((s->handles.list[descriptor].flags & HANDLE_FIFO) == 0)
		session_drop(s, descriptor);
}

static void
object_kqueue_forget_all(struct session *s)
{
	for (uint32_t i = 0; i < s->own->kevents_count; i++)
		free(s->own->kevents[i].udata);
	free(s->own->kevents);
	s->own->kevents = NULL;
	s->own->kevents_count = 0;
	s->object->requests(s->state, NULL, 0, true);
}

static int
reserve_kevents(struct session *s)
{
	uint32_t wanted = s->handles.capacity;
	struct kevent_request *kevents;

	if (wanted <= s->own->kevents_count)
		return 0;
	kevents = realloc(s->own->kevents, wanted * sizeof *kevents);
	if (kevents == NULL)
		return -ENOMEM;
	memset(kevents + s->own->kevents_count, 0,
	    (wanted - s->own->kevents_count) * sizeof *kevents);
	s->own->kevents = kevents;
	s->own->kevents_count = wanted;
	s->object->requests(s->state, kevents, wanted, true);
	return 0;
}

/* ---- words ---- */

static int
reserve_changes(struct object_state *own)
{
	size_t wanted = own->capacity * 2 + 16;
	struct change *grown;

	if (own->count < own->capacity)
		return 0;
	grown = realloc(own->changes, wanted * sizeof *grown);
	if (grown == NULL)
		return diag_system(ENOMEM, NULL, "kevents");
	own->changes = grown;
	own->capacity = wanted;
	return 0;
}

/* The part between the filter and the words, as a target. */
static int
take_ident(const struct session *s, struct change *c,
    const struct kevent_ident *ident)
{
	struct target *t = &c->target;

	t->name = ident->name;
	t->length = (uint32_t)ident->length;
	t->bits = 1u << c->request.filter;
	t->fd = TARGET_NO_FD;
	t->number = -1;
	if (ident->literal)
		t->flags |= TARGET_LITERAL;
	if (kevent_wants_descriptor(&c->request)) {
		t->process = s->process >= 0;
		return target_parse_name(t);
	}
	t->name[t->length] = '\0';
	return 0;
}

static int
take_changes(struct session *s, struct tokenizer *words)
{
	struct kevent_ident ident;
	struct change *c;
	size_t length;
	char *word;
	int status;

	for (;;) {
		status = tokenize_next(words, &word, &length);
		if (status != 0 || word == NULL)
			return status;
		if (length > INT_MAX)
			return diag_range("the kevent is too long");
		if ((status = reserve_changes(s->own)) != 0)
			return status;
		c = &s->own->changes[s->own->count++];
		memset(c, 0, sizeof *c);
		status = kevent_parse(word, length, NULL, &s->own->timers,
		    &c->request, &ident);
		if (status == EXIT_SYSTEM) {
			/* no such interface, no memory: its change fails */
			c->error = s->message.error;
			status = 0;
		}
		if (status == 0)
			status = take_ident(s, c, &ident);
		if (status != 0)
			return status;
	}
}

/* ---- changes ---- */

static uint32_t
mode_of(const struct change *c)
{
	switch (c->request.filter) {
	case KQUEUE_READ:
		return 0;
	case KQUEUE_WRITE:
		return 1;
	case KQUEUE_VNODE:
		return 2;
	default:
		return 3;
	}
}

/* Drop a descriptor that was named for the first time, in a change that failed. */
static void
drop_unused(struct session *s, uint32_t descriptor)
{
	if (descriptor != HANDLES_NONE &&
	    s->handles.list[descriptor].uses == 0 &&
	    (s->handles.list[descriptor].flags & HANDLE_FIFO) == 0)
		session_drop(s, descriptor);
}

/* Only read and write accept a descriptor of another process. */
static int
check_foreign(const struct session *s, const struct change *c, uint32_t index)
{
	const struct handle *h = &s->handles.list[index];

	if ((h->flags & HANDLE_FOREIGN) != 0 &&
	    c->request.filter > KQUEUE_WRITE)
		return diag_unavailable("%s: only read and write accept a"
					" descriptor of another process",
		    h->name);
	return session_check_kind(s, h);
}

/*
 * The handle of the descriptor that C is about.  A path is opened only if C
 * adds the kevent.  Returns 0 or an exit status.
 */
static int
find_descriptor(struct session *s, struct change *c, uint32_t *index)
{
	struct target *t = &c->target;
	int status;

	*index = session_find(s, t, mode_of(c));
	if (*index == HANDLES_NONE && (t->flags & TARGET_PATH) != 0 &&
	    !request_has(&c->request, "add"))
		return diag_system(ENOENT, NULL, "%s", t->name);
	if (*index != HANDLES_NONE && (t->flags & TARGET_PATH) == 0 &&
	    (status = session_check_number(s, t)) != 0)
		return status;
	status = session_resolve(s, t, mode_of(c), index);
	if (status != 0)
		return status;
	status = check_foreign(s, c, *index);
	if (status != 0)
		drop_unused(s, *index);
	return status;
}

/* The number by which the kernel knows it; each transfer is a kevent. */
static uint64_t
kevent_number(const struct session *s, const struct change *c,
    uint32_t descriptor)
{
	if (c->request.filter == KQUEUE_AIO)
		return ++s->own->transfers;
	return descriptor == HANDLES_NONE ?
	    c->request.ident :
	    (uint64_t)s->handles.list[descriptor].fd;
}

/* The handle of the kevent, with *ADDED set if it had none. */
static int
find_kevent(struct session *s, struct change *c, uint32_t descriptor,
    uint32_t *index, bool *added)
{
	uint32_t kind = (uint32_t)KIND_KEVENT + c->request.filter;
	uint64_t number = kevent_number(s, c, descriptor);

	*index = handles_find(&s->handles, kind, NULL, 0, number);
	*added = *index == HANDLES_NONE;
	if (!*added)
		return 0;
	if (handles_add(&s->handles, kind, c->target.name, c->target.length,
		number, false, index) != 0)
		return -ENOMEM;
	if (reserve_kevents(s) == 0)
		return 0;
	handles_remove(&s->handles, *index);
	return -ENOMEM;
}

/* Apply C, which is about DESCRIPTOR, to the queue.  Returns 0 or -errno. */
static int
apply_to_queue(struct session *s, struct change *c, uint32_t descriptor)
{
	struct kevent_request old;
	uint32_t index;
	bool added;
	int error, fd;

	/* only aio_read(2) makes it, and it ends by itself (FreeBSD: EPERM) */
	if (c->request.filter == KQUEUE_AIO && !request_has(&c->request, "add"))
		return -EPERM;
	error = find_kevent(s, c, descriptor, &index, &added);
	if (error != 0)
		return error;
	old = s->own->kevents[index];
	s->own->kevents[index] = c->request;
	fd = descriptor == HANDLES_NONE ? TARGET_NO_FD :
					  s->handles.list[descriptor].fd;
	error = s->object->add(s->state, index, fd, 0);
	if (error != 0) {
		s->own->kevents[index] = old;
		if (added)
			handles_remove(&s->handles, index);
		return error;
	}
	c->request.udata = NULL; /* it belongs to the handle now */
	free(old.udata);
	if (added && descriptor != HANDLES_NONE) {
		s->handles.list[index].bits = descriptor + 1;
		s->handles.list[descriptor].uses++;
	}
	if (request_has(&c->request, "delete"))
		forget(s, index);
	return 0;
}

/* Returns 0, or an exit status with C's error set. */
static int
apply_change(struct session *s, struct change *c)
{
	uint32_t descriptor = HANDLES_NONE;
	int status = 0, error;

	if (c->error != 0)
		return diag_system(c->error,
		    c->error == ENXIO ? "no such interface" : NULL, "%s",
		    c->target.name);
	if (kevent_wants_descriptor(&c->request)) {
		status = find_descriptor(s, c, &descriptor);
		if (status == EXIT_UNAVAILABLE)
			c->error = ENOSYS;
		else if (status != 0)
			c->error = s->message.error;
		if (status != 0)
			return status;
	}
	error = apply_to_queue(s, c, descriptor);
	if (error == 0)
		return 0;
	drop_unused(s, descriptor);
	c->error = -error;
	return session_failed(s, &c->target, error);
}

/*
 * Apply all changes, in their order.  Those that fail, or want a receipt, are
 * answered by an event while there is room for MAX, as kevent(2) does; the
 * first for which there is none ends it.
 */
static int
apply_all(struct session *s, size_t max, size_t *answered)
{
	struct change *c;
	int status;

	*answered = 0;
	for (size_t i = 0; i < s->own->count; i++) {
		c = &s->own->changes[i];
		status = apply_change(s, c);
		if (status == EXIT_USAGE)
			return status;
		if (status == 0 && !request_has(&c->request, "receipt"))
			continue;
		if (*answered == max)
			return status;
		c->answered = true;
		++*answered;
	}
	return 0;
}

static void
print_answered(struct session *s)
{
	struct event event;
	const struct change *c;

	for (size_t i = 0; i < s->own->count; i++) {
		c = &s->own->changes[i];
		if (!c->answered)
			continue;
		memset(&event, 0, sizeof event);
		event.flags = kevent_flag("error");
		event.fflags = c->request.fflags;
		event.data = c->error;
		event.ident = c->request.ident;
		session_print(s, &c->target, &event, &c->request);
	}
}

static void
free_changes(struct object_state *own)
{
	for (size_t i = 0; i < own->count; i++)
		free(own->changes[i].request.udata);
	own->count = 0;
	if (own->capacity <= MANY)
		return;
	free(own->changes);
	own->changes = NULL;
	own->capacity = 0;
}

static int
change_and_wait(struct session *s, struct tokenizer *words, size_t max,
    int64_t ns)
{
	size_t answered = 0;
	int status = take_changes(s, words);

	if (status != 0)
		return status;
	status = apply_all(s, max, &answered);
	if (status == 0 && answered == 0 && max > 0)
		return pending_begin(s, ns, max);
	if (status == 0)
		print_answered(s);
	s->value = (int64_t)answered;
	return status;
}

static int
object_kqueue_control(struct session *s, struct tokenizer *words)
{
	char *word;
	size_t length, max = 0;
	int64_t ns = 0;
	int status = tokenize_next(words, &word, &length);

	if (status == 0 && word != NULL)
		status = session_count("MAX", word, 0, &max);
	if (status == 0 && word != NULL)
		status = tokenize_next(words, &word, &length);
	if (status == 0 && word == NULL)
		status = diag_usage("control MAX TIMEOUT [KEVENT]...");
	if (status == 0)
		status = session_timeout(word, false, &ns);
	if (status != 0)
		return status;
	if (s->pending.active && max > 0)
		return session_busy(s);
	status = change_and_wait(s, words, max, ns);
	free_changes(s->own);
	return status;
}

/* ---- events ---- */

/* Whether the kernel has dropped it with this event. */
static bool
is_last(const struct session *s, uint32_t index, const struct event *event)
{
	const struct kevent_request *request = &s->own->kevents[index];

	if (request->filter == KQUEUE_AIO)
		return true;
	if ((event->flags & kevent_flag("oneshot")) == 0)
		return false;
	/* its children, which are reported in its name, may go on */
	return request->filter != KQUEUE_PROC ||
	    (event->ident == request->ident &&
		!kevent_has(KQUEUE_PROC, "track", request->fflags));
}

/* A kevent that another user of the queue added. */
static void
print_stranger(struct session *s, const struct event *event)
{
	struct kevent_request request = { .ident = event->ident };
	struct target t = { .fd = TARGET_NO_FD, .number = -1 };
	char name[24];

	while (request.filter < KQUEUE_FILTERS - 1 &&
	    (event->bits >> request.filter & 1) == 0)
		request.filter++;
	t.length = (uint32_t)snprintf(name, sizeof name, "%llu",
	    (unsigned long long)event->ident);
	t.name = name;
	session_print(s, &t, event, &request);
}

static bool
object_kqueue_event(struct session *s, const struct event *event)
{
	uint32_t index = event->token;
	struct target t = { .fd = TARGET_NO_FD, .number = -1 };

	if (index >= s->handles.count || index >= s->own->kevents_count ||
	    s->handles.list[index].kind < KIND_KEVENT) {
		print_stranger(s, event);
		return true;
	}
	t.name = s->handles.list[index].name;
	t.length = s->handles.list[index].length;
	session_print(s, &t, event, &s->own->kevents[index]);
	if (is_last(s, index, event))
		forget(s, index);
	return true;
}

static void
object_kqueue_close(struct object_state *own)
{
	free(own->changes);
}

static const struct session_verb object_kqueue_verbs[] = {
	{ "control", false, object_kqueue_control,
	    "control MAX TIMEOUT [KEVENT]..." },
	{ "", false, NULL, NULL },
};

const struct session_object object_kqueue = {
	.backend = &backend_kqueue,
	.size = sizeof(struct object_state),
	.verbs = object_kqueue_verbs,
	.event = object_kqueue_event,
	.forget_all = object_kqueue_forget_all,
	.close = object_kqueue_close,
};
