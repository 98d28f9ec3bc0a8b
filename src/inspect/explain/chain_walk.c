/* SPDX-License-Identifier: ISC */
/*
 * chain_walk.c - from a thread to what it waits for, to who has the other end,
 * to what that one waits for.
 */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "inspect/explain/chain_parts.h"

/* A description goes only so deep. */
#define DEEPEST 12

/* FUTEX_PRIVATE_FLAG of futex(2). */
#define KERNEL_FUTEX_PRIVATE 128U

struct walk {
	struct chain *chain;
	struct snapshot_process *process;
	struct snapshot_thread *thread;
	unsigned depth;
};

static int walk_process(struct chain *c, struct snapshot_process *process,
    unsigned depth);

/* The wait of the thread may end by what is not in the snapshot. */
static void
set_free(const struct walk *w)
{
	if (w->thread != NULL)
		w->thread->is_free = true;
}

static int
lead_to(const struct walk *w, int number, unsigned events,
    struct snapshot_process *to, int other)
{
	struct edge edge = { .from = w->process,
		.thread = w->thread,
		.number = number,
		.events = events,
		.to = to,
		.other = other };

	if (w->thread == NULL)
		return 0;
	if (to->error != 0 || to->pid == getpid())
		w->thread->is_free = true;
	return chain_add_edge(w->chain, &edge);
}

/* ---- who has the other end ---- */

static int
walk_partner(const struct walk *w, const struct descriptor *d, unsigned events,
    const struct holder *h)
{
	struct snapshot_process *to;
	struct line *line;
	bool known;
	int error = snapshot_process(w->chain->snapshot, h->pid, &to);

	if (error == 0)
		error = lead_to(w, d->number, events, to, h->number);
	if (error != 0)
		return error;
	line = chain_add_line(w->chain, LINE_PEER, w->depth + 1, h->pid);
	if (line == NULL)
		return -ENOMEM;
	known = to->is_walked;
	line->number = h->number;
	buffer_put(&line->text, "its %s is ", chain_role(d, events));
	chain_put_process(&line->text, to);
	buffer_put(&line->text, "/%d%s", h->number,
	    to == w->process	      ? ", its own" :
		to->is_above && known ? ": the circle is closed" :
		known		      ? ", see above" :
					"");
	return known ? 0 : walk_process(w->chain, to, w->depth + 2);
}

/* More of them than are named.  Returns 0 or -ENOMEM. */
static int
walk_others(const struct walk *w, const struct descriptor *d, unsigned events,
    size_t left)
{
	struct line *line = chain_add_line(w->chain, LINE_PEER, w->depth + 1,
	    w->process->pid);

	if (line == NULL)
		return -ENOMEM;
	set_free(w);
	buffer_put(&line->text, "and %zu more %s%s", left,
	    chain_role(d, events), left == 1 ? "" : "s");
	return 0;
}

/* Returns 0 or -ENOMEM. */
static int
walk_unknown_partner(const struct walk *w, const struct descriptor *d,
    unsigned events)
{
	struct line *line = chain_add_line(w->chain, LINE_PEER, w->depth + 1,
	    w->process->pid);

	if (line == NULL)
		return -ENOMEM;
	line->why = d->unknown[FACT_PEERS];
	buffer_put(&line->text, "its %s is unknown (%s)", chain_role(d, events),
	    line->why);
	return 0;
}

static int
walk_partners(const struct walk *w, struct snapshot_descriptor *found,
    unsigned events)
{
	struct descriptor *d = &found->d;
	size_t named = 0, all = 0;
	int error = snapshot_peers(w->chain->snapshot, found);

	for (size_t i = 0; i < found->peers.other.count && error == 0; i++) {
		const struct holder *h = &found->peers.other.list[i];

		if (!chain_is_partner(d, events, h))
			continue;
		if (all++ < MOST_NAMED) {
			error = walk_partner(w, d, events, h);
			named++;
		}
	}
	if (error == 0 && all > named)
		error = walk_others(w, d, events, all - named);
	if (error == 0 && all == 0 && d->unknown[FACT_PEERS] != NULL)
		error = walk_unknown_partner(w, d, events);
	if (all == 0 || !chain_is_closed(w->thread, d, events))
		set_free(w);
	return error;
}

/* ---- descriptors ---- */

static int
walk_missing(const struct walk *w, const struct snapshot_descriptor *found)
{
	struct line *line = chain_add_line(w->chain, LINE_DESCRIPTOR, w->depth,
	    w->process->pid);

	set_free(w);
	if (line == NULL)
		return -ENOMEM;
	line->number = found->d.number;
	if (found->error == -EBADF)
		buffer_put(&line->text, "%d is not open", found->d.number);
	else {
		line->why = errno_name(-found->error);
		buffer_put(&line->text, "%d cannot be examined (%s)",
		    found->d.number, line->why);
	}
	return 0;
}

static int walk_instance(const struct walk *w,
    struct snapshot_descriptor *found);

/* Descriptor FOUND, of which EVENTS are waited for. */
static int
walk_descriptor(const struct walk *w, struct snapshot_descriptor *found,
    unsigned events)
{
	struct line *line;

	if (found->error != 0)
		return walk_missing(w, found);
	line = chain_add_line(w->chain, LINE_DESCRIPTOR, w->depth,
	    w->process->pid);
	if (line == NULL)
		return -ENOMEM;
	line->number = found->d.number;
	line->why = found->d.unknown[FACT_READY];
	chain_put_descriptor(&line->text, found);
	if (found->d.kind == KIND_EPOLL)
		return walk_instance(w, found);
	if (w->depth < DEEPEST && chain_has_partners(&found->d))
		return walk_partners(w, found, events);
	set_free(w);
	return 0;
}

static int
walk_wanted(const struct walk *w, int number, unsigned events)
{
	struct waited wait = { .process = w->process,
		.thread = w->thread,
		.events = events };
	int error = snapshot_descriptor(w->chain->snapshot, w->process->pid,
	    number, &wait.found);

	if (error == 0)
		error = chain_add_wait(w->chain, &wait);
	return error != 0 ? error : walk_descriptor(w, wait.found, events);
}

/* ---- epoll ---- */

static bool
is_worth_a_line(const struct registrations *entries, size_t index)
{
	const struct registration *r = &entries->list[index];

	return entries->count <= MOST_ENTRIES ||
	    r->registered == REGISTERED_STALE ||
	    (r->is_ready_known && r->ready != 0);
}

static int
walk_stale(const struct walk *w, const struct snapshot_descriptor *instance,
    const struct registration *r)
{
	struct line *line = chain_add_line(w->chain, LINE_DESCRIPTOR, w->depth,
	    w->process->pid);

	set_free(w);
	if (line == NULL)
		return -ENOMEM;
	line->number = r->entry.number;
	buffer_put(&line->text, "%d is a stale entry of epoll %d",
	    r->entry.number, instance->d.number);
	return 0;
}

/* *LINES is how many more may be described. */
static int
walk_entry(const struct walk *w, struct snapshot_descriptor *instance,
    size_t index, int *lines)
{
	const struct registration *r = &instance->entries.list[index];
	struct waited wait = { .process = w->process,
		.thread = w->thread,
		.epoll = instance,
		.entry = index };
	bool described = is_worth_a_line(&instance->entries, index) &&
	    (*lines)-- > 0;
	int error = 0;

	wait.events = r->armed ? r->entry.events & 0xffff : 0;
	if (!described)
		set_free(w);
	if (described && r->registered != REGISTERED_STALE)
		error = snapshot_descriptor(w->chain->snapshot, w->process->pid,
		    r->entry.number, &wait.found);
	if (error == 0)
		error = chain_add_wait(w->chain, &wait);
	if (error != 0 || !described)
		return error;
	return wait.found == NULL ? walk_stale(w, instance, r) :
				    walk_descriptor(w, wait.found, wait.events);
}

static int
walk_unknown(const struct walk *w, const struct snapshot_descriptor *instance)
{
	struct line *line = chain_add_line(w->chain, LINE_DESCRIPTOR,
	    w->depth + 1, w->process->pid);

	set_free(w);
	if (line == NULL)
		return -ENOMEM;
	line->number = instance->d.number;
	line->why = errno_name(-instance->entries_error);
	buffer_put(&line->text, "the entries of epoll %d cannot be known (%s)",
	    instance->d.number, line->why);
	return 0;
}

static int
walk_instance(const struct walk *w, struct snapshot_descriptor *found)
{
	struct walk below = *w;
	int lines = MOST_ENTRIES,
	    error = snapshot_entries(w->chain->snapshot, found);

	if (error == 0 && found->entries_error != 0)
		return walk_unknown(w, found);

	below.depth++;
	if (found->d.unknown[FACT_READY] != NULL || found->entries.count == 0 ||
	    (found->d.ready & POLLIN) != 0)
		set_free(w);
	if (below.depth >= DEEPEST)
		return error;
	for (size_t i = 0; i < found->entries.count && error == 0; i++)
		error = walk_entry(&below, found, i, &lines);
	return error;
}

/* ---- threads ---- */

/* pthread_join(3) sleeps until the kernel clears the number of the thread. */
static bool
is_join(const struct snapshot_process *process, const struct thread_wait *wait)
{
	for (size_t i = 0; i < process->count; i++)
		if ((uint64_t)process->threads[i].tid ==
		    (wait->arguments[2] & UINT32_MAX))
			return true;
	return false;
}

/* What a futex waits for is known only if the process itself must wake it. */
static int
walk_futex(const struct walk *w)
{
	const struct thread_wait *wait = &w->thread->wait;

	if ((wait->arguments[1] & KERNEL_FUTEX_PRIVATE) == 0 &&
	    !is_join(w->process, wait)) {
		set_free(w);
		return 0;
	}
	return lead_to(w, -1, 0, w->process, -1);
}

static int
walk_children(const struct walk *w)
{
	pid_t *list, wanted = w->thread->wait.child;
	int count = snapshot_children(w->chain->snapshot, w->process, &list),
	    error = 0;
	size_t walked = 0;

	if (wanted > 0)
		error = chain_find_child(w->chain, w->process, list, count,
		    &wanted);
	if (w->thread->wait.child > 0 && wanted == 0)
		count = 0;
	for (int i = 0; i < count && error == 0; i++) {
		struct snapshot_process *child;

		if (wanted > 0 && list[i] != wanted)
			continue;
		if (walked++ == MOST_ENTRIES)
			set_free(w);
		if (walked > MOST_ENTRIES)
			continue;
		error = snapshot_process(w->chain->snapshot, list[i], &child);
		if (error == 0)
			error = lead_to(w, -1, 0, child, -1);
		if (error == 0 && !child->is_walked)
			error = walk_process(w->chain, child, w->depth);
	}
	if (walked == 0)
		set_free(w);
	free(list);
	return error;
}

static int
walk_targets(const struct walk *w)
{
	const struct thread_wait *wait = &w->thread->wait;
	int error = 0;

	for (size_t i = 0; i < wait->count && error == 0; i++)
		error = walk_wanted(w, wait->wanted[i].fd,
		    wait->wanted[i].events);
	return error;
}

/* Whether what may end the wait is known at all. */
static bool
is_known(const struct thread_wait *wait)
{
	return wait->timeout == THREAD_FOREVER && wait->state == 'S' &&
	    wait->why == NULL;
}

static int
walk_thread(const struct walk *w)
{
	const struct thread_wait *wait = &w->thread->wait;

	if (!is_known(wait))
		set_free(w);
	switch (wait->call) {
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_EPOLL:
	case WAIT_READ:
	case WAIT_WRITE:
	case WAIT_COPY:
		if (wait->count == 0)
			set_free(w);
		return walk_targets(w);
	case WAIT_ACCEPT:
	case WAIT_CONNECT:
	case WAIT_LOCK:
	case WAIT_IO_URING:
	case WAIT_OTHER:
		set_free(w);
		return walk_targets(w);
	case WAIT_CHILD:
		if (wait->count > 0)
			set_free(w);
		return walk_children(w);
	case WAIT_FUTEX:
		return walk_futex(w);
	default:
		set_free(w);
		return chain_awaits_children(w->process, w->thread) ?
		    walk_children(w) :
		    0;
	}
}

static int
walk_process(struct chain *c, struct snapshot_process *process, unsigned depth)
{
	size_t alike;
	int error = 0;

	if (depth >= DEEPEST)
		return 0;
	process->is_walked = true;
	if (process->pid == getpid())
		return chain_describe_pmux(c, process, depth);
	if (process->error != 0)
		return chain_describe_missing(c, process, depth);
	process->is_above = true;
	for (size_t i = 0; i < process->count && error == 0; i++) {
		struct walk w = { c, process, &process->threads[i], depth + 1 };

		alike = chain_count_alike(process, i);
		if (alike > 0)
			error = chain_describe_thread(c, process, i, alike,
			    depth);
		if (error == 0)
			error = walk_thread(&w);
	}
	process->is_above = false;
	return error;
}

int
chain_process(struct chain *chain, struct snapshot_process *process)
{
	return process->is_walked ? 0 : walk_process(chain, process, 0);
}

int
chain_descriptor(struct chain *chain, struct snapshot_process *process,
    struct snapshot_descriptor *found)
{
	struct walk w = { chain, process, NULL, 0 };
	struct waited wait = { .process = process,
		.found = found,
		.events = 0 };
	int error;

	if (found->error == 0)
		wait.events = (found->d.readable ? POLLIN : 0u) |
		    (found->d.writable && !found->d.readable ? POLLOUT : 0u);
	error = chain_add_wait(chain, &wait);
	return error != 0 ? error : walk_descriptor(&w, found, wait.events);
}
