/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/flags.h"
#include "base/number.h"
#include "output/diag.h"
#include "target/internal.h"
#include "target/kevent_parse.h"

/* ---- words ---- */

int
targets_parse_events(const struct backend *backend, const char *subject,
    const char *events, size_t length, uint32_t *bits)
{
	const char *word;
	size_t n;

	if (backend == &backend_select)
		return diag_usage("%s: select takes no events: use -r, -w or"
				  " -x",
		    subject);
	switch (flags_parse(backend->flags, backend->limit, events, length,
	    bits, &word, &n)) {
	case 0:
		return 0;
	case -EOPNOTSUPP:
		return diag_usage("%s: %s has no event '%.*s'", subject,
		    backend->name, (int)n, word);
	case -ENOSYS:
		return diag_unavailable("%s: this system has no event '%.*s'",
		    subject, (int)n, word);
	case -ERANGE:
		return diag_range("%s: more bits than %s can hold", subject,
		    backend->name);
	default:
		return diag_usage("%s: unknown event '%.*s'", subject, (int)n,
		    word);
	}
}

/* Neither a descriptor nor, presumably, a path. */
static bool
is_negative(const char *s, size_t length)
{
	return *s == '-' && number_is(s + 1, length - 1, 10);
}

/*
 * The digits of the descriptor in NAME, with their number in *LENGTH; NULL if it
 * is a path.
 */
static const char *
descriptor_digits(const char *name, size_t *length)
{
	static const char *const aliases[] = { "/dev/fd/", "/proc/self/fd/" };
	static const char standard[][12] = { "/dev/stdin", "/dev/stdout",
		"/dev/stderr" };
	size_t n;

	if (number_is(name, *length, 10))
		return name;
	if (*name != '/')
		return NULL;
	for (size_t i = 0; i < 3; i++)
		if (strlen(standard[i]) == *length &&
		    memcmp(name, standard[i], *length) == 0) {
			*length = 1;
			return &"012"[i];
		}
	for (size_t i = 0; i < 2; i++) {
		n = strlen(aliases[i]);
		if (*length > n && memcmp(name, aliases[i], n) == 0 &&
		    number_is(name + n, *length - n, 10)) {
			*length -= n;
			return name + n;
		}
	}
	return NULL;
}

const char *
target_colon(const char *s, size_t length)
{
	while (length > 0)
		if (s[--length] == ':')
			return s + length;
	return NULL;
}

/*
 * Cut the events, or a single colon, off the end of the name, and parse them.
 * Returns 0 or an exit status.
 */
static int
parse_suffix(struct target *t, const struct backend *backend)
{
	const char *colon = target_colon(t->name, t->length), *events;
	size_t before, length;
	int status;

	if (colon == NULL)
		return 0;
	before = (size_t)(colon - t->name);
	events = colon + 1;
	length = t->length - before - 1;
	if (length > 0 && !flags_are_events(events, length) &&
	    !number_is(t->name, before, 10) && !is_negative(t->name, before))
		return 0;
	if (length > 0) {
		status = targets_parse_events(backend, t->name, events, length,
		    &t->bits);
		if (status != 0)
			return status;
		t->flags |= TARGET_EVENTS;
	} else
		t->flags |= TARGET_LITERAL;
	t->length = (uint32_t)before;
	if (before == 0)
		return diag_usage("'%s': no target before the colon", t->name);
	return 0;
}

int
target_parse_name(struct target *t)
{
	const char *digits;
	size_t length = t->length;
	uint64_t number;

	if (is_negative(t->name, length))
		return diag_usage(
		    "%.*s: a descriptor cannot be negative; a path"
		    " is written ./%.*s",
		    (int)length, t->name, (int)length, t->name);
	digits = descriptor_digits(t->name, &length);
	if (digits == NULL) {
		t->flags |= TARGET_PATH;
		t->process = 0;
		t->name[t->length] = '\0';
		return 0;
	}
	if (digits != t->name) /* pmux's own, also after --pid */
		t->process = 0;
	if (number_parse(digits, length, 10, INT_MAX, &number) != 0)
		return diag_range("%.*s: a descriptor is at most %d",
		    (int)t->length, t->name, INT_MAX);
	t->number = t->fd = (int)number;
	return 0;
}

int
target_parse(struct target *t, const struct backend *backend, uint32_t defaults)
{
	int status;

	if (t->length == 0)
		return diag_usage("empty target");
	if ((t->flags & TARGET_MASKED) == 0)
		t->bits = defaults;
	if ((status = parse_suffix(t, backend)) != 0)
		return status;
	return target_parse_name(t);
}

/* ---- descriptors ---- */

static int
descriptor_events(struct targets *targets, char *events)
{
	return targets_parse_events(targets->backend, "--events", events,
	    strlen(events), &targets->bits);
}

static int
descriptor_parse_all(struct targets *targets, uint32_t defaults)
{
	int status = 0;

	for (size_t i = 0; i < targets->count && status == 0; i++)
		if ((targets->list[i].flags & TARGET_CONDITION) == 0)
			status = target_parse(&targets->list[i],
			    targets->backend, defaults);
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

/* Parse T and set its bits to that of its filter. */
static int
kevent_word(struct targets *targets, struct target *t,
    struct kevent_request *request, uint64_t *timers)
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
kevent_parse_all(struct targets *targets, uint32_t defaults)
{
	uint64_t timers = 0;
	int status = 0;

	(void)defaults;
	targets->kevents = calloc(targets->count + 1, sizeof *targets->kevents);
	if (targets->kevents == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	for (size_t i = 0; i < targets->count && status == 0; i++)
		status = kevent_word(targets, &targets->list[i],
		    &targets->kevents[i], &timers);
	return status;
}

/* The same filter and identifier, which matters where it is no descriptor. */
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
	.unknown =
	    "unknown event; there are in, pri, out, err, hup, nval, rdhup,"
	    " rdnorm, rdband, wrnorm, wrband, msg",
	.events = descriptor_events,
	.parse = descriptor_parse_all,
	.same = descriptor_same,
};

static const struct target_kind kevents = {
	.unknown = "unknown word",
	.early = true,
	.events = kevent_events,
	.parse = kevent_parse_all,
	.same = kevent_same,
};

const struct target_kind *
target_kind(const struct backend *backend)
{
	return backend->requests != NULL ? &kevents : &descriptors;
}

int
targets_events(struct targets *targets, char *events)
{
	return target_kind(targets->backend)->events(targets, events);
}

const struct kevent_request *
target_kevent(const struct targets *targets, const struct target *t)
{
	return targets->kevents == NULL ? NULL :
					  &targets->kevents[t - targets->list];
}
