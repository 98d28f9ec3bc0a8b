/* SPDX-License-Identifier: ISC */
/*
 * object_select.c - a session of select: each request names its lists, and only
 * the open paths last.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session/core.h"
#include "session/pending.h"
#include "session/resolve.h"
#include "sys/foreign.h"

/* One target in one list of the request under way. */
struct selected {
	uint32_t index; /* of its handle */
	uint32_t list;
	int fd; /* in the wait, or -1 */
};

struct object_state {
	struct selected *list;
	size_t count, capacity;
};

static int
object_select_reserve(struct session *s)
{
	struct object_state *own = s->own;
	size_t wanted = own->capacity * 2 + 16;
	struct selected *list;

	if (own->count < own->capacity)
		return 0;
	list = realloc(own->list, wanted * sizeof *list);
	if (list == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	own->list = list;
	own->capacity = wanted;
	return 0;
}

/* Put T into LIST, unless it is there. */
static int
object_select_target(struct session *s, struct target *t, uint32_t list)
{
	struct handle *h;
	uint32_t index;
	int status;

	t->bits = list;
	status = session_resolve(s, t, 0, &index);
	/* it may have been closed since it was named first */
	if (status == 0 && (t->flags & TARGET_PATH) == 0)
		status = session_check_number(s, t);
	if (status == 0)
		status = object_select_reserve(s);
	if (status != 0)
		return status;
	h = &s->handles.list[index];
	if ((h->bits & list) != 0)
		return 0;
	h->bits |= list;
	s->own->list[s->own->count++] = (struct selected){ index, list, -1 };
	return 0;
}

static uint32_t
list_bit(const struct session *s, char letter)
{
	static const char letters[] = "rwx";
	const char *found = letter == '\0' ? NULL : strchr(letters, letter);

	/* in the order of its table: read, write, except */
	return found == NULL ? 0 : s->backend->flags[found - letters].bit;
}

/* WORD is an option with a target behind it, or a target, which reads. */
static int
take_list(struct session *s, struct tokenizer *words, char *word, size_t length)
{
	uint32_t list = list_bit(s, *word == '-' ? word[1] : 'r');
	char *name = word;
	struct target t;
	int status = 0;

	if (list == 0 || (*word == '-' && word[2] != '\0'))
		return diag_usage("unknown option '%s', expected -r T, -w T or"
				  " -x T",
		    word);
	if (*word == '-')
		status = tokenize_next(words, &name, &length);
	if (status == 0 && name == NULL)
		status = diag_usage("missing target after %s", word);
	if (status == 0)
		status = session_parse_target(s, name, length, list, &t);
	return status != 0 ? status : object_select_target(s, &t, list);
}

static int
take_lists(struct session *s, struct tokenizer *words)
{
	size_t length;
	char *word;
	int status;

	do {
		status = tokenize_next(words, &word, &length);
		if (status == 0 && word != NULL)
			status = take_list(s, words, word, length);
	} while (status == 0 && word != NULL);
	return status;
}

static void
object_select_release(struct session *s)
{
	struct selected *chosen;

	for (size_t i = s->own->count; i-- > 0;) {
		chosen = &s->own->list[i];
		s->handles.list[chosen->index].bits = 0;
		if (chosen->fd != -1)
			(void)s->object->remove(s->state,
			    (uint32_t)(TOKEN_FIRST + i), chosen->fd);
	}
	s->own->count = 0;
	pending_remove_own(s);
}

static int
object_select_prepare(struct session *s)
{
	int status = pending_add_own(s), error;

	for (size_t i = 0; i < s->own->count && status == 0; i++) {
		struct selected *chosen = &s->own->list[i];
		const struct handle *h = &s->handles.list[chosen->index];

		if ((status = session_check_kind(s, h)) != 0)
			break;
		chosen->fd = h->fd;
		error = s->object->add(s->state, (uint32_t)(TOKEN_FIRST + i),
		    h->fd, chosen->list);
		if (error < 0)
			status = session_handle_failed(s, chosen->index, error);
	}
	if (status != 0)
		object_select_release(s);
	return status;
}

static bool
object_select_event(struct session *s, const struct event *event)
{
	if (!pending_is_own(s, event->token, TOKEN_INPUT)) {
		session_print_handle(s,
		    s->own->list[event->token - TOKEN_FIRST].index, event);
		return true;
	}
	(void)pending_drop_output(s, event->token);
	return false;
}

/* select(2) does not name it. */
static const char *
object_select_closed(const struct session *s)
{
	const struct selected *list = s->own->list;

	for (size_t i = 0; i < s->own->count; i++)
		if (foreign_is_closed(list[i].fd))
			return s->handles.list[list[i].index].name;
	return NULL;
}

static int
object_select_select(struct session *s, struct tokenizer *words)
{
	int64_t ns = 0;
	char *word;
	size_t length;
	int status;

	if (s->pending.active)
		return session_busy(s);
	status = tokenize_next(words, &word, &length);
	if (status == 0)
		status = word != NULL ?
		    session_timeout(word, false, &ns) :
		    diag_usage("select TIMEOUT [-r T]... [-w T]... [-x T]...");
	if (status == 0)
		status = take_lists(s, words);
	if (status == 0)
		return pending_begin(s, ns, 1);
	object_select_release(s);
	return status;
}

static void
object_select_close(struct object_state *own)
{
	free(own->list);
}

static const struct session_verb object_select_verbs[] = {
	{ "select", false, object_select_select,
	    "select TIMEOUT [-r T]... [-w T]... [-x T]..." },
	{ "", false, NULL, NULL },
};

const struct session_object object_select = {
	.backend = &backend_select,
	.size = sizeof(struct object_state),
	.verbs = object_select_verbs,
	.event = object_select_event,
	.prepare = object_select_prepare,
	.release = object_select_release,
	.sleep = pending_sleep_with_own,
	.closed = object_select_closed,
	.close = object_select_close,
};
