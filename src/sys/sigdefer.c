/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/time.h>

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/pmux.h"
#include "sys/kernel.h"
#include "sys/sigdefer.h"

/* The timer expires that much after the deadline, which a wait notices: us. */
#define LATE 20000

void
sigdefer_give_up(void)
{
	struct sigdefer *s = pmux->sigdefer;
	void (*last)(void) = s->before_end;

	s->depth++;
	s->before_end = NULL;
	if (last != NULL)
		last();
}

static void
end(int number)
{
	struct sigdefer *s = pmux->sigdefer;

	sigdefer_give_up();
	(void)sigaction(number, &s->replaced[number], NULL);
	/* in the handler it is blocked, and comes when that returns */
	(void)raise(number);
}

/* Whether SIGALRM comes from the timer of sigdefer_deadline. */
static bool
is_late(const struct sigdefer *s)
{
	return s->late != NULL && s->pending == 0 &&
	    deadline_left(s->deadline) == 0;
}

static void
set_timer(int64_t us)
{
	const struct itimerval timer = {
		.it_value = { .tv_sec = (time_t)(us / 1000000),
		    .tv_usec = (suseconds_t)(us % 1000000) },
	};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/*
 * Whether half of that was CPU time since this was first asked: a wait for the
 * CPU is no expression that takes long.
 */
static bool
has_run(struct sigdefer *s)
{
	int64_t now = clock_cpu();

	if (s->cpu == 0)
		s->cpu = now;
	return now - s->cpu >= (int64_t)LATE * 1000 / 2;
}

static void
caught(int number)
{
	struct sigdefer *s;

	/* the last call is over, and its program about to end */
	if (pmux == NULL) {
		(void)signal(number, SIG_DFL);
		(void)raise(number);
		return;
	}
	s = pmux->sigdefer;
	if (number == SIGALRM && is_late(s)) {
		s->expired = s->paused == 0;
		if (s->expired)
			return;
		if (!has_run(s)) {
			set_timer(LATE);
			return;
		}
		sigdefer_give_up();
		s->late();
	}
	if (s->pending == 0)
		s->pending = number;
	if (s->depth == 0)
		end(number);
	else
		/* a wait may have begun just before that does not know of it */
		(void)alarm(1);
}

/* A fault is not put off: it would come again at once. */
static bool
is_fault(int number)
{
	return number == SIGSEGV || number == SIGBUS || number == SIGILL ||
	    number == SIGFPE || number == SIGTRAP || number == SIGABRT ||
	    number == SIGSYS;
}

void
sigdefer_signals(void (*last)(void))
{
	struct sigdefer *s = pmux->sigdefer;
	struct sigaction action;

	s->before_end = last;
	caller_hold_children();
	memset(&action, 0, sizeof action);
	action.sa_handler = caught;
	sigfillset(&action.sa_mask);
	for (int i = 1; i < NSIG; i++) {
		/* without a reader there is nothing to be put out */
		if (i == SIGPIPE || is_fault(i) || !kernel_signal_ends(i) ||
		    (pmux->host->stays && !caller_defaults(i)) ||
		    caller_change(i, &action, &s->replaced[i]) == -1)
			continue;
		if (s->replaced[i].sa_handler == SIG_IGN)
			(void)sigaction(i, &s->replaced[i], NULL);
	}
}

void
sigdefer_begin(void)
{
	pmux->sigdefer->depth++;
}

void
sigdefer_end(void)
{
	struct sigdefer *s = pmux->sigdefer;

	if (--s->depth == 0 && s->pending != 0)
		end((int)s->pending);
}

void
sigdefer_pause(void)
{
	struct sigdefer *s = pmux->sigdefer;

	s->paused = s->depth;
	s->depth = 0;
	if (s->pending != 0)
		end((int)s->pending);
	/* once more, for what takes long; a wait would be interrupted by each */
	if (s->expired) {
		s->expired = false;
		set_timer(LATE);
	}
}

void
sigdefer_resume(void)
{
	struct sigdefer *s = pmux->sigdefer;

	s->depth = s->paused;
	s->paused = 0;
}

void
sigdefer_deadline(deadline_t deadline, void (*late)(void))
{
	struct sigdefer *s = pmux->sigdefer;
	struct itimerval before;

	if (pmux->host->stays || deadline == DEADLINE_NEVER ||
	    s->before_end == NULL ||
	    s->replaced[SIGALRM].sa_handler == SIG_IGN ||
	    getitimer(ITIMER_REAL, &before) == -1 ||
	    before.it_value.tv_sec != 0 || before.it_value.tv_usec != 0)
		return;
	s->deadline = deadline;
	s->late = late;
	set_timer(deadline_left(deadline) / 1000 + LATE);
}

void
sigdefer_close(void)
{
	struct sigdefer *s = pmux->sigdefer;

	s->before_end = NULL;
	if (s->late != NULL)
		set_timer(0);
}

bool
sigdefer_pending(void)
{
	return pmux->sigdefer->pending != 0;
}
