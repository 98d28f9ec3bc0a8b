/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "backend/backend.h"
#include "cli/command.h"

static const struct backend *const streams[] = { &backend_epoll,
	&backend_kqueue_poll, &backend_devpoll, NULL };

const struct command command_wait = {
	.name = "wait",
	.summary = "wait with the best there is: poll(2), or epoll(7)",
	.arguments = "TARGET[:EVENTS]...",
	.options = OPTION_ANY | OPTION_WAITS | OPTION_JSON | OPTION_EVENTS,
	.run = command_wait_run,
	.backend = &backend_poll,
	.instead = &backend_devpoll,
	.streams = streams,
	.events = "in",
	.twice = TWICE_JOINED,
};
