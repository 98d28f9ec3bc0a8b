#include "config.h"

#include "backend/backend.h"
#include "command.h"

const struct command command_wait = {
	.name = "wait",
	.summary = "wait with the best of these for the work",
	.arguments = "TARGET[:EVENTS]...",
	.options = OPTION_ANY | OPTION_WAITS | OPTION_JSON | OPTION_EVENTS,
	.run = command_wait_run,
	.backend = &backend_poll,
	.events = "in",
	.twice = TWICE_JOINED,
};
