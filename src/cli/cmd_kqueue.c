/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "backend/backend.h"
#include "cli/command.h"

const struct command command_kqueue = {
	.name = "kqueue",
	.summary = "wait with kevent(2): BSD, macOS; emulated on Linux",
	.arguments = "FILTER:IDENT[:WORD,...]...",
	.options = OPTION_ANY | OPTION_WAITS | OPTION_JSON | OPTION_EVENTS |
	    OPTION_SESSION,
	.run = command_wait_run,
	.backend = &backend_kqueue,
	.events = "read",
	.twice = TWICE_IN_LIST,
};
