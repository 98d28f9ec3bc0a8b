/* SPDX-License-Identifier: ISC */
/*
 * judge_wait.c - findings about one descriptor that is waited for.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/select.h>

#include "inspect/explain/findings.h"
#include "inspect/facts/state.h"
#include "sys/signals.h"

/* The default capacity of a pipe (pipe(7)). */
#define USUAL_CAPACITY 65536

/* A finding about what W waits for, of which nothing has moved; or NULL. */
static struct finding *
add_unmoved(struct judge *judge, const struct waited *w, enum finding_code code)
{
	const struct descriptor *d = &w->found->d;
	struct finding *f = findings_add(judge, code, w->process,
	    w->epoll == NULL ? -1 : w->epoll->d.number, d->number);

	if (f == NULL)
		return NULL;
	findings_mix(f, d->inode);
	findings_mix(f, (uint64_t)d->unread);
	return f;
}

/* The same, if the thread has slept, too. */
static struct finding *
add(struct judge *judge, const struct waited *w, enum finding_code code)
{
	struct finding *f = add_unmoved(judge, w, code);

	if (f == NULL)
		return NULL;
	if (w->thread != NULL && w->thread->is_counted)
		findings_mix(f, w->thread->busy.times.ran);
	return f;
}

/* Bits of poll(2) that D has, if that is known. */
static bool
is_ready(const struct descriptor *d, unsigned bits)
{
	return d->unknown[FACT_READY] == NULL && (d->ready & bits) != 0;
}

static bool
is_not_ready(const struct descriptor *d, unsigned bits)
{
	return d->unknown[FACT_READY] == NULL && (d->ready & bits) == 0;
}

/* How many have the end that is read, or written. */
static size_t
count_ends(const struct snapshot_descriptor *found, bool writers)
{
	size_t count = 0;

	for (size_t i = 0; i < found->peers.other.count; i++) {
		const struct holder *h = &found->peers.other.list[i];

		count += writers ? h->writable : h->readable;
	}
	return count;
}

/* Each judge_... returns 0 or -ENOMEM. */
static int
judge_reader(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	struct finding *f;
	size_t writers;

	if (is_ready(d, POLLIN | POLLHUP) || d->unknown[FACT_READY] != NULL ||
	    d->writable || !w->found->has_peers)
		return 0;
	writers = count_ends(w->found, true);
	if (writers > 0 && !judge->all)
		return 0;
	f = add(judge, w,
	    writers > 0 ? FINDING_WAITS_FOR_WRITER : FINDING_NO_WRITER_VISIBLE);
	if (f == NULL)
		return -ENOMEM;
	if (writers > 0)
		buffer_put(&f->sentence,
		    "descriptor %d is empty, and %zu %s its write end open",
		    d->number, writers,
		    writers == 1 ? "descriptor has" : "descriptors have");
	else
		buffer_put(&f->sentence,
		    "descriptor %d is empty and did not hang up, but no process"
		    " that can be seen has its write end",
		    d->number);
	return 0;
}

static int
judge_writer(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	struct finding *f;

	if (is_ready(d, POLLERR)) {
		if (!judge->all)
			return 0;
		if ((f = add(judge, w, FINDING_NO_READER)) == NULL)
			return -ENOMEM;
		buffer_put(&f->sentence,
		    "no process has the read end of descriptor %d: a write gets"
		    " SIGPIPE and EPIPE",
		    d->number);
		return 0;
	}
	if (!is_not_ready(d, POLLOUT) || w->thread == NULL ||
	    w->process->is_stuck)
		return 0;
	if ((f = add(judge, w, FINDING_FULL)) == NULL)
		return -ENOMEM;
	buffer_put(&f->sentence,
	    "descriptor %d is full (%" PRId64 " of %" PRId64
	    " bytes), and nothing was read from it",
	    d->number, d->unread, d->capacity);
	return 0;
}

static int
judge_pipe(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	struct finding *f;
	int error = 0;

	if (d->readable && (w->events & POLLIN) != 0)
		error = judge_reader(judge, w);
	if (error == 0 && d->writable && (w->events & POLLOUT) != 0)
		error = judge_writer(judge, w);
	if (error != 0 || !judge->all || d->capacity <= 0 ||
	    d->capacity >= USUAL_CAPACITY)
		return error;
	if ((f = add(judge, w, FINDING_SMALL_PIPE)) == NULL)
		return -ENOMEM;
	buffer_put(&f->sentence,
	    "the capacity of descriptor %d is %" PRId64
	    " bytes, less than the usual %d",
	    d->number, d->capacity, USUAL_CAPACITY);
	return 0;
}

static int
judge_listener(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	struct finding *f;

	/* so many may wait and one more (net/core, sk_acceptq_is_full) */
	if (d->sock.receive <= d->sock.send)
		return 0;
	if ((f = add(judge, w, FINDING_BACKLOG)) == NULL)
		return -ENOMEM;
	findings_mix(f, d->sock.receive);
	buffer_put(&f->sentence,
	    "%" PRIu32 " connections wait to be accepted at descriptor %d,"
	    " whose queue of %" PRIu32 " is full",
	    d->sock.receive, d->number, d->sock.send);
	return 0;
}

static int
judge_sender(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	bool persists = d->kind == KIND_TCP &&
	    d->sock.timer == SOCK_TIMER_PERSIST;
	/* one that goes round its timers does not sleep all the time */
	bool is_known = d->kind == KIND_TCP && !d->asked_copy &&
	    d->sock.sent_ago > BUSY_TIME / 1000000;
	enum finding_code code = persists ? FINDING_PEER_NOT_READING :
					    FINDING_FULL;
	struct finding *f;

	if (!is_not_ready(d, POLLOUT) || w->thread == NULL ||
	    w->process->is_stuck)
		return 0;
	f = is_known ? add_unmoved(judge, w, code) : add(judge, w, code);
	if (f == NULL)
		return -ENOMEM;
	findings_mix(f, d->sock.send);
	if (persists)
		buffer_put(&f->sentence,
		    "the peer of descriptor %d does not read: it has no room,"
		    " and %" PRIu32 " bytes wait here",
		    d->number, d->sock.send);
	else
		buffer_put(&f->sentence,
		    "descriptor %d is full, and nothing was read from it",
		    d->number);
	return 0;
}

static int
note(struct judge *judge, const struct waited *w, enum finding_code code,
    const char *text)
{
	struct finding *f;

	if (!judge->all)
		return 0;
	if ((f = add(judge, w, code)) == NULL)
		return -ENOMEM;
	buffer_put(&f->sentence, "descriptor %d %s", w->found->d.number, text);
	return 0;
}

/* The same, with the name of H between BEFORE and BEHIND. */
static int
note_holder(struct judge *judge, const struct waited *w, enum finding_code code,
    const struct holder *h, const char *before, const char *behind)
{
	struct snapshot_process *other;
	struct finding *f;
	int error = snapshot_process(judge->chain->snapshot, h->pid, &other);

	if (error != 0)
		return error;
	if ((f = add(judge, w, code)) == NULL)
		return -ENOMEM;
	buffer_put(&f->sentence, "descriptor %d %s", w->found->d.number,
	    before);
	chain_put_process(&f->sentence, other);
	buffer_put(&f->sentence, "/%d%s", h->number, behind);
	return 0;
}

static int
judge_socket(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	int error = 0;

	if (d->sock.inode == 0)
		return 0;
	if (d->sock.state == SOCK_LISTEN)
		return judge_listener(judge, w);
	if ((w->events & POLLOUT) != 0)
		error = judge_sender(judge, w);
	if (error == 0 && d->kind == KIND_TCP &&
	    d->sock.state == SOCK_CLOSE_WAIT)
		error = note(judge, w, FINDING_PEER_CLOSED,
		    "is in close-wait: the peer has closed, and this process"
		    " has not");
	if (error == 0 && d->kind == KIND_TCP && d->sock.state == SOCK_CLOSE)
		error = note(judge, w, FINDING_NOT_CONNECTED,
		    "is a socket that is not connected, and always hung up");
	if (error == 0 && d->kind == KIND_UDP && is_ready(d, POLLERR))
		error = note(judge, w, FINDING_ERROR_QUEUE,
		    "has an error that is reported until it is read");
	return error;
}

static int
judge_terminal(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	struct finding *f;

	if (d->unknown[FACT_STATE] != NULL || d->unknown[FACT_READY] != NULL)
		return 0;
	if (d->terminal.hung_up) {
		if ((f = add(judge, w, FINDING_TERMINAL_GONE)) == NULL)
			return -ENOMEM;
		buffer_put(&f->sentence,
		    "the other side of descriptor %d, a terminal, has gone",
		    d->number);
		return 0;
	}
	if (d->terminal.lines && !d->terminal.master &&
	    (w->events & POLLIN) != 0 && is_not_ready(d, POLLIN))
		return note(judge, w, FINDING_NO_LINE_YET,
		    "is a terminal that is read by lines: what was typed counts"
		    " from its newline on");
	return 0;
}

static int
judge_signalfd(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	uint64_t missing = d->info.signals & ~w->process->status.blocked;
	struct finding *f;
	char space[SIGNALS_SPACE];

	if (missing == 0)
		return 0;
	if ((f = add(judge, w, FINDING_SIGNAL_NOT_BLOCKED)) == NULL)
		return -ENOMEM;
	findings_mix(f, missing);
	for (int n = 1; n <= 64; n++)
		if ((missing >> (n - 1) & 1) != 0)
			buffer_put(&f->sentence, "%s%s",
			    f->sentence.used == 0 ? "" : ",",
			    signals_name(n, space));
	buffer_put(&f->sentence,
	    ": not blocked, so descriptor %d, a signalfd, does not get it",
	    d->number);
	return 0;
}

static int
judge_number(struct judge *judge, const struct waited *w)
{
	if (w->thread == NULL || w->thread->wait.call != WAIT_SELECT ||
	    w->found->d.number < FD_SETSIZE)
		return 0;
	return note(judge, w, FINDING_PAST_FD_SETSIZE,
	    "is past FD_SETSIZE: an fd_set has no bit for it");
}

/* Another process that has the same description has O_NONBLOCK, too. */
static int
judge_sharing(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;
	const struct holder *h = NULL;
	int error;

	if (!judge->all || !d->nonblock || d->kind == KIND_EPOLL)
		return 0;
	error = snapshot_peers(judge->chain->snapshot, w->found);
	for (size_t i = 0; i < w->found->peers.same.count && h == NULL; i++)
		if (w->found->peers.same.list[i].pid != d->pid)
			h = &w->found->peers.same.list[i];
	if (error != 0 || h == NULL)
		return error;
	return note_holder(judge, w, FINDING_NONBLOCK_SHARED, h,
	    "has O_NONBLOCK, and so has ", ", the same open file");
}

/* Whether THREAD of H's process sleeps in a wait for it.  0 or -ENOMEM. */
static int
thread_waits(struct snapshot *snapshot, const struct snapshot_thread *thread,
    const struct holder *h, bool *waits)
{
	const struct thread_wait *wait = &thread->wait;
	struct snapshot_descriptor *found;
	int error = 0;

	for (size_t i = 0; wait->state == 'S' && i < wait->count && error == 0;
	     i++) {
		*waits |= wait->wanted[i].fd == h->number;
		error = snapshot_descriptor(snapshot, h->pid,
		    wait->wanted[i].fd, &found);
		if (error != 0 || found->error != 0 ||
		    found->d.kind != KIND_EPOLL)
			continue;
		error = snapshot_entries(snapshot, found);
		for (size_t j = 0; j < found->entries.count; j++)
			*waits |= found->entries.list[j].entry.number ==
				h->number &&
			    found->entries.list[j].armed;
	}
	return error;
}

/* The same open file is waited for in another process.  0 or -ENOMEM. */
static int
judge_processes(struct judge *judge, const struct waited *w)
{
	struct snapshot *snapshot = judge->chain->snapshot;
	struct snapshot_process *p;
	int error = snapshot_peers(snapshot, w->found);

	for (size_t i = 0; i < w->found->peers.same.count && error == 0; i++) {
		const struct holder *h = &w->found->peers.same.list[i];
		bool waits = false;

		if (h->pid == w->process->pid)
			continue;
		error = snapshot_process(snapshot, h->pid, &p);
		for (size_t j = 0; error == 0 && j < p->count && !waits; j++)
			error = thread_waits(snapshot, &p->threads[j], h,
			    &waits);
		if (error == 0 && waits)
			return note_holder(judge, w, FINDING_SEVERAL_WAITERS, h,
			    "is waited for here, and as ",
			    ": an event wakes one of them or all");
	}
	return error;
}

/* Two threads wait for it; if both are of this process, W is the second. */
static int
judge_others(struct judge *judge, const struct waited *w)
{
	const struct chain *c = judge->chain;

	if (!judge->all || w->thread == NULL)
		return 0;
	for (const struct waited *other = c->waits; other != w; other++)
		if (other->found == w->found && other->thread != NULL &&
		    other->thread != w->thread)
			return note(judge, w, FINDING_SEVERAL_WAITERS,
			    "is waited for by several threads: an event wakes"
			    " one of them or all");
	return judge_processes(judge, w);
}

static int
judge_kind(struct judge *judge, const struct waited *w)
{
	const struct descriptor *d = &w->found->d;

	switch (d->kind) {
	case KIND_PIPE:
	case KIND_FIFO:
		return judge_pipe(judge, w);
	case KIND_TCP:
	case KIND_UDP:
	case KIND_UNIX:
		return judge_socket(judge, w);
	case KIND_TERMINAL:
		return judge_terminal(judge, w);
	case KIND_SIGNALFD:
		return judge_signalfd(judge, w);
	case KIND_INOTIFY:
		return judge_watches(judge, w);
	case KIND_TIMERFD:
		return d->info.clock != -1 && d->info.value == 0 &&
			d->info.ticks == 0 ?
		    note(judge, w, FINDING_DISARMED,
			"is a timer that is not set") :
		    0;
	case KIND_FILE:
		return is_ready(d, POLLIN) ?
		    note(judge, w, FINDING_FILE_ALWAYS_READY,
			"is a file, and always ready, at its end, too") :
		    0;
	default:
		return 0;
	}
}

int
judge_wait(struct judge *judge, const struct waited *w)
{
	int error = judge_kind(judge, w);

	if (error == 0)
		error = judge_number(judge, w);
	if (error == 0)
		error = judge_sharing(judge, w);
	if (error == 0)
		error = judge_others(judge, w);
	return error;
}
