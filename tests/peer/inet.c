/* SPDX-License-Identifier: ISC */
/* inet.c - states of TCP and UDP sockets on the loopback interface. */
#include "peer.h"

#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

static int
inet(int type, struct sockaddr_in *sin, int bound)
{
	socklen_t len = sizeof *sin;
	int s = move(socket(AF_INET, type, 0));

	memset(sin, 0, sizeof *sin);
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!bound)
		return s;
	if (bind(s, (struct sockaddr *)sin, sizeof *sin) == -1 ||
	    getsockname(s, (struct sockaddr *)sin, &len) == -1)
		die(ABSENT, "bind");
	return s;
}

static void
join(int s, const struct sockaddr_in *sin)
{
	if (connect(s, (const struct sockaddr *)sin, sizeof *sin) == -1)
		die(ABSENT, "connect");
}

void
tcp_pair(int s[2])
{
	struct sockaddr_in sin, unused;
	int l = inet(SOCK_STREAM, &sin, 1);

	if (listen(l, 5) == -1)
		die(ABSENT, "listen");
	s[1] = inet(SOCK_STREAM, &unused, 0);
	join(s[1], &sin);
	s[0] = move(accept(l, NULL, NULL));
	close(l);
}

static int
tcp_bound(void)
{
	struct sockaddr_in sin;

	return inet(SOCK_STREAM, &sin, 1);
}

static int
tcp_listening(void)
{
	int l = tcp_bound();

	if (listen(l, 5) == -1)
		die(ABSENT, "listen");
	return l;
}

static int
tcp_one_waits(void)
{
	struct sockaddr_in sin, unused;
	int l = inet(SOCK_STREAM, &sin, 1);

	if (listen(l, 5) == -1)
		die(ABSENT, "listen");
	join(inet(SOCK_STREAM, &unused, 0), &sin);
	until(l, POLLIN);
	return l;
}

static int
tcp_two_wait(void)
{
	struct sockaddr_in sin, unused;
	int l = inet(SOCK_STREAM, &sin, 1);

	if (listen(l, 5) == -1)
		die(ABSENT, "listen");
	join(inet(SOCK_STREAM, &unused, 0), &sin);
	join(inet(SOCK_STREAM, &unused, 0), &sin);
	until(l, POLLIN);
	return l;
}

static int
tcp_all_accepted(void)
{
	struct sockaddr_in sin, unused;
	int l = inet(SOCK_STREAM, &sin, 1);

	if (listen(l, 5) == -1)
		die(ABSENT, "listen");
	join(inet(SOCK_STREAM, &unused, 0), &sin);
	(void)move(accept(l, NULL, NULL));
	return l;
}

static int
tcp_fresh(void)
{
	struct sockaddr_in sin;

	return inet(SOCK_STREAM, &sin, 0);
}

static int
tcp_connected(void)
{
	int s[2];

	tcp_pair(s);
	return s[0];
}

static int
tcp_data(void)
{
	int s[2];

	tcp_pair(s);
	put(s[1], "hello");
	until(s[0], POLLIN);
	return s[0];
}

static int
tcp_oob(void)
{
	int s[2];

	tcp_pair(s);
	if (send(s[1], "!", 1, MSG_OOB) != 1)
		die(ABSENT, "MSG_OOB");
	until(s[0], POLLPRI);
	return s[0];
}

static int
tcp_oob_data(void)
{
	int s[2];

	tcp_pair(s);
	if (send(s[1], "!", 1, MSG_OOB) != 1)
		die(ABSENT, "MSG_OOB");
	put(s[1], "ab");
	until(s[0], POLLIN);
	until(s[0], POLLPRI);
	return s[0];
}

static int
tcp_past_mark(void)
{
	char byte;
	int s[2];

	tcp_pair(s);
	if (send(s[1], "!", 1, MSG_OOB) != 1)
		die(ABSENT, "MSG_OOB");
	until(s[0], POLLPRI);
	if (recv(s[0], &byte, 1, MSG_OOB) != 1)
		die(ABSENT, "MSG_OOB");
	return s[0];
}

/* The peer's buffer fills from ours: full means that it stays full. */
static int
tcp_full(void)
{
	struct pollfd p;
	int s[2];

	tcp_pair(s);
	p.fd = s[0];
	p.events = POLLOUT;
	do
		fill(s[0]);
	while (poll(&p, 1, 100) != 0);
	return s[0];
}

static int
tcp_half_data(void)
{
	int s[2];

	tcp_pair(s);
	put(s[1], "abc");
	shutdown(s[1], SHUT_WR);
	until(s[0], POLLRDHUP);
	until(s[0], POLLIN);
	return s[0];
}

static int
tcp_half(void)
{
	int s[2];

	tcp_pair(s);
	shutdown(s[1], SHUT_WR);
	until(s[0], POLLIN);
	return s[0];
}

static int
tcp_own_half(void)
{
	int s[2];

	tcp_pair(s);
	shutdown(s[0], SHUT_WR);
	until(s[1], POLLIN);
	return s[0];
}

static int
tcp_shut_rd(void)
{
	int s[2];

	tcp_pair(s);
	shutdown(s[0], SHUT_RD);
	return s[0];
}

static int
tcp_both_half(void)
{
	int s[2];

	tcp_pair(s);
	shutdown(s[1], SHUT_WR);
	until(s[0], POLLIN);
	shutdown(s[0], SHUT_WR);
	until(s[0], 0);
	return s[0];
}

static int
tcp_closed(void)
{
	int s[2];

	tcp_pair(s);
	close(s[1]);
	until(s[0], POLLIN);
	return s[0];
}

static int
tcp_closed_written(void)
{
	int s[2];

	tcp_pair(s);
	close(s[1]);
	until(s[0], POLLIN);
	put(s[0], "x");
	until(s[0], 0);
	return s[0];
}

static int
tcp_reset(void)
{
	struct linger l = { 1, 0 };
	int s[2];

	tcp_pair(s);
	if (setsockopt(s[1], SOL_SOCKET, SO_LINGER, &l, sizeof l) == -1)
		die(ABSENT, "SO_LINGER");
	close(s[1]);
	until(s[0], POLLIN);
	return s[0];
}

static int
tcp_reset_taken(void)
{
	socklen_t length = sizeof(int);
	int error, s = tcp_reset();

	if (getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &length) == -1)
		die(1, "SO_ERROR");
	return s;
}

static int
tcp_shut_rdwr(void)
{
	int s[2];

	tcp_pair(s);
	shutdown(s[0], SHUT_RDWR);
	until(s[0], 0);
	return s[0];
}

/* A bound port without a listener refuses connections. */
static int
tcp_refused(void)
{
	struct sockaddr_in sin, unused;
	int c;

	(void)inet(SOCK_STREAM, &sin, 1);
	c = inet(SOCK_STREAM, &unused, 0);
	nonblocking(c);
	if (connect(c, (struct sockaddr *)&sin, sizeof sin) == -1 &&
	    errno != EINPROGRESS && errno != ECONNREFUSED)
		die(ABSENT, "connect");
	until(c, 0);
	return c;
}

static int
udp_fresh(void)
{
	struct sockaddr_in sin;

	return inet(SOCK_DGRAM, &sin, 0);
}

static int
udp_bound(void)
{
	struct sockaddr_in sin;

	return inet(SOCK_DGRAM, &sin, 1);
}

static int
udp_sent(const char *s)
{
	struct sockaddr_in sin, unused;
	int u = inet(SOCK_DGRAM, &sin, 1), v = inet(SOCK_DGRAM, &unused, 0);

	join(v, &sin);
	if (send(v, s, strlen(s), 0) == -1)
		die(ABSENT, "send");
	until(u, POLLIN);
	return u;
}

static int
udp_data(void)
{
	return udp_sent("hello");
}

static int
udp_two(void)
{
	struct sockaddr_in sin, unused;
	int u = inet(SOCK_DGRAM, &sin, 1), v = inet(SOCK_DGRAM, &unused, 0);

	join(v, &sin);
	put(v, "hello");
	put(v, "abc");
	until(u, POLLIN);
	return u;
}

static int
udp_empty(void)
{
	return udp_sent("");
}

static int
udp_refused(void)
{
	struct sockaddr_in sin, unused;
	int dead = inet(SOCK_DGRAM, &sin, 1), u;

	close(dead);
	u = inet(SOCK_DGRAM, &unused, 0);
	join(u, &sin);
	put(u, "x");
	until(u, 0);
	return u;
}

const struct state inet_states[] = {
	{ "tcp-listen.bound", tcp_bound },
	{ "tcp-listen.listening", tcp_listening },
	{ "tcp-listen.one-waits", tcp_one_waits },
	{ "tcp-listen.two-wait", tcp_two_wait },
	{ "tcp-listen.all-accepted", tcp_all_accepted },
	{ "tcp.fresh", tcp_fresh },
	{ "tcp.connected", tcp_connected },
	{ "tcp.data", tcp_data },
	{ "tcp.oob", tcp_oob },
	{ "tcp.oob-and-data", tcp_oob_data },
	{ "tcp.past-the-mark", tcp_past_mark },
	{ "tcp.full", tcp_full },
	{ "tcp.peer-half-closed-data", tcp_half_data },
	{ "tcp.peer-half-closed", tcp_half },
	{ "tcp.itself-half-closed", tcp_own_half },
	{ "tcp.both-half-closed", tcp_both_half },
	{ "tcp.peer-closed", tcp_closed },
	{ "tcp.peer-closed-written-to", tcp_closed_written },
	{ "tcp.reset", tcp_reset },
	{ "tcp.reset-error-taken", tcp_reset_taken },
	{ "tcp.own-shut-rd", tcp_shut_rd },
	{ "tcp.own-shut-rdwr", tcp_shut_rdwr },
	{ "tcp.refused", tcp_refused },
	{ "udp.fresh", udp_fresh },
	{ "udp.bound", udp_bound },
	{ "udp.data", udp_data },
	{ "udp.two-datagrams", udp_two },
	{ "udp.empty-datagram", udp_empty },
	{ "udp.refused", udp_refused },
	{ NULL, NULL },
};
