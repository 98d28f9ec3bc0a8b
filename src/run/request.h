/* SPDX-License-Identifier: ISC */
/*
 * request.h - the values of the options.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>

#include "print/print.h"
#include "run/program.h"
#include "run/stream.h"
#include "target/target.h"
#include "wait/waitset.h"

/* Each layer has its own part, and knows nothing of the others. */
struct request {
	struct targets targets;
	struct print_options print;
	struct wait_options wait;
	struct stream_options stream;
	struct program_options program;
	bool all;
	bool follow;
	bool help;
	bool session;
	bool timed; /* --timeout was given */
};

#endif
