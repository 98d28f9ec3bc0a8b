/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "inspect/explain/chain_parts.h"

/* ---- lists ---- */

struct line *
chain_add_line(struct chain *c, enum line_type type, unsigned depth, pid_t pid)
{
	struct line *line = list_room(c->lines, c->line_count, sizeof *line);

	if (line == NULL)
		return NULL;
	c->lines = line;
	line += c->line_count++;
	*line = (struct line){ .type = type,
		.depth = depth,
		.pid = pid,
		.number = -1 };
	return line;
}

int
chain_add_wait(struct chain *c, const struct waited *wait)
{
	return list_append(&c->waits, &c->wait_count, wait, sizeof *wait);
}

int
chain_add_edge(struct chain *c, const struct edge *edge)
{
	return list_append(&c->edges, &c->edge_count, edge, sizeof *edge);
}

void
chain_free(struct chain *chain)
{
	for (size_t i = 0; i < chain->line_count; i++)
		buffer_free(&chain->lines[i].text);
	free(chain->lines);
	free(chain->waits);
	free(chain->edges);
}

/* ---- who is stuck ---- */

static bool
can_go_on(const struct chain *c, const struct snapshot_process *process)
{
	for (size_t i = 0; i < process->count; i++)
		if (process->threads[i].is_free)
			return true;
	for (size_t i = 0; i < c->edge_count; i++)
		if (c->edges[i].from == process && !c->edges[i].to->is_stuck)
			return true;
	return false;
}

void
chain_find_stuck(struct chain *c)
{
	struct snapshot_process *p;
	bool again = true;

	for (p = c->snapshot->processes; p != NULL; p = p->next)
		p->is_stuck = p->is_walked && p->error == 0 && p->count > 0;
	while (again) {
		again = false;
		for (p = c->snapshot->processes; p != NULL; p = p->next)
			if (p->is_stuck && can_go_on(c, p)) {
				p->is_stuck = false;
				again = true;
			}
	}
}

const struct edge *
chain_stuck_edge(const struct chain *chain, const struct snapshot_process *from)
{
	const struct edge *own = NULL;

	for (size_t i = 0; i < chain->edge_count; i++) {
		const struct edge *edge = &chain->edges[i];

		if (edge->from != from || !edge->to->is_stuck)
			continue;
		if (edge->to != from)
			return edge;
		if (own == NULL)
			own = edge;
	}
	return own;
}
