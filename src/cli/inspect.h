/* SPDX-License-Identifier: ISC */
/*
 * inspect.h - what the commands that examine processes share.
 */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include <stddef.h>

#include "inspect/target.h"
#include "target/target.h"

/*
 * Fill LIST, which has room for all: the words of TARGETS, then the processes of
 * which no descriptor was named; without any, pmux.  Returns how many.
 */
size_t inspect_fill(const struct targets *targets, struct inspect_target *list);

#endif
