/* SPDX-License-Identifier: ISC */
/*
 * socket.h - what Linux tells of a socket, in the terms of a BSD.
 */
#ifndef KQ_SOCKET_H
#define KQ_SOCKET_H

#include "descriptor.h"

/* The kind of socket FD, or -errno. */
int socket_kind(int fd);

/* Whether FD is listening, 1 or 0; or -errno. */
int socket_listens(int fd);

/*
 * How many connections wait to be accepted: from TCP_INFO (tcp(7)), for a local
 * socket from sock_diag(7); 1 where nothing tells.
 */
int64_t socket_backlog(int fd, enum kind kind);

/*
 * Bytes that can be read from TCP socket FD, where FIONREAD says 0 because the
 * urgent byte is the next (net/ipv4/tcp.c, tcp_inq).
 */
int64_t socket_bytes(int fd);

/* Bytes that fit into its send buffer, at least 1. */
int64_t socket_room(int fd);

/* Whether writing to FD would fail with EPIPE because it was shut down. */
bool socket_is_shut(int fd, enum kind kind);

/*
 * The error that socket FD has, 0 if that cannot be known.  Linux tells it once
 * (SO_ERROR, socket(7)), and leaves it to the program: here it is inferred.
 */
int socket_error(int fd, enum kind kind);

#endif
