/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "backend/backend.h"
#include "cli/command.h"

const struct command command_poll = {
	.name = "poll",
	.summary = "wait with poll(2)",
	.arguments = "TARGET[:EVENTS]...",
	.options = OPTION_ANY | OPTION_WAITS | OPTION_JSON | OPTION_EVENTS |
	    OPTION_SESSION,
	.run = command_wait_run,
	.backend = &backend_poll,
	.events = "in,pri",
	.twice = TWICE_LAST,
};
