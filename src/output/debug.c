/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "output/debug.h"
#include "output/escape.h"
#include "sys/fdplace.h"

/* POSIX lets no pipe split a line of this size (PIPE_BUF). */
#define LINE_SIZE 512
#define NAME_SIZE 160

struct debug {
	const char *file; /* or NULL */
	int fd; /* of FILE, standard error, or -1 */
};

struct line {
	size_t used;
	char text[LINE_SIZE];
};

int
debug_begin(const char *file)
{
	if (pmux->debug == NULL)
		pmux->debug = malloc(sizeof *pmux->debug);
	if (pmux->debug == NULL)
		return -ENOMEM;
	*pmux->debug = (struct debug){ .file = file, .fd = -1 };
	return 0;
}

/*
 * O_NONBLOCK matters where FILE is not a regular file: a named pipe without a
 * reader is an error, and a line that would block is dropped.
 */
int
debug_open(void)
{
	struct debug *d = pmux->debug;

	if (d == NULL)
		return 0;
	if (d->file == NULL)
		d->fd = STDERR_FILENO;
	else
		d->fd = fdplace(open(d->file,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK |
			O_NOCTTY,
		    0666));
	if (d->fd >= 0)
		return 0;
	return diag_system(-d->fd, d->fd == -ENXIO ? "it has no reader" : NULL,
	    "--debug %s", d->file);
}

void
debug_in_holder(void)
{
	/* its standard error is closed, and the number may mean anything */
	if (pmux->debug != NULL && pmux->debug->file == NULL)
		pmux->debug = NULL;
}

void
debug_inherit(int fd)
{
	if (fd != -1 && debug_begin("") == 0)
		pmux->debug->fd = fd;
}

int
debug_file(void)
{
	const struct debug *d = pmux->debug;

	return d == NULL || d->file == NULL || d->fd < 0 ? -1 : d->fd;
}

void
debug_end(void)
{
	int fd = debug_file();

	if (fd != -1)
		(void)close(fd);
	free(pmux->debug);
	pmux->debug = NULL;
}

/* ---- a line ---- */

static void
put_bytes(struct line *line, const char *bytes, size_t length)
{
	size_t room = sizeof line->text - 1 - line->used;

	if (length > room)
		length = room;
	memcpy(line->text + line->used, bytes, length);
	line->used += length;
}

static void
put_string(struct line *line, const char *string)
{
	put_bytes(line, string, strlen(string));
}

/* A long name is cut, so that there is room for the text behind it. */
static void
put_name(struct line *line, const char *name, size_t length)
{
	char escaped[NAME_SIZE];

	length = escape(escaped, sizeof escaped, name, length);
	put_bytes(line, escaped, length);
}

/* At least WIDTH digits. */
static void
put_number(struct line *line, uint64_t number, int width)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
		width--;
	} while (number > 0 || width > 0);
	put_bytes(line, digits + at, sizeof digits - at);
}

static void
put_signed(struct line *line, int number)
{
	if (number < 0)
		put_bytes(line, "-", 1);
	put_number(line, (uint64_t)(number < 0 ? -(int64_t)number : number), 1);
}

static void
put_time(struct line *line, int64_t ns)
{
	put_number(line, (uint64_t)ns / 1000000000, 1);
	put_bytes(line, ".", 1);
	put_number(line, (uint64_t)ns % 1000000000, 9);
}

/* One conversion, at FORMAT behind the %.  Returns the format behind it. */
static const char *
put_argument(struct line *line, const char *format, va_list *arguments)
{
	const char *name;
	int length;

	switch (*format) {
	case 'd':
		put_signed(line, va_arg(*arguments, int));
		return format + 1;
	case 's':
		name = va_arg(*arguments, const char *);
		put_name(line, name, strlen(name));
		return format + 1;
	case 'z':
		put_number(line, va_arg(*arguments, size_t), 1);
		return format + 2;
	case '.':
		length = va_arg(*arguments, int);
		put_name(line, va_arg(*arguments, const char *),
		    (size_t)length);
		return format + 3;
	default:
		put_bytes(line, format, 1);
		return format + 1;
	}
}

static void
put_format(struct line *line, const char *format, va_list *arguments)
{
	size_t plain;

	while (*format != '\0') {
		plain = strcspn(format, "%");
		put_bytes(line, format, plain);
		format += plain;
		if (*format == '%')
			format = put_argument(line, format + 1, arguments);
	}
}

/*
 * One write(2), so that lines of several processes do not mix.  That it fails
 * must not end the process: a signal that the kernel has for that is ignored,
 * which forgets it where it is blocked, too (sigaction(2), POSIX).
 */
static void
write_line(int fd, const struct line *line)
{
	static const int numbers[] = { SIGPIPE, SIGXFSZ };
	struct sigaction ignore, old[2];

	memset(&ignore, 0, sizeof ignore);
	ignore.sa_handler = SIG_IGN;
	for (int i = 0; i < 2; i++)
		(void)sigaction(numbers[i], &ignore, &old[i]);
	(void)!write(fd, line->text, line->used);
	for (int i = 0; i < 2; i++) {
		(void)sigaction(numbers[i], &ignore, NULL);
		(void)sigaction(numbers[i], &old[i], NULL);
	}
}

static void
begin_line(struct line *line, const char *module)
{
	line->used = 0;
	put_time(line, clock_now());
	put_bytes(line, "\t", 1);
	put_number(line, (uint64_t)getpid(), 1);
	put_bytes(line, "\t", 1);
	put_string(line, module);
	put_bytes(line, "\t", 1);
}

void
debug_line(const char *module, const char *format, ...)
{
	int error = errno;
	va_list arguments;
	struct line line;

	if (pmux->debug->fd >= 0) {
		begin_line(&line, module);
		va_start(arguments, format);
		put_format(&line, format, &arguments);
		va_end(arguments);
		line.text[line.used++] = '\n';
		write_line(pmux->debug->fd, &line);
	}
	errno = error;
}

/* ---- arguments ---- */

/* Also a line, of a size of its own. */
static const char *
finish(const struct line *line, char space[DEBUG_SPACE])
{
	size_t length = line->used < DEBUG_SPACE ? line->used : DEBUG_SPACE - 1;

	memcpy(space, line->text, length);
	space[length] = '\0';
	return space;
}

const char *
debug_time(int64_t ns, char space[DEBUG_SPACE])
{
	struct line line = { .used = 0 };

	if (ns < 0)
		return "inf";
	put_time(&line, ns);
	return finish(&line, space);
}

const char *
debug_events(const struct flag *table, uint32_t bits, char space[DEBUG_SPACE])
{
	struct line line = { .used = 0 };
	const char *name;
	uint32_t number;

	while ((name = flags_next(table, &bits, &number)) != NULL) {
		if (line.used > 0)
			put_bytes(&line, ",", 1);
		if (*name == '\0')
			put_number(&line, number, 1);
		put_string(&line, name);
	}
	return line.used == 0 ? "none" : finish(&line, space);
}

/* ---- invariants ---- */

#ifndef NDEBUG
_Noreturn void
debug_broken(const char *file, int line, const char *why)
{
	struct debug standard = { .file = NULL, .fd = STDERR_FILENO };

	if (pmux->debug == NULL)
		pmux->debug = &standard;
	debug_line("assert", "%s:%d: %s", file, line, why);
	abort();
}
#endif
