/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "base/list.h"
#include "inspect/facts/snapshot.h"

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

void
snapshot_begin(struct snapshot *snapshot, struct source *source)
{
	memset(snapshot, 0, sizeof *snapshot);
	snapshot->source = source;
	source_renew(source);
}

static void
free_process(struct snapshot_process *process)
{
	for (size_t i = 0; i < process->count; i++)
		thread_wait_free(&process->threads[i].wait);
	free(process->threads);
	free(process);
}

static void
free_descriptor(struct snapshot_descriptor *found)
{
	if (found->has_peers)
		peers_free(&found->peers);
	if (found->has_entries)
		registrations_free(&found->entries);
	if (found->error == 0)
		descriptor_free(&found->d);
	free(found);
}

void
snapshot_end(struct snapshot *snapshot)
{
	struct snapshot_process *process;
	struct snapshot_descriptor *found;

	while ((process = snapshot->processes) != NULL) {
		snapshot->processes = process->next;
		free_process(process);
	}
	for (size_t i = 0; i < SNAPSHOT_BUCKETS; i++)
		while ((found = snapshot->buckets[i]) != NULL) {
			snapshot->buckets[i] = found->next;
			free_descriptor(found);
		}
	world_free(&snapshot->world);
}

/* Returns 0 or -errno. */
static int
read_thread(struct snapshot *snapshot, pid_t pid,
    struct snapshot_thread *thread)
{
	int error;

	thread->is_counted = busy_note(snapshot->source, pid, thread->tid,
				 &thread->busy) == 0;
	error = thread_wait_read(snapshot->source, pid, thread->tid,
	    &thread->wait);
	return error;
}

/* Threads that end meanwhile are left out.  Returns 0 or -errno. */
static int
read_threads(struct snapshot *snapshot, struct snapshot_process *process)
{
	char path[SOURCE_PATH];
	int *list, count, error = 0;

	(void)snprintf(path, sizeof path, "%jd/task", (intmax_t)process->pid);
	count = source_list(snapshot->source, path, &list);
	if (count < 0)
		return count == -ENOENT ? -ESRCH : count;
	process->threads = calloc((size_t)count + 1, sizeof *process->threads);
	if (process->threads == NULL)
		error = -ENOMEM;
	for (int i = 0; i < count && error == 0; i++) {
		process->threads[process->count].tid = list[i];
		error = read_thread(snapshot, process->pid,
		    &process->threads[process->count]);
		if (error == 0)
			process->count++;
		else if (error == -ESRCH)
			error = 0;
	}
	free(list);
	return error;
}

static int
read_process(struct snapshot *snapshot, struct snapshot_process *process)
{
	char directory[SOURCE_PATH];
	int error;

	(void)snprintf(directory, sizeof directory, "%jd",
	    (intmax_t)process->pid);
	error = procfs_process(snapshot->source, process->pid, &process->stat);
	if (error == 0)
		error = procfs_status(snapshot->source, directory,
		    &process->status);
	if (error == -ENOENT)
		return -ESRCH;
	return error == 0 ? read_threads(snapshot, process) : error;
}

int
snapshot_process(struct snapshot *snapshot, pid_t pid,
    struct snapshot_process **process)
{
	struct snapshot_process *found;

	for (found = snapshot->processes; found != NULL; found = found->next)
		if (found->pid == pid)
			break;
	*process = found;
	if (found != NULL)
		return 0;
	if ((found = calloc(1, sizeof *found)) == NULL)
		return -ENOMEM;
	found->pid = pid;
	found->next = snapshot->processes;
	snapshot->processes = *process = found;
	found->error = read_process(snapshot, found);
	return found->error == -ENOMEM ? -ENOMEM : 0;
}

static unsigned
bucket_of(pid_t pid, int number)
{
	return ((unsigned)pid * 31 + (unsigned)number) % SNAPSHOT_BUCKETS;
}

struct snapshot_descriptor *
snapshot_known(const struct snapshot *snapshot, pid_t pid, int number)
{
	struct snapshot_descriptor
	    *found = snapshot->buckets[bucket_of(pid, number)];

	while (
	    found != NULL && (found->d.pid != pid || found->d.number != number))
		found = found->next;
	return found;
}

int
snapshot_descriptor(struct snapshot *snapshot, pid_t pid, int number,
    struct snapshot_descriptor **descriptor)
{
	struct snapshot_descriptor
	    *found = snapshot_known(snapshot, pid, number),
	    **bucket = &snapshot->buckets[bucket_of(pid, number)];

	*descriptor = found;
	if (found != NULL)
		return 0;
	if ((found = calloc(1, sizeof *found)) == NULL)
		return -ENOMEM;
	found->error = descriptor_read(snapshot->source, pid, number,
	    &found->d);
	found->d.pid = pid;
	found->d.number = number;
	found->next = *bucket;
	*bucket = *descriptor = found;
	return found->error == -ENOMEM ? -ENOMEM : 0;
}

int
snapshot_world(struct snapshot *snapshot, bool paths)
{
	return world_scan(snapshot->source, &snapshot->world, paths);
}

static bool
has_path(const struct descriptor *d)
{
	return d->kind == KIND_FIFO || d->kind == KIND_TERMINAL ||
	    d->kind == KIND_FILE;
}

int
snapshot_peers(struct snapshot *snapshot,
    struct snapshot_descriptor *descriptor)
{
	int error = snapshot_world(snapshot, has_path(&descriptor->d));

	if (error == 0 && descriptor->has_peers)
		return 0;
	if (error != 0) {
		descriptor->d.unknown[FACT_PEERS] = errno_name(-error);
		descriptor->d.unknown[FACT_SAME] = errno_name(-error);
		return error == -ENOMEM ? error : 0;
	}
	descriptor->has_peers = true;
	return peers_find(snapshot->source, &snapshot->world, &descriptor->d,
	    &descriptor->peers);
}

int
snapshot_entries(struct snapshot *snapshot,
    struct snapshot_descriptor *descriptor)
{
	int error;

	if (descriptor->has_entries)
		return 0;
	descriptor->has_entries = true;
	error = registrations_find(snapshot->source, &snapshot->world, NULL,
	    &descriptor->d, &descriptor->entries);
	descriptor->entries_error = error;
	return error == -ENOMEM ? error : 0;
}

/* Append the numbers in TEXT.  Returns 0 or -ENOMEM. */
static int
take_numbers(const char *text, pid_t **list, int *count)
{
	pid_t *grown;
	char *end;
	long pid;

	for (; (pid = strtol(text, &end, 10)) > 0 && end != text; text = end) {
		grown = list_room(*list, (size_t)*count, sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		*list = grown;
		grown[(*count)++] = (pid_t)pid;
	}
	return 0;
}

int
snapshot_children(struct snapshot *snapshot,
    const struct snapshot_process *process, pid_t **list)
{
	char path[SOURCE_PATH], *text;
	int count = 0, error = 0;
	ssize_t n;

	*list = NULL;
	for (size_t i = 0; i < process->count && error == 0; i++) {
		(void)snprintf(path, sizeof path, "%jd/task/%jd/children",
		    (intmax_t)process->pid, (intmax_t)process->threads[i].tid);
		n = source_read(snapshot->source, &text, path);
		error = n < 0 ? (int)n : take_numbers(text, list, &count);
	}
	if (error == 0)
		return count;
	free(*list);
	*list = NULL;
	return error;
}

/* A path begins at the root of the process, or where it says. */
int
snapshot_opened(struct snapshot *snapshot,
    const struct snapshot_process *process, const struct thread_wait *wait,
    struct filestat *file)
{
	char path[PATH_MAX + SOURCE_PATH];
	int n;

	if (wait->path == NULL)
		return -EINVAL;
	if (*wait->path != '/' && wait->directory != AT_FDCWD)
		n = snprintf(path, sizeof path, "%jd/fd/%d/%s",
		    (intmax_t)process->pid, wait->directory, wait->path);
	else
		n = snprintf(path, sizeof path, "%jd/%s/%s",
		    (intmax_t)process->pid, *wait->path == '/' ? "root" : "cwd",
		    wait->path);
	return n < 0 || (size_t)n >= sizeof path ?
	    -ENAMETOOLONG :
	    filestat(snapshot->source->proc, path, file);
}
