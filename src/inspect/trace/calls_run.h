/* SPDX-License-Identifier: ISC */
/*
 * calls_run.h - pmux trace --calls.
 */
#ifndef CALLS_RUN_H
#define CALLS_RUN_H

#include <stdbool.h>

struct calls;
struct request;

/*
 * Trace what REQUEST names, its process or its program, until that many waits
 * have returned, the time is over, a signal ends pmux or no thread is left; print
 * the table; wait until the program has ended.  Returns the exit status: that of
 * the program if there is one.  A message has been printed if it is an error.
 */
int calls_run(struct request *request);

/* Append the table, one object a row if JSON, to the output.  0 or -ENOMEM. */
int calls_print(const struct calls *calls, bool json);

#endif
