/* SPDX-License-Identifier: ISC */
/*
 * judge_watch.c - findings about the watches of an inotify instance.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/explain/findings.h"

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* What the link in /proc/PID/fd has behind the name (d_path, fs/d_path.c). */
static const char deleted[] = " (deleted)";

/* A finding about what W waits for, or NULL; VALUE distinguishes it. */
static struct finding *
add(struct judge *judge, const struct waited *w, enum finding_code code,
    uint64_t value)
{
	struct finding *f = findings_add(judge, code, w->process,
	    w->epoll == NULL ? -1 : w->epoll->d.number, w->found->d.number);

	if (f == NULL)
		return NULL;
	findings_mix(f, value);
	if (w->thread != NULL && w->thread->is_counted)
		findings_mix(f, w->thread->busy.times.ran);
	return f;
}

static int
judge_empty(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	struct finding *f;

	if (d->unknown[FACT_READY] == NULL && (d->ready & POLLIN) != 0)
		return 0;
	if ((f = add(judge, w, FINDING_NO_WATCH, 0)) == NULL)
		return -ENOMEM;
	buffer_put(&f->sentence,
	    "descriptor %d, an inotify instance, watches nothing: a watch ends"
	    " with its file",
	    d->number);
	return 0;
}

/* ---- a file without a name ---- */

/*
 * The first of HOLDERS that has the file of WATCH open, if that has no name; or
 * NULL.
 */
static const struct holder *
find_nameless(struct snapshot *snapshot, const struct holders *holders,
    const struct fdinfo_watch *watch)
{
	char path[SOURCE_PATH];
	struct filestat file;

	for (size_t i = 0; i < holders->count; i++) {
		const struct holder *h = &holders->list[i];

		(void)snprintf(path, sizeof path, "%jd/fd/%d", (intmax_t)h->pid,
		    h->number);
		if (filestat(snapshot->source->proc, path, &file) == 0 &&
		    file.device == watch->device &&
		    file.inode == watch->inode && file.is_nameless)
			return h;
	}
	return NULL;
}

/* Whether NAME, which process PID sees, is a file. */
static bool
has_file(struct snapshot *snapshot, pid_t pid, const char *name)
{
	char path[PATH_MAX + SOURCE_PATH];
	struct filestat file;

	return (size_t)snprintf(path, sizeof path, "%jd/root%s", (intmax_t)pid,
		   name) < sizeof path &&
	    filestat(snapshot->source->proc, path, &file) == 0;
}

/* The name of D's file before it was deleted, the caller's to free; or NULL. */
static char *
former_name(const struct descriptor *d)
{
	size_t length = strlen(d->name);

	if (*d->name != '/' || length < sizeof deleted ||
	    strcmp(d->name + length - (sizeof deleted - 1), deleted) != 0)
		return NULL;
	return strndup(d->name, length - (sizeof deleted - 1));
}

/* Append who has the file, and its former name.  Returns 0 or -ENOMEM. */
static int
describe_nameless(struct judge *judge, struct buffer *b, const struct holder *h)
{
	struct snapshot *snapshot = judge->chain->snapshot;
	struct snapshot_descriptor *found;
	struct snapshot_process *process;
	int error = snapshot_process(snapshot, h->pid, &process);
	char *name;

	if (error == 0)
		error = snapshot_descriptor(snapshot, h->pid, h->number,
		    &found);
	if (error != 0)
		return error;
	buffer_put(b, "the file lives on in ");
	chain_put_process(b, process);
	buffer_put(b, "/%d\n", h->number);
	if (found->error != 0 || (name = former_name(&found->d)) == NULL)
		return 0;
	buffer_put(b, "its name was ");
	buffer_name(b, name, strlen(name));
	buffer_put(b,
	    has_file(snapshot, h->pid, name) ? ", which is another file now\n" :
					       ", which does not exist now\n");
	free(name);
	return 0;
}

static int
add_nameless(struct judge *judge, const struct waited *w,
    const struct fdinfo_watch *watch, const struct holder *holder)
{
	struct finding *f = add(judge, w, FINDING_WATCH_ELSEWHERE,
	    watch->inode << 8 ^ (unsigned)watch->descriptor);

	if (f == NULL)
		return -ENOMEM;
	buffer_put(&f->sentence,
	    "watch %d of descriptor %d is of a file that has no name: it was"
	    " deleted, or another was renamed to its name",
	    watch->descriptor, w->found->d.number);
	return describe_nameless(judge, &f->details, holder);
}

/*
 * The kernel ends a watch when the last name of its file is gone and nobody has
 * it open (fsnotify_inoderemove): one that is there without a name is open
 * somewhere.
 */
static int
judge_file(struct judge *judge, const struct waited *w,
    const struct fdinfo_watch *watch)
{
	struct snapshot *snapshot = judge->chain->snapshot;
	struct world_key key = { watch->device, watch->inode };
	struct holders holders;
	const struct holder *holder;
	int error = holders_find(snapshot->source, &snapshot->world, key,
	    watch->inode, &holders);

	if (error == 0) {
		holder = find_nameless(snapshot, &holders, watch);
		if (holder != NULL)
			error = add_nameless(judge, w, watch, holder);
	}
	free(holders.list);
	return error;
}

int
judge_watches(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	int error;

	if (d->unknown[FACT_ACCESS] != NULL)
		return 0;
	if (d->info.watch_count == 0)
		return judge_empty(judge, w);
	if (!judge->all)
		return 0;
	error = snapshot_world(judge->chain->snapshot, true);
	for (size_t i = 0; i < d->info.watch_count && error == 0; i++)
		error = judge_file(judge, w, &d->info.watches[i]);
	return error == -ENOMEM ? error : 0;
}
