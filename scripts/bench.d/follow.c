/* SPDX-License-Identifier: ISC */
/*
 * follow [-r] epoll|poll|select FILE: report, line by line and without end,
 * which of the descriptors whose numbers stand in FILE become ready: what a
 * program in C costs that does the work of pmux --follow, for scripts/bench.
 *
 * epoll is edge-triggered.  poll and select have no edges: a descriptor that
 * was reported is taken out of the set, looked at after 1 ms, 2 ms, ... 100 ms,
 * reported again if the number of its unread bytes is another, and put back
 * once it is no longer ready.  With -r the loop reads a byte from
 * what is ready instead, and needs none of that.
 */
#define _GNU_SOURCE

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MSEC 1000000LL
#define EVENTS 1024

struct member {
	int fd;
	int step; /* ms until the next sample, 0: is in the set */
	long long due;
	int ready; /* at that time */
	int unread; /* bytes, when it was reported */
};

static struct member *members;
static struct pollfd *set; /* of the members, by the same index */
static struct pollfd *due; /* those of them to sample */
static fd_set wanted;
static int nmembers, top, with_select, reading;
static int *out, nout; /* the members that are out of the set */

static long long
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * MSEC + ts.tv_nsec;
}

static void
read_numbers(const char *path)
{
	FILE *f;
	int fd, room = 0;

	if ((f = fopen(path, "r")) == NULL)
		err(3, "%s", path);
	while (fscanf(f, "%d", &fd) == 1) {
		if (nmembers == room) {
			room = room == 0 ? 64 : room * 2;
			members = realloc(members,
			    (size_t)room * sizeof(*members));
			if (members == NULL)
				err(3, NULL);
		}
		members[nmembers].step = 0;
		members[nmembers++].fd = fd;
		if (fd > top)
			top = fd;
	}
	fclose(f);
}

static void
report(int i, int readable)
{
	char byte;

	printf("%s\t%d\n", readable ? "in" : "hup", members[i].fd);
	if (reading && read(members[i].fd, &byte, 1) == -1)
		err(3, "read");
}

/* Whether that many bytes are unread that were not, or the other way. */
static int
changed(struct member *m)
{
	int before = m->unread;

	if (ioctl(m->fd, FIONREAD, &m->unread) == -1)
		err(3, "FIONREAD");
	return m->unread != before;
}

static void
follow_epoll(void)
{
	struct epoll_event ev, got[EVENTS];
	int ep, i, n;

	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(3, "epoll_create1");
	for (i = 0; i < nmembers; i++) {
		ev.events = EPOLLIN | EPOLLET;
		ev.data.u64 = (uint64_t)i;
		if (epoll_ctl(ep, EPOLL_CTL_ADD, members[i].fd, &ev) == -1)
			err(3, "epoll_ctl: %d", members[i].fd);
	}
	for (;;) {
		if ((n = epoll_wait(ep, got, EVENTS, -1)) == -1)
			err(3, "epoll_wait");
		for (i = 0; i < n; i++)
			report((int)got[i].data.u64,
			    (got[i].events & EPOLLIN) != 0);
		fflush(stdout);
	}
}

static void
put(int i)
{
	members[i].step = 0;
	if (with_select)
		FD_SET(members[i].fd, &wanted);
	else
		set[i].fd = members[i].fd;
}

static void
take(int i, long long time)
{
	if (with_select)
		FD_CLR(members[i].fd, &wanted);
	else
		set[i].fd = -1;
	(void)changed(&members[i]);
	members[i].step = 1;
	members[i].due = time + MSEC;
	out[nout++] = i;
}

/* The time of the next sample, as poll and select want it. */
static struct timespec *
until(struct timespec *ts)
{
	long long first = -1, left;
	int i;

	for (i = 0; i < nout; i++)
		if (first == -1 || members[out[i]].due < first)
			first = members[out[i]].due;
	if (first == -1)
		return NULL;
	if ((left = first - now()) < 0)
		left = 0;
	ts->tv_sec = (time_t)(left / (1000 * MSEC));
	ts->tv_nsec = (long)(left % (1000 * MSEC));
	return ts;
}

/* One wait for those in the set. */
static void
wait_once(const struct timespec *timeout)
{
	fd_set ready = wanted;
	long long time;
	int i, n, is;

	n = with_select ? pselect(top + 1, &ready, NULL, NULL, timeout, NULL) :
			  ppoll(set, (nfds_t)nmembers, timeout, NULL);
	if (n == -1)
		err(3, with_select ? "pselect" : "ppoll");
	if (n == 0)
		return;
	time = now();
	for (i = 0; i < nmembers && n > 0; i++) {
		is = with_select ?
		    members[i].step == 0 && FD_ISSET(members[i].fd, &ready) :
		    set[i].revents != 0;
		if (!is)
			continue;
		n--;
		report(i, with_select || (set[i].revents & POLLIN) != 0);
		if (!reading)
			take(i, time);
	}
	fflush(stdout);
}

/* Ask with one call which of those whose time has come are still ready. */
static void
ask_due(long long time)
{
	static const struct timespec none;
	struct member *m;
	fd_set ready;
	int i, n = 0;

	FD_ZERO(&ready);
	for (i = 0; i < nout; i++) {
		m = &members[out[i]];
		if (m->due > time)
			continue;
		if (with_select)
			FD_SET(m->fd, &ready);
		else
			due[n].fd = m->fd;
		n++;
	}
	if (n > 0 &&
	    (with_select ? pselect(top + 1, &ready, NULL, NULL, &none, NULL) :
			   ppoll(due, (nfds_t)n, &none, NULL)) == -1)
		err(3, "sample");
	for (i = n = 0; i < nout; i++) {
		m = &members[out[i]];
		if (m->due <= time)
			m->ready = with_select ? FD_ISSET(m->fd, &ready) :
						 due[n++].revents != 0;
	}
}

static void
sample(void)
{
	long long time = now();
	struct member *m;
	int i, kept = 0;

	ask_due(time);
	for (i = 0; i < nout; i++) {
		m = &members[out[i]];
		if (m->due <= time) {
			if (!m->ready) {
				put(out[i]);
				continue;
			}
			if (changed(m))
				report(out[i], 1);
			m->step = m->step < 64 ? m->step * 2 : 100;
			m->due = time + m->step * MSEC;
		}
		out[kept++] = out[i];
	}
	nout = kept;
	fflush(stdout);
}

static void
follow_set(void)
{
	struct timespec ts;
	int i;

	set = calloc((size_t)nmembers, sizeof(*set));
	due = calloc((size_t)nmembers, sizeof(*due));
	out = calloc((size_t)nmembers, sizeof(*out));
	if (set == NULL || due == NULL || out == NULL)
		err(3, NULL);
	if (with_select && top >= FD_SETSIZE)
		errx(3, "select: %d is too large", top);
	FD_ZERO(&wanted);
	for (i = 0; i < nmembers; i++) {
		set[i].events = due[i].events = POLLIN;
		put(i);
	}
	for (;;) {
		wait_once(until(&ts));
		if (nout != 0)
			sample();
	}
}

int
main(int argc, char *argv[])
{
	int ch;

	while ((ch = getopt(argc, argv, "r")) != -1) {
		if (ch != 'r')
			return 2;
		reading = 1;
	}
	if (argc - optind != 2)
		errx(2, "usage: follow [-r] epoll|poll|select FILE");
	read_numbers(argv[optind + 1]);
	with_select = strcmp(argv[optind], "select") == 0;
	if (strcmp(argv[optind], "epoll") == 0)
		follow_epoll();
	else
		follow_set();
	return 0;
}
