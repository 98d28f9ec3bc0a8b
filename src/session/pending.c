/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session/core.h"
#include "session/pending.h"
#include "sys/foreign.h"

int
pending_set_tag(struct session *s, const char *tag, size_t length)
{
	struct pending *p = &s->pending;
	char *space;

	if (tag == NULL)
		length = 0;
	if (length > p->tag_capacity) {
		space = realloc(p->tag, length);
		if (space == NULL)
			return -ENOMEM;
		p->tag = space;
		p->tag_capacity = length;
	}
	if (length > 0)
		memcpy(p->tag, tag, length);
	p->tag_length = length;
	return 0;
}

/* ---- standard input and output in the same wait ---- */

int
pending_add_own(struct session *s)
{
	const struct flag *in = s->backend->flags;
	int error;

	/* the first flag of a backend asks for input: read, in */
	error = s->object->add(s->state, TOKEN_INPUT, STDIN_FILENO, in->bit);
	if (error == 0)
		error = s->object->add(s->state, TOKEN_OUTPUT, STDOUT_FILENO,
		    s->backend->mask_watch);
	if (s->input.ended)
		(void)s->object->remove(s->state, TOKEN_INPUT, STDIN_FILENO);
	if (!s->watches_output)
		(void)s->object->remove(s->state, TOKEN_OUTPUT, STDOUT_FILENO);
	return error == 0 ? 0 :
			    diag_system(-error, NULL, "%s", s->backend->name);
}

void
pending_remove_own(struct session *s)
{
	(void)s->object->remove(s->state, TOKEN_OUTPUT, STDOUT_FILENO);
	(void)s->object->remove(s->state, TOKEN_INPUT, STDIN_FILENO);
}

/* Whether the reader of the output has gone. */
static bool
output_gone(void)
{
	struct pollfd p = { STDOUT_FILENO, 0, 0 };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

bool
pending_is_own(struct session *s, uint32_t token, uint32_t input)
{
	if (token == input)
		s->input_ready = true;
	else if (token != input + 1)
		return false;
	else if (output_gone())
		s->output_error = -EPIPE;
	return true;
}

bool
pending_drop_output(struct session *s, uint32_t token)
{
	if (token != TOKEN_OUTPUT || s->output_error != 0)
		return false;
	(void)s->object->remove(s->state, token, STDOUT_FILENO);
	return true;
}

bool
pending_sleep_with_own(struct session *s)
{
	if (s->input.ended)
		(void)s->object->remove(s->state, TOKEN_INPUT, STDIN_FILENO);
	pending_sleep(s);
	return true;
}

/* ---- the wait ---- */

static int
pending_prepare(struct session *s)
{
	return s->slots->prepare == NULL ? 0 : s->slots->prepare(s);
}

static void
pending_release(struct session *s)
{
	if (s->slots->release != NULL)
		s->slots->release(s);
}

int
pending_attempt(struct session *s, int64_t timeout)
{
	struct event event;
	int n, count = 0;

	n = backend_wait(s->object, s->state, s->pending.max, timeout);
	if (n < 0)
		return n == -EINTR ? 0 : n;
	while (s->object->next(s->state, &event))
		count += s->slots->event(s, &event);
	return count;
}

/* Name the descriptor that made the wait fail, where that is known. */
static int
wait_failed(const struct session *s, int error)
{
	const char *name;
	const struct handle *h;

	if (error == -EBADF && s->slots->closed != NULL &&
	    (name = s->slots->closed(s)) != NULL)
		return diag_system(EBADF, NULL, "%s", name);
	for (size_t i = 0; error == -EOPNOTSUPP && i < s->handles.count; i++) {
		h = &s->handles.list[i];
		if (h->kind != 0 && foreign_why(h->fd) != NULL)
			return diag_unavailable("%s: %s", h->name,
			    foreign_why(h->fd));
	}
	return diag_system(-error, NULL, "%s", s->backend->name);
}

int
pending_begin(struct session *s, int64_t ns, size_t max)
{
	int n, status;

	s->pending.max = max;
	s->pending.deadline = deadline_in(ns);
	status = pending_prepare(s);
	if (status != 0)
		return status;
	n = pending_attempt(s, 0);
	if (n == 0 && ns != 0) {
		s->pending.active = true;
		return SESSION_PENDING;
	}
	status = n < 0 ? wait_failed(s, n) : 0;
	pending_release(s);
	s->value = n;
	return status;
}

static void
pending_end(struct session *s, int status)
{
	session_answer_pending(s, status);
	s->pending.active = false;
	pending_release(s);
}

void
pending_finish(struct session *s, int n)
{
	int status = n < 0 ? wait_failed(s, n) : 0;

	s->text = NULL;
	s->value = n;
	pending_end(s, status);
}

void
pending_cancel(struct session *s)
{
	pending_end(s, session_refuse(s, "CANCELED", "the wait was ended"));
}

void
pending_sleep(struct session *s)
{
	int64_t left = deadline_left(s->pending.deadline);
	int n = pending_attempt(s, left);

	if (s->output_error == 0 && (n != 0 || left == 0))
		pending_finish(s, n);
}
