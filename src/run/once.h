/*
 * wait.h - add all, wait, deliver: the one loop, and the one place that knows
 * of interrupted calls.
 */
#ifndef WAIT_H
#define WAIT_H

#include "target/request.h"

/*
 * Wait for what REQUEST asks for, its targets being resolved, and print what
 * is reported.  Returns the exit status, a message having been printed if it
 * is an error.
 */
int wait_run(struct request *request);

#endif
