/* SPDX-License-Identifier: ISC */
/*
 * calls_print.c - the table of trace --calls.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/pollflags.h"
#include "base/flags.h"
#include "compat.h"
#include "inspect/trace/calls.h"
#include "inspect/trace/calls_run.h"
#include "inspect/columns.h"
#include "inspect/member.h"
#include "output/escape.h"
#include "output/output.h"

static const struct flag select_flags[] = { { "read", CALLS_READ },
	{ "write", CALLS_WRITE }, { "except", CALLS_EXCEPT }, { "", 0 } };

/* Of the calls of a descriptor, the most frequent are in the table. */
#define SHOWN 4

#define OF_SELECT (CALLS_READ | CALLS_WRITE | CALLS_EXCEPT)

/* The next name of *EVENTS, or NULL. */
static const char *
next_event(uint32_t *events)
{
	uint32_t of_poll = *events & POLL_LIMIT,
		 of_select = *events & OF_SELECT;
	const char *name = NULL;
	uint32_t number;

	if (of_poll != 0)
		name = flags_next(poll_flags, &of_poll, &number);
	else if (of_select != 0)
		name = flags_next(select_flags, &of_select, &number);
	*events = of_poll | of_select;
	return name != NULL && *name == '\0' ? "?" : name;
}

static void
put_data(uint64_t data)
{
	char space[24];

	(void)snprintf(space, sizeof space, "0x%llx", (unsigned long long)data);
	output_string(space);
}

static bool
is_accept(const struct calls_use *use)
{
	return strcmp(use->name, "accept") == 0 ||
	    strcmp(use->name, "accept4") == 0;
}

/* What the numbers of ROW mean, if that is certain; or NULL. */
static const char *
remark_of(const struct calls_row *row)
{
	if (row->number == CALLS_TIMEOUT)
		return NULL;
	if (row->closed && row->acted == 0)
		return "a stale entry: the descriptor is not open";
	for (unsigned i = 0; i < row->use_count; i++)
		if (is_accept(&row->uses[i]) &&
		    (row->uses[i].error == EMFILE ||
			row->uses[i].error == ENFILE))
			return "no descriptors left";
	return NULL;
}

static void
put_number(const struct calls *calls, const struct calls_process *p,
    const struct calls_row *row)
{
	if (p->pid != calls->tracer.target) {
		output_escaped(p->name, strlen(p->name));
		output_character('[');
		output_number(p->pid);
		output_string("]/");
	}
	if (row->number >= 0)
		output_number(row->number);
	else if (row->number == -1) {
		output_string("data:");
		put_data(row->data);
	}
}

static void
put_names(const struct calls_row *row)
{
	uint32_t events = row->events;
	const char *name, *before = "";

	while ((name = next_event(&events)) != NULL) {
		output_string(before);
		output_string(name);
		before = ",";
	}
	if (row->number == CALLS_TIMEOUT)
		output_string("timeout");
}

static void
put_calls(const struct calls_row *row)
{
	for (unsigned i = 0; i < row->use_count && i < SHOWN; i++) {
		output_string(i == 0 ? "" : ",");
		output_string(row->uses[i].name);
		if (row->uses[i].error != 0) {
			output_character(' ');
			output_string(errno_name(row->uses[i].error));
		}
	}
	if (row->use_count > SHOWN)
		output_string(",...");
	if (row->use_count == 0)
		output_string("none");
}

/* Add what has been put into TEXT, SIZE bytes, since output_divert. */
static void
add(struct columns *c, char *text, size_t size)
{
	text[output_restore()] = '\0';
	columns_add(c, text);
	output_divert(text, size - 1);
}

static void
add_row(struct columns *c, const struct calls *calls,
    const struct calls_process *p, const struct calls_row *row)
{
	const char *remark = remark_of(row);
	char text[512];

	output_divert(text, sizeof text - 1);
	put_number(calls, p, row);
	add(c, text, sizeof text);
	output_number((int64_t)row->told);
	add(c, text, sizeof text);
	put_names(row);
	add(c, text, sizeof text);
	output_number((int64_t)row->acted);
	add(c, text, sizeof text);
	output_number((int64_t)row->ignored);
	add(c, text, sizeof text);
	put_calls(row);
	add(c, text, sizeof text);
	(void)output_restore();
	columns_add(c, remark == NULL ? "" : remark);
}

static int
print_table(const struct calls *calls)
{
	static const char *const heads[] = { "FD", "TOLD", "EVENTS", "ACTED",
		"IGNORED", "CALLS", "REMARK" };
	struct columns c;

	columns_begin(&c, sizeof heads / sizeof *heads, heads);
	for (const struct calls_process *p = calls->processes; p != NULL;
	     p = p->next)
		for (size_t i = 0; i < p->count; i++)
			add_row(&c, calls, p, &p->rows[i]);
	return columns_print(&c);
}

/* ---- JSON ---- */

static void
put_uses(const struct calls_row *row)
{
	output_string(",\"calls\":[");
	for (unsigned i = 0; i < row->use_count; i++) {
		output_string(i == 0 ? "{\"call\":\"" : ",{\"call\":\"");
		output_string(row->uses[i].name);
		output_string("\",\"error\":");
		member_value(row->uses[i].error == 0 ?
			NULL :
			errno_name(row->uses[i].error));
		member_number("count", (int64_t)row->uses[i].count, true);
		output_character('}');
	}
	output_character(']');
	member_number("other_calls", (int64_t)row->others, true);
}

static void
put_events(const struct calls_row *row)
{
	uint32_t events = row->events;
	const char *name, *before = "";

	output_string(",\"events\":[");
	while ((name = next_event(&events)) != NULL) {
		output_string(before);
		member_value(name);
		before = ",";
	}
	output_character(']');
}

static void
put_row(const struct calls_process *p, const struct calls_row *row)
{
	const char *remark = remark_of(row);

	output_string("{\"pid\":");
	output_number(p->pid);
	member_bytes("comm", p->name);
	member_number("fd", row->number, row->number >= 0);
	output_string(",\"data\":");
	output_string(row->number == -1 ? "\"" : "null");
	if (row->number == -1) {
		put_data(row->data);
		output_character('"');
	}
	member_number("told", (int64_t)row->told, true);
	put_events(row);
	member_bool("timeout", row->number == CALLS_TIMEOUT, true);
	member_number("acted", (int64_t)row->acted, true);
	member_number("ignored", (int64_t)row->ignored, true);
	put_uses(row);
	member_word("remark", remark);
	output_string(",\"unknown\":{");
	if (row->number == -1)
		output_string("\"fd\":\"no registration, or several, have"
			      " this data\"");
	output_string("}}\n");
}

int
calls_print(const struct calls *calls, bool json)
{
	if (!json)
		return print_table(calls);
	for (const struct calls_process *p = calls->processes; p != NULL;
	     p = p->next)
		for (size_t i = 0; i < p->count; i++)
			put_row(p, &p->rows[i]);
	return 0;
}
