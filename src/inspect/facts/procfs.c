/* SPDX-License-Identifier: ISC */
/*
 * procfs.c - parsers of stat, status, limits and schedstat (proc(5)), as seen
 * on Linux 6.18.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "inspect/facts/procfs.h"

/*
 * The number in BASE at *AT, after blanks, which may have a sign.  *AT goes
 * behind it.  Returns 0 or -EINVAL.
 */
static int
take(const char **at, int base, uint64_t *value)
{
	char *end;

	*value = strtoull(*at, &end, base);
	if (end == *at)
		return -EINVAL;
	*at = end;
	return 0;
}

static void
copy_name(char *to, const char *from, size_t length)
{
	if (length > COMM_SIZE - 1)
		length = COMM_SIZE - 1;
	memcpy(to, from, length);
	to[length] = '\0';
}

/* The last byte C of the LENGTH at TEXT. */
static const char *
last(const char *text, size_t length, char c)
{
	while (length > 0)
		if (text[--length] == c)
			return text + length;
	return NULL;
}

/*
 * The name is between the first parenthesis and the last: it may have some
 * itself, and any number of newlines.
 */
int
procfs_parse_stat(const char *text, size_t length, void *to)
{
	struct procfs_stat *stat = to;
	const char *open = memchr(text, '(', length),
		   *close = last(text, length, ')'), *at = text;
	uint64_t value;

	*stat = (struct procfs_stat){ .pid = 0 };
	if (open == NULL || close == NULL || close < open ||
	    text + length - close < 4 || take(&at, 10, &value) != 0)
		return -EINVAL;
	stat->pid = (pid_t)value;
	copy_name(stat->comm, open + 1, (size_t)(close - open - 1));
	stat->state = close[2];
	at = close + 3;
	/* the numbers are those of proc_pid_stat(5) */
	for (int field = 4; field <= 22; field++) {
		if (take(&at, 10, &value) != 0)
			return -EINVAL;
		if (field == 4)
			stat->parent = (pid_t)value;
		else if (field == 6)
			stat->session = (pid_t)value;
		else if (field == 10 || field == 12)
			stat->faults += value;
		else if (field == 14)
			stat->user = value;
		else if (field == 15)
			stat->system = value;
	}
	stat->start = value;
	return 0;
}

/* The text behind KEY and a colon at the beginning of a line, or NULL. */
static const char *
find_key(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (; text != NULL; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, key, length) == 0 && text[length] == ':')
			return text + length + 1;
	}
	return NULL;
}

/* Its number, or 0. */
static uint64_t
key_number(const char *text, const char *key, int base)
{
	const char *at = find_key(text, key);
	uint64_t value = 0;

	if (at != NULL)
		(void)take(&at, base, &value);
	return value;
}

/* The last number of the line: the id in the innermost namespace. */
static pid_t
innermost(const char *text)
{
	const char *at = find_key(text, "NSpid"), *end;
	uint64_t value = 0;

	if (at == NULL)
		return 0;
	end = strchr(at, '\n');
	while (end != NULL && at < end && take(&at, 10, &value) == 0)
		at += strspn(at, " \t");
	return (pid_t)value;
}

/* Name is the first line, in which a newline is written \n: array.c. */
int
procfs_parse_status(const char *text, size_t length, void *to)
{
	struct procfs_status *status = to;
	const char *uid = find_key(text, "Uid");
	uint64_t real = 0, effective = 0;

	(void)length;
	*status = (struct procfs_status){ .process = 0 };
	status->process = (pid_t)key_number(text, "Tgid", 10);
	if (status->process <= 0 || uid == NULL || take(&uid, 10, &real) != 0 ||
	    take(&uid, 10, &effective) != 0)
		return -EINVAL;
	status->uid = (uid_t)real;
	status->effective = (uid_t)effective;
	status->tracer = (pid_t)key_number(text, "TracerPid", 10);
	status->inner = innermost(text);
	status->threads = (int)key_number(text, "Threads", 10);
	status->room = key_number(text, "FDSize", 10);
	status->kernel = key_number(text, "Kthread", 10) == 1;
	status->sleeps = find_key(text, "voluntary_ctxt_switches") == NULL ?
	    UINT64_MAX :
	    key_number(text, "voluntary_ctxt_switches", 10);
	status->pending = key_number(text, "SigPnd", 16);
	status->shared = key_number(text, "ShdPnd", 16);
	status->blocked = key_number(text, "SigBlk", 16);
	status->ignored = key_number(text, "SigIgn", 16);
	status->caught = key_number(text, "SigCgt", 16);
	return 0;
}

static int
take_limit(const char **at, uint64_t *limit)
{
	static const char unlimited[] = "unlimited";

	*at += strspn(*at, " ");
	if (strncmp(*at, unlimited, sizeof unlimited - 1) != 0)
		return take(at, 10, limit);
	*at += sizeof unlimited - 1;
	*limit = UINT64_MAX;
	return 0;
}

int
procfs_parse_limits(const char *text, size_t length, void *to)
{
	struct procfs_limit *files = to;
	static const char name[] = "Max open files";
	const char *at = strstr(text, name);

	(void)length;
	*files = (struct procfs_limit){ .soft = 0 };
	if (at == NULL)
		return -EINVAL;
	at += sizeof name - 1;
	if (take_limit(&at, &files->soft) != 0 ||
	    take_limit(&at, &files->hard) != 0)
		return -EINVAL;
	return 0;
}

int
procfs_parse_times(const char *text, size_t length, void *to)
{
	struct procfs_times *times = to;
	const char *at = text;

	(void)length;
	*times = (struct procfs_times){ .ran = 0 };
	if (take(&at, 10, &times->ran) != 0 ||
	    take(&at, 10, &times->waited) != 0 ||
	    take(&at, 10, &times->turns) != 0)
		return -EINVAL;
	return 0;
}

/* What PARSE finds in the file NAME of DIRECTORY.  Returns 0 or -errno. */
static int
read_file(struct source *source, const char *directory, const char *name,
    int (*parse)(const char *text, size_t length, void *to), void *to)
{
	char path[SOURCE_PATH + 16], *text;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	n = source_read(source, &text, path);
	return n < 0 ? (int)n : parse(text, (size_t)n, to);
}

int
procfs_stat(struct source *source, const char *directory,
    struct procfs_stat *stat)
{
	return read_file(source, directory, "stat", procfs_parse_stat, stat);
}

const char procfs_headless[] =
    "its first thread has ended, and its descriptors are not found without it";

static bool
has_ended(const struct procfs_stat *stat)
{
	return strchr("ZXx", stat->state) != NULL;
}

/* Give STAT the state of a thread that lives.  Returns 0 or -ESRCH. */
static int
find_living(struct source *source, struct procfs_stat *stat)
{
	struct procfs_stat thread = { .state = 'Z' };
	char path[SOURCE_PATH];
	int *list, count;

	(void)snprintf(path, sizeof path, "%ld/task", (long)stat->pid);
	count = source_list(source, path, &list);
	for (int i = 0; i < count && has_ended(&thread); i++) {
		(void)snprintf(path, sizeof path, "%ld/task/%d",
		    (long)stat->pid, list[i]);
		if (procfs_stat(source, path, &thread) != 0)
			thread.state = 'Z';
	}
	if (count >= 0)
		free(list);
	stat->state = thread.state;
	stat->is_headless = true;
	return has_ended(&thread) ? -ESRCH : 0;
}

int
procfs_process(struct source *source, pid_t pid, struct procfs_stat *stat)
{
	char directory[SOURCE_PATH];
	int error;

	(void)snprintf(directory, sizeof directory, "%ld", (long)pid);
	error = procfs_stat(source, directory, stat);
	if (error == -ENOENT)
		return -ESRCH;
	return error == 0 && has_ended(stat) ? find_living(source, stat) :
					       error;
}

int
procfs_status(struct source *source, const char *directory,
    struct procfs_status *status)
{
	return read_file(source, directory, "status", procfs_parse_status,
	    status);
}

int
procfs_limit(struct source *source, const char *directory,
    struct procfs_limit *files)
{
	return read_file(source, directory, "limits", procfs_parse_limits,
	    files);
}

int
procfs_times(struct source *source, const char *directory,
    struct procfs_times *times)
{
	return read_file(source, directory, "schedstat", procfs_parse_times,
	    times);
}
