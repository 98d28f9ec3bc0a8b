/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "backend/backend.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/format.h"
#include "print/record.h"

/* What --format knows after % and after a backslash. */
static const char after_percent[] = "etfbTpl%";
static const char of_kevents[] = "Fxgdsiu";
static const char after_backslash[] = "tn0\\";

void
format_field(const struct record *record, char field)
{
	switch (field) {
	case 'e':
		if (record->kevent != NULL)
			kevent_put_events(record);
		else
			text_events(record, false);
		break;
	case 't':
		text_target(record);
		break;
	case 'f':
		if (record->target->number < 0)
			output_character('-');
		else
			output_number(record->target->number);
		break;
	case 'b':
		text_available(record, "-");
		break;
	case 'T':
		text_time();
		break;
	case 'p':
		output_string(record->options->targets->backend->name);
		break;
	case 'l':
		output_bytes(record->line, record->length);
		break;
	case '%':
		output_character('%');
		break;
	case 's':
		status_put(record, "-");
		break;
	default:
		kevent_put_field(record, field);
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

void
format_record(const struct record *record)
{
	for (const char *s = record->options->format; *s != '\0'; s++) {
		if (*s == '%')
			format_field(record, *++s);
		else if (*s == '\\')
			output_character(unescape(*++s));
		else
			output_character(*s);
	}
}

int
format_check(const char *format, bool kevents, bool statuses)
{
	for (const char *s = format; *s != '\0'; s++) {
		const char *known = *s == '%' ? after_percent :
		    *s == '\\'		      ? after_backslash :
						NULL;

		if (known == NULL)
			continue;
		if (s[1] == '\0')
			return diag_usage("--format: ends in '%c'", *s);
		if (strchr(known, *++s) != NULL)
			continue;
		if (known == after_percent && strchr(of_kevents, *s) != NULL) {
			if (kevents || (statuses && *s == 's'))
				continue;
			return diag_usage("--format: only kqueue has %%%c", *s);
		}
		return diag_usage("--format: unknown '%c%.*s'", s[-1], 1, s);
	}
	return 0;
}

bool
format_has(const char *format, char field)
{
	for (const char *s = format; *s != '\0'; s++)
		if ((*s == '%' || *s == '\\') && *s++ == '%' && *s == field)
			return true;
	return false;
}
