/* SPDX-License-Identifier: ISC */
/*
 * explain_watch.c - who watches the file of a path with inotify(7).
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect/explain/explain.h"
#include "inspect/facts/mounts.h"

/* What a watch may be of, to report on a path. */
struct place {
	struct filestat file, directory;
	/*
	 * statx(2) and inotify number files alike here: watches of other
	 * numbers are of other files.
	 */
	bool is_certain;
};

/* The directory of the file that PATH leads to.  Returns 0 or -errno. */
static int
find_directory(const char *path, struct filestat *directory)
{
	char *name = realpath(path, NULL), *slash;
	int error;

	if (name == NULL)
		return -errno;
	slash = strrchr(name, '/');
	slash[slash == name] = '\0';
	error = filestat(AT_FDCWD, name, directory);
	free(name);
	return error;
}

/*
 * btrfs and some overlays have device numbers of their own in statx(2), so the
 * one of the mount, which a watch has, is another.  The directory of a symbolic
 * link may be watched for the link.
 */
static bool
is_certain(struct source *source, const char *path, const struct filestat *file)
{
	struct stat st;
	uint64_t device;

	return file->mount != -1 &&
	    mounts_device(source, getpid(), file->mount, &device) == 0 &&
	    device == file->device && lstat(path, &st) == 0 &&
	    !S_ISLNK(st.st_mode);
}

static bool
is_of(const struct fdinfo_watch *watch, const struct filestat *file)
{
	return watch->inode == file->inode && watch->device == file->device;
}

/* The text behind the name of an instance with INFO, or NULL. */
static const char *
find_verb(const struct fdinfo *info, const struct place *place)
{
	const char *verb = NULL;

	for (size_t i = 0; i < info->watch_count; i++) {
		if (is_of(&info->watches[i], &place->file))
			return " watches it";
		if (is_of(&info->watches[i], &place->directory))
			verb = " watches its directory";
	}
	return verb;
}

/* Returns 0 or -ENOMEM. */
static int
describe_instance(struct chain *c, const struct descriptor *d,
    const struct place *place)
{
	const char *verb = find_verb(&d->info, place);
	struct snapshot_process *process;
	struct line *line;
	int error = snapshot_process(c->snapshot, d->pid, &process);

	if (error != 0 || (verb == NULL && !process->is_named))
		return error;
	line = chain_add_line(c, LINE_PEER, 0, d->pid);
	if (line == NULL)
		return -ENOMEM;
	line->number = d->number;
	if (verb == NULL && !place->is_certain)
		line->why = "inotify may number its file system otherwise";
	chain_put_process(&line->text, process);
	buffer_put(&line->text, "/%d", d->number);
	if (line->why != NULL)
		buffer_put(&line->text, " may watch it or not (%s)", line->why);
	else
		buffer_put(&line->text, "%s",
		    verb != NULL ? verb :
				   " watches neither it nor its directory");
	return 0;
}

int
explain_watch(struct chain *chain, const char *path)
{
	struct place place;
	const struct world_file *list;
	struct snapshot_descriptor *found;
	size_t count;
	int error = filestat(AT_FDCWD, path, &place.file);

	if (error == 0)
		error = find_directory(path, &place.directory);
	if (error != 0)
		return error == -ENOMEM ? error : 0;
	place.is_certain = is_certain(chain->snapshot->source, path,
	    &place.file);
	list = world_find(&chain->snapshot->world, world_key_kind(KIND_INOTIFY),
	    &count);
	for (size_t i = 0; i < count && error == 0; i++) {
		error = snapshot_descriptor(chain->snapshot, list[i].pid,
		    list[i].number, &found);
		if (error == 0 && found->error == 0 &&
		    found->d.kind == KIND_INOTIFY &&
		    found->d.unknown[FACT_ACCESS] == NULL)
			error = describe_instance(chain, &found->d, &place);
	}
	return error;
}
