/* SPDX-License-Identifier: ISC */
/* state.c - the names of the states. */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct state *const tables[] = {
	pipe_states,
	fifo_states,
	local_states,
	inet_states,
	pty_states,
	file_states,
	linux_states,
};

int
make_state(const char *name)
{
	for (size_t i = 0; i < NITEMS(tables); i++)
		for (const struct state *s = tables[i]; s->name != NULL; s++)
			if (strcmp(s->name, name) == 0)
				return s->make();
	errno = 0;
	die(ABSENT, "no such state here: %s", name);
}

int
cmd_states(char **argv)
{
	const char *prefix = argv[0] == NULL ? "" : argv[0];

	for (size_t i = 0; i < NITEMS(tables); i++)
		for (const struct state *s = tables[i]; s->name != NULL; s++)
			if (strncmp(s->name, prefix, strlen(prefix)) == 0)
				puts(s->name);
	return 0;
}
