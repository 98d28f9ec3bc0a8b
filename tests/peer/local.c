/* SPDX-License-Identifier: ISC */
/* local.c - states of local sockets. */
#include "peer.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
unix_stream_idle(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	return s[0];
}

static int
unix_stream_data(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[1], "hello");
	return s[0];
}

static int
unix_stream_full(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	fill(s[0]);
	return s[0];
}

static int
unix_stream_half_data(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[1], "abc");
	shutdown(s[1], SHUT_WR);
	return s[0];
}

static int
unix_stream_half(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[1], SHUT_WR);
	return s[0];
}

static int
unix_stream_own_half(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[0], SHUT_WR);
	return s[0];
}

static int
unix_stream_both_half(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[0], SHUT_WR);
	shutdown(s[1], SHUT_WR);
	return s[0];
}

static int
unix_stream_closed(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	close(s[1]);
	return s[0];
}

static int
unix_stream_closed_data(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[1], "abc");
	close(s[1]);
	return s[0];
}

static int
unix_stream_closed_drained(void)
{
	int s = unix_stream_closed_data();

	drain(s);
	return s;
}

static int
unix_stream_unread(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[0], "abc");
	close(s[1]);
	return s[0];
}

static int
unix_stream_shut_rd(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[0], SHUT_RD);
	return s[0];
}

static int
unix_stream_shut_rdwr(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[0], SHUT_RDWR);
	return s[0];
}

static int
unix_stream_peer_shut(int how)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[1], how);
	return s[0];
}

static int
unix_stream_peer_shut_rd(void)
{
	return unix_stream_peer_shut(SHUT_RD);
}

static int
unix_stream_peer_shut_rdwr(void)
{
	return unix_stream_peer_shut(SHUT_RDWR);
}

/* Its directions are in two states. */
static int
unix_stream_half_unread(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[1], "hello");
	shutdown(s[0], SHUT_WR);
	return s[0];
}

static int
unix_stream_full_unread(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[1], "hello");
	fill(s[0]);
	return s[0];
}

/* Past what poll(2) wants to be free, with room left. */
static int
unix_stream_nearly_full(void)
{
	static char bytes[1000];
	struct pollfd p;
	int s[2];

	make_sockets(s, SOCK_STREAM);
	p.fd = s[0];
	p.events = POLLOUT;
	while (poll(&p, 1, 0) == 1)
		if (write(s[0], bytes, sizeof bytes) == -1)
			die(1, "write");
	return s[0];
}

static int
unix_dgram_idle(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	return s[0];
}

static int
unix_dgram_data(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	put(s[1], "hello");
	return s[0];
}

static int
unix_dgram_empty(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	if (send(s[1], "", 0, 0) == -1)
		die(ABSENT, "send");
	return s[0];
}

static int
unix_dgram_two(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	put(s[1], "hello");
	put(s[1], "abc");
	return s[0];
}

static int
unix_dgram_fresh(void)
{
	return move(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static int
unix_dgram_full(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	fill(s[0]);
	return s[0];
}

static int
unix_dgram_closed(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	close(s[1]);
	return s[0];
}

static int
unix_fresh(void)
{
	return move(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int
unix_bound(void)
{
	struct sockaddr_un sun;
	int l = unix_fresh();

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof sun.sun_path, "peer.%ld", (long)getpid());
	if (bind(l, (struct sockaddr *)&sun, sizeof sun) == -1)
		die(ABSENT, "%s", sun.sun_path);
	unlink(sun.sun_path);
	return l;
}

/* A listening socket, with a client if CLIENT is not NULL. */
static int
unix_listen_at(int *client)
{
	struct sockaddr_un sun;
	int l = unix_fresh();

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof sun.sun_path, "peer.%ld", (long)getpid());
	if (bind(l, (struct sockaddr *)&sun, sizeof sun) == -1 ||
	    listen(l, 5) == -1)
		die(ABSENT, "%s", sun.sun_path);
	if (client != NULL) {
		*client = unix_fresh();
		if (connect(*client, (struct sockaddr *)&sun, sizeof sun) == -1)
			die(ABSENT, "connect");
	}
	unlink(sun.sun_path);
	return l;
}

static int
unix_listening(void)
{
	return unix_listen_at(NULL);
}

static int
unix_one_waits(void)
{
	int c;

	return unix_listen_at(&c);
}

static int
unix_not_accepted(void)
{
	int c;

	(void)unix_listen_at(&c);
	return c;
}

static int
unix_listener_closed(void)
{
	int c;

	close(unix_listen_at(&c));
	return c;
}

const struct state local_states[] = {
	{ "unix-stream.idle", unix_stream_idle },
	{ "unix-stream.data", unix_stream_data },
	{ "unix-stream.full", unix_stream_full },
	{ "unix-stream.peer-half-closed-data", unix_stream_half_data },
	{ "unix-stream.peer-half-closed", unix_stream_half },
	{ "unix-stream.itself-half-closed", unix_stream_own_half },
	{ "unix-stream.both-half-closed", unix_stream_both_half },
	{ "unix-stream.peer-closed", unix_stream_closed },
	{ "unix-stream.peer-closed-data", unix_stream_closed_data },
	{ "unix-stream.drained", unix_stream_closed_drained },
	{ "unix-stream.our-data-unread", unix_stream_unread },
	{ "unix-stream.own-shut-rd", unix_stream_shut_rd },
	{ "unix-stream.own-shut-rdwr", unix_stream_shut_rdwr },
	{ "unix-stream.peer-shut-rd", unix_stream_peer_shut_rd },
	{ "unix-stream.peer-shut-rdwr", unix_stream_peer_shut_rdwr },
	{ "unix-stream.half-closed-unread", unix_stream_half_unread },
	{ "unix-stream.full-unread", unix_stream_full_unread },
	{ "unix-stream.nearly-full", unix_stream_nearly_full },
	{ "unix-dgram.fresh", unix_dgram_fresh },
	{ "unix-dgram.idle", unix_dgram_idle },
	{ "unix-dgram.data", unix_dgram_data },
	{ "unix-dgram.two-datagrams", unix_dgram_two },
	{ "unix-dgram.empty-datagram", unix_dgram_empty },
	{ "unix-dgram.full", unix_dgram_full },
	{ "unix-dgram.peer-closed", unix_dgram_closed },
	{ "unix-listen.fresh", unix_fresh },
	{ "unix-listen.bound", unix_bound },
	{ "unix-listen.listening", unix_listening },
	{ "unix-listen.one-waits", unix_one_waits },
	{ "unix-listen.client-not-accepted", unix_not_accepted },
	{ "unix-listen.client-listener-closed", unix_listener_closed },
	{ NULL, NULL },
};
