/* SPDX-License-Identifier: ISC */
/*
 * judge_epoll.c - findings about entries of epoll instances, and about threads
 * that never sleep.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "inspect/explain/findings.h"
#include "inspect/facts/state.h"
#include "sys/kind.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

/*
 * A thread that computes asks the kernel for nothing; one that goes round a wait
 * that returns at once spends more than this, in percent, there.
 */
#define LEAST_SYSTEM 10

static const struct registration *
entry_of(const struct waited *w)
{
	return &w->epoll->entries.list[w->entry];
}

/* A finding about the entry of W, or NULL. */
static struct finding *
add(struct judge *judge, const struct waited *w, enum finding_code code)
{
	const struct registration *r = entry_of(w);
	struct finding *f = findings_add(judge, code, w->process,
	    w->epoll->d.number, r->entry.number);

	if (f == NULL)
		return NULL;
	findings_mix(f, r->entry.inode);
	findings_mix(f, r->entry.data);
	findings_mix(f, r->entry.events);
	if (w->found != NULL)
		findings_mix(f, (uint64_t)w->found->d.unread);
	return f;
}

/* For one about a thread that sleeps: it slept between the snapshots. */
static void
mix_sleep(struct finding *f, const struct waited *w)
{
	if (w->thread != NULL)
		findings_mix(f, w->thread->busy.times.ran);
}

/* ---- busy ---- */

/* Thread TID of PROCESS in SNAPSHOT; NULL also if it is another by that ID. */
static const struct snapshot_thread *
find_thread(const struct snapshot *snapshot,
    const struct snapshot_process *process, pid_t tid)
{
	const struct snapshot_process *p = snapshot->processes;

	while (p != NULL &&
	    (p->pid != process->pid || p->stat.start != process->stat.start))
		p = p->next;
	for (size_t i = 0; p != NULL && i < p->count; i++)
		if (p->threads[i].tid == tid)
			return &p->threads[i];
	return NULL;
}

/*
 * Percent of the time in which THREAD never slept; or -1, also if less than LEAST
 * percent of that was the kernel's.
 */
static int
share_of(const struct judge *judge, const struct snapshot_process *process,
    const struct snapshot_thread *thread, int least)
{
	const struct snapshot_thread *before = judge->before == NULL ?
	    NULL :
	    find_thread(judge->before, process, thread->tid);

	if (before == NULL || !before->is_counted || !thread->is_counted ||
	    busy_system(&before->busy, &thread->busy) < least)
		return -1;
	if (before->wait.state == 'R' && thread->wait.state == 'R' &&
	    busy_kept_running(&before->busy, &thread->busy))
		return 100;
	return busy_percent(&before->busy, &thread->busy);
}

static int
busy_share(const struct judge *judge, const struct snapshot_process *process,
    const struct snapshot_thread *thread)
{
	return share_of(judge, process, thread, LEAST_SYSTEM);
}

/* Whether the same is true of one that does nothing else that is counted. */
static bool
only_waits(const struct judge *judge, const struct snapshot_process *process)
{
	for (size_t i = 0; i < process->count; i++) {
		const struct snapshot_thread *t = &process->threads[i];

		if (busy_share(judge, process, t) >= BUSY_PERCENT &&
		    busy_may_only_wait(
			&find_thread(judge->before, process, t->tid)->busy,
			&t->busy))
			return true;
	}
	return false;
}

static bool
is_busy(const struct judge *judge, const struct snapshot_process *process)
{
	for (size_t i = 0; i < process->count; i++)
		if (busy_share(judge, process, &process->threads[i]) >=
		    BUSY_PERCENT)
			return true;
	return false;
}

/* ---- what has not changed since the snapshot before ---- */

/* The facts of descriptor NUMBER of PID in SNAPSHOT, or NULL. */
static const struct snapshot_descriptor *
known(const struct snapshot *snapshot, pid_t pid, int number)
{
	const struct snapshot_descriptor *found = snapshot_known(snapshot, pid,
	    number);

	return found != NULL && found->error == 0 ? found : NULL;
}

/* The entry of W as it was before, the same and as ready; or NULL. */
static const struct registration *
entry_before(const struct judge *judge, const struct waited *w)
{
	const struct registration *now = entry_of(w), *r;
	const struct snapshot_descriptor *instance;
	size_t count;

	if (judge->before == NULL)
		return NULL;
	instance = known(judge->before, w->process->pid, w->epoll->d.number);
	count = instance == NULL ? 0 : instance->entries.count;
	/* mostly it is where it was: the kernel lists them in one order */
	for (size_t i = 0; i < count; i++) {
		r = &instance->entries.list[(w->entry + i) % count];
		if (r->entry.number == now->entry.number &&
		    r->entry.data == now->entry.data &&
		    r->entry.inode == now->entry.inode &&
		    r->entry.events == now->entry.events && r->is_ready_known &&
		    r->ready == now->ready)
			return r;
	}
	return NULL;
}

/* Whether no thread of PROCESS has called read(2), or write(2). */
static bool
has_not_called(const struct judge *judge,
    const struct snapshot_process *process,
    bool (*has_not)(const struct busy *a, const struct busy *b))
{
	for (size_t i = 0; i < process->count; i++) {
		const struct snapshot_thread *t = &process->threads[i],
					     *before = find_thread(
						 judge->before, process,
						 t->tid);

		if (before == NULL || !has_not(&before->busy, &t->busy))
			return false;
	}
	return true;
}

/* Whether no thread of process PID has run. */
static bool
has_slept(const struct judge *judge, pid_t pid)
{
	const struct snapshot_process *p = judge->chain->snapshot->processes;
	const struct snapshot_thread *before;

	while (p != NULL && p->pid != pid)
		p = p->next;
	if (p == NULL || p->error != 0)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		before = find_thread(judge->before, p, p->threads[i].tid);
		if (before == NULL || !before->is_counted ||
		    !p->threads[i].is_counted ||
		    !busy_slept(&before->busy, &p->threads[i].busy))
			return false;
	}
	return p->count > 0;
}

/*
 * Whether nothing has come into FOUND, or was taken out at its other end: all
 * who have that have slept.
 */
static bool
partners_slept(const struct judge *judge, const struct waited *w,
    const struct snapshot_descriptor *found)
{
	const struct holders *other = &found->peers.other;

	if (!found->has_peers || other->count == 0 ||
	    found->d.unknown[FACT_PEERS] != NULL ||
	    judge_hidden_relative(judge->chain->snapshot, w->process))
		return false;
	for (size_t i = 0; i < other->count; i++)
		if (!has_slept(judge, other->list[i].pid))
			return false;
	return true;
}

/*
 * Whether it is certain that the process has done nothing about what W's entry
 * reports: not only that it is as ready as before, which it would be, too, if
 * as much came as was read.
 */
static bool
is_untouched(const struct judge *judge, const struct waited *w)
{
	const struct registration *r = entry_of(w);
	const struct snapshot_descriptor *now, *before;
	int64_t ms = judge->elapsed / 1000000;

	if (entry_before(judge, w) == NULL)
		return false;
	/* it ends so, once */
	if ((r->ready & (POLLHUP | POLLERR | POLLRDHUP)) != 0)
		return true;
	now = known(judge->chain->snapshot, w->process->pid, r->entry.number);
	before = known(judge->before, w->process->pid, r->entry.number);
	if (now == NULL || before == NULL || now->d.unread != before->d.unread)
		return false;
	if (now->d.kind == KIND_TCP)
		return (r->ready & POLLIN) != 0 ?
		    now->d.unread > 0 && now->d.sock.received_ago > ms :
		    now->d.sock.sent_ago > ms;
	if ((r->ready & POLLIN) != 0 && now->d.unread >= 0 &&
	    partners_slept(judge, w, now))
		return true;
	/* recv(2) is not counted */
	if (now->d.kind == KIND_UNIX || now->d.kind == KIND_UDP ||
	    now->d.kind == KIND_SOCKET)
		return false;
	return has_not_called(judge, w->process,
	    (r->ready & POLLIN) != 0 ? busy_has_not_read :
				       busy_has_not_written);
}

/* ---- entries ---- */

static bool
makes_return(const struct registration *r)
{
	return r->armed && r->is_ready_known && r->ready != 0 &&
	    (r->entry.events & REGISTRATION_EDGE) == 0;
}

bool
findings_makes_return(const struct waited *w)
{
	return w->epoll != NULL && makes_return(entry_of(w));
}

/* Whether an entry of PROCESS is as ready as before. */
static bool
has_ready(const struct judge *judge, const struct snapshot_process *process)
{
	const struct chain *c = judge->chain;

	for (size_t i = 0; i < c->wait_count; i++)
		if (c->waits[i].process == process &&
		    findings_makes_return(&c->waits[i]) &&
		    entry_before(judge, &c->waits[i]) != NULL)
			return true;
	return false;
}

bool
findings_may_spin(const struct judge *judge,
    const struct snapshot_process *process)
{
	int least = has_ready(judge, process) ? 0 : LEAST_SYSTEM;

	for (size_t i = 0; i < process->count; i++)
		if (share_of(judge, process, &process->threads[i], least) >=
		    BUSY_PERCENT)
			return true;
	return false;
}

static bool
is_own(const struct waited *w)
{
	const struct holders *owners = &entry_of(w)->owners;

	for (size_t i = 0; i < owners->count; i++)
		if (owners->list[i].pid == w->process->pid)
			return true;
	return false;
}

/* Returns 0 or -ENOMEM. */
static int
put_owners(struct judge *judge, const struct waited *w, struct buffer *b)
{
	const struct registration *r = entry_of(w);
	struct snapshot_process *owner;
	int error = 0;

	if (r->owners.count == 0)
		buffer_put(b, "; who has the open file is not known");
	for (size_t i = 0; i < r->owners.count && i < 3 && error == 0; i++) {
		error = snapshot_process(judge->chain->snapshot,
		    r->owners.list[i].pid, &owner);
		if (error != 0)
			break;
		buffer_put(b, i == 0 ? "; the open file lives on in " : ", ");
		chain_put_process(b, owner);
		buffer_put(b, "/%d%s", r->owners.list[i].number,
		    owner->error == 0 && owner->stat.parent == w->process->pid ?
			" (its child)" :
			"");
	}
	return error;
}

static int
describe_stale(struct judge *judge, const struct waited *w, struct finding *f)
{
	const struct registration *r = entry_of(w);
	struct snapshot_descriptor *now;
	int error = snapshot_descriptor(judge->chain->snapshot, w->process->pid,
	    r->entry.number, &now);

	if (error != 0)
		return error;
	buffer_put(&f->sentence, "epoll %d still watches %s that ",
	    w->epoll->d.number, chain_kind(r->kind));
	buffer_name(&f->sentence, w->process->stat.comm,
	    strlen(w->process->stat.comm));
	buffer_put(&f->sentence, " had as descriptor %d and closed",
	    r->entry.number);
	buffer_put(&f->details, "descriptor %d is %s", r->entry.number,
	    now->error == -EBADF ? "not open" : "another file now");
	error = put_owners(judge, w, &f->details);
	buffer_put(&f->details, "\n");
	if (!r->is_ready_known || r->ready == 0)
		return error;
	buffer_put(&f->details, "it is ready for ");
	state_events(&f->details, r->ready);
	buffer_put(&f->details,
	    ": epoll_wait returns at once each time, with data 0x%" PRIx64
	    "\nEPOLL_CTL_DEL by number cannot reach it: delete before the"
	    " close, or open close-on-exec\n",
	    r->entry.data);
	return error;
}

/*
 * Where the process has the file under another number, it may know its data and
 * serve it all the same.
 */
static int
judge_stale(struct judge *judge, const struct waited *w)
{
	const struct registration *r = entry_of(w);
	bool busy = is_busy(judge, w->process) &&
	    entry_before(judge, w) != NULL,
	     fault = makes_return(r) &&
	    (busy || (!is_own(w) && w->thread == NULL));
	struct finding *f;

	if (!fault && !judge->all)
		return 0;
	f = add(judge, w, FINDING_STALE_REGISTRATION);
	if (f == NULL)
		return -ENOMEM;
	f->is_of_two = busy;
	if (!fault)
		f->severity = SEVERITY_NOTE;
	return describe_stale(judge, w, f);
}

/* ---- reported, and perhaps not handled ---- */

/* Whether THREAD may be at work on what was reported to another. */
static bool
may_work(const struct snapshot_thread *thread)
{
	switch (thread->wait.call) {
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_EPOLL:
	case WAIT_FUTEX:
	case WAIT_SIGNAL:
	case WAIT_IO_URING:
		return thread->wait.state != 'S';
	default:
		return true;
	}
}

/*
 * Whether a thread of W's process sleeps there, and none can be at work on what
 * its entry reported.
 */
static bool
is_left_alone(const struct waited *w)
{
	const struct snapshot_process *p = w->process;

	if (w->thread == NULL || w->thread->wait.state != 'S' ||
	    !w->thread->is_counted)
		return false;
	for (size_t i = 0; i < p->count; i++)
		if (&p->threads[i] != w->thread && may_work(&p->threads[i]))
			return false;
	return true;
}

/* Who waits until it can write again may read on only then. */
static bool
waits_to_write(const struct registrations *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct registration *r = &entries->list[i];

		if (r->armed && (r->entry.events & POLLOUT) != 0 &&
		    (!r->is_ready_known || (r->ready & POLLOUT) == 0))
			return true;
	}
	return false;
}

/*
 * Each write of a counter is an edge, and each expiry of a timer: nobody has to
 * read them.  A process that ended stays ready for ever.
 */
static bool
must_be_read(enum kind kind)
{
	return kind != KIND_EVENTFD && kind != KIND_TIMERFD &&
	    kind != KIND_PIDFD;
}

/* The thread sleeps in epoll_wait, and W's entry was reported before. */
static int
judge_edge(struct judge *judge, const struct waited *w)
{
	const struct registration *r = entry_of(w);
	const struct descriptor *instance = &w->epoll->d;
	struct finding *f;

	if (!r->armed || (r->entry.events & REGISTRATION_EDGE) == 0 ||
	    !r->is_ready_known || (r->ready & r->entry.events & POLLIN) == 0 ||
	    instance->unknown[FACT_READY] != NULL ||
	    (instance->ready & POLLIN) != 0 || !must_be_read(r->kind) ||
	    !is_left_alone(w) || waits_to_write(&w->epoll->entries))
		return 0;
	if ((f = add(judge, w, FINDING_EDGE_CONSUMED)) == NULL)
		return -ENOMEM;
	mix_sleep(f, w);
	buffer_put(&f->sentence,
	    "descriptor %d is ready for in, and epoll %d has reported it"
	    " already (et)",
	    r->entry.number, instance->number);
	return 0;
}

static int
judge_oneshot(struct judge *judge, const struct waited *w)
{
	const struct registration *r = entry_of(w);
	struct snapshot_descriptor *found;
	struct finding *f;
	int error;

	if (r->armed || !is_left_alone(w))
		return 0;
	error = snapshot_descriptor(judge->chain->snapshot, w->process->pid,
	    r->entry.number, &found);
	if (error != 0 || found->error != 0 ||
	    found->d.unknown[FACT_READY] != NULL ||
	    (found->d.ready & (POLLIN | POLLHUP)) == 0)
		return error;
	if ((f = add(judge, w, FINDING_ONESHOT_DISABLED)) == NULL)
		return -ENOMEM;
	mix_sleep(f, w);
	buffer_put(&f->sentence, "descriptor %d is ready for ",
	    r->entry.number);
	state_events(&f->sentence, found->d.ready);
	buffer_put(&f->sentence,
	    ", and its entry in epoll %d is disabled since it was reported"
	    " (oneshot)",
	    w->epoll->d.number);
	return 0;
}

/* An entry that makes a busy thread's wait return, and is not stale. */
static int
judge_cause(struct judge *judge, const struct waited *w)
{
	const struct registration *r = entry_of(w);
	unsigned asked = r->ready & r->entry.events &
	    ~(unsigned)(POLLERR | POLLHUP);
	struct finding *f;
	bool busy;

	if (!makes_return(r))
		return 0;
	busy = is_busy(judge, w->process) && is_untouched(judge, w);
	if (!busy && (!judge->all || asked != 0))
		return 0;
	f = add(judge, w,
	    asked == 0 ? FINDING_HANGUP_UNASKED : FINDING_ALWAYS_READY);
	if (f == NULL)
		return -ENOMEM;
	f->is_of_two = busy;
	if (!busy)
		f->severity = SEVERITY_NOTE;
	else if (!only_waits(judge, w->process))
		f->severity = SEVERITY_SUSPECT;
	buffer_put(&f->sentence,
	    asked == 0 ? "descriptor %d has " :
			 "descriptor %d stays ready for ",
	    r->entry.number);
	state_events(&f->sentence, r->ready);
	buffer_put(&f->sentence,
	    asked == 0 ? ", which epoll %d reports although it was not asked"
			 " for" :
			 " at epoll %d, and the program does nothing about it",
	    w->epoll->d.number);
	return 0;
}

static int
judge_unasked(struct judge *judge, const struct waited *w)
{
	const struct registration *r = entry_of(w);
	struct finding *f;

	if (!judge->all || w->found == NULL || w->found->error != 0 ||
	    w->found->d.unknown[FACT_READY] != NULL || !r->armed ||
	    (w->found->d.ready & POLLIN) == 0 ||
	    (r->entry.events & POLLIN) != 0)
		return 0;
	if ((f = add(judge, w, FINDING_NOT_ASKED_FOR)) == NULL)
		return -ENOMEM;
	buffer_put(&f->sentence,
	    "descriptor %d is ready for in, which epoll %d was not asked for",
	    r->entry.number, w->epoll->d.number);
	return 0;
}

int
judge_registration(struct judge *judge, const struct waited *w)
{
	int error;

	if (entry_of(w)->registered == REGISTERED_STALE)
		return judge_stale(judge, w);
	if (entry_of(w)->registered != REGISTERED_HERE)
		return 0;
	error = judge_edge(judge, w);
	if (error == 0)
		error = judge_oneshot(judge, w);
	if (error == 0)
		error = judge_cause(judge, w);
	if (error == 0)
		error = judge_unasked(judge, w);
	return error;
}

/* ---- threads that spin ---- */

/*
 * Whether something makes the waits of PROCESS return at once, and it does
 * nothing about that: processor time alone says nothing.
 */
static bool
has_cause(const struct judge *judge, const struct snapshot_process *process)
{
	const struct findings *all = judge->findings;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].pid == process->pid &&
		    all->list[i].is_of_two &&
		    all->list[i].severity == SEVERITY_FAULT)
			return true;
	return false;
}

static int
judge_process_spinning(struct judge *judge, const struct snapshot_process *p)
{
	struct finding *f;
	int share;

	for (size_t i = 0; i < p->count; i++) {
		share = busy_share(judge, p, &p->threads[i]);
		if (share < BUSY_PERCENT)
			continue;
		f = findings_add(judge, FINDING_SPINS, p, -1, -1);
		if (f == NULL)
			return -ENOMEM;
		f->is_of_two = true;
		buffer_put(&f->sentence,
		    "thread %jd never sleeps: it ran or wanted to run %d %% of"
		    " the time",
		    (intmax_t)p->threads[i].tid, share);
		buffer_put(&f->details,
		    "which calls it makes is not visible from outside: pmux"
		    " trace --calls -p %jd counts what its waits report\n",
		    (intmax_t)p->pid);
	}
	return 0;
}

int
judge_spinning(struct judge *judge)
{
	const struct snapshot_process *p = judge->chain->snapshot->processes;
	int error = 0;

	for (; p != NULL && error == 0; p = p->next)
		if (p->is_named && p->error == 0 && has_cause(judge, p))
			error = judge_process_spinning(judge, p);
	return error;
}
