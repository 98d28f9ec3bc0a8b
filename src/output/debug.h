/* SPDX-License-Identifier: ISC */
/*
 * debug.h - --debug: one line for each decision.
 *
 * A line has the monotonic time, the process, the module and the decision, with
 * tabs between them.
 */
#ifndef DEBUG_H
#define DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flags.h"
#include "base/pmux.h"
#include "output/diag.h"

/*
 * Write a line of MODULE, if --debug was given; if not, no argument is
 * evaluated.  See debug_line.
 */
#define DEBUG(...)                               \
	do {                                     \
		if (pmux->debug != NULL)         \
			debug_line(__VA_ARGS__); \
	} while (0)

/*
 * Turn it on: lines go to FILE, or to standard error if it is NULL; a second
 * call replaces FILE.  None is written before debug_open.  Returns 0 or
 * -ENOMEM.
 */
int debug_begin(const char *file);

/*
 * Open FILE, if --debug was given, at a number that fdplace allows.  Returns 0
 * or an exit status, a message having been printed.
 */
int debug_open(void);

/* In a process that holds named pipes: without FILE nothing is written. */
void debug_in_holder(void);

/*
 * Lines go to FD, which the process was started with and of which debug_file
 * was the answer there; -1: no lines.
 */
void debug_inherit(int fd);

/* The descriptor of FILE, or -1. */
int debug_file(void);

/* The call ends. */
void debug_end(void);

/*
 * FORMAT knows %s and %.*s, which are escaped and cut where they are long, %d,
 * %zu and %%.  A line that cannot be written is dropped: --debug must not
 * change the behaviour of pmux.  errno is preserved.  Async-signal-safe.
 */
void debug_line(const char *module, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * For an argument of it, in SPACE: NS nanoseconds in seconds, `inf' for a
 * negative number; and the names of BITS in TABLE.
 */
#define DEBUG_SPACE 128
const char *debug_time(int64_t ns, char space[DEBUG_SPACE]);
const char *debug_events(const struct flag *table, uint32_t bits,
    char space[DEBUG_SPACE]);

/*
 * CONDITION is always true, since WHY.  With --enable-asserts of configure it is
 * checked, and where it is not true a line of --debug says so, without --debug
 * on standard error, and the process aborts.
 */
#ifdef NDEBUG
#define INVARIANT(condition, why) ((void)sizeof((condition) ? 1 : 0))
#else
#define INVARIANT(condition, why) \
	((condition) ? (void)0 : debug_broken(__FILE__, __LINE__, why))
#endif

_Noreturn void debug_broken(const char *file, int line, const char *why);

#endif
