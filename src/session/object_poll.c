/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "sys/foreign.h"
#include "base/flags.h"
#include "output/diag.h"
#include "session/internal.h"
#include "sys/fdplace.h"
#include "sys/process.h"
#include "target/target.h"

static bool
is_foreign(const struct handle *e)
{
	return (e->flags & HANDLE_FOREIGN) != 0;
}

/* ---- names and numbers ---- */

int
session_check_number(struct session *s, const struct target *t)
{
	int flags, object;

	if (t->process != 0)
		return 0;
	if (t->number <= STDERR_FILENO)
		return diag_system(EBADF, "the session's own", "%.*s",
		    (int)t->length, t->name);
	/* what came through exec(2) is not close-on-exec */
	flags = fcntl(t->number, F_GETFD);
	if (flags == -1 || (flags & FD_CLOEXEC) == 0)
		return 0;
	object = s->backend->number == NULL ? -1 : s->object->number(s->state);
	return t->number == object ?
	    0 :
	    diag_system(EBADF, "pmux's own", "%.*s", (int)t->length, t->name);
}

static uint32_t
kind_of(const struct session *s, const struct target *t, uint32_t mode)
{
	if ((t->flags & TARGET_PATH) != 0)
		return KIND_PATH + mode;
	return t->process == 0 && s->process >= 0 ? KIND_OWN : KIND_NUMBER;
}

uint32_t
session_find(const struct session *s, const struct target *t, uint32_t mode)
{
	bool named = (t->flags & TARGET_PATH) != 0;

	return handles_find(&s->registry, kind_of(s, t, mode),
	    named ? t->name : NULL, t->length, (uint64_t)t->number);
}

/* Whether pmux has the other end of the FIFO that T is to open. */
static bool
is_own_peer(const struct session *s, const struct target *t)
{
	uint8_t other = (t->bits & s->backend->mask_write) != 0 ? HANDLE_READS :
								  HANDLE_WRITES;
	struct stat one, st;

	if (stat(t->name, &one) == -1 || !S_ISFIFO(one.st_mode) ||
	    (t->bits & s->backend->mask_look) != 0)
		return false;
	for (uint32_t i = 0; i < s->registry.count; i++) {
		const struct handle *e = &s->registry.list[i];

		if (e->kind != 0 && (e->flags & HANDLE_FIFO) != 0 &&
		    (e->flags & other) != 0 && fstat(e->fd, &st) == 0 &&
		    st.st_dev == one.st_dev && st.st_ino == one.st_ino)
			return true;
	}
	return false;
}

/* Open the file of entry INDEX, which was made for T. */
static int
open_entry(struct session *s, struct target *t, uint32_t index)
{
	struct handle *e = &s->registry.list[index];
	uint32_t reading = s->backend->mask_read | s->backend->mask_look;
	char *word = t->name;
	int status;

	if (is_own_peer(s, t))
		return diag_usage("%s: to read and to write one FIFO by name"
				  " would make pmux its own peer",
		    t->name);
	t->name = e->name; /* it stays, and fifo.c keeps it */
	status = target_open(t, s->backend);
	t->name = word;
	if (status != 0)
		return status;
	e->fd = t->fd;
	e->flags |= HANDLE_PATH;
	if ((t->flags & TARGET_FIFO) != 0)
		e->flags |= HANDLE_FIFO;
	if ((t->bits & s->backend->mask_write) != 0)
		e->flags |= HANDLE_WRITES;
	if ((t->bits & reading) != 0 || (t->bits & s->backend->mask_write) == 0)
		e->flags |= HANDLE_READS;
	return 0;
}

/* Whether the file is open for what T asks. */
static int
check_directions(const struct session *s, const struct handle *e,
    const struct target *t)
{
	bool reads = (e->flags & HANDLE_READS) != 0;

	if ((e->flags & HANDLE_PATH) == 0 ||
	    (((t->bits & s->backend->mask_write) == 0 ||
		 (e->flags & HANDLE_WRITES) != 0) &&
		((t->bits & s->backend->mask_read) == 0 || reads)))
		return 0;
	return diag_usage("%s: it was opened to %s only%s", e->name,
	    reads ? "read" : "write",
	    (e->flags & HANDLE_FIFO) != 0 ? "; pmux would be its own peer" :
					    ": unregister it first");
}

int
session_resolve(struct session *s, struct target *t, uint32_t mode,
    uint32_t *index)
{
	bool named = (t->flags & TARGET_PATH) != 0;
	struct handle *e;
	int status = 0;

	*index = session_find(s, t, mode);
	if (*index != HANDLES_NONE)
		return check_directions(s, &s->registry.list[*index], t);
	if (!named && (status = session_check_number(s, t)) != 0)
		return status;
	if (handles_add(&s->registry, kind_of(s, t, mode), t->name, t->length,
		(uint64_t)t->number, named, index) != 0)
		return diag_system(ENOMEM, NULL, "targets");
	e = &s->registry.list[*index];
	if (named)
		status = open_entry(s, t, *index);
	else if (t->process == 0)
		e->fd = t->number;
	else if (foreign_name(s->process, s->pid, t->number, &e->fd) != 0)
		status = diag_system(ENOMEM, NULL, "targets");
	else
		e->flags |= HANDLE_FOREIGN;
	if (status != 0)
		handles_remove(&s->registry, *index);
	return status;
}

/* Whether the object, in which it is a token by its index, has it now. */
static bool
is_placed(const struct session *s, uint32_t index)
{
	return index < s->placed_count && s->placed[index] != -1;
}

/* Take INDEX out of the object of poll or devpoll. */
static void
displace(struct session *s, uint32_t index)
{
	if (!is_placed(s, index))
		return;
	(void)s->object->remove(s->state, TOKEN_FIRST + index,
	    s->placed[index]);
	s->placed[index] = -1;
}

static int
place_as(struct session *s, uint32_t index, int fd)
{
	const struct handle *e = &s->registry.list[index];
	uint32_t wanted = s->registry.capacity;
	int *placed, error;

	if (index >= s->placed_count) {
		placed = realloc(s->placed, wanted * sizeof *placed);
		if (placed == NULL)
			return -ENOMEM;
		for (uint32_t i = s->placed_count; i < wanted; i++)
			placed[i] = -1;
		s->placed = placed;
		s->placed_count = wanted;
	}
	error = s->object->add(s->state, TOKEN_FIRST + index, fd, e->bits);
	if (error == 0)
		s->placed[index] = fd;
	return error;
}

static uint32_t
token_of(const struct session *s, uint32_t index)
{
	const struct handle *e = &s->registry.list[index];

	return e->kind == KIND_NUMBER ? (uint32_t)e->number :
					TOKEN_HANDLE | index;
}

void
session_drop(struct session *s, uint32_t index)
{
	struct handle *e = &s->registry.list[index];

	if (s->backend == &backend_epoll) {
		/* another may have the instance, and a FIFO stays open */
		if ((e->flags & HANDLE_PATH) != 0)
			(void)s->object->remove(s->state, token_of(s, index),
			    e->fd);
	} else if (s->backend->modify != NULL)
		displace(s, index);
	if ((e->flags & HANDLE_FIFO) != 0) {
		handles_forget(&s->registry, index);
		return;
	}
	if ((e->flags & HANDLE_PATH) != 0 && e->fd >= 0)
		(void)close(e->fd);
	if (is_foreign(e))
		foreign_forget(e->fd);
	handles_remove(&s->registry, index);
}

/* ---- events ---- */

static void
set_target(const struct handle *e, struct target *t)
{
	t->name = e->name;
	t->length = e->length;
	t->fd = e->fd;
	t->number = e->name == NULL || (e->flags & HANDLE_PATH) != 0 ?
	    e->fd :
	    (int)e->number;
}

/* What an epoll event says is a number, an entry, or what others left there. */
static const struct handle *
entry_of(const struct session *s, const struct event *event)
{
	const struct handles *r = &s->registry;
	uint32_t index = (uint32_t)event->ident & ~TOKEN_HANDLE;

	if (s->backend == &backend_select)
		return &r->list[s->selected[event->token - TOKEN_FIRST].index];
	if (s->backend != &backend_epoll)
		return &r->list[event->token - TOKEN_FIRST];
	if (event->ident >> 32 != 0)
		return NULL;
	if ((event->ident & TOKEN_HANDLE) == 0)
		index = handles_find(r, KIND_NUMBER, NULL, 0, event->ident);
	return index < r->count && r->list[index].kind != 0 ? &r->list[index] :
							      NULL;
}

void
session_target(const struct session *s, const struct event *event,
    struct target *t, char space[24])
{
	const struct handle *e = entry_of(s, event);

	memset(t, 0, sizeof *t);
	if (e != NULL) {
		set_target(e, t);
		return;
	}
	t->fd = t->number = (int)(uint32_t)event->ident;
	t->name = space;
	t->length = (uint32_t)snprintf(space, 24, "%d", t->number);
}

/* ---- register, modify, unregister ---- */

int
session_failed(const struct session *s, const struct target *t, int error)
{
	const char *hint = s->backend->hint == NULL ?
	    NULL :
	    s->backend->hint(error, t->bits);

	return diag_system(-error, hint, "%.*s", (int)t->length, t->name);
}

int
session_check_kind(const struct session *s, const struct handle *e)
{
	const char *why = NULL;
	int error = is_foreign(e) ? foreign_check(e->fd, &why) : 0;

	if (why != NULL)
		return diag_unavailable("%s: %s", e->name, why);
	if (error == 0 && is_foreign(e) && foreign_nests(e->fd) &&
	    s->backend == &backend_epoll)
		return diag_unavailable("%s: an epoll instance, to which its"
					" owner may add what must not be looked"
					" at; poll asks it",
		    e->name);
	if (error == -ENOSYS)
		return diag_unavailable("%s: this system has no"
					" pidfd_getfd(2)",
		    e->name);
	if (error == 0 || error == -EBADF || error == -ESRCH)
		return 0;
	return diag_system(-error,
	    error == -EPERM ? process_forbidden_by() : NULL, "%s", e->name);
}

enum operation {
	ADD,
	MODIFY,
	REMOVE
};

static int
call(struct session *s, enum operation operation, uint32_t token, int fd,
    uint32_t bits)
{
	switch (operation) {
	case ADD:
		return s->object->add(s->state, token, fd, bits);
	case MODIFY:
		return s->object->modify(s->state, token, fd, bits);
	default:
		return s->object->remove(s->state, token, fd);
	}
}

/* The object gives up NUMBER, which a file of another process is to have. */
static int
move_object(struct session *s, int number)
{
	int fd = fdplace(fcntl(number, F_DUPFD_CLOEXEC, 3)), answer;

	if (fd < 0)
		return fd;
	answer = s->object->adopt(s->state, fd);
	if (answer < 0)
		(void)close(fd);
	return answer < 0 ? answer : 0;
}

/* epoll: it looks at once, and a number is the owner's as it is now. */
static int
call_epoll(struct session *s, enum operation operation, uint32_t index,
    uint32_t bits)
{
	const struct handle *e = &s->registry.list[index];
	uint32_t token = token_of(s, index);
	struct process_loan loan;
	int number = (int)e->number, error;

	if (!is_foreign(e))
		return call(s, operation, token, e->fd, bits);
	if (number == s->object->number(s->state) &&
	    (error = move_object(s, number)) != 0)
		return error;
	error = process_lend(s->process, number, number, &loan);
	if (error != 0)
		return error;
	error = call(s, operation, token, number, bits);
	process_return(&loan);
	return error;
}

/* poll and devpoll: a pending wait keeps what it began with. */
static int
call_poll(struct session *s, enum operation operation, uint32_t index)
{
	const struct handle *e = &s->registry.list[index];

	if (s->wait.active || is_foreign(e)) {
		s->stale = true;
		return 0;
	}
	if (operation != REMOVE)
		return place_as(s, index, e->fd);
	displace(s, index);
	return 0;
}

/* The next word, a target, whose events are DEFAULTS if it has none. */
static int
take_target(struct session *s, struct tokenizer *words, uint32_t defaults,
    struct target *t)
{
	size_t length;
	int status;

	memset(t, 0, sizeof *t);
	t->fd = -1;
	t->process = s->process >= 0;
	status = tokenize_next(words, &t->name, &length);
	if (status != 0)
		return status;
	if (t->name == NULL)
		return diag_usage("no target (see help)");
	if (length > INT_MAX)
		return diag_range("the target is too long");
	t->length = (uint32_t)length;
	return target_parse(t, s->backend, defaults);
}

/* What the select module's register has: in, pri and out. */
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
	if ((s->registry.list[index].flags & HANDLE_REGISTERED) == 0)
		session_drop(s, index);
}

/* BITS is what it was registered for, if it was. */
static int
undo(struct session *s, uint32_t index, const struct target *t, uint32_t bits,
    int error)
{
	int status = session_failed(s, t, error);

	s->registry.list[index].bits = bits;
	drop_unregistered(s, index);
	return status;
}

/* Add or modify entry INDEX as T says. */
static int
change(struct session *s, enum operation operation, uint32_t index,
    const struct target *t)
{
	struct handle *e = &s->registry.list[index];
	uint32_t before = e->bits;
	int status = session_check_kind(s, e), error;

	if (status != 0) {
		drop_unregistered(s, index);
		return status;
	}
	e->bits = t->bits;
	error = s->backend == &backend_epoll ?
	    call_epoll(s, operation, index, t->bits) :
	    call_poll(s, operation, index);
	if (error != 0)
		return undo(s, index, t, before, error);
	e->flags |= HANDLE_REGISTERED;
	return 0;
}

int
session_register(struct session *s, struct tokenizer *words)
{
	struct target t;
	uint32_t index;
	int status = take_target(s, words, usual_events(s), &t);

	if (status == 0)
		status = session_end(words);
	if (status == 0)
		status = session_resolve(s, &t, 0, &index);
	if (status != 0)
		return status;
	return change(s, ADD, index, &t);
}

static int
unknown(const struct target *t)
{
	return diag_system(ENOENT, "not registered", "%.*s", (int)t->length,
	    t->name);
}

/*
 * The index of what T is registered as, or HANDLES_NONE.  For epoll it is made
 * of a number: the kernel knows whether it is there, also in the instance of
 * another.  Returns 0 or an exit status.
 */
static int
find_registered(struct session *s, struct target *t, uint32_t *index)
{
	bool path = (t->flags & TARGET_PATH) != 0;
	int status = path ? 0 : session_check_number(s, t);

	*index = session_find(s, t, 0);
	if (status != 0)
		return status;
	if (s->backend == &backend_epoll)
		return path ? 0 : session_resolve(s, t, 0, index);
	if (*index != HANDLES_NONE &&
	    (s->registry.list[*index].flags & HANDLE_REGISTERED) == 0)
		*index = HANDLES_NONE;
	return 0;
}

int
session_modify(struct session *s, struct tokenizer *words)
{
	struct target t;
	uint32_t index = HANDLES_NONE;
	int status = take_target(s, words, 0, &t);

	if (status == 0)
		status = session_end(words);
	if (status == 0 && (t.flags & TARGET_EVENTS) == 0)
		status = diag_usage("%.*s: modify wants T:EVENTS",
		    (int)t.length, t.name);
	if (status == 0)
		status = find_registered(s, &t, &index);
	if (status == 0 && index == HANDLES_NONE)
		status = unknown(&t);
	if (status == 0)
		status = session_resolve(s, &t, 0, &index);
	if (status != 0)
		return status;
	return change(s, MODIFY, index, &t);
}

/* It was never registered. */
static int
unregister_unknown(struct session *s, const struct target *t)
{
	if (s->backend == &backend_poll)
		return session_refuse(s, "UNREGISTERED",
		    "was never registered");
	return s->backend == &backend_epoll ? unknown(t) : 0;
}

/* A FIFO stays open: closing it may lose what its peers have written. */
static void
forget(struct session *s, uint32_t index)
{
	struct handle *e = &s->registry.list[index];

	e->flags &= (uint8_t)~HANDLE_REGISTERED;
	/* the pending wait may tell of it */
	if (s->wait.active && s->backend != &backend_epoll) {
		s->dropped = true;
		return;
	}
	/* epoll may still tell of a number that is open elsewhere */
	if ((e->flags & HANDLE_FIFO) == 0 &&
	    (s->backend != &backend_epoll || e->kind != KIND_NUMBER))
		session_drop(s, index);
}

int
session_unregister(struct session *s, struct tokenizer *words)
{
	struct target t;
	uint32_t index = HANDLES_NONE;
	int status = take_target(s, words, 0, &t), error;

	if (status == 0)
		status = session_end(words);
	if (status == 0 && (t.flags & TARGET_EVENTS) != 0)
		status = diag_usage("unregister takes no events");
	if (status == 0)
		status = find_registered(s, &t, &index);
	if (status != 0)
		return status;
	if (index == HANDLES_NONE)
		return unregister_unknown(s, &t);
	error = s->backend == &backend_epoll ? call_epoll(s, REMOVE, index, 0) :
					       call_poll(s, REMOVE, index);
	if (error != 0)
		return undo(s, index, &t, s->registry.list[index].bits, error);
	forget(s, index);
	return 0;
}

/* ---- before and after a wait of poll or devpoll ---- */

static int
entry_failed(const struct session *s, uint32_t index, int error)
{
	struct target t = { 0 };

	set_target(&s->registry.list[index], &t);
	return session_failed(s, &t, error);
}

static int
place_entry(struct session *s, uint32_t index)
{
	struct handle *e = &s->registry.list[index];
	int status, error;

	displace(s, index);
	if (e->kind == 0 || (e->flags & HANDLE_REGISTERED) == 0)
		return 0;
	if ((status = session_check_kind(s, e)) != 0)
		return status;
	error = place_as(s, index, e->fd);
	return error == 0 ? 0 : entry_failed(s, index, error);
}

/* Standard input and output, in the same wait. */
static int
place_own(struct session *s)
{
	const struct flag *in = s->backend->flags;
	int error;

	/* what tells of input is the first: read, in */
	error = s->object->add(s->state, TOKEN_INPUT, STDIN_FILENO, in->bit);
	if (error == 0)
		error = s->object->add(s->state, TOKEN_OUTPUT, STDOUT_FILENO,
		    s->backend->mask_watch);
	if (s->ended)
		(void)s->object->remove(s->state, TOKEN_INPUT, STDIN_FILENO);
	if (!s->watches_output)
		(void)s->object->remove(s->state, TOKEN_OUTPUT, STDOUT_FILENO);
	return error == 0 ? 0 :
			    diag_system(-error, NULL, "%s", s->backend->name);
}

static int
prepare_poll(struct session *s)
{
	int status;

	if (!s->stale && s->process < 0)
		return 0;
	status = place_own(s);
	for (uint32_t i = 0; i < s->registry.count && status == 0; i++)
		status = place_entry(s, i);
	s->stale = status != 0;
	if (status != 0)
		session_release(s);
	return status;
}

static void
release_poll(struct session *s)
{
	for (uint32_t i = 0; s->process >= 0 && i < s->registry.count; i++)
		if (is_foreign(&s->registry.list[i]))
			displace(s, i);
	for (uint32_t i = 0; s->dropped && i < s->registry.count; i++)
		if (s->registry.list[i].kind != 0 &&
		    (s->registry.list[i].flags &
			(HANDLE_REGISTERED | HANDLE_FIFO)) == 0)
			session_drop(s, i);
	s->dropped = false;
}

/* ---- select ---- */

static int
reserve_selected(struct session *s)
{
	size_t wanted = s->selected_capacity * 2 + 16;
	struct selected *selected;

	if (s->selected_count < s->selected_capacity)
		return 0;
	selected = realloc(s->selected, wanted * sizeof *selected);
	if (selected == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	s->selected = selected;
	s->selected_capacity = wanted;
	return 0;
}

/* Put T into LIST, unless it is there. */
static int
select_target(struct session *s, struct target *t, uint32_t list)
{
	struct handle *e;
	uint32_t index;
	int status;

	t->bits = list;
	status = session_resolve(s, t, 0, &index);
	/* it may have been closed since it was named first */
	if (status == 0 && (t->flags & TARGET_PATH) == 0)
		status = session_check_number(s, t);
	if (status == 0)
		status = reserve_selected(s);
	if (status != 0)
		return status;
	e = &s->registry.list[index];
	if ((e->bits & list) != 0)
		return 0;
	e->bits |= list;
	s->selected[s->selected_count++] = (struct selected){ index, list, -1 };
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

/* All of the lists.  A word that is no option reads, as in a command. */
static int
take_lists(struct session *s, struct tokenizer *words)
{
	uint32_t list;
	struct target t;
	size_t length;
	char *word;
	int status;

	for (;;) {
		status = tokenize_next(words, &word, &length);
		if (status != 0 || word == NULL)
			return status;
		list = list_bit(s, *word == '-' ? word[1] : 'r');
		if (list == 0 || (*word == '-' && word[2] != '\0'))
			return diag_usage("select has no '%s': -r T, -w T,"
					  " -x T",
			    word);
		memset(&t, 0, sizeof t);
		t.fd = -1;
		t.process = s->process >= 0;
		t.name = word;
		if (*word == '-')
			status = tokenize_next(words, &t.name, &length);
		if (status == 0 && t.name == NULL)
			status = diag_usage("no target after %s", word);
		if (status == 0 && length > INT_MAX)
			status = diag_range("the target is too long");
		t.length = (uint32_t)length;
		if (status == 0)
			status = target_parse(&t, s->backend, list);
		if (status == 0)
			status = select_target(s, &t, list);
		if (status != 0)
			return status;
	}
}

static int
prepare_select(struct session *s)
{
	int status = place_own(s), error;

	for (size_t i = 0; i < s->selected_count && status == 0; i++) {
		struct selected *chosen = &s->selected[i];
		const struct handle *e = &s->registry.list[chosen->index];

		if ((status = session_check_kind(s, e)) != 0)
			break;
		chosen->fd = e->fd;
		error = s->object->add(s->state, (uint32_t)(TOKEN_FIRST + i),
		    e->fd, chosen->list);
		if (error < 0)
			status = entry_failed(s, chosen->index, error);
	}
	if (status != 0)
		session_release(s);
	return status;
}

static void
release_select(struct session *s)
{
	struct selected *chosen;
	struct handle *e;

	for (size_t i = s->selected_count; i-- > 0;) {
		chosen = &s->selected[i];
		e = &s->registry.list[chosen->index];
		e->bits = 0;
		if (chosen->fd != -1)
			(void)s->object->remove(s->state,
			    (uint32_t)(TOKEN_FIRST + i), chosen->fd);
	}
	s->selected_count = 0;
	(void)s->object->remove(s->state, TOKEN_OUTPUT, STDOUT_FILENO);
	(void)s->object->remove(s->state, TOKEN_INPUT, STDIN_FILENO);
}

int
session_select(struct session *s, struct tokenizer *words)
{
	int64_t ns = 0;
	char *word;
	size_t length;
	int status;

	if (s->wait.active)
		return session_refuse(s, "BUSY", "a wait is pending");
	status = tokenize_next(words, &word, &length);
	if (status == 0)
		status = word != NULL ?
		    session_timeout(word, false, &ns) :
		    diag_usage("select TIMEOUT [-r T]... [-w T]... [-x T]...");
	if (status == 0)
		status = take_lists(s, words);
	if (status == 0)
		return session_wait(s, ns, 1);
	for (size_t i = 0; i < s->selected_count; i++)
		s->registry.list[s->selected[i].index].bits = 0;
	s->selected_count = 0;
	return status;
}

/* ---- any wait ---- */

int
session_prepare(struct session *s)
{
	if (s->backend == &backend_select)
		return prepare_select(s);
	if (s->backend == &backend_epoll || s->backend == &backend_kqueue)
		return 0;
	return prepare_poll(s);
}

void
session_release(struct session *s)
{
	if (s->backend == &backend_select)
		release_select(s);
	else if (s->backend != &backend_epoll && s->backend != &backend_kqueue)
		release_poll(s);
}
