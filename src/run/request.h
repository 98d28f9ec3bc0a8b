/* SPDX-License-Identifier: ISC */
/*
 * request.h - the values of the options.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "print/print.h"
#include "run/program.h"
#include "run/stream.h"
#include "target/target.h"
#include "wait/waitset.h"

/* What trace does.  Where nothing else is asked for: */
#define TRACE_WAITS 1000
#define TRACE_EVERY INT64_C(5000000)

struct trace_options {
	bool calls, picture;
	int64_t waits; /* --calls ends after so many */
	int64_t every; /* ns between two looks */
	const char *svg; /* a file, or NULL */
};

/* Each layer has its own part, and knows nothing of the others. */
struct request {
	struct targets targets;
	struct print_options print;
	struct wait_options wait;
	struct stream_options stream;
	struct program_options program;
	struct trace_options trace;
	bool all;
	bool follow;
	bool help;
	bool session;
	bool timed; /* --timeout was given */
	bool variable; /* --var: a variable of the shell takes the records */
};

#endif
