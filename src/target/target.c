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
#include "output/debug.h"
#include "output/diag.h"
#include "sys/caller.h"
#include "sys/fdplace.h"
#include "sys/fileid.h"
#include "sys/foreign.h"
#include "sys/kernel.h"
#include "sys/process.h"
#include "target/kevent_parse.h"
#include "target/kind.h"
#include "target/target.h"

/* Descriptors that are looked at in one call. */
#define SOME 128

static int
no_memory(void)
{
	return diag_system(ENOMEM, NULL, "targets");
}

static int
reserve(struct targets *targets)
{
	struct target_names *names = pmux->names;
	size_t wanted = targets->count + 1;
	struct target *list;

	if (wanted <= targets->capacity)
		return 0;
	if (targets->list == NULL) {
		targets->list = names->few;
		targets->capacity = TARGETS_FEW;
		return 0;
	}
	wanted += wanted / 2;
	if (wanted > UINT32_MAX / sizeof *list)
		return -ENOMEM;
	list = realloc(targets->list == names->few ? NULL : targets->list,
	    wanted * sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	if (targets->list == names->few)
		memcpy(list, names->few, sizeof names->few);
	targets->list = list;
	targets->capacity = wanted;
	return 0;
}

int
targets_add(struct targets *targets, char *word, uint32_t list)
{
	struct target *t;

	if (reserve(targets) != 0)
		return -ENOMEM;
	t = &targets->list[targets->count++];
	memset(t, 0, sizeof *t);
	t->name = word;
	t->length = (uint32_t)strlen(word); /* the kernel's limit is less */
	t->fd = -1;
	t->process = targets->process;
	t->bits = list != 0 ? list : targets->bits;
	if (list != 0 || targets->masked)
		t->flags |= TARGET_MASKED;
	if (*word == '@')
		t->flags |= TARGET_FILE;
	targets->words++;
	return 0;
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
		return -ENOMEM;
	targets->processes = processes;
	processes[targets->process_count++] = pid;
	targets->process = targets->process_count;
	return 0;
}

/* ---- files of targets ---- */

/*
 * As read(2), but of what the caller set non-blocking all is waited for, too.
 * Returns -1 only if nothing more can be read.
 */
static ssize_t
read_some(int fd, char *to, size_t size)
{
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n;

	while ((n = read(fd, to, size)) == -1) {
		if (errno == EAGAIN)
			(void)poll(&p, 1, -1);
		else if (errno != EINTR)
			return -1;
	}
	return n;
}

/* All of FD, with a NUL behind it, the caller's to free; NULL: see errno. */
static char *
read_all(int fd, size_t *length)
{
	size_t size = 65536, used = 0;
	char *text = NULL, *grown;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (uintmax_t)st.st_size < SIZE_MAX / 2)
		size = (size_t)st.st_size + 1;
	for (;;) {
		if (text == NULL || used == size) {
			size *= text == NULL ? 1 : 2;
			if ((grown = realloc(text, size + 1)) == NULL)
				break;
			text = grown;
		}
		n = read_some(fd, text + used, size - used);
		if (n == 0) {
			text[used] = '\0';
			*length = used;
			return text;
		}
		if (n == -1)
			break;
		used += (size_t)n;
	}
	free(text);
	return NULL;
}

static char *
read_file(const char *name, size_t *length)
{
	int fd = STDIN_FILENO, error;
	char *text;

	if (strcmp(name, "-") != 0 &&
	    (fd = fdplace(open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY))) < 0) {
		errno = -fd;
		return NULL;
	}
	text = read_all(fd, length);
	error = errno;
	if (fd != STDIN_FILENO)
		(void)close(fd);
	errno = error;
	return text;
}

/*
 * Cut TEXT into words at SEPARATOR, each as if it stood where FILE does, and
 * append them to TARGETS.  Returns 0 or an exit status.
 */
static int
add_lines(struct targets *targets, const struct target *file, char *text,
    size_t length, char separator)
{
	size_t lines = 0;
	struct target *t;
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
		if ((size_t)(end - s) > UINT32_MAX || reserve(targets) != 0)
			return no_memory();
		t = &targets->list[targets->count++];
		*t = *file;
		t->flags &= (uint16_t)~TARGET_FILE;
		t->name = s;
		t->length = (uint32_t)(end - s);
	}
	return 0;
}

static bool
any(const struct targets *targets, uint16_t flag)
{
	for (size_t i = 0; i < targets->count; i++)
		if ((targets->list[i].flags & flag) != 0)
			return true;
	return false;
}

/* TEXT is TARGETS' from now on: 0, or -ENOMEM, it being freed. */
static int
keep(struct targets *targets, char *text)
{
	size_t wanted = targets->text_count + 1;
	char **texts = realloc(targets->texts, wanted * sizeof *texts);

	if (texts == NULL) {
		free(text);
		return -ENOMEM;
	}
	targets->texts = texts;
	texts[targets->text_count++] = text;
	return 0;
}

/* Put what the files hold where they stand. */
static int
read_files(struct targets *targets, char separator)
{
	size_t count = targets->count, length;
	struct target *words;
	int status = 0;
	char *text;

	if (!any(targets, TARGET_FILE))
		return 0;
	words = malloc(count * sizeof *words);
	if (words == NULL)
		return no_memory();
	memcpy(words, targets->list, count * sizeof *words);
	targets->count = 0;
	for (size_t i = 0; i < count && status == 0; i++) {
		if ((words[i].flags & TARGET_FILE) == 0) {
			if (reserve(targets) != 0)
				status = no_memory();
			else
				targets->list[targets->count++] = words[i];
			continue;
		}
		text = read_file(words[i].name + 1, &length);
		if (text == NULL)
			status = diag_system(errno, NULL, "%s", words[i].name);
		else if (keep(targets, text) != 0)
			status = no_memory();
		else
			status = add_lines(targets, &words[i], text, length,
			    separator);
	}
	free(words);
	return status;
}

/* ---- words ---- */

int
targets_parse_events(const struct backend *backend, const char *subject,
    const char *events, size_t length, uint32_t *bits)
{
	const char *word;
	size_t n;

	if (backend == &backend_select)
		return diag_usage("%s: select takes no events: use -r, -w or"
				  " -x",
		    subject);
	switch (flags_parse(backend->flags, backend->limit, events, length,
	    bits, &word, &n)) {
	case 0:
		return 0;
	case -EOPNOTSUPP:
		return diag_usage("%s: %s has no event '%.*s'", subject,
		    backend->name, (int)n, word);
	case -ENOSYS:
		return diag_unavailable("%s: this system has no event '%.*s'",
		    subject, (int)n, word);
	case -ERANGE:
		return diag_range("%s: more bits than %s can hold", subject,
		    backend->name);
	default:
		return diag_usage("%s: unknown event '%.*s'", subject, (int)n,
		    word);
	}
}

/* No number of a descriptor is negative, and no path is meant by one. */
static bool
is_negative(const char *s, size_t length)
{
	return *s == '-' && number_is(s + 1, length - 1, 10);
}

/*
 * The digits of the descriptor that NAME means, with their number in *LENGTH;
 * NULL if it is a path.
 */
static const char *
descriptor_digits(const char *name, size_t *length)
{
	static const char *const aliases[] = { "/dev/fd/", "/proc/self/fd/" };
	static const char standard[][12] = { "/dev/stdin", "/dev/stdout",
		"/dev/stderr" };
	size_t n;

	if (number_is(name, *length, 10))
		return name;
	if (*name != '/')
		return NULL;
	for (size_t i = 0; i < 3; i++)
		if (strlen(standard[i]) == *length &&
		    memcmp(name, standard[i], *length) == 0) {
			*length = 1;
			return &"012"[i];
		}
	for (size_t i = 0; i < 2; i++) {
		n = strlen(aliases[i]);
		if (*length > n && memcmp(name, aliases[i], n) == 0 &&
		    number_is(name + n, *length - n, 10)) {
			*length -= n;
			return name + n;
		}
	}
	return NULL;
}

static const char *
last_colon(const char *s, size_t length)
{
	while (length > 0)
		if (s[--length] == ':')
			return s + length;
	return NULL;
}

/*
 * Take the events, or one colon that means nothing, off the end of the name.
 * Returns 0 or an exit status.
 */
static int
parse_suffix(struct target *t, const struct backend *backend)
{
	const char *colon = last_colon(t->name, t->length), *events;
	size_t before, length;
	int status;

	if (colon == NULL)
		return 0;
	before = (size_t)(colon - t->name);
	events = colon + 1;
	length = t->length - before - 1;
	if (length > 0 && !flags_are_events(events, length) &&
	    !number_is(t->name, before, 10) && !is_negative(t->name, before))
		return 0;
	if (length > 0) {
		status = targets_parse_events(backend, t->name, events, length,
		    &t->bits);
		if (status != 0)
			return status;
		t->flags |= TARGET_EVENTS;
	} else
		t->flags |= TARGET_LITERAL;
	t->length = (uint32_t)before;
	if (before == 0)
		return diag_usage("'%s': no target before the colon", t->name);
	return 0;
}

int
target_parse_name(struct target *t)
{
	const char *digits;
	size_t length = t->length;
	uint64_t number;

	if (is_negative(t->name, length))
		return diag_usage(
		    "%.*s: a descriptor cannot be negative; a path"
		    " is written ./%.*s",
		    (int)length, t->name, (int)length, t->name);
	digits = descriptor_digits(t->name, &length);
	if (digits == NULL) {
		t->flags |= TARGET_PATH;
		t->process = 0;
		t->name[t->length] = '\0';
		return 0;
	}
	if (digits != t->name) /* pmux's own, also after --pid */
		t->process = 0;
	if (number_parse(digits, length, 10, INT_MAX, &number) != 0)
		return diag_range("%.*s: a descriptor is at most %d",
		    (int)t->length, t->name, INT_MAX);
	t->number = t->fd = (int)number;
	return 0;
}

int
target_parse(struct target *t, const struct backend *backend, uint32_t defaults)
{
	int status;

	if (t->length == 0)
		return diag_usage("empty target");
	if ((t->flags & TARGET_MASKED) == 0)
		t->bits = defaults;
	if ((status = parse_suffix(t, backend)) != 0)
		return status;
	return target_parse_name(t);
}

/* ---- the same descriptor twice ---- */

static uint32_t
hash(const struct target *t)
{
	return (uint32_t)t->number * 2654435761u ^ t->process * 2246822519u;
}

static bool
same(const struct target *a, const struct target *b)
{
	return ((a->flags | b->flags) & TARGET_PATH) == 0 &&
	    a->number == b->number && a->process == b->process;
}

/* A table for the targets' numbers, empty; without one, few are looked at. */
static int
table_open(struct target_table *table, size_t count)
{
	uint32_t size = 4 * TARGETS_FEW;

	if (count <= TARGETS_FEW)
		return 0;
	while (size < 2 * count)
		size *= 2;
	table->slots = calloc(size, sizeof *table->slots);
	table->mask = size - 1;
	return table->slots == NULL ? -ENOMEM : 0;
}

/*
 * The slot of the target that is the same descriptor as T, and is in the same
 * list if LISTED; or the empty one where it would be.
 */
static uint32_t *
table_slot(const struct target_table *table, const struct targets *targets,
    const struct target *t, bool listed)
{
	const struct target *found;
	uint32_t at;

	for (at = hash(t) & table->mask; table->slots[at] != 0;
	     at = (at + 1) & table->mask) {
		found = &targets->list[table->slots[at] - 1];
		if (same(found, t) &&
		    (!listed ||
			target_kind(targets->backend)->same(targets, found, t)))
			break;
	}
	return &table->slots[at];
}

/*
 * The first of the targets before index END that is the same descriptor as T,
 * and is in the same list if LISTED.  NULL if there is none; then T, at END, is
 * in the table.
 */
static struct target *
table_find(struct target_table *table, struct targets *targets, size_t end,
    const struct target *t, bool listed)
{
	struct target *found;
	uint32_t *slot;

	if (table->slots == NULL) {
		for (size_t i = 0; i < end; i++) {
			found = &targets->list[i];
			if (same(found, t) &&
			    (!listed ||
				target_kind(targets->backend)
				    ->same(targets, found, t)))
				return found;
		}
		return NULL;
	}
	slot = table_slot(table, targets, t, listed);
	if (*slot != 0)
		return &targets->list[*slot - 1];
	*slot = (uint32_t)end + 1;
	return NULL;
}

/* Numbers that rise from one target to the next are all different. */
static bool
ascending(const struct targets *targets)
{
	for (size_t i = 1; i < targets->count; i++)
		if (targets->list[i - 1].number >= targets->list[i].number)
			return false;
	return true;
}

/* Put FROM where TO is, which is no longer needed, with its kevent. */
static void
move(struct targets *targets, const struct target *from, struct target *to)
{
	struct kevent_request *kevents = targets->kevents;

	*to = *from;
	if (kevents == NULL || to == from)
		return;
	kevent_release(&kevents[to - targets->list]);
	kevents[to - targets->list] = kevents[from - targets->list];
	kevents[from - targets->list].udata = NULL;
}

static int
merge(struct targets *targets, enum target_twice twice)
{
	struct target_table table = { NULL, 0 };
	struct target *t, *earlier;
	size_t kept = 0;

	targets->unsorted |= any(targets, TARGET_PATH) || !ascending(targets);
	if (twice == TWICE_REFUSED || !targets->unsorted)
		return 0;
	if (table_open(&table, targets->count) != 0)
		return no_memory();
	for (size_t i = 0; i < targets->count; i++) {
		t = &targets->list[i];
		earlier = (t->flags & TARGET_PATH) != 0 ?
		    NULL :
		    table_find(&table, targets, kept, t,
			twice == TWICE_IN_LIST);
		if (earlier == NULL)
			earlier = &targets->list[kept++];
		else if (twice == TWICE_JOINED)
			t->bits |= earlier->bits;
		move(targets, t, earlier);
	}
	targets->count = kept;
	free(table.slots);
	return 0;
}

/* Whether FD is one of numbers that rise. */
static bool
sorted_name(const struct targets *targets, int fd)
{
	size_t low = 0, high = targets->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (targets->list[middle].number < fd)
			low = middle + 1;
		else
			high = middle;
	}
	return low < targets->count && targets->list[low].number == fd &&
	    targets->list[low].process == 0;
}

bool
targets_name(void *names, int fd)
{
	struct targets *targets = names;
	struct target_table *table = &pmux->names->table;
	struct target t = { .number = fd };

	if (targets->count == 0)
		return false;
	if (!targets->unsorted)
		return sorted_name(targets, fd);
	if (table->slots == NULL && targets->count > TARGETS_FEW &&
	    table_open(table, targets->count) == 0)
		for (size_t i = 0; i < targets->count; i++)
			if ((targets->list[i].flags & TARGET_PATH) == 0)
				(void)table_find(table, targets, i,
				    &targets->list[i], false);
	if (table->slots == NULL)
		return table_find(table, targets, targets->count, &t, false) !=
		    NULL;
	return *table_slot(table, targets, &t, false) != 0;
}

/* ---- descriptors ---- */

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
		    " to themselves, unless told %d<&%d; bash keeps those of a"
		    " coprocess C: copy one with"
		    " { exec {a}<&0; } <&\"${C[0]}\"";
	char *text = pmux->names->why;

	/* 0 to 2 no shell keeps to itself */
	if (number <= STDERR_FILENO)
		return "not open in pmux";
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
 * --lines reads, which is no look: it has a copy until it ends.  Returns 0 or
 * an exit status.
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

/* Give T a handle, if it can be looked at.  Returns 0 or an exit status. */
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
		return no_memory();
	error = foreign_check(t->fd, &why);
	if (error != 0 && error != -EBADF)
		return copy_failed(targets, t, -error);
	return why == NULL ? 0 : target_refused(targets, t, why);
}

/* Take what the targets of process OWNER (index plus 1) mean. */
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
			NULL,
		    "process %ld", pid);
	targets->pidfds[owner - 1] = process;
	for (size_t i = 0; i < targets->count && status == 0; i++) {
		t = &targets->list[i];
		if (t->process != owner)
			continue;
		/* the primitive refuses the same one twice: let it */
		earlier = table_find(table, targets, i, t, false);
		if (earlier != NULL) {
			t->fd = earlier->fd;
			t->flags |= TARGET_SHARED;
		} else
			status = targets->copied ? copy(targets, t, process) :
						   name(targets, t, process);
	}
	return status;
}

static int
take_all(struct targets *targets)
{
	struct target_table table = { NULL, 0 };
	int status = 0;

	if (targets->process_count == 0)
		return 0;
	targets->pidfds = malloc(
	    targets->process_count * sizeof *targets->pidfds);
	if (targets->pidfds == NULL || table_open(&table, targets->count) != 0)
		return no_memory();
	for (uint32_t i = 0; i < targets->process_count; i++)
		targets->pidfds[i] = -1;
	for (uint32_t i = 0; i < targets->process_count && status == 0; i++)
		status = take_from(targets, &table, i + 1);
	free(table.slots);
	return status;
}

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

/* Why T cannot be opened: a usual mistake to point out, or NULL. */
static const char *
open_hint(const struct target *t, const struct backend *backend, int error)
{
	const char *path = t->name, *colon = last_colon(path, t->length);
	char before[PATH_MAX];
	struct stat st;

	if (error != ENOENT)
		return (t->flags & TARGET_FIFO) != 0 ? fifo_hint() : NULL;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return "a symbolic link to nothing";
	if (colon == NULL || (t->flags & TARGET_LITERAL) != 0 ||
	    (size_t)(colon - path) >= sizeof before)
		return NULL;
	memcpy(before, path, (size_t)(colon - path));
	before[colon - path] = '\0';
	if (stat(before, &st) == -1)
		return NULL;
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

/* Before it is opened, since opening has effects. */
static int
look_at(struct target *t, const struct backend *backend)
{
	struct stat st;

	if (stat(t->name, &st) == -1)
		return open_failed(t, backend, errno);
	if ((t->bits & backend->mask_look) != 0)
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

/* Look at every path before the first is opened. */
static int
look(struct targets *targets, bool *conflict)
{
	const struct backend *backend = targets->backend;
	bool reading = false, writing = false;
	struct target *t;
	int status;

	for (size_t i = 0; i < targets->count; i++) {
		t = &targets->list[i];
		if ((t->flags & TARGET_PATH) == 0)
			continue;
		if ((status = look_at(t, backend)) != 0)
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

/* Some FIFOs are read and some written: whether one is both. */
static int
look_for_both(struct targets *targets)
{
	const struct backend *backend = targets->backend;
	struct identity *seen;
	size_t count = 0;
	struct stat st;
	int status = 0;

	seen = calloc(targets->count, sizeof *seen);
	if (seen == NULL)
		return no_memory();
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
	int fd = fifo_open(t->name, true);

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

	if ((t->bits & backend->mask_look) != 0)
		fd = fdplace(kernel_look(t->name));
	else if ((t->flags & TARGET_FIFO) != 0)
		fd = fifo_open(t->name, writing);
	else
		fd = fdplace(open(t->name,
		    (!writing		      ? O_RDONLY :
			    reads(t, backend) ? O_RDWR :
						O_WRONLY) |
			O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
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
	int status = look_at(t, backend);

	return status != 0 ? status : open_path(t, backend);
}

/* The same of one that has been looked at; for a FIFO's reader pmux waits. */
static int
open_or_await(struct targets *targets, struct target *t)
{
	const struct backend *backend = targets->backend;
	int status;

	if ((t->flags & TARGET_FIFO) == 0 || !writes(t, backend))
		return open_path(t, backend);
	status = target_reopen(t, backend);
	targets->awaited |= status == 0 && t->fd == -1;
	return status;
}

static int
open_all(struct targets *targets)
{
	bool conflict = false;
	int status;

	if (!any(targets, TARGET_PATH))
		return 0;
	status = look(targets, &conflict);
	if (status == 0 && conflict)
		status = look_for_both(targets);
	for (size_t i = 0; i < targets->count && status == 0; i++)
		if ((targets->list[i].flags & TARGET_PATH) != 0)
			status = open_or_await(targets, &targets->list[i]);
	return status;
}

/*
 * An emulated kevent(2) has descriptors of its own, and one of them might be
 * taken for a number that the user named and that is closed.
 */
static int
check_open(const struct targets *targets)
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

int
targets_resolve(struct targets *targets, enum target_twice twice,
    uint32_t defaults, bool null_separated)
{
	const struct target_kind *kind = target_kind(targets->backend);
	int status;

	caller_raise_files();

	status = read_files(targets, null_separated ? '\0' : '\n');
	if (status == 0)
		status = kind->parse(targets, defaults);
	if (status == 0)
		status = merge(targets, twice);
	if (status != 0)
		return status;
	fdplace_avoid(targets_name, targets);
	status = debug_open();
	if (status == 0)
		status = take_all(targets);
	if (status == 0)
		status = open_all(targets);
	if (status == 0 && kind->early)
		status = check_open(targets);
	return status;
}

/* Whether pmux opened the descriptor of T, which no FIFO's set has. */
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
	for (size_t i = 0; i < targets->text_count; i++)
		free(targets->texts[i]);
	free(targets->texts);
	free(targets->kevents);
	free(targets->defaults);
	free(targets->processes);
	free(targets->pidfds);
	if (targets->list != pmux->names->few)
		free(targets->list);
	free(pmux->names->table.slots);
}
