/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/duration.h"
#include "compat.h"
#include "base/pmux.h"
#include "fifo/fifo.h"
#include "fifo/holder.h"
#include "fifo/successor.h"
#include "output/debug.h"
#include "output/diag.h"
#include "output/escape.h"
#include "output/output.h"
#include "sys/caller.h"
#include "sys/fdplace.h"
#include "sys/kernel.h"
#include "sys/launch.h"
#include "sys/lease.h"
#include "sys/peer.h"
#include "sys/sigdefer.h"
#include "sys/signals.h"
#include "sys/terminate.h"
#include "sys/timeout.h"
#include "sys/watch.h"

/*
 * How long pmux waits for holders and writers that are leaving, in all, if its
 * timeout allows that; and the time between two checks.
 */
#define LINGER (INT64_C(100) * 1000000)
#define LINGER_STEP 100000

/* That a process can be started is taken for granted for so long. */
#define SURE (INT64_C(1000) * 1000000)

/* When there is none for a holder: for so long pmux tries again. */
#define TRY (INT64_C(1000) * 1000000)
#define TRY_STEP 10000000

void
fifo_begin(struct fifos *f)
{
	f->set.watch = f->set.connection = -1;
	f->given.fd = -1;
	f->hold = DURATION_FOREVER;
	f->patience = LINGER;
	f->linger_end = DEADLINE_NEVER;
}

/* Where the process goes on, the ends that a holder got are open here too. */
void
fifo_end(struct fifos *f)
{
	for (uint32_t i = 0; pmux->host->stays && i < f->set.count; i++) {
		if (f->set.fifos[i].fd != -1)
			(void)close(f->set.fifos[i].fd);
		if (f->set.fifos[i].moves >= 0)
			(void)close(f->set.fifos[i].moves);
		lease_close(&f->set.fifos[i].lease);
	}
	if (pmux->host->stays && f->set.watch != -1)
		(void)close(f->set.watch);
	free(f->set.fifos);
	free(f->set.numbers);
}

void
fifo_hold(int64_t ns)
{
	pmux->fifos->hold = ns;
}

void
fifo_patience(int64_t ns)
{
	pmux->fifos->patience = ns >= 0 && ns < LINGER ? ns : LINGER;
}

int
fifo_leave_all(void)
{
	struct pmux *call = pmux;
	int lost = 0;

	for (; pmux != NULL; pmux = pmux->outer) {
		sigdefer_give_up();
		lost |= fifo_leave();
	}
	pmux = call;
	return lost;
}

bool
fifo_needs_leave(void)
{
	for (const struct pmux *p = pmux; p != NULL; p = p->outer)
		if (p->sigdefer->before_end != NULL ||
		    (p->fifos->set.count > 0 && !p->fifos->left))
			return true;
	return false;
}

static void
leave_and_die(int number)
{
	if (fifo_leave_all() != 0)
		terminate_with(EXIT_SYSTEM);
	terminate_by(number);
}

/* In a process that goes on, its own handlers stay, and run. */
static void
catch_default(int number, const struct sigaction *action)
{
	if (kernel_signal_ends(number) && caller_defaults(number))
		(void)caller_change(number, action, NULL);
}

static void
catch_signals(void)
{
	struct sigaction action, old;
	int last = NSIG - 1;

	memset(&action, 0, sizeof action);
	action.sa_handler = leave_and_die;
	sigfillset(&action.sa_mask);
#ifdef SIGRTMAX
	if (SIGRTMAX > last)
		last = SIGRTMAX;
#endif
	for (int i = 1; i < NSIG && pmux->host->stays; i++)
		catch_default(i, &action);
	for (int i = 1; i <= last && !pmux->host->stays; i++)
		if (kernel_signal_ends(i) && sigaction(i, &action, &old) == 0 &&
		    old.sa_handler != SIG_DFL)
			(void)sigaction(i, &old, NULL);
}

void
fifo_catch(void)
{
	struct fifos *f = pmux->fifos;

	if (f->catches || f->hold == 0)
		return;
	f->catches = true;
	caller_hold_children();
	catch_signals();
}

static int
reserve(void)
{
	struct fifos *f = pmux->fifos;
	uint32_t wanted = f->set.capacity + f->set.capacity / 2 + 4;
	struct fifo *fifos;
	uint32_t *numbers;

	if (f->set.count < f->set.capacity)
		return 0;
	fifos = realloc(f->set.fifos, wanted * sizeof *fifos);
	if (fifos == NULL)
		return -ENOMEM;
	f->set.fifos = fifos;
	numbers = realloc(f->set.numbers, (wanted + 1) * sizeof *numbers);
	if (numbers == NULL)
		return -ENOMEM;
	memset(numbers + f->set.capacity + 1, 0,
	    (wanted - f->set.capacity) * sizeof *numbers);
	numbers[0] = 0;
	f->set.numbers = numbers;
	f->set.capacity = wanted;
	return 0;
}

static void
insert(const struct fifo *fifo)
{
	struct fifos *f = pmux->fifos;
	uint32_t at = f->set.count++;
	struct fifo *fifos = f->set.fifos;

	for (; at > 0 && fifos[at - 1].fd > fifo->fd; at--)
		fifos[at] = fifos[at - 1];
	fifos[at] = *fifo;
}

static bool
ready(int fd, short events, int ms)
{
	struct pollfd p = { fd, events, 0 };

	return poll(&p, 1, ms) == 1;
}

/*
 * FD has just been opened to read, at TIME, after another pmux, or its holder.
 * A process that has the write end may be about to close it: a holder whose
 * work is done, or the writer whose line was read last, between its write and
 * its close.  poll(2) would then report on FD that a writer has gone, though
 * none has come since the open; a moment later it would not.  So let them go:
 * every holder checks its FIFO when a process opens it, and a writer is given
 * LINGER.  Returns whether they went, and FD should be opened again.
 */
static bool
let_go(const struct fifo *fifo, int fd, int64_t time)
{
	struct fifos *f = pmux->fifos;
	struct timespec pause = { 0, LINGER_STEP };

	if (f->linger_end == DEADLINE_NEVER)
		f->linger_end = deadline_in(f->patience);
	while (lease_heartbeat_seen(&fifo->lease, time) &&
	    deadline_left(f->linger_end) > 0)
		(void)nanosleep(&pause, NULL);
	if (!peer_writers_gone(fd) && peer_learn_writer(fd, fifo->path) != 0)
		(void)ready(fd, POLLIN,
		    timeout_milliseconds(deadline_left(f->linger_end)));
	/* asked last: one may have gone at any moment until here */
	return peer_writers_gone(fd) && kernel_unread(fd) == 0;
}

/* As long as this end is held at least: if it were left now. */
static int64_t
claim_end(const struct lease *lease, bool writing)
{
	struct fifos *f = pmux->fifos;
	int64_t now = clock_now();

	return lease_set(lease, writing, false,
	    f->hold == 0 ? now : deadline_in(f->hold), now);
}

/* Returns the read end to use, FD or another. */
static int
settle_in(struct fifo *fifo, int fd)
{
	int64_t now = clock_now();
	bool alone = !lease_is_set(&fifo->lease, false) &&
	    !lease_heartbeat_seen(&fifo->lease, now);
	int again;

	fifo->claim = claim_end(&fifo->lease, false);
	lease_reader_arrive(&fifo->lease, now);
	if (alone || !let_go(fifo, fd, clock_now()))
		return fd;
	DEBUG("fifo", "%s: who left meanwhile does not count: open it again",
	    fifo->path);
	again = peer_reopen(fd, fifo->path, O_RDONLY);
	if (again < 0 || (again = fdplace(again)) < 0)
		return fd;
	lease_use(&fifo->lease, again);
	fifo->claim = claim_end(&fifo->lease, false);
	lease_reader_arrive(&fifo->lease, now);
	(void)close(fd);
	return again;
}

static void
open_watch(void)
{
	struct fifos *f = pmux->fifos;

	if (f->set.watch == -1 && (f->set.watch = watch_open()) < 0)
		f->set.watch = -1;
}

/*
 * To know, when leaving, whether another writer has served the reader that
 * pmux let through.
 */
static uint32_t
watch_writers(int fd, const char *path)
{
	struct fifos *f = pmux->fifos;
	int number;

	open_watch();
	if (f->set.watch == -1)
		return 0;
	number = watch_add(f->set.watch, fd, path,
	    WATCH_WROTE | WATCH_WRITER_CLOSED);
	return number < 0 ? 0 : (uint32_t)number;
}

/* What the other pmux at this FIFO are to know of FD, and what they say. */
static int
join(struct fifo *fifo, int fd)
{
	lease_use(&fifo->lease, fd);
	if (fifo->writing) {
		/* it leaves when it sees the claim, and not before */
		fifo->shared = lease_is_set(&fifo->lease, true);
		fifo->claim = claim_end(&fifo->lease, true);
		/* a pmux that leaves without a word to its peers */
		fifo->astray = lease_has_waiter(&fifo->lease);
	} else
		fd = settle_in(fifo, fd);
	fifo->claimed = clock_now();
	return fd;
}

static int
open_end(const char *path, bool writing)
{
	struct fifos *f = pmux->fifos;
	struct fifo fifo = { .path = path,
		.writing = writing,
		.writer = -1,
		.moves = -1 };
	int fd, error = reserve();

	if (error != 0)
		return error;
	lease_open(&fifo.lease, path);
	if (writing && lease_only_holder(&fifo.lease, path)) {
		DEBUG("fifo", "%s: only a holder reads it", path);
		lease_close(&fifo.lease);
		return -ENXIO;
	}
	error = fdplace_room();
	if (error != 0) {
		lease_close(&fifo.lease);
		return error;
	}
	fd = open(path,
	    (writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC |
		O_NOCTTY);
	/* held also if that cannot be known: the open let a peer through */
	if ((fd = fdplace(fd)) < 0 || peer_is_fifo(fd) == 0) {
		lease_close(&fifo.lease);
		return fd;
	}
	fifo.fd = fd = join(&fifo, fd);
	peer_times(fd, &fifo.times);
	if (writing && f->hold != 0) {
		fifo.watched = watch_writers(fd, path);
		fifo.moves = fdplace(peer_moves(fd));
	}
	insert(&fifo);
	DEBUG("fifo", "%s: opened to %s, descriptor %d%s", path,
	    writing ? "write" : "read", fd,
	    fifo.shared ? ", which another pmux has too" : "");
	return fd;
}

/*
 * Before any peer is let through: check that a holder can be started.  Only
 * starting a process shows it, there are too many limits.
 */
static int
be_sure(void)
{
	struct fifos *f = pmux->fifos;
	int64_t now = clock_now();
	int error = 0;

	if (f->hold != 0 && now >= f->sure_until) {
		error = launch_possible();
		if (error == 0 && pmux->host->program != NULL &&
		    access(pmux->host->program, X_OK) == -1)
			error = -errno;
		f->sure_until = now + SURE;
	}
	f->unsure = error != 0;
	if (f->unsure)
		f->sure_until = 0;
	return error;
}

const char *
fifo_hint(void)
{
	return pmux->fifos->unsure ? "no process can be started to hold it" :
				     NULL;
}

int
fifo_open(const char *path, bool writing)
{
	sigset_t old;
	int fd;

	fifo_catch();
	signals_block(&old);
	fd = be_sure();
	if (fd == 0)
		fd = open_end(path, writing);
	signals_restore(&old);
	return fd;
}

/* The end that is FD, or NULL. */
static struct fifo *
find(int fd)
{
	struct fifos *f = pmux->fifos;
	uint32_t low = 0, high = f->set.count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (f->set.fifos[middle].fd < fd)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->set.count && f->set.fifos[low].fd == fd ?
	    &f->set.fifos[low] :
	    NULL;
}

/* Open FD again for the next writer, if it is empty.  Returns 0 or -errno. */
static int
renew(int fd, struct fifo *fifo)
{
	int again = peer_reopen(fd, fifo->path, O_RDONLY), error = 0;
	struct lease lease = fifo->lease;
	int64_t claim, now;

	if (again < 0)
		return again;
	/*
	 * A writer has come and gone meanwhile.  AGAIN would not report that it
	 * has gone (fs/pipe.c, f_version), FD does.
	 */
	if (kernel_unread(fd) > 0) {
		(void)close(again);
		return 0;
	}
	/* made on the future FD, so that there is no moment without a claim */
	lease_use(&lease, again);
	claim = claim_end(&lease, false);
	lease_reader_arrive(&lease, now = clock_now());
	if (dup2(again, fd) == -1)
		error = -errno;
	else {
		fifo->claim = claim;
		fifo->claimed = now;
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
			error = -errno;
	}
	(void)close(again);
	return error;
}

int
fifo_renew(int fd)
{
	struct fifo *fifo = find(fd);
	sigset_t old;
	int error;

	if (fifo == NULL)
		return -EBADF;
	signals_block(&old);
	error = renew(fd, fifo);
	signals_restore(&old);
	return error;
}

void
fifo_give(int fd)
{
	struct fifos *f = pmux->fifos;
	struct fifo *fifo = find(fd), *end = f->set.fifos + f->set.count;

	f->orphaned = true;
	if (fifo == NULL)
		return;
	f->given = *fifo;
	memmove(fifo, fifo + 1, (size_t)(end - fifo - 1) * sizeof *fifo);
	f->set.count--;
	/* PROGRAM reads or writes as any other */
	lease_release(&f->given.lease);
}

void
fifo_take_back(void)
{
	struct fifos *f = pmux->fifos;

	f->orphaned = false;
	if (f->given.fd == -1)
		return;
	/* the others have been left, and their holder has the watch */
	f->set.count = 0;
	if (f->set.watch != -1)
		(void)close(f->set.watch);
	f->set.watch = -1;
	memset(f->set.numbers, 0,
	    (f->set.capacity + 1) * sizeof *f->set.numbers);
	f->given.watched = 0;
	f->given.claim = claim_end(&f->given.lease, f->given.writing);
	insert(&f->given);
	f->given.fd = -1;
	f->left = false;
}

void
fifo_let_go(void)
{
	struct fifos *f = pmux->fifos;

	if (f->given.fd != -1)
		(void)close(f->given.fd);
	f->given.fd = -1;
}

/* Returns whether any end has to be held; the others are closed. */
static bool
settle(void)
{
	struct fifos *f = pmux->fifos;
	bool held = false;

	open_watch();
	for (uint32_t i = 0; i < f->set.count; i++)
		holder_watch(&f->set, &f->set.fifos[i]);
	holder_read_changes(&f->set);
	for (uint32_t i = 0; i < f->set.count; i++) {
		f->set.fifos[i].reader = f->set.fifos[i].fresh = false;
		f->set.fifos[i].reads = f->set.fifos[i].came = false;
		/* a pmux that opens to read from now on waits for the holder */
		if (f->set.fifos[i].writing)
			lease_heartbeat(&f->set.fifos[i].lease, true, 0);
		if (peer_nameless(f->set.fifos[i].fd))
			holder_abandon(&f->set.fifos[i]);
		else if (!holder_needed(&f->set, &f->set.fifos[i]))
			holder_leave(&f->set, &f->set.fifos[i],
			    "nothing can be lost");
		held |= f->set.fifos[i].fd != -1;
	}
	return held;
}

/* The holder is there as long as it says, and no longer. */
static void
claim_until(deadline_t deadline)
{
	struct fifos *f = pmux->fifos;
	int64_t now = clock_now();

	for (uint32_t i = 0; i < f->set.count; i++) {
		struct fifo *fifo = &f->set.fifos[i];

		if (fifo->fd != -1)
			fifo->claim = lease_set(&fifo->lease, fifo->writing,
			    true, deadline, now);
	}
}

static bool
is_writable(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ||
	    errno != EACCES;
}

/* Explain what this system cannot do. */
static void
say_limits(void)
{
	struct fifos *f = pmux->fifos;

	for (uint32_t i = 0; i < f->set.count; i++) {
		const struct fifo *fifo = &f->set.fifos[i];

		if (fifo->fd == -1 || fifo->writing || is_writable(fifo->path))
			continue;
		diag_note("a named pipe is not writable: its next reader may"
			  " wait for a writer",
		    errno_name(EACCES));
		break;
	}
}

static pid_t
start_process(void)
{
	struct pmux_host *host = pmux->host;

	return host->fork == NULL ? fork() : host->fork(host);
}

/* The child's child, and the child to its end: 0 or errno, an exit status. */
static int
start_orphan(deadline_t deadline)
{
	struct fifos *f = pmux->fifos;
	pid_t holder;

	if (pmux->host->program != NULL)
		return successor_start(pmux->host->program, &f->set, deadline);
	holder = start_process();
	if (holder == 0)
		holder_run(&f->set, deadline);
	return holder == -1 ? errno : 0;
}

static int
reap(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EAGAIN;
}

/* Where a holder makes locks of its own it is connected to pmux until then. */
static void
open_pair(int ends[2])
{
	if (lease_is_inherited() ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		ends[0] = ends[1] = -1;
}

static void
release(int ends[2])
{
	struct fifos *f = pmux->fifos;

	if (ends[0] == -1)
		return;
	(void)close(ends[1]);
	holder_release(&f->set, ends[0]);
	(void)close(ends[0]);
}

/* Returns 0 or -errno. */
static int
start_holder(deadline_t deadline)
{
	struct fifos *f = pmux->fifos;
	bool orphaned = f->orphaned || pmux->host->stays;
	int ends[2], error;
	pid_t child;

	open_pair(ends);
	child = start_process();
	error = child == -1 ? -errno : 0;
	if (child == 0) {
		f->set.connection = ends[1];
		if (orphaned)
			_exit(start_orphan(deadline));
		holder_run(&f->set, deadline);
	}
	if (error == 0)
		DEBUG("fifo", "process %d %s", child,
		    orphaned ? "starts the holder" : "is the holder");
	if (error == 0 && orphaned)
		error = reap(child);
	release(ends);
	return error;
}

static const char *
loss(const struct fifo *fifo)
{
	if (fifo->writing)
		return "its reader sees an end of file";
	return kernel_unread(fifo->fd) != 0 ? "what is unread is lost" :
					      "its writer has no reader";
}

static void
say_lost(int error)
{
	struct fifos *f = pmux->fifos;
	char text[160];
	size_t used;

	for (uint32_t i = 0; i < f->set.count; i++) {
		const struct fifo *fifo = &f->set.fifos[i];

		if (fifo->fd == -1)
			continue;
		used = escape(text, 120, fifo->path, strlen(fifo->path));
		memcpy(text + used, ": ", 2);
		strcpy(text + used + 2, loss(fifo));
		diag_note(text, NULL);
	}
	diag_note("no process can be started to hold named pipes",
	    errno_name(-error));
}

static int
hand_over(void)
{
	struct fifos *f = pmux->fifos;
	deadline_t deadline = deadline_in(f->hold), end = deadline_in(TRY);
	struct timespec pause = { 0, TRY_STEP };
	int error;

	say_limits();
	claim_until(deadline);
	while (
	    (error = start_holder(deadline)) != 0 && deadline_left(end) > 0) {
		DEBUG("fifo", "no holder can be started, try again: %s",
		    errno_name(-error));
		(void)nanosleep(&pause, NULL);
	}
	if (error == 0)
		return 0;
	say_lost(error);
	return EXIT_SYSTEM;
}

/* No holder stays, but those of other pmux must not be misled. */
static void
await_checks(void)
{
	struct fifos *f = pmux->fifos;

	for (uint32_t i = 0; i < f->set.count; i++)
		if (f->set.fifos[i].writing)
			holder_await_checks(&f->set.fifos[i]);
}

int
fifo_leave(void)
{
	struct fifos *f = pmux->fifos;
	sigset_t old;
	int error = errno;

	if (f->set.count == 0 || f->left)
		return f->lost;
	signals_block(&old);
	f->left = true;
	/* no wait follows, and the search for named numbers might allocate */
	fdplace_avoid(NULL, NULL);
	DEBUG("fifo", "leave named pipes, %d open%s", (int)f->set.count,
	    f->hold == 0 ? ", without a holder" : "");
	if (f->hold == 0)
		await_checks();
	else if (settle())
		f->lost = hand_over();
	signals_restore(&old);
	errno = error;
	return f->lost;
}
