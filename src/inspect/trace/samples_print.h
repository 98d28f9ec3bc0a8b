/* SPDX-License-Identifier: ISC */
/*
 * samples_print.h - what was seen, as text or JSON.
 */
#ifndef SAMPLES_PRINT_H
#define SAMPLES_PRINT_H

#include <stdbool.h>

#include "inspect/trace/samples.h"

/*
 * Append a line about T as it was seen last; of text ALIGNED below
 * samples_print_heading, or with tabs.  Returns 0 or -ENOMEM.
 */
int samples_print_change(const struct samples *samples,
    const struct samples_target *t, bool json, bool aligned);
void samples_print_heading(void);

/*
 * Append a line for each target: its sums.  Returns 0 or -ENOMEM.
 */
int samples_print_summary(const struct samples *samples, bool json);

#endif
