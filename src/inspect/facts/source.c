/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

#include "base/list.h"
#include "base/number.h"
#include "inspect/facts/sockdiag.h"
#include "inspect/facts/source.h"
#include "sys/fdplace.h"
#include "sys/process.h"

/* Most files of proc(5) are shorter. */
#define FIRST_SIZE 4096

int
source_probe(void)
{
#ifdef __linux__
	return 0;
#else
	return -ENOSYS;
#endif
}

int
source_open(struct source *source, const char *root)
{
	*source = (struct source){ .live = root == NULL, .self = getpid() };
	source->proc = fdplace(open(root == NULL ? "/proc" : root,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (source->proc < 0)
		return source->proc;
	if (root != NULL || source_probe() != 0 ||
	    process_is_self(source->proc, "self") == 1)
		return 0;
	(void)close(source->proc);
	source->proc = -1;
	return -ENODEV;
}

const char *
source_hint(int error)
{
	return error == -ENODEV || error == -ENOENT ?
	    "this takes proc(5) of the same pid namespace" :
	    NULL;
}

static void
forget_process(struct source *source)
{
	if (source->owner != 0 && source->process >= 0)
		(void)close(source->process);
	source->owner = 0;
}

bool
source_has(const struct source *source, int number)
{
	return number == source->proc ||
	    (source->owner != 0 && number == source->process);
}

void
source_renew(struct source *source)
{
	forget_process(source);
	source->named = 0;
	free(source->mounts);
	source->mounts = NULL;
	if (source->sockets != NULL)
		sockets_free(source->sockets);
	free(source->sockets);
	source->sockets = NULL;
}

void
source_close(struct source *source)
{
	source_renew(source);
	(void)close(source->proc);
	free(source->text);
	source->text = NULL;
}

int
source_process(struct source *source, pid_t pid)
{
	if (!source->live)
		return -ENOSYS;
	if (source->owner != pid) {
		forget_process(source);
		source->process = process_open(pid);
		source->owner = pid;
	}
	return source->process;
}

int
source_sockets(struct source *source, uint64_t inode,
    const struct sockets **sockets)
{
	int error = 0;

	if (source->live && source->sockets == NULL) {
		source->sockets = malloc(sizeof *source->sockets);
		if (source->sockets == NULL)
			return -ENOMEM;
		error = sockets_read_local(source->sockets);
		source->has_inet = false;
	}
	if (error == 0 && source->sockets != NULL && !source->has_inet &&
	    inode != 0 && sockets_find(source->sockets, inode) == NULL) {
		error = sockets_read_inet(source->sockets);
		source->has_inet = true;
	}
	*sockets = source->sockets;
	return error;
}

/* Make room for more than USED bytes.  Returns 0 or -ENOMEM. */
static int
grow(struct source *source, size_t used)
{
	size_t size = source->size == 0 ? FIRST_SIZE : 2 * source->size;
	char *grown;

	if (used + 1 < source->size)
		return 0;
	if ((grown = realloc(source->text, size)) == NULL)
		return -ENOMEM;
	source->text = grown;
	source->size = size;
	return 0;
}

static ssize_t
read_whole(struct source *source, int fd)
{
	size_t used = 0;
	ssize_t n;
	int error;

	for (;;) {
		if ((error = grow(source, used)) != 0)
			return error;
		n = read(fd, source->text + used, source->size - used - 1);
		if (n == 0)
			break;
		if (n > 0)
			used += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	source->text[used] = '\0';
	return (ssize_t)used;
}

ssize_t
source_read(struct source *source, char **text, const char *path)
{
	int fd = openat(source->proc, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return -errno;
	n = read_whole(source, fd);
	(void)close(fd);
	*text = source->text;
	return n;
}

ssize_t
source_link(const struct source *source, int directory, const char *path,
    char *text, size_t size)
{
	ssize_t n = readlinkat(directory == -1 ? source->proc : directory, path,
	    text, size - 1);

	text[n < 0 ? 0 : n] = '\0';
	return n == -1 ? -errno : n;
}

/* Returns what VISIT does for NAME of DIRECTORY, or 0. */
static int
visit_name(int directory, const char *name, visit_fn *visit, void *context)
{
	uint64_t number;

	return number_parse(name, strlen(name), 10, INT_MAX, &number) == 0 ?
	    visit(context, directory, name, (int)number) :
	    0;
}

/* visit_all returns as source_each, and closes FD. */
#ifdef SYS_getdents64

/* getdents64(2): behind two numbers the length, the type and the name. */
#define LENGTH_AT 16
#define NAME_AT 19

static int
visit_all(int fd, visit_fn *visit, void *context)
{
	/* small: they are still in the cache when VISIT reads their links */
	char entries[4096];
	uint16_t length;
	long n = 1;
	int error = 0;

	while (error == 0 && n > 0) {
		n = syscall(SYS_getdents64, fd, entries, sizeof entries);
		if (n < 0)
			error = -errno;
		for (long at = 0; at < n && error == 0; at += length) {
			memcpy(&length, entries + at + LENGTH_AT,
			    sizeof length);
			error = visit_name(fd, entries + at + NAME_AT, visit,
			    context);
		}
	}
	(void)close(fd);
	return error;
}

#else

static int
visit_all(int fd, visit_fn *visit, void *context)
{
	DIR *directory = fdopendir(fd);
	const struct dirent *entry = NULL;
	int error = 0;

	if (directory == NULL) {
		error = -errno;
		(void)close(fd);
		return error;
	}
	do {
		errno = 0;
		/* cppcheck-suppress readdirCalled */
		entry = readdir(directory);
		error = entry == NULL ?
		    -errno :
		    visit_name(fd, entry->d_name, visit, context);
	} while (entry != NULL && error == 0);
	(void)closedir(directory);
	return error;
}

#endif

int
source_each(const struct source *source, const char *path, visit_fn *visit,
    void *context)
{
	int fd = openat(source->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 ? -errno : visit_all(fd, visit, context);
}

static int
compare(const void *a, const void *b)
{
	const int *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

struct numbers {
	int *list;
	size_t count;
	bool unsorted;
};

static int
append(void *context, int directory, const char *name, int number)
{
	struct numbers *n = context;

	(void)directory;
	(void)name;
	if (n->count > 0 && n->list[n->count - 1] > number)
		n->unsorted = true;
	return list_append(&n->list, &n->count, &number, sizeof number);
}

int
source_list(const struct source *source, const char *path, int **numbers)
{
	struct numbers n = { .list = NULL };
	int error = source_each(source, path, append, &n);

	if (error != 0) {
		free(n.list);
		return error;
	}
	if (n.unsorted)
		qsort(n.list, n.count, sizeof *n.list, compare);
	*numbers = n.list;
	return (int)n.count;
}
