/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/flags.h"
#include "base/number.h"
#include "base/pmux.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "sys/fdplace.h"
#include "sys/fileid.h"
#include "sys/foreign.h"
#include "sys/kernel.h"
#include "sys/process.h"
#include "target/internal.h"

/* Descriptors that are checked by one call. */
#define SOME 128

/* ---- numbers, pmux's own and those of other processes ---- */

static int
copy_failed(const struct targets *targets, const struct target *t, int error)
{
	if (error == ENOSYS)
		return diag_unavailable("--pid: this system has no"
					" pidfd_getfd(2)");
	return diag_system(error,
	    error == EPERM     ? process_forbidden_by() :
		error == ESRCH ? "the process has ended" :
				 NULL,
	    "descriptor %d of process %ld", t->number,
	    (long)targets->processes[t->process - 1]);
}

const char *
target_why_closed(int number)
{
	static const char
	    why[] = "not open in pmux; ksh and mksh keep 3 and up"
		    " to themselves, unless given %d<&%d; bash keeps those of a"
		    " coprocess C: copy one with"
		    " { exec {a}<&0; } <&\"${C[0]}\"";
	char *text = pmux->names->why;

	/* 0 to 2 no shell keeps to itself */
	if (number <= STDERR_FILENO)
		return "not open in pmux";
	if (pmux->host->shell)
		return "not open in the shell";
	(void)snprintf(text, sizeof pmux->names->why, why, number, number);
	return text;
}

int
target_closed(const struct targets *targets, const struct target *t)
{
	if (t->process != 0)
		return copy_failed(targets, t, EBADF);
	return diag_system(EBADF, target_why_closed(t->number), "%.*s",
	    (int)t->length, t->name);
}

/*
 * --lines reads, and so it keeps a copy until it ends.  Returns 0 or an exit
 * status.
 */
static int
copy(const struct targets *targets, struct target *t, int process)
{
	int fd = process_descriptor(process, t->number);

	if (fd < 0 && fd != -EBADF)
		return copy_failed(targets, t, -fd);
	t->fd = fd < 0 ? CLOSED_FD : fd;
	return 0;
}

int
target_refused(const struct targets *targets, const struct target *t,
    const char *why)
{
	return diag_unavailable("descriptor %d of process %ld: %s", t->number,
	    (long)targets->processes[t->process - 1], why);
}

/* Give T a handle, if it may be inspected.  Returns 0 or an exit status. */
static int
name(const struct targets *targets, struct target *t, int process)
{
	pid_t pid = targets->processes[t->process - 1];
	const char *why;
	int error;

	if ((t->bits & targets->backend->mask_other) != 0)
		return diag_unavailable("%.*s: only read and write accept a"
					" descriptor of another process",
		    (int)t->length, t->name);
	if (foreign_name(process, pid, t->number, &t->fd) != 0)
		return diag_system(ENOMEM, NULL, "targets");
	error = foreign_check(t->fd, &why);
	if (error != 0 && error != -EBADF)
		return copy_failed(targets, t, -error);
	return why == NULL ? 0 : target_refused(targets, t, why);
}

/* Take the descriptors of process OWNER, its index plus 1. */
static int
take_from(struct targets *targets, struct target_table *table, uint32_t owner)
{
	long pid = (long)targets->processes[owner - 1];
	int process = process_open((pid_t)pid), status = 0;
	struct target *t, *earlier;

	if (process == -ENOSYS)
		return diag_unavailable("--pid: this system has no"
					" pidfd_getfd(2)");
	if (process < 0)
		return diag_system(-process,
		    process == -ENOENT || process == -EINVAL ?
			"a thread's ID, not a process's" :
			process == -ESRCH ? process_missing_for() :
					    NULL,
		    "process %ld", pid);
	targets->pidfds[owner - 1] = process;
	for (size_t i = 0; i < targets->count && status == 0; i++) {
		t = &targets->list[i];
		if (t->process != owner)
			continue;
		/* a double is refused by the primitive, if it is refused */
		earlier = targets_earlier(table, targets, i, t, false);
		if (earlier != NULL) {
			t->fd = earlier->fd;
			t->flags |= TARGET_SHARED;
		} else
			status = targets->copied ? copy(targets, t, process) :
						   name(targets, t, process);
	}
	return status;
}

int
targets_take(struct targets *targets)
{
	struct target_table table = { NULL, 0 };
	int status = 0;

	if (targets->process_count == 0)
		return 0;
	targets->pidfds = malloc(
	    targets->process_count * sizeof *targets->pidfds);
	if (targets->pidfds == NULL ||
	    targets_table(&table, targets->count) != 0)
		return diag_system(ENOMEM, NULL, "targets");
	for (uint32_t i = 0; i < targets->process_count; i++)
		targets->pidfds[i] = -1;
	for (uint32_t i = 0; i < targets->process_count && status == 0; i++)
		status = take_from(targets, &table, i + 1);
	free(table.slots);
	return status;
}

/*
 * An emulated kevent(2) has descriptors of its own, and one of them might be
 * taken for a number that the user named and that is closed.
 */
int
targets_check(const struct targets *targets)
{
	struct pollfd some[SOME];
	const struct target *t = targets->list;
	size_t n;

	for (size_t left = targets->count; left > 0; left -= n, t += n) {
		n = left < SOME ? left : SOME;
		for (size_t i = 0; i < n; i++)
			some[i] = (struct pollfd){ t[i].fd, 0, 0 };
		/* poll(2) sees many at once, and calls O_PATH closed, too */
		if (poll(some, (nfds_t)n, 0) <= 0)
			continue;
		for (size_t i = 0; i < n; i++)
			if ((some[i].revents & POLLNVAL) != 0 &&
			    fcntl(t[i].fd, F_GETFD) == -1)
				return target_closed(targets, &t[i]);
	}
	return 0;
}

/* ---- paths ---- */

static bool
writes(const struct target *t, const struct backend *backend)
{
	return (t->bits & backend->mask_write) != 0;
}

static bool
reads(const struct target *t, const struct backend *backend)
{
	return (t->bits & backend->mask_read) != 0 || !writes(t, backend);
}

/* Whether the LENGTH bytes at S are the name of a filter of kqueue. */
static bool
is_filter(const char *s, size_t length)
{
	for (const struct flag *f = backend_kqueue.flags; *f->name != '\0'; f++)
		if (strlen(f->name) == length &&
		    memcmp(f->name, s, length) == 0)
			return true;
	return false;
}

/*
 * The command or option that was meant with PATH, which is not there and has a
 * COLON or not; or NULL.
 */
static const char *
meant_hint(const char *path, const char *colon)
{
	if (strcmp(path, "-") == 0)
		return "standard input is 0";
	if (colon != NULL && strncmp(path, "proc:", 5) == 0)
		return "a kevent is for pmux kqueue; pmux wait --exit PID waits"
		       " for the end of a process";
	if (colon != NULL && is_filter(path, strcspn(path, ":")))
		return "a kevent is for pmux kqueue";
	if (colon != NULL && strchr(path, '/') == NULL && colon > path &&
	    number_is(colon + 1, strlen(colon + 1), 10))
		return "pmux wait --connect HOST:PORT waits for a server";
	return pmux->names->conditions ?
	    "--exists PATH waits until it is there" :
	    NULL;
}

/* A hint why T cannot be opened, for common mistakes; or NULL. */
static const char *
open_hint(const struct target *t, const struct backend *backend, int error)
{
	const char *path = t->name, *colon = target_colon(path, t->length);
	char before[PATH_MAX];
	struct stat st;

	if (error != ENOENT)
		return (t->flags & TARGET_FIFO) != 0 ? fifo_hint() : NULL;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return "a symbolic link to nothing";
	if (colon == NULL || (t->flags & TARGET_LITERAL) != 0 ||
	    (size_t)(colon - path) >= sizeof before)
		return meant_hint(path, NULL);
	memcpy(before, path, (size_t)(colon - path));
	before[colon - path] = '\0';
	if (stat(before, &st) == -1)
		return meant_hint(path, colon);
	return target_kind(backend)->unknown;
}

static int
open_failed(const struct target *t, const struct backend *backend, int error)
{
	return diag_system(error, open_hint(t, backend, error), "%s", t->name);
}

static int
both_directions(const struct target *t)
{
	return diag_usage(
	    "%s: reading and writing one FIFO by name would make pmux its own peer: open it and pass the descriptor",
	    t->name);
}

/* Whether T, which cannot be opened for ERROR, may come later. */
static bool
is_late(const struct target *t, int error)
{
	return (t->flags & TARGET_LATE) != 0 && error == ENOENT;
}

/* Check T before it is opened, since opening has effects. */
static int
check_path(struct target *t, const struct backend *backend)
{
	struct stat st;

	if (stat(t->name, &st) == -1)
		return is_late(t, errno) ? 0 : open_failed(t, backend, errno);
	if ((t->bits & backend->mask_file) != 0)
		return 0;
	if (S_ISSOCK(st.st_mode))
		return diag_system(ENXIO,
		    "a socket cannot be opened: connect to it and pass the descriptor",
		    "%s", t->name);
	if (!S_ISFIFO(st.st_mode))
		return 0;
	t->flags |= TARGET_FIFO;
	return reads(t, backend) && writes(t, backend) ? both_directions(t) : 0;
}

/* Check every path before the first is opened. */
static int
check_paths(struct targets *targets, bool *conflict)
{
	const struct backend *backend = targets->backend;
	bool reading = false, writing = false;
	struct target *t;
	int status;

	for (size_t i = 0; i < targets->count; i++) {
		t = &targets->list[i];
		if ((t->flags & TARGET_PATH) == 0)
			continue;
		if (targets->late)
			t->flags |= TARGET_LATE;
		if ((status = check_path(t, backend)) != 0)
			return status;
		if ((t->flags & TARGET_FIFO) == 0)
			continue;
		reading |= reads(t, backend);
		writing |= writes(t, backend);
	}
	*conflict = reading && writing;
	return 0;
}

struct identity {
	struct file_id id;
	struct target *target;
};

static int
compare(const void *left, const void *right)
{
	const struct identity *a = left, *b = right;

	return file_id_compare(&a->id, &b->id);
}

/* Some FIFOs are read and some written: report one that is both. */
static int
check_directions(struct targets *targets)
{
	const struct backend *backend = targets->backend;
	struct identity *seen;
	size_t count = 0;
	struct stat st;
	int status = 0;

	seen = calloc(targets->count, sizeof *seen);
	if (seen == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	for (size_t i = 0; i < targets->count; i++) {
		struct target *t = &targets->list[i];

		if ((t->flags & TARGET_FIFO) == 0 || stat(t->name, &st) == -1)
			continue;
		seen[count].id = file_id(&st);
		seen[count++].target = t;
	}
	qsort(seen, count, sizeof *seen, compare);
	for (size_t i = 1; i < count && status == 0; i++)
		if (compare(&seen[i - 1], &seen[i]) == 0 &&
		    writes(seen[i - 1].target, backend) !=
			writes(seen[i].target, backend))
			status = both_directions(seen[i].target);
	free(seen);
	return status;
}

int
target_reopen(struct target *t, const struct backend *backend)
{
	int fd;

	if ((t->flags & TARGET_LATE) != 0)
		return target_open(t, backend);
	fd = fifo_open(t->name, true);
	if (fd == -ENXIO)
		return 0;
	if (fd < 0)
		return open_failed(t, backend, -fd);
	t->fd = t->number = fd;
	return 0;
}

static int
open_path(struct target *t, const struct backend *backend)
{
	bool writing = writes(t, backend);
	int fd;

	if ((t->bits & backend->mask_file) != 0)
		fd = fdplace(kernel_open_path(t->name));
	else if ((t->flags & TARGET_FIFO) != 0)
		fd = fifo_open(t->name, writing);
	else
		fd = fdplace(open(t->name,
		    (!writing		      ? O_RDONLY :
			    reads(t, backend) ? O_RDWR :
						O_WRONLY) |
			O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
	if (fd < 0 && is_late(t, -fd)) {
		t->fd = -1;
		return 0;
	}
	if (fd < 0)
		return open_failed(t, backend, -fd);
	if ((t->flags & TARGET_FIFO) != 0 &&
	    (t->bits & backend->mask_blocking) != 0)
		(void)file_set_blocking(fd);
	t->fd = t->number = fd;
	return 0;
}

int
target_open(struct target *t, const struct backend *backend)
{
	int status = check_path(t, backend);

	return status != 0 ? status : open_path(t, backend);
}

/* Open T, which was checked; pmux waits for a FIFO's reader. */
static int
open_or_await(struct targets *targets, struct target *t)
{
	const struct backend *backend = targets->backend;
	int status;

	if ((t->flags & TARGET_FIFO) != 0 && writes(t, backend))
		status = target_reopen(t, backend);
	else
		status = open_path(t, backend);
	targets->awaited |= status == 0 && t->fd == -1;
	return status;
}

int
targets_open_paths(struct targets *targets)
{
	bool conflict = false;
	int status;

	if (!targets_have(targets, TARGET_PATH))
		return 0;
	status = check_paths(targets, &conflict);
	if (status == 0 && conflict)
		status = check_directions(targets);
	for (size_t i = 0; i < targets->count && status == 0; i++)
		if ((targets->list[i].flags & TARGET_PATH) != 0)
			status = open_or_await(targets, &targets->list[i]);
	return status;
}
