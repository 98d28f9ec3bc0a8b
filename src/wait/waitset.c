/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/deadline.h"
#include "base/pmux.h"
#include "compat.h"
#include "output/debug.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "sys/fdplace.h"
#include "sys/foreign.h"
#include "target/target.h"
#include "wait/waitset.h"

#define NS_PER_MS INT64_C(1000000)

/* A reader that waits in open(2) is seen only by trying: so often. */
#define RETRY_FIRST (1 * NS_PER_MS)
#define RETRY_LAST (32 * NS_PER_MS)

/* The errors that say of something that this system does not have it. */
static bool
is_absence(int error)
{
	return error == -ENOSYS || error == -EOPNOTSUPP;
}

int
waitset_no_object(const struct backend *backend, int error)
{
	const char *hint = NULL;

	if (!is_absence(error))
		return diag_system(-error, NULL, "%s", backend->name);
	if (backend->hint != NULL)
		hint = backend->hint(error, 0);
	return diag_unavailable("%s: %s", backend->name,
	    hint != NULL ? hint : "this kernel does not have it");
}

int
waitset_object(const struct targets *targets, bool data,
    struct backend_state **object)
{
	const struct backend *backend = targets->backend;
	int error = backend->open(object, targets->count + WAITSET_OTHERS);

	if (error == 0 && backend->requests != NULL)
		backend->requests(*object, targets->kevents, targets->count,
		    data);
	return error;
}

static bool
is_closed(const struct target *t)
{
	return foreign_is_closed(t->fd);
}

static int
add_failed(const struct waitset *w, const struct target *t, int error)
{
	const struct backend *backend = w->backend;
	const char *hint = backend->hint == NULL ?
	    NULL :
	    backend->hint(error, t->bits);

	if (error == -EBADF && is_closed(t))
		return target_closed(w->targets, t);
	if (hint != NULL && is_absence(error))
		return diag_unavailable("%.*s: %s", (int)t->length, t->name,
		    hint);
	return diag_system(-error, hint, "%.*s", (int)t->length, t->name);
}

int
waitset_add(struct waitset *w, size_t index)
{
	const struct target *t = &w->targets->list[index];
	char space[DEBUG_SPACE];
	int error;

	if (t->fd == -1) {
		DEBUG("waitset", "%.*s has no reader yet", (int)t->length,
		    t->name);
		return 0;
	}
	error = w->backend->add(w->state, (uint32_t)index, t->fd,
	    t->bits | w->more);
	DEBUG("waitset", "add %.*s: descriptor %d, events %s%s%s",
	    (int)t->length, t->name, t->fd,
	    debug_events(w->backend->flags, t->bits | w->more, space),
	    error == 0 ? "" : ": ", error == 0 ? "" : errno_name(-error));
	if (error == 0 || w->trying)
		return error;
	return add_failed(w, t, error);
}

static bool
output_is_broken(int fd)
{
	struct pollfd p = { fd, 0, 0 };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

/*
 * While pmux waits, the reader of its output may go: watch for that on a copy,
 * since standard output may be a target too.
 * Returns -EPIPE if it has gone already, which kevent(2) refuses at once (with
 * EPIPE on FreeBSD, EBADF on NetBSD), 0, or -errno.
 */
static int
watch_output(struct waitset *w, const struct wait_options *options)
{
	struct stat st;
	int fd, error;

	w->output = -1;
	if (!options->output || options->deadline == DEADLINE_PASSED)
		return 0;
	if (fstat(STDOUT_FILENO, &st) == -1)
		return errno == EBADF ? 0 : -errno;
	if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))
		return 0;
	fd = fdplace(fdplace_copy(STDOUT_FILENO, 3));
	if (fd < 0)
		return 0;
	error = w->backend->add(w->state, (uint32_t)w->targets->count, fd,
	    w->backend->mask_watch);
	DEBUG("waitset", "standard output is%s watched as %d",
	    error == 0 ? "" : " not", fd);
	if (error == 0) {
		w->output = fd;
		return 0;
	}
	if (output_is_broken(fd))
		error = -EPIPE;
	(void)close(fd);
	return error == -EPIPE ? error : 0;
}

/* The copy stays open: select(2) may have it as its highest. */
static void
forget_output(struct waitset *w)
{
	(void)w->backend->remove(w->state, (uint32_t)w->targets->count,
	    w->output);
	w->output = -1;
}

/* Standard output has an event.  Returns -EPIPE if it has no reader, else 0. */
static int
check_output(struct waitset *w)
{
	if (output_is_broken(w->output))
		return -EPIPE;
	/* something else, which all but kqueue would report for ever */
	if (w->backend->requests == NULL)
		forget_output(w);
	return 0;
}

static int
say_ready(struct waitset *w)
{
	int fd = w->ready_fd, error = 0;

	w->ready_fd = -1;
	if (fd == -1)
		return 0;

	while (write(fd, "\n", 1) == -1)
		if (errno != EINTR) {
			error = errno;
			break;
		}
	if (close(fd) == -1 && errno != EINTR && error == 0)
		error = errno;
	return error == 0 ? 0 : diag_system(error, NULL, "--ready-fd %d", fd);
}

int
waitset_open(struct waitset *w, struct targets *targets,
    const struct wait_options *options, uint32_t more, bool trying)
{
	int status = 0, error;

	memset(w, 0, sizeof *w);
	w->trying = trying;
	w->targets = targets;
	w->backend = targets->backend;
	w->more = more;
	w->max = targets->count + WAITSET_OTHERS;
	if ((uint64_t)options->max_events < w->max)
		w->max = (size_t)options->max_events;
	w->output = -1;
	w->retry = RETRY_FIRST;
	error = waitset_object(targets, options->data, &w->state);
	DEBUG("waitset", "targets: %zu, primitive %s%s%s", targets->count,
	    w->backend->name, error == 0 ? "" : ": ",
	    error == 0 ? "" : errno_name(-error));
	if (error != 0)
		return waitset_no_object(w->backend, error);
	for (size_t i = 0; i < targets->count && status == 0; i++)
		status = waitset_add(w, i);
	if (status != 0)
		return status;
	w->trying = false;
	error = watch_output(w, options);
	if (error != 0)
		return print_failed(error);
	w->ready_fd = options->ready_fd;
	return w->backend->late ? 0 : say_ready(w);
}

/* Open those FIFOs whose reader has come.  Returns 0 or an exit status. */
static int
retry(struct waitset *w)
{
	struct targets *targets = w->targets;
	int status;

	targets->awaited = false;
	for (size_t i = 0; i < targets->count; i++) {
		struct target *t = &targets->list[i];

		if (t->fd != -1)
			continue;
		DEBUG("waitset", "try %.*s again", (int)t->length, t->name);
		status = target_reopen(t, w->backend);
		if (status == 0)
			status = waitset_add(w, i);
		if (status != 0)
			return status;
		targets->awaited |= t->fd == -1;
		w->opened |= t->fd != -1;
	}
	w->retry = deadline_back_off(w->retry, RETRY_FIRST, RETRY_LAST);
	return 0;
}

void
waitset_retry_soon(struct waitset *w)
{
	w->retry = RETRY_FIRST;
}

int
waitset_failed(const struct waitset *w, int error)
{
	const struct targets *targets = w->targets;

	for (size_t i = 0; error == EBADF && i < targets->count; i++)
		if (is_closed(&targets->list[i]))
			return target_closed(targets, &targets->list[i]);
	for (size_t i = 0; error == EOPNOTSUPP && i < targets->count; i++)
		if (foreign_why(targets->list[i].fd) != NULL)
			return target_refused(targets, &targets->list[i],
			    foreign_why(targets->list[i].fd));
	return diag_system(error,
	    error == EINVAL ?
		"more descriptors than RLIMIT_NOFILE or the system allows" :
		NULL,
	    "%s", w->backend->name);
}

/* Returns as backend_wait_fn. */
static int
wait_for(struct waitset *w, int64_t left)
{
	char space[DEBUG_SPACE];
	int n;

	DEBUG("waitset", "wait, max events %zu, timeout %s", w->max,
	    debug_time(left, space));
	n = backend_wait(w->backend, w->state, w->max, left);
	if (n < 0)
		DEBUG("waitset", "wait failed: %s", errno_name(-n));
	else
		DEBUG("waitset", "wait returned %d", n);
	return n;
}

int
waitset_wait(struct waitset *w, int64_t left, int *count)
{
	struct targets *targets = w->targets;
	int n = 0, status;

	*count = 0;
	if (targets->awaited) {
		if ((status = retry(w)) != 0)
			return status;
		if (targets->awaited)
			left = deadline_sooner(left, w->retry);
		/* the caller may have to act on that */
		if (w->opened)
			left = 0;
		w->opened = false;
	}
	if (w->ready_fd != -1) {
		n = wait_for(w, left == 0 ? 0 : 1);
		if ((status = say_ready(w)) != 0)
			return status;
	}
	if (n == 0)
		n = wait_for(w, left);
	if (n == -EINVAL && w->output != -1) {
		/* poll(2): one more than RLIMIT_NOFILE */
		forget_output(w);
		return 0;
	}
	if (n < 0 && n != -EINTR)
		return waitset_failed(w, -n);
	*count = n > 0 ? n : 0;
	return 0;
}

int
waitset_event_failed(const struct waitset *w, const struct event *event)
{
	const struct targets *targets = w->targets;
	const struct target *t = &targets->list[event->token];
	int error = (int)event->data;

	if ((event->bits & w->backend->failed) == 0)
		return 0;
	if (event->token >= targets->count)
		return diag_system(error, NULL, "%s", w->backend->name);
	return diag_system(error, NULL, "%.*s", (int)t->length, t->name);
}

int
waitset_next(struct waitset *w, struct event *event)
{
	while (w->failed == 0 && w->backend->next(w->state, event)) {
		w->failed = waitset_event_failed(w, event);
		if (w->failed != 0)
			return 0;
		if (event->token != w->targets->count)
			return 1;
		if (check_output(w) != 0)
			return -EPIPE;
	}
	return 0;
}

bool
waitset_note(struct waitset *w, const struct target *t, uint32_t bits)
{
	uint32_t hits = bits & t->bits;
	char space[DEBUG_SPACE];

	/* writing would fail */
	if ((bits & w->backend->mask_broken) != 0)
		hits &= ~w->backend->mask_write;
	/* a device says it too (poll(2) of macOS), and an O_PATH descriptor */
	if ((bits & w->backend->mask_closed) != 0 && is_closed(t))
		(void)target_closed(w->targets, t);
	DEBUG("waitset", "%.*s: %s, %s", (int)t->length, t->name,
	    debug_events(w->backend->flags, bits, space),
	    hits != 0 ? "requested" : "not requested");
	w->reported = true;
	w->asked |= hits != 0;
	return hits != 0;
}

void
waitset_close(struct waitset *w)
{
	if (w->backend == NULL)
		return;
	w->backend->close(w->state);
	if (w->output >= 0 && pmux->host->stays)
		(void)close(w->output);
	w->backend = NULL;
}
