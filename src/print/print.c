/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "base/flags.h"
#include "compat.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "output/escape.h"
#include "output/output.h"
#include "print/print.h"
#include "sys/kernel.h"
#include "sys/signals.h"
#include "target/kevent_parse.h"

/* What one record is made of. */
struct record {
	const struct request *request;
	const struct target *target;
	const struct event *event;
	const struct kevent_request *kevent; /* kqueue; or NULL */
	const char *line; /* --lines; or NULL */
	size_t length; /* of line */
};

static void
put_digits(unsigned number, unsigned digits)
{
	unsigned power = 1;

	while (--digits > 0)
		power *= 10;
	for (; power > 0; power /= 10)
		output_character((char)('0' + number / power % 10));
}

/* ISO 8601, UTC, with microseconds. */
static void
put_time(void)
{
	struct timespec now;
	struct tm tm;

	if (clock_gettime(CLOCK_REALTIME, &now) == -1 ||
	    gmtime_r(&now.tv_sec, &tm) == NULL)
		memset(&tm, 0, sizeof tm);
	put_digits((unsigned)tm.tm_year + 1900, 4);
	output_character('-');
	put_digits((unsigned)tm.tm_mon + 1, 2);
	output_character('-');
	put_digits((unsigned)tm.tm_mday, 2);
	output_character('T');
	put_digits((unsigned)tm.tm_hour, 2);
	output_character(':');
	put_digits((unsigned)tm.tm_min, 2);
	output_character(':');
	put_digits((unsigned)tm.tm_sec, 2);
	output_character('.');
	put_digits((unsigned)(now.tv_nsec / 1000), 6);
	output_character('Z');
}

/*
 * The names of BITS in TABLE, separated by commas, each quoted or none.
 * Returns whether there was any.
 */
static bool
put_names(const struct flag *table, uint32_t bits, bool quoted)
{
	const char *name, *separator = "";
	uint32_t number;

	while ((name = flags_next(table, &bits, &number)) != NULL) {
		output_string(separator);
		separator = ",";
		if (quoted)
			output_character('"');
		if (*name != '\0')
			output_string(name);
		else
			output_hex(number);
		if (quoted)
			output_character('"');
	}
	return *separator != '\0';
}

static void
put_events(const struct record *record, bool quoted)
{
	/* the lists of select(2) have no numbers */
	if (record->request->numeric &&
	    record->request->backend->flags != backend_select.flags) {
		output_number(record->event->bits);
		return;
	}
	(void)put_names(record->request->backend->flags, record->event->bits,
	    quoted);
}

/* `PID/' where more than one process is named. */
static void
put_owner(const struct record *record)
{
	const struct targets *targets = &record->request->targets;

	if (targets->process_count < 2 || record->target->process == 0)
		return;
	output_number(targets->processes[record->target->process - 1]);
	output_character('/');
}

static void
put_target(const struct record *record)
{
	const struct target *t = record->target;

	put_owner(record);
	if (record->request->null)
		output_bytes(t->name, t->length);
	else
		output_escaped(t->name, t->length);
}

/* In bytes, or UNKNOWN where nothing tells. */
static void
put_available(const struct record *record, const char *unknown)
{
	int64_t bytes = kernel_available(record->target->fd);

	if (bytes < 0)
		output_string(unknown);
	else
		output_number(bytes);
}

static bool
is_utf8(const char *s, size_t length)
{
	size_t n;

	for (; length > 0; s += n, length -= n)
		if ((n = utf8_length(s, length)) == 0)
			return false;
	return true;
}

static void
put_json_target(const struct record *record)
{
	const struct target *t = record->target;
	const struct targets *targets = &record->request->targets;

	if (targets->process_count > 1 && t->process != 0) {
		/* a number, so that nothing in it wants to be quoted */
		output_character('"');
		put_owner(record);
		output_bytes(t->name, t->length);
		output_character('"');
	} else if (is_utf8(t->name, t->length))
		output_json(t->name, t->length);
	else {
		output_string("null,\"target_base64\":\"");
		output_base64(t->name, t->length);
		output_character('"');
	}
}

static void
put_json_head(const struct record *record)
{
	output_character('{');
	if (record->request->timestamps) {
		output_string("\"time\":\"");
		put_time();
		output_string("\",");
	}
	output_string("\"primitive\":\"");
	output_string(record->request->backend->name);
	output_string("\",\"target\":");
	put_json_target(record);
}

static void
put_json(const struct record *record)
{
	put_json_head(record);
	output_string(",\"fd\":");
	output_number(record->target->number);
	output_string(",\"events\":[");
	put_events(record, true);
	output_string("],\"available\":");
	put_available(record, "null");
	output_character('}');
}

static void
put_text(const struct record *record)
{
	put_events(record, false);
	output_character('\t');
	put_target(record);
}

/* ---- kevents ---- */

static const char *
filter_name(const struct record *record)
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

static bool
put_fflags(const struct record *record, bool quoted)
{
	uint32_t fflags = record->event->fflags;

	if (!has_error(record))
		return put_names(kqueue_filters[record->kevent->filter].words,
		    fflags, quoted);
	output_string(quoted ? "\"" : "");
	output_string(errno_name((int)fflags));
	output_string(quoted ? "\"" : "");
	return true;
}

/* Whether the data says how a process ended, as wait(2) does. */
static bool
is_exit(const struct record *record)
{
	return record->kevent->filter == KQUEUE_PROC &&
	    kevent_has(KQUEUE_PROC, "exit", record->event->fflags);
}

/* No wait status is negative: it is unknown then (src/kq). */
static bool
is_unknown(const struct record *record)
{
	return is_exit(record) && record->event->data < 0;
}

/* Where data says how a process ended, and that is known. */
static bool
has_status(const struct record *record)
{
	return is_exit(record) && !is_unknown(record);
}

/* The data, or UNKNOWN. */
static void
put_number_of_data(const struct record *record, const char *unknown)
{
	if (is_unknown(record))
		output_string(unknown);
	else
		output_number(record->event->data);
}

/* Returns whether it was put: data says it, and it is known. */
static bool
put_status(const struct record *record)
{
	int status = (int)record->event->data;
	char space[SIGNALS_SPACE];

	if (!has_status(record))
		return false;
	if (WIFEXITED(status)) {
		output_string("exit=");
		output_number(WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		output_string("signal=");
		output_string(signals_name(WTERMSIG(status), space));
	} else
		output_number(status);
	return true;
}

static void
put_data(const struct record *record)
{
	if (!put_status(record))
		put_number_of_data(record, "-");
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
		put_target(record);
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
put_udata(const struct record *record)
{
	const char *udata = record->kevent->udata;

	if (udata == NULL)
		output_character('-');
	else if (record->request->null)
		output_string(udata);
	else
		output_escaped(udata, strlen(udata));
}

/* The system's own numbers; of a descriptor the word that means it. */
static void
put_kevent_numbers(const struct record *record)
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
		put_target(record);
	else
		output_number((int64_t)event->ident);
}

static void
put_kevent_names(const struct record *record)
{
	output_string(filter_name(record));
	output_character('\t');
	if (!put_fflags(record, false))
		output_character('-');
	output_character('\t');
	if (!put_names(kqueue_flags, record->event->flags, false))
		output_character('-');
	output_character('\t');
	put_data(record);
	output_character('\t');
	put_ident(record);
}

static void
put_kevent_text(const struct record *record)
{
	if (record->request->numeric)
		put_kevent_numbers(record);
	else
		put_kevent_names(record);
	if (record->kevent->udata != NULL) {
		output_character('\t');
		put_udata(record);
	}
}

static void
put_json_udata(const char *udata)
{
	if (udata == NULL)
		output_string("null");
	else if (is_utf8(udata, strlen(udata)))
		output_json(udata, strlen(udata));
	else {
		output_string("null,\"udata_base64\":\"");
		output_base64(udata, strlen(udata));
		output_character('"');
	}
}

static void
put_json_status(const struct record *record)
{
	int status = (int)record->event->data;
	char space[SIGNALS_SPACE];

	output_string(",\"exit\":");
	if (has_status(record) && WIFEXITED(status))
		output_number(WEXITSTATUS(status));
	else
		output_string("null");
	output_string(",\"signal\":");
	if (has_status(record) && WIFSIGNALED(status)) {
		output_character('"');
		output_string(signals_name(WTERMSIG(status), space));
		output_character('"');
	} else
		output_string("null");
}

static void
put_kevent_json(const struct record *record)
{
	put_json_head(record);
	output_string(",\"ident\":");
	put_number(record);
	output_string(",\"filter\":\"");
	output_string(filter_name(record));
	output_string("\",\"flags\":[");
	(void)put_names(kqueue_flags, record->event->flags, true);
	output_string("],\"fflags\":[");
	(void)put_fflags(record, true);
	output_string("],\"data\":");
	put_number_of_data(record, "null");
	output_string(",\"udata\":");
	put_json_udata(record->kevent->udata);
	put_json_status(record);
	output_character('}');
}

/* What came, in one word: the filter's words or its name, and how it ended. */
static void
put_kevent_events(const struct record *record)
{
	uint32_t ends = record->event->flags & kqueue_returned;

	if (has_error(record) || !put_fflags(record, false))
		output_string(filter_name(record));
	if (ends != 0)
		output_character(',');
	(void)put_names(kqueue_flags, ends, false);
}

static void
put_kevent_field(const struct record *record, char field)
{
	switch (field) {
	case 'F':
		output_string(filter_name(record));
		break;
	case 'x':
		if (!put_fflags(record, false))
			output_character('-');
		break;
	case 'g':
		if (!put_names(kqueue_flags, record->event->flags, false))
			output_character('-');
		break;
	case 'd':
		put_number_of_data(record, "-");
		break;
	case 's':
		if (!put_status(record))
			output_character('-');
		break;
	case 'i':
		put_ident(record);
		break;
	default:
		put_udata(record);
		break;
	}
}

/* What --format knows after % and after a backslash. */
static const char after_percent[] = "etfbTpl%";
static const char of_kevents[] = "Fxgdsiu";
static const char after_backslash[] = "tn0\\";

static void
put_field(const struct record *record, char field)
{
	switch (field) {
	case 'e':
		if (record->kevent != NULL)
			put_kevent_events(record);
		else
			put_events(record, false);
		break;
	case 't':
		put_target(record);
		break;
	case 'f':
		if (record->target->number < 0)
			output_character('-');
		else
			output_number(record->target->number);
		break;
	case 'b':
		put_available(record, "-");
		break;
	case 'T':
		put_time();
		break;
	case 'p':
		output_string(record->request->backend->name);
		break;
	case 'l':
		output_bytes(record->line, record->length);
		break;
	case '%':
		output_character('%');
		break;
	default:
		put_kevent_field(record, field);
		break;
	}
}

static char
unescape(char letter)
{
	switch (letter) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case '0':
		return '\0';
	default:
		return letter;
	}
}

static void
put_format(const struct record *record)
{
	for (const char *s = record->request->format; *s != '\0'; s++) {
		if (*s == '%')
			put_field(record, *++s);
		else if (*s == '\\')
			output_character(unescape(*++s));
		else
			output_character(*s);
	}
}

int
print_check_format(const char *format, bool kevents)
{
	for (const char *s = format; *s != '\0'; s++) {
		const char *known = *s == '%' ? after_percent :
		    *s == '\\'		      ? after_backslash :
						NULL;

		if (known == NULL)
			continue;
		if (s[1] == '\0')
			return diag_usage("--format: it ends in '%c'", *s);
		if (strchr(known, *++s) != NULL)
			continue;
		if (known == after_percent && strchr(of_kevents, *s) != NULL) {
			if (kevents)
				continue;
			return diag_usage("--format: only kqueue has %%%c", *s);
		}
		return diag_usage("--format: unknown '%c%.*s'", s[-1], 1, s);
	}
	return 0;
}

static bool
has_field(const char *format, char field)
{
	for (const char *s = format; *s != '\0'; s++)
		if ((*s == '%' || *s == '\\') && *s++ == '%' && *s == field)
			return true;
	return false;
}

bool
print_wants_data(const struct request *request)
{
	const char *s = request->format;

	if (request->program != NULL)
		return true;
	if (request->quiet || s == NULL || request->json)
		return !request->quiet && !request->lines;
	return has_field(s, 'd');
}

bool
print_wants_line(const struct request *request)
{
	return request->format != NULL && has_field(request->format, 'l');
}

static void
put_record(const struct record *record)
{
	if (record->request->timestamps) {
		put_time();
		output_character('\t');
	}
	if (record->request->format != NULL)
		put_format(record);
	else if (record->kevent != NULL)
		put_kevent_text(record);
	else
		put_text(record);
}

static struct record
make_record(const struct request *request, const struct target *target,
    const struct event *event)
{
	struct record record = { request, target, event, NULL, "", 0 };

	if (request->targets.kevents != NULL)
		record.kevent = &request->targets
				     .kevents[target - request->targets.list];
	return record;
}

void
print_event(const struct request *request, const struct target *target,
    const struct event *event)
{
	struct record record = make_record(request, target, event);

	if (!request->json)
		put_record(&record);
	else if (record.kevent != NULL)
		put_kevent_json(&record);
	else
		put_json(&record);
	output_character(request->null ? '\0' : '\n');
}

void
print_source(const struct request *request, const struct target *target)
{
	struct record record = make_record(request, target, NULL);

	if (request->json) {
		put_json_head(&record);
		return;
	}
	if (request->timestamps) {
		put_time();
		output_character('\t');
	}
	if (request->format == NULL) {
		put_target(&record);
		output_character('\t');
	}
}

static void
put_json_line(const char *line, size_t length)
{
	output_string(",\"line\":");
	if (is_utf8(line, length))
		output_json(line, length);
	else {
		output_string("null,\"line_base64\":\"");
		output_base64(line, length);
		output_character('"');
	}
	output_character('}');
}

void
print_line(const struct request *request, const struct target *target,
    const char *line, size_t length)
{
	struct event event = { .bits = target->bits &
		    request->backend->mask_read,
		.ident = (uint64_t)target->number };
	struct record record = make_record(request, target, &event);

	if (request->json) {
		put_json_line(line, length);
		return;
	}
	if (print_wants_data(request))
		event.data = kernel_available(target->fd);
	record.line = line;
	record.length = length;
	put_format(&record);
}

size_t
print_field(char *to, size_t size, const struct request *request,
    const struct target *target, const struct event *event, char field)
{
	struct record record = make_record(request, target, event);

	output_divert(to, size);
	put_field(&record, field);
	return output_restore();
}

void
print_answer(const struct request *request, const struct target *target,
    const struct event *event, const struct kevent_request *kevent)
{
	struct record record = {
		.request = request,
		.target = target,
		.event = event,
		.kevent = kevent,
	};

	if (kevent != NULL)
		put_kevent_text(&record);
	else
		put_text(&record);
	output_character('\n');
}

int
print_failed(int error)
{
	static int status;
	sigset_t pipe;

	if (status != 0)
		return status;
	status = EXIT_SYSTEM;
	if (error == -EAGAIN) {
		diag_remark("standard output: the time is over, and nobody has"
			    " taken all that was found");
		return status = EXIT_TIMED_OUT;
	}
	if (error != -EPIPE)
		return diag_system(-error, NULL, "standard output");
	if (fifo_leave() != 0)
		return EXIT_SYSTEM;
	/* also where the caller ignores it */
	(void)signal(SIGPIPE, SIG_DFL);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	(void)sigprocmask(SIG_UNBLOCK, &pipe, NULL);
	(void)raise(SIGPIPE);
	return EXIT_SYSTEM;
}
