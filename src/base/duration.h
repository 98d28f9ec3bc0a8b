/* SPDX-License-Identifier: ISC */
/*
 * duration.h - words like 1.5, 20ms or inf to nanoseconds.
 */
#ifndef DURATION_H
#define DURATION_H

#include <stdint.h>

#define DURATION_FOREVER INT64_C(-1)

/*
 * Parse all of the string WORD: decimal digits with an optional fraction and
 * exponent, then an optional unit (ns us ms s m h d; seconds if there is none);
 * or `inf' or `-1'.  Fractions of a nanosecond are rounded up, so that a wait
 * is never shorter than the caller asked for.
 *
 * Returns 0 with *NS set (nanoseconds, or DURATION_FOREVER); -EINVAL if WORD
 * is no duration or negative; -ERANGE if it is longer than int64_t
 * nanoseconds can say (292 years).
 */
int duration_parse(const char *word, int64_t *ns);

#endif
