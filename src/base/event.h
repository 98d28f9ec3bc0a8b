/* SPDX-License-Identifier: ISC */
/*
 * event.h - a report of a backend: the target, and the native words.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdint.h>

struct event {
	uint32_t token; /* that the target was added with */
	uint32_t bits; /* as the primitive said them, untouched */
	/* the members below are kqueue's; its bits are the filter: kqueue.h */
	uint32_t flags, fflags;
	int64_t data;
	uint64_t ident;
};

#endif
