/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "sys/kernel.h"
#include "sys/sigdefer.h"

static void (*before_end)(void);
static volatile sig_atomic_t depth, pending;

/* The first handler gives way to what it replaced. */
static struct sigaction replaced[NSIG];

static void
end(int number)
{
	depth++;
	before_end();
	(void)sigaction(number, &replaced[number], NULL);
	/* in the handler it is blocked, and comes when that returns */
	(void)raise(number);
}

static void
caught(int number)
{
	if (pending == 0)
		pending = number;
	if (depth == 0)
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
	struct sigaction action;

	before_end = last;
	memset(&action, 0, sizeof action);
	action.sa_handler = caught;
	sigfillset(&action.sa_mask);
	for (int i = 1; i < NSIG; i++) {
		/* without a reader there is nothing to be put out */
		if (i == SIGPIPE || is_fault(i) || !kernel_signal_ends(i) ||
		    sigaction(i, &action, &replaced[i]) == -1)
			continue;
		if (replaced[i].sa_handler == SIG_IGN)
			(void)sigaction(i, &replaced[i], NULL);
	}
}

void
sigdefer_begin(void)
{
	depth++;
}

void
sigdefer_end(void)
{
	if (--depth == 0 && pending != 0)
		end(pending);
}

bool
sigdefer_pending(void)
{
	return pending != 0;
}
