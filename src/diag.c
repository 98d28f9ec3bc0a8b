#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "diag.h"
#include "output.h"

/* Longer than any message about a name that a kernel takes (PATH_MAX). */
#define MESSAGE_SIZE	8192

static const char *command;

void
diag_command(const char *name)
{
	command = name;
}

/* One write(2), so that messages of several processes do not mix. */
static void say(int error, const char *hint, const char *format,
    va_list arguments) PRINTF_LIKE(3, 0);

static void
say(int error, const char *hint, const char *format, va_list arguments)
{
	char text[MESSAGE_SIZE], line[MESSAGE_SIZE];
	size_t length, used = 0;
	int n;

	n = vsnprintf(text, sizeof text, format, arguments);
	length = n < 0 ? 0 : (size_t)n;
	if (length >= sizeof text) {
		length = sizeof text - 1;
		memcpy(text + length - 3, "...", 3);
	}
	n = snprintf(line, sizeof line, "pmux: %s%s",
	    command == NULL ? "" : command, command == NULL ? "" : ": ");
	used = (size_t)n;
	/* leave room for what follows, whatever the name was */
	used += escape(line + used, sizeof line - used - 512, text, length);
	if (error != 0)
		n = snprintf(line + used, sizeof line - used, ": %s [%s]%s%s%s",
		    strerror(error), errno_name(error),
		    hint == NULL ? "" : " (", hint == NULL ? "" : hint,
		    hint == NULL ? "" : ")");
	else
		n = 0;
	used += (size_t)n;
	if (used > sizeof line - 1)
		used = sizeof line - 1;
	line[used++] = '\n';
	(void)!write(STDERR_FILENO, line, used);
}

int
diag_usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(0, NULL, format, arguments);
	va_end(arguments);
	return EXIT_USAGE;
}

int
diag_unavailable(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(0, NULL, format, arguments);
	va_end(arguments);
	return EXIT_UNAVAILABLE;
}

int
diag_system(int error, const char *hint, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(error, hint, format, arguments);
	va_end(arguments);
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
	const char *parts[] = {
		"pmux: ", command == NULL ? "" : command,
		command == NULL ? "" : ": ", text, reason == NULL ? "" : " [",
		reason == NULL ? "" : reason, reason == NULL ? "\n" : "]\n"
	};
	char line[256];
	size_t used = 0;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		used = append(line, used, sizeof line, parts[i]);
	(void)!write(STDERR_FILENO, line, used);
}
