/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "filter_signal.h"
#include "member.h"
#include "queue.h"

/*
 * Linux discards an ignored signal when it is sent, and keeps only one instance
 * of a blocked one.  So a handler counts: it runs before the program's handler,
 * or in place of SIG_IGN.  A pending signal counts as one.  A signal that would
 * end or stop the process keeps that action.
 */

struct watched {
	struct sigaction before; /* the program's action */
	/* the program's handler, for count(); 0: none */
	atomic_uintptr_t handler;
	atomic_bool information; /* the program's handler takes siginfo_t */
	unsigned knotes;
	bool handled; /* count() is installed */
};

static struct watched watched[NSIG];
static atomic_uint posts[NSIG];
static _Thread_local volatile sig_atomic_t ignored, handled;
static int posted = -1; /* eventfd: posts[] has changed */

static bool
is_signal(uintptr_t number)
{
	return number > 0 && number < NSIG;
}

static uint64_t
signal_bit(uintptr_t number)
{
	return UINT64_C(1) << (number - 1);
}

/*
 * The signal handler.  The program may have closed the eventfd, which it does
 * not know of.
 */
static void
count(int number, siginfo_t *information, void *context)
{
	struct watched *w = &watched[number];
	uintptr_t handler = atomic_load(&w->handler);
	uint64_t one = 1;
	int error = errno;

	atomic_fetch_add(&posts[number], 1);
	if (private_is(posted))
		(void)!write(posted, &one, sizeof one);
	errno = error;
	if (handler == 0)
		ignored++;
	else
		handled++;
	if (handler != 0 && atomic_load(&w->information))
		((void (*)(int, siginfo_t *, void *))handler)(number,
		    information, context);
	else if (handler != 0)
		((void (*)(int))handler)(number);
}

struct signal_counts
signal_counts_now(void)
{
	struct signal_counts counts = { (unsigned)ignored, (unsigned)handled };

	return counts;
}

static bool
is_ignored(int number, const struct sigaction *action)
{
	if ((action->sa_flags & SA_SIGINFO) != 0)
		return false;
	if (action->sa_handler != SIG_DFL)
		return action->sa_handler == SIG_IGN;
	return number == SIGCHLD || number == SIGURG || number == SIGWINCH ||
	    number == SIGCONT;
}

static bool
is_left_alone(int number, const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) == 0 &&
	    action->sa_handler == SIG_DFL && !is_ignored(number, action);
}

static void
remember_action(struct watched *w, const struct sigaction *action)
{
	bool information = (action->sa_flags & SA_SIGINFO) != 0;
	uintptr_t handler = (uintptr_t)action->sa_handler;

	if (action->sa_handler == SIG_IGN || action->sa_handler == SIG_DFL)
		handler = 0;
	atomic_store(&w->information, information);
	atomic_store(&w->handler, handler);
}

/* Install count() in front of the program's current action. */
static void
install_handler(int number)
{
	struct watched *w = &watched[number];
	struct sigaction now, action;

	if (sigaction(number, NULL, &now) == -1)
		return;
	if (now.sa_sigaction == count) {
		if ((now.sa_flags & SA_SIGINFO) != 0)
			return;
		/* signal(3) restored count(), without SA_SIGINFO */
		now = w->before;
	}
	w->handled = false;
	if (is_left_alone(number, &now))
		return;
	w->before = now;
	remember_action(w, &now);
	action = now;
	action.sa_sigaction = count;
	action.sa_flags |= SA_SIGINFO;
	if (is_ignored(number, &now)) {
		action.sa_flags = SA_SIGINFO | SA_RESTART;
		/* with SIGCHLD ignored, children leave no zombies (POSIX) */
		if (now.sa_handler == SIG_IGN)
			action.sa_flags |= SA_NOCLDWAIT;
		sigemptyset(&action.sa_mask);
	}
	w->handled = sigaction(number, &action, NULL) == 0;
}

static void
restore_handler(int number)
{
	struct sigaction now;

	if (watched[number].handled && sigaction(number, NULL, &now) == 0 &&
	    now.sa_sigaction == count)
		(void)sigaction(number, &watched[number].before, NULL);
	watched[number].handled = false;
}

void
signal_reinstall(void)
{
	if (posted == -1)
		return;
	for (int number = 1; number < NSIG; number++)
		if (watched[number].knotes > 0)
			install_handler(number);
}

static bool
is_pending(int number)
{
	sigset_t set;

	return sigpending(&set) == 0 && sigismember(&set, number) == 1;
}

/* ---- the queue's descriptors ---- */

static int
update_pending(struct queue *q)
{
	const int flags = SFD_CLOEXEC | SFD_NONBLOCK;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (int number = 1; number < NSIG; number++)
		if ((q->signals & signal_bit((uintptr_t)number)) != 0)
			(void)sigaddset(&set, number);
	fd = signalfd(q->sources[SOURCE_PENDING], &set, flags);
	if (q->sources[SOURCE_PENDING] != -1)
		return fd == -1 ? -errno : 0;
	return source_add(q, SOURCE_PENDING, fd, true);
}

static int
open_posts(struct queue *q)
{
	int fd;

	if (!private_is(posted)) {
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		fd = private_descriptor(fd);
		if (fd < 0)
			return fd;
		posted = fd;
	}
	if (q->sources[SOURCE_POSTS] != -1)
		return 0;
	/* edge-triggered and never read: each write wakes every queue */
	return source_add(q, SOURCE_POSTS,
	    fcntl(posted, F_DUPFD_CLOEXEC, posted), true);
}

void
signal_after_fork(void)
{
	private_close(posted);
	posted = -1;
}

/* ---- the knote ---- */

static int
signal_attach(struct knote *k)
{
	struct queue *q = k->queue;
	uintptr_t number = k->event.ident;
	int error;

	k->event.flags |= EV_CLEAR;
	/* FreeBSD and NetBSD accept any number; such a signal never arrives */
	if (!is_signal(number))
		return 0;
	if ((error = open_posts(q)) != 0)
		return error;
	q->signals |= signal_bit(number);
	if ((error = update_pending(q)) != 0) {
		q->signals &= ~signal_bit(number);
		return error;
	}
	watched[number].knotes++;
	/* the program may have changed the action since another knote's */
	install_handler((int)number);
	k->signal.seen = atomic_load(&posts[number]);
	k->signal.pending_reported = is_pending((int)number);
	return 0;
}

/* The program may have changed the action since. */
static int
signal_arm(struct knote *k)
{
	if (is_signal(k->event.ident))
		install_handler((int)k->event.ident);
	return 0;
}

static void
signal_detach(struct knote *k)
{
	uintptr_t number = k->event.ident;

	if (!is_signal(number))
		return;
	k->queue->signals &= ~signal_bit(number);
	if (k->queue->sources[SOURCE_PENDING] != -1)
		(void)update_pending(k->queue);
	if (--watched[number].knotes == 0)
		restore_handler((int)number);
}

/*
 * Count the signals handled since the last report, and a pending one, each
 * once.
 */
static int
signal_event(struct knote *k)
{
	uintptr_t number = k->event.ident;
	unsigned fresh;
	bool pending;

	if (!is_signal(number))
		return 0;
	fresh = atomic_load(&posts[number]) - k->signal.seen;
	pending = is_pending((int)number);
	if (k->signal.pending_reported && fresh > 0) {
		/* it was reported while pending */
		k->signal.pending_reported = false;
		k->signal.seen++;
		fresh--;
	}
	/* not pending any longer: the program took it, as with sigwait(3) */
	k->signal.pending_reported = k->signal.pending_reported && pending;
	k->event.data = fresh + (pending && !k->signal.pending_reported);
	return k->event.data > 0;
}

static void
signal_clear(struct knote *k)
{
	unsigned fresh = atomic_load(&posts[k->event.ident]) - k->signal.seen;

	/* the last of those reported may be the pending one */
	if (k->event.data > fresh) {
		k->signal.pending_reported = true;
		k->event.data--;
	}
	k->signal.seen += (unsigned)k->event.data;
	k->event.data = 0;
}

/*
 * A signal that was reported while pending, and then taken, may have been sent
 * again.  Assume so if SENT and no other knote has a new signal.
 */
void
signal_handle(struct queue *q, bool sent)
{
	struct knote *watching[NSIG];
	int count = 0;
	bool explained = false;

	for (int number = 1; number < NSIG; number++)
		if ((q->signals & signal_bit((uintptr_t)number)) != 0 &&
		    (watching[count] = knote_find(q, EVFILT_SIGNAL,
			 (uintptr_t)number)) != NULL)
			explained |= signal_event(watching[count++]) == 1;
	for (int i = 0; i < count; i++) {
		if (sent && !explained)
			watching[i]->signal.pending_reported = false;
		knote_activate(watching[i]);
	}
}

const struct filter filter_signal = {
	.number = EVFILT_SIGNAL,
	.attach = signal_attach,
	.detach = signal_detach,
	.event = signal_event,
	.clear = signal_clear,
	.arm = signal_arm,
};
