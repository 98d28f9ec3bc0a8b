/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/flags.h"
#include "compat.h"
#include "output/debug.h"
#include "run/sampler.h"
#include "wait/waitset.h"

/* From a report to the first round: ns. */
#define FIRST_PAUSE INT64_C(1000000)

/* A round may use 1/SHARE of a CPU, the first ones 1/FIRST_SHARE. */
#define SHARE 100
#define FIRST_SHARE 10
/* A round of so few costs less than that, and hardly more than the clock. */
#define FEW 16

int
sampler_open(struct sampler *s, const struct targets *targets, bool data,
    bool edge)
{
	size_t count = targets->count;

	memset(s, 0, sizeof *s);
	s->targets = targets;
	s->data = data;
	s->next = DEADLINE_NEVER;
	s->no_edges = edge;
	/* calloc(3) of many: pages that nothing touches are never there */
	s->samples = calloc(count + 1, sizeof *s->samples);
	s->list = calloc(count + 1, sizeof *s->list);
	return s->samples == NULL || s->list == NULL ? -ENOMEM : 0;
}

void
sampler_close(struct sampler *s)
{
	s->targets->backend->close(s->object);
	s->targets->backend->close(s->probe);
	if (s->edges != NULL)
		s->edge_backend->close(s->edges);
	free(s->samples);
	free(s->list);
}

/* For DEBUG, two arguments: the name of target INDEX. */
static int
length_of(const struct sampler *s, uint32_t index)
{
	return (int)s->targets->list[index].length;
}

static const char *
name_of(const struct sampler *s, uint32_t index)
{
	return s->targets->list[index].name;
}

/* What is true of target INDEX at any time. */
static void
check_sample(const struct sampler *s, uint32_t index)
{
	const struct sample *sample = &s->samples[index];

	INVARIANT(index < s->targets->count, "only targets are sampled");
	INVARIANT(sample->place == 0 ||
		(sample->place <= s->count &&
		    s->list[sample->place - 1] == index),
	    "a target's place in the list is its own");
	INVARIANT(sample->place == 0 || s->object != NULL,
	    "what is sampled is in the object");
	INVARIANT(!sample->has_edges || s->edges != NULL,
	    "edges come from an object");
	INVARIANT(s->count > 0 || s->next == DEADLINE_NEVER,
	    "no round is planned for nothing");
}

/* ---- edges ---- */

/* Open the object that reports edges; returns whether there is one. */
static bool
open_edges(struct sampler *s)
{
	const char *detail;

	if (s->no_edges || s->edges != NULL)
		return !s->no_edges;
	s->edge_backend = backend_epoll.probe(&detail) >= 0 ?
	    &backend_epoll :
	    &backend_kqueue_poll;
	s->no_edges = s->edge_backend->probe(&detail) < 0 ||
	    s->edge_backend->open(&s->edges, s->targets->count) != 0;
	return !s->no_edges;
}

/* It refuses regular files: only their bytes show a change. */
static void
add_edges(struct sampler *s, uint32_t index)
{
	const struct backend *backend = s->targets->backend;
	const struct target *t = &s->targets->list[index];
	uint32_t bits = s->edge_backend->flag_edge;

	s->samples[index].has_edges = true;
	if ((t->bits & backend->mask_read) != 0)
		bits |= flags_bit(s->edge_backend->flags, "in");
	if ((t->bits & backend->mask_write) != 0)
		bits |= flags_bit(s->edge_backend->flags, "out");
	(void)s->edge_backend->add(s->edges, index, t->fd, bits);
}

int
sampler_edges(struct sampler *s)
{
	int fd = -1;

	if (open_edges(s) && s->edge_backend->number != NULL)
		fd = s->edge_backend->number(s->edges);
	return fd < 0 ? -1 : fd;
}

void
sampler_read_edges(struct sampler *s)
{
	struct event event;
	struct sample *sample;

	if (s->edges == NULL ||
	    s->edge_backend->wait(s->edges, s->targets->count, 0) <= 0)
		return;
	while (s->edge_backend->next(s->edges, &event)) {
		sample = &s->samples[event.token];
		sample->changed |= !s->reporting || sample->step != s->step;
		DEBUG("sampler", "%.*s: an edge, which %s",
		    length_of(s, event.token), name_of(s, event.token),
		    sample->changed ? "counts" : "does not count");
	}
}

void
sampler_reported(struct sampler *s, uint32_t index)
{
	struct sample *sample = &s->samples[index];

	if (!s->reporting)
		s->time = clock_now();
	s->reporting = true;
	sample->reported = s->time;
	sample->changed = false;
	sample->step = s->step;
	if (open_edges(s) && !sample->has_edges)
		add_edges(s, index);
}

void
sampler_end_step(struct sampler *s)
{
	if (!s->reporting)
		return;
	sampler_read_edges(s);
	s->reporting = false;
	s->step++;
}

void
sampler_drop_edges(struct sampler *s, uint32_t index)
{
	if (!s->samples[index].has_edges)
		return;
	(void)s->edge_backend->remove(s->edges, index,
	    s->targets->list[index].fd);
	s->samples[index].has_edges = false;
}

/* ---- the targets that are sampled ---- */

/* Without the edges that the target may ask for: the present state. */
static int
add(const struct sampler *s, struct backend_state *object, uint32_t token,
    const struct target *t)
{
	const struct backend *backend = s->targets->backend;

	return backend->add(object, token, t->fd,
	    t->bits & ~backend->flag_edge);
}

/* A signal that was handled meanwhile does not count. */
static int
poll_object(const struct sampler *s, struct backend_state *object, size_t max)
{
	int n;

	do
		n = s->targets->backend->wait(object, max, 0);
	while (n == -EINTR);
	return n;
}

void
sampler_soon(struct sampler *s)
{
	s->soon = true;
}

int
sampler_add(struct sampler *s, uint32_t index)
{
	struct sample *sample = &s->samples[index];
	int error;

	if (sample->place != 0)
		return 0;
	error = s->object != NULL ?
	    0 :
	    waitset_object(s->targets, s->data, &s->object);
	if (error == 0)
		error = add(s, s->object, index, &s->targets->list[index]);
	DEBUG("sampler", "sample %.*s%s%s", length_of(s, index),
	    name_of(s, index), error == 0 ? "" : ": ",
	    error == 0 ? "" : errno_name(-error));
	if (error != 0)
		return error;
	s->list[s->count++] = index;
	sample->place = s->count;
	/* the round that is under way did not ask for it */
	sample->ready = s->round;
	check_sample(s, index);
	sampler_soon(s);
	return 0;
}

void
sampler_remove(struct sampler *s, uint32_t index)
{
	const struct target *t = &s->targets->list[index];
	uint32_t place = s->samples[index].place, last;

	check_sample(s, index);
	if (place == 0)
		return;
	(void)s->targets->backend->remove(s->object, index, t->fd);
	last = s->list[--s->count];
	DEBUG("sampler", "%.*s is sampled no longer", length_of(s, index),
	    name_of(s, index));
	s->list[place - 1] = last;
	s->samples[last].place = place;
	s->samples[index].place = 0;
	if (s->count == 0)
		s->next = DEADLINE_NEVER;
	check_sample(s, last);
}

int
sampler_ask(struct sampler *s, uint32_t index, struct event *event)
{
	const struct backend *backend = s->targets->backend;
	const struct target *t = &s->targets->list[index];
	/* a kevent is known by its token; select and poll go up to theirs */
	uint32_t token = backend->requests != NULL ? index : 0;
	int n = s->probe != NULL ?
	    0 :
	    waitset_object(s->targets, s->data, &s->probe);

	if (n == 0)
		n = add(s, s->probe, token, t);
	if (n != 0)
		return n;
	n = poll_object(s, s->probe, 1);
	if (n > 0)
		n = backend->next(s->probe, event);
	if (n > 0 && (event->bits & backend->failed) != 0)
		n = -(int)event->data;
	(void)backend->remove(s->probe, token, t->fd);
	event->token = index;
	DEBUG("sampler", "ask %.*s: %s", length_of(s, index), name_of(s, index),
	    n > 0      ? "ready" :
		n == 0 ? "not ready" :
			 errno_name(-n));
	return n;
}

/* ---- rounds ---- */

static deadline_t
later(deadline_t a, deadline_t b)
{
	return a > b ? a : b;
}

/* A round before any process could act on the report would be in vain. */
int64_t
sampler_left(struct sampler *s)
{
	deadline_t first;

	if (s->soon && s->count > 0) {
		first = later(clock_now() + FIRST_PAUSE, s->earliest);
		s->next = deadline_sooner(s->next, first);
		s->pause = FIRST_PAUSE;
	}
	s->soon = false;
	return deadline_left(s->next);
}

bool
sampler_is_due(const struct sampler *s)
{
	return s->count > 0 && deadline_left(s->next) == 0;
}

int
sampler_round(struct sampler *s)
{
	int n;

	s->began = clock_now();
	s->measured = s->count > FEW;
	s->cpu = s->measured ? clock_cpu() : 0;
	s->round++;
	s->cursor = 0;
	n = poll_object(s, s->object, s->targets->count);
	/* what is not ready returns to the wait set, which sees what comes */
	if (n > 0)
		sampler_read_edges(s);
	DEBUG("sampler", "round: %d sampled, %d ready", (int)s->count,
	    n < 0 ? 0 : n);
	return n < 0 ? n : 0;
}

int
sampler_next_ready(struct sampler *s, struct event *event)
{
	if (!s->targets->backend->next(s->object, event))
		return 0;
	check_sample(s, event->token);
	s->samples[event->token].ready = s->round;
	return 1;
}

void
sampler_discount(struct sampler *s, int64_t ns)
{
	s->cpu += ns;
}

/* A round is over: when is the next one? */
static void
plan(struct sampler *s)
{
	int64_t now = clock_now();
	char space[DEBUG_SPACE];
	int share = s->pause < SAMPLE_PAUSE ? FIRST_SHARE : SHARE;

	s->earliest = s->measured ? now + (clock_cpu() - s->cpu) * share : now;
	s->next = DEADLINE_NEVER;
	if (s->count == 0)
		return;
	s->next = later(now + s->pause, s->earliest);
	DEBUG("sampler", "next round in %s", debug_time(s->next - now, space));
	s->pause = deadline_back_off(s->pause, FIRST_PAUSE, SAMPLE_PAUSE);
}

bool
sampler_next_idle(struct sampler *s, uint32_t *index)
{
	for (; s->cursor < s->count; s->cursor++) {
		*index = s->list[s->cursor];
		if (s->samples[*index].ready != s->round) {
			DEBUG("sampler", "%.*s is not ready any longer",
			    length_of(s, *index), name_of(s, *index));
			sampler_remove(s, *index);
			return true;
		}
	}
	plan(s);
	return false;
}
