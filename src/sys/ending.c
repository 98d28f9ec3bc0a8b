/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/pmux.h"
#include "sys/caller.h"
#include "sys/ending.h"
#include "sys/signals.h"

/*
 * A signal may come just before a system call that then sleeps: it is
 * interrupted so often.  In us.
 */
#define AGAIN 10000

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
#define NUMBERS (sizeof numbers / sizeof *numbers)

static void
arm(int64_t us, struct itimerval *before)
{
	struct itimerval timer = { { 0, AGAIN },
		{ (time_t)(us / 1000000), (suseconds_t)(us % 1000000) } };

	(void)setitimer(ITIMER_REAL, &timer, before);
}

/* In a handler: another call may be under way. */
static struct ending *
catching(void)
{
	const struct pmux *call = pmux;

	while (call != NULL && call->ending == NULL)
		call = call->outer;
	return call == NULL ? NULL : call->ending;
}

static void
note(int number, siginfo_t *information, void *context)
{
	struct ending *e = catching();
	int error = errno;

	(void)context;
	if (e != NULL && number == SIGALRM)
		e->rung = 1;
	else if (e != NULL) {
		if (e->number == 0)
			e->number = number;
		/* a key of the terminal has reached it */
		if (e->child > 0 && signals_sent(information))
			(void)kill(e->child, number);
		arm(AGAIN, NULL);
	}
	errno = error;
}

void
ending_begin(struct ending *ending)
{
	struct sigaction action, before;

	pmux->ending = ending;
	memset(&action, 0, sizeof action);
	action.sa_sigaction = note;
	action.sa_flags = SA_SIGINFO;
	(void)sigfillset(&action.sa_mask);
	(void)caller_change(SIGALRM, &action, NULL);
	caller_unblock(SIGALRM);
	for (size_t i = 0; i < NUMBERS; i++)
		if (sigaction(numbers[i], NULL, &before) == 0 &&
		    before.sa_handler != SIG_IGN)
			(void)caller_change(numbers[i], &action, NULL);
	ending->timed = getitimer(ITIMER_REAL, &ending->before) == 0;
}

void
ending_after(int64_t ns)
{
	/* 0 would disarm it */
	arm(ns < 1000 ? 1 : ns / 1000, NULL);
}

void
ending_end(void)
{
	struct ending *e = pmux->ending;

	if (e == NULL)
		return;
	if (e->timed)
		(void)setitimer(ITIMER_REAL, &e->before, NULL);
	for (size_t i = 0; i < NUMBERS; i++)
		caller_put_back(numbers[i]);
	caller_put_back(SIGALRM);
	pmux->ending = NULL;
}

int
ending_result(const struct ending *ending, int status)
{
	int number = (int)ending->number;

	if (number == 0)
		return status;
	pmux->host->signal = number;
	return 128 + number;
}
