/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "base/pmux.h"
#include "sys/caller.h"

int
caller_change(int number, const struct sigaction *action, struct sigaction *old)
{
	struct caller *c = pmux->caller;
	struct sigaction before;

	if (sigaction(number, action, &before) == -1)
		return -1;
	if (!c->signals)
		(void)sigemptyset(&c->changed);
	c->signals = true;
	if (number < NSIG && sigismember(&c->changed, number) == 0) {
		c->actions[number] = before;
		(void)sigaddset(&c->changed, number);
	}
	if (old != NULL)
		*old = before;
	return 0;
}

bool
caller_defaults(int number)
{
	struct caller *c = pmux->caller;
	struct sigaction now;

	if (c->signals && sigismember(&c->changed, number) == 1)
		return c->actions[number].sa_handler == SIG_DFL;
	return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
}

void
caller_put_back(int number)
{
	struct caller *c = pmux->caller;

	if (!c->signals || number >= NSIG ||
	    sigismember(&c->changed, number) != 1)
		return;
	(void)sigaction(number, &c->actions[number], NULL);
	(void)sigdelset(&c->changed, number);
}

/* Returns whether NUMBER was blocked. */
static bool
change_mask(int how, int number)
{
	struct caller *c = pmux->caller;
	sigset_t one, before;

	(void)sigemptyset(&one);
	(void)sigaddset(&one, number);
	if (sigprocmask(how, &one, &before) == -1)
		return true;
	if (!c->masked)
		c->mask = before;
	c->masked = true;
	return sigismember(&before, number) == 1;
}

void
caller_unblock(int number)
{
	(void)change_mask(SIG_UNBLOCK, number);
}

void
caller_hold_children(void)
{
	struct caller *c = pmux->caller;

	if (pmux->host->shell && pmux->host->stays && !c->held)
		c->held = !change_mask(SIG_BLOCK, SIGCHLD);
}

void
caller_sleep_mask(sigset_t *mask)
{
	if (pmux->caller->held)
		(void)sigdelset(mask, SIGCHLD);
}

const sigset_t *
caller_mask(const sigset_t *now)
{
	return pmux->caller->masked ? &pmux->caller->mask : now;
}

void
caller_keep_mask(void)
{
	pmux->caller->masked = pmux->caller->held = false;
}

static void
wake(int number)
{
	(void)number;
}

void
caller_count_stops(void)
{
	struct sigaction action;

	/* a handler of the host interrupts a wait as well */
	if (pmux->host->shell && sigaction(SIGCONT, NULL, &action) == 0 &&
	    action.sa_handler != SIG_DFL)
		return;
	memset(&action, 0, sizeof action);
	action.sa_handler = wake;
	/* a wait for events returns in spite of SA_RESTART (signal(7)) */
	action.sa_flags = SA_RESTART;
	(void)sigemptyset(&action.sa_mask);
	(void)caller_change(SIGCONT, &action, NULL);
	/* the caller may have blocked it */
	caller_unblock(SIGCONT);
}

void
caller_raise_files(void)
{
	struct caller *c = pmux->caller;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur == limit.rlim_max)
		return;
	if (!c->limited)
		c->files = limit;
	c->limited = true;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return;
#if defined(__APPLE__)
	/* setrlimit(2): more than OPEN_MAX is EINVAL */
	if (c->files.rlim_cur < OPEN_MAX) {
		limit.rlim_cur = OPEN_MAX;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
#endif
}

static bool
has_changed(const struct caller *c, int number)
{
	return c->signals && sigismember(&c->changed, number) == 1;
}

void
caller_suspend(void)
{
	struct caller *c = pmux->caller;

	for (int i = 1; i < NSIG; i++)
		if (has_changed(c, i))
			(void)sigaction(i, &c->actions[i], &c->own[i]);
	if (c->limited)
		(void)setrlimit(RLIMIT_NOFILE, &c->files);
}

void
caller_resume(void)
{
	struct caller *c = pmux->caller;
	struct sigaction now;

	for (int i = 1; i < NSIG; i++) {
		if (!has_changed(c, i) || sigaction(i, NULL, &now) == -1)
			continue;
		if (now.sa_handler == c->actions[i].sa_handler)
			(void)sigaction(i, &c->own[i], NULL);
		else
			(void)sigdelset(&c->changed, i);
	}
	if (c->limited) {
		c->limited = false;
		caller_raise_files();
	}
}

void
caller_restore(void)
{
	struct caller *c = pmux->caller;

	if (c->limited)
		(void)setrlimit(RLIMIT_NOFILE, &c->files);
	for (int i = 1; c->signals && i < NSIG; i++)
		caller_put_back(i);
	if (c->masked)
		(void)sigprocmask(SIG_SETMASK, &c->mask, NULL);
	c->limited = false;
	caller_keep_mask();
}
