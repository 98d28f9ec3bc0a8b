#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_LINUX_MAGIC_H
#include <sys/vfs.h>

#include <linux/magic.h>
#endif

#include "backend/peer.h"
#include "backend/place.h"

static bool
same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* PATH, if it means the file that FD is; or -errno, -ENOENT if it does not. */
static int
open_by_name(int fd, const char *path, int flags)
{
	int end = open(path, flags);

	if (end == -1)
		return -errno;
	if (same_file(fd, end))
		return end;
	(void)close(end);
	return -ENOENT;
}

#if defined(__linux__) && defined(HAVE_INOTIFY_INIT1) && defined(O_PATH)
#include <sys/inotify.h>

#define SELF		"/proc/self/fd/"
#define SELF_SIZE	(sizeof SELF + 10)

/* snprintf is not async-signal-safe. */
static char *
self_path(char *path, int fd)
{
	char digits[10];
	size_t n = 0, length = sizeof SELF - 1;

	memcpy(path, SELF, length);
	do
		digits[n++] = (char)('0' + fd % 10);
	while ((fd /= 10) != 0);
	while (n > 0)
		path[length++] = digits[--n];
	path[length] = '\0';
	return path;
}

int
peer_watch_open(void)
{
	return place(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

static const struct {
	uint32_t	what, mask;
} meanings[] = {
	{ PEER_OPENED, IN_OPEN },
	{ PEER_READ, IN_ACCESS },
	{ PEER_WROTE, IN_MODIFY },
	{ PEER_READER_CLOSED, IN_CLOSE_NOWRITE },
	{ PEER_WRITER_CLOSED, IN_CLOSE_WRITE },
	{ PEER_LOST, IN_Q_OVERFLOW },
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

/* Whether /proc is there; then nothing depends on the name. */
static bool
by_number(int fd)
{
	char self[SELF_SIZE];

	return access(self_path(self, fd), F_OK) == 0;
}

/* On what is watched already, inotify_add_watch(2) replaces the mask. */
int
peer_watch_add(int watch, int fd, const char *path, uint32_t what)
{
	char self[SELF_SIZE];
	int number, found;

	number = inotify_add_watch(watch, self_path(self, fd), mask_of(what));
	if (number != -1 || errno != ENOENT)
		return number == -1 ? -errno : number;
	found = open(path, O_PATH | O_CLOEXEC);
	if (found == -1)
		return -errno;
	number = -1;
	if (same_file(fd, found))
		number = inotify_add_watch(watch, path, mask_of(what));
	(void)close(found);
	return number == -1 ? -ENOENT : number;
}

int
peer_watch_next(int watch, struct peer_buffer *buffer,
    struct peer_change *change)
{
	struct inotify_event event;
	ssize_t n;

	do {
		if (buffer->done == buffer->used) {
			n = read(watch, buffer->data, sizeof buffer->data);
			if (n <= 0)
				return 0;
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
peer_reopen(int fd, const char *path, int flags)
{
	char self[SELF_SIZE];
	int end;

	flags |= O_NONBLOCK | O_CLOEXEC;
	end = open(self_path(self, fd), flags);
	if (end != -1 || errno != ENOENT || by_number(fd))
		return end == -1 ? -errno : end;
	return open_by_name(fd, path, flags);
}

int
peer_handle(int fd)
{
	char self[SELF_SIZE];
	int handle = open(self_path(self, fd), O_PATH | O_CLOEXEC);

	return handle == -1 ? -errno : handle;
}

int
peer_join(int watch, int fd, uint32_t what, const char *path, int flags)
{
	int end;

	if (watch == -1)
		return peer_reopen(fd, path, flags);
	(void)peer_watch_add(watch, fd, path, what & ~(uint32_t)PEER_OPENED);
	end = peer_reopen(fd, path, flags);
	(void)peer_watch_add(watch, fd, path, what);
	return end;
}

void
peer_part(int watch, int fd, uint32_t what, const char *path, int end)
{
	if (watch != -1)
		(void)peer_watch_add(watch, fd, path,
		    what & ~(uint32_t)PEER_WRITER_CLOSED);
	(void)close(end);
	if (watch != -1)
		(void)peer_watch_add(watch, fd, path, what);
}

#else

int
peer_watch_open(void)
{
	return -ENOSYS;
}

int
peer_watch_add(int watch, int fd, const char *path, uint32_t what)
{
	(void)watch;
	(void)fd;
	(void)path;
	(void)what;
	return -ENOSYS;
}

int
peer_watch_next(int watch, struct peer_buffer *buffer,
    struct peer_change *change)
{
	(void)watch;
	(void)buffer;
	(void)change;
	return 0;
}

int
peer_reopen(int fd, const char *path, int flags)
{
	return open_by_name(fd, path, flags | O_NONBLOCK | O_CLOEXEC);
}

int
peer_handle(int fd)
{
	(void)fd;
	return -ENOSYS;
}

int
peer_join(int watch, int fd, uint32_t what, const char *path, int flags)
{
	(void)watch;
	(void)what;
	return peer_reopen(fd, path, flags);
}

void
peer_part(int watch, int fd, uint32_t what, const char *path, int end)
{
	(void)watch;
	(void)fd;
	(void)what;
	(void)path;
	(void)close(end);
}

#endif

bool
peer_is_fifo(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISFIFO(st.st_mode))
		return false;
#ifdef PIPEFS_MAGIC
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC)
		return false;
#endif
	return true;
}

#ifdef HAVE_TEE

/*
 * Measured on Linux 6.18: tee(2) from an empty FIFO answers 0 if no writer is
 * connected and EAGAIN if one is, and it consumes nothing.
 */
int
peer_has_writer(int fd)
{
	int spare[2], answer;
	ssize_t n;

	if (pipe2(spare, O_CLOEXEC) == -1)
		return -errno;
	n = tee(fd, spare[1], 1, SPLICE_F_NONBLOCK);
	answer = n == -1 && errno != EAGAIN ? -errno : n != 0;
	(void)close(spare[0]);
	(void)close(spare[1]);
	return answer;
}

#else

int
peer_has_writer(int fd)
{
	(void)fd;
	return -ENOSYS;
}

#endif

#if defined(F_OFD_SETLK) && defined(F_OFD_GETLK)

/*
 * Each of these is a lock of one byte, at an offset that is its time.  The
 * locks belong to the open file description, so that a child of fork(2) goes
 * on with them.  flock(2) would know neither order nor direction.
 */
#define DIRECTION	(INT64_C(1) << 61)
#define MARK		(2 * DIRECTION)
#define ARRIVAL		(3 * DIRECTION)

static int
lock(int fd, short type, int64_t start, int64_t length)
{
	struct flock lock;

	memset(&lock, 0, sizeof lock);
	lock.l_type = type;
	lock.l_whence = SEEK_SET;
	lock.l_start = (off_t)start;
	lock.l_len = (off_t)length;
	return fcntl(fd, F_OFD_SETLK, &lock) == -1 ? -errno : 0;
}

/* Whether another open file description has a lock there. */
static bool
locked(int fd, int64_t start, int64_t length)
{
	struct flock lock;

	if (length <= 0)
		return false;
	memset(&lock, 0, sizeof lock);
	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	lock.l_start = (off_t)start;
	lock.l_len = (off_t)length;
	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int64_t
claims(bool writing)
{
	return writing ? DIRECTION : 0;
}

int64_t
peer_claim(int fd, bool writing, int64_t until)
{
	int64_t start = claims(writing);
	int error;

	if (until < 1 || until > DIRECTION - 2)
		until = DIRECTION - 2;
	/* as long as another, which may be for ever: that one stays */
	if (locked(fd, start + until, 1))
		until--;
	error = lock(fd, writing ? F_WRLCK : F_RDLCK, start + until, 1);
	if (error != 0)
		return error;
	(void)lock(fd, F_UNLCK, start, until);
	return until;
}

bool
peer_superseded(int fd, bool writing, int64_t until)
{
	int64_t start = claims(writing) + until + 1;

	return until >= 0 && locked(fd, start, DIRECTION - until - 1);
}

bool
peer_claimed(int fd, bool writing)
{
	return locked(fd, claims(writing), DIRECTION);
}

void
peer_arrive(int fd, int64_t time)
{
	(void)lock(fd, F_RDLCK, ARRIVAL + time, 1);
}

bool
peer_arrived(int fd, int64_t time)
{
	return locked(fd, ARRIVAL + time, DIRECTION - time - 1);
}

void
peer_mark(int fd, bool writing, int64_t time)
{
	if (time == -1)
		time = DIRECTION - 1;
	else if (lock(fd, writing ? F_WRLCK : F_RDLCK, MARK + time, 1) != 0)
		return;
	(void)lock(fd, F_UNLCK, MARK, time);
}

bool
peer_marked(int fd, int64_t time)
{
	return locked(fd, MARK, time);
}

void
peer_release(int fd)
{
	(void)lock(fd, F_UNLCK, 0, 0);	/* to the end */
}

#else

int64_t
peer_claim(int fd, bool writing, int64_t until)
{
	(void)fd;
	(void)writing;
	(void)until;
	return -ENOSYS;
}

bool
peer_superseded(int fd, bool writing, int64_t until)
{
	(void)fd;
	(void)writing;
	(void)until;
	return false;
}

bool
peer_claimed(int fd, bool writing)
{
	(void)fd;
	(void)writing;
	return false;
}

void
peer_arrive(int fd, int64_t time)
{
	(void)fd;
	(void)time;
}

bool
peer_arrived(int fd, int64_t time)
{
	(void)fd;
	(void)time;
	return false;
}

void
peer_mark(int fd, bool writing, int64_t time)
{
	(void)fd;
	(void)writing;
	(void)time;
}

bool
peer_marked(int fd, int64_t time)
{
	(void)fd;
	(void)time;
	return false;
}

void
peer_release(int fd)
{
	(void)fd;
}

#endif
