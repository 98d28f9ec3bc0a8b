/* SPDX-License-Identifier: ISC */
/*
 * await.h - conditions, which are targets without a descriptor: a process has
 * ended, a path exists, or does not, an address accepts a connection.
 *
 * A condition is met or not, and is reported once.  A backend that wraps another
 * one waits for them beside the descriptors.  Nothing here is allocated or
 * opened where a call has none.
 */
#ifndef AWAIT_H
#define AWAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/deadline.h"

/* Bits of a target and of its event, beyond those of poll(2) and epoll(7). */
#define AWAIT_EXIT (UINT32_C(1) << 20)
#define AWAIT_EXISTS (UINT32_C(1) << 21)
#define AWAIT_ABSENT (UINT32_C(1) << 22)
#define AWAIT_CONNECT (UINT32_C(1) << 23)
#define AWAIT_ANY (AWAIT_EXIT | AWAIT_EXISTS | AWAIT_ABSENT | AWAIT_CONNECT)

/* The data of an AWAIT_EXIT whose wait status cannot be known. */
#define AWAIT_UNKNOWN (-1)

/* The descriptor of a target that is a condition: it has none. */
#define AWAIT_NO_FD (-2)

struct await;

/*
 * Make a condition of the argument WORD of OPTION, which stays where it is.
 * Returns 0 with *INDEX and *BIT set, or an exit status, a message having been
 * printed.
 */
int await_add(const char *option, const char *word, uint32_t *index,
    uint32_t *bit);

/*
 * Give the same index to conditions that are the same: await_first returns the
 * least one.  Returns 0 or -ENOMEM.
 */
int await_unify(void);
uint32_t await_first(uint32_t index);

/* Condition INDEX has TOKEN from now on; larger indices have larger tokens. */
void await_place(uint32_t index, uint32_t token);

/*
 * A backend like BASE, which also waits for targets whose bit is one of
 * AWAIT_ANY.  ALONE: there are no other targets, so that it may be a faster one
 * than BASE.  Called at most twice in a call; BASE itself if it has no
 * conditions.
 */
const struct backend *await_over(const struct backend *base, bool alone);

/* Connections stay open, blocking, until their target is removed. */
void await_keep(void);

/* No exit status of a process is wanted. */
void await_no_status(void);

/* That of the condition with TOKEN, which is met; or -1. */
int await_connection(uint32_t token);

/* Close all of them: PROGRAM has them, in another process. */
void await_let_go(void);

/* The call ends at DEADLINE: what is not known then is unknown. */
void await_until(deadline_t deadline);

/* Release AWAIT, which may be NULL, and what its conditions hold. */
void await_end(struct await *await);

#endif
