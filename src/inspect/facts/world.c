/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "inspect/facts/world.h"
#include "sys/filestat.h"

/* In place of a device, where the inode says enough. */
#define PIPES UINT64_MAX
#define SOCKETS (UINT64_MAX - 1)
#define ANONYMOUS WORLD_NO_DEVICE
/* Not identified: what has a path, until that is asked for. */
#define PATHS (WORLD_NO_DEVICE - 1)

struct world_key
world_key_pipe(uint64_t inode)
{
	return (struct world_key){ PIPES, inode };
}

struct world_key
world_key_socket(uint64_t inode)
{
	return (struct world_key){ SOCKETS, inode };
}

struct world_key
world_key_kind(enum kind kind)
{
	return (struct world_key){ ANONYMOUS, (uint64_t)kind };
}

struct world_key
world_key(const struct descriptor *d)
{
	enum kind kind = kind_of_link(d->name);

	if (kind == KIND_PIPE)
		return world_key_pipe(d->inode);
	if (kind == KIND_SOCKET)
		return world_key_socket(d->inode);
	if (kind != KINDS)
		return world_key_kind(kind);
	return (struct world_key){ d->device, d->inode };
}

static int
compare_keys(const struct world_key *a, const struct world_key *b)
{
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return (a->inode > b->inode) - (a->inode < b->inode);
}

static int
compare(const void *a, const void *b)
{
	const struct world_file *one = a, *other = b;
	int order = compare_keys(&one->key, &other->key);

	if (order == 0)
		order = (one->pid > other->pid) - (one->pid < other->pid);
	return order != 0 ?
	    order :
	    (one->number > other->number) - (one->number < other->number);
}

/* A file that has a path. */
static bool
find_file(const struct source *source, struct world_file *file)
{
	char path[SOURCE_PATH];
	struct filestat st;

	(void)snprintf(path, sizeof path, "%ld/fd/%d", (long)file->pid,
	    file->number);
	if (!source->live || filestat(source->proc, path, &st) != 0)
		return false;
	file->key.device = st.device;
	file->key.inode = st.inode;
	file->special = st.special;
	return true;
}

static struct world_key
key_of_link(const char *link)
{
	enum kind kind = kind_of_link(link);

	switch (kind) {
	case KIND_PIPE:
		return world_key_pipe(descriptor_inode(link));
	case KIND_SOCKET:
		return world_key_socket(descriptor_inode(link));
	case KINDS:
		return (struct world_key){ PATHS, 0 };
	default:
		return world_key_kind(kind);
	}
}

struct scan {
	const struct source *source;
	struct world *world;
	pid_t pid;
};

/* Returns 0 or -ENOMEM. */
static int
note(void *context, int directory, const char *name, int number)
{
	const struct scan *scan = context;
	struct world_file file = { .pid = scan->pid, .number = number };
	char link[64];

	/* a path that is longer is one all the same */
	if ((scan->pid == scan->source->self && number == directory) ||
	    source_link(scan->source, directory, name, link, sizeof link) < 0)
		return 0;
	file.key = key_of_link(link);
	return list_append(&scan->world->files, &scan->world->count, &file,
	    sizeof file);
}

/* Returns 0 or -ENOMEM. */
static int
scan_process(struct source *source, struct world *world, pid_t pid)
{
	struct scan scan = { source, world, pid };
	char path[SOURCE_PATH];
	int error;

	(void)snprintf(path, sizeof path, "%ld/fd", (long)pid);
	error = source_each(source, path, note, &scan);
	if (error == -ENOMEM)
		return error;
	/* also without a free descriptor: it may have the file all the same */
	world->hidden += error != 0 && error != -ENOENT && error != -ESRCH;
	world->processes += error == 0;
	return 0;
}

/* The options of the last mount at /proc, in TEXT of mountinfo; or NULL. */
static const char *
find_options(const char *text)
{
	const char *options = NULL, *end;

	for (; *text != '\0'; text = *end == '\0' ? end : end + 1) {
		const char *type = strstr(text, " - proc ");
		char point[8] = "";

		end = text + strcspn(text, "\n");
		if (type != NULL && type < end &&
		    sscanf(text, "%*d %*d %*s %*s %7s", point) == 1 &&
		    strcmp(point, "/proc") == 0)
			options = type;
	}
	return options;
}

static bool
is_in_group(gid_t group)
{
	gid_t *list;
	int count = getgroups(0, NULL);
	bool found = getegid() == group;

	list = count <= 0 ? NULL : calloc((size_t)count, sizeof *list);
	if (list == NULL || (count = getgroups(count, list)) < 0)
		count = 0;
	for (int i = 0; i < count && !found; i++)
		found = list[i] == group;
	free(list);
	return found;
}

/*
 * Whether OPTIONS hide the processes that pmux may not trace: hidepid=2, which
 * the group of gid= is exempt from, or 4 (proc(5); the names are those of Linux
 * 5.8).
 */
static bool
are_hiding(const char *options)
{
	const char *hide, *group;
	size_t length = strcspn(options, "\n");
	char line[512];

	if (length >= sizeof line)
		return true;
	memcpy(line, options, length);
	line[length] = '\0';
	hide = strstr(line, "hidepid=");
	if (hide == NULL)
		return false;
	hide += strlen("hidepid=");
	if (*hide == '4' || *hide == 'p')
		return true;
	group = strstr(line, "gid=");
	return (*hide == '2' || *hide == 'i') &&
	    !is_in_group(group == NULL ?
		    0 :
		    (gid_t)strtoul(group + strlen("gid="), NULL, 10));
}

/* Whether pmux may trace all processes (CAP_SYS_PTRACE, capabilities(7)). */
static bool
may_trace_all(struct source *source)
{
	char *text;
	const char *set;

	return source_read(source, &text, "self/status") > 0 &&
	    (set = strstr(text, "\nCapEff:")) != NULL &&
	    (strtoull(set + strlen("\nCapEff:"), NULL, 16) >> 19 & 1) != 0;
}

/*
 * The first process is missing only where others may be, too; in a pid
 * namespace it may be pmux's own, and others be hidden.
 */
static bool
is_veiled(struct source *source)
{
	const char *options;
	char *text;

	if (source_read(source, &text, "1/stat") == -ENOENT)
		return true;
	return source_read(source, &text, "self/mountinfo") > 0 &&
	    (options = find_options(text)) != NULL && are_hiding(options) &&
	    !may_trace_all(source);
}

static void
sort(struct world *world)
{
	if (world->count > 0)
		qsort(world->files, world->count, sizeof *world->files,
		    compare);
}

/* Those that have gone are left out. */
static void
find_files(const struct source *source, struct world *world)
{
	size_t kept = 0;

	for (size_t i = 0; i < world->count; i++) {
		struct world_file file = world->files[i];

		if (file.key.device != PATHS || find_file(source, &file))
			world->files[kept++] = file;
	}
	world->count = kept;
	world->has_paths = true;
	sort(world);
}

/* Returns 0 or -errno. */
static int
scan(struct source *source, struct world *world)
{
	int *pids = NULL, error = 0, count = source_list(source, ".", &pids);

	if (count < 0)
		return count;
	for (int i = 0; i < count && error == 0; i++)
		if (!world->without_self || (pid_t)pids[i] != source->self)
			error = scan_process(source, world, (pid_t)pids[i]);
	free(pids);
	world->veiled = is_veiled(source);
	world->scanned = error == 0;
	return error;
}

int
world_scan(struct source *source, struct world *world, bool paths)
{
	bool is_new = !world->scanned;
	int error = is_new ? scan(source, world) : 0;

	if (error != 0)
		return error;
	if (paths && !world->has_paths)
		find_files(source, world);
	else if (is_new)
		sort(world);
	return 0;
}

void
world_free(struct world *world)
{
	free(world->files);
	*world = (struct world){ .files = NULL };
}

const struct world_file *
world_find(const struct world *world, struct world_key key, size_t *count)
{
	size_t low = 0, high = world->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(&world->files[middle].key, &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*count = 0; low + *count < world->count &&
	     compare_keys(&world->files[low + *count].key, &key) == 0;)
		++*count;
	return *count == 0 ? NULL : &world->files[low];
}
