/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sys/fdplace.h"
#include "sys/peer.h"
#include "sys/watch.h"

#if defined(__linux__) && defined(HAVE_INOTIFY_INIT1) && defined(O_PATH)
#include <sys/inotify.h>

bool
watch_probe(const char **detail)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	*detail = watch != -1 ? "inotify(7)" :
	    errno == EMFILE   ? "no inotify(7) instance is available" :
				"the kernel has no inotify(7)";
	if (watch != -1)
		(void)close(watch);
	return watch != -1;
}

int
watch_open(void)
{
	return fdplace(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

static const struct {
	uint32_t what, mask;
} meanings[] = {
	{ WATCH_OPENED, IN_OPEN },
	{ WATCH_READ, IN_ACCESS },
	{ WATCH_WROTE, IN_MODIFY },
	{ WATCH_READER_CLOSED, IN_CLOSE_NOWRITE },
	{ WATCH_WRITER_CLOSED, IN_CLOSE_WRITE },
	/* the last link of an open file: no IN_DELETE_SELF, inotify(7) */
	{ WATCH_NAMED, IN_ATTRIB | IN_MOVE_SELF },
	{ WATCH_LOST, IN_Q_OVERFLOW },
};

static uint32_t
mask_of(uint32_t what)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if ((what & meanings[i].what) != 0)
			mask |= meanings[i].mask;
	return mask;
}

static uint32_t
meaning_of(uint32_t mask)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if ((mask & meanings[i].mask) != 0)
			return meanings[i].what;
	return 0;
}

/* If the file is watched already, inotify_add_watch(2) replaces the mask. */
int
watch_add(int watch, int fd, const char *path, uint32_t what)
{
	char self[PEER_PATH_SIZE];
	int number, found;

	number = inotify_add_watch(watch, peer_path(self, fd), mask_of(what));
	if (number != -1 || errno != ENOENT)
		return number == -1 ? -errno : number;
	found = peer_open_named(fd, path, O_PATH | O_CLOEXEC);
	if (found < 0)
		return found;
	number = inotify_add_watch(watch, path, mask_of(what));
	if (number == -1)
		number = -errno;
	(void)close(found);
	return number;
}

void
watch_drop(int watch, int number)
{
	(void)inotify_rm_watch(watch, number);
}

int
watch_next(int watch, struct watch_buffer *buffer, struct watch_change *change)
{
	struct inotify_event event;
	ssize_t n;

	do {
		if (buffer->done == buffer->used) {
			n = read(watch, buffer->data, sizeof buffer->data);
			if (n == 0 || (n == -1 && errno == EAGAIN))
				return 0;
			if (n == -1)
				return -errno;
			buffer->done = 0;
			buffer->used = (size_t)n;
		}
		memcpy(&event, buffer->data + buffer->done, sizeof event);
		buffer->done += sizeof event + event.len;
		change->what = meaning_of(event.mask);
	} while (change->what == 0);
	change->fifo = event.wd > 0 ? (uint32_t)event.wd : 0;
	return 1;
}

int
watch_join(int watch, int fd, uint32_t what, const char *path, int flags)
{
	int end;

	if (watch == -1)
		return peer_reopen(fd, path, flags);
	(void)watch_add(watch, fd, path, what & ~(uint32_t)WATCH_OPENED);
	end = peer_reopen(fd, path, flags);
	(void)watch_add(watch, fd, path, what);
	return end;
}

void
watch_part(int watch, int fd, uint32_t what, const char *path, int end)
{
	if (watch != -1)
		(void)watch_add(watch, fd, path,
		    what & ~(uint32_t)WATCH_WRITER_CLOSED);
	(void)close(end);
	if (watch != -1)
		(void)watch_add(watch, fd, path, what);
}

#else

bool
watch_probe(const char **detail)
{
#if defined(KEVENT_SEES_WRITES)
	*detail = "kevent(2), poll(2); no event for an open";
#elif defined(KEVENT_COUNTS_FIFOS)
	*detail = "kevent(2), fstat(2); no event for an open";
#else
	*detail = "poll(2), fstat(2); no event for an open";
#endif
	return false;
}

int
watch_open(void)
{
	return -ENOSYS;
}

int
watch_add(int watch, int fd, const char *path, uint32_t what)
{
	(void)watch;
	(void)fd;
	(void)path;
	(void)what;
	return -ENOSYS;
}

void
watch_drop(int watch, int number)
{
	(void)watch;
	(void)number;
}

int
watch_next(int watch, struct watch_buffer *buffer, struct watch_change *change)
{
	(void)watch;
	(void)buffer;
	(void)change;
	return 0;
}

int
watch_join(int watch, int fd, uint32_t what, const char *path, int flags)
{
	(void)watch;
	(void)what;
	return peer_reopen(fd, path, flags);
}

void
watch_part(int watch, int fd, uint32_t what, const char *path, int end)
{
	(void)watch;
	(void)fd;
	(void)what;
	(void)path;
	(void)close(end);
}

#endif
