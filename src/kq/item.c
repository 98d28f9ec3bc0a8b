#include "knote.h"

#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "item.h"
#include "queue.h"

/* So low that the table of descriptors does not grow much for it. */
#define PRIVATE_LOWEST	64

/* Bytes, on most machines. */
#define CACHE_LINE	64

/* Of so many reports one is looked at more closely, or all if there are few. */
#define SAMPLE		32

int
private_descriptor(int fd)
{
	int higher;

	if (fd == -1)
		return -errno;
	higher = fcntl(fd, F_DUPFD_CLOEXEC, PRIVATE_LOWEST);
	if (higher == -1)		/* a low limit: it stays */
		return fd;
	(void)close(fd);
	return higher;
}

static int
control(int epoll, int operation, int fd, uint32_t events, uint64_t tag)
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
	error = control(q->fd, EPOLL_CTL_ADD, fd,
	    EPOLLIN | (edge ? EPOLLET : 0), source);
	if (error != 0) {
		(void)close(fd);
		return error;
	}
	q->sources[source] = fd;
	return 0;
}

static int
slot_take(struct knote *k)
{
	struct queue *q = k->queue;
	uint32_t wanted = q->slot_capacity * 2 + 16;
	struct slot *slots;

	if (q->free_slot != 0) {
		k->item.slot = q->free_slot - 1;
		q->free_slot = q->slots[k->item.slot].next;
		q->slots[k->item.slot].knote = k;
		return 0;
	}
	if (q->slot_count == q->slot_capacity) {
		slots = realloc(q->slots, wanted * sizeof *slots);
		if (slots == NULL)
			return -ENOMEM;
		q->slots = slots;
		q->slot_capacity = wanted;
	}
	k->item.slot = q->slot_count++;
	q->slots[k->item.slot].knote = k;
	q->slots[k->item.slot].generation = 1;
	return 0;
}

static void
slot_give(struct knote *k)
{
	struct queue *q = k->queue;
	struct slot *s = &q->slots[k->item.slot];

	s->knote = NULL;
	if (++s->generation == 0)
		s->generation = 1;
	s->next = q->free_slot;
	q->free_slot = k->item.slot + 1;
	k->item.place = ITEM_NOWHERE;
}

static uint64_t
tag(const struct knote *k)
{
	return (uint64_t)k->queue->slots[k->item.slot].generation << 32 |
	    k->item.slot;
}

static int
instance(const struct knote *k)
{
	return k->item.place == ITEM_SECOND ? k->queue->sources[SOURCE_SECOND] :
	    k->queue->fd;
}

static int
add_or_modify(int epoll, int fd, uint32_t events, uint64_t tag)
{
	int error = control(epoll, EPOLL_CTL_ADD, fd, events, tag);

	/* of a knote that is no more: the same file at the same number */
	if (error == -EEXIST)
		error = control(epoll, EPOLL_CTL_MOD, fd, events, tag);
	return error;
}

/* Whether the queue's other filter on the same number is in the main one. */
static bool
main_is_taken(const struct knote *k)
{
	const struct knote *other = NULL;

	if (k->event.filter == EVFILT_READ)
		other = knote_find(k->queue, EVFILT_WRITE, k->event.ident);
	else if (k->event.filter == EVFILT_WRITE)
		other = knote_find(k->queue, EVFILT_READ, k->event.ident);
	return other != NULL && other->item.place == ITEM_MAIN;
}

static int
add_to_second(struct knote *k, int fd, uint32_t events)
{
	struct queue *q = k->queue;
	int error;

	if (q->sources[SOURCE_SECOND] == -1) {
		error = source_add(q, SOURCE_SECOND,
		    epoll_create1(EPOLL_CLOEXEC), false);
		if (error != 0)
			return error;
	}
	k->item.place = ITEM_SECOND;
	return add_or_modify(instance(k), fd, events, tag(k));
}

static int
add(struct knote *k, int fd, uint32_t events)
{
	int error = slot_take(k);

	if (error != 0)
		return error;
	k->item.place = ITEM_MAIN;
	error = control(instance(k), EPOLL_CTL_ADD, fd, events, tag(k));
	if (error == -EEXIST)
		error = main_is_taken(k) ? add_to_second(k, fd, events) :
		    add_or_modify(instance(k), fd, events, tag(k));
	if (error != 0)
		slot_give(k);
	return error;
}

int
item_arm(struct knote *k, int fd, uint32_t events, bool edge)
{
	k->item.edge = edge;
	if (edge)
		events |= EPOLLET;
	if (k->item.place == ITEM_NOWHERE)
		return add(k, fd, events);
	return control(instance(k), EPOLL_CTL_MOD, fd, events, tag(k));
}

int
item_disarm(struct knote *k, int fd)
{
	int error;

	if (k->item.place == ITEM_NOWHERE)
		return 0;
	error = control(instance(k), EPOLL_CTL_DEL, fd, 0, 0);
	slot_give(k);
	return error;
}

bool
item_same(const struct knote *k, int fd)
{
	int error;

	if (k->item.place == ITEM_NOWHERE)
		return true;
	/* what is there is refused, without any effect */
	error = control(instance(k), EPOLL_CTL_ADD, fd, 0, 0);
	if (error == 0)
		(void)control(instance(k), EPOLL_CTL_DEL, fd, 0, 0);
	return error == -EEXIST;
}

bool
item_is_told(const struct knote *k)
{
	return k->item.place != ITEM_NOWHERE &&
	    k->item.turn == k->queue->turn;
}

/* What poll(2) says, in the bits of epoll(7), which differ on some machines. */
static uint32_t
poll_events(struct pollfd *p)
{
	uint32_t events = 0;

	if (poll(p, 1, 0) == -1)
		return 0;
	events |= (p->revents & POLLIN) != 0 ? EPOLLIN : 0;
	events |= (p->revents & POLLOUT) != 0 ? EPOLLOUT : 0;
	events |= (p->revents & POLLERR) != 0 ? EPOLLERR : 0;
	events |= (p->revents & POLLHUP) != 0 ? EPOLLHUP : 0;
	events |= (p->revents & POLLRDHUP) != 0 ? EPOLLRDHUP : 0;
	return (p->revents & POLLNVAL) != 0 ? ITEM_GONE : events;
}

/*
 * epoll's word is for the file that was registered.  Whether the number still
 * means it costs a system call as dear as the report itself, so in a busy queue
 * it is asked now and then; whoever reads sees EBADF or the truth.
 */
uint32_t
item_events(struct knote *k, int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };
	bool told = item_is_told(k);

	if ((!told || k->queue->few || ++k->queue->reports % SAMPLE == 0) &&
	    !item_same(k, fd))
		return ITEM_GONE;
	if (told)
		return k->item.revents;
	return poll_events(&p);
}

void
item_fetch(const struct queue *q, const struct epoll_event *event)
{
	uint32_t at = (uint32_t)event->data.u64;

	if (at >= q->slot_count)
		return;
	for (size_t i = 0; i < sizeof *q->slots[at].knote; i += CACHE_LINE)
		__builtin_prefetch((const char *)q->slots[at].knote + i);
}

struct knote *
item_told(struct queue *q, const struct epoll_event *event, bool second)
{
	uint32_t at = (uint32_t)event->data.u64;
	uint32_t generation = (uint32_t)(event->data.u64 >> 32);
	struct knote *k;

	if (at >= q->slot_count || q->slots[at].knote == NULL ||
	    q->slots[at].generation != generation) {
		if (second)
			q->stale_second = true;
		else
			q->stale_main = true;
		return NULL;
	}
	k = q->slots[at].knote;
	k->item.revents = event->events;
	k->item.turn = q->turn;
	return k;
}

/* The items at PLACE once more, for NEW, an empty epoll instance. */
static void
copy_items(struct queue *q, uint8_t place)
{
	struct knote *k;

	for (uint32_t i = 0; i < q->slot_count; i++) {
		k = q->slots[i].knote;
		if (k == NULL || k->item.place != place)
			continue;
		slot_give(k);
		if (k->filter->arm(k) != 0)
			knote_drop(k);
	}
}

static void
renew_second(struct queue *q)
{
	(void)close(q->sources[SOURCE_SECOND]);
	q->sources[SOURCE_SECOND] = -1;
	copy_items(q, ITEM_SECOND);
}

static void
renew_main(struct queue *q)
{
	int new = epoll_create1(EPOLL_CLOEXEC);
	uint64_t one = 1;

	if (new == -1)
		return;			/* the next turn tries again */
	/* who waits in the old one has to come out of it */
	(void)!write(q->sources[SOURCE_KICK], &one, sizeof one);
	q->kicked = true;
	for (int i = 0; i < SOURCES; i++)
		if (q->sources[i] != -1)
			(void)control(new, EPOLL_CTL_ADD, q->sources[i],
			    EPOLLIN | (i == SOURCE_POSTS || i == SOURCE_PENDING
			    ? EPOLLET : 0), (uint64_t)i);
	queue_replace(q, new);
	copy_items(q, ITEM_MAIN);
}

void
items_renew(struct queue *q)
{
	if (q->stale_second)
		renew_second(q);
	if (q->stale_main)
		renew_main(q);
	q->stale_second = q->stale_main = false;
}
