/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "base/list.h"
#include "inspect/explain/chain.h"
#include "inspect/facts/state.h"

/* A description goes only so deep, and names only so many of a kind. */
#define DEEPEST 12
#define MOST_NAMED 3
#define MOST_ENTRIES 8

/* FUTEX_PRIVATE_FLAG of futex(2). */
#define KERNEL_FUTEX_PRIVATE 128U

/* ---- lists ---- */

struct line *
chain_add_line(struct chain *c, enum line_type type, unsigned depth, pid_t pid)
{
	struct line *line = list_room(c->lines, c->line_count, sizeof *line);

	if (line == NULL)
		return NULL;
	c->lines = line;
	line += c->line_count++;
	*line = (struct line){ .type = type,
		.depth = depth,
		.pid = pid,
		.number = -1 };
	return line;
}

static int
add_wait(struct chain *c, const struct waited *wait)
{
	struct waited *to = list_room(c->waits, c->wait_count, sizeof *to);

	if (to == NULL)
		return -ENOMEM;
	c->waits = to;
	c->waits[c->wait_count++] = *wait;
	return 0;
}

static int
add_edge(struct chain *c, const struct edge *edge)
{
	struct edge *to = list_room(c->edges, c->edge_count, sizeof *to);

	if (to == NULL)
		return -ENOMEM;
	c->edges = to;
	c->edges[c->edge_count++] = *edge;
	return 0;
}

void
chain_free(struct chain *chain)
{
	for (size_t i = 0; i < chain->line_count; i++)
		buffer_free(&chain->lines[i].text);
	free(chain->lines);
	free(chain->waits);
	free(chain->edges);
}

/* ---- words ---- */

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

static bool
is_socket(enum kind kind)
{
	return kind == KIND_TCP || kind == KIND_UDP || kind == KIND_UNIX;
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

static void
put_descriptor(struct buffer *b, const struct snapshot_descriptor *found)
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

/* ---- the walk ---- */

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
	return add_edge(w->chain, &edge);
}

static const char *
role(const struct descriptor *d, unsigned events)
{
	if (d->kind == KIND_PIPE || d->kind == KIND_FIFO)
		return (events & POLLIN) != 0 ||
			(!d->writable && (events & POLLOUT) == 0) ?
		    "writer" :
		    "reader";
	return "other end";
}

/* Whether H is the end that EVENTS of D wait for. */
static bool
is_partner(const struct descriptor *d, unsigned events, const struct holder *h)
{
	if (d->kind != KIND_PIPE && d->kind != KIND_FIFO)
		return true;
	return strcmp(role(d, events), "writer") == 0 ? h->writable :
							h->readable;
}

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
	buffer_put(&line->text, "its %s is ", role(d, events));
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
	buffer_put(&line->text, "and %zu more %s%s", left, role(d, events),
	    left == 1 ? "" : "s");
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
	buffer_put(&line->text, "its %s is unknown (%s)", role(d, events),
	    line->why);
	return 0;
}

/* Whether the thread would not sleep if what it waits for was ready. */
static bool
is_direct(const struct snapshot_thread *thread)
{
	switch (thread->wait.call) {
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_READ:
	case WAIT_WRITE:
		return true;
	default:
		return false;
	}
}

/* Whether all who may end a wait of W for EVENTS of D are among those found. */
static bool
is_closed_world(const struct walk *w, const struct descriptor *d,
    unsigned events)
{
	bool is_known = d->unknown[FACT_READY] == NULL;

	if (w->thread == NULL || d->unknown[FACT_PEERS] != NULL ||
	    (!is_known && !is_direct(w->thread)))
		return false;
	/* it is ready: the wait ends at once */
	if (is_known &&
	    (d->ready & (events | POLLERR | POLLHUP | POLLNVAL)) != 0)
		return false;
	if (d->kind == KIND_PIPE)
		return true;
	/* whoever knows the name may open it, and write */
	if (d->kind == KIND_FIFO)
		return events == POLLOUT;
	return d->kind == KIND_UNIX && d->sock.state == SOCK_ESTABLISHED &&
	    d->sock.type != SOCK_DGRAM;
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

		if (!is_partner(d, events, h))
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
	if (all == 0 || !is_closed_world(w, d, events))
		set_free(w);
	return error;
}

static bool
has_partners(const struct descriptor *d)
{
	return d->kind == KIND_PIPE || d->kind == KIND_FIFO ||
	    (is_socket(d->kind) && d->sock.state != SOCK_LISTEN) ||
	    (d->kind == KIND_TERMINAL && d->terminal.index >= 0);
}

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
	put_descriptor(&line->text, found);
	if (found->d.kind == KIND_EPOLL)
		return walk_instance(w, found);
	if (w->depth < DEEPEST && has_partners(&found->d))
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
		error = add_wait(w->chain, &wait);
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
		error = add_wait(w->chain, &wait);
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

/*
 * Find the child that PROCESS calls *WANTED, among COUNT in LIST: in another pid
 * namespace it has another number (pid_namespaces(7)).  Returns 0 with its
 * number here in *WANTED, or 0 there if it is not known; or -ENOMEM.
 */
static int
find_child(const struct chain *c, const struct snapshot_process *process,
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

static int
walk_children(const struct walk *w)
{
	pid_t *list, wanted = w->thread->wait.child;
	int count = snapshot_children(w->chain->snapshot, w->process, &list),
	    error = 0;
	size_t walked = 0;

	if (wanted > 0)
		error = find_child(w->chain, w->process, list, count, &wanted);
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

/* How many threads from INDEX on do the same; 0 if an earlier one does. */
static size_t
count_alike(const struct snapshot_process *process, size_t index)
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
		error = find_child(c, process, list, count, &wanted);
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

/* The line about thread INDEX, and ALIKE threads in all that do the same. */
static int
describe_thread(struct chain *c, const struct snapshot_process *process,
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

static int
describe_missing(struct chain *c, const struct snapshot_process *process,
    unsigned depth)
{
	struct line *line = chain_add_line(c, LINE_PROCESS, depth,
	    process->pid);

	if (line == NULL)
		return -ENOMEM;
	chain_put_process(&line->text, process);
	if (process->error == -ESRCH)
		buffer_put(&line->text, " has ended");
	else {
		line->why = errno_name(-process->error);
		buffer_put(&line->text, " cannot be examined (%s)", line->why);
	}
	return 0;
}

static int
describe_pmux(struct chain *c, const struct snapshot_process *process,
    unsigned depth)
{
	struct line *line = chain_add_line(c, LINE_PROCESS, depth,
	    process->pid);

	if (line == NULL)
		return -ENOMEM;
	chain_put_process(&line->text, process);
	buffer_put(&line->text, " prints this");
	return 0;
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
		return describe_pmux(c, process, depth);
	if (process->error != 0)
		return describe_missing(c, process, depth);
	process->is_above = true;
	for (size_t i = 0; i < process->count && error == 0; i++) {
		struct walk w = { c, process, &process->threads[i], depth + 1 };

		alike = count_alike(process, i);
		if (alike > 0)
			error = describe_thread(c, process, i, alike, depth);
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
	error = add_wait(chain, &wait);
	return error != 0 ? error : walk_descriptor(&w, found, wait.events);
}

/* ---- who is stuck ---- */

static bool
can_go_on(const struct chain *c, const struct snapshot_process *process)
{
	for (size_t i = 0; i < process->count; i++)
		if (process->threads[i].is_free)
			return true;
	for (size_t i = 0; i < c->edge_count; i++)
		if (c->edges[i].from == process && !c->edges[i].to->is_stuck)
			return true;
	return false;
}

void
chain_find_stuck(struct chain *c)
{
	struct snapshot_process *p;
	bool again = true;

	for (p = c->snapshot->processes; p != NULL; p = p->next)
		p->is_stuck = p->is_walked && p->error == 0 && p->count > 0;
	while (again) {
		again = false;
		for (p = c->snapshot->processes; p != NULL; p = p->next)
			if (p->is_stuck && can_go_on(c, p)) {
				p->is_stuck = false;
				again = true;
			}
	}
}

const struct edge *
chain_stuck_edge(const struct chain *chain, const struct snapshot_process *from)
{
	const struct edge *own = NULL;

	for (size_t i = 0; i < chain->edge_count; i++) {
		const struct edge *edge = &chain->edges[i];

		if (edge->from != from || !edge->to->is_stuck)
			continue;
		if (edge->to != from)
			return edge;
		if (own == NULL)
			own = edge;
	}
	return own;
}
