/* SPDX-License-Identifier: ISC */
/*
 * record.h - what one record is made of, and its parts: each appends to the
 * output.  A file calls only those that stand before it here.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/event.h"
#include "print/print.h"

struct flag;
struct kevent_request;

struct record {
	const struct print_options *options;
	const struct target *target;
	const struct event *event; /* NULL in what precedes a line */
	const struct kevent_request *kevent; /* kqueue; or NULL */
	const char *line; /* --lines; or NULL */
	size_t length; /* of line */
};

/* ---- text.c ---- */

/* The time now: ISO 8601, UTC, with microseconds. */
void text_time(void);

/*
 * The names of BITS in TABLE, separated by commas, each quoted if QUOTED.
 * Returns whether there was any.
 */
bool text_names(const struct flag *table, uint32_t bits, bool quoted);

/* The names of the event's bits; with --numeric one number. */
void text_events(const struct record *record, bool quoted);

/* `PID/' where more than one process is named. */
void text_owner(const struct record *record);

/* The target as it was given, escaped unless --null. */
void text_target(const struct record *record);

/* How many bytes can be read, or UNKNOWN. */
void text_available(const struct record *record, const char *unknown);

/* The columns of an event that is no kevent. */
void text_event(const struct record *record);

/* ---- kevent.c: of records with a kevent ---- */

/* The name of the filter, which is returned and not appended. */
const char *kevent_filter(const struct record *record);

/* The names of fflags, or of a socket's error.  Returns whether any was put. */
bool kevent_put_fflags(const struct record *record, bool quoted);

/* The data, or UNKNOWN. */
void kevent_put_data(const struct record *record, const char *unknown);

/* The filter's words or its name, what ended, with commas: %e. */
void kevent_put_events(const struct record *record);

/* What --format has for FIELD and only kevents have. */
void kevent_put_field(const struct record *record, char field);

/* The columns of a kevent; with --numeric as numbers. */
void kevent_put_text(const struct record *record);

/* ---- json.c ---- */

/* The beginning of an object, up to the target. */
void json_head(const struct record *record);

/* All of the object of an event, and of a kevent. */
void json_event(const struct record *record);
void json_kevent(const struct record *record);

/* The end of an object that json_head began: LINE, LENGTH bytes. */
void json_line(const char *line, size_t length);

/* ---- format.c ---- */

/* What --format has for FIELD. */
void format_field(const struct record *record, char field);

/* A record as --format has it. */
void format_record(const struct record *record);

/* ---- status.c ---- */

/* Whether data is the wait status of a process, which may be unknown. */
bool status_is_exit(const struct record *record);
bool status_is_known(const struct record *record);

/* That as a decoded wait status, or UNKNOWN. */
void status_put(const struct record *record, const char *unknown);

#endif
