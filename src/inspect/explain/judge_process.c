/* SPDX-License-Identifier: ISC */
/*
 * judge_process.c - findings about a process: stopped, out of descriptors, or
 * waiting for a file by its name or lock.
 */
#include "config.h"

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

/* Whether a thread of OTHER sleeps in a wait for its descriptor NUMBER. */
static bool
waits_for(const struct snapshot_process *other, int number)
{
	for (size_t i = 0; i < other->count; i++) {
		const struct thread_wait *wait = &other->threads[i].wait;

		for (size_t j = 0; wait->state == 'S' && j < wait->count; j++)
			if (wait->wanted[j].fd == number)
				return true;
	}
	return false;
}

/* One that sleeps in wait4(2) for its child PROCESS, and for no other. */
static int
find_parent(struct judge *judge, const struct snapshot_process *process,
    const struct snapshot_process **waiter)
{
	struct snapshot_process *parent;
	pid_t *list;
	int error = snapshot_process(judge->chain->snapshot,
		process->stat.parent, &parent),
	    count;

	if (error != 0 || parent->error != 0)
		return error;
	count = snapshot_children(judge->chain->snapshot, parent, &list);
	free(list);

	for (size_t i = 0; error == 0 && i < parent->count; i++) {
		const struct thread_wait *wait = &parent->threads[i].wait;

		if (wait->call == WAIT_CHILD && wait->state == 'S' &&
		    (wait->child == process->pid ||
			(wait->child == -1 && count == 1)))
			*waiter = parent;
	}
	return error;
}

/* One that has the other end of FOUND, and waits for that. */
static int
find_partner(struct judge *judge, struct snapshot_descriptor *found,
    const struct snapshot_process **waiter)
{
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
		if (error == 0 && other->pid != found->d.pid &&
		    waits_for(other, h->number))
			*waiter = other;
	}
	return error;
}

/* Who waits for PROCESS, which is stopped, in *WAITER.  0 or -ENOMEM. */
static int
find_waiter(struct judge *judge, const struct snapshot_process *process,
    const struct snapshot_process **waiter)
{
	const struct chain *c = judge->chain;
	struct snapshot_descriptor *found;
	char path[SOURCE_PATH];
	int *list, count, error;

	for (size_t i = 0; i < c->edge_count && *waiter == NULL; i++)
		if (c->edges[i].to == process && c->edges[i].from != process)
			*waiter = c->edges[i].from;
	error = *waiter != NULL ? 0 : find_parent(judge, process, waiter);
	if (error != 0 || *waiter != NULL)
		return error;
	(void)snprintf(path, sizeof path, "%jd/fd", (intmax_t)process->pid);
	count = source_list(c->snapshot->source, path, &list);
	if (count < 0)
		return 0;
	for (int i = 0; i < count && *waiter == NULL && error == 0; i++) {
		error = snapshot_descriptor(c->snapshot, process->pid, list[i],
		    &found);
		if (error == 0)
			error = find_partner(judge, found, waiter);
	}
	free(list);
	return error;
}

static int
judge_stop(struct judge *judge, const struct snapshot_process *process)
{
	const struct snapshot_process *waiter = NULL;
	struct finding *f;
	int error;

	if (!is_stopped(process))
		return 0;
	error = find_waiter(judge, process, &waiter);
	if (error != 0 || (waiter == NULL && !judge->all))
		return error;
	f = findings_add(judge, FINDING_STOPPED, process, -1, -1);
	if (f == NULL)
		return -ENOMEM;
	if (waiter == NULL)
		f->severity = SEVERITY_NOTE;
	chain_put_process(&f->sentence, process);
	buffer_put(&f->sentence,
	    process->threads[0].wait.state == 'T' ?
		" is stopped by a signal" :
		" is stopped by its tracer");
	if (waiter != NULL) {
		buffer_put(&f->sentence, ", and ");
		chain_put_process(&f->sentence, waiter);
		buffer_put(&f->sentence, " waits for it");
	}
	if (process->threads[0].wait.state == 'T')
		buffer_put(&f->details, "kill -CONT %jd lets it go on\n",
		    (intmax_t)process->pid);
	return 0;
}

/* ---- out of descriptors ---- */

/* Whether a connection waits to be accepted at FOUND. */
static bool
is_waited_at(const struct snapshot_descriptor *found)
{
	return found->error == 0 && found->d.sock.inode != 0 &&
	    found->d.sock.state == SOCK_LISTEN && found->d.sock.receive > 0;
}

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
	struct snapshot_file file;
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

/* The next line of /proc/locks that is a lock of D's file; or NULL. */
static const char *
find_lock(const char *text, const struct descriptor *d, pid_t *holder)
{
	unsigned major_number, minor_number;
	const char *line, *next;
	long pid;
	uint64_t inode;

	/* one that waits has an arrow behind its number (proc_locks(5)) */
	for (line = text; line != NULL && *line != '\0'; line = next) {
		next = strchr(line, '\n');
		next = next == NULL ? NULL : next + 1;
		if (sscanf(line, "%*d: %*[A-Z] %*s %*s %ld %x:%x:%" SCNu64,
			&pid, &major_number, &minor_number, &inode) == 4 &&
		    inode == d->inode &&
		    ((uint64_t)major_number << 20 | minor_number) ==
			d->device) {
			*holder = (pid_t)pid;
			return line;
		}
	}
	return NULL;
}

/*
 * A lock by flock(2), or one of an open file description, stays when the process
 * that took it has ended: fdinfo has it where the file is open.  Returns 0 with
 * *OWNER set, to NULL if none is found; or -ENOMEM.
 */
static int
find_locker(struct snapshot *snapshot, const struct descriptor *d,
    struct snapshot_descriptor **owner)
{
	struct snapshot_descriptor *found;
	struct holders holders = { .list = NULL };
	int error = snapshot_world(snapshot, true);

	*owner = NULL;
	if (error == 0)
		error = holders_find(snapshot->source, &snapshot->world,
		    world_key(d), d->inode, &holders);
	for (size_t i = 0; i < holders.count && error == 0 && *owner == NULL;
	     i++) {
		error = snapshot_descriptor(snapshot, holders.list[i].pid,
		    holders.list[i].number, &found);
		if (error == 0 && found->error == 0 && found->d.info.locks > 0)
			*owner = found;
	}
	free(holders.list);
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
 * Who has the lock that THREAD waits for, by way of FOUND: of the two, at least
 * one is set then, and 1 returned; 0 if that is not known; or -ENOMEM.
 */
static int
find_lock_owner(struct snapshot *snapshot, const struct snapshot_thread *thread,
    const struct snapshot_descriptor *found, struct snapshot_descriptor **owner,
    pid_t *holder)
{
	char *text;
	bool listed;
	int error;

	*holder = -1;
	if (thread->wait.call != WAIT_LOCK || found->error != 0)
		return 0;
	if ((error = find_locker(snapshot, &found->d, owner)) != 0)
		return error;
	/* another pid namespace does not see all */
	listed = source_read(snapshot->source, &text, "locks") > 0 &&
	    find_lock(text, &found->d, holder) != NULL;
	return listed || *owner != NULL;
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
		answer = find_lock_owner(snapshot, thread, found, &owner,
		    &holder);
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
