/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/wait.h>

#include <stdlib.h>
#include <string.h>

#include "await/await.h"
#include "backend/backend.h"
#include "backend/kqueue.h"
#include "output/escape.h"
#include "output/output.h"
#include "print/record.h"
#include "sys/signals.h"

static void
put_target(const struct record *record)
{
	const struct target *t = record->target;
	const struct targets *targets = record->options->targets;

	if (targets->process_count > 1 && t->process != 0) {
		/* a number, so that nothing in it wants to be quoted */
		output_character('"');
		text_owner(record);
		output_bytes(t->name, t->length);
		output_character('"');
	} else
		output_json_bytes("target", t->name, t->length);
}

void
json_head(const struct record *record)
{
	output_character('{');
	if (record->options->timestamps) {
		output_string("\"time\":\"");
		text_time();
		output_string("\",");
	}
	output_string("\"primitive\":\"");
	output_string(record->options->targets->backend->name);
	output_string("\",\"target\":");
	put_target(record);
}

static void
put_status(const struct record *record)
{
	int status = (int)record->event->data;
	char space[SIGNALS_SPACE];

	output_string(",\"exit\":");
	if (status_is_known(record) && WIFEXITED(status))
		output_number(WEXITSTATUS(status));
	else
		output_string("null");
	output_string(",\"signal\":");
	if (status_is_known(record) && WIFSIGNALED(status)) {
		output_character('"');
		output_string(signals_name(WTERMSIG(status), space));
		output_character('"');
	} else
		output_string("null");
}

/* The process that a target names, if it does, and how it ended. */
static void
put_process(const struct record *record)
{
	output_string(",\"pid\":");
	if ((record->target->bits & AWAIT_EXIT) != 0)
		output_number(atol(record->target->name));
	else
		output_string("null");
	put_status(record);
}

void
json_event(const struct record *record)
{
	json_head(record);
	output_string(",\"fd\":");
	if (record->target->number >= 0)
		output_number(record->target->number);
	else
		output_string("null");
	output_string(",\"events\":[");
	text_events(record, true);
	output_string("],\"available\":");
	text_available(record, "null");
	if (record->options->statuses)
		put_process(record);
	output_character('}');
}

/* A number that a descriptor's owner knows it by, and that of all others. */
static void
put_number(const struct record *record)
{
	if (record->target->number >= 0)
		output_number(record->target->number);
	else
		output_number((int64_t)record->event->ident);
}

static void
put_udata(const char *udata)
{
	if (udata == NULL)
		output_string("null");
	else
		output_json_bytes("udata", udata, strlen(udata));
}

void
json_kevent(const struct record *record)
{
	json_head(record);
	output_string(",\"ident\":");
	put_number(record);
	output_string(",\"filter\":\"");
	output_string(kevent_filter(record));
	output_string("\",\"flags\":[");
	(void)text_names(kqueue_flags, record->event->flags, true);
	output_string("],\"fflags\":[");
	(void)kevent_put_fflags(record, true);
	output_string("],\"data\":");
	kevent_put_data(record, "null");
	output_string(",\"udata\":");
	put_udata(record->kevent->udata);
	put_status(record);
	output_character('}');
}

void
json_line(const char *line, size_t length)
{
	output_string(",\"line\":");
	output_json_bytes("line", line, length);
	output_character('}');
}
