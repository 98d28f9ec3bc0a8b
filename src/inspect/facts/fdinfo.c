/* SPDX-License-Identifier: ISC */
/*
 * fdinfo.c - parser of /proc/PID/fdinfo/N.  The lines are those of the
 * show_fdinfo functions of Linux 6.18: fs/proc/fd.c for all files,
 * fs/eventfd.c, fs/timerfd.c, fs/signalfd.c, fs/eventpoll.c,
 * fs/notify/fdinfo.c, fs/pidfs.c, drivers/tty/pty.c, io_uring/fdinfo.c.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/number.h"
#include "inspect/facts/fdinfo.h"

/* A place in a line; what is not there is not passed. */
struct cursor {
	const char *at, *end;
	bool failed;
};

/*
 * Pass WORD, after blanks, where a blank in WORD is any number of them, none
 * included.  The format of the kernel changed in blanks more than once.
 */
static bool
pass(struct cursor *c, const char *word)
{
	const char *at = c->at;

	for (; *word != '\0'; word++) {
		while (at < c->end && (*at == ' ' || *at == '\t'))
			at++;
		if (*word == ' ')
			continue;
		if (at == c->end || *at != *word)
			return false;
		at++;
	}
	c->at = at;
	return true;
}

/*
 * The number in BASE, which may have a minus; 0 and failed if there is none.
 * An instance of epoll(7) has thousands, and strtoull(3) takes twice as long.
 */
static uint64_t
number(struct cursor *c, unsigned base)
{
	uint64_t value = 0;
	bool negative, found = false;
	unsigned digit;

	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
	negative = c->at < c->end && *c->at == '-';
	c->at += negative;
	for (; c->at < c->end && (digit = number_digit(*c->at)) < base;
	     c->at++) {
		value = value * base + digit;
		found = true;
	}
	if (!found)
		c->failed = true;
	return negative ? -value : value;
}

/* Behind WORD; 0 if it is not there. */
static uint64_t
keyed(struct cursor *c, const char *word, unsigned base)
{
	return pass(c, word) ? number(c, base) : 0;
}

/* "tfd: 5 events: 19 data: 5 pos:0 ino:1f sdev:c" */
static int
take_entry(struct cursor *c, struct fdinfo *info)
{
	struct fdinfo_entry entry = { .number = (int)number(c, 10) };

	entry.events = (uint32_t)keyed(c, "events:", 16);
	entry.data = keyed(c, "data:", 16);
	if (pass(c, "pos:"))
		(void)number(c, 10);
	entry.inode = keyed(c, "ino:", 16);
	entry.device = keyed(c, "sdev:", 16);
	if (c->failed)
		return 0;
	return list_append(&info->entries, &info->entry_count, &entry,
	    sizeof entry);
}

static int
add_watch(struct fdinfo *info, const struct fdinfo_watch *watch)
{
	return list_append(&info->watches, &info->watch_count, watch,
	    sizeof *watch);
}

/* "inotify wd:1 ino:2 sdev:fe00001 mask:fce ignored_mask:0 ..." */
static int
take_watch(struct cursor *c, struct fdinfo *info)
{
	struct fdinfo_watch watch = { .descriptor = (int)keyed(c, "wd:", 16) };

	watch.inode = keyed(c, "ino:", 16);
	watch.device = keyed(c, "sdev:", 16);
	watch.mask = (uint32_t)keyed(c, "mask:", 16);
	return c->failed ? 0 : add_watch(info, &watch);
}

/*
 * "fanotify ino:2 sdev:1 mflags:0 mask:3b ...", "fanotify mnt_id:5 mflags:...",
 * "fanotify sdev:1 mflags:..."; the line with flags: is about the group.
 */
static int
take_mark(struct cursor *c, struct fdinfo *info)
{
	struct fdinfo_watch watch = { .descriptor = -1 };

	if (pass(c, "flags:"))
		return 0;
	if (pass(c, "mnt_id:"))
		(void)number(c, 16);
	watch.inode = keyed(c, "ino:", 16);
	watch.device = keyed(c, "sdev:", 16);
	if (pass(c, "mflags:"))
		(void)number(c, 16);
	watch.mask = (uint32_t)keyed(c, "mask:", 16);
	return c->failed ? 0 : add_watch(info, &watch);
}

/* "(5, 999)": seconds and nanoseconds, in nanoseconds; what is more is most. */
static int64_t
take_time(struct cursor *c)
{
	uint64_t seconds, ns;

	if (!pass(c, "("))
		return 0;
	seconds = number(c, 10);
	ns = keyed(c, ",", 10);
	(void)pass(c, ")");
	if (seconds >= INT64_MAX / 1000000000)
		return INT64_MAX;
	return (int64_t)(seconds * 1000000000 + ns % 1000000000);
}

/* The lines of all files, and of those that are only one number. */
static void
take_number(struct cursor *c, struct fdinfo *info)
{
	if (pass(c, "pos:"))
		info->position = (int64_t)number(c, 10);
	else if (pass(c, "mnt_id:"))
		info->mount = (int)number(c, 10);
	else if (pass(c, "ino:"))
		info->inode = number(c, 10);
	else if (pass(c, "lock:"))
		info->locks++;
	else if (pass(c, "eventfd-count:"))
		info->count = number(c, 16);
	else if (pass(c, "eventfd-semaphore:"))
		info->semaphore = number(c, 10) != 0;
	else if (pass(c, "sigmask:"))
		info->signals = number(c, 16);
	else if (pass(c, "Pid:"))
		info->process = (pid_t)number(c, 10);
	else if (pass(c, "tty-index:"))
		info->terminal = (int)number(c, 10);
	else if (pass(c, "clockid:"))
		info->clock = (int)number(c, 10);
	else if (pass(c, "ticks:"))
		info->ticks = number(c, 10);
	else if (pass(c, "it_value:"))
		info->value = take_time(c);
	else if (pass(c, "it_interval:"))
		info->interval = take_time(c);
}

/* The indexes of an io_uring count up, and wrap at 32 bits. */
static bool
take_ring(struct cursor *c, struct fdinfo *info)
{
	if (pass(c, "SqHead:"))
		info->submissions -= number(c, 10);
	else if (pass(c, "SqTail:"))
		info->submissions += number(c, 10);
	else if (pass(c, "CqHead:"))
		info->completions -= number(c, 10);
	else if (pass(c, "CqTail:"))
		info->completions += number(c, 10);
	else
		return false;
	info->submissions &= UINT32_MAX;
	info->completions &= UINT32_MAX;
	return true;
}

static int
take_line(struct cursor *c, struct fdinfo *info, bool *has_flags)
{
	switch (*c->at) {
	case 't':
		if (pass(c, "tfd:"))
			return take_entry(c, info);
		break;
	case 'i':
		if (pass(c, "inotify "))
			return take_watch(c, info);
		break;
	case 'f':
		if (pass(c, "fanotify "))
			return take_mark(c, info);
		if (pass(c, "flags:")) {
			info->flags = (unsigned)number(c, 8);
			*has_flags = !c->failed;
			return 0;
		}
		break;
	case 'S':
	case 'C':
		if (take_ring(c, info))
			return 0;
		break;
	default:
		break;
	}
	take_number(c, info);
	return 0;
}

int
fdinfo_parse(const char *text, size_t length, struct fdinfo *info)
{
	const char *end = text + length, *line = text;
	bool has_flags = false;
	int error = 0;

	*info = (struct fdinfo){ .position = -1,
		.count = UINT64_MAX,
		.clock = -1,
		.terminal = -1 };
	while (error == 0 && line < end) {
		struct cursor c = { .at = line };

		c.end = memchr(line, '\n', (size_t)(end - line));
		if (c.end == NULL)
			c.end = end;
		line = c.end + 1;
		if (c.at < c.end)
			error = take_line(&c, info, &has_flags);
	}
	if (error == 0 && !has_flags)
		error = -EINVAL;
	return error;
}

void
fdinfo_free(struct fdinfo *info)
{
	free(info->entries);
	free(info->watches);
	info->entries = NULL;
	info->watches = NULL;
	info->entry_count = info->watch_count = 0;
}
