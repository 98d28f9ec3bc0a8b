/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "base/list.h"
#include "inspect/inspect/inspect.h"
#include "inspect/facts/paths.h"
#include "inspect/facts/procfs.h"
#include "inspect/inspect/subject.h"
#include "output/diag.h"
#include "sys/process.h"

static const char *const headings[] = { "FD", "KIND", "MODE", "READY", "STATE",
	"OTHER END", "WAITED FOR BY" };

#define COLUMNS (sizeof headings / sizeof *headings)

/* Report ERROR of process PID; the others are inspected nevertheless. */
static void
fail(struct inspection *in, int error, pid_t pid)
{
	in->status = diag_system(-error,
	    error == -EPERM || error == -EACCES ? process_forbidden_by() :
		error == -EOPNOTSUPP		? procfs_headless :
						  NULL,
	    "process %ld", (long)pid);
}

/* ---- the descriptors ---- */

/* Room for one more.  Returns it, or NULL. */
static struct subject *
one_more(struct inspection *in)
{
	struct subject *grown = list_room(in->list, in->count, sizeof *grown);

	if (grown == NULL)
		return NULL;
	in->list = grown;
	return &in->list[in->count];
}

/* Returns 0 or -errno. */
static int
take(struct inspection *in, pid_t pid, int number)
{
	struct subject *s = one_more(in);
	int error;

	if (s == NULL)
		return -ENOMEM;
	memset(s, 0, sizeof *s);
	error = descriptor_read(&in->source, pid, number, &s->d);
	in->count += error == 0;
	return error;
}

/* All of PID; what is closed meanwhile is gone.  Returns 0 or -errno. */
static int
take_all(struct inspection *in, pid_t pid)
{
	char path[SOURCE_PATH];
	int *numbers, count, error = 0;

	(void)snprintf(path, sizeof path, "%ld/fd", (long)pid);
	count = source_list(&in->source, path, &numbers);
	if (count < 0)
		return count;
	for (int i = 0; i < count && error == 0; i++) {
		if (pid == getpid() && source_has(&in->source, numbers[i]))
			continue;
		error = take(in, pid, numbers[i]);
		if (error == -EBADF)
			error = 0;
	}
	free(numbers);
	return error;
}

static void
take_process(struct inspection *in, const struct inspect_target *target)
{
	struct procfs_stat stat;
	int error = procfs_process(&in->source, target->pid, &stat);

	if (error == 0 && stat.is_headless)
		error = -EOPNOTSUPP;
	if (error == 0)
		error = target->number == -1 ?
		    take_all(in, target->pid) :
		    take(in, target->pid, target->number);
	if (error == -EBADF)
		in->status = target->pid == getpid() ?
		    diag_system(EBADF, NULL, "%d", target->number) :
		    diag_system(EBADF, NULL, "process %ld: %d",
			(long)target->pid, target->number);
	else if (error != 0)
		fail(in, error, target->pid);
}

/* ---- the others ---- */

/* Whether S may have another end, or may share a description. */
static bool
needs_world(const struct subject *s, bool json)
{
	switch (s->d.kind) {
	case KIND_PIPE:
	case KIND_FIFO:
	case KIND_TCP:
	case KIND_UDP:
	case KIND_UNIX:
	case KIND_SOCKET:
	case KIND_TERMINAL:
		return true;
	default:
		return json;
	}
}

static bool
has_path(const struct subject *s)
{
	return *s->d.name == '/';
}

static void
take_path(struct inspection *in, const char *path)
{
	struct holders holders = { .list = NULL };
	int error = world_scan(&in->source, &in->world, true);

	if (error == 0)
		error = paths_find(&in->source, &in->world, path, &holders);

	if (error == -ENOMEM)
		in->status = diag_system(ENOMEM, NULL, "descriptors");
	else if (error != 0)
		in->status = diag_system(-error, NULL, "%s", path);
	for (size_t i = 0; error == 0 && i < holders.count; i++)
		(void)take(in, holders.list[i].pid, holders.list[i].number);
	free(holders.list);
}

static const struct descriptor *
find_known(void *context, pid_t pid, int number)
{
	struct inspection *in = context;

	for (size_t i = 0; i < in->count; i++)
		if (in->list[i].d.pid == pid && in->list[i].d.number == number)
			return &in->list[i].d;
	return NULL;
}

/* The processes of the records.  Returns 0 or -ENOMEM. */
static int
find_owners(struct inspection *in)
{
	struct owner *owner;
	int error;

	in->owners = calloc(in->count + 1, sizeof *in->owners);
	if (in->owners == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < in->count; i++) {
		pid_t pid = in->list[i].d.pid;

		if ((i > 0 && in->list[i - 1].d.pid == pid) ||
		    subject_owner(in, pid) != NULL)
			continue;
		owner = &in->owners[in->owner_count++];
		owner->pid = pid;
		error = waiters_find(&in->source, &in->world, pid, find_known,
		    in, &owner->waiters);
		if (error == -ENOMEM)
			return error;
		if (error != 0)
			owner->waiters.why = errno_name(-error);
	}
	return 0;
}

/* What is not known of those that wait for S, and of its registrations. */
static void
find_unknown(const struct inspection *in, struct subject *s)
{
	const struct owner *owner = subject_owner(in, s->d.pid);
	const struct instance *instance = owner == NULL ?
	    NULL :
	    waiters_instance(&owner->waiters, s->d.number);

	if (owner != NULL)
		s->d.unknown[FACT_WAITERS] = owner->waiters.why;
	if (instance != NULL)
		s->d.unknown[FACT_REGISTRATIONS] = instance->why;
	else if (owner != NULL && s->d.kind == KIND_EPOLL)
		s->d.unknown[FACT_REGISTRATIONS] = owner->waiters.why;
}

/* Whether a record is of process PID. */
static bool
is_of(const struct inspection *in, pid_t pid)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->list[i].d.pid == pid)
			return true;
	return false;
}

/* Returns 0 or -errno. */
static int
find_peers(struct inspection *in, struct subject *s)
{
	int error;

	if (!needs_world(s, in->json))
		return 0;
	error = world_scan(&in->source, &in->world, has_path(s));
	return error != 0 ?
	    error :
	    peers_find(&in->source, &in->world, &s->d, &s->peers);
}

/* Returns 0 or -errno. */
static int
find_others(struct inspection *in, const struct inspect_target *targets,
    size_t count)
{
	int error = 0;

	in->world.without_self = !is_of(in, in->source.self);
	for (size_t i = 0; i < count; i++)
		if (targets[i].path != NULL)
			take_path(in, targets[i].path);
	for (size_t i = 0; i < in->count && error == 0; i++)
		error = find_peers(in, &in->list[i]);
	return error != 0 ? error : find_owners(in);
}

/* ---- printing ---- */

/* Whether the records are of more than one process, or were found by path. */
static bool
are_named(const struct inspection *in, const struct inspect_target *targets,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i].path != NULL)
			return true;
	for (size_t i = 1; i < in->count; i++)
		if (in->list[i].d.pid != in->list[0].d.pid)
			return true;
	return false;
}

/* What the other ends may be incomplete for. */
static void
remark(const struct inspection *in)
{
	if (in->world.veiled)
		diag_remark("not all processes are visible here: other ends may"
			    " be missing");
	else if (in->world.hidden > 0)
		diag_remark("%zu %s hidden: other ends may be missing",
		    in->world.hidden,
		    in->world.hidden == 1 ? "process is" : "processes are");
}

/* Returns 0 or -ENOMEM. */
static int
print_text(struct inspection *in, bool named)
{
	struct columns columns;

	columns_begin(&columns, COLUMNS, headings);
	for (size_t i = 0; i < in->count; i++)
		subject_print_text(in, &in->list[i], named, &columns);
	remark(in);
	return columns_print(&columns);
}

static void
release(struct inspection *in)
{
	for (size_t i = 0; i < in->count; i++) {
		descriptor_free(&in->list[i].d);
		peers_free(&in->list[i].peers);
	}
	for (size_t i = 0; i < in->owner_count; i++)
		waiters_free(&in->owners[i].waiters);
	free(in->owners);
	free(in->list);
	world_free(&in->world);
	source_close(&in->source);
}

int
inspect(const struct inspect_target *targets, size_t count,
    const struct inspect_options *options)
{
	struct inspection in = { .json = options->json };
	int error = source_probe();

	if (error != 0)
		return diag_unavailable("inspect is not available: this system"
					" has no proc(5) with descriptors");
	error = source_open(&in.source, NULL);
	if (error != 0)
		return diag_system(-error, source_hint(error), "/proc");
	for (size_t i = 0; i < count; i++)
		if (targets[i].path == NULL)
			take_process(&in, &targets[i]);
	error = find_others(&in, targets, count);
	for (size_t i = 0; i < in.count && error == 0; i++)
		find_unknown(&in, &in.list[i]);
	if (error == 0 && in.json)
		for (size_t i = 0; i < in.count; i++)
			subject_print_json(&in, &in.list[i]);
	else if (error == 0)
		error = print_text(&in, are_named(&in, targets, count));
	if (error != 0)
		in.status = diag_system(-error, NULL, "descriptors");
	release(&in);
	return in.status;
}
