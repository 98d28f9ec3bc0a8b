/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/exits.h"
#include "output/debug.h"
#include "output/diag.h"
#include "run/lifetime.h"

/* ns between two checks, where no descriptor reports its end. */
#define CHECK_PAUSE (INT64_C(50) * 1000000)

/* ns: what was written to a terminal may come that much later. */
#define TERMINAL_PAUSE (INT64_C(20) * 1000000)

/* A zombie is not: its parent has to wait for it first. */
static bool
is_gone(const struct lifetime *l)
{
	return kill((pid_t)l->pid, 0) == -1 && errno == ESRCH;
}

static uint32_t
token(const struct waitset *w)
{
	return (uint32_t)w->targets->count + WAITSET_PROCESS;
}

void
lifetime_begin(struct lifetime *l)
{
	*l = (struct lifetime){ .process = -1 };
}

void
lifetime_close(struct lifetime *l)
{
	if (l->process >= 0)
		(void)close(l->process);
	l->process = -1;
}

void
lifetime_end(struct lifetime *l, struct waitset *w)
{
	const struct targets *targets = w->targets;

	DEBUG("stream", "the process of --while has ended");
	l->ended = true;
	l->sampled = false;
	if (l->process >= 0)
		(void)w->backend->remove(w->state, token(w), l->process);
	lifetime_close(l);
	for (size_t i = 0; i < targets->count; i++)
		if (targets->list[i].fd >= 0 && isatty(targets->list[i].fd))
			l->pause = TERMINAL_PAUSE;
}

int
lifetime_open(struct lifetime *l, struct waitset *w, int64_t pid)
{
	int error;

	if (pid == 0)
		return 0;
	l->pid = pid;
	l->process = exits_open((pid_t)pid);
	l->sampled = l->process == -ENOSYS;
	if (l->process == -ESRCH || (l->sampled && is_gone(l)))
		lifetime_end(l, w);
	if (l->sampled || l->ended)
		return 0;
	error = l->process < 0 ? l->process :
				 w->backend->add(w->state, token(w), l->process,
				     w->backend->mask_read);
	return error == 0 ? 0 :
			    diag_system(-error, NULL, "--while %ld", (long)pid);
}

int64_t
lifetime_left(const struct lifetime *l)
{
	if (l->ended)
		return l->pause;
	return l->sampled ? CHECK_PAUSE : -1;
}

void
lifetime_check(struct lifetime *l, struct waitset *w)
{
	if (l->sampled && is_gone(l))
		lifetime_end(l, w);
}
