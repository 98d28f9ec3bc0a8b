/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "backend/kqueue.h"
#include "compat.h"
#include "output/escape.h"
#include "output/output.h"
#include "print/record.h"
#include "target/kevent_parse.h"

const char *
kevent_filter(const struct record *record)
{
	return backend_kqueue.flags[record->kevent->filter].name;
}

/*
 * Of what can be read or written fflags is no set but, at its end, the error of
 * the socket (kqueue(2), EVFILT_READ).
 */
static bool
has_error(const struct record *record)
{
	return record->kevent->filter <= KQUEUE_WRITE &&
	    record->event->fflags != 0 &&
	    (record->event->bits & KQUEUE_EOF) != 0;
}

bool
kevent_put_fflags(const struct record *record, bool quoted)
{
	uint32_t fflags = record->event->fflags;

	if (!has_error(record))
		return text_names(kqueue_filters[record->kevent->filter].words,
		    fflags, quoted);
	output_string(quoted ? "\"" : "");
	output_string(errno_name((int)fflags));
	output_string(quoted ? "\"" : "");
	return true;
}

void
kevent_put_data(const struct record *record, const char *unknown)
{
	if (status_is_exit(record) && !status_is_known(record))
		output_string(unknown);
	else
		output_number(record->event->data);
}

static void
put_data(const struct record *record)
{
	if (status_is_known(record))
		status_put(record, "");
	else
		kevent_put_data(record, "-");
}

/* Of a process that was tracked it may be a child. */
static bool
is_child(const struct record *record)
{
	return record->kevent->filter == KQUEUE_PROC &&
	    record->event->ident != record->kevent->ident;
}

static void
put_ident(const struct record *record)
{
	if (is_child(record))
		output_number((int64_t)record->event->ident);
	else
		text_target(record);
}

static void
put_udata(const struct record *record)
{
	const char *udata = record->kevent->udata;

	if (udata == NULL)
		output_character('-');
	else if (record->options->null)
		output_string(udata);
	else
		output_escaped(udata, strlen(udata));
}

/* The system's own numbers; of a descriptor the word that means it. */
static void
put_numbers(const struct record *record)
{
	const struct event *event = record->event;

	output_number(kqueue_number(record->kevent->filter));
	output_character('\t');
	output_number(event->fflags);
	output_character('\t');
	output_number(event->flags);
	output_character('\t');
	output_number(event->data);
	output_character('\t');
	if (kevent_wants_descriptor(record->kevent))
		text_target(record);
	else
		output_number((int64_t)event->ident);
}

static void
put_columns(const struct record *record)
{
	output_string(kevent_filter(record));
	output_character('\t');
	if (!kevent_put_fflags(record, false))
		output_character('-');
	output_character('\t');
	if (!text_names(kqueue_flags, record->event->flags, false))
		output_character('-');
	output_character('\t');
	put_data(record);
	output_character('\t');
	put_ident(record);
}

void
kevent_put_text(const struct record *record)
{
	if (record->options->numeric)
		put_numbers(record);
	else
		put_columns(record);
	if (record->kevent->udata != NULL) {
		output_character('\t');
		put_udata(record);
	}
}

void
kevent_put_events(const struct record *record)
{
	uint32_t ends = record->event->flags & kqueue_returned;

	if (has_error(record) || !kevent_put_fflags(record, false))
		output_string(kevent_filter(record));
	if (ends != 0)
		output_character(',');
	(void)text_names(kqueue_flags, ends, false);
}

void
kevent_put_field(const struct record *record, char field)
{
	switch (field) {
	case 'F':
		output_string(kevent_filter(record));
		break;
	case 'x':
		if (!kevent_put_fflags(record, false))
			output_character('-');
		break;
	case 'g':
		if (!text_names(kqueue_flags, record->event->flags, false))
			output_character('-');
		break;
	case 'd':
		kevent_put_data(record, "-");
		break;
	case 'i':
		put_ident(record);
		break;
	default:
		put_udata(record);
		break;
	}
}
