/* SPDX-License-Identifier: ISC */
/*
 * chain_words.c - what a process, a wait and a descriptor are called in a
 * description.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "compat.h"
#include "inspect/explain/chain_parts.h"
#include "inspect/facts/state.h"

void
chain_put_process(struct buffer *b, const struct snapshot_process *process)
{
	buffer_name(b, process->stat.comm, strlen(process->stat.comm));
	buffer_put(b, "[%jd]", (intmax_t)process->pid);
}

static void
put_timeout(struct buffer *b, const struct thread_wait *wait)
{
	if (wait->timeout == THREAD_FOREVER)
		buffer_put(b, ", without timeout");
	else if (wait->timeout >= 0)
		buffer_put(b, ", for at most %" PRId64 ".%03" PRId64 " s",
		    wait->timeout / 1000000000, wait->timeout / 1000000 % 1000);
}

static void
put_wanted(struct buffer *b, const struct thread_wait *wait)
{
	size_t shown = wait->count > MOST_ENTRIES ? MOST_NAMED : wait->count;

	for (size_t i = 0; i < shown; i++)
		buffer_put(b, "%s%d", i == 0 ? " of " : ", ",
		    wait->wanted[i].fd);
	if (shown < wait->count)
		buffer_put(b, " and %zu others", wait->count - shown);
}

/* The call and its arguments. */
static void
put_call(struct buffer *b, const struct thread_wait *wait)
{
	if (wait->name == NULL)
		buffer_put(b, "system call %ld", wait->number);
	else
		buffer_put(b, "%s", wait->name);
	put_wanted(b, wait);
	if (wait->path != NULL) {
		buffer_put(b, " of ");
		buffer_name(b, wait->path, strlen(wait->path));
	}
	if (wait->call == WAIT_POLL || wait->call == WAIT_SELECT ||
	    wait->call == WAIT_EPOLL)
		put_timeout(b, wait);
}

static void
put_why(struct buffer *b, const struct thread_wait *wait)
{
	if (wait->error != 0 || wait->why != NULL)
		buffer_put(b, " (%s%s%s)",
		    wait->error == 0 ? "" : errno_name(wait->error),
		    wait->error == 0 || wait->why == NULL ? "" : ": ",
		    wait->why == NULL ? "" : wait->why);
}

/* What a thread in STATE does, without its call. */
static void
put_state(struct buffer *b, const struct snapshot_process *process, char state)
{
	switch (state) {
	case 'T':
		buffer_put(b, "is stopped by a signal");
		break;
	case 't':
		buffer_put(b, "is stopped by its tracer");
		if (process->status.tracer != 0)
			buffer_put(b, " %jd", (intmax_t)process->status.tracer);
		break;
	case 'D':
		buffer_put(b, "is in uninterruptible sleep");
		break;
	case 'Z':
	case 'X':
		buffer_put(b, "has ended");
		break;
	default:
		buffer_put(b, "sleeps");
		break;
	}
}

void
chain_put_wait(struct buffer *b, const struct snapshot_process *process,
    const struct snapshot_thread *thread)
{
	const struct thread_wait *wait = &thread->wait;

	if (wait->call == WAIT_RUNNING && wait->state != 'T') {
		buffer_put(b, "runs");
		return;
	}
	put_state(b, process, wait->state);
	if (wait->call == WAIT_NOTHING)
		return;
	if (wait->call == WAIT_UNKNOWN) {
		buffer_put(b, ", in a call that is unknown");
		put_why(b, wait);
		return;
	}
	buffer_put(b,
	    strchr("STDt", wait->state) == NULL || wait->state == 'S' ?
		" in " :
		", in ");
	put_call(b, wait);
	put_why(b, wait);
}

const char *
chain_kind(enum kind kind)
{
	static const char nouns[KINDS][20] = {
		[KIND_PIPE] = "a pipe",
		[KIND_FIFO] = "a fifo",
		[KIND_TCP] = "a tcp socket",
		[KIND_UDP] = "a udp socket",
		[KIND_UNIX] = "a unix socket",
		[KIND_SOCKET] = "a socket",
		[KIND_TERMINAL] = "a terminal",
		[KIND_EVENTFD] = "an eventfd",
		[KIND_TIMERFD] = "a timerfd",
		[KIND_SIGNALFD] = "a signalfd",
		[KIND_INOTIFY] = "an inotify instance",
		[KIND_FANOTIFY] = "a fanotify group",
		[KIND_PIDFD] = "a pidfd",
		[KIND_EPOLL] = "an epoll",
		[KIND_IO_URING] = "an io_uring",
		[KIND_DIRECTORY] = "a directory",
		[KIND_DEVICE] = "a device",
	};

	return kind < KINDS && *nouns[kind] != '\0' ? nouns[kind] : "a file";
}

void
chain_put_descriptor(struct buffer *b, const struct snapshot_descriptor *found)
{
	const struct descriptor *d = &found->d;
	struct buffer state = { .bytes = NULL };

	buffer_put(b, "%d is %s", d->number, chain_kind(d->kind));
	state_text(&state, d);
	if (state.used > 0) {
		buffer_put(b, " (");
		buffer_bytes(b, state.bytes, state.used);
		buffer_put(b, ")");
	}
	b->failed |= state.failed;
	buffer_free(&state);
	buffer_put(b, ", ready: ");
	if (d->unknown[FACT_READY] != NULL)
		buffer_put(b, "unknown (%s)", d->unknown[FACT_READY]);
	else
		state_events(b, d->ready);
}
