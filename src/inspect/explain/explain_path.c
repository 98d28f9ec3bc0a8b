/* SPDX-License-Identifier: ISC */
/*
 * explain_path.c - who has the file of a path open, and who waits for that.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/explain/explain.h"
#include "inspect/facts/paths.h"

/* The title of a process that holds named pipes (sys/title.c). */
static const char title[] = "pmux: holds ";

static bool
is_holder(struct source *source, pid_t pid)
{
	char path[SOURCE_PATH], *text;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%jd/cmdline", (intmax_t)pid);
	n = source_read(source, &text, path);
	return n > 0 && strncmp(text, title, sizeof title - 1) == 0;
}

static const char *
way(const struct holder *h)
{
	return h->readable && h->writable ? "for reading and writing" :
	    h->readable			  ? "for reading" :
	    h->writable			  ? "for writing" :
					    "neither for reading nor for writing";
}

/* Returns 0 or -ENOMEM. */
static int
describe_holder(struct chain *c, const struct holder *h)
{
	struct snapshot_process *process;
	struct snapshot_descriptor *found;
	struct line *line;
	int error = snapshot_process(c->snapshot, h->pid, &process);

	if (error == 0)
		error = snapshot_descriptor(c->snapshot, h->pid, h->number,
		    &found);
	if (error != 0)
		return error;
	line = chain_add_line(c, LINE_PEER, 0, h->pid);
	if (line == NULL)
		return -ENOMEM;
	line->number = h->number;
	chain_put_process(&line->text, process);
	buffer_put(&line->text, "/%d has it open %s", h->number, way(h));
	if (!is_holder(c->snapshot->source, h->pid))
		return 0;
	buffer_put(&line->text, ", a holder of pmux");
	if (found->error == 0 && h->readable && found->d.unread > 0)
		buffer_put(&line->text, " that keeps %" PRId64 " unread bytes",
		    found->d.unread);
	return 0;
}

static int
describe_opener(struct chain *c, const struct snapshot_process *process,
    const struct snapshot_thread *thread)
{
	struct line *line = chain_add_line(c, LINE_THREAD, 0, process->pid);

	if (line == NULL)
		return -ENOMEM;
	line->tid = thread->tid;
	chain_put_process(&line->text, process);
	buffer_put(&line->text, " ");
	chain_put_wait(&line->text, process, thread);
	return 0;
}

/* Whether the thread sleeps in open(2) of FILE. */
static bool
opens(struct snapshot *snapshot, const struct snapshot_process *process,
    const struct snapshot_thread *thread, const struct filestat *file)
{
	struct filestat opened;

	return thread->wait.call == WAIT_OPEN &&
	    snapshot_opened(snapshot, process, &thread->wait, &opened) == 0 &&
	    opened.device == file->device && opened.inode == file->inode;
}

/* Only those in open(2) are kept in the snapshot.  Returns 0 or -ENOMEM. */
static int
find_openers(struct chain *c, const char *path)
{
	struct snapshot_process *p;
	struct filestat file;
	int *list, count = source_list(c->snapshot->source, ".", &list),
		   error = 0;

	if (count < 0)
		return 0;
	if (filestat(AT_FDCWD, path, &file) != 0)
		count = 0;
	for (int i = 0; i < count && error == 0; i++) {
		error = snapshot_process(c->snapshot, list[i], &p);
		for (size_t j = 0; error == 0 && j < p->count; j++)
			if (opens(c->snapshot, p, &p->threads[j], &file)) {
				error = describe_opener(c, p, &p->threads[j]);
				p->is_walked = true;
			}
	}
	free(list);
	return error;
}

int
explain_path(struct chain *chain, const char *path)
{
	struct holders holders = { .list = NULL };
	int error = snapshot_world(chain->snapshot, true);

	if (error != 0)
		return error;
	error = paths_find(chain->snapshot->source, &chain->snapshot->world,
	    path, &holders);
	/* pmux has what its caller has, and only for a moment */
	for (size_t i = 0; error == 0 && i < holders.count; i++)
		if (holders.list[i].pid != chain->snapshot->source->self)
			error = describe_holder(chain, &holders.list[i]);
	free(holders.list);
	if (error == 0)
		error = explain_watch(chain, path);
	return error != 0 ? error : find_openers(chain, path);
}
