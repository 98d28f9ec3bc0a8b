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

static bool
is_same_text(const struct buffer *a, const struct buffer *b)
{
	return a->used == b->used && memcmp(a->bytes, b->bytes, a->used) == 0;
}

static bool
is_one(const struct finding *a, const struct finding *b)
{
	return a->code == b->code && a->signature == b->signature &&
	    is_same_text(&a->where, &b->where);
}

static bool
is_confirmed(const struct finding *f, const struct findings *before)
{
	for (size_t i = 0; i < before->count; i++)
		if (is_one(f, &before->list[i]))
			return true;
	return f->is_of_two;
}

/* The one of the first COUNT that says the same as F, or NULL. */
static struct finding *
find_same(const struct findings *findings, size_t count,
    const struct finding *f)
{
	for (size_t i = 0; i < count; i++)
		if (findings->list[i].code == f->code &&
		    is_same_text(&findings->list[i].where, &f->where) &&
		    is_same_text(&findings->list[i].sentence, &f->sentence))
			return &findings->list[i];
	return NULL;
}

/* In place, keeping the order of those of one severity. */
static void
sort(struct findings *findings)
{
	for (size_t i = 1; i < findings->count; i++)
		for (size_t j = i; j > 0 &&
		     findings->list[j - 1].severity >
			 findings->list[j].severity;
		     j--) {
			struct finding moved = findings->list[j];

			findings->list[j] = findings->list[j - 1];
			findings->list[j - 1] = moved;
		}
}

void
findings_confirm(struct findings *after, const struct findings *before)
{
	size_t kept = 0;

	for (size_t i = 0; i < after->count; i++) {
		struct finding f = after->list[i], *same;

		if (!is_confirmed(&f, before))
			continue;
		same = find_same(after, kept, &f);
		if (same == NULL) {
			after->list[i] = after->list[kept];
			after->list[kept++] = f;
		} else if (f.severity < same->severity)
			same->severity = f.severity;
	}
	for (size_t i = kept; i < after->count; i++)
		release(&after->list[i]);
	after->count = kept;
	sort(after);
}
