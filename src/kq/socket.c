/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/unix_diag.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "member.h"
#include "socket.h"

static int
option(int fd, int name)
{
	socklen_t length = sizeof(int);
	int value = 0;

	return getsockopt(fd, SOL_SOCKET, name, &value, &length) == -1 ? -1 :
									 value;
}

int
socket_kind(int fd)
{
	int type = option(fd, SO_TYPE), domain, protocol;

	if (type == -1 || (domain = option(fd, SO_DOMAIN)) == -1 ||
	    (protocol = option(fd, SO_PROTOCOL)) == -1)
		return -errno;
	if (type != SOCK_STREAM)
		return KIND_SOCKET;
	if (domain == AF_UNIX)
		return KIND_LOCAL_STREAM;
	return protocol == IPPROTO_TCP ? KIND_TCP : KIND_SOCKET;
}

int
socket_listens(int fd)
{
	int listens = option(fd, SO_ACCEPTCONN);

	return listens == -1 ? -errno : listens;
}

static bool
tcp_info(int fd, struct tcp_info *info)
{
	socklen_t length = sizeof *info;

	memset(info, 0, sizeof *info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) == 0;
}

/* ---- the backlog of a local socket ---- */

struct question {
	struct nlmsghdr header;
	struct unix_diag_req unix_socket;
};

static int
ask_backlog(uint32_t inode)
{
	const int type = SOCK_DGRAM | SOCK_CLOEXEC;
	int fd = socket(AF_NETLINK, type, NETLINK_SOCK_DIAG);
	struct question q;

	fd = private_descriptor(fd);
	if (fd < 0)
		return fd;
	memset(&q, 0, sizeof q);
	q.header.nlmsg_len = sizeof q;
	q.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q.header.nlmsg_flags = NLM_F_REQUEST;
	q.unix_socket.sdiag_family = AF_UNIX;
	q.unix_socket.udiag_states = ~0u;
	q.unix_socket.udiag_ino = inode;
	q.unix_socket.udiag_show = UDIAG_SHOW_RQLEN;
	q.unix_socket.udiag_cookie[0] = q.unix_socket.udiag_cookie[1] = ~0u;
	if (send(fd, &q, sizeof q, 0) == sizeof q)
		return fd;
	(void)close(fd);
	return -EIO;
}

/* The queue length in the answer of LENGTH bytes at HEADER, or -1. */
static int64_t
queue_length(struct nlmsghdr *header, size_t length)
{
	const size_t before = NLMSG_LENGTH(sizeof(struct unix_diag_msg));
	const struct unix_diag_rqlen *rqlen;
	struct rtattr *a;

	if (!NLMSG_OK(header, length) ||
	    header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -1;
	for (size_t at = before; at < header->nlmsg_len;
	     at += RTA_ALIGN(a->rta_len)) {
		a = (void *)((char *)header + at);
		if (!RTA_OK(a, header->nlmsg_len - at))
			break;
		if (a->rta_type == UNIX_DIAG_RQLEN) {
			rqlen = RTA_DATA(a);
			return rqlen->udiag_rqueue;
		}
	}
	return -1;
}

static int64_t
local_backlog(int fd)
{
	_Alignas(struct nlmsghdr) char answer[1024];
	struct stat st;
	int64_t length;
	ssize_t n;
	int diag;

	if (fstat(fd, &st) == -1 ||
	    (diag = ask_backlog((uint32_t)st.st_ino)) < 0)
		return -1;
	/* the kernel has queued its answer when the send returns */
	n = recv(diag, answer, sizeof answer, MSG_DONTWAIT);
	length = n < (ssize_t)sizeof(struct nlmsghdr) ?
	    -1 :
	    queue_length((struct nlmsghdr *)answer, (size_t)n);
	(void)close(diag);
	return length;
}

int64_t
socket_backlog(int fd, enum kind kind)
{
	struct tcp_info info;
	int64_t waiting = -1;

	if (kind == KIND_TCP && tcp_info(fd, &info))
		waiting = info.tcpi_unacked;
	else if (kind == KIND_LOCAL_STREAM || option(fd, SO_DOMAIN) == AF_UNIX)
		waiting = local_backlog(fd);
	return waiting < 1 ? 1 : waiting;
}

/* ---- bytes, shutdown and errors ---- */

int64_t
socket_bytes(int fd)
{
	const int flags = MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT;
	/* with MSG_TRUNC nothing is copied, with MSG_PEEK nothing consumed */
	/* cppcheck-suppress nullPointer */
	ssize_t n = recv(fd, NULL, INT32_MAX, flags);

	return n > 0 ? n : 0;
}

int64_t
socket_room(int fd)
{
	int size = option(fd, SO_SNDBUF), queued = 0;

	(void)ioctl(fd, SIOCOUTQ, &queued);
	return size > queued ? size - queued : 1;
}

bool
socket_is_shut(int fd, enum kind kind)
{
	struct tcp_info info;

	/*
	 * Sending 0 bytes on a local stream has no effect, and fails only after
	 * a shutdown (net/unix/af_unix.c, unix_stream_sendmsg).
	 */
	if (kind == KIND_LOCAL_STREAM)
		return send(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 &&
		    errno == EPIPE;
	if (kind != KIND_TCP || !tcp_info(fd, &info))
		return false;
	switch (info.tcpi_state) {
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
	case TCP_TIME_WAIT:
	case TCP_CLOSE:
		return true;
	default:
		return false;
	}
}

/*
 * Infer the error that closed a TCP connection.  Retransmissions or probes mean
 * that it timed out (tcp_write_err).  Otherwise a reset closed it (tcp_reset):
 * without a measured round trip the peer never answered, so the connection was
 * refused.
 */
static int
tcp_error(int fd)
{
	struct tcp_info info;

	if (!tcp_info(fd, &info) || info.tcpi_state != TCP_CLOSE)
		return 0;
	if (info.tcpi_retransmits > 0 || info.tcpi_probes > 0)
		return ETIMEDOUT;
	return info.tcpi_rtt == 0 ? ECONNREFUSED : ECONNRESET;
}

int
socket_error(int fd, enum kind kind)
{
	switch (kind) {
	case KIND_TCP:
		return tcp_error(fd);
	case KIND_LOCAL_STREAM:
		/* the only error that a peer can cause */
		return ECONNRESET;
	default:
		return 0;
	}
}
