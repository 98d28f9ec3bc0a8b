/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "inspect/explain/findings.h"

const char severity_names[][8] = { "fault", "suspect", "note" };

const char finding_names[FINDINGS][32] = {
#define FINDING(code, name, severity) [FINDING_##code] = { name },
#include "inspect/explain/findings.def"
#undef FINDING
};

static const enum severity severities[FINDINGS] = {
#define FINDING(code, name, severity) [FINDING_##code] = SEVERITY_##severity,
#include "inspect/explain/findings.def"
#undef FINDING
};

void
findings_mix(struct finding *finding, uint64_t value)
{
	/* FNV-1a, by words */
	finding->signature = (finding->signature ^ value) *
	    UINT64_C(1099511628211);
}

static void
put_where(struct judge *judge, struct buffer *b,
    const struct snapshot_process *process, int epoll, int number)
{
	const char *separator = "";

	if (process != judge->root) {
		chain_put_process(b, process);
		separator = "/";
	}
	if (epoll != -1) {
		buffer_put(b, "%s%d", separator, epoll);
		separator = "/";
	}
	if (number != -1)
		buffer_put(b, "%s%d", separator, number);
	if (b->used == 0)
		buffer_put(b, "-");
}

struct finding *
findings_add(struct judge *judge, enum finding_code code,
    const struct snapshot_process *process, int epoll, int number)
{
	struct findings *all = judge->findings;
	struct finding *f = list_room(all->list, all->count, sizeof *f);

	if (f == NULL)
		return NULL;
	all->list = f;
	f += all->count++;
	memset(f, 0, sizeof *f);
	f->code = code;
	f->severity = severities[code];
	f->pid = process->pid;
	f->place = all->count;
	/* the number may be that of another process by the second snapshot */
	findings_mix(f, process->stat.start);
	put_where(judge, &f->where, process, epoll, number);
	return f;
}

static void
release(struct finding *f)
{
	buffer_free(&f->where);
	buffer_free(&f->sentence);
	buffer_free(&f->details);
}

void
findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		release(&findings->list[i]);
	free(findings->list);
	*findings = (struct findings){ .list = NULL };
}

/* By length first. */
static int
compare_text(const struct buffer *a, const struct buffer *b)
{
	if (a->used != b->used)
		return a->used < b->used ? -1 : 1;
	return a->used == 0 ? 0 : memcmp(a->bytes, b->bytes, a->used);
}

static int
compare_places(const struct finding *a, const struct finding *b)
{
	return a->code != b->code ? (a->code < b->code ? -1 : 1) :
				    compare_text(&a->where, &b->where);
}

/* 0: nothing has moved between the two. */
static int
compare_still(const void *one, const void *other)
{
	const struct finding *const *a = one, *const *b = other;

	if ((*a)->signature != (*b)->signature)
		return (*a)->signature < (*b)->signature ? -1 : 1;
	return compare_places(*a, *b);
}

/* Those that say the same are in sequence, the first one first. */
static int
compare_said(const void *one, const void *other)
{
	const struct finding *a = one, *b = other;
	int order = compare_places(a, b);

	if (order == 0)
		order = compare_text(&a->sentence, &b->sentence);
	return order != 0 ? order :
			    (a->place > b->place) - (a->place < b->place);
}

/* The faults first, and each severity in the order in which it was found. */
static int
compare_order(const void *one, const void *other)
{
	const struct finding *a = one, *b = other;

	if (a->severity != b->severity)
		return a->severity < b->severity ? -1 : 1;
	return (a->place > b->place) - (a->place < b->place);
}

/* Keep what is among the COUNT in KNOWN. */
static void
drop_moved(struct findings *after, const struct finding **known, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < after->count; i++) {
		struct finding f = after->list[i];
		const struct finding *key = &f;

		f.place = kept;
		if (f.is_of_two ||
		    (count > 0 &&
			bsearch(&key, known, count, sizeof(key),
			    compare_still) != NULL))
			after->list[kept++] = f;
		else
			release(&f);
	}
	after->count = kept;
}

/* Of those that say the same keep the first, with the worst severity. */
static void
merge(struct findings *after)
{
	size_t kept = 0;

	for (size_t i = 0; i < after->count; i++) {
		struct finding f = after->list[i],
			       *last = kept == 0 ? NULL :
						   &after->list[kept - 1];

		if (last == NULL || compare_places(last, &f) != 0 ||
		    compare_text(&last->sentence, &f.sentence) != 0) {
			after->list[kept++] = f;
			continue;
		}
		if (f.severity < last->severity)
			last->severity = f.severity;
		release(&f);
	}
	after->count = kept;
}

int
findings_confirm(struct findings *after, const struct findings *before)
{
	size_t count = before->count;
	const struct finding **known = calloc(count + 1, sizeof *known);

	if (known == NULL)
		return -ENOMEM;
	/* of one snapshot alone all is known */
	for (size_t i = 0; i < count; i++)
		known[i] = &before->list[i];
	qsort(known, count, sizeof *known, compare_still);
	if (after != before)
		drop_moved(after, known, count);
	free(known);
	if (after->count == 0)
		return 0;
	qsort(after->list, after->count, sizeof *after->list, compare_said);
	merge(after);
	qsort(after->list, after->count, sizeof *after->list, compare_order);
	return 0;
}
