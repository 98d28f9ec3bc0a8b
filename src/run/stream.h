/* SPDX-License-Identifier: ISC */
/*
 * stream.h - a stream of events: what changes at the targets until all of them
 * are finished.
 *
 * epoll and kqueue report changes themselves (edge-triggered).  With the others
 * a target that was reported is sampled (sampler.h), and waited for again when
 * it is not ready any longer.  With wait the edges report it, and it is sampled
 * as well while it has unread bytes, since poll(2) reports a partial read.
 */
#ifndef STREAM_H
#define STREAM_H

#include "target/request.h"

/*
 * Report what is new at the targets of REQUEST, which are resolved: print the
 * events, or the lines that can be read, or run PROGRAM.  Returns the exit
 * status, a message having been printed if it is an error.
 */
int stream_run(struct request *request);

#endif
