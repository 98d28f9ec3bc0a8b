/* SPDX-License-Identifier: ISC */
/*
 * diag.h - messages on standard error, and the exit statuses of pmux.
 */
#ifndef DIAG_H
#define DIAG_H

#include <stddef.h>

enum {
	EXIT_EVENT = 0, /* an event that was asked for was reported */
	EXIT_UNASKED = 1, /* only conditions that were not asked for */
	EXIT_USAGE = 2, /* the command line; nothing was waited for */
	EXIT_SYSTEM = 3, /* a system call failed */
	EXIT_UNAVAILABLE = 4, /* this system has no such thing */
	EXIT_TIMED_OUT = 124, /* as timeout(1) says it */
	EXIT_NO_START = 125, /* PROGRAM was to be started: as env(1) */
	EXIT_NOT_RUN = 126, /* it cannot be */
	EXIT_NOT_FOUND = 127
};

#if defined(__GNUC__)
#define PRINTF_LIKE(format, first) \
	__attribute__((__format__(__printf__, format, first)))
#else
#define PRINTF_LIKE(format, first)
#endif

/* Longer than any message about a name that a kernel takes (PATH_MAX). */
#define DIAG_SIZE 8192

/*
 * The parts of a message: the name of an errno value, USAGE or RANGE; and the
 * text, LENGTH bytes, without control characters.
 */
struct diag_message {
	const char *name;
	int error; /* errno, or 0 */
	size_t length;
	char text[DIAG_SIZE];
};

struct diag {
	const char *command; /* that messages name, or NULL */
	struct diag_message *captured; /* where they go, or NULL */
};

/*
 * From now on messages are put into *MESSAGE, the last one standing, and not on
 * standard error; NULL: on standard error again.  Not those of diag_note.
 */
void diag_capture(struct diag_message *message);

/* The command that messages name from now on; NULL for none. */
void diag_command(const char *name);

/*
 * Each prints one line, `pmux: COMMAND: ' and the text, in which every control
 * character, backslash and byte that is not UTF-8 is escaped: a name may be
 * given to %s as it is.  Each returns the exit status that goes with it.
 */
int diag_usage(const char *format, ...) PRINTF_LIKE(1, 2);
int diag_unavailable(const char *format, ...) PRINTF_LIKE(1, 2);

/* A usage error too: a number is too large for its type. */
int diag_range(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * The same, with `: ', the meaning of errno value ERROR and its name appended.
 * HINT, if it is not NULL, goes behind that in parentheses.
 */
int diag_system(int error, const char *hint, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same about something that happened; pmux goes on. */
void diag_remark(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * A remark, constant, with the name of an errno value behind it if REASON is
 * not NULL; pmux goes on.  Async-signal-safe.
 */
void diag_note(const char *text, const char *reason);

#endif
