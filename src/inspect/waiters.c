/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "inspect/thread.h"
#include "inspect/waiters.h"

/* Room for one more of *LIST, whose members have SIZE bytes; or NULL. */
static void *
one_more(void *list, size_t count, size_t size)
{
	/* powers of two, from 8 on */
	if (count != 0 && (count < 8 || (count & (count - 1)) != 0))
		return list;
	return realloc(list, (count < 8 ? 8 : 2 * count) * size);
}

static int
add(struct waiters *waiters, const struct waiter *waiter)
{
	struct waiter *grown = one_more(waiters->list, waiters->count,
	    sizeof *grown);

	if (grown == NULL)
		return -ENOMEM;
	waiters->list = grown;
	waiters->list[waiters->count++] = *waiter;
	return 0;
}

/* ---- instances ---- */

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
add_instance(struct source *source, const struct world *world,
    struct waiters *waiters, const struct descriptor *d)
{
	struct instance *grown = one_more(waiters->instances,
	    waiters->instance_count, sizeof *grown);
	struct instance *instance;
	int error;

	if (grown == NULL)
		return -ENOMEM;
	waiters->instances = grown;
	instance = &grown[waiters->instance_count++];
	*instance = (struct instance){ .number = d->number,
		.why = d->unknown[FACT_ACCESS] };
	error = registrations_find(source, world, d, &instance->entries);
	if (error == -ENOMEM)
		return error;
	if (error != 0)
		instance->why = errno_name(-error);
	return add_entries(waiters, instance);
}

/* Returns 0, also if NUMBER is no instance or is closed; or -ENOMEM. */
static int
take_number(struct source *source, const struct world *world,
    struct waiters *waiters, pid_t pid, int number)
{
	char path[SOURCE_PATH], link[64];
	struct descriptor d;
	int error;

	(void)snprintf(path, sizeof path, "%ld/fd/%d", (long)pid, number);
	if (source_link(source, path, link, sizeof link) < 0 ||
	    kind_of_link(link) != KIND_EPOLL)
		return 0;
	error = descriptor_read(source, pid, number, &d);
	if (error != 0)
		return error == -ENOMEM ? error : 0;
	if (d.kind == KIND_EPOLL)
		error = add_instance(source, world, waiters, &d);
	descriptor_free(&d);
	return error;
}

static int
find_instances(struct source *source, const struct world *world, pid_t pid,
    struct waiters *waiters)
{
	char path[SOURCE_PATH];
	int *numbers, count, error = 0;

	(void)snprintf(path, sizeof path, "%ld/fd", (long)pid);
	count = source_list(source, path, &numbers);
	if (count < 0)
		return count;
	for (int i = 0; i < count && error == 0; i++)
		error = take_number(source, world, waiters, pid, numbers[i]);
	free(numbers);
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
		if (wait.call == WAIT_UNKNOWN && waiters->why == NULL)
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
waiters_find(struct source *source, const struct world *world, pid_t pid,
    struct waiters *waiters)
{
	int error;

	*waiters = (struct waiters){ .list = NULL };
	error = find_instances(source, world, pid, waiters);
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
