/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "base/flags.h"
#include "output/diag.h"
#include "run/lines_check.h"
#include "sys/fileid.h"

static int
refuse(const struct target *t, const char *why)
{
	return diag_usage("--lines: '%.*s' %s", (int)t->length, t->name, why);
}

static int
check_kevent(const struct target *t, const struct kevent_request *kevent)
{
	uint32_t unfit = flags_bit(kqueue_flags, "oneshot") |
	    flags_bit(kqueue_flags, "clear") |
	    flags_bit(kqueue_flags, "dispatch") |
	    flags_bit(kqueue_flags, "disable") |
	    flags_bit(kqueue_flags, "delete");

	if (kevent->filter != KQUEUE_READ)
		return refuse(t, "has another filter than read");
	if ((kevent->flags & unfit) != 0)
		return refuse(t, "would not report all there is to read");
	return 0;
}

static int
check(const struct targets *targets, const struct target *t)
{
	const struct kevent_request *kevent = target_kevent(targets, t);
	const struct backend *backend = targets->backend;
	uint32_t unfit = flags_bit(backend->flags, "et") |
	    flags_bit(backend->flags, "oneshot");

	if (kevent != NULL)
		return check_kevent(t, kevent);
	if ((t->bits & backend->mask_write) != 0)
		return refuse(t, "asks to write");
	if ((t->bits & backend->mask_read) == 0)
		return refuse(t, "does not ask to read");
	if ((t->bits & unfit) != 0)
		return refuse(t, "would not report all there is to read");
	return 0;
}

int
lines_check(const struct targets *targets)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < targets->count; i++)
		status = check(targets, &targets->list[i]);
	return status;
}

/* A file that several targets may be reading, each a part of its lines. */
struct file {
	struct file_id id;
	struct lines_source *source;
};

static int
compare(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int order = file_id_compare(&x->id, &y->id);

	if (order != 0)
		return order;
	return x->source < y->source ? -1 : 1;
}

/* Whether others may take from the same bytes as T; or -errno. */
static int
is_shared(const struct target *t, struct file *file)
{
	struct stat st;

	/* one that is not open is reported when it is read */
	if (fstat(t->fd, &st) == -1)
		return errno == EBADF ? false : -errno;
	file->id = file_id(&st);
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
	    S_ISCHR(st.st_mode);
}

/* Give those of the COUNT FILES that are the same one holder. */
static void
join(struct file *files, size_t count)
{
	qsort(files, count, sizeof *files, compare);
	for (size_t i = 1; i < count; i++)
		if (file_id_compare(&files[i].id, &files[i - 1].id) == 0)
			files[i].source->holder = files[i - 1].source->holder;
}

int
lines_join_same(const struct targets *targets, struct lines_source *sources)
{
	struct file *files = malloc(targets->count * sizeof *files);
	size_t count = 0;
	int answer;

	if (files == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	for (size_t i = 0; i < targets->count; i++) {
		const struct target *t = &targets->list[i];

		sources[i].holder = files[count].source = &sources[i];
		answer = is_shared(t, &files[count]);
		if (answer < 0) {
			free(files);
			return diag_system(-answer, NULL, "%.*s",
			    (int)t->length, t->name);
		}
		count += (size_t)answer;
	}
	join(files, count);
	free(files);
	return 0;
}
