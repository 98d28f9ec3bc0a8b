/* SPDX-License-Identifier: ISC */
/*
 * once.h - add all, wait, deliver: the one loop, and the one place that knows
 * of interrupted calls.
 */
#ifndef ONCE_H
#define ONCE_H

#include "target/request.h"

/*
 * Wait for what REQUEST asks for, its targets being resolved, and print what
 * is reported.  Returns the exit status, a message having been printed if it
 * is an error.
 */
int once_run(struct request *request);

#endif
