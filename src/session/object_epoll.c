/* SPDX-License-Identifier: ISC */
/*
 * object_epoll.c - a session of epoll: the kernel has the registrations, and
 * others may have the instance.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "session/core.h"
#include "session/pending.h"
#include "session/registration.h"
#include "session/resolve.h"
#include "sys/fdplace.h"
#include "sys/process.h"

/*
 * epoll_event.data: the number of the descriptor, so that other users of the
 * instance can read it, or the index of a handle with TOKEN_HANDLE.
 */
#define TOKEN_HANDLE UINT32_C(0x80000000)
#define OWN_INPUT (UINT32_MAX - 1)
#define OWN_OUTPUT UINT32_MAX

struct object_state {
	int copies[2]; /* of standard input and output; 0: not yet made,
			  negative: none could be */
};

static uint32_t
token_of(const struct session *s, uint32_t index)
{
	const struct handle *h = &s->handles.list[index];

	return h->kind == KIND_NUMBER ? (uint32_t)h->number :
					TOKEN_HANDLE | index;
}

/* ---- register, modify, unregister ---- */

typedef int call_fn(struct session *s, uint32_t index, int fd);

static int
call_add(struct session *s, uint32_t index, int fd)
{
	return s->object->add(s->state, token_of(s, index), fd,
	    s->handles.list[index].bits);
}

static int
call_modify(struct session *s, uint32_t index, int fd)
{
	return s->object->modify(s->state, token_of(s, index), fd,
	    s->handles.list[index].bits);
}

static int
call_remove(struct session *s, uint32_t index, int fd)
{
	return s->object->remove(s->state, token_of(s, index), fd);
}

/* The object gives up NUMBER, which a file of another process will get. */
static int
move_object(struct session *s, int number)
{
	int fd = fdplace(fdplace_copy(number, 3)), answer;

	if (fd < 0)
		return fd;
	answer = s->object->adopt(s->state, fd);
	if (answer < 0)
		(void)close(fd);
	return answer < 0 ? answer : 0;
}

/*
 * The kernel knows a registration by number and file.  So a descriptor of
 * another process is lent its number for the duration of the call.
 */
static int
with_number(struct session *s, call_fn *call, uint32_t index)
{
	const struct handle *h = &s->handles.list[index];
	struct process_loan loan;
	int number = (int)h->number, error = 0;

	if (!session_is_foreign(h))
		return call(s, index, h->fd);
	if (number == s->object->number(s->state))
		error = move_object(s, number);
	if (error == 0)
		error = process_lend(s->process, number, number, &loan);
	if (error != 0)
		return error;
	error = call(s, index, number);
	process_return(&loan);
	return error;
}

static int
object_epoll_add(struct session *s, uint32_t index)
{
	return with_number(s, call_add, index);
}

static int
object_epoll_modify(struct session *s, uint32_t index)
{
	return with_number(s, call_modify, index);
}

static int
object_epoll_remove(struct session *s, uint32_t index)
{
	struct handle *h = &s->handles.list[index];
	int error = with_number(s, call_remove, index);

	if (error != 0)
		return error;
	h->flags &= (uint8_t)~HANDLE_REGISTERED;
	/*
	 * A FIFO stays open: closing it may lose what its peers wrote.  A
	 * number that is open elsewhere may still be reported.
	 */
	if ((h->flags & HANDLE_FIFO) == 0 && h->kind != KIND_NUMBER)
		session_drop(s, index);
	return 0;
}

/* Another may have the instance, and a FIFO stays open. */
static void
object_epoll_forget(struct session *s, uint32_t index)
{
	const struct handle *h = &s->handles.list[index];

	if ((h->flags & HANDLE_PATH) != 0)
		(void)call_remove(s, index, h->fd);
}

/* ---- the wait ---- */

/* Its handle, or HANDLES_NONE for entries that others have registered. */
static uint32_t
handle_of(const struct session *s, const struct event *event)
{
	const struct handles *handles = &s->handles;
	uint32_t index = (uint32_t)event->ident & ~TOKEN_HANDLE;

	if (event->ident >> 32 != 0)
		return HANDLES_NONE;
	if ((event->ident & TOKEN_HANDLE) == 0)
		index = handles_find(handles, KIND_NUMBER, NULL, 0,
		    event->ident);
	return index < handles->count && handles->list[index].kind != 0 ?
	    index :
	    HANDLES_NONE;
}

static void
print_other(struct session *s, const struct event *event)
{
	struct target t;
	char name[24];

	memset(&t, 0, sizeof t);
	t.fd = t.number = (int)(uint32_t)event->ident;
	t.length = (uint32_t)snprintf(name, sizeof name, "%d", t.number);
	t.name = name;
	session_print(s, &t, event, NULL);
}

static bool
object_epoll_event(struct session *s, const struct event *event)
{
	uint32_t index;

	/* in an adopted instance an entry of another may have any token */
	if (!s->adopted && pending_is_own(s, event->token, OWN_INPUT))
		return false;
	index = handle_of(s, event);
	if (index == HANDLES_NONE)
		print_other(s, event);
	else
		session_print_handle(s, index, event);
	return true;
}

/*
 * An exclusive wake-up counts only those that sleep in epoll_wait(2), and wakes
 * all that poll(2) the instance (Linux, fs/eventpoll.c, ep_poll_callback).  So
 * standard input and output are in the instance while the session sleeps, under
 * numbers of their own.  Others who wait in the instance would get their events,
 * so this is not done in an adopted one.
 */
static bool
watch_own(struct session *s)
{
	const struct flag *in = s->backend->flags;
	int *copies = s->own->copies;

	if (s->adopted)
		return false;
	for (int i = 0; i < 2; i++)
		if (copies[i] <= 0)
			copies[i] = fdplace(fdplace_copy(i, 3));
	if (!s->input.ended &&
	    (copies[0] < 0 ||
		s->object->add(s->state, OWN_INPUT, copies[0], in->bit) != 0))
		return false;
	if (s->watches_output)
		(void)s->object->add(s->state, OWN_OUTPUT, copies[1],
		    s->backend->mask_watch);
	return true;
}

static bool
object_epoll_sleep(struct session *s)
{
	if (!watch_own(s))
		return false;
	pending_sleep(s);
	(void)s->object->remove(s->state, OWN_INPUT, s->own->copies[0]);
	(void)s->object->remove(s->state, OWN_OUTPUT, s->own->copies[1]);
	return true;
}

static void
object_epoll_close(struct object_state *own)
{
	for (int i = 0; i < 2; i++)
		if (own->copies[i] > 0)
			(void)close(own->copies[i]);
}

static const struct session_verb object_epoll_verbs[] = {
	{ "register", false, registration_register, "register T[:EVENTS]" },
	{ "modify", false, registration_modify, "modify T:EVENTS" },
	{ "unregister", false, registration_unregister, "unregister T" },
	{ "poll", false, registration_poll_max, "poll [TIMEOUT [MAXEVENTS]]" },
	{ "", false, NULL, NULL },
};

const struct session_object object_epoll = {
	.backend = &backend_epoll,
	.size = sizeof(struct object_state),
	.verbs = object_epoll_verbs,
	.no_nesting = "an epoll instance, to which its owner may add files"
		      " that cannot be asked without effect; use poll",
	.in_kernel = true,
	.event = object_epoll_event,
	.sleep = object_epoll_sleep,
	.forget = object_epoll_forget,
	.close = object_epoll_close,
	.add = object_epoll_add,
	.modify = object_epoll_modify,
	.remove = object_epoll_remove,
	.unknown = registration_unknown,
};
