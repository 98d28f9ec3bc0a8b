/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/deadline.h"
#include "fifo/fifo.h"
#include "output/debug.h"
#include "output/diag.h"
#include "run/watched.h"
#include "sys/fdplace.h"
#include "sys/kernel.h"
#include "sys/peer.h"

static struct target *
target_of(const struct watched *w, uint32_t index)
{
	return &w->waitset.targets->list[index];
}

/* Take target INDEX out of the wait set, if it is in there. */
static void
leave(struct watched *w, uint32_t index)
{
	struct sample *sample = &w->sampler.samples[index];

	if (!sample->left)
		(void)w->waitset.backend->remove(w->waitset.state, index,
		    target_of(w, index)->fd);
	sample->left = true;
}

void
watched_remove(struct watched *w, uint32_t index)
{
	leave(w, index);
	sampler_remove(&w->sampler, index);
}

int
watched_add(struct watched *w, uint32_t index)
{
	struct sample *sample = &w->sampler.samples[index];

	sampler_remove(&w->sampler, index);
	if (!sample->left)
		return 0;
	INVARIANT((target_of(w, index)->flags & TARGET_SETTLED) == 0,
	    "a finished target is not waited for again");
	sample->left = false;
	return waitset_add(&w->waitset, index);
}

void
watched_reported(struct watched *w, uint32_t index, const struct event *event)
{
	struct sample *sample = &w->sampler.samples[index];

	sampler_reported(&w->sampler, index);
	sample->bits = event->bits;
	sample->bytes = finished_unread(w->waitset.targets,
	    target_of(w, index));
}

int
watched_sample(struct watched *w, uint32_t index, const struct event *event)
{
	const struct target *t = target_of(w, index);
	int error;

	watched_reported(w, index, event);
	if (w->edge && (event->bits & w->finished.hangs_up) == 0 &&
	    w->sampler.samples[index].bytes <= 0)
		return 0;
	error = sampler_add(&w->sampler, index);
	if (error != 0)
		return diag_system(-error, NULL, "%.*s", (int)t->length,
		    t->name);
	if (!w->edge)
		leave(w, index);
	return 0;
}

void
watched_await(struct watched *w, uint32_t index)
{
	struct target *t = target_of(w, index);

	watched_remove(w, index);
	sampler_drop_edges(&w->sampler, index);
	(void)close(t->fd);
	t->fd = -1;
	w->waitset.targets->awaited = true;
	waitset_retry_soon(&w->waitset);
}

void
watched_returned(struct watched *w, uint32_t index)
{
	w->sampler.samples[index].left = false;
}

/* ---- the end of a target ---- */

bool
watched_keeps(const struct watched *w, const struct target *t)
{
	if (!w->reopen || t->fd < 0 ||
	    (t->bits & w->waitset.backend->mask_write) != 0)
		return false;
	return (t->flags & TARGET_PATH) != 0 ? (t->flags & TARGET_FIFO) != 0 :
					       peer_is_fifo(t->fd) != 0;
}

/*
 * Open the read end of T again, without a moment in which a writer would find
 * no reader.  A number that the caller gave stays the caller's: pmux first
 * opens an end of its own, and from then on reopens that one.
 */
static int
renew(struct target *t)
{
	bool owned = t->fd != t->number;
	int fd, error = 0;

	if ((t->flags & TARGET_PATH) != 0)
		return fifo_renew(t->fd);
	fd = peer_reopen(t->fd, "", O_RDONLY);
	if (fd < 0)
		return fd;
	/* a writer has come and gone meanwhile, see fifo.c */
	if (kernel_unread(t->fd) > 0) {
		(void)close(fd);
		return 0;
	}
	if (!owned) {
		fd = fdplace(fd);
		t->fd = fd >= 0 ? fd : t->fd;
		return fd >= 0 ? 0 : fd;
	}
	if (dup2(fd, t->fd) == -1 || fcntl(t->fd, F_SETFD, FD_CLOEXEC) == -1)
		error = -errno;
	(void)close(fd);
	return error;
}

/* Wait for the next writer of the FIFO that is target INDEX. */
static int
keep(struct watched *w, uint32_t index, const struct event *event)
{
	struct sample *sample = &w->sampler.samples[index];
	int status;

	if (sample->stale && sample->place != 0)
		return 0;
	watched_remove(w, index);
	sampler_drop_edges(&w->sampler, index);
	sample->stale = renew(target_of(w, index)) != 0;
	if (!sample->stale)
		return watched_add(w, index);
	/* it still hangs up: sample it for the next writer */
	status = w->edge ? watched_add(w, index) : 0;
	return status != 0 ? status : watched_sample(w, index, event);
}

void
watched_end(struct watched *w, uint32_t index)
{
	DEBUG("watched", "%.*s is finished", (int)target_of(w, index)->length,
	    target_of(w, index)->name);
	watched_remove(w, index);
	sampler_drop_edges(&w->sampler, index);
	target_of(w, index)->flags |= TARGET_SETTLED;
	w->unfinished--;
}

int
watched_finish(struct watched *w, uint32_t index, const struct event *event)
{
	struct target *t = target_of(w, index);

	if ((t->flags & TARGET_SETTLED) != 0)
		return 0;
	if (watched_keeps(w, t))
		return keep(w, index, event);
	watched_end(w, index);
	return 0;
}
