/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "compat.h"
#include "inspect/compare/ask.h"
#include "inspect/buffer.h"
#include "inspect/columns.h"
#include "inspect/compare/compare.h"
#include "inspect/facts/descriptor.h"
#include "inspect/compare/outcome.h"
#include "inspect/facts/procfs.h"
#include "inspect/facts/source.h"
#include "inspect/member.h"
#include "output/diag.h"
#include "output/escape.h"
#include "output/output.h"
#include "sys/process.h"
#include "target/target.h"

/* Room for any cell, the names of all events; and for that of two waits. */
#define CELL 128
#define TWO_CELLS (2 * CELL + 8)

/* How often a number may become another file while it is asked about. */
#define TRIES 10

/* One descriptor, and all that was found out about it. */
struct row {
	const struct target *target;
	pid_t pid;
	char comm[COMM_SIZE];
	bool own;
	bool open;
	struct descriptor d;
	struct answers answers;
	const struct state *state;
	struct outcome outcome;
};

struct comparison {
	const struct targets *targets;
	struct source source;
	struct asker asker;
	struct columns columns;
	struct buffer reasons; /* lines */
	bool json;
	bool emulated;
};

/* ---- cells ---- */

/* The names of BITS, with commas; "" for none. */
static void
events_text(const struct backend *backend, uint32_t bits, char *to)
{
	const char *name;
	uint32_t number;
	size_t used = 0;

	*to = '\0';
	while ((name = flags_next(backend->flags, &bits, &number)) != NULL) {
		if (*name == '\0')
			used += (size_t)snprintf(to + used, CELL - used,
			    "%s0x%x", used > 0 ? "," : "", number);
		else
			used += (size_t)snprintf(to + used, CELL - used, "%s%s",
			    used > 0 ? "," : "", name);
		if (used >= CELL)
			return;
	}
}

/* What there is to say without an answer, or NULL. */
static const char *
no_answer(bool asked, int refused, const char *why)
{
	if (why != NULL)
		return "?";
	if (!asked)
		return "absent";
	return refused != 0 ? errno_name(refused) : NULL;
}

static void
select_cell(const struct row *r, char *to)
{
	const struct answer *a = &r->answers.select;
	const char *none = no_answer(a->asked, a->refused, r->answers.why);
	const struct flag *flags = backend_select.flags;

	if (none != NULL) {
		(void)snprintf(to, CELL, "%s", none);
		return;
	}
	/* read, write, except, as pmux select's options are called */
	for (int i = 0; i < 3; i++)
		to[i] = (a->bits & flags[i].bit) != 0 ? "rwx"[i] : '-';
	to[3] = '\0';
}

static void
events_cell(const struct row *r, const struct backend *backend,
    const struct answer *a, char *to)
{
	const char *none = no_answer(a->asked, a->refused, r->answers.why);

	if (none != NULL)
		(void)snprintf(to, CELL, "%s", none);
	else
		events_text(backend, a->bits, to);
	if (*to == '\0')
		(void)snprintf(to, CELL, "-");
}

static void
edge_cell(const struct row *r, char *to)
{
	char second[CELL];

	events_cell(r, &backend_epoll, &r->answers.edge[0], to);
	if (*to == '-' || *to == '?' || r->answers.edge[0].bits == 0)
		return;
	events_cell(r, &backend_epoll, &r->answers.edge[1], second);
	(void)snprintf(to + strlen(to), CELL + 8, ", then %s", second);
}

static void
kevent_cell(const struct row *r, const struct kevent_answer *k, char *to)
{
	const char *none = no_answer(k->asked, k->refused, r->answers.why);

	if (none != NULL)
		(void)snprintf(to, CELL, "%s", none);
	else if (!k->returned)
		(void)snprintf(to, CELL, "-");
	else
		(void)snprintf(to, CELL, "%s%s%s%jd", k->eof ? "eof " : "",
		    k->error != 0 ? errno_name(k->error) : "",
		    k->error != 0 ? " " : "", (intmax_t)k->data);
}

static bool
is_path(int flags)
{
#ifdef O_PATH
	return (flags & O_PATH) != 0;
#else
	(void)flags;
	return false;
#endif
}

/* How it was opened, where that matters. */
static const char *
access_text(const struct descriptor *d)
{
	if (d->unknown[FACT_ACCESS] != NULL)
		return "?";
	if (d->readable && d->writable)
		return "rw";
	if (d->readable)
		return "r";
	return d->writable ? "w" : "path";
}

static void
kind_cell(const struct row *r, char *to)
{
	const struct descriptor *d = &r->d;

	if (!r->open)
		(void)snprintf(to, CELL, "-");
	else if (d->kind == KIND_PIPE || d->kind == KIND_FIFO ||
	    d->kind == KIND_FILE || d->kind == KIND_DEVICE)
		(void)snprintf(to, CELL, "%s %s", kind_name(d->kind),
		    access_text(d));
	else
		(void)snprintf(to, CELL, "%s", kind_name(d->kind));
}

/* The number, with its owner if there are several.  Returns its length. */
static size_t
number_text(const struct comparison *c, const struct row *r, char *to)
{
	if (c->targets->process_count > 1 && r->target->process != 0)
		return (size_t)snprintf(to, CELL, "%s[%ld]/%d", r->comm,
		    (long)r->pid, r->target->number);
	return (size_t)snprintf(to, CELL, "%d", r->target->number);
}

static void
add_reason(struct comparison *c, const struct row *r)
{
	char number[CELL];
	const char *reason = r->outcome.reason;

	if (r->answers.why == NULL && !r->outcome.differs)
		return;
	buffer_name(&c->reasons, number, number_text(c, r, number));
	if (r->answers.why != NULL)
		buffer_put(&c->reasons, ": not asked: %s\n", r->answers.why);
	else
		buffer_put(&c->reasons, ": %s\n",
		    reason != NULL ? reason :
				     "pmux-readiness(7) has no such state");
}

static void
add_row(struct comparison *c, const struct row *r)
{
	char cell[TWO_CELLS];

	columns_add_name(&c->columns, cell, number_text(c, r, cell));
	kind_cell(r, cell);
	columns_add(&c->columns, cell);
	select_cell(r, cell);
	columns_add(&c->columns, cell);
	events_cell(r, &backend_poll, &r->answers.poll, cell);
	columns_add(&c->columns, cell);
	events_cell(r, &backend_epoll, &r->answers.epoll, cell);
	columns_add(&c->columns, cell);
	edge_cell(r, cell);
	columns_add(&c->columns, cell);
	kevent_cell(r, &r->answers.read, cell);
	columns_add(&c->columns, cell);
	kevent_cell(r, &r->answers.write, cell);
	columns_add(&c->columns, cell);
	columns_add(&c->columns, r->outcome.read);
	columns_add(&c->columns, r->outcome.write);
	add_reason(c, r);
}

/* ---- JSON ---- */

/* A list of names; or a string, the error with which it was refused. */
static void
put_answer(const struct row *r, const struct backend *backend,
    const struct answer *a)
{
	const char *name, *separator = "";
	uint32_t bits = a->bits, number;

	if (r->answers.why != NULL || !a->asked || a->refused != 0) {
		member_value(r->answers.why != NULL || !a->asked ?
			NULL :
			errno_name(a->refused));
		return;
	}
	output_character('[');
	while ((name = flags_next(backend->flags, &bits, &number)) != NULL) {
		output_string(separator);
		if (*name == '\0')
			output_number(number);
		else
			member_value(name);
		separator = ",";
	}
	output_character(']');
}

/* {} if there is no event: a wait would sleep. */
static void
put_kevent(const struct row *r, const struct kevent_answer *k)
{
	if (r->answers.why != NULL || !k->asked || k->refused != 0) {
		member_value(r->answers.why != NULL || !k->asked ?
			NULL :
			errno_name(k->refused));
		return;
	}
	if (!k->returned) {
		output_string("{}");
		return;
	}
	output_string("{\"data\":");
	output_number(k->data);
	output_string(k->eof ? ",\"eof\":true" : ",\"eof\":false");
	member_word("error", k->error != 0 ? errno_name(k->error) : NULL);
	output_character('}');
}

/* A word of states.def: null if it is not known. */
static void
put_would(const char *key, const char *word)
{
	member_word(key, *word == '?' ? NULL : word);
}

static void
put_unknown(const struct row *r)
{
	const struct outcome *o = &r->outcome;
	const char *separator = "";

	member_key("unknown");
	output_character('{');
	if (r->answers.why != NULL) {
		output_string("\"answers\":");
		member_value(r->answers.why);
		separator = ",";
	}
	if (*o->read == '?' || *o->write == '?') {
		output_string(separator);
		output_string("\"calls\":");
		member_value(o->reason != NULL ?
			o->reason :
			"no state of pmux-readiness(7) is known to be this");
	}
	output_string("}}\n");
}

static void
put_answers(const struct row *r)
{
	const struct answers *a = &r->answers;

	member_key("select");
	put_answer(r, &backend_select, &a->select);
	member_key("poll");
	put_answer(r, &backend_poll, &a->poll);
	member_key("epoll");
	put_answer(r, &backend_epoll, &a->epoll);
	member_key("epoll_et");
	output_character('[');
	put_answer(r, &backend_epoll, &a->edge[0]);
	output_character(',');
	put_answer(r, &backend_epoll, &a->edge[1]);
	output_character(']');
	member_key("kevent_read");
	put_kevent(r, &a->read);
	member_key("kevent_write");
	put_kevent(r, &a->write);
}

static void
put_object(const struct comparison *c, const struct row *r)
{
	output_string("{\"pid\":");
	output_number(r->pid);
	member_bytes("comm", r->comm);
	member_number("fd", r->target->number, true);
	member_word("kind", r->open ? kind_name(r->d.kind) : NULL);
	member_word("access",
	    r->open && r->d.unknown[FACT_ACCESS] == NULL ? access_text(&r->d) :
							   NULL);
	member_word("state", r->state == NULL ? NULL : r->state->id);
	put_answers(r);
	member_key("emulated");
	output_string(c->emulated ? "[\"kevent\"]" : "[]");
	put_would("read", r->outcome.read);
	put_would("write", r->outcome.write);
	member_bool("differs", r->outcome.differs, r->answers.why == NULL);
	member_word("reason", r->outcome.reason);
	put_unknown(r);
}

/* ---- all of it ---- */

static int
failed(const struct row *r, int error)
{
	const char *hint = error == EAGAIN ?
	    "it was another file each time it was asked about" :
	    NULL;

	if (error == ENOSYS)
		return diag_unavailable("--pid: this system has no"
					" pidfd_getfd(2)");
	if (r->own)
		return diag_system(error, hint, "descriptor %d",
		    r->target->number);
	return diag_system(error,
	    error == EAGAIN			  ? hint :
		error == EPERM || error == EACCES ? process_forbidden_by() :
		error == ESRCH			  ? "the process has ended" :
						    NULL,
	    "descriptor %d of process %ld", r->target->number, (long)r->pid);
}

/*
 * Why R cannot be asked about, a constant text, or NULL.  A kind that may be
 * asked is, whatever is unknown: then that fails, and says why.
 */
static const char *
objection(const struct row *r)
{
	if (!r->open || kind_polling(r->d.kind) == POLLING_HARMLESS)
		return NULL;
	if (r->d.kind == KIND_SIGNALFD)
		return r->own ? NULL :
				"a poll of a copy would answer for pmux; what"
				" is pending for its owner is known";
	return r->d.unknown[FACT_READY];
}

/* How it was opened: what the copy says is about the file that was asked. */
static void
find_access(struct row *r)
{
	int flags = r->answers.flags;

	if (!r->open || flags == -1)
		return;
	r->d.readable = (flags & O_ACCMODE) != O_WRONLY && !is_path(flags);
	r->d.writable = (flags & O_ACCMODE) != O_RDONLY && !is_path(flags);
	r->d.nonblock = (flags & O_NONBLOCK) != 0;
	r->d.unknown[FACT_ACCESS] = NULL;
}

/* Ask about R, if that may be.  Returns 0 or -errno. */
static int
ask_about(struct comparison *c, struct row *r)
{
	struct asked which = { .process = -1,
		.pid = r->pid,
		.number = r->target->number,
		.own = r->own,
		.open = r->open };

	/* it was closed while it was read about */
	if (r->open && r->d.unknown[FACT_INODE] != NULL &&
	    strcmp(r->d.unknown[FACT_INODE], errno_name(ENOENT)) == 0)
		return -EAGAIN;
	memset(&r->answers, 0, sizeof r->answers);
	r->answers.writer = r->answers.flags = -1;
	r->answers.why = objection(r);
	if (r->answers.why != NULL)
		return 0;
	if (r->open && r->d.unknown[FACT_INODE] == NULL)
		which.inode = r->d.inode;
	which.process = source_process(&c->source, r->pid);
	if (which.process < 0 && !r->own)
		return which.process;
	return ask(&c->asker, &which, &r->answers);
}

/* Find out all about R, whose target is set.  Returns 0 or -errno. */
static int
examine(struct comparison *c, struct row *r)
{
	int error = -EAGAIN;

	for (int tries = 0; tries < TRIES && error == -EAGAIN; tries++) {
		if (r->open)
			descriptor_free(&r->d);
		error = descriptor_read(&c->source, r->pid, r->target->number,
		    &r->d);
		r->open = error == 0;
		if (error == 0 || error == -EBADF)
			error = ask_about(c, r);
	}
	if (error != 0)
		return error;
	find_access(r);
	r->state = state_find(r->open ? &r->d : NULL, &r->answers);
	r->outcome = state_outcome(r->state, r->open ? &r->d : NULL,
	    &r->answers);
	return 0;
}

/* Returns 0 or -errno. */
static int
find_name(struct comparison *c, struct row *r)
{
	char directory[SOURCE_PATH];
	struct procfs_stat stat;
	int error;

	(void)snprintf(directory, sizeof directory, "%ld", (long)r->pid);
	error = procfs_stat(&c->source, directory, &stat);
	if (error == 0)
		memcpy(r->comm, stat.comm, sizeof r->comm);
	return error == -ENOENT ? -ESRCH : error;
}

static int
compare_one(struct comparison *c, const struct target *t)
{
	struct row r = { .target = t,
		.pid = t->process == 0 ?
		    getpid() :
		    c->targets->processes[t->process - 1] };
	int error, status = 0;

	if ((t->flags & TARGET_PATH) != 0)
		return diag_usage(
		    "%.*s: a path is not opened, give a descriptor;"
		    " pmux inspect PATH lists those that are open",
		    (int)t->length, t->name);
	r.own = r.pid == getpid();
	error = find_name(c, &r);
	if (error == 0)
		error = examine(c, &r);
	if (error != 0)
		status = failed(&r, -error);
	else if (c->json)
		put_object(c, &r);
	else
		add_row(c, &r);
	if (r.open)
		descriptor_free(&r.d);
	return status;
}

static int
print(struct comparison *c)
{
	int error;

	if (c->reasons.failed)
		c->columns.failed = true;
	error = columns_print(&c->columns);
	if (error == 0 && c->reasons.used > 0)
		output_bytes(c->reasons.bytes, c->reasons.used);
	buffer_free(&c->reasons);
	return error == 0 ? 0 : diag_system(-error, NULL, "rows");
}

static int
begin(struct comparison *c)
{
	static const char *const headings[] = { "FD", "KIND", "SELECT", "POLL",
		"EPOLL", "EPOLL ET", "KEVENT READ", "KEVENT WRITE",
		"READ WOULD", "WRITE WOULD" };
	static const char *const emulated[] = { "FD", "KIND", "SELECT", "POLL",
		"EPOLL", "EPOLL ET", "KEVENT READ (EMULATED)", "KEVENT WRITE",
		"READ WOULD", "WRITE WOULD" };
	int error = source_open(&c->source, NULL);

	if (error == -ENOSYS)
		return diag_unavailable("compare is not available: this system"
					" has no /proc as Linux has it");
	if (error != 0)
		return diag_system(-error, source_hint(error), "/proc");
	error = ask_open(&c->asker);
	if (error != 0) {
		ask_close(&c->asker);
		source_close(&c->source);
	}
	if (error == -ENOSYS)
		return diag_unavailable("compare is not available: this system"
					" has no epoll(7)");
	if (error != 0)
		return diag_system(-error, NULL, "primitives");
	c->emulated = ask_is_emulated();
	if (!c->json)
		columns_begin(&c->columns, sizeof headings / sizeof *headings,
		    c->emulated ? emulated : headings);
	return 0;
}

static int
compare_all(struct comparison *c)
{
	const struct targets *targets = c->targets;
	int status = 0, one;

	for (size_t i = 0; i < targets->count && status != EXIT_USAGE &&
	     status != EXIT_UNAVAILABLE;
	     i++) {
		one = compare_one(c, &targets->list[i]);
		if (one != 0)
			status = one;
	}
	if (!c->json && status != EXIT_UNAVAILABLE && status != EXIT_USAGE) {
		one = print(c);
		status = one != 0 ? one : status;
	}
	return status;
}

int
compare(const struct targets *targets, bool json)
{
	struct comparison c = { .targets = targets, .json = json };
	int status = begin(&c);

	if (status != 0)
		return status;
	status = compare_all(&c);
	ask_close(&c.asker);
	source_close(&c.source);
	return status;
}
