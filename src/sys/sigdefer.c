/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/pmux.h"
#include "sys/kernel.h"
#include "sys/sigdefer.h"

static void
end(int number)
{
	struct sigdefer *s = pmux->sigdefer;

	s->depth++;
	s->before_end();
	(void)sigaction(number, &s->replaced[number], NULL);
	/* in the handler it is blocked, and comes when that returns */
	(void)raise(number);
}

static void
caught(int number)
{
	struct sigdefer *s = pmux->sigdefer;

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

bool
sigdefer_pending(void)
{
	return pmux->sigdefer->pending != 0;
}
