/* SPDX-License-Identifier: ISC */
/*
 * socket.c - READ and WRITE of sockets: local ones, TCP and UDP.
 */
#include "kq.h"

#include <sys/un.h>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int s[2];

/* ---- local streams ---- */

static void
stream_counts_bytes(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD, s1 READ ADD CLEAR");
	expect(kq, " ");
	put(s[1], "hello");
	expect(kq, "s0 READ =5");
	put(s[1], "!");
	put(s[0], "abc");
	expect(kq, "s0 READ =6, s1 READ CLEAR =3");
	take(s[0], 4);
	expect(kq, "s0 READ =2");
	take(s[0], 2);
	expect(kq, " ");
}

static void
stream_room(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 WRITE ADD");
	expect(kq, "s0 WRITE >0");
	fill(s[0]);
	expect(kq, " ");
	drain(s[1]);
	expect(kq, "s0 WRITE >0");
}

static void
stream_peer_closed(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD, s0 WRITE ADD");
	put(s[1], "abc");
	close(s[1]);
	expect(kq, "s0 READ EOF =3, s0 WRITE EOF >0");
	take(s[0], 3);
	expect(kq, "s0 READ EOF =0, s0 WRITE EOF >0");
	expect(kq, "s0 READ EOF =0, s0 WRITE EOF >0");
}

static void
stream_peer_closed_clear(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD CLEAR, s0 WRITE ADD CLEAR");
	expect(kq, "s0 WRITE CLEAR >0");
	put(s[1], "a");
	expect(kq, "s0 READ CLEAR =1");
	close(s[1]);
	expect(kq, "s0 READ CLEAR EOF =1, s0 WRITE CLEAR EOF >0");
	expect(kq, " ");
}

/* On Linux closing with unread bytes is a reset. */
static void
stream_peer_closed_unread(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD, s0 WRITE ADD");
	put(s[0], "abc");
	close(s[1]);
	expect(kq,
	    LINUX_OR("s0 READ EOF err=ECONNRESET =0,"
		     "s0 WRITE EOF err=ECONNRESET =*",
		"s0 READ EOF =0, s0 WRITE EOF =*"));
}

/* On Linux a write fails with EPIPE then; a BSD discards it. */
static void
stream_peer_shut_read(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD, s0 WRITE ADD");
	shutdown(s[1], SHUT_RD);
	expect(kq, LINUX_OR("s0 WRITE EOF =*", "s0 WRITE >0"));
}

static void
stream_peer_shut_write(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD, s0 WRITE ADD, s1 READ ADD, s1 WRITE ADD");
	put(s[1], "ab");
	shutdown(s[1], SHUT_WR);
	expect(kq, "s0 READ EOF =2, s0 WRITE >0, s1 WRITE EOF =*");
	take(s[0], 2);
	put(s[0], "xyz");
	expect(kq, "s0 READ EOF =0, s0 WRITE >0, s1 READ =3, s1 WRITE EOF =*");
}

static void
stream_own_shut(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD, s0 WRITE ADD");
	shutdown(s[0], SHUT_RD);
	expect(kq, "s0 READ EOF =0, s0 WRITE >0");
	shutdown(s[0], SHUT_WR);
	expect(kq, "s0 READ EOF =0, s0 WRITE EOF =*");
}

static void
stream_lowat(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD LOWAT =4");
	put(s[1], "abc");
	expect(kq, " ");
	put(s[1], "d");
	expect(kq, "s0 READ =4");
	take(s[0], 1);
	expect(kq, " ");
	change(kq, "s0 READ ADD");
	expect(kq, "s0 READ =3");
	change(kq, "s0 READ ADD LOWAT =100");
	expect(kq, " ");
	change(kq, "s0 READ ADD LOWAT =3");
	expect(kq, "s0 READ =3");
	change(kq, "s0 READ ADD LOWAT =100");
	close(s[1]);
	expect(kq, "s0 READ EOF =3");
}

static void
stream_lowat_clear(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD CLEAR LOWAT =3");
	put(s[1], "a");
	expect(kq, " ");
	put(s[1], "b");
	expect(kq, " ");
	put(s[1], "c");
	expect(kq, "s0 READ CLEAR =3");
	expect(kq, " ");
	put(s[1], "d");
	expect(kq, "s0 READ CLEAR =4");
	take(s[0], 3);
	put(s[1], "e");
	expect(kq, " ");
	put(s[1], "f");
	expect(kq, "s0 READ CLEAR =3");
}

/* Half a message must not keep the processor busy. */
static void
stream_lowat_sleeps(void)
{
	double busy;

	new_pair(SOCK_STREAM, s, "s");
	put(s[1], "abc");
	change(kq, "s0 READ ADD LOWAT =4");
	busy = processor_time();
	quiet(kq, 300);
	check(processor_time() - busy < .1, "it waited without sleeping");
	put(s[1], "d");
	await(kq, "s0 READ =4");
}

static void
more_later(void *arg)
{
	nap(50);
	put(*(int *)arg, "b");
	nap(50);
	put(*(int *)arg, "c");
}

static void
stream_lowat_wakes(void)
{
	pid_t pid;

	new_pair(SOCK_STREAM, s, "s");
	put(s[1], "a");
	change(kq, "s0 READ ADD LOWAT =3");
	pid = in_child(more_later, &s[1]);
	await(kq, "s0 READ =3");
	reap(pid, 0);
}

static void
stream_clear(void)
{
	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD CLEAR, s0 WRITE ADD CLEAR");
	expect(kq, "s0 WRITE CLEAR >0");
	expect(kq, " ");
	put(s[1], "a");
	expect(kq, "s0 READ CLEAR =1");
	put(s[1], "b");
	expect(kq, "s0 READ CLEAR =2");
	put(s[0], "c");
	expect(kq, " ");
	/* the reader has made room */
	drain(s[1]);
	expect(kq, "s0 WRITE CLEAR >0");
	expect(kq, " ");
}

/* Input does not cause another report of room for output. */
static void
stream_clear_apart(void)
{
	int i;

	new_pair(SOCK_STREAM, s, "s");
	change(kq, "s0 READ ADD CLEAR, s0 WRITE ADD CLEAR");
	expect(kq, "s0 WRITE CLEAR >0");
	for (i = 1; i < 10; i++) {
		put(s[1], "a");
		expect(kq, "s0 READ CLEAR =%d", i);
	}
}

static void
local_listener(void)
{
	struct sockaddr_un sun;
	int l = named("l", socket(AF_UNIX, SOCK_STREAM, 0)), c[3], i;

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof sun.sun_path, "sock");
	must(bind(l, (struct sockaddr *)&sun, sizeof sun));
	must(listen(l, 8));
	change(kq, "l READ ADD");
	expect(kq, " ");
	for (i = 0; i < 3; i++) {
		c[i] = must(socket(AF_UNIX, SOCK_STREAM, 0));
		must(connect(c[i], (struct sockaddr *)&sun, sizeof sun));
		expect(kq, "l READ =%d", i + 1);
	}
	must(accept(l, NULL, NULL));
	expect(kq, "l READ =2");
	close(c[1]);
	expect(kq, "l READ =2");
	must(accept(l, NULL, NULL));
	must(accept(l, NULL, NULL));
	expect(kq, " ");
}

static void
listener_clear(void)
{
	struct sockaddr_in sin;

	named("l", tcp_listener(&sin, 5));
	change(kq, "l READ ADD CLEAR");
	tcp_client(&sin);
	await(kq, "l READ CLEAR =1");
	tcp_client(&sin);
	await(kq, "l READ CLEAR =2");
}

static void
never_connected(void)
{
	named("unix", socket(AF_UNIX, SOCK_STREAM, 0));
	named("tcp", socket(AF_INET, SOCK_STREAM, 0));
	named("udp", socket(AF_INET, SOCK_DGRAM, 0));
	change(kq,
	    "unix READ ADD, unix WRITE ADD, tcp READ ADD,"
	    "tcp WRITE ADD, udp READ ADD, udp WRITE ADD");
	expect(kq, "udp WRITE >0");
}

static void
socket_has_no_vnode(void)
{
	new_pair(SOCK_STREAM, s, "s");
	refuse(kq, EINVAL, "s0 VNODE ADD WRITE");
}

/* ---- local datagrams ---- */

static void
datagrams(void)
{
	new_pair(SOCK_DGRAM, s, "s");
	change(kq, "s0 READ ADD");
	put(s[1], "hello");
	/* NetBSD counts the sender's address */
	expect(kq, "s0 READ =5 | s0 READ =7");
	put(s[1], "abc");
	expect(kq, LINUX_OR("s0 READ =5", "s0 READ =8 | s0 READ =12"));
	take(s[0], 5);
	expect(kq, "s0 READ =3 | s0 READ =5");
	take(s[0], 3);
	expect(kq, " ");
}

static void
datagrams_clear(void)
{
	new_pair(SOCK_DGRAM, s, "s");
	change(kq, "s0 READ ADD CLEAR");
	put(s[1], "abc");
	expect(kq, "s0 READ CLEAR >0");
	put(s[1], "d");
	expect(kq, "s0 READ CLEAR >0");
	expect(kq, " ");
	take(s[0], 3);
	expect(kq, " ");
}

static void
datagram_empty(void)
{
	new_pair(SOCK_DGRAM, s, "s");
	change(kq, "s0 READ ADD");
	must(send(s[1], "", 0, 0));
	expect(kq, LINUX_OR("s0 READ =0", "s0 READ =* | "));
}

static void
datagram_peer_closed(void)
{
	new_pair(SOCK_DGRAM, s, "s");
	change(kq, "s0 READ ADD, s0 WRITE ADD");
	close(s[1]);
	expect(kq, "s0 WRITE >0");
}

/* ---- TCP ---- */

static void
tcp_counts_bytes(void)
{
	new_tcp(s, "s");
	change(kq, "s0 READ ADD, s0 WRITE ADD");
	expect(kq, "s0 WRITE >0");
	put(s[1], "hello");
	arrived(s[0], 5);
	expect(kq, "s0 READ =5, s0 WRITE >0");
	take(s[0], 2);
	expect(kq, "s0 READ =3, s0 WRITE >0");
	take(s[0], 3);
	expect(kq, "s0 WRITE >0");
}

static void
tcp_backlog(void)
{
	struct sockaddr_in sin;
	int i, l = named("l", tcp_listener(&sin, 8));

	change(kq, "l READ ADD");
	expect(kq, " ");
	for (i = 1; i <= 4; i++) {
		tcp_client(&sin);
		eventually(kq, "l READ =%d", i);
	}
	for (i = 3; i > 0; i--) {
		must(accept(l, NULL, NULL));
		expect(kq, "l READ =%d", i);
	}
	must(accept(l, NULL, NULL));
	expect(kq, " ");
}

static void
tcp_listener_write(void)
{
	struct sockaddr_in sin;

	named("l", tcp_listener(&sin, 8));
	change(kq, "l WRITE ADD");
	expect(kq, " ");
	tcp_client(&sin);
	change(kq, "l READ ADD");
	eventually(kq, "l READ =1");
}

static void
tcp_half_close(void)
{
	new_tcp(s, "s");
	change(kq, "s0 READ ADD, s0 WRITE ADD, s1 READ ADD, s1 WRITE ADD");
	expect(kq, "s0 WRITE >0, s1 WRITE >0");
	shutdown(s[1], SHUT_WR);
	eventually(kq, "s0 READ EOF =0, s0 WRITE >0, s1 WRITE EOF =*");
	put(s[0], "xy");
	arrived(s[1], 2);
	expect(kq, "s0 READ EOF =0, s0 WRITE >0, s1 READ =2, s1 WRITE EOF =*");
	close(s[0]);
	eventually(kq, "s1 READ EOF =2, s1 WRITE EOF =*");
}

static void
tcp_peer_closed(void)
{
	new_tcp(s, "s");
	change(kq, "s0 READ ADD");
	put(s[1], "abc");
	close(s[1]);
	eventually(kq, "s0 READ EOF =3");
	take(s[0], 3);
	expect(kq, "s0 READ EOF =0");
}

static void
tcp_peer_closed_clear(void)
{
	new_tcp(s, "s");
	change(kq, "s0 READ ADD CLEAR");
	close(s[1]);
	await(kq, "s0 READ CLEAR EOF =0");
	expect(kq, " ");
}

static void
reset(int fd)
{
	struct linger l;

	l.l_onoff = 1;
	l.l_linger = 0;
	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l));
	close(fd);
}

static void
tcp_reset(void)
{
	new_tcp(s, "s");
	change(kq, "s0 READ ADD, s0 WRITE ADD");
	reset(s[1]);
	eventually(kq,
	    "s0 READ EOF err=ECONNRESET =0,"
	    "s0 WRITE EOF err=ECONNRESET =*");
	/* a report consumes nothing */
	expect(kq,
	    "s0 READ EOF err=ECONNRESET =0,"
	    "s0 WRITE EOF err=ECONNRESET =*");
}

static void
tcp_reset_error_is_kept(void)
{
	int e = 0;
	socklen_t len = sizeof e;
	char c;

	new_tcp(s, "s");
	change(kq, "s0 READ ADD");
	reset(s[1]);
	eventually(kq, "s0 READ EOF err=ECONNRESET =0");
	check(read(s[0], &c, 1) == -1 && errno == ECONNRESET,
	    "the program still gets the error");
	must(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &e, &len));
	check(e == 0, "and once");
}

static void
tcp_reset_clear(void)
{
	new_tcp(s, "s");
	change(kq, "s0 READ ADD CLEAR");
	reset(s[1]);
	await(kq, "s0 READ CLEAR EOF err=ECONNRESET =0");
	expect(kq, " ");
}

static void
tcp_refused(void)
{
	struct sockaddr_in sin;
	int c = named("c", socket(AF_INET, SOCK_STREAM, 0)), e;

	close(tcp_listener(&sin, 1));
	nonblocking(c);
	e = connect(c, (struct sockaddr *)&sin, sizeof sin);
	check(e == -1 && (errno == EINPROGRESS || errno == ECONNREFUSED),
	    "nobody is there");
	e = errno;
	change(kq, "c WRITE ADD, c READ ADD");
	/* connect(2) may have returned the error already */
	eventually(kq,
	    e == ECONNREFUSED ? "c READ EOF =0, c WRITE EOF =*" :
				"c READ EOF err=ECONNREFUSED =0,"
				"c WRITE EOF err=ECONNREFUSED =*");
}

static void
tcp_connecting(void)
{
	struct sockaddr_in sin;
	int l = tcp_listener(&sin, 1);
	int c = named("c", socket(AF_INET, SOCK_STREAM, 0));

	nonblocking(c);
	change(kq, "c WRITE ADD ONESHOT");
	expect(kq, " ");
	if (connect(c, (struct sockaddr *)&sin, sizeof sin) == -1)
		check(errno == EINPROGRESS, "connect: %s", strerror(errno));
	await(kq, "c WRITE ONESHOT >0");
	close(l);
}

static void
tcp_lowat(void)
{
	new_tcp(s, "s");
	change(kq, "s0 READ ADD LOWAT =5");
	put(s[1], "abcd");
	arrived(s[0], 4);
	expect(kq, " ");
	put(s[1], "e");
	arrived(s[0], 5);
	expect(kq, "s0 READ =5");
	take(s[0], 1);
	expect(kq, " ");
	close(s[1]);
	eventually(kq, "s0 READ EOF =4");
}

static void
tcp_write_lowat(void)
{
	new_tcp(s, "s");
	change(kq, "s0 WRITE ADD LOWAT =1");
	expect(kq, "s0 WRITE >0");
	change(kq, "s0 WRITE ADD LOWAT =1000000000");
	expect(kq, " ");
	change(kq, "s0 WRITE ADD");
	expect(kq, "s0 WRITE >0");
}

/* Out-of-band bytes are not in the stream, except with SO_OOBINLINE. */
static void
tcp_out_of_band(void)
{
	struct pollfd p;

	new_tcp(s, "s");
	change(kq, "s0 READ ADD");
	must(send(s[1], "!", 1, MSG_OOB));
	p.fd = s[0];
	p.events = POLLPRI;
	check(poll(&p, 1, PATIENCE) == 1, "the urgent byte arrives");
	expect(kq, " ");
	quiet(kq, 20);
	put(s[1], "ab");
	eventually(kq, "s0 READ =2");
}

static void
tcp_fills_up(void)
{
	new_tcp(s, "s");
	fill(s[0]);
	change(kq, "s0 WRITE ADD");
	drain(s[1]);
	await(kq, "s0 WRITE >0");
}

/* ---- UDP ---- */

static void
udp_counts_bytes(void)
{
	struct sockaddr_in a, b;
	int u = named("u", udp_bound(&a)), v = udp_bound(&b);

	change(kq, "u READ ADD, u WRITE ADD");
	expect(kq, "u WRITE >0");
	must(connect(v, (struct sockaddr *)&a, sizeof a));
	put(v, "hello");
	/* a BSD counts the sender's address */
	eventually(kq,
	    LINUX_OR("u READ =5, u WRITE >0", "u READ >0, u WRITE >0"));
	put(v, "abc");
	take(u, 5);
	eventually(kq,
	    LINUX_OR("u READ =3, u WRITE >0", "u READ >0, u WRITE >0"));
	take(u, 3);
	expect(kq, "u WRITE >0");
}

static void
udp_refused(void)
{
	struct sockaddr_in a, b;
	int u = named("u", udp_bound(&a)), v = udp_bound(&b);
	char c;

	close(v);
	must(connect(u, (struct sockaddr *)&b, sizeof b));
	change(kq, "u READ ADD");
	expect(kq, " ");
	put(u, "x");
	await(kq, "u READ =0");
	check(recv(u, &c, 1, 0) == -1 && errno == ECONNREFUSED,
	    "the error is kept for the program");
	expect(kq, " ");
}

const struct test socket_tests[] = {
	{ "stream_counts_bytes", stream_counts_bytes },
	{ "stream_room", stream_room },
	{ "stream_peer_closed", stream_peer_closed },
	{ "stream_peer_closed_clear", stream_peer_closed_clear },
	{ "stream_peer_closed_unread", stream_peer_closed_unread },
	{ "stream_peer_shut_read", stream_peer_shut_read },
	{ "stream_peer_shut_write", stream_peer_shut_write },
	{ "stream_own_shut", stream_own_shut },
	{ "stream_lowat", stream_lowat },
	{ "stream_lowat_clear", stream_lowat_clear },
	{ "stream_lowat_sleeps", stream_lowat_sleeps },
	{ "stream_lowat_wakes", stream_lowat_wakes },
	{ "stream_clear", stream_clear },
	{ "stream_clear_apart", stream_clear_apart },
	{ "stream_listener", local_listener },
	{ "socket_never_connected", never_connected },
	{ "socket_has_no_vnode", socket_has_no_vnode },
	{ "socket_listener_clear", listener_clear },
	{ "datagrams", datagrams },
	{ "datagrams_clear", datagrams_clear },
	{ "datagram_empty", datagram_empty },
	{ "datagram_peer_closed", datagram_peer_closed },
	{ "tcp_counts_bytes", tcp_counts_bytes },
	{ "tcp_backlog", tcp_backlog },
	{ "tcp_listener_write", tcp_listener_write },
	{ "tcp_half_close", tcp_half_close },
	{ "tcp_peer_closed", tcp_peer_closed },
	{ "tcp_peer_closed_clear", tcp_peer_closed_clear },
	{ "tcp_reset", tcp_reset },
	{ "tcp_reset_error_is_kept", tcp_reset_error_is_kept },
	{ "tcp_reset_clear", tcp_reset_clear },
	{ "tcp_refused", tcp_refused },
	{ "tcp_connecting", tcp_connecting },
	{ "tcp_lowat", tcp_lowat },
	{ "tcp_write_lowat", tcp_write_lowat },
	{ "tcp_out_of_band", tcp_out_of_band },
	{ "tcp_fills_up", tcp_fills_up },
	{ "udp_counts_bytes", udp_counts_bytes },
	{ "udp_refused", udp_refused },
	{ NULL, NULL },
};
