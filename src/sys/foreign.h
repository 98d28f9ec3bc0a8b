/* SPDX-License-Identifier: ISC */
/*
 * foreign.h - descriptors of other processes, examined without effect on them
 * (Linux: pidfd_getfd(2)).
 *
 * A handle stands for one of them where a descriptor is expected.  Each
 * question is answered by a copy that is closed at once: a copy that is kept
 * would keep the file open, which its owner and peers would notice.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <sys/types.h>

#include <stdbool.h>

/* Handles go down from here; TARGET_NO_FD is above. */
#define FOREIGN_FIRST (-3)

/* The shortest time between two checks for closed descriptors, in ns. */
#define FOREIGN_PAUSE INT64_C(80000000)

static inline bool
foreign_is(int fd)
{
	return fd <= FOREIGN_FIRST;
}

struct foreign_table;

/* Initialize TABLE, which is all zero; and release all that it holds. */
void foreign_begin(struct foreign_table *table);
void foreign_end(struct foreign_table *table);

/*
 * A handle for descriptor NUMBER of process PID, which PROCESS stands for (see
 * process_open) as long as there is a handle.  Returns 0 or -ENOMEM.
 */
int foreign_name(int process, pid_t pid, int number, int *handle);

/* Give up HANDLE. */
void foreign_forget(int handle);

/*
 * Whether foreign_check found an instance of epoll(7).  In another instance it
 * would be polled by the kernel, whatever its owner adds to it later.
 */
bool foreign_nests(int handle);

/* The number that its owner has for it. */
int foreign_number(int handle);

/*
 * Check whether HANDLE is of a kind that can be polled without effect on its
 * owner.  Returns 0 with *WHY set to NULL, or to a constant text that says why
 * it is not; or -errno as process_descriptor, or if that cannot be known.
 */
int foreign_check(int handle, const char **why);

/*
 * FD, or, if that is a handle, a copy of the descriptor it stands for, to be
 * returned soon; or -errno as process_descriptor.
 */
int foreign_borrow(int fd);
void foreign_return(int fd, int borrowed);

/* Whether FD was found closed, if it is a handle; else whether it is closed. */
bool foreign_is_closed(int fd);

/*
 * Why FD, a handle, can no longer be polled, a constant text, if wait has
 * failed for that with -EOPNOTSUPP; else NULL.
 */
const char *foreign_why(int fd);

/*
 * How the descriptors of process PID are examined: 0 with a text in *DETAIL;
 * -ENOSYS and -EPERM likewise; or another -errno as process_descriptor,
 * without.
 */
int foreign_probe(pid_t pid, const char **detail);

#endif
