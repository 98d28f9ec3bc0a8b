/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "session/core.h"
#include "session/resolve.h"
#include "sys/fileid.h"
#include "sys/foreign.h"
#include "sys/process.h"
#include "target/target.h"

bool
session_is_foreign(const struct handle *h)
{
	return (h->flags & HANDLE_FOREIGN) != 0;
}

/* ---- names and numbers ---- */

int
session_check_number(struct session *s, const struct target *t)
{
	int flags, object;

	if (t->process != 0)
		return 0;
	if (t->number <= STDERR_FILENO)
		return diag_system(EBADF, "the session's own", "%.*s",
		    (int)t->length, t->name);
	/* descriptors that came through exec(2) are not close-on-exec */
	flags = fcntl(t->number, F_GETFD);
	if (flags == -1 || (flags & FD_CLOEXEC) == 0)
		return 0;
	object = s->backend->number == NULL ? -1 : s->object->number(s->state);
	return t->number == object ?
	    0 :
	    diag_system(EBADF, "pmux's own", "%.*s", (int)t->length, t->name);
}

static uint32_t
handle_kind(const struct session *s, const struct target *t, uint32_t mode)
{
	if ((t->flags & TARGET_PATH) != 0)
		return KIND_PATH + mode;
	return t->process == 0 && s->process >= 0 ? KIND_OWN : KIND_NUMBER;
}

uint32_t
session_find(const struct session *s, const struct target *t, uint32_t mode)
{
	bool named = (t->flags & TARGET_PATH) != 0;

	return handles_find(&s->handles, handle_kind(s, t, mode),
	    named ? t->name : NULL, t->length, (uint64_t)t->number);
}

/* Whether pmux has the other end of the FIFO that T names. */
static bool
is_own_peer(const struct session *s, const struct target *t)
{
	uint8_t other = (t->bits & s->backend->mask_write) != 0 ? HANDLE_READS :
								  HANDLE_WRITES;
	struct file_id one, own;
	struct stat st;

	if (stat(t->name, &st) == -1 || !S_ISFIFO(st.st_mode) ||
	    (t->bits & s->backend->mask_file) != 0)
		return false;
	one = file_id(&st);
	for (uint32_t i = 0; i < s->handles.count; i++) {
		const struct handle *h = &s->handles.list[i];

		if (h->kind == 0 || (h->flags & HANDLE_FIFO) == 0 ||
		    (h->flags & other) == 0 || fstat(h->fd, &st) == -1)
			continue;
		own = file_id(&st);
		if (file_id_compare(&one, &own) == 0)
			return true;
	}
	return false;
}

/* Open the file of entry INDEX, which was made for T. */
static int
open_entry(struct session *s, struct target *t, uint32_t index)
{
	struct handle *h = &s->handles.list[index];
	uint32_t reading = s->backend->mask_read | s->backend->mask_file;
	char *word = t->name;
	int status;

	if (is_own_peer(s, t))
		return diag_usage(
		    "%s: reading and writing one FIFO by name would make pmux its own peer",
		    t->name);
	t->name = h->name; /* it stays, and fifo.c keeps it */
	status = target_open(t, s->backend);
	t->name = word;
	if (status != 0)
		return status;
	h->fd = t->fd;
	h->flags |= HANDLE_PATH;
	if ((t->flags & TARGET_FIFO) != 0)
		h->flags |= HANDLE_FIFO;
	if ((t->bits & s->backend->mask_write) != 0)
		h->flags |= HANDLE_WRITES;
	if ((t->bits & reading) != 0 || (t->bits & s->backend->mask_write) == 0)
		h->flags |= HANDLE_READS;
	return 0;
}

/* Whether the open mode of the file allows the events of T. */
static int
check_directions(const struct session *s, const struct handle *h,
    const struct target *t)
{
	bool reads = (h->flags & HANDLE_READS) != 0;

	if ((h->flags & HANDLE_PATH) == 0 ||
	    (((t->bits & s->backend->mask_write) == 0 ||
		 (h->flags & HANDLE_WRITES) != 0) &&
		((t->bits & s->backend->mask_read) == 0 || reads)))
		return 0;
	return diag_usage("%s: opened for %s only%s", h->name,
	    reads ? "reading" : "writing",
	    (h->flags & HANDLE_FIFO) != 0 ? "; pmux would be its own peer" :
					    ": unregister it first");
}

int
session_resolve(struct session *s, struct target *t, uint32_t mode,
    uint32_t *index)
{
	bool named = (t->flags & TARGET_PATH) != 0;
	struct handle *h;
	int status = 0;

	*index = session_find(s, t, mode);
	if (*index != HANDLES_NONE)
		return check_directions(s, &s->handles.list[*index], t);
	if (!named && (status = session_check_number(s, t)) != 0)
		return status;
	if (handles_add(&s->handles, handle_kind(s, t, mode), t->name,
		t->length, (uint64_t)t->number, named, index) != 0)
		return diag_system(ENOMEM, NULL, "targets");
	h = &s->handles.list[*index];
	if (named)
		status = open_entry(s, t, *index);
	else if (t->process == 0)
		h->fd = t->number;
	else if (foreign_name(s->process, s->pid, t->number, &h->fd) != 0)
		status = diag_system(ENOMEM, NULL, "targets");
	else
		h->flags |= HANDLE_FOREIGN;
	if (status != 0)
		handles_remove(&s->handles, *index);
	return status;
}

int
session_check_kind(const struct session *s, const struct handle *h)
{
	const char *why = NULL;
	int error = session_is_foreign(h) ? foreign_check(h->fd, &why) : 0;

	if (why != NULL)
		return diag_unavailable("%s: %s", h->name, why);
	if (error == 0 && session_is_foreign(h) && foreign_nests(h->fd) &&
	    s->slots->no_nesting != NULL)
		return diag_unavailable("%s: %s", h->name,
		    s->slots->no_nesting);
	if (error == -ENOSYS)
		return diag_unavailable("%s: this system has no"
					" pidfd_getfd(2)",
		    h->name);
	if (error == 0 || error == -EBADF || error == -ESRCH)
		return 0;
	return diag_system(-error,
	    error == -EPERM ? process_forbidden_by() : NULL, "%s", h->name);
}

void
session_drop(struct session *s, uint32_t index)
{
	struct handle *h = &s->handles.list[index];

	if (s->slots->forget != NULL)
		s->slots->forget(s, index);
	if ((h->flags & HANDLE_FIFO) != 0) {
		handles_forget(&s->handles, index);
		return;
	}
	if ((h->flags & HANDLE_PATH) != 0 && h->fd >= 0)
		(void)close(h->fd);
	if (session_is_foreign(h))
		foreign_forget(h->fd);
	handles_remove(&s->handles, index);
}

void
session_drop_all(struct session *s)
{
	if (s->slots->forget_all != NULL)
		s->slots->forget_all(s);
	for (uint32_t i = 0; i < s->handles.count; i++)
		if (s->handles.list[i].kind != 0)
			session_drop(s, i);
}

int
session_parse_target(struct session *s, char *word, size_t length,
    uint32_t defaults, struct target *t)
{
	memset(t, 0, sizeof *t);
	t->fd = -1;
	t->process = s->process >= 0;
	t->name = word;
	if (length > INT_MAX)
		return diag_range("the target is too long");
	t->length = (uint32_t)length;
	return target_parse(t, s->backend, defaults);
}

int
session_next_target(struct session *s, struct tokenizer *words,
    uint32_t defaults, struct target *t)
{
	size_t length;
	char *word;
	int status = tokenize_next(words, &word, &length);

	if (status == 0 && word == NULL)
		status = diag_usage("missing target (see help)");
	if (status != 0)
		return status;
	return session_parse_target(s, word, length, defaults, t);
}
