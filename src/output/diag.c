/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "base/pmux.h"
#include "output/diag.h"
#include "output/escape.h"
#include "output/output.h"

void
diag_command(const char *name)
{
	pmux->diag->command = name;
}

void
diag_capture(struct diag_message *message)
{
	pmux->diag->captured = message;
}

/*
 * Append TEXT, LENGTH bytes, escaped, and the meaning of ERROR if it is not 0,
 * to LINE, which has DIAG_SIZE bytes, USED of them taken.
 */
static size_t
compose(char *line, size_t used, const char *text, size_t length, int error,
    const char *hint)
{
	struct diag *d = pmux->diag;
	int n;

	/* leave room for the text behind it, however long the name is */
	used += escape(line + used, DIAG_SIZE - used - 512, text, length);
	if (error == 0)
		return used;
	n = snprintf(line + used, DIAG_SIZE - used, ": %s%s%s%s%s%s%s",
	    strerror(error), d->captured == NULL ? " [" : "",
	    d->captured == NULL ? errno_name(error) : "",
	    d->captured == NULL ? "]" : "", hint == NULL ? "" : " (",
	    hint == NULL ? "" : hint, hint == NULL ? "" : ")");
	used += (size_t)n;
	return used > DIAG_SIZE - 1 ? DIAG_SIZE - 1 : used;
}

static void say(const char *name, int error, const char *hint,
    const char *format, va_list arguments) PRINTF_LIKE(4, 0);

/* One write(2), so that messages of several processes do not mix. */
static void
say(const char *name, int error, const char *hint, const char *format,
    va_list arguments)
{
	struct diag *d = pmux->diag;
	char text[DIAG_SIZE], line[DIAG_SIZE];
	size_t length, used;
	int n;

	n = vsnprintf(text, sizeof text, format, arguments);
	length = n < 0 ? 0 : (size_t)n;
	if (length >= sizeof text) {
		length = sizeof text - 1;
		memcpy(text + length - 3, "...", 3);
	}
	if (d->captured != NULL) {
		d->captured->name = name;
		d->captured->error = error;
		d->captured->length = compose(d->captured->text, 0, text,
		    length, error, hint);
		return;
	}
	n = snprintf(line, sizeof line, "pmux: %s%s",
	    d->command == NULL ? "" : d->command,
	    d->command == NULL ? "" : ": ");
	used = compose(line, (size_t)n, text, length, error, hint);
	line[used++] = '\n';
	(void)!write(STDERR_FILENO, line, used);
}

/* The part that functions whose last parameters are FORMAT and ... share. */
#define SAY(name, error, hint)                             \
	do {                                               \
		va_list arguments;                         \
                                                           \
		va_start(arguments, format);               \
		say(name, error, hint, format, arguments); \
		va_end(arguments);                         \
	} while (0)

int
diag_usage(const char *format, ...)
{
	SAY("USAGE", 0, NULL);
	return EXIT_USAGE;
}

int
diag_range(const char *format, ...)
{
	SAY("RANGE", 0, NULL);
	return EXIT_USAGE;
}

int
diag_unavailable(const char *format, ...)
{
	SAY("ENOSYS", 0, NULL);
	return EXIT_UNAVAILABLE;
}

void
diag_remark(const char *format, ...)
{
	SAY(NULL, 0, NULL);
}

int
diag_system(int error, const char *hint, const char *format, ...)
{
	SAY(errno_name(error), error, hint);
	return EXIT_SYSTEM;
}

static size_t
append(char *line, size_t used, size_t size, const char *text)
{
	size_t length = strlen(text);

	if (length > size - used)
		length = size - used;
	memcpy(line + used, text, length);
	return used + length;
}

void
diag_note(const char *text, const char *reason)
{
	struct diag *d = pmux->diag;
	const char *parts[] = { "pmux: ", d->command == NULL ? "" : d->command,
		d->command == NULL ? "" : ": ", text,
		reason == NULL ? "" : " [", reason == NULL ? "" : reason,
		reason == NULL ? "\n" : "]\n" };
	char line[256];
	size_t used = 0;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		used = append(line, used, sizeof line, parts[i]);
	(void)!write(STDERR_FILENO, line, used);
}
