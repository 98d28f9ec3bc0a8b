/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/select.h>

#include <errno.h>
#include <string.h>

#include "base/duration.h"
#include "base/flags.h"
#include "session/core.h"
#include "session/pending.h"
#include "session/registration.h"
#include "session/resolve.h"

/* As many events as Python's epoll object asks for, or as are registered. */
#define USUAL_EVENTS (FD_SETSIZE - 1)
#define MOST_EVENTS 65536

/* The default of register in Python's select module. */
static uint32_t
usual_events(const struct session *s)
{
	static const char events[] = "in,pri,out";
	const char *word;
	size_t length;
	uint32_t bits;

	(void)flags_parse(s->backend->flags, s->backend->limit, events,
	    sizeof events - 1, &bits, &word, &length);
	return bits;
}

static void
drop_unregistered(struct session *s, uint32_t index)
{
	if ((s->handles.list[index].flags & HANDLE_REGISTERED) == 0)
		session_drop(s, index);
}

/* Call CHANGE, the object's add or modify, for handle INDEX as T says. */
static int
registration_apply(struct session *s, session_change_fn *change, uint32_t index,
    const struct target *t)
{
	struct handle *h = &s->handles.list[index];
	uint32_t before = h->bits;
	int status = session_check_kind(s, h), error;

	if (status == 0) {
		h->bits = t->bits;
		error = change(s, index);
		if (error == 0) {
			h->flags |= HANDLE_REGISTERED;
			return 0;
		}
		status = session_failed(s, t, error);
		h->bits = before;
	}
	drop_unregistered(s, index);
	return status;
}

int
registration_register(struct session *s, struct tokenizer *words)
{
	struct target t;
	uint32_t index;
	int status = session_next_target(s, words, usual_events(s), &t);

	if (status == 0)
		status = session_end(words);
	if (status == 0)
		status = session_resolve(s, &t, 0, &index);
	if (status != 0)
		return status;
	return registration_apply(s, s->slots->add, index, &t);
}

int
registration_unknown(struct session *s, const struct target *t)
{
	(void)s;
	return diag_system(ENOENT, "not registered", "%.*s", (int)t->length,
	    t->name);
}

/*
 * The index of the handle with which T is registered, or HANDLES_NONE.  Where
 * only the kernel knows whether a number is registered, as in an instance that
 * others use, the number gets a handle.  Returns 0 or an exit status.
 */
static int
registration_find(struct session *s, struct target *t, uint32_t *index)
{
	bool path = (t->flags & TARGET_PATH) != 0;
	int status = path ? 0 : session_check_number(s, t);

	*index = session_find(s, t, 0);
	if (status != 0)
		return status;
	if (s->slots->in_kernel)
		return path ? 0 : session_resolve(s, t, 0, index);
	if (*index != HANDLES_NONE &&
	    (s->handles.list[*index].flags & HANDLE_REGISTERED) == 0)
		*index = HANDLES_NONE;
	return 0;
}

int
registration_modify(struct session *s, struct tokenizer *words)
{
	struct target t;
	uint32_t index = HANDLES_NONE;
	int status = session_next_target(s, words, 0, &t);

	if (status == 0)
		status = session_end(words);
	if (status == 0 && (t.flags & TARGET_EVENTS) == 0)
		status = diag_usage("%.*s: modify requires T:EVENTS",
		    (int)t.length, t.name);
	if (status == 0)
		status = registration_find(s, &t, &index);
	if (status == 0 && index == HANDLES_NONE)
		status = registration_unknown(s, &t);
	if (status == 0)
		status = session_resolve(s, &t, 0, &index);
	if (status != 0)
		return status;
	return registration_apply(s, s->slots->modify, index, &t);
}

int
registration_unregister(struct session *s, struct tokenizer *words)
{
	struct target t;
	uint32_t index = HANDLES_NONE;
	int status = session_next_target(s, words, 0, &t), error;

	if (status == 0)
		status = session_end(words);
	if (status == 0 && (t.flags & TARGET_EVENTS) != 0)
		status = diag_usage("unregister takes no events");
	if (status == 0)
		status = registration_find(s, &t, &index);
	if (status != 0)
		return status;
	if (index == HANDLES_NONE)
		return s->slots->unknown == NULL ? 0 : s->slots->unknown(s, &t);
	error = s->slots->remove(s, index);
	if (error == 0)
		return 0;
	status = session_failed(s, &t, error);
	drop_unregistered(s, index);
	return status;
}

/* ---- poll ---- */

static size_t
usual_max(const struct session *s)
{
	size_t max = s->adopted ? MOST_EVENTS : USUAL_EVENTS;

	return s->handles.used > max ? s->handles.used : max;
}

static int
next_timeout(struct tokenizer *words, int64_t *ns)
{
	char *word;
	size_t length;
	int status = tokenize_next(words, &word, &length);

	*ns = DURATION_FOREVER;
	return status != 0 || word == NULL ? status :
					     session_timeout(word, true, ns);
}

static int
next_max(struct tokenizer *words, size_t *max)
{
	char *word;
	size_t length;
	int status = tokenize_next(words, &word, &length);

	/* -1: as many as there are, in Python too */
	if (status != 0 || word == NULL || strcmp(word, "-1") == 0)
		return status;
	return session_count("MAXEVENTS", word, 1, max);
}

static int
registration_begin(struct session *s, struct tokenizer *words, int64_t ns,
    size_t max)
{
	int status = session_end(words);

	if (status != 0)
		return status;
	if (s->pending.active)
		return session_busy(s);
	return pending_begin(s, ns, max);
}

int
registration_poll(struct session *s, struct tokenizer *words)
{
	int64_t ns;
	int status = next_timeout(words, &ns);

	return status != 0 ? status :
			     registration_begin(s, words, ns, usual_max(s));
}

int
registration_poll_max(struct session *s, struct tokenizer *words)
{
	size_t max = usual_max(s);
	int64_t ns;
	int status = next_timeout(words, &ns);

	if (status == 0)
		status = next_max(words, &max);
	return status != 0 ? status : registration_begin(s, words, ns, max);
}
