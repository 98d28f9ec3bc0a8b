/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inspect/buffer.h"
#include "inspect/columns.h"
#include "inspect/member.h"
#include "inspect/trace/samples_print.h"
#include "inspect/facts/state.h"
#include "output/escape.h"
#include "output/output.h"

#define NS 1e9

/* ---- text ---- */

static void
put_number(const struct samples *l, const struct samples_target *t,
    struct buffer *b)
{
	const struct samples_process *p = t->process;

	if (l->process_count > 1) {
		buffer_name(b, p->comm, strlen(p->comm));
		buffer_put(b, "[%ld]/", (long)p->pid);
	}
	buffer_put(b, "%d", t->number);
}

static void
put_events(const struct samples_target *t, struct buffer *b)
{
	if ((t->flags & SERIES_CLOSED) != 0)
		buffer_put(b, "closed");
	else if ((t->flags & SERIES_UNKNOWN) != 0)
		buffer_put(b, "?");
	else
		state_events(b, t->d.ready);
}

/* What the thread does, for a reader. */
static void
put_thread(const struct samples_target *t, struct buffer *b)
{
	const struct samples_thread *thread = t->thread;
	const struct thread_wait *w;

	if (thread == NULL) {
		buffer_put(b, "-");
		return;
	}
	w = &thread->wait;
	if (thread->tid != t->process->pid)
		buffer_put(b, "thread %ld ", (long)thread->tid);
	if (w->state == 'T' || w->state == 't')
		buffer_put(b, "is stopped");
	else if (w->call == WAIT_RUNNING || w->state == 'R')
		buffer_put(b, "runs");
	else if (w->call == WAIT_UNKNOWN)
		buffer_put(b, "?");
	else
		buffer_put(b, "sleeps%s%s", w->name == NULL ? "" : " in ",
		    w->name == NULL ? "" : w->name);
	if (w->state == 'S' && w->count == 1)
		buffer_put(b, " of %d", w->wanted[0].fd);
}

/* On a terminal: how wide a field is at least, as wider ones may follow. */
static const struct {
	const char *heading;
	size_t width;
} fields[] = { { "TIME", 7 }, { "FD", 4 }, { "EVENTS", 12 }, { "UNREAD", 7 },
	{ "THREAD", 32 }, { "REMARK", 0 } };
#define FIELDS (sizeof fields / sizeof *fields)

static void
put_field(const char *text, size_t length, size_t width)
{
	output_bytes(text, length);
	for (length = columns_width(text, length); length < width + 2; length++)
		output_character(' ');
}

/* LINE has a tab between its fields. */
static void
put_aligned(const char *line)
{
	for (size_t i = 0; i + 1 < FIELDS; i++) {
		put_field(line, strcspn(line, "\t"), fields[i].width);
		line += strcspn(line, "\t") + 1;
	}
	output_string(line);
}

void
samples_print_heading(void)
{
	for (size_t i = 0; i + 1 < FIELDS; i++)
		put_field(fields[i].heading, strlen(fields[i].heading),
		    fields[i].width);
	output_string(fields[FIELDS - 1].heading);
	output_character('\n');
}

static int
print_text(const struct samples *l, const struct samples_target *t,
    bool aligned)
{
	struct buffer b = { .bytes = NULL };

	buffer_put(&b, "%.3f\t", (double)l->now / NS);
	put_number(l, t, &b);
	buffer_put(&b, "\t");
	put_events(t, &b);
	if (t->closed || t->d.unread < 0)
		buffer_put(&b, "\t-\t");
	else
		buffer_put(&b, "\t%lld\t", (long long)t->d.unread);
	put_thread(t, &b);
	buffer_put(&b, "\t%s\n",
	    (t->flags & SERIES_FAULT) != 0 ? "ready and asleep" :
		t->opened		   ? "opened" :
					     "-");
	if (!b.failed && aligned)
		put_aligned(b.bytes);
	else if (!b.failed)
		output_bytes(b.bytes, b.used);
	buffer_free(&b);
	return b.failed ? -ENOMEM : 0;
}

/* ---- JSON ---- */

static void
put_seconds(const char *key, int64_t ns)
{
	char space[64];

	(void)snprintf(space, sizeof space, ",\"%s\":%.6f", key,
	    (double)ns / NS);
	output_string(space);
}

static void
json_head(const struct samples *l, const struct samples_target *t,
    const char *record)
{
	const struct samples_process *p = t->process;

	output_string("{\"record\":\"");
	output_string(record);
	output_character('"');
	put_seconds("time", l->now);
	member_number("pid", p->pid, true);
	member_bytes("comm", p->comm);
	member_number("fd", t->number, true);
	member_word("kind", kind_name(t->d.kind));
}

/* Why something is not known. */
static void
json_unknown(const struct samples_target *t)
{
	const struct samples_thread *thread = t->thread;
	const char *events = t->closed ? "it is closed" :
					 t->d.unknown[FACT_READY];
	bool both = events != NULL && thread != NULL &&
	    thread->wait.why != NULL;

	output_string(",\"unknown\":{");
	if (events != NULL) {
		output_string("\"events\":");
		member_value(events);
	}
	if (both)
		output_character(',');
	if (thread != NULL && thread->wait.why != NULL) {
		output_string("\"call\":");
		member_value(thread->wait.why);
	}
	output_string("}}\n");
}

static void
print_json(const struct samples *l, const struct samples_target *t)
{
	const struct thread_wait *w = t->thread == NULL ? NULL :
							  &t->thread->wait;
	char state[2] = { w == NULL ? '\0' : w->state, '\0' };

	json_head(l, t, "change");
	member_key("events");
	if ((t->flags & (SERIES_CLOSED | SERIES_UNKNOWN)) != 0)
		output_string("null");
	else
		state_json_events(t->d.ready);
	member_number("unread", t->d.unread, !t->closed && t->d.unread >= 0);
	member_bool("closed", t->closed, true);
	member_bool("opened", t->opened, true);
	member_bool("asleep", (t->flags & SERIES_ASLEEP) != 0, true);
	member_number("thread", w == NULL ? 0 : t->thread->tid, w != NULL);
	member_word("state", w == NULL ? NULL : state);
	member_word("call", w == NULL ? NULL : w->name);
	member_bool("fault", (t->flags & SERIES_FAULT) != 0, true);
	json_unknown(t);
}

int
samples_print_change(const struct samples *l, const struct samples_target *t,
    bool json, bool aligned)
{
	if (!json)
		return print_text(l, t, aligned);
	print_json(l, t);
	return 0;
}

/* ---- the sums ---- */

static void
json_sum(const char *name, const struct series_sum *sum)
{
	char key[32];

	put_seconds(name, sum->time);
	(void)snprintf(key, sizeof key, "%s_count", name);
	member_number(key, (int64_t)sum->count, true);
	(void)snprintf(key, sizeof key, "%s_longest", name);
	put_seconds(key, sum->longest);
}

static void
json_summary(const struct samples *l)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct samples_target *t = &l->targets[i];

		json_head(l, t, "summary");
		json_sum("ready", &t->series.ready);
		json_sum("asleep", &t->series.asleep);
		json_sum("fault", &t->series.fault);
		member_number("most_unread", t->series.most, true);
		member_number("files", (int64_t)t->files, true);
		json_unknown(t);
	}
}

static void
add(struct columns *c, struct buffer *b)
{
	columns_add(c, b->failed || b->used == 0 ? "" : b->bytes);
	b->used = 0;
}

static void
add_sum(const struct samples *l, const struct series_sum *sum, bool count,
    struct columns *c, struct buffer *b)
{
	buffer_put(b, "%.1f%%",
	    100.0 * (double)sum->time / (double)(l->now < 1 ? 1 : l->now));
	add(c, b);
	if (count) {
		buffer_put(b, "%llu", (unsigned long long)sum->count);
		add(c, b);
	}
	buffer_put(b, "%.3f", (double)sum->longest / NS);
	add(c, b);
}

static void
add_row(const struct samples *l, const struct samples_target *t,
    struct columns *c, struct buffer *b)
{
	put_number(l, t, b);
	add(c, b);
	columns_add(c, kind_name(t->d.kind));
	add_sum(l, &t->series.ready, true, c, b);
	add_sum(l, &t->series.asleep, false, c, b);
	if (t->series.fault.count == 0)
		columns_add(c, "");
	else {
		buffer_put(b, "%.3f", (double)t->series.fault.longest / NS);
		add(c, b);
	}
	buffer_put(b, "%llu", (unsigned long long)t->files);
	add(c, b);
}

int
samples_print_summary(const struct samples *l, bool json)
{
	static const char *const heads[] = { "FD", "KIND", "READY", "TIMES",
		"LONGEST", "ASLEEP", "LONGEST", "READY AND ASLEEP", "FILES" };
	struct buffer b = { .bytes = NULL };
	struct columns c;

	if (json) {
		json_summary(l);
		return 0;
	}
	columns_begin(&c, sizeof heads / sizeof *heads, heads);
	for (size_t i = 0; i < l->count; i++)
		add_row(l, &l->targets[i], &c, &b);
	c.failed = c.failed || b.failed;
	buffer_free(&b);
	return columns_print(&c);
}
