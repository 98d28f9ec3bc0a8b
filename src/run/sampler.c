/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/flags.h"
#include "print/print.h"
#include "run/sampler.h"

/* The first look comes after this long, ns; each next one after twice that. */
#define FIRST INT64_C(1000000)

/* A look may cost one part in so many of the time; one of the first. */
#define SHARE 100
#define FIRST_SHARE 10

int
sampler_open(struct sampler *r, const struct request *request, bool edge)
{
	size_t count = request->targets.count;

	memset(r, 0, sizeof *r);
	r->request = request;
	r->next = DEADLINE_NEVER;
	r->deaf = edge;
	/* never touched before it is needed, and so never there */
	r->rests = calloc(count + 1, sizeof *r->rests);
	r->list = calloc(count + 1, sizeof *r->list);
	return r->rests == NULL || r->list == NULL ? -ENOMEM : 0;
}

void
sampler_close(struct sampler *r)
{
	r->request->backend->close(r->state);
	if (r->edges != NULL)
		r->teller->close(r->edges);
	free(r->rests);
	free(r->list);
}

static bool
open_edges(struct sampler *r)
{
	const char *detail;

	if (r->deaf || r->edges != NULL)
		return !r->deaf;
	r->teller = backend_epoll.probe(&detail) >= 0 ? &backend_epoll :
							&backend_kqueue_poll;
	r->deaf = r->teller->probe(&detail) < 0 ||
	    r->teller->open(&r->edges, r->request->targets.count) != 0;
	return !r->deaf;
}

/* Of what it refuses, a regular file, the bytes tell. */
static void
listen_to(struct sampler *r, uint32_t index)
{
	const struct backend *backend = r->request->backend;
	const struct target *t = &r->request->targets.list[index];
	uint32_t bits = r->teller->flag_edge;

	r->rests[index].listening = true;
	if ((t->bits & backend->mask_read) != 0)
		bits |= flags_bit(r->teller->flags, "in");
	if ((t->bits & backend->mask_write) != 0)
		bits |= flags_bit(r->teller->flags, "out");
	(void)r->teller->add(r->edges, index, t->fd, bits);
}

void
sampler_listen(struct sampler *r)
{
	struct event event;

	if (r->edges == NULL ||
	    r->teller->wait(r->edges, r->request->targets.count, 0) <= 0)
		return;
	while (r->teller->next(r->edges, &event))
		if (!r->told || r->rests[event.token].step != r->step)
			r->rests[event.token].news = true;
}

void
sampler_tell(struct sampler *r, uint32_t index)
{
	if (!open_edges(r))
		return;
	if (!r->rests[index].listening)
		listen_to(r, index);
	r->rests[index].news = false;
	r->rests[index].step = r->step;
	r->told = true;
}

void
sampler_step(struct sampler *r)
{
	if (!r->told)
		return;
	sampler_listen(r);
	r->told = false;
	r->step++;
}

void
sampler_forget(struct sampler *r, uint32_t index)
{
	if (!r->rests[index].listening)
		return;
	(void)r->teller->remove(r->edges, index,
	    r->request->targets.list[index].fd);
	r->rests[index].listening = false;
}

static int
open_state(struct sampler *r)
{
	const struct backend *backend = r->request->backend;
	const struct targets *targets = &r->request->targets;
	int error = backend->open(&r->state, targets->count);

	if (error == 0 && backend->requests != NULL)
		backend->requests(r->state, targets->kevents, targets->count,
		    print_wants_data(r->request));
	return error;
}

void
sampler_hasten(struct sampler *r)
{
	int64_t soon = clock_now() + FIRST;

	if (soon < r->earliest)
		soon = r->earliest;
	if (r->next == DEADLINE_NEVER || r->next > soon)
		r->next = soon;
	r->pause = FIRST;
}

int
sampler_add(struct sampler *r, uint32_t index)
{
	const struct target *t = &r->request->targets.list[index];
	const struct backend *backend = r->request->backend;
	struct sample *rest = &r->rests[index];
	int error = 0;

	if (rest->place != 0)
		return 0;
	if (r->state == NULL)
		error = open_state(r);
	if (error == 0)
		error = backend->add(r->state, index, t->fd,
		    t->bits & ~backend->flag_edge);
	if (error != 0)
		return error;
	r->list[r->count++] = index;
	rest->place = r->count;
	/* it is none of those that the look under way is about */
	rest->seen = r->look;
	sampler_hasten(r);
	return 0;
}

void
sampler_remove(struct sampler *r, uint32_t index)
{
	const struct target *t = &r->request->targets.list[index];
	uint32_t place = r->rests[index].place, last;

	if (place == 0)
		return;
	(void)r->request->backend->remove(r->state, index, t->fd);
	last = r->list[--r->count];
	r->list[place - 1] = last;
	r->rests[last].place = place;
	r->rests[index].place = 0;
	if (r->count == 0)
		r->next = DEADLINE_NEVER;
}

int64_t
sampler_left(const struct sampler *r)
{
	return deadline_left(r->next);
}

int
sampler_read(struct sampler *r)
{
	int n;

	r->began = clock_now();
	r->look++;
	r->cursor = 0;
	sampler_listen(r);
	/* a signal that has been handled is over */
	do
		n = r->request->backend->wait(r->state,
		    r->request->targets.count, 0);
	while (n == -EINTR);
	return n < 0 ? n : 0;
}

int
sampler_next(struct sampler *r, struct event *event)
{
	if (!r->request->backend->next(r->state, event))
		return 0;
	r->rests[event->token].seen = r->look;
	return 1;
}

void
sampler_excuse(struct sampler *r, int64_t ns)
{
	r->began += ns;
}

/* The look is over: when is the next one? */
static void
plan(struct sampler *r)
{
	int64_t now = clock_now();

	r->earliest = now +
	    (now - r->began) * (r->pause < RESTING_PAUSE ? FIRST_SHARE : SHARE);
	r->next = DEADLINE_NEVER;
	if (r->count == 0)
		return;
	r->next = now + r->pause;
	if (r->next < r->earliest)
		r->next = r->earliest;
	r->pause = r->pause < RESTING_PAUSE / 2 ? r->pause * 2 : RESTING_PAUSE;
}

bool
sampler_next_woken(struct sampler *r, uint32_t *index)
{
	for (; r->cursor < r->count; r->cursor++) {
		*index = r->list[r->cursor];
		if (r->rests[*index].seen != r->look) {
			sampler_remove(r, *index);
			return true;
		}
	}
	plan(r);
	return false;
}
