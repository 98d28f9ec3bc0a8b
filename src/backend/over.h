/* SPDX-License-Identifier: ISC */
/*
 * over.h - a primitive for descriptors of another process, too.
 */
#ifndef OVER_H
#define OVER_H

#include <stdbool.h>

#include "backend/backend.h"

/*
 * BASE for handles, too, which the functions add, modify and remove of what is
 * returned take beside descriptors.  What is closed in its owner is, to poll
 * and devpoll, not open (POLLNVAL) from then on; wait fails with -EBADF for the
 * others, and foreign_is_closed says which it is; and with -EOPNOTSUPP, see
 * foreign_why.  kqueue: if LASTING, its kevents end then, and what is added
 * stays until its delete.
 */
const struct backend *backend_over(const struct backend *base, bool lasting);

#endif
