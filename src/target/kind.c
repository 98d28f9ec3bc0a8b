/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "output/diag.h"
#include "target/kevent_parse.h"
#include "target/kind.h"

/* ---- descriptors ---- */

static int
descriptor_events(struct targets *targets, char *events)
{
	return targets_parse_events(targets->backend, "--events", events,
	    strlen(events), &targets->bits);
}

static int
descriptor_parse(struct targets *targets, uint32_t defaults)
{
	int status = 0;

	for (size_t i = 0; i < targets->count && status == 0; i++)
		status = target_parse(&targets->list[i], targets->backend,
		    defaults);
	return status;
}

static bool
descriptor_same(const struct targets *targets, const struct target *a,
    const struct target *b)
{
	(void)targets;
	return a->bits == b->bits;
}

/* ---- kevents ---- */

static int
kevent_events(struct targets *targets, char *words)
{
	size_t wanted = (size_t)targets->default_count + 1;
	char **defaults;

	defaults = realloc(targets->defaults, wanted * sizeof *defaults);
	if (defaults == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	targets->defaults = defaults;
	defaults[targets->default_count++] = words;
	targets->bits = targets->default_count;
	return kevent_check_words(words);
}

/* Its bits are its filter from then on. */
static int
parse(struct targets *targets, struct target *t, struct kevent_request *request,
    uint64_t *timers)
{
	const char *defaults = t->bits == 0 ? NULL :
					      targets->defaults[t->bits - 1];
	struct kevent_ident ident;
	int status;

	status = kevent_parse(t->name, t->length, defaults, timers, request,
	    &ident);
	if (status != 0)
		return status;
	t->name = ident.name;
	t->length = (uint32_t)ident.length;
	t->bits = 1u << request->filter;
	if (ident.literal)
		t->flags |= TARGET_LITERAL;
	if (kevent_wants_descriptor(request))
		return target_parse_name(t);
	t->fd = TARGET_NO_FD;
	t->number = -1 - (int)(request->ident & INT_MAX);
	t->process = 0;
	return 0;
}

static int
kevents_parse(struct targets *targets, uint32_t defaults)
{
	uint64_t timers = 0;
	int status = 0;

	(void)defaults;
	targets->kevents = calloc(targets->count + 1, sizeof *targets->kevents);
	if (targets->kevents == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	for (size_t i = 0; i < targets->count && status == 0; i++)
		status = parse(targets, &targets->list[i], &targets->kevents[i],
		    &timers);
	return status;
}

/* The same filter, and what has no descriptor. */
static bool
kevent_same(const struct targets *targets, const struct target *a,
    const struct target *b)
{
	const struct kevent_request *requests = targets->kevents;

	return a->bits == b->bits &&
	    requests[a - targets->list].ident ==
	    requests[b - targets->list].ident;
}

/* ---- which ---- */

static const struct target_kind descriptors = {
	.unknown = "unknown event",
	.events = descriptor_events,
	.parse = descriptor_parse,
	.same = descriptor_same,
};

static const struct target_kind kevents = {
	.unknown = "unknown word",
	.early = true,
	.events = kevent_events,
	.parse = kevents_parse,
	.same = kevent_same,
};

const struct target_kind *
target_kind(const struct backend *backend)
{
	return backend->requests != NULL ? &kevents : &descriptors;
}

const struct kevent_request *
target_kevent(const struct targets *targets, const struct target *t)
{
	return targets->kevents == NULL ? NULL :
					  &targets->kevents[t - targets->list];
}
