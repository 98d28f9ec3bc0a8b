/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/deadline.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "run/watched.h"
#include "sys/fdplace.h"
#include "sys/peer.h"

static struct target *
target_of(const struct watched *w, uint32_t index)
{
	return &w->waitset.request->targets.list[index];
}

/* Whether target INDEX is in the wait: with edges it is to its end. */
static bool
is_watched(const struct watched *w, uint32_t index)
{
	return w->edge || w->sampler.rests[index].place == 0;
}

/* Target INDEX is in no wait any more, and does not rest. */
void
watched_remove(struct watched *w, uint32_t index)
{
	if (is_watched(w, index))
		(void)w->waitset.backend->remove(w->waitset.state, index,
		    target_of(w, index)->fd);
	sampler_remove(&w->sampler, index);
}

int
watched_add(struct watched *w, uint32_t index)
{
	return w->edge ? 0 : waitset_add(&w->waitset, index);
}

void
watched_reported(struct watched *w, uint32_t index, const struct event *event)
{
	struct sample *rest = &w->sampler.rests[index];

	sampler_tell(&w->sampler, index);
	rest->bits = event->bits;
	rest->bytes = finished_unread(w->waitset.request, target_of(w, index));
	rest->told = clock_now();
}

int
watched_sample(struct watched *w, uint32_t index, const struct event *event)
{
	const struct target *t = target_of(w, index);
	bool watched = is_watched(w, index) && !w->edge;
	int error;

	watched_reported(w, index, event);
	error = sampler_add(&w->sampler, index);
	if (error != 0)
		return diag_system(-error, NULL, "%.*s", (int)t->length,
		    t->name);
	if (watched)
		(void)w->waitset.backend->remove(w->waitset.state, index,
		    t->fd);
	return 0;
}

/* ---- the end of a target ---- */

bool
watched_keeps(const struct watched *w, const struct target *t)
{
	if (!w->waitset.request->reopen || t->fd < 0 ||
	    (t->bits & w->waitset.backend->mask_write) != 0)
		return false;
	return (t->flags & TARGET_PATH) != 0 ? (t->flags & TARGET_FIFO) != 0 :
					       peer_is_fifo(t->fd) != 0;
}

/*
 * The read end of T anew, without a moment between in which a writer would find
 * no reader.  A number that the caller gave stays the caller's: pmux opens an
 * end of its own, and then that one anew.
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
	struct sample *rest = &w->sampler.rests[index];
	int status;

	if (rest->old && rest->place != 0)
		return 0;
	watched_remove(w, index);
	sampler_forget(&w->sampler, index);
	rest->old = renew(target_of(w, index)) != 0;
	if (!rest->old)
		return waitset_add(&w->waitset, index);
	/* it cannot be had anew: look ever more rarely who has come */
	status = w->edge ? waitset_add(&w->waitset, index) : 0;
	return status != 0 ? status : watched_sample(w, index, event);
}

void
watched_end(struct watched *w, uint32_t index)
{
	watched_remove(w, index);
	sampler_forget(&w->sampler, index);
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
