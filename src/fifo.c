#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend/kernel.h"
#include "backend/peer.h"
#include "backend/place.h"
#include "backend/timeout.h"
#include "compat.h"
#include "deadline.h"
#include "diag.h"
#include "duration.h"
#include "fifo.h"
#include "holder.h"

/* How long a holder is given to leave: 2000 steps of 0.1 ms. */
#define HANDOVER_STEP	100000
#define HANDOVER_STEPS	2000

/* How long a writer that is leaving is given, if pmux may take that long. */
#define LINGER	(INT64_C(100) * 1000000)

static struct fifo_set set = { .watch = -1 };
static int64_t hold = FIFO_HOLD;
static int64_t patience = LINGER;
static bool left;

/* Those whose default is to end the process, and that can be caught. */
static const int deadly[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2,
	SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ,
};

void
fifo_hold(int64_t ns)
{
	hold = ns;
}

void
fifo_patience(int64_t ns)
{
	if (ns >= 0 && ns < patience)
		patience = ns;
}

static void
leave_and_die(int number)
{
	fifo_leave();
	/* SA_RESETHAND has put the default back; now it is not blocked */
	(void)raise(number);
}

static void
catch_signals(void)
{
	struct sigaction action, old;

	memset(&action, 0, sizeof action);
	action.sa_handler = leave_and_die;
	action.sa_flags = (int)SA_RESETHAND;
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		if (sigaction(deadly[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_DFL)
			(void)sigaction(deadly[i], &action, NULL);
}

static int
reserve(void)
{
	uint32_t wanted = set.capacity + set.capacity / 2 + 4;
	struct fifo *fifos;
	uint32_t *numbers;

	if (set.count < set.capacity)
		return 0;
	fifos = realloc(set.fifos, wanted * sizeof *fifos);
	if (fifos == NULL)
		return -ENOMEM;
	set.fifos = fifos;
	numbers = realloc(set.numbers, (wanted + 1) * sizeof *numbers);
	if (numbers == NULL)
		return -ENOMEM;
	memset(numbers + set.capacity + 1, 0,
	    (wanted - set.capacity) * sizeof *numbers);
	numbers[0] = 0;
	set.numbers = numbers;
	set.capacity = wanted;
	return 0;
}

static struct fifo *
insert(int fd)
{
	uint32_t at = set.count++;
	struct fifo *fifos = set.fifos;

	for (; at > 0 && fifos[at - 1].fd > fd; at--)
		fifos[at] = fifos[at - 1];
	memset(&fifos[at], 0, sizeof fifos[at]);
	fifos[at].fd = fd;
	fifos[at].writer = -1;
	return &fifos[at];
}

static bool
ready(int fd, short events, int ms)
{
	struct pollfd p = { fd, events, 0 };

	return poll(&p, 1, ms) == 1;
}

/*
 * FD has just been opened to read, at TIME, after another pmux, or its holder.
 * Somebody may have the write end who is on the point of leaving: a holder
 * whose work is done, or the writer whose line was read last, between its write
 * and its close.  poll(2) would then tell of FD that a writer has gone, though
 * nobody has come since; a moment later it would have told nothing.  So let
 * them go: every holder looks when somebody opens, and a writer is given
 * LINGER.  Returns whether they went, and FD should be opened anew.
 */
static bool
let_go(int fd, int64_t time)
{
	struct timespec pause = { 0, HANDOVER_STEP };

	for (int i = 0; i < HANDOVER_STEPS && peer_marked(fd, time); i++)
		(void)nanosleep(&pause, NULL);
	if (kernel_available(fd) > 0)
		return false;
	if (!ready(fd, 0, 0)) {
		if (peer_has_writer(fd) != 1)
			return false;
		if (!ready(fd, POLLIN, timeout_milliseconds(patience)))
			return false;
	}
	return kernel_available(fd) == 0;
}

static int64_t
claim_end(int fd, bool writing)
{
	return hold == 0 ? -1 : peer_claim(fd, writing);
}

/* Returns the read end that is to be used, FD or another. */
static int
settle_in(int fd, const char *path, int64_t *claim)
{
	int64_t now = clock_now();
	bool alone = !peer_claimed(fd) && !peer_marked(fd, now);
	int again;

	*claim = claim_end(fd, false);
	if (alone || !let_go(fd, *claim >= 0 ? *claim : now))
		return fd;
	again = peer_reopen(fd, path, O_RDONLY);
	if (again < 0 || (again = place(again)) < 0)
		return fd;
	*claim = claim_end(again, false);
	(void)close(fd);
	return again;
}

/*
 * To know, when leaving, whether another writer has served the reader that
 * pmux let through.
 */
static uint32_t
watch_writers(int fd)
{
	int number;

	if (set.watch == -1 && (set.watch = peer_watch_open()) < 0)
		set.watch = -1;
	if (set.watch == -1)
		return 0;
	number = peer_watch_add(set.watch, fd,
	    PEER_WROTE | PEER_WRITER_CLOSED);
	return number < 0 ? 0 : (uint32_t)number;
}

static int
open_end(const char *path, bool writing)
{
	int fd, error = reserve();
	struct fifo *fifo;
	int64_t claim;

	if (error != 0)
		return error;
	fd = open(path, (writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK |
	    O_CLOEXEC | O_NOCTTY);
	if ((fd = place(fd)) < 0)
		return fd;
	if (writing)
		claim = claim_end(fd, true);
	else
		fd = settle_in(fd, path, &claim);
	fifo = insert(fd);
	fifo->path = path;
	fifo->writing = writing;
	fifo->claim = claim;
	if (writing && hold != 0)
		fifo->watched = watch_writers(fd);
	return fd;
}

int
fifo_open(const char *path, bool writing)
{
	sigset_t all, old;
	int fd;

	if (set.capacity == 0 && hold != 0)
		catch_signals();
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	fd = open_end(path, writing);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return fd;
}

/* Returns whether any end has to be held; the others are closed. */
static bool
settle(void)
{
	bool held = false;

	if (set.watch == -1 && (set.watch = peer_watch_open()) < 0)
		set.watch = -1;
	for (uint32_t i = 0; i < set.count; i++)
		holder_watch(&set, &set.fifos[i]);
	holder_look(&set);
	for (uint32_t i = 0; i < set.count; i++) {
		set.fifos[i].reader = set.fifos[i].fresh = false;
		if (!holder_needed(&set.fifos[i]))
			holder_leave(&set, &set.fifos[i]);
		held |= set.fifos[i].fd != -1;
	}
	return held;
}

static void
hand_over(void)
{
	deadline_t deadline = deadline_in(hold);
	pid_t holder;

	if (!holder_watches(&set))
		diag_note("named pipes cannot be watched here: looking at them"
		    " from time to time until --hold is over");
	holder = fork();
	if (holder == 0)
		holder_run(&set, deadline);
	if (holder != -1)
		return;
	diag_note("no process can be started to hold named pipes: holding them"
	    " here until --hold is over [%s]", errno_name(errno));
	holder_stay(&set, deadline);
}

void
fifo_leave(void)
{
	sigset_t all, old;
	int error = errno;

	if (set.count == 0 || left || hold == 0)
		return;
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	left = true;
	/* nothing is waited for any more, and looking it up might allocate */
	place_avoid(NULL);
	if (settle())
		hand_over();
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	errno = error;
}
