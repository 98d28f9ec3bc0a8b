/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "compat.h"
#include "fifo/holder.h"
#include "output/debug.h"
#include "output/escape.h"
#include "output/output.h"
#include "sys/fdplace.h"
#include "sys/kernel.h"
#include "sys/lease.h"
#include "sys/peer.h"
#include "sys/timeout.h"
#include "sys/title.h"
#include "sys/watch.h"

/* A process opens or closes. */
#define WATCH_COMES (WATCH_ALL & ~(WATCH_READ | WATCH_WROTE))

#define NS_PER_MS INT64_C(1000000)

/* How long to wait for the checks of other holders: 1000 steps of 0.1 ms. */
#define CHECK_STEP 100000
#define CHECK_STEPS 1000

/* Without a watch: the first and the longest time between two checks. */
#define SAMPLE_FIRST (1 * NS_PER_MS)
#define SAMPLE_LAST (100 * NS_PER_MS)

/* The longest time between two checks whether a peer is gone. */
#define READER_LAST (60000 * NS_PER_MS)

/*
 * The checks that no change triggers, and how long after the last change each
 * is made: a later pmux that opened the FIFO claims it a moment after that; a
 * read end at which nothing can be lost is kept for a while, since the next
 * pmux of a loop takes it over without a gap; and a reader that takes nothing
 * may have been a writer that has gone again, or have become a holder.
 */
enum {
	STEP_CLAIM,
	STEP_IDLE,
	STEP_READER,
	STEP_NONE
};
static const int64_t step_time[] = { 10 * NS_PER_MS, 50 * NS_PER_MS,
	1000 * NS_PER_MS, -1 };

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/*
 * Without a watch: bytes are unread, or were written or read since the open.
 * FreeBSD notes closes as reads; that of another pmux is none.
 */
static bool
was_written(const struct fifo *fifo)
{
	struct peer_times now;

	if (kernel_unread(fifo->fd) > 0 || peer_moved(fifo->moves))
		return true;
	peer_times(fifo->fd, &now);
	return !same_time(now.written, fifo->times.written) ||
	    (!fifo->shared && !same_time(now.read, fifo->times.read));
}

/* Another pmux has closed its write end, which may look like a read. */
static void
forget_read(struct fifo *fifo)
{
	struct peer_times now;

	if (fifo->watched != 0)
		return;
	peer_times(fifo->fd, &now);
	fifo->times.read = now.read;
}

/*
 * Whether a writer has been here, or come and gone, since this write end was
 * opened.  The end that another pmux closes is none.
 */
static bool
served(struct fifo_set *set, struct fifo *fifo)
{
	if (lease_is_set(&fifo->lease, true))
		fifo->shared = true;
	else if (fifo->shared) {
		/* a close is reported before its claim is gone */
		holder_read_changes(set);
		fifo->shared = fifo->closed = false;
		forget_read(fifo);
	}
	fifo->wrote |= fifo->closed && !fifo->shared;
	fifo->closed = false;
	fifo->wrote |= fifo->watched == 0 && was_written(fifo);
	return fifo->wrote;
}

void
holder_await_checks(const struct fifo *fifo)
{
	struct timespec pause = { 0, CHECK_STEP };

	for (int i = 0; i < CHECK_STEPS; i++) {
		if (!lease_heartbeat_seen(&fifo->lease, fifo->claimed))
			break;
		(void)nanosleep(&pause, NULL);
	}
}

/* What would be lost, or NULL. */
static const char *
needed_for(struct fifo_set *set, struct fifo *fifo)
{
	if (fifo->writing)
		return !served(set, fifo) &&
			!peer_readers_gone(fifo->fd, fifo->path) ?
		    "a reader waits" :
		    NULL;
	/* where the system cannot say, assume the worst */
	if (kernel_unread(fifo->fd) != 0)
		return "bytes are unread";
	if (!peer_writers_gone(fifo->fd) &&
	    peer_learn_writer(fifo->fd, fifo->path) != 0)
		return "a writer is connected";
	/* once more: it may have written just before it went */
	return kernel_unread(fifo->fd) != 0 ? "bytes are unread" : NULL;
}

bool
holder_needed(struct fifo_set *set, struct fifo *fifo)
{
	const char *why = needed_for(set, fifo);

	if (why != NULL)
		DEBUG("holder", "%d stays: %s", fifo->fd, why);
	return why != NULL;
}

void
holder_watch(struct fifo_set *set, struct fifo *fifo)
{
	int number;

	if (set->watch == -1)
		return;
	fifo->asked = WATCH_ALL;
	number = watch_add(set->watch, fifo->fd, fifo->path, fifo->asked);
	if (number <= 0 || (uint32_t)number > set->capacity) {
		fifo->watched = 0;
		return;
	}
	fifo->watched = (uint32_t)number;
	fifo->same = set->numbers[number];
	set->numbers[number] = (uint32_t)(fifo - set->fifos) + 1;
}

bool
holder_watches(const struct fifo_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->fifos[i].fd != -1 && set->fifos[i].watched == 0)
			return false;
	return true;
}

static const char *
name_of(uint32_t what)
{
	switch (what) {
	case WATCH_OPENED:
		return "somebody opened it";
	case WATCH_READ:
		return "somebody read";
	case WATCH_WROTE:
		return "somebody wrote";
	case WATCH_READER_CLOSED:
		return "a reader closed it";
	case WATCH_WRITER_CLOSED:
		return "a writer closed it";
	case WATCH_LOST:
		return "anything may have happened";
	default:
		return "its names or rights changed";
	}
}

static void
note(struct fifo *fifo, uint32_t what)
{
	if (fifo->fd != -1)
		DEBUG("holder", "%d: %s", fifo->fd, name_of(what));
	fifo->changed = true;
	if (what == WATCH_NAMED)
		return;
	fifo->opened |= what == WATCH_OPENED;
	fifo->wrote |= what == WATCH_WROTE;
	fifo->closed |= what == WATCH_WRITER_CLOSED;
	fifo->fresh = what == WATCH_OPENED && fifo->parted;
	fifo->parted = what == WATCH_READER_CLOSED;
	fifo->astray |= what == WATCH_LOST ||
	    what == (fifo->writing ? WATCH_READER_CLOSED : WATCH_WRITER_CLOSED);
	fifo->reads |= what == WATCH_READ;
	if (what == WATCH_READER_CLOSED || what == WATCH_LOST)
		fifo->reads = false;
	fifo->came = what == WATCH_OPENED ||
	    (fifo->came && (what == WATCH_READ || what == WATCH_WROTE));
	if (what == WATCH_OPENED || what == WATCH_READ)
		fifo->reader = true;
	else if (what != WATCH_WROTE)
		fifo->reader = false;
}

static void
note_lost(struct fifo_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		note(&set->fifos[i], WATCH_LOST);
}

/* The watch no longer reports changes: from now on the FIFOs are sampled. */
static void
give_up_watch(struct fifo_set *set)
{
	DEBUG("holder", "the watch no longer works");
	(void)close(set->watch);
	set->watch = -1;
	for (uint32_t i = 0; i < set->count; i++)
		set->fifos[i].watched = 0;
	note_lost(set);
}

void
holder_read_changes(struct fifo_set *set)
{
	struct watch_buffer buffer = { .done = 0, .used = 0 };
	struct watch_change change;
	uint32_t at;
	int answer;

	if (set->watch == -1)
		return;
	while ((answer = watch_next(set->watch, &buffer, &change)) != 0) {
		if (answer == -EINTR)
			continue;
		if (answer < 0) {
			give_up_watch(set);
			break;
		}
		if (change.what == WATCH_LOST) {
			note_lost(set);
			continue;
		}
		at = change.fifo <= set->capacity ? set->numbers[change.fifo] :
						    0;
		for (; at != 0; at = set->fifos[at - 1].same)
			note(&set->fifos[at - 1], change.what);
	}
}

/*
 * A later pmux that opened the FIFO must not see this end come and go: either
 * it finds the mark and waits, or it is found here.
 */
static void
take_writer(struct fifo_set *set, struct fifo *fifo)
{
	int end;

	lease_heartbeat(&fifo->lease, false, fifo->checked);
	if (lease_lost(&fifo->lease, false, fifo->claim))
		end = -1;
	else
		end = watch_join(set->watch, fifo->fd, fifo->asked, fifo->path,
		    O_WRONLY);
	fifo->writer = end < 0 ? -1 : end;
	if (end < 0)
		lease_heartbeat(&fifo->lease, false, -1);
	else
		DEBUG("holder", "%d: its write end is open too, %d", fifo->fd,
		    end);
}

static void
drop_writer(struct fifo_set *set, struct fifo *fifo)
{
	if (fifo->writer == -1)
		return;
	watch_part(set->watch, fifo->fd, fifo->asked, fifo->path, fifo->writer);
	DEBUG("holder", "%d: its write end is closed, %d", fifo->fd,
	    fifo->writer);
	lease_heartbeat(&fifo->lease, false, -1);
	fifo->writer = -1;
}

/*
 * Nothing is unread, so that the write end, if it was taken, goes too.  But a
 * reader that opened after the last one left was let through by that end, and
 * closing it would end its file: it stays until a writer has come.  Returns
 * whether it stays.
 */
static bool
keep_writer(struct fifo_set *set, struct fifo *fifo)
{
	if (fifo->writer == -1)
		return false;
	if (fifo->fresh)
		return true;
	drop_writer(set, fifo);
	holder_read_changes(set);
	if (fifo->fresh)
		take_writer(set, fifo);
	return fifo->writer != -1;
}

/* Open the read end again, with its old NUMBER, which is free; or -1. */
static int
reopen_as(int number, int handle, const char *path)
{
	int fd = peer_reopen(handle, path, O_RDONLY), moved;

	if (fd < 0 || fd == number)
		return fd < 0 ? -1 : fd;
	moved = fdplace_copy(fd, number);
	(void)close(fd);
	return moved;
}

void
holder_leave(struct fifo_set *set, struct fifo *fifo, const char *why)
{
	int handle = -1, fd = fifo->fd;

	DEBUG("holder", "%d is closed: %s", fd, why);
	drop_writer(set, fifo);
	if (fifo->writing)
		holder_await_checks(fifo);
	else if (fifo->watched != 0)
		handle = peer_handle(fd);
	fifo->fd = -1;
	fifo->opened = false;
	(void)close(fd);
	if (handle < 0)
		return;
	/* a writer may have come through just before: back, before it writes */
	holder_read_changes(set);
	if (fifo->opened) {
		fifo->fd = reopen_as(fd, handle, fifo->path);
		if (fifo->fd != -1)
			(void)lease_renew(&fifo->lease, false, true,
			    fifo->claim);
		DEBUG("holder", "%d %s again: a writer came", fd,
		    fifo->fd == -1 ? "cannot be opened" : "is open");
	}
	(void)close(handle);
}

void
holder_abandon(struct fifo *fifo)
{
	DEBUG("holder", "%d is closed: it has lost its last name", fifo->fd);
	if (fifo->writer != -1)
		(void)close(fifo->writer);
	(void)close(fifo->fd);
	fifo->writer = fifo->fd = -1;
}

/* While writers and readers are busy with each other, sleep. */
static void
listen_to(struct fifo_set *set, struct fifo *fifo, uint8_t what)
{
	if (fifo->watched == 0 || fifo->asked == what)
		return;
	fifo->asked = what;
	(void)watch_add(set->watch, fifo->fd, fifo->path, what);
}

/* Busy ones need not be heard once it is known that one of them reads. */
static uint8_t
wanted(const struct fifo *fifo, bool alone)
{
	return fifo->reads && !alone ? WATCH_COMES : WATCH_COMES | WATCH_READ;
}

/*
 * Bytes are unread, and so the end is kept.  While no other process has the
 * FIFO open, the next reader must not block in open(2) for want of a writer;
 * one that has opened must find the end of file behind the last byte.
 */
static void
serve_reader(struct fifo_set *set, struct fifo *fifo, int32_t unread)
{
	bool alone;

	if (fifo->watched == 0)
		fifo->reader = unread < fifo->unread;
	fifo->unread = unread;
	if (fifo->reader)
		drop_writer(set, fifo);
	alone = fifo->writer != -1 || peer_writers_gone(fifo->fd);
	if (alone)
		fifo->astray = false;
	listen_to(set, fifo, wanted(fifo, alone));
	if (alone && !fifo->reader && fifo->writer == -1)
		take_writer(set, fifo);
}

/*
 * A pmux that wants to write does not take this end for a reader's, unless it
 * says that there is one.  A process that came while no writer is there reads.
 */
static void
vouch(struct fifo *fifo)
{
	bool reader = fifo->reads ||
	    (fifo->came && fifo->writer == -1 && peer_writers_gone(fifo->fd));

	if (reader != fifo->vouched) {
		DEBUG("holder", "%d: it has %s reader", fifo->fd,
		    reader ? "a" : "no");
		lease_vouch(&fifo->lease, reader);
	}
	fifo->vouched = reader;
}

static void
tend_reading(struct fifo_set *set, struct fifo *fifo)
{
	int64_t unread = kernel_unread(fifo->fd);

	/* at once when it has gone; when it has come, see take_step */
	if (fifo->vouched && !fifo->reads && !fifo->came)
		vouch(fifo);
	fifo->idle = false;
	if (unread < 0)
		return; /* unknown: stay */
	if (unread > 0)
		serve_reader(set, fifo, (int32_t)unread);
	else if (keep_writer(set, fifo))
		listen_to(set, fifo, WATCH_ALL);
	else {
		listen_to(set, fifo, wanted(fifo, false));
		fifo->idle = !holder_needed(set, fifo);
	}
}

static void
tend_writing(struct fifo_set *set, struct fifo *fifo)
{
	/*
	 * When its reader has been served, another may have opened since: this
	 * end has let it through, and it waits for a writer of its own.  A pmux
	 * that reads handles that itself (let_go in fifo.c).
	 */
	bool waits = lease_reader_seen(&fifo->lease, fifo->checked);
	bool done = served(set, fifo) && (waits || !fifo->fresh);

	if (done)
		holder_leave(set, fifo, "its reader was served");
	else if (peer_readers_gone(fifo->fd, fifo->path))
		holder_leave(set, fifo, "no reader is left");
}

/* What is true of each end that is tended, and of one that was left. */
static void
check_end(const struct fifo_set *set, const struct fifo *fifo)
{
	INVARIANT(fifo->fd != -1 || fifo->writer == -1,
	    "an end that was left has nothing open");
	INVARIANT(fifo->writer == -1 || !fifo->writing,
	    "only a read end has the write end, too");
	INVARIANT(!fifo->vouched || !fifo->writing,
	    "only a read end is vouched for");
	INVARIANT(fifo->watched == 0 || set->watch != -1,
	    "an end is watched by the watch");
	INVARIANT(fifo->watched == 0 ||
		(fifo->watched <= set->capacity &&
		    set->numbers[fifo->watched] != 0),
	    "what the watch reports leads to the end");
}

/* NOW is from before the changes were taken in. */
static void
tend(struct fifo_set *set, struct fifo *fifo, int64_t now)
{
	fifo->changed = false;
	if (peer_nameless(fifo->fd)) {
		holder_abandon(fifo);
		return;
	}
	if (lease_lost(&fifo->lease, fifo->writing, fifo->claim)) {
		fifo->watched = 0; /* later peers are that one's */
		holder_leave(set, fifo, "a later pmux has it");
		return;
	}
	if (fifo->writing)
		tend_writing(set, fifo);
	else
		tend_reading(set, fifo);
	fifo->checked = now;
	if (fifo->fd != -1 && (fifo->writing || fifo->writer != -1))
		lease_heartbeat(&fifo->lease, fifo->writing, now);
}

/*
 * poll(2) does not report POLLHUP until a writer has come since this end was
 * opened.  A write end that is opened and closed at once makes it do so.
 */
static void
learn_writers(struct fifo_set *set, struct fifo *fifo)
{
	if (fifo->writing || kernel_unread(fifo->fd) <= 0 ||
	    peer_writers_gone(fifo->fd) || peer_nameless(fifo->fd))
		return;
	take_writer(set, fifo);
	drop_writer(set, fifo);
}

/*
 * Read the changes, and tend the FIFOs concerned, or all.  After a change STEP
 * is the first one, and of an end that is idle now it is not later than
 * STEP_IDLE.  Returns how many ends are still open.
 */
static uint32_t
tend_all(struct fifo_set *set, bool all, int *step)
{
	int64_t now = clock_now();
	uint32_t live = 0;

	holder_read_changes(set);
	for (uint32_t i = 0; i < set->count; i++) {
		struct fifo *fifo = &set->fifos[i];
		bool idle = fifo->idle;

		check_end(set, fifo);
		if (fifo->fd != -1 && fifo->changed)
			*step = STEP_CLAIM;
		if (fifo->fd != -1 && (all || fifo->changed))
			tend(set, fifo, now);
		/* only now: the watch reports a close before it is done */
		if (fifo->fd != -1 && fifo->idle && !idle && *step > STEP_IDLE)
			*step = STEP_IDLE;
		check_end(set, fifo);
		live += fifo->fd != -1;
	}
	return live;
}

/* The time for STEP has come and nothing else has happened. */
static void
take_step(struct fifo_set *set, int step)
{
	for (uint32_t i = 0; i < set->count; i++) {
		struct fifo *fifo = &set->fifos[i];

		/*
		 * All may have changed since: where there is no watch, and
		 * where this process was stopped or another ran.
		 */
		if (fifo->fd != -1 && step == STEP_IDLE && fifo->idle &&
		    !holder_needed(set, fifo))
			holder_leave(set, fifo, "nothing can be lost");
		/* only after a pause: a process may read and go at once */
		if (fifo->fd != -1 && step == STEP_CLAIM && !fifo->writing)
			vouch(fifo);
		/* two holders are not to wait for each other */
		if (fifo->fd != -1 && step == STEP_READER && fifo->writing &&
		    fifo->astray && lease_only_holder_at(&fifo->lease))
			holder_leave(set, fifo, "only a holder reads it");
		if (step == STEP_READER)
			fifo->reader = false;
	}
}

/* Sleep until the watch has a change to report, or for NS; true if it has. */
static bool
sleep_for(const struct fifo_set *set, int64_t ns)
{
	const struct timespec pause = { 0, SAMPLE_LAST };
	struct pollfd p = { set->watch, POLLIN, 0 };
	char space[DEBUG_SPACE];
	int n;

	DEBUG("holder", "sleep, timeout %s", debug_time(ns, space));
	n = poll(&p, 1, timeout_milliseconds(ns));
	/* no memory, say: that must not be a loop */
	if (n == -1 && errno != EINTR)
		(void)nanosleep(&pause, NULL);
	return n == 1;
}

/* Check all ends at intervals that double up to SAMPLE_LAST. */
static void
sample(struct fifo_set *set, deadline_t deadline)
{
	int64_t pause = SAMPLE_FIRST, left, start = clock_now();
	int step = STEP_NONE; /* there are none */

	while (tend_all(set, true, &step) > 0 &&
	    (left = deadline_left(deadline)) != 0) {
		(void)sleep_for(set, deadline_sooner(left, pause));
		take_step(set, STEP_IDLE);
		if (clock_now() - start >= step_time[STEP_READER])
			take_step(set, STEP_READER);
		pause = deadline_back_off(pause, SAMPLE_FIRST, SAMPLE_LAST);
	}
}

/* Whether the peer of some end may be gone, or be only a holder. */
static bool
astray(const struct fifo_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->fifos[i].fd != -1 && set->fifos[i].astray)
			return true;
	return false;
}

/* How long to sleep before STEP, after a sleep of PAUSE. */
static int64_t
pause_for(int step, int64_t pause)
{
	/*
	 * Again and again: a pmux becomes a holder without an event, and that of
	 * a close comes before the kernel has done it (fs/file_table.c, __fput).
	 */
	if (step == STEP_READER && pause >= step_time[STEP_READER])
		return deadline_back_off(pause, 0, READER_LAST);
	return step_time[step];
}

void
holder_stay(struct fifo_set *set, deadline_t deadline)
{
	int64_t left, pause = 0;
	bool woken = false;
	int step = STEP_CLAIM;

	for (uint32_t i = 0; i < set->count; i++)
		if (set->fifos[i].fd != -1)
			learn_writers(set, &set->fifos[i]);
	while (tend_all(set, !woken, &step) > 0 &&
	    (left = deadline_left(deadline)) != 0) {
		if (!holder_watches(set)) {
			DEBUG("holder", "not all is watched: sample");
			sample(set, deadline);
			return;
		}
		pause = pause_for(step, pause);
		woken = sleep_for(set, deadline_sooner(left, pause));
		if (woken)
			continue;
		take_step(set, step);
		if (step < STEP_READER || (step == STEP_READER && !astray(set)))
			step++;
	}
}

/* FIRST to LAST but the COUNT in KEPT, which may be none of them. */
static void
close_gap(unsigned first, unsigned last, const int *kept, int count)
{
	unsigned number;

	if (first > last)
		return;
	for (int i = 0; i < count; i++) {
		number = (unsigned)kept[i];
		if (kept[i] == -1 || number < first || number > last)
			continue;
		if (number > first)
			close_gap(first, number - 1, kept, count);
		close_gap(number + 1, last, kept, count);
		return;
	}
	close_between(first, last);
}

static void
close_others(const struct fifo_set *set)
{
	const int kept[] = { set->watch, debug_file(), set->connection };
	const int count = sizeof kept / sizeof *kept;
	unsigned first = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		int fd = set->fifos[i].fd;

		if (fd == -1)
			continue;
		INVARIANT((unsigned)fd >= first,
		    "ends are sorted, or one would be closed with others");
		if ((unsigned)fd > first)
			close_gap(first, (unsigned)fd - 1, kept, count);
		first = (unsigned)fd + 1;
	}
	close_gap(first, ~0u, kept, count);
}

/*
 * Do not keep a file system busy, unless its names are needed to reopen.
 * Returns whether they are not.
 */
static bool
leave_directory(struct fifo_set *set)
{
	int handle = -1;

	for (uint32_t i = 0; handle < 0 && i < set->count; i++)
		if (set->fifos[i].fd != -1)
			handle = peer_handle(set->fifos[i].fd);
	if (handle < 0)
		return false;
	(void)close(handle);
	(void)!chdir("/");
	return true;
}

/*
 * Where the names are not NEEDED they are forgotten: the title may be written
 * over them, since they are where the caller gave them.
 */
static void
take_title(struct fifo_set *set, bool needed)
{
	char title[TITLE_SIZE];
	size_t used = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		const char *path = set->fifos[i].path;

		if (!needed)
			set->fifos[i].path = "";
		if (set->fifos[i].fd == -1)
			continue;
		if (used > 0 && used + 2 < sizeof title) {
			memcpy(title + used, ", ", 2);
			used += 2;
		}
		used += escape(title + used, sizeof title - 1 - used, path,
		    strlen(path));
	}
	title[used] = '\0';
	title_set(title);
}

/*
 * In a session of its own the holder gets these signals only if a process sends
 * them to it.  Those that are pending were sent to the group of pmux: drop
 * them.
 */
static void
take_signals(void)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		(void)signal(ends[i], SIG_IGN);
		(void)signal(ends[i], SIG_DFL);
		sigaddset(&set, ends[i]);
	}
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void
holder_release(struct fifo_set *set, int connection)
{
	bool connected = true;
	char byte;

	while (read(connection, &byte, 1) == -1 && errno == EINTR)
		;
	for (uint32_t i = 0; i < set->count; i++) {
		struct fifo *fifo = &set->fifos[i];

		if (fifo->fd == -1)
			continue;
		if (connected && fifo->writing && served(set, fifo))
			connected = write(connection, &i, sizeof i) == sizeof i;
		lease_release(&fifo->lease);
	}
}

/* The other half of holder_release: until pmux has released its locks. */
static void
await_pmux(struct fifo_set *set)
{
	uint32_t i;

	if (write(set->connection, "", 1) == 1)
		while (read(set->connection, &i, sizeof i) == sizeof i)
			set->fifos[i].wrote = true;
	(void)close(set->connection);
}

/* While the names are there. */
static void
adopt(struct fifo_set *set)
{
	for (uint32_t i = 0; i < set->count; i++) {
		struct fifo *fifo = &set->fifos[i];

		if (fifo->fd == -1)
			continue;
		lease_adopt(&fifo->lease, fifo->path, fifo->writing,
		    fifo->claim, fifo->claimed);
		if (fifo->moves >= 0)
			fifo->moves = peer_moves(fifo->fd);
	}
	if (set->connection != -1)
		await_pmux(set);
}

/* Likewise. */
static void
say_ends(const struct fifo_set *set, deadline_t deadline)
{
	char space[DEBUG_SPACE];

	DEBUG("holder", "started, timeout %s",
	    debug_time(deadline_left(deadline), space));
	for (uint32_t i = 0; i < set->count; i++)
		if (set->fifos[i].fd != -1)
			DEBUG("holder", "%d is the %s end of %s",
			    set->fifos[i].fd,
			    set->fifos[i].writing ? "write" : "read",
			    set->fifos[i].path);
}

_Noreturn void
holder_run(struct fifo_set *set, deadline_t deadline)
{
	bool left;

	(void)setsid();
	take_signals();
	close_others(set);
	debug_in_holder();
	if (pmux->debug != NULL)
		say_ends(set, deadline);
	adopt(set);
	left = leave_directory(set);
	if (left || title_is_apart())
		take_title(set, !left);
	holder_stay(set, deadline);
	DEBUG("holder", "ends");
	_exit(0);
}
