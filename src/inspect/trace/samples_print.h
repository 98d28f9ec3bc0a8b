/* SPDX-License-Identifier: ISC */
/*
 * samples_print.h - what was seen, as text or JSON.
 */
#ifndef SAMPLES_PRINT_H
#define SAMPLES_PRINT_H

#include <stdbool.h>

#include "inspect/trace/samples.h"

/* Append a line about T as it was seen last.  Returns 0 or -ENOMEM. */
int samples_print_change(const struct samples *samples,
    const struct samples_target *t, bool json);

/*
 * Append a line for each target: its sums.  Returns 0 or -ENOMEM.
 */
int samples_print_summary(const struct samples *samples, bool json);

#endif
