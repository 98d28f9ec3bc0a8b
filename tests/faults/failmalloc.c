/* SPDX-License-Identifier: ISC */
/*
 * failmalloc - an object for LD_PRELOAD, in which an allocation fails.
 *
 * inject chooses it in memory that all processes of the command share: by its
 * place in the first process, or in all the others together.
 */
#define _GNU_SOURCE

#include <sys/mman.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"

/* Memory for allocations before the C library's functions are found. */
static char early[4096];
static size_t used;

static struct allocations *shared;
static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);

static void *
early_memory(size_t size)
{
	void *p = early + used;

	size = (size + 15) & ~(size_t)15;
	if (size > sizeof early - used)
		abort();
	used += size;
	return p;
}

static bool
is_early(const void *p)
{
	return (const char *)p >= early &&
	    (const char *)p < early + sizeof early;
}

/* Only the processes of the command itself, not the programs they run. */
__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv(FAILMALLOC);
	void *memory;
	int fd;

	*(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real_free = dlsym(RTLD_NEXT, "free");
	*(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return;
	memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	(void)close(fd);
	(void)unsetenv("LD_PRELOAD");
	(void)unsetenv(FAILMALLOC);
	if (memory == MAP_FAILED)
		return;
	shared = memory;
	shared->first = (int)getpid();
}

static bool
fails(void)
{
	int who;
	long count;

	if (shared == NULL)
		return false;
	who = (int)getpid() == shared->first ? 0 : 1;
	count = ++shared->counts[who];
	if (shared->at == 0 || who != shared->of || count < shared->at ||
	    (count > shared->at && !shared->from))
		return false;
	shared->failed++;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size)
{
	if (real_malloc == NULL)
		return early_memory(size);
	return fails() ? NULL : real_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	if (real_malloc == NULL)
		return early_memory(count * size);
	return fails() ? NULL : real_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	void *p;

	if (real_malloc != NULL && !is_early(old))
		return fails() ? NULL : real_realloc(old, size);
	p = malloc(size);
	if (p != NULL && old != NULL)
		memcpy(p, old, size);
	return p;
}

void
free(void *p)
{
	if (p != NULL && real_free != NULL && !is_early(p))
		real_free(p);
}
