/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#ifdef __linux__
#include <sys/sysmacros.h>
#endif

#include "sys/lease.h"

#if defined(F_OFD_SETLK) && defined(F_OFD_GETLK)

/*
 * Each of these is a lock of one byte, at an offset that is its time.  The
 * locks belong to the open file description, so that a child of fork(2) goes
 * on with them.  flock(2) would know neither order nor direction.
 *
 * Any process that may open the FIFO may lock any byte of it, or all.  Only a
 * lock of one byte and of the right type counts: fcntl(2) grants a read lock
 * only to a read end, a write lock only to a write end.
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

/* The number of locks of the wrong form that find_byte passes over. */
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
 * START up to END.  The kernel returns any lock that conflicts with the other
 * type; if that is one that does not count, search on both sides of it, *BUDGET
 * times in all.
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
lease_renew(int fd, bool writing, bool holder, int64_t claim)
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
lease_set(int fd, bool writing, bool holder, int64_t until, int64_t now)
{
	int error;

	if (until < 0 || until >= NO_END)
		until = NO_END + now;
	error = lease_renew(fd, writing, holder, until);
	return error != 0 ? error : until;
}

bool
lease_lost(int fd, bool writing, int64_t claim)
{
	return claim >= 0 &&
	    (claim_between(fd, writing, claim + 1, HALF) ||
		claim_between(fd, writing, HALF + claim + 1, ZONE));
}

bool
lease_is_set(int fd, bool writing)
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
lease_only_holder(const char *path)
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
lease_only_holder(const char *path)
{
	(void)path;
	return false;
}

#endif

bool
lease_has_waiter(int fd)
{
	return claim_between(fd, false, 0, HALF);
}

bool
lease_only_holder_at(int fd)
{
	return claim_between(fd, false, HALF, ZONE) && !lease_has_waiter(fd) &&
	    !byte_locked(fd, false, READER, READER + 1);
}

void
lease_vouch(int fd, bool reader)
{
	(void)lock(fd, reader ? F_RDLCK : F_UNLCK, READER, 1);
}

void
lease_reader_arrive(int fd, int64_t time)
{
	(void)lock(fd, F_RDLCK, ARRIVAL + time, 1);
}

bool
lease_reader_seen(int fd, int64_t time)
{
	return byte_locked(fd, false, ARRIVAL + time, READER);
}

void
lease_heartbeat(int fd, bool writing, int64_t time)
{
	if (time == -1)
		time = ZONE - 1;
	else if (lock(fd, writing ? F_WRLCK : F_RDLCK, MARK + time, 1) != 0)
		return;
	if (time > 0) /* a length of 0 is to the end */
		(void)lock(fd, F_UNLCK, MARK, time);
}

bool
lease_heartbeat_seen(int fd, int64_t time)
{
	struct flock found;

	return conflicts(fd, F_WRLCK, MARK, MARK + time, &found);
}

void
lease_release(int fd)
{
	(void)lock(fd, F_UNLCK, 0, 0); /* to the end */
}

#else

int
lease_renew(int fd, bool writing, bool holder, int64_t claim)
{
	(void)fd;
	(void)writing;
	(void)holder;
	(void)claim;
	return -ENOSYS;
}

int64_t
lease_set(int fd, bool writing, bool holder, int64_t until, int64_t now)
{
	(void)until;
	(void)now;
	return lease_renew(fd, writing, holder, 0);
}

bool
lease_lost(int fd, bool writing, int64_t claim)
{
	(void)fd;
	(void)writing;
	(void)claim;
	return false;
}

bool
lease_is_set(int fd, bool writing)
{
	(void)fd;
	(void)writing;
	return false;
}

bool
lease_only_holder(const char *path)
{
	(void)path;
	return false;
}

bool
lease_has_waiter(int fd)
{
	(void)fd;
	return false;
}

bool
lease_only_holder_at(int fd)
{
	(void)fd;
	return false;
}

void
lease_vouch(int fd, bool reader)
{
	(void)fd;
	(void)reader;
}

void
lease_reader_arrive(int fd, int64_t time)
{
	(void)fd;
	(void)time;
}

bool
lease_reader_seen(int fd, int64_t time)
{
	(void)fd;
	(void)time;
	return false;
}

void
lease_heartbeat(int fd, bool writing, int64_t time)
{
	(void)fd;
	(void)writing;
	(void)time;
}

bool
lease_heartbeat_seen(int fd, int64_t time)
{
	(void)fd;
	(void)time;
	return false;
}

void
lease_release(int fd)
{
	(void)fd;
}

#endif
