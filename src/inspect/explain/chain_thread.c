/* SPDX-License-Identifier: ISC */
/*
 * chain_thread.c - the line about a thread, or a process without any.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "compat.h"
#include "inspect/explain/chain_parts.h"

bool
chain_awaits_children(const struct snapshot_process *process,
    const struct snapshot_thread *thread)
{
	uint64_t child = UINT64_C(1) << (SIGCHLD - 1);

	if (thread->wait.call == WAIT_CHILD)
		return true;
	/* rt_sigsuspend(2) sets the mask for as long as it sleeps */
	return thread->wait.call == WAIT_SIGNAL && thread->wait.child == -1 &&
	    thread->tid == process->pid &&
	    (process->status.caught & ~process->status.blocked & child) != 0;
}

int
chain_find_child(const struct chain *c, const struct snapshot_process *process,
    const pid_t *list, int count, pid_t *wanted)
{
	bool is_here = process->status.inner == 0 ||
	    process->status.inner == process->pid;
	struct snapshot_process *child;
	pid_t found = 0;
	int error = 0;

	for (int i = 0; i < count && found == 0 && error == 0; i++) {
		if (!is_here)
			error = snapshot_process(c->snapshot, list[i], &child);
		if (error == 0 &&
		    (is_here ? list[i] : child->status.inner) == *wanted)
			found = list[i];
	}
	*wanted = found;
	return error;
}

size_t
chain_count_alike(const struct snapshot_process *process, size_t index)
{
	const struct thread_wait *wait = &process->threads[index].wait, *other;
	size_t alike = 0;

	if (wait->count > 0 || wait->call == WAIT_CHILD || wait->path != NULL)
		return 1;
	for (size_t i = 0; i < process->count; i++) {
		other = &process->threads[i].wait;
		if (other->call != wait->call || other->state != wait->state ||
		    other->number != wait->number || other->count > 0)
			continue;
		if (i < index)
			return 0;
		alike++;
	}
	return alike;
}

/* Returns 0 or -ENOMEM. */
static int
put_children(struct buffer *b, const struct chain *c,
    const struct snapshot_process *process,
    const struct snapshot_thread *thread)
{
	struct snapshot_process *child;
	pid_t *list, wanted = thread->wait.child;
	int count = snapshot_children(c->snapshot, process, &list), error = 0;

	if (wanted > 0)
		error = chain_find_child(c, process, list, count, &wanted);
	else if (count == 1)
		wanted = *list;
	free(list);
	if (error != 0)
		return error;
	if (wanted > 0) {
		error = snapshot_process(c->snapshot, wanted, &child);
		buffer_put(b, "its child ");
		if (error == 0)
			chain_put_process(b, child);
	} else if (count > 1)
		buffer_put(b, "one of its %d children", count);
	else
		buffer_put(b, "a child");
	return error;
}

static bool
has_children(const struct chain *c, const struct snapshot_process *process)
{
	pid_t *list;
	int count = snapshot_children(c->snapshot, process, &list);

	free(list);
	return count > 0;
}

/* Returns 0 or -ENOMEM. */
static int
put_thread(struct buffer *b, const struct chain *c,
    const struct snapshot_process *process,
    const struct snapshot_thread *thread)
{
	bool awaits = thread->wait.state == 'S' &&
	    chain_awaits_children(process, thread);
	int error;

	if (awaits && thread->wait.call == WAIT_CHILD) {
		buffer_put(b, "waits for ");
		return put_children(b, c, process, thread);
	}
	chain_put_wait(b, process, thread);
	if (!awaits || !has_children(c, process))
		return 0;
	buffer_put(b, ", until ");
	error = put_children(b, c, process, thread);
	buffer_put(b, " ends, or another signal comes");
	return error;
}

int
chain_describe_thread(struct chain *c, const struct snapshot_process *process,
    size_t index, size_t alike, unsigned depth)
{
	const struct snapshot_thread *thread = &process->threads[index];
	struct line *line = chain_add_line(c, LINE_THREAD, depth, process->pid);

	if (line == NULL)
		return -ENOMEM;
	line->tid = thread->tid;
	line->why = thread->wait.error == 0 ? thread->wait.why :
					      errno_name(thread->wait.error);
	chain_put_process(&line->text, process);
	if (alike > 1)
		buffer_put(&line->text, ": each of %zu threads", alike);
	else if (process->count > 1)
		buffer_put(&line->text, " thread %jd", (intmax_t)thread->tid);
	buffer_put(&line->text, " ");
	return put_thread(&line->text, c, process, thread);
}

/* A line that begins with PROCESS; or NULL without memory. */
static struct line *
add_process(struct chain *c, const struct snapshot_process *process,
    unsigned depth)
{
	struct line *line = chain_add_line(c, LINE_PROCESS, depth,
	    process->pid);

	if (line != NULL)
		chain_put_process(&line->text, process);
	return line;
}

int
chain_describe_missing(struct chain *c, const struct snapshot_process *process,
    unsigned depth)
{
	struct line *line = add_process(c, process, depth);

	if (line == NULL)
		return -ENOMEM;
	if (process->error == -ESRCH)
		buffer_put(&line->text, " has ended");
	else {
		line->why = errno_name(-process->error);
		buffer_put(&line->text, " cannot be examined (%s)", line->why);
	}
	return 0;
}

int
chain_describe_pmux(struct chain *c, const struct snapshot_process *process,
    unsigned depth)
{
	struct line *line = add_process(c, process, depth);

	if (line == NULL)
		return -ENOMEM;
	buffer_put(&line->text, " prints this");
	return 0;
}
