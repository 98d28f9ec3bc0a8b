/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "backend/backend.h"
#include "cli/command.h"

const struct command command_epoll = {
	.name = "epoll",
	.summary = "wait with epoll(7), Linux",
	.arguments = "TARGET[:EVENTS]...",
	.options = OPTION_ANY | OPTION_WAITS | OPTION_JSON | OPTION_EVENTS |
	    OPTION_SESSION,
	.run = command_wait_run,
	.backend = &backend_epoll,
	.events = "in,pri",
	.twice = TWICE_REFUSED,
};
