/* SPDX-License-Identifier: ISC */
/*
 * format.h - what the argument of --format may be.
 */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdbool.h>

/*
 * Whether FORMAT can be printed, for KEVENTS or for other events, which have
 * %s only if there are STATUSES.  Returns 0 or an exit status, a message having
 * been printed.
 */
int format_check(const char *format, bool kevents, bool statuses);

/* Whether FORMAT, which has been checked, contains %FIELD. */
bool format_has(const char *format, char field);

#endif
