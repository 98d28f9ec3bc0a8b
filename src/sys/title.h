/* SPDX-License-Identifier: ISC */
/*
 * title.h - the name that a list of processes shows.
 */
#ifndef TITLE_H
#define TITLE_H

#include <stdbool.h>

/* Longer ones are cut, by the system even before that. */
#define TITLE_SIZE 1024

struct pmux_title;

/* Where the arguments are, as main has them: into TITLE. */
void title_remember(struct pmux_title *title, int argc, char **argv);

/* Whether a title leaves the arguments as they are. */
bool title_is_apart(void);

/*
 * Call this process "pmux: holds NAME", where the system can.  That overwrites
 * the arguments and the environment: do not use them after it.
 * Async-signal-safe on Linux and FreeBSD, where kern.ps_arg_cache_limit is the
 * length it may have, and on NetBSD 9.1, whose setproctitle(3) writes into an
 * array with vsnprintf(3); elsewhere that is not known.
 */
void title_set(const char *name);

#endif
