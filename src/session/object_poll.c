/* SPDX-License-Identifier: ISC */
/*
 * object_poll.c - a session of poll or devpoll: registered targets stay in the
 * object from one wait to the next, and a pending wait keeps those that it
 * began with.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "session/core.h"
#include "session/pending.h"
#include "session/registration.h"
#include "session/resolve.h"

struct object_state {
	int *placed; /* by index of the handle: the number in
			the object, or -1 */
	uint32_t placed_count;
	bool placed_all; /* the object has all that is registered */
	bool dropped; /* give up handles, once the pending wait
			 can no longer report them */
};

/* ---- the targets in the object ---- */

static bool
is_placed(const struct session *s, uint32_t index)
{
	return index < s->own->placed_count && s->own->placed[index] != -1;
}

static void
object_poll_displace(struct session *s, uint32_t index)
{
	if (!is_placed(s, index))
		return;
	(void)s->object->remove(s->state, TOKEN_FIRST + index,
	    s->own->placed[index]);
	s->own->placed[index] = -1;
}

static int
reserve_placed(struct session *s)
{
	struct object_state *own = s->own;
	uint32_t wanted = s->handles.capacity;
	int *placed = realloc(own->placed, wanted * sizeof *placed);

	if (placed == NULL)
		return -ENOMEM;
	for (uint32_t i = own->placed_count; i < wanted; i++)
		placed[i] = -1;
	own->placed = placed;
	own->placed_count = wanted;
	return 0;
}

static int
object_poll_place(struct session *s, uint32_t index)
{
	const struct handle *h = &s->handles.list[index];
	int error = index < s->own->placed_count ? 0 : reserve_placed(s);

	if (error == 0)
		error = s->object->add(s->state, TOKEN_FIRST + index, h->fd,
		    h->bits);
	if (error == 0)
		s->own->placed[index] = h->fd;
	return error;
}

/* ---- register, modify, unregister ---- */

/* Whether the object can take it only when the next wait begins. */
static bool
is_for_later(struct session *s, uint32_t index)
{
	if (!s->pending.active && !session_is_foreign(&s->handles.list[index]))
		return false;
	s->own->placed_all = false;
	return true;
}

static int
object_poll_add(struct session *s, uint32_t index)
{
	return is_for_later(s, index) ? 0 : object_poll_place(s, index);
}

static int
object_poll_remove(struct session *s, uint32_t index)
{
	struct handle *h = &s->handles.list[index];

	if (!is_for_later(s, index))
		object_poll_displace(s, index);
	h->flags &= (uint8_t)~HANDLE_REGISTERED;
	if (s->pending.active)
		s->own->dropped = true;
	/* a FIFO stays open: closing it may lose what its peers wrote */
	else if ((h->flags & HANDLE_FIFO) == 0)
		session_drop(s, index);
	return 0;
}

/* Python's poll object refuses an unknown descriptor, devpoll's does not. */
static int
object_poll_unknown(struct session *s, const struct target *t)
{
	(void)t;
	return session_refuse(s, "UNREGISTERED", "was never registered");
}

/* ---- before and after a wait ---- */

static int
place_again(struct session *s, uint32_t index)
{
	struct handle *h = &s->handles.list[index];
	int status, error;

	object_poll_displace(s, index);
	if (h->kind == 0 || (h->flags & HANDLE_REGISTERED) == 0)
		return 0;
	if ((status = session_check_kind(s, h)) != 0)
		return status;
	error = object_poll_place(s, index);
	return error == 0 ? 0 : session_handle_failed(s, index, error);
}

static void
object_poll_release(struct session *s)
{
	const struct handle *h;

	for (uint32_t i = 0; s->process >= 0 && i < s->handles.count; i++)
		if (session_is_foreign(&s->handles.list[i]))
			object_poll_displace(s, i);
	for (uint32_t i = 0; s->own->dropped && i < s->handles.count; i++) {
		h = &s->handles.list[i];
		if (h->kind != 0 &&
		    (h->flags & (HANDLE_REGISTERED | HANDLE_FIFO)) == 0)
			session_drop(s, i);
	}
	s->own->dropped = false;
}

static int
object_poll_prepare(struct session *s)
{
	int status;

	if (s->own->placed_all && s->process < 0 && !s->input.ended)
		return 0;
	status = pending_add_own(s);
	for (uint32_t i = 0; i < s->handles.count && status == 0; i++)
		status = place_again(s, i);
	s->own->placed_all = status == 0;
	if (status != 0)
		object_poll_release(s);
	return status;
}

static bool
object_poll_event(struct session *s, const struct event *event)
{
	if (!pending_is_own(s, event->token, TOKEN_INPUT)) {
		session_print_handle(s, event->token - TOKEN_FIRST, event);
		return true;
	}
	if (pending_drop_output(s, event->token))
		s->own->placed_all = false;
	return false;
}

static void
object_poll_close(struct object_state *own)
{
	free(own->placed);
}

static const struct session_verb object_poll_verbs[] = {
	{ "register", false, registration_register, "register T[:EVENTS]" },
	{ "modify", false, registration_modify, "modify T:EVENTS" },
	{ "unregister", false, registration_unregister, "unregister T" },
	{ "poll", false, registration_poll, "poll [TIMEOUT]" },
	{ "", false, NULL, NULL },
};

/* The same, except for the answer about a target that was not registered. */
#define OBJECT(of, function)                                                \
	{                                                                   \
		.backend = (of), .unknown = (function),                     \
		.size = sizeof(struct object_state),                        \
		.verbs = object_poll_verbs, .event = object_poll_event,     \
		.prepare = object_poll_prepare,                             \
		.release = object_poll_release,                             \
		.sleep = pending_sleep_with_own,                            \
		.forget = object_poll_displace, .close = object_poll_close, \
		.add = object_poll_add, .modify = object_poll_add,          \
		.remove = object_poll_remove,                               \
	}

const struct session_object object_poll = OBJECT(&backend_poll,
    object_poll_unknown);
const struct session_object object_devpoll = OBJECT(&backend_devpoll, NULL);
