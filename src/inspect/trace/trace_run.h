/* SPDX-License-Identifier: ISC */
/*
 * trace_run.h - pmux trace, without --calls.
 */
#ifndef TRACE_RUN_H
#define TRACE_RUN_H

struct request;

/*
 * Sample the descriptors that REQUEST names, at intervals, until the time is
 * over, a signal ends pmux or the processes have ended; print a line for each
 * change, the diagram and the sums.  Returns the exit status, a message having
 * been printed if it is an error.
 */
int trace_samples(struct request *request);

#endif
