/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>
#include <time.h>

#include "await/await.h"
#include "backend/backend.h"
#include "base/flags.h"
#include "output/escape.h"
#include "output/output.h"
#include "print/record.h"
#include "sys/kernel.h"

static void
put_digits(unsigned number, unsigned digits)
{
	unsigned power = 1;

	while (--digits > 0)
		power *= 10;
	for (; power > 0; power /= 10)
		output_character((char)('0' + number / power % 10));
}

void
text_time(void)
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

bool
text_names(const struct flag *table, uint32_t bits, bool quoted)
{
	const char *name;
	uint32_t number;
	bool any = false;

	while ((name = flags_next(table, &bits, &number)) != NULL) {
		if (any)
			output_character(',');
		any = true;
		if (quoted)
			output_character('"');
		if (*name != '\0')
			output_string(name);
		else
			output_hex(number);
		if (quoted)
			output_character('"');
	}
	return any;
}

/* The event's bits, and all of the name that was asked for one of them. */
static uint32_t
as_asked(const struct record *record, uint32_t wide)
{
	uint32_t bits = record->event->bits;

	return (bits & wide) != 0 && (record->target->bits & wide) == wide ?
	    bits | wide :
	    bits;
}

void
text_events(const struct record *record, bool quoted)
{
	const struct backend *backend = record->options->targets->backend;

	if (!quoted && (record->event->bits & AWAIT_EXIT) != 0) {
		status_put(record, "exit");
		return;
	}
	/* the lists of select(2) have no numbers */
	if (record->options->numeric &&
	    backend->flags != backend_select.flags) {
		output_number(record->event->bits);
		return;
	}
	(void)text_names(backend->flags, as_asked(record, backend->wide),
	    quoted);
}

void
text_owner(const struct record *record)
{
	const struct targets *targets = record->options->targets;

	if (targets->process_count < 2 || record->target->process == 0)
		return;
	output_number(targets->processes[record->target->process - 1]);
	output_character('/');
}

void
text_target(const struct record *record)
{
	const struct target *t = record->target;

	text_owner(record);
	if (record->options->null)
		output_bytes(t->name, t->length);
	else
		output_escaped(t->name, t->length);
}

void
text_available(const struct record *record, const char *unknown)
{
	int64_t bytes = kernel_available(record->target->fd);

	if (bytes < 0)
		output_string(unknown);
	else
		output_number(bytes);
}

void
text_event(const struct record *record)
{
	text_events(record, false);
	output_character('\t');
	text_target(record);
}
