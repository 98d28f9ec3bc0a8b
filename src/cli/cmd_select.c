/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "backend/backend.h"
#include "cli/command.h"

const struct command command_select = {
	.name = "select",
	.summary = "wait with select(2)",
	.arguments = "[-r TARGET]... [-w TARGET]... [-x TARGET]... [TARGET]...",
	.options = OPTION_ANY | OPTION_WAITS | OPTION_JSON | OPTION_LISTS |
	    OPTION_SESSION,
	.run = command_wait_run,
	.backend = &backend_select,
	.events = "read",
	.twice = TWICE_IN_LIST,
};
