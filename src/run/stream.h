/* SPDX-License-Identifier: ISC */
/*
 * stream.h - a stream of events: changes at the targets until all of them are
 * finished.
 *
 * epoll and kqueue report changes themselves (edge-triggered).  With the others
 * a target that was reported is sampled (sampler.h), and waited for again when
 * it is not ready any longer.  With wait the edges report it, and it is sampled
 * as well while it has unread bytes, since poll(2) reports a partial read.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backend;
struct pattern;
struct request;

/* The options of a stream of events. */
struct stream_options {
	const struct backend *const *better; /* primitives for it, the first
						that is there; ends with NULL;
						or NULL */
	int64_t idle; /* ns, or DURATION_FOREVER */
	int64_t count; /* of events, lines or runs; 0: no limit */
	int64_t longest; /* bytes of a line; 0: usual */
	struct pattern *until; /* with LINES; or NULL */
	int64_t settle; /* ns, or DURATION_FOREVER: none */
	int64_t settle_limit; /* the same */
	int64_t process; /* --while: its PID; 0: none */
	bool lines;
	bool partial; /* UNTIL may match an unfinished line */
	bool reopen;
};

/*
 * Report the changes at the targets of REQUEST, which are resolved: print the
 * events, or the lines that can be read, or run PROGRAM.  Returns the exit
 * status, a message having been printed if it is an error.
 */
int stream_run(struct request *request);

#endif
