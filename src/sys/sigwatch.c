/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_SIGNALFD
#include <sys/signalfd.h>
#endif

#include "base/pmux.h"
#include "sys/caller.h"
#include "sys/fdplace.h"
#include "sys/signals.h"
#include "sys/sigwatch.h"

/* ---- signalfd(2) ---- */

#ifdef HAVE_SIGNALFD

/*
 * A blocked signal at its default is queued; one that is ignored is not, and
 * ignored children leave no status (signal(7), wait(2)).
 */
static void
heed(int number)
{
	struct sigaction action;

	if (sigaction(number, NULL, &action) == -1 ||
	    (action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != SIG_IGN)
		return;
	action.sa_handler = SIG_DFL;
	(void)caller_change(number, &action, NULL);
}

static int
open_signalfd(struct sigwatch *w)
{
	(void)sigemptyset(&w->set);
	for (size_t i = 0; i < w->count; i++) {
		heed(w->numbers[i]);
		(void)sigaddset(&w->set, w->numbers[i]);
	}
	if (sigprocmask(SIG_BLOCK, &w->set, &w->mask) == -1)
		return -errno;
	w->ends[0] = fdplace(signalfd(-1, &w->set, SFD_CLOEXEC | SFD_NONBLOCK));
	if (w->ends[0] < 0)
		sigwatch_close(w);
	return w->ends[0];
}

static size_t
take_queued(const struct sigwatch *w, struct sigwatch_came *came)
{
	struct signalfd_siginfo queued[SIGWATCH_MOST];
	ssize_t n = read(w->ends[0], queued, sizeof queued);
	size_t count = n == -1 ? 0 : (size_t)n / sizeof *queued;
	siginfo_t information;

	memset(&information, 0, sizeof information);
	for (size_t i = 0; i < count; i++) {
		information.si_code = queued[i].ssi_code;
		came[i].number = (int)queued[i].ssi_signo;
		came[i].sent = signals_sent(&information);
	}
	return count;
}

#else

static int
open_signalfd(struct sigwatch *w)
{
	(void)w;
	return -ENOSYS;
}

static size_t
take_queued(const struct sigwatch *w, struct sigwatch_came *came)
{
	(void)w;
	(void)came;
	return 0;
}

#endif

/* ---- handlers ---- */

/* That of the call which has them: another call may be under way. */
static struct sigwatch *
handling(void)
{
	const struct pmux *call = pmux;

	while (call->sigwatch == NULL || !call->sigwatch->handles)
		call = call->outer;
	return call->sigwatch;
}

static void
note(int number, siginfo_t *information, void *context)
{
	struct sigwatch *w = handling();
	int error = errno;

	(void)context;
	for (size_t i = 0; i < w->count; i++)
		if (w->numbers[i] == number) {
			w->came[i] = 1;
			w->sent[i] |= signals_sent(information);
		}
	/* where it is full there is enough to read */
	(void)!write(w->ends[1], "", 1);
	errno = error;
}

static int
open_pipe(struct sigwatch *w)
{
	int ends[2];

	if (pipe(ends) == -1)
		return -errno;
	/* a handler must not block, and to drain it must not either */
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) == -1 ||
		    fcntl(ends[i], F_SETFL, O_NONBLOCK) == -1)
			return -errno;
	w->ends[0] = fdplace(ends[0]);
	w->ends[1] = fdplace(ends[1]);
	return w->ends[1] < 0 ? w->ends[1] : w->ends[0];
}

static int
open_handlers(struct sigwatch *w)
{
	struct sigaction action;
	int fd = open_pipe(w);

	if (fd < 0)
		return fd;
	pmux->sigwatch = w;
	w->handles = true;
	memset(&action, 0, sizeof action);
	sigfillset(&action.sa_mask);
	action.sa_sigaction = note;
	for (size_t i = 0; i < w->count; i++) {
		action.sa_flags = SA_RESTART | SA_SIGINFO;
		if (w->numbers[i] == SIGCHLD)
			action.sa_flags |= SA_NOCLDSTOP;
		(void)caller_change(w->numbers[i], &action, NULL);
		caller_unblock(w->numbers[i]);
	}
	return fd;
}

static void
drain(int fd)
{
	char bytes[64];
	ssize_t n;

	do
		n = read(fd, bytes, sizeof bytes);
	while (n == sizeof bytes || (n == -1 && errno == EINTR));
}

static size_t
take_handled(struct sigwatch *w, struct sigwatch_came *came)
{
	size_t count = 0;

	/* first: one that comes later makes it readable again */
	drain(w->ends[0]);
	for (size_t i = 0; i < w->count; i++) {
		if (w->came[i] == 0)
			continue;
		w->came[i] = 0;
		came[count].number = w->numbers[i];
		came[count++].sent = w->sent[i] != 0;
		w->sent[i] = 0;
	}
	return count;
}

/* ---- both ---- */

int
sigwatch_open(struct sigwatch *w, const int *numbers, size_t count,
    bool handlers)
{
	int fd = -ENOSYS;

	w->ends[0] = w->ends[1] = -1;
	w->count = count;
	memcpy(w->numbers, numbers, count * sizeof *numbers);
	if (!handlers)
		fd = open_signalfd(w);
	return fd == -ENOSYS ? open_handlers(w) : fd;
}

size_t
sigwatch_take(struct sigwatch *w, struct sigwatch_came *came)
{
	return w->handles ? take_handled(w, came) : take_queued(w, came);
}

bool
sigwatch_has(const struct sigwatch *w, int except)
{
	sigset_t pending;

	if (!w->handles && sigpending(&pending) == -1)
		return false;
	for (size_t i = 0; i < w->count; i++)
		if (w->numbers[i] != except &&
		    (w->handles ? w->came[i] != 0 :
				  sigismember(&pending, w->numbers[i]) == 1))
			return true;
	return false;
}

void
sigwatch_close(struct sigwatch *w)
{
	for (size_t i = 0; i < w->count; i++)
		caller_put_back(w->numbers[i]);
	if (!w->handles)
		signals_restore(&w->mask);
	pmux->sigwatch = NULL;
	w->handles = false;
}

void
sigwatch_end(struct sigwatch *w)
{
	for (int i = 0; i < 2; i++)
		if (w->ends[i] >= 0)
			(void)close(w->ends[i]);
}
