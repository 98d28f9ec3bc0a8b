/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "output/output.h"
#include "print/print.h"
#include "session/core.h"

/* ---- answers ---- */

static void
put_head(const char *word, const char *tag, size_t length)
{
	output_string(word);
	if (tag == NULL)
		return;
	output_string(" @");
	output_bytes(tag, length);
}

static void
put_error(const struct session *s, const char *tag, size_t length)
{
	put_head("error", tag, length);
	output_character(' ');
	output_string(s->message.name);
	output_character(' ');
	output_bytes(s->message.text, s->message.length);
	output_character('\n');
}

static void
put_ok(const struct session *s, const char *tag, size_t length)
{
	put_head("ok", tag, length);
	if (s->text != NULL || s->value >= 0)
		output_character(' ');
	if (s->text != NULL)
		output_string(s->text);
	else if (s->value >= 0)
		output_number(s->value);
	output_character('\n');
}

void
session_answer(const struct session *s, int status, const char *tag,
    size_t length)
{
	if (status == 0)
		put_ok(s, tag, length);
	else if (status != SESSION_PENDING)
		put_error(s, tag, length);
}

static const char *
pending_tag(const struct session *s)
{
	return s->pending.tag_length == 0 ? NULL : s->pending.tag;
}

void
session_answer_pending(const struct session *s, int status)
{
	session_answer(s, status, pending_tag(s), s->pending.tag_length);
}

int
session_refuse(struct session *s, const char *name, const char *text)
{
	s->message.name = name;
	s->message.length = strlen(text);
	memcpy(s->message.text, text, s->message.length);
	return EXIT_USAGE;
}

int
session_busy(struct session *s)
{
	return session_refuse(s, "BUSY", "a wait is pending");
}

void
session_print(struct session *s, const struct target *t,
    const struct event *event, const struct kevent_request *kevent)
{
	put_head("event", pending_tag(s), s->pending.tag_length);
	output_character('\t');
	print_answer(&s->request->print, t, event, kevent);
}

void
session_print_handle(struct session *s, uint32_t index,
    const struct event *event)
{
	struct target t;

	session_describe(&s->handles.list[index], &t);
	session_print(s, &t, event, NULL);
}

void
session_describe(const struct handle *h, struct target *t)
{
	memset(t, 0, sizeof *t);
	t->name = h->name;
	t->length = h->length;
	t->fd = h->fd;
	t->number = h->name == NULL || (h->flags & HANDLE_PATH) != 0 ?
	    h->fd :
	    (int)h->number;
}

int
session_failed(const struct session *s, const struct target *t, int error)
{
	const char *hint = s->backend->hint == NULL ?
	    NULL :
	    s->backend->hint(error, t->bits);

	return diag_system(-error, hint, "%.*s", (int)t->length, t->name);
}

int
session_handle_failed(const struct session *s, uint32_t index, int error)
{
	struct target t;

	session_describe(&s->handles.list[index], &t);
	return session_failed(s, &t, error);
}

/* ---- words to numbers ---- */

int
session_timeout(const char *word, bool forever, int64_t *ns)
{
	bool negative = *word == '-' && word[1] != '\0' && word[1] != '-';
	int error = 0;

	if (strcmp(word, "-") == 0)
		*ns = DURATION_FOREVER;
	else
		error = duration_parse(word + negative, ns);
	if (error == -ERANGE)
		return diag_range("'%s' is out of range (292 years)", word);
	if (error != 0)
		return diag_usage(
		    "'%s' is not a timeout (examples: 1.5, 20ms, 2m, -)", word);
	if (!negative || *ns == 0)
		return 0;
	*ns = DURATION_FOREVER;
	return forever ? 0 :
			 diag_usage("'%s': a timeout cannot be negative", word);
}

int
session_count(const char *what, const char *word, int64_t least, size_t *count)
{
	uint64_t value;
	int error = number_parse(word, strlen(word), 10, INT_MAX, &value);

	if (error == -ERANGE)
		return diag_range("%s: %s is more than %d", what, word,
		    INT_MAX);
	if (error != 0 || (int64_t)value < least)
		return diag_usage("%s: '%s': expected a number >= %d", what,
		    word, (int)least);
	*count = (size_t)value;
	return 0;
}

int
session_end(struct tokenizer *words)
{
	char *word;
	size_t length;
	int status = tokenize_next(words, &word, &length);

	if (status == 0 && word != NULL)
		status = diag_usage("unexpected word '%s'", word);
	return status;
}
