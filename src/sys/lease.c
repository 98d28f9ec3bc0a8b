/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/sysmacros.h>
#endif

#include "sys/fdplace.h"
#include "sys/lease.h"

#if !defined(F_OFD_SETLK) || !defined(F_OFD_GETLK)
#define LEASE_BY_DIRECTORY 1
#endif

/*
 * Any process that may open the FIFO may lock any byte of it, or all.  Only a
 * lock of one byte and of the right type counts: fcntl(2) grants a read lock
 * only to a read end, a write lock only to a write end.  Of a directory only
 * read locks can be had, and those of a process that lie side by side are one
 * lock.
 */
#ifdef LEASE_BY_DIRECTORY
#define GET_LOCK F_GETLK
#define SET_LOCK F_SETLK
#define UNIT (INT64_C(1) << 20) /* ns */
#define ZONE (INT64_C(1) << 39)
#define FIFOS (INT64_C(1) << 22)
#define LONGEST 1000
#define TYPE_OUT F_RDLCK
#else
#define GET_LOCK F_OFD_GETLK
#define SET_LOCK F_OFD_SETLK
#define UNIT 1
#define ZONE (INT64_C(1) << 61)
#define LONGEST 1
#define TYPE_OUT F_WRLCK
#endif
#define HALF (ZONE / 2)
#define CLAIM_IN 0 /* second half: holders */
#define CLAIM_OUT ZONE /* likewise */
#define MARK (2 * ZONE) /* either */
#define ARRIVAL (3 * ZONE) /* read locks */
#define READER (ARRIVAL + HALF) /* a holder's read lock */

/* Claims without an end are in the order in which they were made. */
#define NO_END (HALF / 2)

/* The number of locks of the wrong form that find_byte passes over. */
#define MOST_IN_THE_WAY 64

static short
type_for(bool writing)
{
	return writing ? TYPE_OUT : F_RDLCK;
}

static int
lock(const struct lease *lease, short type, int64_t start, int64_t length)
{
	struct flock lock;

	memset(&lock, 0, sizeof lock);
	lock.l_type = type;
	lock.l_whence = SEEK_SET;
	lock.l_start = (off_t)(lease->base + start);
	lock.l_len = (off_t)length;
	return fcntl(lease->fd, SET_LOCK, &lock) == -1 ? -errno : 0;
}

/*
 * Whether another has a lock from START up to END that one of TYPE would have
 * to wait for: *FOUND is one of them, its start relative to the base.
 */
static bool
conflicts(const struct lease *lease, short type, int64_t start, int64_t end,
    struct flock *found)
{
	memset(found, 0, sizeof *found);
	found->l_type = type;
	found->l_whence = SEEK_SET;
	found->l_start = (off_t)(lease->base + start);
	found->l_len = (off_t)(end - start);
	if (start >= end || fcntl(lease->fd, GET_LOCK, found) == -1)
		return false;
	found->l_start -= (off_t)lease->base;
	return found->l_type != F_UNLCK;
}

/*
 * Whether another has locked, for TYPE, a byte from START up to END.  The
 * kernel returns any lock that conflicts with the other type; if that is one
 * that does not count, search on both sides of it, *BUDGET times in all.
 */
static bool
find_byte(const struct lease *lease, short type, int64_t start, int64_t end,
    int *budget)
{
	short other = type == F_RDLCK ? F_WRLCK : F_RDLCK;
	struct flock found;

	while ((*budget)-- > 0 && conflicts(lease, other, start, end, &found)) {
		if (found.l_type == type && found.l_len > 0 &&
		    found.l_len <= LONGEST)
			return true;
		if (find_byte(lease, type, start, found.l_start, budget))
			return true;
		if (found.l_len == 0) /* to the end */
			return false;
		start = (int64_t)found.l_start + found.l_len;
	}
	return false;
}

static bool
byte_locked(const struct lease *lease, bool writing, int64_t start, int64_t end)
{
	int budget = MOST_IN_THE_WAY;

	return find_byte(lease, type_for(writing), start, end, &budget);
}

static bool
claim_between(const struct lease *lease, bool writing, int64_t start,
    int64_t end)
{
	int64_t zone = writing ? CLAIM_OUT : CLAIM_IN;

	return byte_locked(lease, writing, zone + start, zone + end);
}

int
lease_renew(const struct lease *lease, bool writing, bool holder, int64_t claim)
{
	int64_t zone = writing ? CLAIM_OUT : CLAIM_IN;
	int64_t at = claim + (holder ? HALF : 0);
	int error = lock(lease, type_for(writing), zone + at, 1);

	if (error != 0)
		return error;
	if (at > 0)
		(void)lock(lease, F_UNLCK, zone, at);
	(void)lock(lease, F_UNLCK, zone + at + 1, ZONE - at - 1);
	return 0;
}

#ifdef LEASE_BY_DIRECTORY

/* The next that is free: others may have made theirs at the same time. */
static int64_t
free_claim(const struct lease *lease, bool writing, int64_t claim)
{
	while (claim < HALF - 1 &&
	    (claim_between(lease, writing, claim, claim + 1) ||
		claim_between(lease, writing, HALF + claim, HALF + claim + 1)))
		claim++;
	return claim;
}

#else

static int64_t
free_claim(const struct lease *lease, bool writing, int64_t claim)
{
	(void)lease;
	(void)writing;
	return claim;
}

#endif

int64_t
lease_set(const struct lease *lease, bool writing, bool holder, int64_t until,
    int64_t now)
{
	int64_t claim = until / UNIT;
	int error;

	if (until < 0 || claim >= NO_END)
		claim = NO_END + now / UNIT;
	claim = free_claim(lease, writing, claim);
	error = lease_renew(lease, writing, holder, claim);
	return error != 0 ? error : claim;
}

bool
lease_lost(const struct lease *lease, bool writing, int64_t claim)
{
	return claim >= 0 &&
	    (claim_between(lease, writing, claim + 1, HALF) ||
		claim_between(lease, writing, HALF + claim + 1, ZONE));
}

bool
lease_is_set(const struct lease *lease, bool writing)
{
	return claim_between(lease, writing, 0, ZONE);
}

bool
lease_has_waiter(const struct lease *lease)
{
	return claim_between(lease, false, 0, HALF);
}

bool
lease_only_holder_at(const struct lease *lease)
{
	return claim_between(lease, false, HALF, ZONE) &&
	    !lease_has_waiter(lease) &&
	    !byte_locked(lease, false, READER, READER + 1);
}

#ifdef LEASE_BY_DIRECTORY

/* The depth of links at which path_resolution(7) gives up. */
#define MOST_LINKS 40

/*
 * PATH, a buffer, names a link to TARGET: it gets the name that this stands for.
 */
static int
follow(char path[PATH_MAX], const char *target, size_t length)
{
	char *slash = strrchr(path, '/');
	size_t kept = target[0] == '/' || slash == NULL ?
	    0 :
	    (size_t)(slash - path) + 1;

	if (kept + length >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path + kept, target, length);
	path[kept + length] = '\0';
	return 0;
}

/* Put the name of the directory that has PATH, links followed, into BUFFER. */
static int
find_directory(char buffer[PATH_MAX], const char *path)
{
	char target[PATH_MAX], *slash;
	ssize_t n;

	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(buffer, path);
	for (int i = 0; i < MOST_LINKS; i++) {
		n = readlink(buffer, target, sizeof target);
		if (n == -1)
			break;
		if (follow(buffer, target, (size_t)n) != 0)
			return -ENAMETOOLONG;
	}
	slash = strrchr(buffer, '/');
	if (slash == NULL)
		strcpy(buffer, ".");
	else
		slash[slash == buffer] = '\0';
	return 0;
}

void
lease_open(struct lease *lease, const char *path)
{
	char directory[PATH_MAX];
	struct stat st;

	lease->fd = -1;
	if (stat(path, &st) == -1 || find_directory(directory, path) != 0)
		return;
	lease->fd = fdplace(
	    open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
	lease->base = (int64_t)(st.st_ino % FIFOS) * 4 * ZONE;
}

void
lease_use(struct lease *lease, int fd)
{
	(void)lease;
	(void)fd;
}

void
lease_close(struct lease *lease)
{
	if (lease->fd >= 0)
		(void)close(lease->fd);
}

void
lease_adopt(struct lease *lease, const char *path, bool writing, int64_t claim,
    int64_t time)
{
	lease_open(lease, path);
	if (claim >= 0)
		(void)lease_renew(lease, writing, true, claim);
	if (writing)
		lease_heartbeat(lease, true, 0);
	else
		lease_reader_arrive(lease, time);
}

bool
lease_is_inherited(void)
{
	return false;
}

bool
lease_only_holder(const struct lease *lease, const char *path)
{
	(void)path;
	return lease_only_holder_at(lease);
}

#else

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
lease_only_holder(const struct lease *lease, const char *path)
{
	bool holder = false, reader = false;
	char line[128];
	struct stat st;
	int64_t at;
	FILE *locks;

	(void)lease;
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
lease_only_holder(const struct lease *lease, const char *path)
{
	(void)lease;
	(void)path;
	return false;
}

#endif

void
lease_open(struct lease *lease, const char *path)
{
	(void)path;
	lease->base = 0;
}

void
lease_use(struct lease *lease, int fd)
{
	lease->fd = fd;
}

void
lease_close(struct lease *lease)
{
	(void)lease;
}

void
lease_adopt(struct lease *lease, const char *path, bool writing, int64_t claim,
    int64_t time)
{
	(void)lease;
	(void)path;
	(void)writing;
	(void)claim;
	(void)time;
}

bool
lease_is_inherited(void)
{
	return true;
}

#endif

void
lease_vouch(const struct lease *lease, bool reader)
{
	(void)lock(lease, reader ? F_RDLCK : F_UNLCK, READER, 1);
}

void
lease_reader_arrive(const struct lease *lease, int64_t time)
{
	(void)lock(lease, F_RDLCK, ARRIVAL + time / UNIT, 1);
}

bool
lease_reader_seen(const struct lease *lease, int64_t time)
{
	return byte_locked(lease, false, ARRIVAL + time / UNIT, READER);
}

void
lease_heartbeat(const struct lease *lease, bool writing, int64_t time)
{
	int64_t at = time == -1 ? ZONE - 1 : time / UNIT;

	if (time != -1 && lock(lease, type_for(writing), MARK + at, 1) != 0)
		return;
	if (at > 0) /* a length of 0 is to the end */
		(void)lock(lease, F_UNLCK, MARK, at);
}

bool
lease_heartbeat_seen(const struct lease *lease, int64_t time)
{
	struct flock found;

	return conflicts(lease, F_WRLCK, MARK, MARK + (time + UNIT - 1) / UNIT,
	    &found);
}

void
lease_release(const struct lease *lease)
{
	(void)lock(lease, F_UNLCK, 0, 4 * (ZONE - 1) + 3);
}
