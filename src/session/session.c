/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/over.h"
#include "sys/foreign.h"
#include "base/deadline.h"
#include "base/duration.h"
#include "compat.h"
#include "output/output.h"
#include "print/print.h"
#include "session/internal.h"
#include "session/session.h"
#include "sys/fdplace.h"
#include "sys/kernel.h"
#include "sys/process.h"
#include "sys/timeout.h"
#include "target/kevent_parse.h"
#include "wait/waitset.h"

#define INPUT_SIZE 65536
#define INPUT_LARGE ((size_t)16 * INPUT_SIZE) /* given back when empty */
#define INPUT_MOST ((size_t)2048 * INPUT_SIZE) /* one request */

/* As many events as Python's epoll object asks for, or as are registered. */
#define USUAL_EVENTS (FD_SETSIZE - 1)
#define MOST_EVENTS 65536

/* Descriptors of the session's own lie above this, of so many at most. */
#define OWN_ROOM 1024
#define OWN_HIGHEST 65536

/* Primitives, as a set. */
enum {
	SELECT = 1,
	POLL = 2,
	DEVPOLL = 4,
	EPOLL = 8,
	KQUEUE = 16,
	ALL = 31
};

static struct session session;

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
put_error(const char *tag, size_t length, const char *name, const char *text,
    size_t text_length)
{
	put_head("error", tag, length);
	output_character(' ');
	output_string(name);
	output_character(' ');
	output_bytes(text, text_length);
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

static void
answer(const struct session *s, int status, const char *tag, size_t length)
{
	if (status == 0)
		put_ok(s, tag, length);
	else if (status != SERVE_PENDING)
		put_error(tag, length, s->message.name, s->message.text,
		    s->message.length);
}

int
session_refuse(struct session *s, const char *name, const char *text)
{
	s->message.name = name;
	s->message.length = strlen(text);
	memcpy(s->message.text, text, s->message.length);
	return EXIT_USAGE;
}

static const char *
wait_tag(const struct session *s)
{
	return s->wait.tag_length == 0 ? NULL : s->wait.tag;
}

void
session_event(struct session *s, const struct target *t,
    const struct event *event, const struct kevent_request *kevent)
{
	put_head("event", wait_tag(s), s->wait.tag_length);
	output_character('\t');
	print_answer(s->request, t, event, kevent);
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
		return diag_usage("'%s' is no timeout (as 1.5, 20ms, 2m, -)",
		    word);
	if (!negative || *ns == 0)
		return 0;
	*ns = DURATION_FOREVER;
	return forever ? 0 :
			 diag_usage("'%s': a timeout is not negative", word);
}

int
session_count(const char *what, const char *word, int64_t least, size_t *count)
{
	int64_t value = 0;

	if (*word == '\0')
		value = -1;
	for (const char *c = word; *c != '\0' && value != -1; c++) {
		if (*c < '0' || *c > '9')
			value = -1;
		else if (value <= INT_MAX)
			value = value * 10 + (*c - '0');
	}
	if (value > INT_MAX)
		return diag_range("%s: %s is more than %d", what, word,
		    INT_MAX);
	if (value < least)
		return diag_usage("%s: '%s' is no number from %d on", what,
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
		status = diag_usage("one word too many: '%s'", word);
	return status;
}

/* ---- waits ---- */

/* Whether waiting in the primitive itself can tell of the input, too. */
static bool
has_input(const struct session *s)
{
	return s->backend != &backend_epoll && s->backend != &backend_kqueue;
}

static int
remember_tag(struct pending *wait, const char *tag, size_t length)
{
	char *space;

	if (tag == NULL)
		length = 0;
	if (length > wait->tag_capacity) {
		space = realloc(wait->tag, length);
		if (space == NULL)
			return -ENOMEM;
		wait->tag = space;
		wait->tag_capacity = length;
	}
	if (length > 0)
		memcpy(wait->tag, tag, length);
	wait->tag_length = length;
	return 0;
}

/* Whether the reader of the output has gone. */
static bool
output_gone(void)
{
	struct pollfd p = { STDOUT_FILENO, 0, 0 };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

/*
 * Take an event of the last wait.  Returns whether it is one of a target, which
 * is printed.
 */
static bool
deliver(struct session *s, const struct event *event)
{
	struct target t;
	char space[24];

	if (s->backend == &backend_kqueue)
		return session_kevent(s, event);
	if (event->token == (has_input(s) ? TOKEN_INPUT : OWN_INPUT)) {
		s->input_ready = true;
		return false;
	}
	if (event->token == (has_input(s) ? TOKEN_OUTPUT : OWN_OUTPUT)) {
		if (output_gone())
			s->output_error = -EPIPE;
		else if (s->backend == &backend_select)
			/* readable as well as writable: nothing to us */
			(void)s->object->remove(s->state, TOKEN_OUTPUT,
			    STDOUT_FILENO);
		return false;
	}
	session_target(s, event, &t, space);
	session_event(s, &t, event, NULL);
	return true;
}

/*
 * One wait of the primitive.  Returns how many events were printed, or -errno.
 */
static int
attempt(struct session *s, int64_t timeout)
{
	struct event event;
	int n, count = 0;

	n = s->object->wait(s->state, s->wait.max, timeout);
	if (n < 0)
		return n == -EINTR ? 0 : n;
	while (s->object->next(s->state, &event))
		count += deliver(s, &event);
	return count;
}

/* Name the closed descriptor that select(2) does not name. */
static int
wait_failed(const struct session *s, int error)
{
	const struct handle *e;

	for (size_t i = 0; error == -EBADF && i < s->selected_count; i++) {
		e = &s->registry.list[s->selected[i].index];
		if (foreign_is_closed(s->selected[i].fd))
			return diag_system(EBADF, NULL, "%s", e->name);
	}
	for (size_t i = 0; error == -EOPNOTSUPP && i < s->registry.count; i++) {
		e = &s->registry.list[i];
		if (e->kind != 0 && foreign_why(e->fd) != NULL)
			return diag_unavailable("%s: %s", e->name,
			    foreign_why(e->fd));
	}
	return diag_system(-error, NULL, "%s", s->backend->name);
}

int
session_wait(struct session *s, int64_t ns, size_t max)
{
	int n, status;

	s->wait.max = max;
	s->wait.deadline = deadline_in(ns);
	status = session_prepare(s);
	if (status != 0)
		return status;
	n = attempt(s, 0);
	if (n == 0 && ns != 0) {
		s->wait.active = true;
		return SERVE_PENDING;
	}
	status = n < 0 ? wait_failed(s, n) : 0;
	session_release(s);
	s->value = n;
	return status;
}

/* The pending wait has ended with N events, or a -errno. */
static void
finish(struct session *s, int n)
{
	int status = n < 0 ? wait_failed(s, n) : 0;

	s->text = NULL;
	s->value = n;
	answer(s, status, wait_tag(s), s->wait.tag_length);
	s->wait.active = false;
	session_release(s);
}

static void
cancel(struct session *s)
{
	static const char text[] = "the wait was ended";

	put_error(wait_tag(s), s->wait.tag_length, "CANCELED", text,
	    sizeof text - 1);
	s->wait.active = false;
	session_release(s);
}

/* ---- requests of all ---- */

static int
session_fileno(struct session *s, struct tokenizer *words)
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
session_closed(struct session *s, struct tokenizer *words)
{
	s->text = s->state == NULL ? "true" : "false";
	return session_end(words);
}

static void
forget_all(struct session *s)
{
	session_forget_kevents(s);
	for (uint32_t i = 0; i < s->registry.count; i++)
		if (s->registry.list[i].kind != 0)
			session_drop(s, i);
}

static int
session_close(struct session *s, struct tokenizer *words)
{
	int status = session_end(words);

	if (status != 0 || s->state == NULL)
		return status;
	if (s->wait.active)
		cancel(s);
	forget_all(s);
	s->object->close(s->state);
	s->state = NULL;
	return 0;
}

static int
session_cancel(struct session *s, struct tokenizer *words)
{
	bool ends = s->wait.active;
	char *tag;
	size_t length;
	int status = tokenize_next(words, &tag, &length);

	if (status == 0 && tag != NULL) {
		ends = ends && length == s->wait.tag_length &&
		    memcmp(tag, s->wait.tag, length) == 0;
		status = session_end(words);
	}
	if (status != 0)
		return status;
	if (ends)
		cancel(s);
	s->value = ends;
	return 0;
}

static int
session_quit(struct session *s, struct tokenizer *words)
{
	int status = session_end(words);

	if (status != 0)
		return status;
	if (s->wait.active)
		cancel(s);
	s->quit = true;
	return 0;
}

static int
session_poll(struct session *s, struct tokenizer *words)
{
	bool epoll = s->backend == &backend_epoll;
	size_t max = USUAL_EVENTS, length;
	int64_t ns = DURATION_FOREVER;
	char *word;
	int status = tokenize_next(words, &word, &length);

	if (s->adopted)
		max = MOST_EVENTS;
	if (s->registry.used > max)
		max = s->registry.used;
	if (status == 0 && word != NULL)
		status = session_timeout(word, true, &ns);
	if (status == 0 && word != NULL && epoll) {
		status = tokenize_next(words, &word, &length);
		/* as many as there are, in Python too */
		if (status == 0 && word != NULL && strcmp(word, "-1") != 0)
			status = session_count("MAXEVENTS", word, 1, &max);
	}
	if (status == 0)
		status = session_end(words);
	if (status != 0)
		return status;
	if (s->wait.active)
		return session_refuse(s, "BUSY", "a wait is pending");
	return session_wait(s, ns, max);
}

/* The descriptor that T names, to be the object's; or -errno. */
static int
adopted_number(struct session *s, const struct target *t)
{
	return t->process != 0 ? process_descriptor(s->process, t->number) :
				 t->number;
}

static int
session_fromfd(struct session *s, struct tokenizer *words)
{
	struct target t = { .fd = -1, .process = s->process >= 0 };
	size_t length;
	int status = tokenize_next(words, &t.name, &length), fd, error;

	if (status == 0 && t.name == NULL)
		return diag_usage("fromfd N");
	t.length = (uint32_t)length;
	if (status == 0)
		status = session_end(words);
	if (status == 0)
		status = target_parse_name(&t);
	if (status == 0 && (t.flags & TARGET_PATH) != 0)
		status = diag_usage("fromfd N: '%s' is no descriptor", t.name);
	if (status == 0)
		status = session_check_number(s, &t);
	if (status != 0)
		return status;
	if (s->wait.active)
		return session_refuse(s, "BUSY", "a wait is pending");
	fd = adopted_number(s, &t);
	if (fd < 0)
		return fd == -ENOSYS ?
		    diag_unavailable("%s: this system has no pidfd_getfd(2)",
			t.name) :
		    diag_system(-fd, NULL, "%s", t.name);
	error = s->object->adopt(s->state, fd);
	if (error == 1)
		return 0;
	if (error == 0) {
		/* what was registered went with the object */
		forget_all(s);
		s->adopted = true;
		return 0;
	}
	if (t.process != 0)
		(void)close(fd);
	return diag_system(-error, NULL, "%s", t.name);
}

static session_fn session_help;

/* ---- the table ---- */

static const struct verb {
	char name[12];
	unsigned primitives;
	bool closed; /* understood after close, too */
	session_fn *serve;
	const char *usage;
} verbs[] = {
	{ "register", POLL | DEVPOLL | EPOLL, false, session_register,
	    "register T[:EVENTS]" },
	{ "modify", POLL | DEVPOLL | EPOLL, false, session_modify,
	    "modify T:EVENTS" },
	{ "unregister", POLL | DEVPOLL | EPOLL, false, session_unregister,
	    "unregister T" },
	{ "poll", POLL | DEVPOLL, false, session_poll, "poll [TIMEOUT]" },
	{ "poll", EPOLL, false, session_poll, "poll [TIMEOUT [MAXEVENTS]]" },
	{ "select", SELECT, false, session_select,
	    "select TIMEOUT [-r T]... [-w T]... [-x T]..." },
	{ "control", KQUEUE, false, session_control,
	    "control MAX TIMEOUT [KEVENT]..." },
	{ "fromfd", EPOLL | KQUEUE, false, session_fromfd, "fromfd N" },
	{ "fileno", ALL, false, session_fileno, "fileno" },
	{ "closed", ALL, true, session_closed, "closed" },
	{ "close", ALL, true, session_close, "close" },
	{ "cancel", ALL, false, session_cancel, "cancel [TAG]" },
	{ "help", ALL, true, session_help, "help" },
	{ "quit", ALL, true, session_quit, "quit" },
};

#define VERBS (sizeof verbs / sizeof *verbs)

static unsigned
primitive(const struct session *s)
{
	static const struct backend *const order[] = { &backend_select,
		&backend_poll, &backend_devpoll, &backend_epoll,
		&backend_kqueue };

	for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
		if (s->backend == order[i])
			return 1u << i;
	return 0;
}

/* All in one line. */
static int
session_help(struct session *s, struct tokenizer *words)
{
	static char text[512];
	size_t used = 0;
	int status = session_end(words);

	for (size_t i = 0; i < VERBS; i++)
		if ((verbs[i].primitives & primitive(s)) != 0)
			used += (size_t)snprintf(text + used,
			    sizeof text - used, "%s%s", used == 0 ? "" : "; ",
			    verbs[i].usage);
	s->text = text;
	return status;
}

static int
session_request(struct session *s, struct tokenizer *words)
{
	const struct verb *verb = verbs;
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
	while (verb < verbs + VERBS &&
	    ((verb->primitives & primitive(s)) == 0 ||
		strcmp(verb->name, word) != 0))
		verb++;
	if (verb == verbs + VERBS)
		return diag_usage("%s has no request '%s' (see help)",
		    s->backend->name, word);
	if (s->state == NULL && !verb->closed)
		return session_refuse(s, "CLOSED", "the object is closed");
	return verb->serve(s, words);
}

/* Serve one line, from AT up to END, where there may be a NUL put. */
static void
serve(struct session *s, char *at, char *end)
{
	struct tokenizer words = { at, end };
	const char *tag = NULL;
	size_t length = 0;
	int status;

	s->text = NULL;
	s->value = -1;
	status = tokenize_tag(&words, &tag, &length);
	if (status == 0 && !s->wait.active &&
	    remember_tag(&s->wait, tag, length) != 0)
		status = diag_system(ENOMEM, NULL, "tag");
	if (status == 0)
		status = session_request(s, &words);
	answer(s, status, tag, length);
}

/* ---- input ---- */

/* The request that begins here is too long, and is read past its end. */
static void
refuse_long(struct session *s)
{
	struct tokenizer words = { s->input + s->begin, s->input + s->end };
	const char *tag = NULL;
	size_t length = 0;
	int status = tokenize_tag(&words, &tag, &length);

	if (status == 0)
		status = diag_usage("a request has at most %zu bytes",
		    INPUT_MOST);
	answer(s, status, tag, length);
	s->skipping = true;
	s->begin = s->end = s->scanned = 0;
}

/* What was too long ends at END, or with the input. */
static void
skip(struct session *s, const char *end)
{
	s->skipping = false;
	s->begin = s->scanned = end == NULL ? s->end :
					      (size_t)(end - s->input) + 1;
}

/* Serve all lines that are there; at the end of the input also the last. */
static void
session_lines(struct session *s)
{
	char *from, *end;

	while (s->input != NULL && !s->quit && s->output_error == 0) {
		from = s->input + s->scanned;
		end = memchr(from, '\n', s->end - s->scanned);
		if (s->skipping && (end != NULL || s->ended)) {
			skip(s, end);
			continue;
		}
		if (end == NULL && (!s->ended || s->begin == s->end))
			break;
		if (end == NULL)
			end = s->input + s->end;
		from = s->input + s->begin;
		s->begin = s->scanned = (size_t)(end - s->input) +
		    (end < s->input + s->end);
		serve(s, from, end);
	}
	s->scanned = s->end;
}

/* Room for more, and one byte behind it.  Returns 0 or -ENOMEM. */
static int
make_room(struct session *s)
{
	size_t size = s->capacity;
	char *input;

	if (s->begin > 0) {
		memmove(s->input, s->input + s->begin, s->end - s->begin);
		s->end -= s->begin;
		s->scanned = s->end;
		s->begin = 0;
	}
	if (s->skipping)
		s->end = s->scanned = 0;
	else if (s->end == INPUT_MOST)
		refuse_long(s);
	if (s->end == 0 && size > INPUT_LARGE)
		size = INPUT_SIZE;
	else if (s->end == size)
		size = size == 0 ? INPUT_SIZE : 2 * size;
	if (size == s->capacity)
		return 0;
	input = realloc(s->input, size + 1);
	if (input == NULL)
		return -ENOMEM;
	s->input = input;
	s->capacity = size;
	return 0;
}

/* Read once from the input, which is ready.  Returns 0 or an exit status. */
static int
take_input(struct session *s)
{
	ssize_t n;

	s->input_ready = false;
	if (make_room(s) != 0) {
		diag_capture(NULL);
		return diag_system(ENOMEM, NULL, "a request");
	}
	n = read(STDIN_FILENO, s->input + s->end, s->capacity - s->end);
	if (n > 0)
		s->end += (size_t)n;
	else if (n == 0) {
		s->ended = s->stale = true;
		if (has_input(s) && s->state != NULL && s->wait.active)
			(void)s->object->remove(s->state, TOKEN_INPUT,
			    STDIN_FILENO);
	} else if (errno != EINTR && errno != EAGAIN) {
		diag_capture(NULL);
		return diag_system(errno, NULL, "standard input");
	}
	return 0;
}

/* ---- the loop ---- */

/*
 * epoll: a wake-up that is exclusive counts those alone that sleep in
 * epoll_wait(2), and wakes all that poll(2) the instance (fs/eventpoll.c,
 * ep_poll_callback).  So the input and the output are in it while the session
 * sleeps, under numbers of their own.  In an instance that others may wait in,
 * too, they would be told of them.
 */
static bool
watch_own(struct session *s)
{
	const struct flag *in = s->backend->flags;

	if (s->backend != &backend_epoll || s->adopted)
		return false;
	for (int i = 0; i < 2; i++)
		if (s->own[i] <= 0)
			s->own[i] = fdplace(fcntl(i, F_DUPFD_CLOEXEC, 3));
	if (!s->ended &&
	    (s->own[0] < 0 ||
		s->object->add(s->state, OWN_INPUT, s->own[0], in->bit) != 0))
		return false;
	if (s->watches_output)
		(void)s->object->add(s->state, OWN_OUTPUT, s->own[1],
		    s->backend->mask_watch);
	return true;
}

static void
sleep_with_own(struct session *s)
{
	int64_t left = deadline_left(s->wait.deadline);
	int n = attempt(s, left);

	(void)s->object->remove(s->state, OWN_INPUT, s->own[0]);
	(void)s->object->remove(s->state, OWN_OUTPUT, s->own[1]);
	if (s->output_error == 0 && (n != 0 || left == 0))
		finish(s, n);
}

static int
sleep_failed(int error)
{
	diag_capture(NULL);
	return diag_system(-error,
	    error == -EINVAL ? "more descriptors than RLIMIT_NOFILE allows" :
			       NULL,
	    "poll");
}

/*
 * Sleep until there is input, or the pending wait may have its answer.  Returns
 * 0 or an exit status: what cannot be waited for would be asked for ever.
 */
static int
sleep_outside(struct session *s)
{
	struct pollfd p[3] = { { s->ended ? -1 : STDIN_FILENO, POLLIN, 0 },
		{ STDOUT_FILENO, 0, 0 }, { -1, POLLIN, 0 } };
	/* what is closed in another process rings no bell */
	bool looks = s->wait.active && s->object != s->backend;
	int64_t left = -1;
	int n;

	if (s->wait.active) {
		p[2].fd = s->object->number(s->state);
		left = deadline_left(s->wait.deadline);
	}
	n = timeout_poll(p, 3,
	    looks && (left == -1 || left > FOREIGN_PAUSE) ? FOREIGN_PAUSE :
							    left);
	if (n < 0)
		return n == -EINTR ? 0 : sleep_failed(n);
	if ((p[1].revents & (POLLERR | POLLHUP)) != 0) {
		s->output_error = -EPIPE;
		return 0;
	}
	s->input_ready = p[0].revents != 0;
	if (!s->wait.active)
		return 0;
	n = p[2].revents != 0 || left == 0 || looks ? attempt(s, 0) : 0;
	if (n != 0 || left == 0)
		finish(s, n);
	return 0;
}

/* The same for a primitive that looks at the input itself. */
static void
sleep_inside(struct session *s)
{
	int64_t left = deadline_left(s->wait.deadline);
	int n = attempt(s, left);

	if (s->output_error == 0 && (n != 0 || left == 0))
		finish(s, n);
}

static int
loop(struct session *s)
{
	int status = 0;

	while (status == 0) {
		session_lines(s);
		if (s->output_error == 0)
			s->output_error = output_flush();
		if (s->output_error != 0) {
			diag_capture(NULL);
			return print_failed(s->output_error);
		}
		if (s->quit)
			break;
		if (s->ended && s->wait.active &&
		    s->wait.deadline == DEADLINE_NEVER)
			cancel(s);
		if (s->ended && !s->wait.active)
			break;
		if (s->wait.active && has_input(s))
			sleep_inside(s);
		else if (s->wait.active && watch_own(s))
			sleep_with_own(s);
		else
			status = sleep_outside(s);
		if (status == 0 && s->input_ready && s->output_error == 0)
			status = take_input(s);
	}
	return status;
}

/* ---- beginning ---- */

static bool
is_named(int number)
{
	return handles_find(&session.registry,
		   session.process >= 0 ? KIND_OWN : KIND_NUMBER, NULL, 0,
		   (uint64_t)number) != HANDLES_NONE;
}

/* Out of the way of the numbers that requests name. */
static void
move_up(void)
{
	struct rlimit limit;
	rlim_t top = OWN_HIGHEST;

	kernel_raise_files();
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < top)
		top = limit.rlim_cur;
	if (top > (rlim_t)2 * OWN_ROOM)
		fdplace_above((int)top - OWN_ROOM);
	fdplace_avoid(is_named);
}

static int
open_process(struct session *s, const struct targets *targets)
{
	long pid;

	s->process = -1;
	if (targets->process_count == 0)
		return 0;
	if (targets->process_count > 1)
		return diag_usage("--session: more than one process");
	s->pid = targets->processes[0];
	pid = (long)s->pid;
	s->process = process_open(s->pid);
	if (s->process >= 0)
		return 0;
	if (s->process == -ENOSYS)
		return diag_unavailable("--pid: this system has no"
					" pidfd_getfd(2)");
	return diag_system(-s->process,
	    s->process == -ENOENT || s->process == -EINVAL ?
		"a thread's id, not a process's" :
		NULL,
	    "process %ld", pid);
}

/* Standard input and output are looked at in the same wait as the targets. */
static int
open_object(struct session *s)
{
	struct stat st;
	int error;

	s->watches_output = fstat(STDOUT_FILENO, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	s->object = s->process >= 0 && s->backend != &backend_epoll ?
	    backend_over(s->backend, true) :
	    s->backend;
	error = s->object->open(&s->state, 0);
	if (error != 0)
		return waitset_no_object(s->backend, error);
	s->stale = true;
	return 0;
}

int
session_run(struct request *request)
{
	struct session *s = &session;
	int status;

	s->request = request;
	s->backend = request->backend;
	move_up();
	status = open_process(s, &request->targets);
	if (status == 0)
		status = open_object(s);
	if (status != 0)
		return status;
	kevent_numbers();
	output_string("ready ");
	output_number(getpid());
	output_character('\n');
	diag_capture(&s->message);
	status = loop(s);
	diag_capture(NULL);
	return status;
}
