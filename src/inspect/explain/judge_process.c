/* SPDX-License-Identifier: ISC */
/*
 * judge_process.c - findings about a process: stopped, out of descriptors, or
 * waiting for a file by its name or lock.
 */
#include "config.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/explain/findings.h"

/* ---- stopped ---- */

static bool
is_stopped(const struct snapshot_process *process)
{
	return process->count > 0 &&
	    (process->threads[0].wait.state == 'T' ||
		process->threads[0].wait.state == 't');
}

/* Whether a connection waits to be accepted at FOUND. */
static bool
is_waited_at(const struct snapshot_descriptor *found)
{
	return found->error == 0 && found->d.sock.inode != 0 &&
	    found->d.sock.state == SOCK_LISTEN && found->d.sock.receive > 0;
}

/* Who waits for a process that is stopped. */
struct waiter_found {
	const struct snapshot_process *process; /* or NULL */
	/* its wait can end otherwise, too: by another process or a timeout */
	bool is_open;
	/* a connection waits to be accepted there; or NULL */
	const struct snapshot_descriptor *listener;
};

/*
 * The first is kept, but for one whose wait cannot end otherwise.  Ctrl-Z stops
 * all of a pipeline: one that is stopped itself is not held up by another.
 */
static void
take_waiter(struct waiter_found *waiter, const struct snapshot_process *process,
    bool is_open)
{
	if (is_stopped(process))
		return;
	if (waiter->process == NULL || (waiter->is_open && !is_open))
		*waiter = (struct waiter_found){ .process = process,
			.is_open = is_open };
}

/* The thread of OTHER that sleeps in a wait for its descriptor NUMBER. */
static const struct snapshot_thread *
thread_waiting(const struct snapshot_process *other, int number)
{
	for (size_t i = 0; i < other->count; i++) {
		const struct thread_wait *wait = &other->threads[i].wait;

		for (size_t j = 0; wait->state == 'S' && j < wait->count; j++)
			if (wait->wanted[j].fd == number)
				return &other->threads[i];
	}
	return NULL;
}

/* Whether all children of PARENT are stopped: 1 or 0, or -ENOMEM. */
static int
all_stopped(struct judge *judge, const struct snapshot_process *parent)
{
	struct snapshot_process *child;
	pid_t *list;
	int count = snapshot_children(judge->chain->snapshot, parent, &list),
	    answer = count > 0;

	for (int i = 0; i < count && answer == 1; i++) {
		answer = snapshot_process(judge->chain->snapshot, list[i],
		    &child);
		if (answer == 0)
			answer = child->error == 0 && is_stopped(child);
	}
	free(list);
	return answer;
}

/*
 * The parent of PROCESS, if it sleeps until this ends, or until one of its
 * children does, all of which are stopped.
 */
static int
find_parent(struct judge *judge, const struct snapshot_process *process,
    struct waiter_found *waiter)
{
	struct snapshot_process *parent;
	int answer = snapshot_process(judge->chain->snapshot,
	    process->stat.parent, &parent);

	if (answer != 0 || parent->error != 0)
		return answer;
	for (size_t i = 0; answer >= 0 && i < parent->count; i++) {
		const struct snapshot_thread *t = &parent->threads[i];
		bool is_named = t->wait.call == WAIT_CHILD &&
		    t->wait.child == process->pid;

		if (t->wait.state != 'S' || !chain_awaits_children(parent, t) ||
		    (t->wait.child > 0 && !is_named))
			continue;
		answer = is_named ? 1 : all_stopped(judge, parent);
		if (answer == 1)
			take_waiter(waiter, parent, t->wait.call != WAIT_CHILD);
	}
	return answer < 0 ? answer : 0;
}

/* Whether another process than FOUND's has this end, too. */
static bool
is_shared(const struct snapshot_descriptor *found)
{
	for (size_t i = 0; i < found->peers.same.count; i++)
		if (found->peers.same.list[i].pid != found->d.pid)
			return true;
	return false;
}

/* One that has the other end of FOUND, and waits for that. */
static int
find_partner(struct judge *judge, struct snapshot_descriptor *found,
    struct waiter_found *waiter)
{
	const struct snapshot_thread *thread;
	struct snapshot_process *other;
	int error = 0;

	if (found->error != 0 ||
	    (found->d.kind != KIND_PIPE && found->d.kind != KIND_FIFO &&
		found->d.kind != KIND_UNIX && found->d.kind != KIND_TCP))
		return 0;
	error = snapshot_peers(judge->chain->snapshot, found);
	for (size_t i = 0; error == 0 && i < found->peers.other.count; i++) {
		const struct holder *h = &found->peers.other.list[i];

		error = snapshot_process(judge->chain->snapshot, h->pid,
		    &other);
		if (error != 0 || other->pid == found->d.pid)
			continue;
		thread = thread_waiting(other, h->number);
		if (thread != NULL)
			take_waiter(waiter, other,
			    thread->wait.count > 1 || is_shared(found) ||
				thread->wait.timeout != THREAD_FOREVER);
	}
	return error;
}

/* How many edges lead from THREAD by NUMBER; *OPEN: to one that runs. */
static size_t
count_edges(const struct chain *c, const struct snapshot_thread *thread,
    int number, bool *open)
{
	size_t count = 0;

	for (size_t i = 0; i < c->edge_count; i++)
		if (c->edges[i].thread == thread &&
		    c->edges[i].number == number) {
			count++;
			*open |= !is_stopped(c->edges[i].to);
		}
	return count;
}

/* Whether what THREAD waits for may come from one that is not stopped. */
static bool
is_open(const struct chain *c, const struct snapshot_thread *thread)
{
	bool open = thread->wait.timeout != THREAD_FOREVER;

	for (size_t i = 0; i < c->wait_count && !open; i++) {
		const struct waited *w = &c->waits[i];

		if (w->thread != thread ||
		    (w->found != NULL && w->found->d.kind == KIND_EPOLL))
			continue;
		open = w->found == NULL || w->found->error != 0 ||
		    count_edges(c, thread, w->found->d.number, &open) <
			w->found->peers.other.count ||
		    w->found->peers.other.count == 0 || open;
	}
	return open;
}

/* Who waits for PROCESS, which is stopped.  0 or -ENOMEM. */
static int
find_waiter(struct judge *judge, const struct snapshot_process *process,
    struct waiter_found *waiter)
{
	const struct chain *c = judge->chain;
	struct snapshot_descriptor *found;
	const struct snapshot_descriptor *listener = NULL;
	char path[SOURCE_PATH];
	int *list, count, error;

	for (size_t i = 0; i < c->edge_count; i++)
		if (c->edges[i].to == process && c->edges[i].from != process &&
		    c->edges[i].number != -1)
			take_waiter(waiter, c->edges[i].from,
			    is_open(c, c->edges[i].thread));
	error = find_parent(judge, process, waiter);
	if (error != 0 || (waiter->process != NULL && !waiter->is_open))
		return error;
	(void)snprintf(path, sizeof path, "%jd/fd", (intmax_t)process->pid);
	count = source_list(c->snapshot->source, path, &list);
	if (count < 0)
		return 0;
	for (int i = 0; i < count && error == 0; i++) {
		error = snapshot_descriptor(c->snapshot, process->pid, list[i],
		    &found);
		if (error == 0)
			error = find_partner(judge, found, waiter);
		if (error == 0 && is_waited_at(found))
			listener = found;
	}
	waiter->listener = listener;
	free(list);
	return error;
}

static void
put_waiter(struct buffer *b, const struct waiter_found *waiter)
{
	if (waiter->process != NULL && !waiter->is_open) {
		buffer_put(b, ", and ");
		chain_put_process(b, waiter->process);
		buffer_put(b, " waits for it");
	} else if (waiter->listener != NULL) {
		uint32_t count = waiter->listener->d.sock.receive;

		buffer_put(b,
		    ", and %" PRIu32 " %s to be accepted at descriptor %d",
		    count, count == 1 ? "connection waits" : "connections wait",
		    waiter->listener->d.number);
	} else if (waiter->process != NULL) {
		buffer_put(b, ", and ");
		chain_put_process(b, waiter->process);
		buffer_put(b, " waits for it, or for something else");
	}
}

static int
judge_stop(struct judge *judge, const struct snapshot_process *process)
{
	struct waiter_found waiter = { .process = NULL };
	struct finding *f;
	bool is_waited;
	int error;

	if (!is_stopped(process))
		return 0;
	error = find_waiter(judge, process, &waiter);
	is_waited = waiter.process != NULL || waiter.listener != NULL;
	if (error != 0 || (!is_waited && !judge->all))
		return error;
	f = findings_add(judge, FINDING_STOPPED, process, -1, -1);
	if (f == NULL)
		return -ENOMEM;
	if (!is_waited)
		f->severity = SEVERITY_NOTE;
	else if (waiter.is_open && waiter.listener == NULL)
		f->severity = SEVERITY_SUSPECT;
	chain_put_process(&f->sentence, process);
	buffer_put(&f->sentence,
	    process->threads[0].wait.state == 'T' ?
		" is stopped by a signal" :
		" is stopped by its tracer");
	put_waiter(&f->sentence, &waiter);
	if (process->threads[0].wait.state == 'T')
		buffer_put(&f->details, "kill -CONT %jd lets it go on\n",
		    (intmax_t)process->pid);
	return 0;
}

/* ---- out of descriptors ---- */

/*
 * If every number below LIMIT is in LIST, find a listener at which a connection
 * waits.  Returns 0 with *LISTENER set, to NULL without any; or -ENOMEM.
 */
static int
find_listener(struct snapshot *snapshot, pid_t pid, uint64_t limit,
    const int *list, int count, const struct snapshot_descriptor **listener)
{
	struct snapshot_descriptor *found;
	uint64_t below = 0;
	int error = 0;

	*listener = NULL;
	for (int i = 0; i < count; i++)
		below += (uint64_t)list[i] < limit;
	for (int i = 0;
	     below >= limit && i < count && error == 0 && *listener == NULL;
	     i++) {
		error = snapshot_descriptor(snapshot, pid, list[i], &found);
		if (error == 0 && is_waited_at(found))
			*listener = found;
	}
	return error;
}

static int
judge_limit(struct judge *judge, const struct snapshot_process *process)
{
	struct snapshot *snapshot = judge->chain->snapshot;
	const struct snapshot_descriptor *listener;
	struct procfs_limit limit;
	char path[SOURCE_PATH];
	struct finding *f;
	int *list, count, error;

	(void)snprintf(path, sizeof path, "%jd", (intmax_t)process->pid);
	if (procfs_limit(snapshot->source, path, &limit) != 0)
		return 0;
	(void)snprintf(path, sizeof path, "%jd/fd", (intmax_t)process->pid);
	count = source_list(snapshot->source, path, &list);
	if (count < 0)
		return 0;
	error = find_listener(snapshot, process->pid, limit.soft, list, count,
	    &listener);
	free(list);
	if (error != 0 || listener == NULL)
		return error;
	f = findings_add(judge, FINDING_NO_DESCRIPTORS_LEFT, process, -1,
	    listener->d.number);
	if (f == NULL)
		return -ENOMEM;
	buffer_put(&f->sentence,
	    "all %" PRIu64
	    " descriptors are in use: accept fails with EMFILE, and %" PRIu32
	    " %s at descriptor %d",
	    limit.soft, listener->d.sock.receive,
	    listener->d.sock.receive == 1 ? "connection waits" :
					    "connections wait",
	    listener->d.number);
	return 0;
}

/* ---- open(2) of a FIFO ---- */

/* Whether H has the end that is missing for an open(2) with FLAGS. */
static bool
is_missing_end(const struct holder *h, int flags)
{
	return (flags & O_ACCMODE) == O_RDONLY ? h->writable : h->readable;
}

static int
judge_open(struct judge *judge, const struct snapshot_process *process,
    const struct snapshot_thread *thread)
{
	const struct thread_wait *wait = &thread->wait;
	struct snapshot *snapshot = judge->chain->snapshot;
	struct holders holders = { .list = NULL };
	struct finding *f;
	struct filestat file;
	bool met = false;
	int error;

	if (wait->path == NULL || wait->state != 'S' ||
	    snapshot_opened(snapshot, process, wait, &file) != 0 ||
	    !S_ISFIFO(file.mode))
		return 0;
	error = snapshot_world(snapshot, true);
	if (error == 0)
		error = holders_find(snapshot->source, &snapshot->world,
		    (struct world_key){ file.device, file.inode }, file.inode,
		    &holders);
	for (size_t i = 0; i < holders.count; i++)
		met |= is_missing_end(&holders.list[i], wait->flags);
	free(holders.list);
	if (error != 0 || met)
		return error == -ENOMEM ? error : 0;
	f = findings_add(judge, FINDING_NO_PARTNER, process, -1, -1);
	if (f == NULL)
		return -ENOMEM;
	findings_mix(f, file.inode);
	findings_mix(f, thread->busy.times.ran);
	chain_put_process(&f->sentence, process);
	buffer_put(&f->sentence, " sleeps in open of ");
	buffer_name(&f->sentence, wait->path, strlen(wait->path));
	buffer_put(&f->sentence, ", which no process has open for %s",
	    (wait->flags & O_ACCMODE) == O_RDONLY ? "writing" : "reading");
	return 0;
}

/* ---- locks ---- */

/* Of a line of /proc/locks (proc_locks(5)) or of fdinfo. */
struct lock {
	bool waits; /* an arrow is behind its number */
	pid_t pid; /* -1: of an open file description */
	uint64_t device, inode;
	const char *text; /* behind the number, and the arrow */
};

static bool
parse_lock(const char *line, struct lock *lock)
{
	unsigned major_number, minor_number;
	long pid;
	int at = 0;

	if (sscanf(line, "%*d: %n", &at) == EOF || at == 0)
		return false;
	lock->waits = strncmp(line + at, "->", 2) == 0;
	lock->text = line + at + (lock->waits ? 2 : 0);
	if (sscanf(lock->text, "%*s %*s %*s %ld %x:%x:%" SCNu64, &pid,
		&major_number, &minor_number, &lock->inode) != 4)
		return false;
	lock->pid = (pid_t)pid;
	lock->device = (uint64_t)major_number << 20 | minor_number;
	return true;
}

/* The lock that somebody waits for. */
struct blocker {
	pid_t pid; /* who took it; -1: not said */
	char text[128]; /* as in struct lock; empty: any of flock(2) */
	bool is_exclusive; /* and of those only such a one */
};

/*
 * Those that wait for a lock are listed behind it (fs/locks.c, locks_show).
 * Find the one that process WAITER, or -1, waits for with D; false if it is not
 * listed, or waits for several.  TEXT, the content of /proc/locks, is cut into
 * lines.
 */
static bool
find_blocker(char *text, const struct descriptor *d, pid_t waiter,
    struct blocker *blocker)
{
	struct lock lock, held = { .text = NULL };
	bool found = false;
	char *end;

	for (char *line = text; line != NULL; line = end) {
		if ((end = strchr(line, '\n')) != NULL)
			*end++ = '\0';
		if (!parse_lock(line, &lock))
			continue;
		if (!lock.waits) {
			held = lock;
			continue;
		}
		if (lock.pid != waiter || lock.inode != d->inode ||
		    lock.device != d->device || held.text == NULL)
			continue;
		if (found && strcmp(held.text, blocker->text) != 0)
			return false;
		found = true;
		blocker->pid = held.pid;
		(void)snprintf(blocker->text, sizeof blocker->text, "%s",
		    held.text);
	}
	return found;
}

static bool
is_blocker(const char *line, const struct blocker *blocker)
{
	char type[16], access[16];
	struct lock lock;

	if (!parse_lock(line, &lock))
		return false;
	if (*blocker->text != '\0')
		return strcmp(lock.text, blocker->text) == 0;
	return sscanf(lock.text, "%15s %*s %15s", type, access) == 2 &&
	    strcmp(type, "FLOCK") == 0 &&
	    (!blocker->is_exclusive || strcmp(access, "WRITE") == 0);
}

/* Whether the fdinfo of H lists that lock, in a line "lock: 1: FLOCK ...". */
static bool
has_lock(struct source *source, const struct holder *h,
    const struct blocker *blocker)
{
	static const char key[] = "lock:";
	char path[SOURCE_PATH], *text, *end;

	(void)snprintf(path, sizeof path, "%jd/fdinfo/%d", (intmax_t)h->pid,
	    h->number);
	if (source_read(source, &text, path) < 0)
		return false;
	for (char *line = text; line != NULL; line = end) {
		if ((end = strchr(line, '\n')) != NULL)
			*end++ = '\0';
		if (strncmp(line, key, sizeof key - 1) == 0 &&
		    is_blocker(line + sizeof key - 1, blocker))
			return true;
	}
	return false;
}

/*
 * A lock by flock(2), or one of an open file description, stays when the process
 * that took it has ended: fdinfo has it where the file is open.  Returns 0 with
 * *OWNER set, to NULL if none is found; or -ENOMEM.
 */
static int
find_locker(struct snapshot *snapshot, const struct descriptor *d,
    const struct blocker *blocker, struct snapshot_descriptor **owner)
{
	struct holders holders = { .list = NULL };
	int error = snapshot_world(snapshot, true);

	*owner = NULL;
	if (error == 0)
		error = holders_find(snapshot->source, &snapshot->world,
		    world_key(d), d->inode, &holders);
	for (size_t i = 0; i < holders.count && error == 0 && *owner == NULL;
	     i++)
		if (has_lock(snapshot->source, &holders.list[i], blocker))
			error = snapshot_descriptor(snapshot,
			    holders.list[i].pid, holders.list[i].number, owner);
	free(holders.list);
	if (*owner != NULL && (*owner)->error != 0)
		*owner = NULL;
	return error == -ENOMEM ? error : 0;
}

/*
 * Append who has the lock: OWNER, or HOLDER, who took it (-1: not said).
 * Returns 0 or -ENOMEM.
 */
static int
put_locker(struct snapshot *snapshot, struct buffer *b,
    const struct snapshot_descriptor *owner, pid_t holder)
{
	struct snapshot_process *process = NULL;
	int error = 0;

	if (owner != NULL)
		holder = owner->d.pid;
	if (holder > 0)
		error = snapshot_process(snapshot, holder, &process);
	if (error != 0)
		return error;
	if (owner == NULL && (process == NULL || process->error != 0)) {
		buffer_put(b, "an open file that was not found has");
		return 0;
	}
	chain_put_process(b, process);
	if (owner != NULL)
		buffer_put(b, "/%d", owner->d.number);
	buffer_put(b, " has");
	return 0;
}

/*
 * A lock whose process has ended is not listed in another pid namespace than
 * the first (fs/locks.c, locks_translate_pid).  One of flock(2) is of the whole
 * file, so that any other that conflicts is the blocker.  Returns whether there
 * may be one.
 */
static bool
guess_blocker(const struct thread_wait *wait, struct blocker *blocker)
{
	*blocker = (struct blocker){ .pid = -1,
		.is_exclusive = ((int)wait->arguments[1] & LOCK_SH) != 0 };
	return strcmp(wait->name, "flock") == 0;
}

/* The process that /proc/locks lists for THREAD, which waits for a lock. */
static pid_t
listed_waiter(const struct snapshot_process *process,
    const struct thread_wait *wait)
{
#ifdef F_OFD_SETLKW
	if (strcmp(wait->name, "fcntl") == 0 &&
	    (int)wait->arguments[1] == F_OFD_SETLKW)
		return -1;
#else
	(void)wait;
#endif
	return process->pid;
}

/*
 * Who has the lock that THREAD waits for, by way of FOUND.  Returns 1 with
 * *HOLDER, who took it, or -1, and *OWNER, who has it open, or NULL, not both;
 * 0 if the lock is not known; or -ENOMEM.
 */
static int
find_lock_owner(struct snapshot *snapshot,
    const struct snapshot_process *process,
    const struct snapshot_thread *thread,
    const struct snapshot_descriptor *found, struct snapshot_descriptor **owner,
    pid_t *holder)
{
	const struct thread_wait *wait = &thread->wait;
	struct blocker blocker;
	bool listed;
	char *text;
	int error;

	if (found->error != 0)
		return 0;
	listed = source_read(snapshot->source, &text, "locks") > 0 &&
	    find_blocker(text, &found->d, listed_waiter(process, wait),
		&blocker);
	if (!listed && !guess_blocker(wait, &blocker))
		return 0;
	*holder = blocker.pid;
	error = find_locker(snapshot, &found->d, &blocker, owner);
	return error != 0 ? error : listed || *owner != NULL;
}

static int
judge_lock(struct judge *judge, const struct snapshot_process *process,
    const struct snapshot_thread *thread)
{
	struct snapshot *snapshot = judge->chain->snapshot;
	struct snapshot_descriptor *found, *owner = NULL;
	struct finding *f;
	pid_t holder = -1;
	int answer;

	if (thread->wait.call != WAIT_LOCK || thread->wait.count == 0)
		return 0;
	answer = snapshot_descriptor(snapshot, process->pid,
	    thread->wait.wanted[0].fd, &found);
	if (answer == 0)
		answer = find_lock_owner(snapshot, process, thread, found,
		    &owner, &holder);
	if (answer != 1)
		return answer;
	f = findings_add(judge, FINDING_LOCK_HELD, process, -1,
	    found->d.number);
	if (f == NULL)
		return -ENOMEM;
	findings_mix(f, thread->busy.times.ran);
	chain_put_process(&f->sentence, process);
	buffer_put(&f->sentence, " waits for a lock of ");
	buffer_name(&f->sentence, found->d.name, strlen(found->d.name));
	buffer_put(&f->sentence, ", which ");
	return put_locker(snapshot, &f->sentence, owner, holder);
}

int
judge_process(struct judge *judge, struct snapshot_process *process)
{
	int error = judge_stop(judge, process);

	if (error == 0)
		error = judge_limit(judge, process);
	for (size_t i = 0; i < process->count && error == 0; i++) {
		error = judge_open(judge, process, &process->threads[i]);
		if (error == 0)
			error = judge_lock(judge, process,
			    &process->threads[i]);
	}
	return error;
}
