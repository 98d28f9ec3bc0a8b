/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "member.h"

/* Low, so that the process's descriptor table stays small. */
#define PRIVATE_LOWEST 64

int
private_descriptor(int fd)
{
	int higher;

	if (fd == -1)
		return -errno;
	higher = fcntl(fd, F_DUPFD_CLOEXEC, PRIVATE_LOWEST);
	if (higher == -1) /* above RLIMIT_NOFILE: keep the number */
		return fd;
	(void)close(fd);
	return higher;
}

/* An anonymous inode has no type (fs/anon_inodes.c). */
bool
private_is(int fd)
{
	socklen_t length = sizeof(int);
	struct stat st;
	int domain;

	if (fd == -1 || fstat(fd, &st) == -1)
		return false;
	if (!S_ISSOCK(st.st_mode))
		return (st.st_mode & S_IFMT) == 0;
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
	    domain == AF_NETLINK;
}

void
private_close(int fd)
{
	if (private_is(fd))
		(void)close(fd);
}

static int
member_control(int epoll, int operation, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event event;

	memset(&event, 0, sizeof event);
	event.events = events;
	event.data.u64 = tag;
	return epoll_ctl(epoll, operation, fd, &event) == -1 ? -errno : 0;
}

int
source_add(struct queue *q, enum source source, int fd, bool edge)
{
	int error;

	fd = private_descriptor(fd);
	if (fd < 0)
		return fd;
	error = member_control(q->fd, EPOLL_CTL_ADD, fd,
	    EPOLLIN | (edge ? EPOLLET : 0), source);
	if (error != 0) {
		(void)close(fd);
		return error;
	}
	q->sources[source] = fd;
	return 0;
}

/* Check the invariants of a member. */
static void
member_check(const struct knote *k)
{
	const struct queue *q = k->queue;
	const struct member *m = &k->member;

	assert((k->cell < q->cells && knote_at(q, k->cell) == k) &&
	    "a knote is in its cell");
	assert(
	    m->generation != 0 && "generation 0 is reserved for the sources");
	(void)q;
	(void)m;
}

/* The member has been deleted, or its entry can no longer be. */
static void
member_end(struct knote *k)
{
	member_check(k);
	if (++k->member.generation == 0)
		k->member.generation = 1;
	k->member.place = MEMBER_NOWHERE;
}

static uint64_t
tag(const struct knote *k)
{
	return (uint64_t)k->member.generation << 32 | k->cell;
}

static enum source
source_of(const struct knote *k)
{
	return k->member.place == MEMBER_SECOND ? SOURCE_SECOND : SOURCE_FIRST;
}

static int
instance(const struct knote *k)
{
	return k->member.place == MEMBER_MAIN ? k->queue->fd :
						k->queue->sources[source_of(k)];
}

static uint32_t
mode(const struct knote *k)
{
	if (k->member.edge)
		return EPOLLET;
	return k->member.place == MEMBER_MAIN ? EPOLLONESHOT : 0;
}

/* Register FD at PLACE, and create the instance there if it is missing. */
static int
member_add_at(struct knote *k, uint8_t place, int fd, uint32_t events)
{
	struct queue *q = k->queue;
	int error;

	k->member.place = place;
	if (instance(k) == -1) {
		error = source_add(q, source_of(k),
		    epoll_create1(EPOLL_CLOEXEC), false);
		if (error != 0)
			return error;
	}
	return member_control(instance(k), EPOLL_CTL_ADD, fd, events | mode(k),
	    tag(k));
}

/* Whether the other filter on the same number has its member at K's place. */
static bool
is_taken(const struct knote *k)
{
	const struct knote *other = NULL;

	if (k->event.filter == EVFILT_READ)
		other = knote_find(k->queue, EVFILT_WRITE, k->event.ident);
	else if (k->event.filter == EVFILT_WRITE)
		other = knote_find(k->queue, EVFILT_READ, k->event.ident);
	return other != NULL && other->member.place == k->member.place;
}

/*
 * An inner instance accepts at most 500 entries of one file (fs/eventpoll.c,
 * path_limits).  More copies of a descriptor go into the queue's own instance,
 * and so does a queue that was not recognized as one.
 */
static int
member_add(struct knote *k, int fd, uint32_t events)
{
	struct queue *q = k->queue;
	bool main = k->member.nested || q->crowded;
	int error;

	assert(k->member.place == MEMBER_NOWHERE && "a knote has one member");
	error = member_add_at(k, main ? MEMBER_MAIN : MEMBER_FIRST, fd, events);
	if (error == -EEXIST && is_taken(k)) {
		error = member_add_at(k, MEMBER_SECOND, fd, events);
		/* the main instance may have room, but not for both */
		error = error == -EINVAL ? -ENOSPC : error;
	}
	if ((error == -EINVAL || error == -ELOOP) && !main) {
		error = member_add_at(k, MEMBER_MAIN, fd, events);
		/* a refusal is slow: do not try again */
		q->crowded = error == 0;
	}
	/* left by a dropped knote: the same file at the same number */
	if (error == -EEXIST)
		error = is_taken(k) ? -ENOSPC :
				      member_control(instance(k), EPOLL_CTL_MOD,
					  fd, events | mode(k), tag(k));
	if (error != 0)
		member_end(k);
	return error;
}

int
member_arm(struct knote *k, int fd, uint32_t events, bool edge)
{
	k->member.edge = edge;
	if (k->member.place == MEMBER_NOWHERE)
		return member_add(k, fd, events);
	member_check(k);
	return member_control(instance(k), EPOLL_CTL_MOD, fd, events | mode(k),
	    tag(k));
}

void
member_mute(struct knote *k, int fd)
{
	if (k->member.place != MEMBER_NOWHERE)
		(void)member_control(instance(k), EPOLL_CTL_MOD, fd,
		    EPOLLET | EPOLLONESHOT, tag(k));
}

int
member_disarm(struct knote *k, int fd)
{
	int error;

	if (k->member.place == MEMBER_NOWHERE)
		return 0;
	error = member_control(instance(k), EPOLL_CTL_DEL, fd, 0, 0);
	if (error != 0)
		k->queue->orphans++;
	member_end(k);
	return error;
}

int
member_same(const struct knote *k, int fd)
{
	int error;

	if (k->member.place == MEMBER_NOWHERE)
		return 0;
	/* adding an existing entry fails without side effects */
	error = member_control(instance(k), EPOLL_CTL_ADD, fd, 0, 0);
	switch (error) {
	case -EEXIST:
		return 0;
	case 0:
		(void)member_control(instance(k), EPOLL_CTL_DEL, fd, 0, 0);
		return -ENOENT;
	case -EPERM:
	case -EINVAL:
	case -ELOOP:
		/* epoll refuses the file, so it was not registered */
		return -ENOENT;
	default:
		return error;
	}
}

int
poll_now(int fd, short events, short *revents)
{
	struct pollfd p = { fd, events, 0 };
	int n;

	do
		n = poll(&p, 1, 0);
	while (n == -1 && errno == EINTR);
	*revents = p.revents;
	return n == -1 ? -errno : 0;
}

/*
 * Call poll(2), and convert its bits to those of epoll(7), which differ on some
 * machines.
 */
static int
poll_events(int fd, uint32_t *events)
{
	short r;
	int error = poll_now(fd, POLLIN | POLLOUT | POLLRDHUP, &r);

	if (error != 0)
		return error;
	*events = ((r & POLLIN) != 0 ? EPOLLIN : 0) |
	    ((r & POLLOUT) != 0 ? EPOLLOUT : 0) |
	    ((r & POLLERR) != 0 ? EPOLLERR : 0) |
	    ((r & POLLHUP) != 0 ? EPOLLHUP : 0) |
	    ((r & POLLRDHUP) != 0 ? EPOLLRDHUP : 0);
	return (r & POLLNVAL) != 0 ? -EBADF : 0;
}

int
member_events_now(const struct knote *k, int fd, uint32_t *events)
{
	int error = member_same(k, fd);

	if (error != 0)
		return error;
	if (!member_was_reported(k))
		return poll_events(fd, events);
	*events = k->member.revents;
	return 0;
}

void
member_prefetch(const struct queue *q, const struct epoll_event *event)
{
	uint32_t at = (uint32_t)event->data.u64;

	if (at >= q->cells)
		return;
	for (size_t i = 0; i < offsetof(struct knote, next); i += CACHE_LINE)
		__builtin_prefetch((const char *)knote_at(q, at) + i);
}

static void
mark_stale(struct queue *q, enum source source)
{
	if (source == SOURCE_SECOND)
		q->stale_second = true;
	else
		q->stale_first = true;
}

/* The knote whose member reported EVENT, or NULL if it has been dropped. */
static struct knote *
member_find(struct queue *q, const struct epoll_event *event)
{
	uint32_t at = (uint32_t)event->data.u64;
	uint32_t generation = (uint32_t)(event->data.u64 >> 32);
	struct knote *k;

	if (at >= q->cells)
		return NULL;
	k = knote_at(q, at);
	if (k->member.generation != generation)
		return NULL;
	member_check(k);
	k->member.revents = (uint16_t)event->events;
	k->member.turn = q->turn;
	return k;
}

struct knote *
member_on_event(struct queue *q, const struct epoll_event *event,
    enum source source)
{
	struct knote *k = member_find(q, event);

	assert(
	    (k == NULL ||
		(k->member.place != MEMBER_MAIN && source_of(k) == source)) &&
	    "only the instance that contains a member reports it");
	/* without orphans, another thread has just dropped the knote */
	if (k == NULL && q->orphans > 0)
		mark_stale(q, source);
	return k;
}

struct knote *
member_on_main_event(struct queue *q, const struct epoll_event *event)
{
	struct knote *k = member_find(q, event);

	assert((k == NULL || k->member.place == MEMBER_MAIN) &&
	    "only the instance that contains a member reports it");
	return k;
}

void
member_orphan(struct knote *k)
{
	if (member_was_reported(k) && k->member.place != MEMBER_MAIN)
		mark_stale(k->queue, source_of(k));
}

/* The knote of cell I if its member is at PLACE, or NULL. */
static struct knote *
knote_if_at(const struct queue *q, uint32_t i, uint8_t place)
{
	struct knote *k = knote_at(q, i);

	return k->member.place == place ? k : NULL;
}

/*
 * Rebuild instance SOURCE from the members at PLACE whose file is still the
 * same.  The old instance is closed first, so that a number is free for the new
 * one.
 */
static void
rebuild_instance(struct queue *q, enum source source, uint8_t place)
{
	struct knote *k;
	int error;

	for (uint32_t i = 0; i < q->cells; i++)
		if ((k = knote_if_at(q, i, place)) != NULL &&
		    k->filter->same != NULL &&
		    (error = k->filter->same(k)) != 0)
			knote_end(k, error);
	private_close(q->sources[source]);
	q->sources[source] = -1;
	for (uint32_t i = 0; i < q->cells; i++) {
		if ((k = knote_if_at(q, i, place)) == NULL)
			continue;
		member_end(k);
		if ((error = k->filter->arm(k)) != 0)
			knote_end(k, error);
		else if ((k->status & KNOTE_DISABLED) != 0)
			k->filter->disarm(k);
	}
}

void
member_rebuild_instances(struct queue *q)
{
	if (q->stale_second)
		rebuild_instance(q, SOURCE_SECOND, MEMBER_SECOND);
	if (q->stale_first)
		rebuild_instance(q, SOURCE_FIRST, MEMBER_FIRST);
	q->stale_first = q->stale_second = q->crowded = false;
	q->orphans = 0;
}
