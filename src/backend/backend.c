/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/pmux.h"

const struct backend *const backends[] = {
#define BACKEND(id) &backend_##id,
#include "backend/backends.def"
#undef BACKEND
	NULL
};

void *
backend_alloc(size_t size)
{
	struct first_object *first = pmux->first;

	if (first->taken || size > sizeof first->bytes)
		return calloc(1, size);
	first->taken = true;
	memset(first->bytes, 0, size);
	return first->bytes;
}

struct sleep {
	const struct backend *backend;
	struct backend_state *state;
	size_t max;
	int64_t timeout;
};

static int
sleep_now(void *argument)
{
	const struct sleep *s = argument;

	return s->backend->wait(s->state, s->max, s->timeout);
}

int
backend_wait(const struct backend *backend, struct backend_state *state,
    size_t max, int64_t timeout)
{
	struct sleep s = { backend, state, max, timeout };

	return timeout == 0 ? sleep_now(&s) : pmux_sleep(sleep_now, &s);
}

void
backend_free(void *state)
{
	struct first_object *first = pmux->first;

	if (state == first->bytes)
		first->taken = false;
	else
		free(state);
}
