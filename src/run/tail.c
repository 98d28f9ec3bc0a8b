/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/deadline.h"
#include "output/debug.h"
#include "output/diag.h"
#include "run/sampler.h"
#include "run/tail.h"
#include "sys/fdplace.h"
#include "sys/fileid.h"
#include "sys/watch.h"

/* ns, after the first pass: it doubles up to SAMPLE_PAUSE. */
#define FIRST_PAUSE INT64_C(1000000)

struct tail_file {
	struct tail *tail;
	const struct target *target;
	int next; /* the file that has the name now, or -1 */
	int numbers[2]; /* watch_add's of the file and of NEXT, or 0 */
	bool again; /* NEXT has bytes, and the file is read once more */
	bool reported; /* a message has said why the name cannot be followed */
};

struct tail {
	int watch; /* watch_open's, or -1 */
	struct watch_buffer buffer;
	bool sampled;
	int64_t pause; /* the last one, ns; or 0 */
	deadline_t next; /* pass of tail_next */
	size_t cursor; /* its place in that */
	size_t count;
	struct tail_file files[];
};

int
tail_open(struct tail **tail, size_t count, bool sampled)
{
	struct tail *l = calloc(1, sizeof *l + count * sizeof *l->files);

	*tail = l;
	if (l == NULL)
		return -ENOMEM;
	l->count = count;
	for (size_t i = 0; i < count; i++)
		l->files[i].next = -1;
	l->sampled = sampled;
	l->watch = watch_open();
	if (l->watch < 0)
		l->watch = -1;
	return 0;
}

void
tail_close(struct tail *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		if (l->files[i].next != -1)
			(void)close(l->files[i].next);
	if (l->watch != -1)
		(void)close(l->watch);
	free(l);
}

int
tail_descriptor(const struct tail *l)
{
	return l->watch;
}

/* Let the next pass come at once, and others soon. */
static void
come_soon(struct tail *l)
{
	l->pause = 0;
	l->next = DEADLINE_PASSED;
}

void
tail_read(struct tail *l)
{
	struct watch_change change;

	while (watch_next(l->watch, &l->buffer, &change) == 1)
		;
	come_soon(l);
}

int64_t
tail_left(const struct tail *l)
{
	return l == NULL || !l->sampled ? -1 : deadline_left(l->next);
}

bool
tail_next(struct tail *l, bool all, uint32_t *index)
{
	if (l == NULL || !l->sampled ||
	    (l->cursor == 0 && !all && deadline_left(l->next) != 0))
		return false;
	while (l->cursor < l->count)
		if (l->files[l->cursor++].target != NULL) {
			*index = (uint32_t)l->cursor - 1;
			return true;
		}
	l->cursor = 0;
	l->pause = deadline_back_off(l->pause, FIRST_PAUSE, SAMPLE_PAUSE);
	l->next = deadline_in(l->pause);
	return false;
}

struct tail_file *
tail_file(struct tail *l, const struct target *t, size_t index)
{
	l->files[index].tail = l;
	l->files[index].target = t;
	return &l->files[index];
}

/* Watch FD; without a watch it is sampled. */
static int
watch(const struct tail_file *file, int fd)
{
	int number = file->tail->watch == -1 ?
	    0 :
	    watch_add(file->tail->watch, fd, file->target->name,
		WATCH_WROTE | WATCH_NAMED);

	return number < 0 ? 0 : number;
}

/*
 * The file that has the name of T now, if it is a regular one other than that
 * of FD, close-on-exec; -ENOENT if there is none, or -errno.
 */
static int
open_other(const struct target *t, int fd)
{
	struct stat named;
	int answer, other;

	answer = file_has_name(fd, t->name, &named);
	if (answer != 0 || !S_ISREG(named.st_mode))
		return answer < 0 ? answer : -ENOENT;
	other = fdplace(
	    open(t->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
	if (other < 0)
		return other;
	/* it may have been replaced once more */
	if (fstat(other, &named) == 0 && S_ISREG(named.st_mode))
		return other;
	(void)close(other);
	return -ENOENT;
}

/* Whether FD has bytes, or has lost its name to another file. */
static bool
is_used(const struct target *t, int fd)
{
	struct stat st;
	int other;

	if (fstat(fd, &st) == 0 && st.st_size > 0)
		return true;
	other = open_other(t, fd);
	if (other >= 0)
		(void)close(other);
	return other >= 0;
}

/* A name that nothing has is no error, and the file is still followed. */
static void
report(struct tail_file *file, int error)
{
	if (error == ENOENT || file->reported)
		return;
	(void)diag_system(error, NULL, "%.*s", (int)file->target->length,
	    file->target->name);
	file->reported = true;
}

bool
tail_ended(struct tail_file *file)
{
	const struct target *t = file->target;

	if (file->numbers[0] == 0)
		file->numbers[0] = watch(file, t->fd);
	if (file->next == -1) {
		file->next = open_other(t, t->fd);
		if (file->next < 0) {
			report(file, -file->next);
			file->next = -1;
			return false;
		}
		DEBUG("tail", "%.*s: another file has the name", (int)t->length,
		    t->name);
		file->numbers[1] = watch(file, file->next);
	}
	if (file->again)
		return true;
	file->again = is_used(t, file->next);
	return false;
}

int
tail_change(struct tail_file *file)
{
	const struct target *t = file->target;

	DEBUG("tail", "%.*s: changing to the file that has the name",
	    (int)t->length, t->name);
	if (dup2(file->next, t->fd) == -1 ||
	    fcntl(t->fd, F_SETFD, FD_CLOEXEC) == -1)
		return -errno;
	(void)close(file->next);
	if (file->numbers[0] > 0)
		watch_drop(file->tail->watch, file->numbers[0]);
	file->numbers[0] = file->numbers[1];
	file->numbers[1] = 0;
	file->next = -1;
	file->again = false;
	come_soon(file->tail);
	return 0;
}
