/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "session/core.h"
#include "session/pending.h"
#include "session/resolve.h"
#include "session/verbs.h"
#include "sys/process.h"
#include "target/target.h"

/* ---- the requests of all objects ---- */

static int
verb_fileno(struct session *s, struct tokenizer *words)
{
	int status = session_end(words), fd;

	if (status != 0)
		return status;
	fd = s->backend->number == NULL ? -ENOSYS : s->object->number(s->state);
	if (fd < 0)
		return diag_system(-fd,
		    fd == -ENOSYS ? "the object has no descriptor" : NULL, "%s",
		    s->backend->name);
	s->value = fd;
	return 0;
}

static int
verb_closed(struct session *s, struct tokenizer *words)
{
	s->text = s->state == NULL ? "true" : "false";
	return session_end(words);
}

void
verbs_close_object(struct session *s)
{
	if (s->state == NULL)
		return;
	session_drop_all(s);
	s->object->close(s->state);
	s->state = NULL;
}

static int
verb_close(struct session *s, struct tokenizer *words)
{
	int status = session_end(words);

	if (status != 0)
		return status;
	if (s->pending.active)
		pending_cancel(s);
	verbs_close_object(s);
	return 0;
}

static int
verb_cancel(struct session *s, struct tokenizer *words)
{
	bool ends = s->pending.active;
	char *tag;
	size_t length;
	int status = tokenize_next(words, &tag, &length);

	if (status == 0 && tag != NULL) {
		ends = ends && length == s->pending.tag_length &&
		    memcmp(tag, s->pending.tag, length) == 0;
		status = session_end(words);
	}
	if (status != 0)
		return status;
	if (ends)
		pending_cancel(s);
	s->value = ends;
	return 0;
}

static int
verb_quit(struct session *s, struct tokenizer *words)
{
	int status = session_end(words);

	if (status != 0)
		return status;
	if (s->pending.active)
		pending_cancel(s);
	s->quit = true;
	return 0;
}

/* ---- fromfd, of those that can use another's object ---- */

/* The descriptor that the next word names, parsed to *T, or an exit status. */
static int
next_number(struct session *s, struct tokenizer *words, struct target *t)
{
	size_t length;
	int status = tokenize_next(words, &t->name, &length);

	if (status == 0 && t->name == NULL)
		return diag_usage("fromfd N");
	t->length = (uint32_t)length;
	if (status == 0)
		status = session_end(words);
	if (status == 0)
		status = target_parse_name(t);
	if (status == 0 && (t->flags & TARGET_PATH) != 0)
		status = diag_usage("fromfd N: '%s' is not a descriptor",
		    t->name);
	if (status == 0)
		status = session_check_number(s, t);
	return status;
}

/* The descriptor that T names, to be the object's; or -errno. */
static int
adopted_number(struct session *s, const struct target *t)
{
	return t->process != 0 ? process_descriptor(s->process, t->number) :
				 t->number;
}

static int
verb_fromfd(struct session *s, struct tokenizer *words)
{
	struct target t = { .fd = -1, .process = s->process >= 0 };
	int status = next_number(s, words, &t), fd, error;

	if (status != 0)
		return status;
	if (s->pending.active)
		return session_busy(s);
	fd = adopted_number(s, &t);
	if (fd == -ENOSYS)
		return diag_unavailable("%s: this system has no pidfd_getfd(2)",
		    t.name);
	if (fd < 0)
		return diag_system(-fd, NULL, "%s", t.name);
	error = s->object->adopt(s->state, fd);
	if (error == 1) /* it is the same object */
		return 0;
	if (error == 0) {
		/* the registered targets went with the old object */
		session_drop_all(s);
		s->adopted = true;
		return 0;
	}
	if (t.process != 0)
		(void)close(fd);
	return diag_system(-error, NULL, "%s", t.name);
}

/* ---- the table ---- */

static session_fn verb_help;

/* The first is of those that can use another's object. */
static const struct session_verb common[] = {
	{ "fromfd", false, verb_fromfd, "fromfd N" },
	{ "fileno", false, verb_fileno, "fileno" },
	{ "closed", true, verb_closed, "closed" },
	{ "close", true, verb_close, "close" },
	{ "cancel", false, verb_cancel, "cancel [TAG]" },
	{ "help", true, verb_help, "help" },
	{ "quit", true, verb_quit, "quit" },
	{ "", false, NULL, NULL },
};

static const struct session_verb *
common_of(const struct session *s)
{
	return s->backend->adopt == NULL ? common + 1 : common;
}

static const struct session_verb *
find_verb(const struct session *s, const char *name)
{
	const struct session_verb *v = s->slots->verbs;

	while (*v->name != '\0' && strcmp(v->name, name) != 0)
		v++;
	if (*v->name != '\0')
		return v;
	v = common_of(s);
	while (*v->name != '\0' && strcmp(v->name, name) != 0)
		v++;
	return *v->name == '\0' ? NULL : v;
}

static void
list_verbs(const struct session_verb *v, char *text, size_t size)
{
	size_t used = strlen(text);

	for (; *v->name != '\0'; v++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
		    used == 0 ? "" : "; ", v->usage);
}

/* All in one line, which stands where the message of an error would. */
static int
verb_help(struct session *s, struct tokenizer *words)
{
	int status = session_end(words);

	if (status != 0)
		return status;
	*s->message.text = '\0';
	list_verbs(s->slots->verbs, s->message.text, sizeof s->message.text);
	list_verbs(common_of(s), s->message.text, sizeof s->message.text);
	s->text = s->message.text;
	return 0;
}

/* ---- a request ---- */

static int
serve_words(struct session *s, struct tokenizer *words)
{
	const struct session_verb *verb;
	char *word;
	size_t length;
	int status;

	if (memchr(words->at, '\0', (size_t)(words->end - words->at)) != NULL)
		return diag_usage("a NUL byte in a request");
	status = tokenize_next(words, &word, &length);
	if (status != 0)
		return status;
	if (word == NULL)
		return diag_usage("an empty request");
	verb = find_verb(s, word);
	if (verb == NULL)
		return diag_usage("%s has no request '%s' (see help)",
		    s->backend->name, word);
	if (s->state == NULL && !verb->closed)
		return session_refuse(s, "CLOSED", "the object is closed");
	return verb->serve(s, words);
}

void
verbs_serve(struct session *s, char *at, char *end)
{
	struct tokenizer words = { at, end };
	const char *tag = NULL;
	size_t length = 0;
	int status;

	s->text = NULL;
	s->value = -1;
	status = tokenize_tag(&words, &tag, &length);
	if (status == 0 && !s->pending.active &&
	    pending_set_tag(s, tag, length) != 0)
		status = diag_system(ENOMEM, NULL, "tag");
	if (status == 0)
		status = serve_words(s, &words);
	session_answer(s, status, tag, length);
}
