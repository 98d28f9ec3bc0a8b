/* SPDX-License-Identifier: ISC */
/*
 * apart.h - a child that the process waits for here, and nowhere else.
 */
#ifndef APART_H
#define APART_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether no other waitpid(2) of the process finds the child.  If not, SIGCHLD
 * has to be blocked until apart_wait has found it, or a handler may take it.
 */
extern const bool apart_hides;

/* As fork(2).  The child must not execute a program: start another process. */
pid_t apart_start(void);

/*
 * Wait until CHILD ends, for at most NS nanoseconds (-1: no limit), with the
 * mask of the host.  Returns 0, *STATUS being waitpid(2)'s; -EAGAIN; -EINTR; or
 * another -errno.
 */
int apart_wait(pid_t child, int64_t ns, int *status);

#endif
