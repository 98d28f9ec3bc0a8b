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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/sampler.h"
#include "target/request.h"
#include "wait/finished.h"
#include "wait/waitset.h"

struct dispatch;

struct stream {
	struct waitset w;
	struct sampler r;
	struct finished finish;
	struct dispatch *jobs; /* NULL: no PROGRAM */
	size_t unfinished; /* targets */
	uint64_t events; /* printed, or PROGRAMs started */
	bool edge; /* the wait tells of news alone */
	bool sampled; /* of what was read in part, too */
	int status; /* of what failed on the way, or 0 */
};

/*
 * Report what is new at the targets of REQUEST, which are resolved: print the
 * events, or the lines that can be read, or run PROGRAM.  Returns the exit
 * status, a message having been printed if it is an error.
 */
int stream_run(struct request *request);

/* For jobs.c.  Each returns 0 or an exit status, a message being printed. */

/* Target INDEX, of which EVENT was told, stays ready. */
int stream_rest(struct stream *f, uint32_t index, const struct event *event);

/* Target INDEX is in no wait any more, and does not rest. */
void stream_unwatch(struct stream *f, uint32_t index);

/* Target INDEX, which does not rest and is not watched, is watched again. */
int stream_watch(struct stream *f, uint32_t index);

/*
 * Whether T is a FIFO that --reopen keeps for its next writer.  A reader that
 * has left is the end of a write end.
 */
bool stream_keeps(const struct stream *f, const struct target *t);

/*
 * Nothing more comes of target INDEX, as EVENT says; unless it is a FIFO that
 * is kept for its next writer.
 */
int stream_finish(struct stream *f, uint32_t index, const struct event *event);

#endif
