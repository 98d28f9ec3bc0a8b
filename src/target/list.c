/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "await/await.h"
#include "base/pmux.h"
#include "output/debug.h"
#include "output/diag.h"
#include "sys/caller.h"
#include "sys/fdplace.h"
#include "sys/fileid.h"
#include "sys/timeout.h"
#include "target/internal.h"
#include "target/kevent_parse.h"

static int
no_memory(void)
{
	return diag_system(ENOMEM, NULL, "targets");
}

/*
 * Room for one target more, at the end of the list, for the caller to fill in.
 * Returns NULL if there is no memory.
 */
static struct target *
append(struct targets *targets)
{
	struct target *list = targets->list, *few = pmux->names->few;
	size_t wanted = targets->count + targets->count / 2 + 1;

	if (list == NULL) {
		targets->list = few;
		targets->capacity = TARGETS_FEW;
	} else if (targets->count == targets->capacity) {
		if (wanted > UINT32_MAX / sizeof *list)
			return NULL;
		list = realloc(list == few ? NULL : list,
		    wanted * sizeof *list);
		if (list == NULL)
			return NULL;
		if (targets->list == few)
			memcpy(list, few, TARGETS_FEW * sizeof *few);
		targets->list = list;
		targets->capacity = wanted;
	}
	return &targets->list[targets->count++];
}

/* Returns 0 or an exit status. */
static int
push(struct targets *targets, const struct target *t)
{
	struct target *end = append(targets);

	if (end == NULL)
		return no_memory();
	*end = *t;
	return 0;
}

int
targets_add(struct targets *targets, char *word, uint32_t list)
{
	struct target *t = append(targets);

	if (t == NULL)
		return no_memory();
	*t = (struct target){
		.name = word,
		.length = (uint32_t)strlen(
		    word), /* the kernel's limit is less */
		.fd = -1,
		.process = targets->process,
		.bits = list != 0 ? list : targets->bits,
	};
	if (list != 0 || targets->masked)
		t->flags |= TARGET_MASKED;
	if (*word == '@')
		t->flags |= TARGET_FILE;
	targets->words++;
	return 0;
}

int
targets_add_condition(struct targets *targets, const char *option, char *word)
{
	struct target t = {
		.name = word,
		.length = (uint32_t)strlen(word),
		.fd = TARGET_NO_FD,
		.flags = TARGET_CONDITION,
	};
	uint32_t index;
	int status = await_add(option, word, &index, &t.bits);

	t.number = -1 - (int)index;
	targets->words++;
	return status != 0 ? status : push(targets, &t);
}

int
targets_add_process(struct targets *targets, pid_t pid)
{
	size_t wanted = (size_t)targets->process_count + 1;
	pid_t *processes;

	for (uint32_t i = 0; i < targets->process_count; i++)
		if (targets->processes[i] == pid) {
			targets->process = i + 1;
			return 0;
		}
	processes = realloc(targets->processes, wanted * sizeof *processes);
	if (processes == NULL)
		return no_memory();
	targets->processes = processes;
	processes[targets->process_count++] = pid;
	targets->process = targets->process_count;
	return 0;
}

/* ---- files of targets ---- */

static int
poll_input(void *fd)
{
	struct pollfd p = { *(int *)fd, POLLIN, 0 };

	return timeout_poll(&p, 1, -1);
}

static void
await_input(int fd)
{
	while (pmux_sleep(poll_input, &fd) == -EINTR)
		;
}

/*
 * As read(2), but waits even if the caller set FD non-blocking, and so that a
 * host may run meanwhile, unless FD is KNOWN to be ready at any time.  Returns
 * -1 only if nothing more can be read.
 */
static ssize_t
read_some(int fd, bool known, char *to, size_t size)
{
	bool wait = pmux->host->sleep != NULL && !known;
	ssize_t n;

	do {
		if (wait)
			await_input(fd);
		n = read(fd, to, size);
		wait |= n == -1 && errno == EAGAIN;
	} while (n == -1 && (errno == EAGAIN || errno == EINTR));
	return n;
}

struct text {
	struct text *next;
	char bytes[];
};

/* What is released if the host leaves the call while a file is read. */
struct reading {
	struct target *words;
	struct text *text; /* LENGTH bytes and NUL, or NULL */
	size_t length;
	int fd; /* of pmux, or negative */
};

static void
end_file(struct reading *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
	free(r->text);
	r->text = NULL;
}

static void
end_reading(void *reading)
{
	struct reading *r = reading;

	end_file(r);
	free(r->words);
	free(r);
}

/* The bytes of the regular file FD, or 0 if it does not say, or is none. */
static size_t
regular_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
		(uintmax_t)st.st_size < SIZE_MAX / 2 ?
	    (size_t)st.st_size :
	    0;
}

/*
 * Set the text to all that FD has; KNOWN is its regular_size.  Returns 0 or
 * -errno.
 */
static int
read_all(struct reading *r, int fd, size_t known)
{
	size_t size = known != 0 ? known + 1 : 65536;
	struct text *grown;
	ssize_t n;

	r->length = 0;
	/* less than there was room for, and all: no need to read its end */
	while (r->length == 0 || r->length != known) {
		if (r->text == NULL || r->length == size) {
			size *= r->text == NULL ? 1 : 2;
			grown = realloc(r->text, sizeof *grown + size + 1);
			if (grown == NULL)
				return -ENOMEM;
			r->text = grown;
		}
		n = read_some(fd, known != 0, r->text->bytes + r->length,
		    size - r->length);
		if (n == -1)
			return -errno;
		if (n == 0)
			break;
		r->length += (size_t)n;
	}
	r->text->bytes[r->length] = '\0';
	return 0;
}

/* The same of the file NAME. */
static int
read_file(struct reading *r, const char *name)
{
	size_t known;

	if (strcmp(name, "-") == 0)
		return read_all(r, STDIN_FILENO, regular_size(STDIN_FILENO));
	r->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd == -1)
		return -errno;
	known = regular_size(r->fd);
	/* no host runs, and nothing is written, before this one is closed */
	if (known == 0)
		r->fd = fdplace(r->fd);
	return r->fd < 0 ? r->fd : read_all(r, r->fd, known);
}

/*
 * Cut TEXT into words at SEPARATOR, each as if it stood where FILE does, and
 * append them to TARGETS.  Returns 0 or an exit status.
 */
static int
add_lines(struct targets *targets, const struct target *file, char *text,
    size_t length, char separator)
{
	struct target *t;
	size_t lines = 0;
	uint32_t span;
	char *end;

	if (separator != '\0' && memchr(text, '\0', length) != NULL)
		return diag_usage("%s: a NUL byte: use --null", file->name);
	for (char *s = text; s < text + length; s = end + 1, lines++) {
		end = memchr(s, separator, (size_t)(text + length - s));
		if (end == NULL)
			end = text + length;
		*end = '\0';
		if (s == end || *s == '@')
			return diag_usage("%s:%zu: %s", file->name + 1,
			    lines + 1,
			    s == end ? "empty target" :
				       "a file of targets cannot name another");
		span = (uint32_t)(end - s);
		if (s + span != end || (t = append(targets)) == NULL)
			return no_memory();
		*t = *file;
		t->flags &= (uint16_t)~TARGET_FILE;
		t->name = s;
		t->length = span;
	}
	return 0;
}

/* Append the targets in FILE to the list, and its text to theirs. */
static int
add_file(struct targets *targets, struct reading *r, const struct target *file,
    char separator)
{
	int error = read_file(r, file->name + 1);
	struct text *text = r->text;

	if (error == 0) {
		text->next = targets->texts;
		targets->texts = text;
		r->text = NULL;
	}
	end_file(r);
	return error == 0 ?
	    add_lines(targets, file, text->bytes, r->length, separator) :
	    diag_system(-error, NULL, "%s", file->name);
}

/* Replace each file by the targets in it. */
static int
read_files(struct targets *targets, char separator)
{
	size_t count = targets->count;
	struct reading *r;
	int status = 0;

	if (!targets_have(targets, TARGET_FILE))
		return 0;
	caller_raise_files();
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return no_memory();
	r->fd = -1;
	pmux_at_end(end_reading, r);
	r->words = malloc(count * sizeof *r->words);
	if (r->words == NULL)
		return no_memory();
	memcpy(r->words, targets->list, count * sizeof *r->words);
	targets->count = 0;
	for (size_t i = 0; i < count && status == 0; i++)
		status = (r->words[i].flags & TARGET_FILE) != 0 ?
		    add_file(targets, r, &r->words[i], separator) :
		    push(targets, &r->words[i]);
	pmux_close();
	return status;
}

/* ---- conditions: the number of each is -1 - its index ---- */

/* NOLINTNEXTLINE(misc-redundant-expression): two headers */
_Static_assert(AWAIT_NO_FD == TARGET_NO_FD, "a condition has no descriptor");

/* Those that are the same get one number.  Returns 0 or an exit status. */
static int
unify_conditions(struct targets *targets)
{
	if (await_unify() != 0)
		return no_memory();
	for (struct target *t = targets->list;
	     t < targets->list + targets->count; t++)
		if ((t->flags & TARGET_CONDITION) != 0)
			t->number = -1 -
			    (int)await_first((uint32_t)(-1 - t->number));
	return 0;
}

static void
place_conditions(const struct targets *targets)
{
	for (uint32_t i = 0; i < targets->count; i++)
		if ((targets->list[i].flags & TARGET_CONDITION) != 0)
			await_place((uint32_t)(-1 - targets->list[i].number),
			    i);
}

/* ---- all of it ---- */

/* So many descriptors any limit allows that lets standard output be open. */
#define ANY_LIMIT 3

/* Whether the call may need more descriptors than its caller has open. */
static bool
opens(const struct targets *targets)
{
	bool path = false;

	for (size_t i = 0; i < targets->count && i < ANY_LIMIT; i++)
		path |= (targets->list[i].flags & TARGET_PATH) != 0;
	return path || targets->count > ANY_LIMIT ||
	    targets->process_count > 0 || pmux->await != NULL ||
	    pmux->debug != NULL || targets->backend->adopt != NULL;
}

int
targets_resolve(struct targets *targets, enum target_twice twice,
    uint32_t defaults, bool null_separated)
{
	const struct target_kind *kind = target_kind(targets->backend);
	int status;

	status = read_files(targets, null_separated ? '\0' : '\n');
	if (status == 0)
		status = kind->parse(targets, defaults);
	if (status == 0 && pmux->await != NULL)
		status = unify_conditions(targets);
	if (status == 0)
		status = targets_merge(targets, twice);
	if (status != 0)
		return status;
	if (opens(targets))
		caller_raise_files();
	if (pmux->await != NULL)
		place_conditions(targets);
	fdplace_avoid(targets_name, targets);
	status = debug_open();
	if (status == 0)
		status = targets_take(targets);
	if (status == 0)
		status = targets_open_paths(targets);
	if (status == 0 && kind->early)
		status = targets_check(targets);
	return status;
}

int
targets_parse_names(struct targets *targets, bool null_separated)
{
	int status = read_files(targets, null_separated ? '\0' : '\n');

	for (size_t i = 0; i < targets->count && status == 0; i++)
		status = target_parse_name(&targets->list[i]);
	targets->unsorted = true;
	if (status == 0)
		fdplace_avoid(targets_name, targets);
	return status;
}

bool
targets_name_any(const struct targets *targets, uint32_t process)
{
	for (size_t i = 0; i < targets->count; i++)
		if (targets->list[i].process == process)
			return true;
	return false;
}

/* Whether T's descriptor is closed here: one of pmux, but no FIFO. */
static bool
is_own(const struct targets *targets, const struct target *t)
{
	if (t->fd < 0 || t->fd == CLOSED_FD ||
	    (t->flags & (TARGET_SHARED | TARGET_FIFO)) != 0)
		return false;
	if (t->process != 0)
		return targets->copied;
	return (t->flags & TARGET_PATH) != 0 ||
	    (t->number >= 0 && t->fd != t->number);
}

void
targets_release(struct targets *targets)
{
	for (size_t i = 0; pmux->host->stays && i < targets->count; i++)
		if (is_own(targets, &targets->list[i]))
			(void)close(targets->list[i].fd);
	for (uint32_t i = 0;
	     targets->pidfds != NULL && i < targets->process_count; i++)
		if (targets->pidfds[i] >= 0)
			(void)close(targets->pidfds[i]);
	for (size_t i = 0; targets->kevents != NULL && i < targets->count; i++)
		kevent_release(&targets->kevents[i]);
	for (struct text *next, *t = targets->texts; t != NULL; t = next) {
		next = t->next;
		free(t);
	}
	free(targets->kevents);
	free(targets->defaults);
	free(targets->processes);
	free(targets->pidfds);
	if (targets->list != pmux->names->few)
		free(targets->list);
	free(pmux->names->table.slots);
}
