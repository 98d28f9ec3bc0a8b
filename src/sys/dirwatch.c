/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sys/dirwatch.h"
#include "sys/fdplace.h"

#if defined(ENABLE_INOTIFY) && defined(__linux__) && defined(HAVE_INOTIFY_INIT1)

#include <sys/inotify.h>
#include <sys/statfs.h>

#define CAME (IN_CREATE | IN_MOVED_TO)
#define WENT (IN_DELETE | IN_MOVED_FROM)

bool
dirwatch_probe(const char **detail)
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
dirwatch_open(void)
{
	return fdplace(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

/*
 * Whether the file system of PATH has names that come and go without a report:
 * those of other machines, and what the kernel makes up (statfs(2), f_type).
 */
static bool
is_silent(const char *path)
{
	static const uint32_t types[] = {
		0x6969, /* nfs */
		0xff534d42, 0xfe534d42, 0x517b, /* cifs, smb2, smb */
		0x65735546, /* fuse */
		0x01021997, /* 9p */
		0x00c36400, 0x5346414f, 0x6b414653, /* ceph, afs */
		0x73757245, 0x01161970, 0x7461636f, /* coda, gfs2, ocfs2 */
		0x0bd00bd0, 0x786f4256, /* lustre, vboxsf */
		0x9fa0, 0x62656572, /* proc, sysfs */
		0x27e0eb, 0x63677270, /* cgroup */
		0x64626720, 0x74726163, /* debugfs, tracefs */
		0x0187, /* autofs */
	};
	struct statfs fs;

	if (statfs(path, &fs) == -1)
		return false;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if ((uint32_t)fs.f_type == types[i])
			return true;
	return false;
}

int
dirwatch_add(int watch, const char *path)
{
	int number = inotify_add_watch(watch, path,
	    CAME | WENT | IN_ATTRIB | IN_ONLYDIR);

	if (number == -1)
		return -errno;
	return is_silent(path) ? -EOPNOTSUPP : number;
}

/* It goes with its directory. */
void
dirwatch_drop(int watch, int number)
{
	(void)watch;
	(void)number;
}

static uint32_t
meaning_of(uint32_t mask)
{
	uint32_t directory = (mask & IN_ISDIR) != 0 ? DIRWATCH_DIRECTORY : 0;

	if ((mask & (IN_Q_OVERFLOW | IN_UNMOUNT)) != 0)
		return DIRWATCH_LOST;
	if ((mask & CAME) != 0)
		return DIRWATCH_CAME | directory;
	if ((mask & WENT) != 0)
		return DIRWATCH_WENT | directory;
	return (mask & IN_ATTRIB) != 0 ? DIRWATCH_CHANGED | directory : 0;
}

int
dirwatch_next(int watch, struct dirwatch_buffer *buffer,
    struct dirwatch_change *change)
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
		change->name = event.len == 0 ?
		    NULL :
		    buffer->data + buffer->done + sizeof event;
		buffer->done += sizeof event + event.len;
		change->what = meaning_of(event.mask);
	} while (change->what == 0);
	change->number = event.wd > 0 ? event.wd : 0;
	return 1;
}

/* proc(5), /proc/PID/mounts: poll(2) reports a change. */
int
dirwatch_mounts(void)
{
	return fdplace(open("/proc/self/mounts", O_RDONLY | O_CLOEXEC));
}

#elif defined(ENABLE_INOTIFY) && defined(HAVE_KQUEUE)

#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

#ifndef O_EVTONLY /* macOS: does not keep a file system from being unmounted */
#define O_EVTONLY O_RDONLY
#endif

bool
dirwatch_probe(const char **detail)
{
	*detail = "kevent(2), EVFILT_VNODE";
	return true;
}

int
dirwatch_open(void)
{
	int queue = kqueue();

	if (queue != -1)
		(void)fcntl(queue, F_SETFD, FD_CLOEXEC);
	return fdplace(queue);
}

int
dirwatch_add(int watch, const char *path)
{
	int fd = fdplace(open(path, O_EVTONLY | O_DIRECTORY | O_CLOEXEC)),
	    error;
	struct kevent change;

	if (fd < 0)
		return fd;
	EV_SET(&change, (uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR,
	    NOTE_WRITE | NOTE_DELETE | NOTE_RENAME | NOTE_ATTRIB | NOTE_LINK |
		NOTE_EXTEND,
	    0, 0);
	if (kevent(watch, &change, 1, NULL, 0, NULL) != -1)
		return fd;
	error = -errno;
	(void)close(fd);
	return error;
}

void
dirwatch_drop(int watch, int number)
{
	(void)watch;
	(void)close(number);
}

int
dirwatch_next(int watch, struct dirwatch_buffer *buffer,
    struct dirwatch_change *change)
{
	const struct timespec now = { 0, 0 };
	struct kevent event;
	int n = kevent(watch, NULL, 0, &event, 1, &now);

	(void)buffer;
	if (n != 1)
		return n == 0 ? 0 : -errno;
	change->number = (int)event.ident;
	change->what = DIRWATCH_CHANGED;
	change->name = NULL;
	return 1;
}

int
dirwatch_mounts(void)
{
	return -ENOSYS;
}

#else

bool
dirwatch_probe(const char **detail)
{
	*detail = "nothing reports changes of directories here";
	return false;
}

int
dirwatch_open(void)
{
	return -ENOSYS;
}

int
dirwatch_add(int watch, const char *path)
{
	(void)watch;
	(void)path;
	return -ENOSYS;
}

void
dirwatch_drop(int watch, int number)
{
	(void)watch;
	(void)number;
}

int
dirwatch_next(int watch, struct dirwatch_buffer *buffer,
    struct dirwatch_change *change)
{
	(void)watch;
	(void)buffer;
	(void)change;
	return 0;
}

int
dirwatch_mounts(void)
{
	return -ENOSYS;
}

#endif
