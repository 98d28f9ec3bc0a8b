#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/sysmacros.h>
#endif
#ifdef HAVE_LINUX_MAGIC_H
#include <sys/vfs.h>

#include <linux/magic.h>
#endif

#include "sys/fdplace.h"
#include "sys/peer.h"

/* 0 if A and B are the same file, -ENOENT if they are not, or -errno. */
static int
compare_files(int a, int b)
{
	struct stat one, other;

	if (fstat(a, &one) == -1 || fstat(b, &other) == -1)
		return -errno;
	return one.st_dev == other.st_dev && one.st_ino == other.st_ino ?
	    0 :
	    -ENOENT;
}

/* PATH, if it means the file that FD is; or -errno, -ENOENT if it does not. */
static int
open_by_name(int fd, const char *path, int flags)
{
	int end = open(path, flags), error;

	if (end == -1)
		return -errno;
	error = compare_files(fd, end);
	if (error == 0)
		return end;
	(void)close(end);
	return error;
}

#if defined(__linux__) && defined(HAVE_INOTIFY_INIT1) && defined(O_PATH)
#include <sys/inotify.h>

#define SELF "/proc/self/fd/"
#define SELF_SIZE (sizeof SELF + 10)

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

bool
peer_probe(const char **detail)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	*detail = watch != -1 ? "inotify(7)" :
	    errno == EMFILE   ? "no inotify(7) instance is to be had" :
				"the kernel has no inotify(7)";
	if (watch != -1)
		(void)close(watch);
	return watch != -1;
}

int
peer_watch_open(void)
{
	return place(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

static const struct {
	uint32_t what, mask;
} meanings[] = {
	{ PEER_OPENED, IN_OPEN },
	{ PEER_READ, IN_ACCESS },
	{ PEER_WROTE, IN_MODIFY },
	{ PEER_READER_CLOSED, IN_CLOSE_NOWRITE },
	{ PEER_WRITER_CLOSED, IN_CLOSE_WRITE },
	/* the last link of an open file: no IN_DELETE_SELF, inotify(7) */
	{ PEER_NAMED, IN_ATTRIB },
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
	found = open_by_name(fd, path, O_PATH | O_CLOEXEC);
	if (found < 0)
		return found;
	number = inotify_add_watch(watch, path, mask_of(what));
	if (number == -1)
		number = -errno;
	(void)close(found);
	return number;
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

bool
peer_probe(const char **detail)
{
	*detail = "no inotify(7) on this system";
	return false;
}

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

int
peer_is_fifo(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISFIFO(st.st_mode))
		return 0;
#ifdef PIPEFS_MAGIC
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC)
		return 0;
#endif
	return 1;
}

int64_t
peer_written(int fd)
{
#ifdef HAVE_STRUCT_STAT_ST_MTIM
	struct stat st;

	if (fstat(fd, &st) == 0)
		return st.st_mtim.tv_sec * INT64_C(1000000000) +
		    st.st_mtim.tv_nsec;
#else
	(void)fd;
#endif
	return -1;
}

bool
peer_nameless(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

#ifdef HAVE_TEE

/*
 * Measured on Linux 6.18: read(2) to an address that is none copies before it
 * consumes, so that it consumes nothing: EFAULT if there are bytes, else 0 if
 * no writer is connected and EAGAIN if one is.  ERROR, of what was tried
 * before, is the answer where this end would block.
 */
static int
read_nothing(int fd, int error)
{
	void *volatile nowhere = (void *)1;
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || (flags & O_NONBLOCK) == 0)
		return error;
	switch (read(fd, nowhere, 1)) {
	case 0:
		return 0;
	case -1:
		return errno == EAGAIN || errno == EFAULT ? 1 : -errno;
	default:
		return 1;
	}
}

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
		return read_nothing(fd, -errno);
	n = tee(fd, spare[1], 1, SPLICE_F_NONBLOCK);
	answer = n == -1 && errno != EAGAIN ? -errno : n != 0;
	(void)close(spare[0]);
	(void)close(spare[1]);
	return answer < 0 ? read_nothing(fd, answer) : answer;
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
 *
 * Anybody who may open the FIFO may lock any byte of it, or all.  What counts
 * is one byte and its kind: fcntl(2) grants a read lock only to a read end, a
 * write lock only to a write end.
 */
#define ZONE (INT64_C(1) << 61)
#define HALF (ZONE / 2)
#define CLAIM_IN 0 /* read locks; second half: holders */
#define CLAIM_OUT ZONE /* write locks; likewise */
#define MARK (2 * ZONE) /* either */
#define ARRIVAL (3 * ZONE) /* read locks */
#define READER (ARRIVAL + HALF) /* a holder's read lock */

/* Claims without an end are in the order in which they were made. */
#define NO_END (HALF / 2)

/* So many locks that do not count may be in the way of one that does. */
#define MOST_IN_THE_WAY 64

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

/*
 * Whether another open file description has a lock from START up to END that
 * one of TYPE would have to wait for: *FOUND is one of them.
 */
static bool
conflicts(int fd, short type, int64_t start, int64_t end, struct flock *found)
{
	memset(found, 0, sizeof *found);
	found->l_type = type;
	found->l_whence = SEEK_SET;
	found->l_start = (off_t)start;
	found->l_len = (off_t)(end - start);
	return start < end && fcntl(fd, F_OFD_GETLK, found) == 0 &&
	    found->l_type != F_UNLCK;
}

/*
 * Whether another open file description has locked, for TYPE, one byte from
 * START up to END.  The kernel names any lock in the way of the other type;
 * when that is one that does not count, look on both sides of it, *BUDGET times
 * in all.
 */
static bool
find_byte(int fd, short type, int64_t start, int64_t end, int *budget)
{
	short other = type == F_RDLCK ? F_WRLCK : F_RDLCK;
	struct flock found;

	while ((*budget)-- > 0 && conflicts(fd, other, start, end, &found)) {
		if (found.l_type == type && found.l_len == 1)
			return true;
		if (find_byte(fd, type, start, found.l_start, budget))
			return true;
		if (found.l_len == 0) /* to the end */
			return false;
		start = (int64_t)found.l_start + found.l_len;
	}
	return false;
}

static bool
byte_locked(int fd, bool writing, int64_t start, int64_t end)
{
	int budget = MOST_IN_THE_WAY;

	return find_byte(fd, writing ? F_WRLCK : F_RDLCK, start, end, &budget);
}

static bool
claim_between(int fd, bool writing, int64_t start, int64_t end)
{
	int64_t zone = writing ? CLAIM_OUT : CLAIM_IN;

	return byte_locked(fd, writing, zone + start, zone + end);
}

int
peer_reclaim(int fd, bool writing, bool holder, int64_t claim)
{
	int64_t zone = writing ? CLAIM_OUT : CLAIM_IN;
	int64_t at = claim + (holder ? HALF : 0);
	int error = lock(fd, writing ? F_WRLCK : F_RDLCK, zone + at, 1);

	if (error != 0)
		return error;
	if (at > 0)
		(void)lock(fd, F_UNLCK, zone, at);
	(void)lock(fd, F_UNLCK, zone + at + 1, ZONE - at - 1);
	return 0;
}

int64_t
peer_claim(int fd, bool writing, bool holder, int64_t until, int64_t now)
{
	int error;

	if (until < 0 || until >= NO_END)
		until = NO_END + now;
	error = peer_reclaim(fd, writing, holder, until);
	return error != 0 ? error : until;
}

bool
peer_superseded(int fd, bool writing, int64_t claim)
{
	return claim >= 0 &&
	    (claim_between(fd, writing, claim + 1, HALF) ||
		claim_between(fd, writing, HALF + claim + 1, ZONE));
}

bool
peer_claimed(int fd, bool writing)
{
	return claim_between(fd, writing, 0, ZONE);
}

#ifdef __linux__

#define LOCKS "/proc/locks"

/* Where the one byte is that LINE of that file says is locked, or -1. */
static int64_t
read_lock_of(const char *line, const struct stat *st)
{
	unsigned long long inode;
	unsigned major_of, minor_of;
	long long first, last;

	/* proc_locks(5): a lock to the end has EOF there */
	if (sscanf(line, "%*d: OFDLCK %*s READ %*d %x:%x:%llu %lld %lld",
		&major_of, &minor_of, &inode, &first, &last) != 5)
		return -1;
	return first == last && inode == st->st_ino &&
		major_of == major(st->st_dev) && minor_of == minor(st->st_dev) ?
	    first :
	    -1;
}

bool
peer_only_held(const char *path)
{
	bool holder = false, reader = false;
	char line[128];
	struct stat st;
	int64_t at;
	FILE *locks;

	if (stat(path, &st) == -1 || (locks = fopen(LOCKS, "re")) == NULL)
		return false;
	while (fgets(line, sizeof line, locks) != NULL) {
		if ((at = read_lock_of(line, &st)) == -1)
			continue;
		holder |= at >= HALF && at < ZONE;
		reader |= at < HALF || at == READER;
	}
	(void)fclose(locks);
	return holder && !reader;
}

#else

bool
peer_only_held(const char *path)
{
	(void)path;
	return false;
}

#endif

bool
peer_reads(int fd)
{
	return claim_between(fd, false, 0, HALF);
}

bool
peer_held(int fd)
{
	return claim_between(fd, false, HALF, ZONE) && !peer_reads(fd) &&
	    !byte_locked(fd, false, READER, READER + 1);
}

void
peer_vouch(int fd, bool reader)
{
	(void)lock(fd, reader ? F_RDLCK : F_UNLCK, READER, 1);
}

void
peer_arrive(int fd, int64_t time)
{
	(void)lock(fd, F_RDLCK, ARRIVAL + time, 1);
}

bool
peer_arrived(int fd, int64_t time)
{
	return byte_locked(fd, false, ARRIVAL + time, READER);
}

void
peer_mark(int fd, bool writing, int64_t time)
{
	if (time == -1)
		time = ZONE - 1;
	else if (lock(fd, writing ? F_WRLCK : F_RDLCK, MARK + time, 1) != 0)
		return;
	if (time > 0) /* a length of 0 is to the end */
		(void)lock(fd, F_UNLCK, MARK, time);
}

bool
peer_marked(int fd, int64_t time)
{
	struct flock found;

	return conflicts(fd, F_WRLCK, MARK, MARK + time, &found);
}

void
peer_release(int fd)
{
	(void)lock(fd, F_UNLCK, 0, 0); /* to the end */
}

#else

int
peer_reclaim(int fd, bool writing, bool holder, int64_t claim)
{
	(void)fd;
	(void)writing;
	(void)holder;
	(void)claim;
	return -ENOSYS;
}

int64_t
peer_claim(int fd, bool writing, bool holder, int64_t until, int64_t now)
{
	(void)until;
	(void)now;
	return peer_reclaim(fd, writing, holder, 0);
}

bool
peer_superseded(int fd, bool writing, int64_t claim)
{
	(void)fd;
	(void)writing;
	(void)claim;
	return false;
}

bool
peer_claimed(int fd, bool writing)
{
	(void)fd;
	(void)writing;
	return false;
}

bool
peer_only_held(const char *path)
{
	(void)path;
	return false;
}

bool
peer_reads(int fd)
{
	(void)fd;
	return false;
}

bool
peer_held(int fd)
{
	(void)fd;
	return false;
}

void
peer_vouch(int fd, bool reader)
{
	(void)fd;
	(void)reader;
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
