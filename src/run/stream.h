/* SPDX-License-Identifier: ISC */
/*
 * stream.h - a stream of events: news of the targets until all are finished.
 *
 * epoll and kqueue tell of news themselves (edge-triggered).  With the others a
 * target that was reported rests, and is watched again when it is ready no
 * more.  With wait it is told by edges and rests all the same, since poll(2)
 * would tell of what was read in part.
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
