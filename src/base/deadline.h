/* SPDX-License-Identifier: ISC */
/*
 * deadline.h - one absolute point on the monotonic clock, and the time left.
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdint.h>

/* When a wait ends: nanoseconds on CLOCK_MONOTONIC, or one of these. */
typedef int64_t deadline_t;

#define DEADLINE_NEVER INT64_C(-1)
#define DEADLINE_PASSED INT64_C(0) /* poll once; no clock is read */

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t clock_now(void);

/*
 * The CPU time of this thread in nanoseconds, to measure what something costs
 * the machine: a system call on Linux.  Where there is no such clock, clock_now.
 */
int64_t clock_cpu(void);

/* The deadline NS nanoseconds from now; DURATION_FOREVER never comes. */
deadline_t deadline_in(int64_t ns);

/* Nanoseconds left, never less than 0; -1 where the deadline never comes. */
int64_t deadline_left(deadline_t deadline);

/* The sooner of two deadlines, or of two times that are left. */
int64_t deadline_sooner(int64_t a, int64_t b);

/*
 * The pause after PAUSE, where something is asked again and again: twice as
 * long, from FIRST, if PAUSE is 0, up to LAST; ns.
 */
int64_t deadline_back_off(int64_t pause, int64_t first, int64_t last);

#endif
