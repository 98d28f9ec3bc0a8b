/* SPDX-License-Identifier: ISC */
/*
 * over.h - a primitive for descriptors of another process, too.
 */
#ifndef OVER_H
#define OVER_H

#include <stdbool.h>

#include "backend/backend.h"

/*
 * A backend like BASE whose add, modify and remove take handles beside
 * descriptors.  When its owner closes a descriptor, poll and devpoll report it
 * as not open (POLLNVAL) from then on; with the others wait fails with -EBADF,
 * and foreign_is_closed says which it is.  Wait may also fail with -EOPNOTSUPP,
 * see foreign_why.  kqueue: if LASTING, the kevents of a closed descriptor end
 * then, and a kevent stays until its delete.
 */
const struct backend *backend_over(const struct backend *base, bool lasting);

#endif
