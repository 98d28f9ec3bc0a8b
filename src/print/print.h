/* SPDX-License-Identifier: ISC */
/*
 * print.h - events to text, JSON or --format.
 */
#ifndef PRINT_H
#define PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"
#include "target/target.h"

/* What the options ask of the output. */
struct print_options {
	const struct targets *targets; /* that the events are of */
	bool quiet;
	bool json;
	bool null;
	bool timestamps;
	bool numeric;
	bool statuses; /* records have that of a process */
	const char *format; /* or NULL */
};

/* Append the record of an event of TARGET to the output. */
void print_event(const struct print_options *options,
    const struct target *target, const struct event *event);

/*
 * Put at TO, SIZE bytes, what --format has for FIELD, a letter behind %, of an
 * event of TARGET.  Returns how many bytes that is.
 */
size_t print_field(char *to, size_t size, const struct print_options *options,
    const struct target *target, const struct event *event, char field);

/*
 * The same for a session: the columns as text, or as numbers with --numeric.
 * KEVENT is what the event answers, or NULL; TARGET is in no list.
 */
void print_answer(const struct print_options *options,
    const struct target *target, const struct event *event,
    const struct kevent_request *kevent);

/*
 * Append what stands before the line in a record of --lines from TARGET, which
 * is the same for all that were read at once: the time and the target, or with
 * --json all up to the line; with --format the time.
 */
void print_source(const struct print_options *options,
    const struct target *target);

/*
 * Append the rest of such a record, where that is more than the line itself:
 * with --json or --format.
 */
void print_line(const struct print_options *options,
    const struct target *target, const char *line, size_t length);

/*
 * Whether a record says how many bytes a kevent counted; LINES: it is one of
 * --lines.
 */
bool print_wants_data(const struct print_options *options, bool lines);

/* Whether the exit status of a process is printed. */
bool print_wants_status(const struct print_options *options);

/*
 * Standard output failed with ERROR, a -errno.  Where its reader has gone, die
 * of SIGPIPE, FIFOs being left first; otherwise returns the exit status, that
 * of a timeout for -EAGAIN, a message having been printed (once).
 */
int print_failed(int error);

#endif
