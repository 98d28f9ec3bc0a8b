/* SPDX-License-Identifier: ISC */
/*
 * kevent_parse.h - words like vnode:/etc/passwd:write,clear to kevents.
 */
#ifndef KEVENT_PARSE_H
#define KEVENT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/kqueue.h"

/* The part between the filter and the words. */
struct kevent_ident {
	char *name;
	size_t length;
	bool literal; /* a colon at its end was taken off */
};

/*
 * Parse all of WORD, LENGTH bytes with a NUL behind them.  DEFAULTS, which may
 * be NULL, are the words of a kevent that has none.  TIMERS counts the timers
 * that are named by their duration alone.  Sets *REQUEST, except for a
 * descriptor, which *IDENT names where the filter wants one.  Returns 0 or an
 * exit status, a message having been printed.
 */
int kevent_parse(char *word, size_t length, const char *defaults,
    uint64_t *timers, struct kevent_request *request,
    struct kevent_ident *ident);

/*
 * Accept numbers from now on: for a filter that of the system, for flags and
 * fflags flags=N and fflags=N.
 */
void kevent_numbers(void);

/* Whether the identifier is a descriptor, or a path to open. */
bool kevent_wants_descriptor(const struct kevent_request *request);

/*
 * Whether WORDS can be words of some filter.  Returns 0 or an exit status, a
 * message about --events having been printed.
 */
int kevent_check_words(const char *words);

/* The bit of add, delete and the other flags; 0 where it is unknown. */
uint32_t kevent_flag(const char *name);

/* Whether the words of FILTER have the bit that NAME stands for in FFLAGS. */
bool kevent_has(unsigned filter, const char *name, uint32_t fflags);

/* Release what REQUEST has; it may be all zero. */
void kevent_release(struct kevent_request *request);

#endif
