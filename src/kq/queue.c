/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "filter_signal.h"
#include "member.h"
#include "queue.h"

/* A descriptor number of a queue; it may have been closed since. */
struct number {
	struct link link; /* in numbers, by descriptor number */
	struct queue *queue;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local volatile sig_atomic_t locked; /* held by this thread */
static _Thread_local int cancellation; /* state before that */
static struct table numbers;
static struct queue *queues;
static bool sweep_due; /* some queue may have lost its last number */

bool
queues_lock(void)
{
	int before;

	if (locked)
		return false;
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	/* set before the lock is taken: a signal handler must see it */
	locked = 1;
	(void)pthread_mutex_lock(&lock);
	cancellation = before;
	return true;
}

void
queues_unlock(void)
{
	int before = cancellation;

	(void)pthread_mutex_unlock(&lock);
	locked = 0;
	(void)pthread_setcancelstate(before, NULL);
}

struct queue *
queue_next(const struct queue *q)
{
	return q == NULL ? queues : q->next;
}

/*
 * Whether FD is the epoll instance of Q, that is, contains Q's eventfd.
 * Returns 1, 0, or -EBADF if FD is not an epoll instance.
 */
static int
is_queue(int fd, const struct queue *q)
{
	struct epoll_event event;

	memset(&event, 0, sizeof event);
	if (epoll_ctl(fd, EPOLL_CTL_ADD, q->sources[SOURCE_KICK], &event) ==
	    0) {
		/* another epoll instance */
		(void)epoll_ctl(fd, EPOLL_CTL_DEL, q->sources[SOURCE_KICK],
		    &event);
		return 0;
	}
	return errno == EEXIST		      ? 1 :
	    errno == EBADF || errno == EINVAL ? -EBADF :
						0;
}

static struct number *
number_find(int fd)
{
	return (struct number *)table_find(&numbers, (uint64_t)fd);
}

static void
number_forget(struct number *n)
{
	table_remove(&numbers, &n->link);
	free(n);
}

static int
number_add(int fd, struct queue *q)
{
	struct number *n = number_find(fd);

	if (n == NULL) {
		if ((n = malloc(sizeof *n)) == NULL)
			return -ENOMEM;
		if (table_insert(&numbers, &n->link, (uint64_t)fd) != 0) {
			free(n);
			return -ENOMEM;
		}
	}
	n->queue = q;
	return 0;
}

/* ---- closing ---- */

static void
drop_knote(struct link *l, void *argument)
{
	(void)argument;
	knote_drop(knote_of(l));
}

static void
queue_free(struct queue *q)
{
	table_free(&q->knotes);
	table_free(&q->inodes);
	knote_free_cells(q);
	free(q->timers.list);
	free(q->clocks.list);
	free(q);
}

/*
 * Wake the threads that wait in Q, which keep the epoll instance open.  Its
 * eventfd stays readable until the last of them has woken.
 */
static void
wake_all(const struct queue *q)
{
	const uint64_t one = 1;

	if (q->waiters > 0)
		(void)!write(q->sources[SOURCE_KICK], &one, sizeof one);
}

/*
 * Release the resources of Q; the last thread that waits in it frees it.  The
 * descriptors are closed first: in a child of fork(2), deleting entries would
 * delete them from the epoll instances that it shares with its parent.
 */
static void
queue_close(struct queue *q)
{
	struct queue **at = &queues;

	q->fd = -1;
	wake_all(q);
	for (int i = 0; i < SOURCES; i++) {
		if (i == SOURCE_KICK && q->waiters > 0)
			continue;
		private_close(q->sources[i]);
		q->sources[i] = -1;
	}
	table_each(&q->knotes, drop_knote, NULL);
	while (q->first != NULL)
		knote_drop(q->first);
	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	q->closed = true;
	if (q->waiters == 0)
		queue_free(q);
}

struct search {
	const struct queue *queue;
	struct number *number;
};

static void
forget_if_dead(struct link *l, void *argument)
{
	struct search *s = argument;
	struct number *n = (struct number *)l;

	if (n->queue != s->queue)
		return;
	if (is_queue((int)l->key, s->queue) != 1)
		number_forget(n);
	else
		s->number = n;
}

/*
 * Find a number of Q that the library has not seen, made by dup(2).  Returns -1
 * if there is none, or -errno if /proc cannot be read.
 */
static int
find_in_proc(const struct queue *q)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int fd, found = -1;

	if (directory == NULL)
		return errno == ENOENT ? -1 : -errno;
	/* no other thread uses the stream */
	/* cppcheck-suppress readdirCalled */
	while (found == -1 && (entry = readdir(directory)) != NULL) {
		fd = atoi(entry->d_name);
		if (entry->d_name[0] != '.' && is_queue(fd, q) == 1)
			found = fd;
	}
	(void)closedir(directory);
	return found;
}

/* Whether Q still has an open number; true if that cannot be known. */
static bool
queue_is_alive(struct queue *q)
{
	struct search s = { q, NULL };
	int fd;

	if (q->fd != -1 && is_queue(q->fd, q) == 1)
		return true;
	table_each(&numbers, forget_if_dead, &s);
	fd = s.number != NULL ? (int)s.number->link.key : find_in_proc(q);
	if (fd < 0)
		return fd != -1;
	q->fd = fd;
	if (s.number == NULL)
		(void)number_add(fd, q);
	return true;
}

void
queues_sweep(void)
{
	struct queue *q, *next;

	sweep_due = false;
	for (q = queues; q != NULL; q = next) {
		next = q->next;
		if (!queue_is_alive(q))
			queue_close(q);
	}
	if (queues == NULL)
		table_free(&numbers);
}

/* ---- fork ---- */

static void
close_number(struct link *l, void *argument)
{
	(void)argument;
	/* the program may have closed and reused the number */
	if (is_queue((int)l->key, ((struct number *)l)->queue) == 1)
		(void)close((int)l->key);
	number_forget((struct number *)l);
}

static bool fork_locked; /* before_fork took the lock */

/* A signal handler may fork while its thread holds the lock already. */
static void
before_fork(void)
{
	fork_locked = queues_lock();
}

static void
after_fork(void)
{
	if (!fork_locked)
		return;
	fork_locked = false;
	queues_unlock();
}

/*
 * A child does not inherit queues (kqueue(2)), nor the counting of signals.  If
 * a signal handler forked while its thread held the lock, the data may be
 * inconsistent and is abandoned.
 */
static void
in_child(void)
{
	struct queue *q;

	if (!fork_locked) {
		memset(&numbers, 0, sizeof numbers);
		queues = NULL;
		return;
	}
	table_each(&numbers, close_number, NULL);
	while ((q = queues) != NULL) {
		q->waiters = 0; /* the child has only this thread */
		queue_close(q);
	}
	signal_after_fork();
	after_fork();
}

/* ---- creation ---- */

static void
install_fork_handlers(void)
{
	(void)pthread_atfork(before_fork, after_fork, in_child);
}

static struct queue *
queue_new(int fd)
{
	struct queue *q = calloc(1, sizeof *q);
	int error;

	if (q == NULL)
		return NULL;
	for (int i = 0; i < SOURCES; i++)
		q->sources[i] = -1;
	q->fd = fd;
	error = source_add(q, SOURCE_KICK,
	    eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), false);
	/* a BSD needs no descriptor to add a knote, so create this one now */
	if (error == 0)
		error = source_add(q, SOURCE_FIRST,
		    epoll_create1(EPOLL_CLOEXEC), false);
	if (error == 0)
		error = number_add(fd, q);
	q->next = queues;
	queues = q;
	if (error == 0)
		return q;
	queue_close(q);
	errno = -error;
	return NULL;
}

int
queue_open(int flags)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int fd, error;

	(void)pthread_once(&once, install_fork_handlers);
	queues_sweep();
	fd = epoll_create1((flags & O_CLOEXEC) != 0 ? EPOLL_CLOEXEC : 0);
	if (fd == -1)
		return -errno;
	if (queue_new(fd) == NULL) {
		error = errno;
		(void)close(fd);
		return -error;
	}
	return fd;
}

/* ---- numbers ---- */

/* Find the queue of FD, an unknown number: it may come from dup(2). */
static struct queue *
find_unknown(int fd)
{
	struct queue *q;
	int is;

	for (q = queues; q != NULL; q = q->next) {
		is = is_queue(fd, q);
		if (is == -EBADF)
			return NULL;
		if (is == 1)
			return number_add(fd, q) == 0 ? q : NULL;
	}
	return NULL;
}

struct queue *
queue_at(int fd)
{
	struct number *n = fd < 0 ? NULL : number_find(fd);
	struct queue *q;

	if (n != NULL && is_queue(fd, n->queue) == 1) {
		n->queue->fd = fd;
		return n->queue;
	}
	if (n != NULL)
		number_forget(n);
	q = fd < 0 ? NULL : find_unknown(fd);
	if (q != NULL)
		q->fd = fd;
	/* the number of a queue was closed, perhaps one never used here */
	sweep_due |= n != NULL || q == NULL;
	return q;
}

struct queue *
queue_find(int fd)
{
	struct queue *q = queue_at(fd);

	if (!sweep_due)
		return q;
	queues_sweep();
	/* another thread may have closed FD just now */
	return queue_at(fd);
}

bool
queue_is_at(const struct queue *q, int fd)
{
	return is_queue(fd, q) == 1;
}

bool
queue_is_known(int fd)
{
	return number_find(fd) != NULL;
}

void
queue_enter(struct queue *q)
{
	q->waiters++;
}

bool
queue_leave(struct queue *q)
{
	q->waiters--;
	if (!q->closed)
		return true;
	if (q->waiters == 0) {
		private_close(q->sources[SOURCE_KICK]);
		queue_free(q);
	}
	return false;
}
