/*
 * request.h - what the options ask for.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadline.h"
#include "target.h"

struct backend;
struct command;

struct request {
	const struct command	*command;
	const struct backend	*backend;
	deadline_t		 deadline;
	bool			 timed;		/* --timeout was given */
	size_t			 max_events;	/* 0: no limit */
	bool			 all;
	bool			 quiet;
	bool			 json;
	bool			 null;
	bool			 timestamps;
	bool			 help;
	const char		*format;	/* or NULL */
	int			 ready_fd;	/* or -1 */
	struct targets		 targets;
};

#endif
