/* SPDX-License-Identifier: ISC */
/*
 * lines FILE: copy lines from the pipes whose numbers stand in FILE to standard
 * output, each whole and behind the number and a tab, until all are at their
 * end: what a program in C costs that does the work of pmux --lines, for
 * scripts/bench.  It reads much at once and writes much at once; what it holds
 * of a source is an unfinished line.
 */
#include <sys/epoll.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS 64

struct source {
	int fd;
	char name[16];
	size_t name_len;
	char *held; /* the beginning of a line */
	size_t held_len, room;
};

static struct source *sources;
static int nsources;
static char in[65536], outbuf[65536];
static size_t outlen;

static void
read_numbers(const char *path)
{
	struct source *s;
	FILE *f;
	int fd, room = 0;

	if ((f = fopen(path, "r")) == NULL)
		err(3, "%s", path);
	while (fscanf(f, "%d", &fd) == 1) {
		if (nsources == room) {
			room = room == 0 ? 64 : room * 2;
			sources = realloc(sources,
			    (size_t)room * sizeof(*sources));
			if (sources == NULL)
				err(3, NULL);
		}
		s = &sources[nsources++];
		memset(s, 0, sizeof(*s));
		s->fd = fd;
		s->name_len = (size_t)snprintf(s->name, sizeof(s->name), "%d\t",
		    fd);
	}
	fclose(f);
}

static void
flush(void)
{
	size_t done = 0;
	ssize_t n;

	for (; done < outlen; done += (size_t)n)
		if ((n = write(1, outbuf + done, outlen - done)) == -1)
			err(3, "write");
	outlen = 0;
}

static void
emit(const char *p, size_t len)
{
	size_t n;

	for (; len > 0; p += n, len -= n) {
		if (outlen == sizeof(outbuf))
			flush();
		n = sizeof(outbuf) - outlen;
		if (n > len)
			n = len;
		memcpy(outbuf + outlen, p, n);
		outlen += n;
	}
}

static void
hold(struct source *s, const char *p, size_t len)
{
	if (s->held_len + len > s->room) {
		while (s->held_len + len > s->room)
			s->room = s->room == 0 ? 256 : s->room * 2;
		if ((s->held = realloc(s->held, s->room)) == NULL)
			err(3, NULL);
	}
	memcpy(s->held + s->held_len, p, len);
	s->held_len += len;
}

static void
split(struct source *s, const char *p, size_t len)
{
	const char *newline, *end = p + len;

	while (
	    p < end && (newline = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		emit(s->name, s->name_len);
		if (s->held_len != 0)
			emit(s->held, s->held_len);
		s->held_len = 0;
		emit(p, (size_t)(newline + 1 - p));
		p = newline + 1;
	}
	if (p < end)
		hold(s, p, (size_t)(end - p));
}

static int
serve(struct source *s)
{
	ssize_t n;

	if ((n = read(s->fd, in, sizeof(in))) == -1)
		err(3, "read");
	if (n > 0) {
		split(s, in, (size_t)n);
		return 1;
	}
	if (s->held_len != 0) {
		emit(s->name, s->name_len);
		emit(s->held, s->held_len);
		emit("\n", 1);
	}
	close(s->fd);
	return 0;
}

int
main(int argc, char *argv[])
{
	struct epoll_event ev[EVENTS];
	int ep, i, left, n;

	if (argc != 2)
		errx(2, "usage: lines FILE");
	read_numbers(argv[1]);
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(3, "epoll_create1");
	for (i = 0; i < nsources; i++) {
		ev[0].events = EPOLLIN;
		ev[0].data.ptr = &sources[i];
		if (epoll_ctl(ep, EPOLL_CTL_ADD, sources[i].fd, ev) == -1)
			err(3, "epoll_ctl: %d", sources[i].fd);
	}
	for (left = nsources; left > 0; flush()) {
		if ((n = epoll_wait(ep, ev, EVENTS, -1)) == -1)
			err(3, "epoll_wait");
		for (i = 0; i < n; i++)
			if (!serve(ev[i].data.ptr))
				left--;
	}
	return 0;
}
