/* SPDX-License-Identifier: ISC */
/*
 * kqueue.h - a kevent as pmux asks for it, and the names that kevent(2) has.
 */
#ifndef KQUEUE_H
#define KQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"

/*
 * The filters.  The bits of backend_kqueue are one for each filter,
 * 1 << KQUEUE_READ and so on, under its name in backend_kqueue.flags.
 */
enum {
	KQUEUE_READ,
	KQUEUE_WRITE,
	KQUEUE_VNODE,
	KQUEUE_PROC,
	KQUEUE_SIGNAL,
	KQUEUE_TIMER,
	KQUEUE_NETDEV,
	KQUEUE_AIO,
	KQUEUE_USER,
	KQUEUE_FILTERS
};

/*
 * Beside those bits in an event: the other end has gone; and instead of them:
 * it is no event of the filter but an error, or a child that got away.
 */
#define KQUEUE_EOF (1u << KQUEUE_FILTERS)
#define KQUEUE_ERROR (2u << KQUEUE_FILTERS)

/*
 * Beside the filter's bit: it cannot be known whether the event has come; data
 * is the errno, and the kevent is removed.
 */
#define KQUEUE_FAILED (8u << KQUEUE_FILTERS)

/* Beside those bits in what is added: report changes only (EV_CLEAR). */
#define KQUEUE_CLEAR (4u << KQUEUE_FILTERS)

/* One kevent; flags and fflags are the system's own bits. */
struct kevent_request {
	uint64_t ident; /* 0 where it is the descriptor */
	int64_t data; /* aio: how many bytes */
	int64_t offset; /* aio */
	char *udata; /* the user's, or NULL */
	uint32_t flags, fflags;
	uint8_t filter;
};

/* The words of one filter. */
struct kqueue_filter {
	bool there; /* the system has it */
	uint32_t usual; /* if no word is named */
	uint32_t returned; /* cannot be asked for */
	const struct flag *words; /* ends with an empty name */
};

/* Empty where there is no kevent(2). */
extern const struct kqueue_filter kqueue_filters[KQUEUE_FILTERS];

/* The system's own number of FILTER, as EVFILT_READ. */
int kqueue_number(unsigned filter);

/* add, delete and the other flags; those in kqueue_returned are answers. */
extern const struct flag kqueue_flags[];
extern const uint32_t kqueue_returned;

#endif
