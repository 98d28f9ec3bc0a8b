/* SPDX-License-Identifier: ISC */
/*
 * joined.h - events of one target that are reported later, those of the same
 * file, process or timer as one.
 */
#ifndef JOINED_H
#define JOINED_H

#include <stdbool.h>

#include "base/event.h"

/* A list of them, the oldest first; NULL: none. */
struct joined;

/* Add EVENT to the list.  Returns 0 or -ENOMEM. */
int joined_add(struct joined **list, const struct event *event);

/* Take the oldest into *EVENT; false if there is none. */
bool joined_take(struct joined **list, struct event *event);

void joined_free(struct joined **list);

#endif
