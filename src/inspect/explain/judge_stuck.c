/* SPDX-License-Identifier: ISC */
/*
 * judge_stuck.c - findings about processes that wait for each other, or for
 * themselves.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/explain/findings.h"

/* A circle that is longer is not described. */
#define LONGEST 32

/* ---- circles ---- */

struct circle {
	const struct edge *edges[LONGEST];
	size_t count;
};

/* Where in WAY the process of EDGE was before, or WAY->count. */
static size_t
find(const struct circle *way, const struct snapshot_process *process)
{
	size_t i;

	for (i = 0; i < way->count; i++)
		if (way->edges[i]->from == process)
			break;
	return i;
}

/* Follow the edges from PROCESS, all stuck, into a circle. */
static bool
find_circle(const struct chain *chain, const struct snapshot_process *process,
    struct circle *circle)
{
	struct circle way = { .count = 0 };
	size_t at;

	while ((at = find(&way, process)) == way.count) {
		const struct edge *edge = chain_stuck_edge(chain, process);

		if (edge == NULL || way.count == LONGEST)
			return false;
		way.edges[way.count++] = edge;
		process = edge->to;
	}
	circle->count = 0;
	while (at < way.count)
		circle->edges[circle->count++] = way.edges[at++];
	return true;
}

/* Begin at the process with the lowest number, so that it has one form. */
static void
rotate(struct circle *circle)
{
	struct circle from = *circle;
	size_t first = 0;

	for (size_t i = 1; i < from.count; i++)
		if (from.edges[i]->from->pid < from.edges[first]->from->pid)
			first = i;
	for (size_t i = 0; i < from.count; i++)
		circle->edges[i] = from.edges[(first + i) % from.count];
}

static void
put_edge(struct buffer *b, const struct edge *edge)
{
	chain_put_process(b, edge->from);
	buffer_put(b, " ");
	if (edge->number == -1) {
		buffer_put(b,
		    edge->to == edge->from ? "waits for a thread of its own" :
					     "waits for its child ");
		if (edge->to != edge->from)
			chain_put_process(b, edge->to);
		return;
	}
	chain_put_wait(b, edge->from, edge->thread);
	buffer_put(b, ", and the other end of %d is ", edge->number);
	chain_put_process(b, edge->to);
	buffer_put(b, "/%d", edge->other);
}

static void
mix_threads(struct finding *f, const struct snapshot_process *process)
{
	for (size_t i = 0; i < process->count; i++)
		findings_mix(f, process->threads[i].busy.times.ran);
	findings_mix(f, process->stat.start);
}

/* ---- hidden processes ---- */

/* The session of process PID, or -1. */
static pid_t
session_of(struct source *source, pid_t pid)
{
	char directory[SOURCE_PATH];
	struct procfs_stat stat;

	(void)snprintf(directory, sizeof directory, "%jd", (intmax_t)pid);
	return procfs_stat(source, directory, &stat) == 0 ? stat.session : -1;
}

static bool
is_hidden(struct source *source, pid_t pid)
{
	char path[SOURCE_PATH];
	int *list, count;

	(void)snprintf(path, sizeof path, "%jd/fd", (intmax_t)pid);
	count = source_list(source, path, &list);
	if (count >= 0)
		free(list);
	return count == -EACCES || count == -EPERM;
}

bool
judge_hidden_relative(struct snapshot *snapshot,
    const struct snapshot_process *process)
{
	pid_t session = process->stat.session;
	int *list, count;
	bool found = false;

	if (snapshot->world.hidden == 0 ||
	    (count = source_list(snapshot->source, ".", &list)) < 0)
		return snapshot->world.hidden > 0;
	for (int i = 0; i < count && !found; i++)
		found = session_of(snapshot->source, list[i]) == session &&
		    is_hidden(snapshot->source, list[i]);
	free(list);
	return found;
}

/* F is about PROCESS, and it depends on who has the ends of its pipes. */
static void
consider_hidden(struct judge *judge, struct finding *f,
    const struct snapshot_process *process)
{
	if (!judge_hidden_relative(judge->chain->snapshot, process))
		return;
	f->severity = SEVERITY_SUSPECT;
	buffer_put(&f->details,
	    "a hidden process of the same session may have an end, too\n");
}

/* ---- signals ---- */

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

/*
 * What may come without another process: of alarm(2), of fcntl(2) with F_SETOWN,
 * and from SIGRTMIN on of timer_create(2) and the like.  The two before that are
 * those of the C library.  The timers of processor time stand still.
 */
#define FROM_KERNEL (BIT(SIGALRM) | BIT(SIGIO) | ~(BIT(34) - 1))

/*
 * What reports a fault of the process itself, or is the C library's.
 */
#define NO_WAKING                                                      \
	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) |      \
	    BIT(SIGTRAP) | BIT(SIGABRT) | BIT(SIGSYS) | BIT(SIGPIPE) | \
	    BIT(SIGPROF) | BIT(SIGVTALRM) | BIT(32) | BIT(33))

/*
 * A handler of SIGINT that Python always has writes nothing.  Python is known by
 * the two signals that it ignores; a handler that writes is given a non-blocking
 * end there (signal.set_wakeup_fd).
 */
static uint64_t
waking_signals(const struct snapshot_process *process, bool is_nonblocking)
{
	const uint64_t ignored = BIT(SIGPIPE) | BIT(SIGXFSZ);

	return ~NO_WAKING &
	    ~(!is_nonblocking &&
			(process->status.ignored & ignored) == ignored ?
		    BIT(SIGINT) :
		    0);
}

/* F is about PROCESS, which a handler of one of SIGNALS may wake. */
static void
consider_signals(struct finding *f, const struct snapshot_process *process,
    uint64_t signals)
{
	if ((process->status.caught & ~process->status.blocked & signals) == 0)
		return;
	f->severity = SEVERITY_SUSPECT;
	buffer_put(&f->details, "a handler of signals of ");
	chain_put_process(&f->details, process);
	buffer_put(&f->details, " may end this\n");
}

/* ---- files in flight ---- */

/*
 * Whether a message that waits at that socket has descriptors (unix(7),
 * SCM_RIGHTS; net/unix/af_unix.c, unix_show_fdinfo, Linux 5.5).
 */
static bool
has_descriptors(struct source *source, const struct world_file *socket)
{
	static const char key[] = "\nscm_fds:";
	char path[SOURCE_PATH], *text;
	const char *found;

	(void)snprintf(path, sizeof path, "%jd/fdinfo/%d",
	    (intmax_t)socket->pid, socket->number);
	if (source_read(source, &text, path) < 0)
		return false;
	found = strstr(text, key);
	return found != NULL && strtoul(found + sizeof key - 1, NULL, 10) > 0;
}

/* F depends on who has the ends of pipes: one may be in such a message. */
static int
consider_flight(struct judge *judge, struct finding *f)
{
	struct snapshot *snapshot = judge->chain->snapshot;
	const struct world *world = &snapshot->world;
	uint64_t sockets = world_key_socket(0).device;
	int error = snapshot_world(snapshot, false);

	for (size_t i = 0; error == 0 && i < world->count; i++)
		if (world->files[i].key.device == sockets &&
		    has_descriptors(snapshot->source, &world->files[i])) {
			f->severity = SEVERITY_SUSPECT;
			buffer_put(&f->details,
			    "a message that was not received yet may have an"
			    " end, too\n");
			break;
		}
	return error == -ENOMEM ? error : 0;
}

static int
add_deadlock(struct judge *judge, const struct circle *circle)
{
	struct finding *f = findings_add(judge, FINDING_DEADLOCK,
	    circle->edges[0]->from, -1, -1);

	if (f == NULL)
		return -ENOMEM;
	buffer_free(&f->where);
	buffer_put(&f->where, "-");
	for (size_t i = 0; i < circle->count; i++) {
		if (i > 0)
			buffer_put(&f->sentence, "; ");
		put_edge(&f->sentence, circle->edges[i]);
		mix_threads(f, circle->edges[i]->from);
		consider_signals(f, circle->edges[i]->from, FROM_KERNEL);
		findings_mix(f, (uint64_t)circle->edges[i]->number);
		findings_mix(f, (uint64_t)circle->edges[i]->other);
	}
	consider_hidden(judge, f, circle->edges[0]->from);
	return consider_flight(judge, f);
}

/* ---- one that waits for itself ---- */

/* Whether the write end OTHER of W's pipe may be for a handler of signals. */
static int
is_for_handler(struct judge *judge, const struct edge *edge)
{
	struct snapshot_descriptor *end;
	int error = snapshot_descriptor(judge->chain->snapshot, edge->to->pid,
	    edge->other, &end);

	return error != 0 ? error : end->error != 0 || end->d.nonblock;
}

/* How many descriptors the thread of EDGE waits for. */
static size_t
count_waits(const struct chain *chain, const struct edge *edge)
{
	size_t count = 0;

	for (size_t i = 0; i < chain->wait_count; i++)
		count += chain->waits[i].thread == edge->thread &&
		    (chain->waits[i].found == NULL ||
			chain->waits[i].found->d.kind != KIND_EPOLL);
	return count;
}

/*
 * In read(2) of a pipe, the write ends of which are all its own; or in another
 * wait for this alone, unless the write end is non-blocking, as where a handler
 * of signals writes into it.
 */
static int
judge_own(struct judge *judge, const struct edge *edge)
{
	struct snapshot_descriptor *found;
	struct finding *f;
	int error, handler;
	bool waits;

	if (edge->number == -1 || (edge->events & POLLIN) == 0)
		return 0;
	error = snapshot_descriptor(judge->chain->snapshot, edge->from->pid,
	    edge->number, &found);
	if (error != 0 || found->error != 0 || found->d.kind != KIND_PIPE ||
	    found->d.writable)
		return error;
	handler = is_for_handler(judge, edge);
	waits = edge->thread->wait.call != WAIT_READ;
	if (handler < 0 ||
	    (waits && (handler != 0 || count_waits(judge->chain, edge) != 1)))
		return handler < 0 ? handler : 0;
	f = findings_add(judge, FINDING_OWN_WRITE_END, edge->from, -1,
	    edge->number);
	if (f == NULL)
		return -ENOMEM;
	mix_threads(f, edge->from);
	findings_mix(f, found->d.inode);
	buffer_put(&f->sentence,
	    "no end of file can come: the write end of"
	    " descriptor %d is open in ",
	    edge->number);
	chain_put_process(&f->sentence, edge->from);
	buffer_put(&f->sentence, " itself, as %d, and nowhere else",
	    edge->other);
	consider_signals(f, edge->from,
	    waking_signals(edge->from, handler == 1));
	consider_hidden(judge, f, edge->from);
	return consider_flight(judge, f);
}

static bool
waits_only_for_itself(const struct chain *chain,
    const struct snapshot_process *process)
{
	for (size_t i = 0; i < chain->edge_count; i++)
		if (chain->edges[i].from == process &&
		    chain->edges[i].to != process)
			return false;
	return true;
}

int
judge_stuck(struct judge *judge)
{
	const struct chain *c = judge->chain;
	struct circle circle;
	int error = 0;

	for (const struct snapshot_process *p = c->snapshot->processes;
	     p != NULL && error == 0; p = p->next) {
		if (!p->is_stuck || !find_circle(c, p, &circle))
			continue;
		if (circle.count > 1) {
			rotate(&circle);
			error = add_deadlock(judge, &circle);
			continue;
		}
		for (size_t i = 0; i < c->edge_count && error == 0; i++)
			if (c->edges[i].from == p && c->edges[i].to == p &&
			    waits_only_for_itself(c, p))
				error = judge_own(judge, &c->edges[i]);
	}
	return error;
}
