/* SPDX-License-Identifier: ISC */
/*
 * socket.h - the state of a socket on Linux, in the terms of a BSD.
 */
#ifndef KQ_SOCKET_H
#define KQ_SOCKET_H

#include "descriptor.h"

/* The kind of socket FD, or -errno. */
int socket_kind(int fd);

/* Whether FD is listening: 1, 0 or -errno. */
int socket_listens(int fd);

/*
 * Number of connections to accept, from TCP_INFO (tcp(7)), or for a local
 * socket from sock_diag(7); at least 1, also where it is unknown.
 */
int64_t socket_backlog(int fd, enum kind kind);

/*
 * Bytes that can be read from TCP socket FD, for which FIONREAD returned 0: it
 * does if the next byte is urgent data (net/ipv4/tcp.c, tcp_inq).
 */
int64_t socket_bytes(int fd);

/* Free bytes in the send buffer of FD, at least 1. */
int64_t socket_room(int fd);

/* Whether a write to FD would fail with EPIPE because of a shutdown. */
bool socket_is_shut(int fd, enum kind kind);

/*
 * The pending error of socket FD, or 0 if it is unknown.  It is inferred, since
 * reading SO_ERROR (socket(7)) would clear it for the program.
 */
int socket_error(int fd, enum kind kind);

#endif
