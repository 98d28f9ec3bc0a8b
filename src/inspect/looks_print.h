/* SPDX-License-Identifier: ISC */
/*
 * looks_print.h - what was seen, as text or JSON.
 */
#ifndef LOOKS_PRINT_H
#define LOOKS_PRINT_H

#include <stdbool.h>

#include "inspect/looks.h"

/* Append a line about T as it was seen last.  Returns 0 or -ENOMEM. */
int looks_print_change(const struct looks *looks, const struct looks_target *t,
    bool json);

/*
 * Append a line for each target: its sums.  Returns 0 or -ENOMEM.
 */
int looks_print_summary(const struct looks *looks, bool json);

#endif
