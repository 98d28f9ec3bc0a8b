/* SPDX-License-Identifier: ISC */
/*
 * check.h - options that exclude each other, or that say nothing alone.
 */
#ifndef CHECK_H
#define CHECK_H

struct request;

/*
 * Check REQUEST, which has all options and words, of a command that waits.
 * Returns 0 or an exit status, a message having been printed.
 */
int check_options(const struct request *request);

#endif
