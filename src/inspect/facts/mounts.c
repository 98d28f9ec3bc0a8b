/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "inspect/facts/mounts.h"

struct mount {
	int number;
	uint64_t device;
	enum mount_kind kind;
};

struct mount_table {
	pid_t owner;
	size_t count;
	struct mount list[];
};

/* The room for a name in the tables. */
#define NAME 12

/*
 * The file_operations of regular files on these have no poll function in Linux
 * 6.18.  FUSE has one, and asks its daemon.
 */
static const char plain[][NAME] = { "ext2", "ext3", "ext4", "xfs", "btrfs",
	"tmpfs", "ramfs", "overlay", "vfat", "exfat", "ntfs3", "f2fs",
	"bcachefs", "squashfs", "erofs", "iso9660", "udf", "nfs", "nfs4",
	"cifs", "smb3", "hugetlbfs", "rootfs", "" };
static const char kernel[][NAME] = { "proc", "sysfs", "" };

static int
is_one_of(const char (*names)[NAME], const char *name, size_t length)
{
	for (; **names != '\0'; names++)
		if (strlen(*names) == length &&
		    memcmp(*names, name, length) == 0)
			return 1;
	return 0;
}

/* "36 35 98:0 /root /point options optional... - type source options" */
static enum mount_kind
kind_of_line(const char *line, const char *end)
{
	static const char separator[] = " - ";
	const char *type = strstr(line, separator);
	size_t length;

	if (type == NULL || type >= end)
		return MOUNT_UNKNOWN;
	type += sizeof separator - 1;
	length = strcspn(type, " \n");
	return is_one_of(plain, type, length) ? MOUNT_PLAIN :
	    is_one_of(kernel, type, length)   ? MOUNT_KERNEL :
						MOUNT_UNKNOWN;
}

static int
compare(const void *a, const void *b)
{
	const struct mount *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

static struct mount
parse_line(const char *line, const char *end)
{
	struct mount mount = { .kind = kind_of_line(line, end) };
	unsigned major_number = 0, minor_number = 0;

	(void)sscanf(line, "%d %*d %u:%u", &mount.number, &major_number,
	    &minor_number);
	mount.device = (uint64_t)major_number << 20 | minor_number;
	return mount;
}

static size_t
count_lines(const char *text)
{
	size_t count = 1;

	while ((text = strchr(text, '\n')) != NULL) {
		text++;
		count++;
	}
	return count;
}

static void
parse(struct mount_table *table, const char *text)
{
	const char *end;

	for (; *text != '\0'; text = *end == '\0' ? end : end + 1) {
		end = text + strcspn(text, "\n");
		table->list[table->count++] = parse_line(text, end);
	}
	if (table->count > 0)
		qsort(table->list, table->count, sizeof *table->list, compare);
}

static int
load(struct source *source, pid_t pid)
{
	char path[SOURCE_PATH], *text;
	struct mount_table *table;
	ssize_t n;

	free(source->mounts);
	source->mounts = NULL;
	(void)snprintf(path, sizeof path, "%ld/mountinfo", (long)pid);
	n = source_read(source, &text, path);
	if (n < 0)
		return (int)n;
	table = calloc(1,
	    sizeof *table + count_lines(text) * sizeof *table->list);
	if (table == NULL)
		return -ENOMEM;
	parse(table, text);
	table->owner = pid;
	source->mounts = table;
	return 0;
}

/* Returns 0 with *FOUND set, to NULL if there is no mount NUMBER; or -errno. */
static int
find(struct source *source, pid_t pid, int number, const struct mount **found)
{
	struct mount wanted = { .number = number };
	int error = 0;

	*found = NULL;
	if (source->mounts == NULL || source->mounts->owner != pid)
		error = load(source, pid);
	if (error == 0 && source->mounts->count > 0)
		*found = bsearch(&wanted, source->mounts->list,
		    source->mounts->count, sizeof wanted, compare);
	return error;
}

int
mounts_kind(struct source *source, pid_t pid, int mount, enum mount_kind *kind)
{
	const struct mount *found;
	int error = find(source, pid, mount, &found);

	*kind = found != NULL ? found->kind : MOUNT_UNKNOWN;
	return error;
}

int
mounts_device(struct source *source, pid_t pid, int mount, uint64_t *device)
{
	const struct mount *found;
	int error = find(source, pid, mount, &found);

	if (found == NULL)
		return error == 0 ? -ENOENT : error;
	*device = found->device;
	return 0;
}
