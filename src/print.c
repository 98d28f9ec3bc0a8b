#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "backend/backend.h"
#include "backend/kernel.h"
#include "diag.h"
#include "fifo.h"
#include "flags.h"
#include "output.h"
#include "print.h"

/* What one record is made of. */
struct record {
	const struct request	*request;
	const struct target	*target;
	uint32_t		 bits;
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

static void
put_events(const struct record *record, bool quoted)
{
	const char *name, *separator = "";
	uint32_t bits = record->bits, number;

	while ((name = flags_next(record->request->backend->flags, &bits,
	    &number)) != NULL) {
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
put_json(const struct record *record)
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

/* What --format knows after % and after a backslash. */
static const char after_percent[] = "etfbTp%";
static const char after_backslash[] = "tn0\\";

static void
put_field(const struct record *record, char field)
{
	switch (field) {
	case 'e':
		put_events(record, false);
		break;
	case 't':
		put_target(record);
		break;
	case 'f':
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
	default:
		output_character(field);
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
print_check_format(const char *format)
{
	for (const char *s = format; *s != '\0'; s++) {
		const char *known = *s == '%' ? after_percent :
		    *s == '\\' ? after_backslash : NULL;

		if (known == NULL)
			continue;
		if (s[1] == '\0')
			return diag_usage("--format: it ends in '%c'", *s);
		if (strchr(known, *++s) != NULL)
			continue;
		if (known == after_percent && strchr("Fxgdiu", *s) != NULL)
			return diag_usage("--format: only kqueue has %%%c", *s);
		return diag_usage("--format: unknown '%c%.*s'", s[-1],
		    1, s);
	}
	return 0;
}

void
print_event(const struct request *request, const struct target *target,
    uint32_t bits)
{
	struct record record = { request, target, bits };

	if (request->json)
		put_json(&record);
	else {
		if (request->timestamps) {
			put_time();
			output_character('\t');
		}
		if (request->format != NULL)
			put_format(&record);
		else
			put_text(&record);
	}
	output_character(request->null ? '\0' : '\n');
}

int
print_failed(int error)
{
	static bool reported;
	sigset_t pipe;

	if (reported)
		return EXIT_SYSTEM;
	reported = true;
	if (error != -EPIPE)
		return diag_system(-error, NULL, "standard output");
	fifo_leave();
	/* also where the caller ignores it */
	(void)signal(SIGPIPE, SIG_DFL);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	(void)sigprocmask(SIG_UNBLOCK, &pipe, NULL);
	(void)raise(SIGPIPE);
	return EXIT_SYSTEM;
}
