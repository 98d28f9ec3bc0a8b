/* SPDX-License-Identifier: ISC */
/*
 * request.h - what the options ask for.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "target/target.h"

struct backend;

struct request {
	const struct backend *backend;
	const struct backend *const *streams; /* better ones for --follow, the
						 first that is there; ends with
						 NULL; or NULL */
	deadline_t deadline;
	bool timed; /* --timeout was given */
	size_t max_events; /* 0: no limit */
	bool all;
	bool quiet;
	bool json;
	bool null;
	bool timestamps;
	bool help;
	bool follow;
	bool lines;
	bool reopen;
	bool session;
	bool numeric;
	int64_t idle; /* ns, or DURATION_FOREVER */
	uint64_t events; /* --count; 0: no limit */
	size_t longest; /* bytes of a line; 0: usual */
	size_t jobs; /* 0: not given */
	char **program; /* and its arguments, or NULL */
	const char *format; /* or NULL */
	int ready_fd; /* or -1 */
	struct targets targets;
};

#endif
