/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "base/list.h"
#include "inspect/facts/thread.h"
#include "inspect/facts/waiters.h"

static int
add(struct waiters *waiters, const struct waiter *waiter)
{
	return list_append(&waiters->list, &waiters->count, waiter,
	    sizeof *waiter);
}

/* ---- instances ---- */

struct search {
	struct source *source;
	struct world *world;
	pid_t pid;
	known_fn *known;
	void *context;
	struct sight sight;
};

/* A stale entry waits for no descriptor of the process. */
static int
add_entries(struct waiters *waiters, const struct instance *instance)
{
	int error = 0;

	for (size_t i = 0; i < instance->entries.count && error == 0; i++) {
		const struct registration *r = &instance->entries.list[i];
		struct waiter waiter = { .number = r->entry.number,
			.epoll = instance->number,
			.events = r->entry.events };

		if (r->registered != REGISTERED_STALE)
			error = add(waiters, &waiter);
	}
	return error;
}

static int
add_instance(const struct search *search, struct waiters *waiters,
    const struct descriptor *d)
{
	struct instance *grown = list_room(waiters->instances,
	    waiters->instance_count, sizeof *grown);
	struct instance *instance;
	int error;

	if (grown == NULL)
		return -ENOMEM;
	waiters->instances = grown;
	instance = &grown[waiters->instance_count++];
	*instance = (struct instance){ .number = d->number,
		.why = d->unknown[FACT_ACCESS] };
	error = registrations_find(search->source, search->world,
	    &search->sight, d, &instance->entries);
	if (error == -ENOMEM)
		return error;
	if (error != 0)
		instance->why = errno_name(-error);
	return add_entries(waiters, instance);
}

/* Note what NUMBER is, by its link.  Returns 0 or -ENOMEM. */
static int
see(void *context, int directory, const char *name, int number)
{
	struct search *search = context;
	struct sight *sight = &search->sight;
	struct seen *grown = list_room(sight->list, sight->count,
	    sizeof *grown);
	struct seen seen = { .number = number };
	char link[64];

	if (grown == NULL)
		return -ENOMEM;
	sight->list = grown;
	if (source_link(search->source, directory, name, link, sizeof link) < 0)
		return 0;
	seen.kind = kind_of_link(link);
	if (seen.kind == KIND_PIPE || seen.kind == KIND_SOCKET)
		seen.inode = descriptor_inode(link);
	sight->list[sight->count++] = seen;
	return 0;
}

/* Returns 0, also if NUMBER is no instance now; or -ENOMEM. */
static int
take_number(const struct search *search, int number, struct waiters *waiters)
{
	const struct descriptor *known = NULL;
	struct descriptor d;
	int error;

	if (search->known != NULL)
		known = search->known(search->context, search->pid, number);
	if (known != NULL && known->kind == KIND_EPOLL)
		return add_instance(search, waiters, known);
	error = descriptor_read(search->source, search->pid, number, &d);
	if (error != 0)
		return error == -ENOMEM ? error : 0;
	if (d.kind == KIND_EPOLL)
		error = add_instance(search, waiters, &d);
	descriptor_free(&d);
	return error;
}

static int
find_instances(struct search *search, struct waiters *waiters)
{
	const struct sight *sight = &search->sight;
	char path[SOURCE_PATH];
	int error;

	(void)snprintf(path, sizeof path, "%ld/fd", (long)search->pid);
	error = source_each(search->source, path, see, search);
	for (size_t i = 0; i < sight->count && error == 0; i++)
		if (sight->list[i].kind == KIND_EPOLL)
			error = take_number(search, sight->list[i].number,
			    waiters);
	free(sight->list);
	return error;
}

/* ---- threads ---- */

static int
add_thread(struct waiters *waiters, pid_t thread,
    const struct thread_wait *wait)
{
	int error = 0;

	for (size_t i = 0; i < wait->count && error == 0; i++) {
		struct waiter waiter = { .number = wait->wanted[i].fd,
			.epoll = -1,
			.thread = thread,
			.call = wait->name == NULL ? "call" : wait->name,
			.events = wait->wanted[i].events };

		if (waiter.number >= 0)
			error = add(waiters, &waiter);
	}
	return error;
}

/* pmux itself waits for nothing; it would find itself in read(2). */
static int
find_threads(struct source *source, pid_t pid, struct waiters *waiters)
{
	char path[SOURCE_PATH];
	int *threads, count, error = 0;

	(void)snprintf(path, sizeof path, "%ld/task", (long)pid);
	count = source_list(source, path, &threads);
	if (count < 0)
		return count;
	for (int i = 0; i < count && error == 0; i++) {
		struct thread_wait wait;

		error = thread_wait_read(source, pid, (pid_t)threads[i], &wait);
		if (error != 0) {
			error = error == -ENOMEM ? error : 0;
			continue;
		}
		if (wait.why != NULL && waiters->why == NULL)
			waiters->why = wait.error != 0 ?
			    errno_name(wait.error) :
			    wait.why;
		error = add_thread(waiters, (pid_t)threads[i], &wait);
		thread_wait_free(&wait);
	}
	free(threads);
	return error;
}

/* ---- all of them ---- */

static int
compare(const void *a, const void *b)
{
	const struct waiter *one = a, *other = b;

	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	if (one->epoll != other->epoll)
		return one->epoll < other->epoll ? -1 : 1;
	return (one->thread > other->thread) - (one->thread < other->thread);
}

int
waiters_find(struct source *source, struct world *world, pid_t pid,
    known_fn *known, void *context, struct waiters *waiters)
{
	struct search search = { .source = source,
		.world = world,
		.pid = pid,
		.known = known,
		.context = context };
	int error;

	*waiters = (struct waiters){ .list = NULL };
	error = find_instances(&search, waiters);
	if (error == 0)
		error = find_threads(source, pid, waiters);
	if (error == 0 && waiters->count > 0)
		qsort(waiters->list, waiters->count, sizeof *waiters->list,
		    compare);
	return error;
}

void
waiters_free(struct waiters *waiters)
{
	for (size_t i = 0; i < waiters->instance_count; i++)
		registrations_free(&waiters->instances[i].entries);
	free(waiters->instances);
	free(waiters->list);
	*waiters = (struct waiters){ .list = NULL };
}

const struct waiter *
waiters_of(const struct waiters *waiters, int number, size_t *count)
{
	size_t low = 0, high = waiters->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (waiters->list[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	for (*count = 0; low + *count < waiters->count &&
	     waiters->list[low + *count].number == number;)
		++*count;
	return *count == 0 ? NULL : &waiters->list[low];
}

const struct instance *
waiters_instance(const struct waiters *waiters, int number)
{
	for (size_t i = 0; i < waiters->instance_count; i++)
		if (waiters->instances[i].number == number)
			return &waiters->instances[i];
	return NULL;
}
