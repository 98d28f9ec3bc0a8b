/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "backend/backend.h"
#include "cli/command.h"

const struct command command_devpoll = {
	.name = "devpoll",
	.summary = "wait with /dev/poll, or an object over poll(2)",
	.arguments = "TARGET[:EVENTS]...",
	.options = OPTION_ANY | OPTION_WAITS | OPTION_JSON | OPTION_EVENTS |
	    OPTION_SESSION,
	.run = command_wait_run,
	.backend = &backend_devpoll,
	.events = "in,pri",
	.twice = TWICE_LAST,
};
