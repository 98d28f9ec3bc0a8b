/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "await/internal.h"
#include "backend/exits.h"
#include "base/number.h"
#include "base/pmux.h"
#include "output/debug.h"
#include "output/diag.h"

/*
 * The end of a process wakes its parent, which then is about to reap it: how
 * long to wait for that, in ns, where the wait status is known only then.
 */
#define REAPING INT64_C(100000000)

/* The pauses of sampling, in ns. */
#define FIRST_PAUSE INT64_C(1000000)
#define LAST_PAUSE INT64_C(100000000)

static int
exit_parse(struct condition *c)
{
	uint64_t pid;

	if (number_parse(c->word, strlen(c->word), 10, INT_MAX, &pid) != 0 ||
	    pid == 0)
		return diag_usage("--exit: '%s' is not a process ID", c->word);
	c->of.exit.pid = (pid_t)pid;
	return 0;
}

static void
exit_end(struct backend_state *s, struct condition *c)
{
	if (c->of.exit.fd == -1)
		return;
	condition_unwatch(s, c->of.exit.slot);
	(void)close(c->of.exit.fd);
	c->of.exit.fd = -1;
}

static int
sample(struct condition *c)
{
	if (!exits_runs(c->of.exit.pid, &c->of.exit.began))
		return 1;
	condition_back_off(c, FIRST_PAUSE, LAST_PAUSE);
	return 0;
}

static int
exit_start(struct backend_state *s, struct condition *c)
{
	int fd = exits_open(c->of.exit.pid), error;

	c->data = AWAIT_UNKNOWN;
	c->of.exit.ended = false;
	c->of.exit.fd = -1;
	if (fd == -ESRCH) {
		DEBUG("await", "process %s has ended before", c->word);
		c->state |= MET;
		return 0;
	}
	if (fd == -ENOSYS) {
		DEBUG("await", "process %s is sampled", c->word);
		/* at once: another process may get the ID later */
		if (sample(c) == 1)
			c->state |= MET;
		condition_activate(c);
		return 0;
	}
	if (fd < 0)
		return fd;
	error = condition_watch(s, c, fd, POLLIN, &c->of.exit.slot);
	if (error == 0)
		c->of.exit.fd = fd;
	else
		(void)close(fd);
	return error;
}

/*
 * The process has ended, but its status is not known yet.  The descriptor stays
 * readable; its end is reported when the process is reaped (Linux 6.9).
 */
static int
await_reap(struct backend_state *s, struct condition *c)
{
	if (condition_last_chance() ||
	    (c->of.exit.ended && c->next <= pmux->await->now))
		return 1;
	if (c->of.exit.ended)
		return 0;
	DEBUG("await", "process %s has ended, and is not reaped yet", c->word);
	c->of.exit.ended = true;
	c->next = deadline_in(REAPING);
	return condition_hangup_only(s, c->of.exit.slot);
}

static int
exit_ask(struct backend_state *s, struct condition *c)
{
	int status, known;

	if (c->of.exit.fd == -1)
		return sample(c);
	/* to read that of a zombie takes longer than all else about it */
	if (pmux->await->no_status)
		return 1;
	known = exits_status(c->of.exit.fd, c->of.exit.pid, &pmux->await->exits,
	    &status);
	if (known == 1)
		c->data = status;
	return known == 0 ? await_reap(s, c) : 1;
}

const struct condition_kind condition_exit = {
	.option = "exit",
	.bit = AWAIT_EXIT,
	.descriptors = 1,
	.edges = true,
	.parse = exit_parse,
	.start = exit_start,
	.ask = exit_ask,
	.end = exit_end,
};
