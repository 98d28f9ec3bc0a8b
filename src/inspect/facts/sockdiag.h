/* SPDX-License-Identifier: ISC */
/*
 * sockdiag.h - the sockets of pmux's own network namespace (sock_diag(7)).
 */
#ifndef SOCKDIAG_H
#define SOCKDIAG_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As TCP's in <netinet/tcp.h>; those of local sockets and UDP are among them. */
enum sock_state {
	SOCK_ESTABLISHED = 1, /* connected */
	SOCK_SYN_SENT,
	SOCK_SYN_RECEIVED,
	SOCK_FIN_WAIT_1,
	SOCK_FIN_WAIT_2,
	SOCK_TIME_WAIT,
	SOCK_CLOSE, /* not connected */
	SOCK_CLOSE_WAIT,
	SOCK_LAST_ACK,
	SOCK_LISTEN,
	SOCK_CLOSING,
	SOCK_STATES
};

enum sock_protocol {
	SOCK_UNIX,
	SOCK_TCP,
	SOCK_UDP
};

/* TIMER of a TCP socket: the persist timer runs while the peer has no room. */
#define SOCK_TIMER_PERSIST 4

/* An address; IPv4 is mapped into IPv6 (::ffff:a.b.c.d). */
struct sock_address {
	uint8_t bytes[16];
	uint16_t port; /* in the order of the host */
};

struct sock {
	uint64_t inode; /* 0: no process has it, as one not accepted yet */
	enum sock_protocol protocol;
	int type; /* SOCK_STREAM and so on; local sockets */
	enum sock_state state;
	/*
	 * As it comes from the kernel: the bytes unread, of datagrams of the
	 * first; a FIN counts as one.  A listener: those that wait to be
	 * accepted.
	 */
	uint32_t receive;
	/*
	 * TCP: bytes sent and not acknowledged, or not sent.  Else memory used.
	 * A listener: how many may wait.
	 */
	uint32_t send;
	uint8_t shut; /* 1: for reading, 2: for writing */
	uint8_t timer;
	uint8_t retransmits;
	uint32_t receive_memory, receive_limit; /* bytes, 0: not said */
	uint32_t send_memory, send_limit;
	/* of a local socket */
	uint64_t peer; /* its inode; 0: none, or not accepted */
	uint64_t listener; /* the inode of who has not accepted it, or 0 */
	uint32_t file_inode, file_device; /* of its path; 0: none */
	uint8_t name_length; /* of its address */
	char name[110]; /* an abstract one begins with NUL */
	/* of TCP and UDP */
	struct sock_address local, remote;
	/* of TCP */
	uint32_t unsent; /* bytes */
	uint32_t sent_ago, received_ago; /* ms since data went and came */
};

struct sock_pair {
	uint64_t client, listener;
};

struct sockets {
	struct sock *list; /* by inode */
	size_t count;
	struct sock **by_address; /* TCP and UDP, by both addresses */
	size_t address_count;
	struct sock_pair *waiting; /* that are not accepted */
	size_t waiting_count;
	int errors[SOCK_UDP + 1]; /* why those of a protocol lack: -errno, or 0
				   */
};

/*
 * Ask the kernel for the local ones, which are the first, or for those of TCP
 * and UDP as well: for these it walks through tables that are large on a large
 * machine.  Returns 0, also if some protocol is refused (see ERRORS); or
 * -ENOMEM.  sockets_free releases what it has in either case.
 */
int sockets_read_local(struct sockets *sockets);
int sockets_read_inet(struct sockets *sockets);
void sockets_free(struct sockets *sockets);

/*
 * Take the messages of a reply about PROTOCOL, LENGTH bytes at REPLY, aligned
 * as a struct nlmsghdr.  Returns 1 if more replies follow, 0 after the last, or
 * -errno: that of the reply, -EINVAL if it is malformed, or -ENOMEM.
 */
int sockets_parse(struct sockets *sockets, enum sock_protocol protocol,
    const char *reply, size_t length);

/* Sort what was parsed, for the functions below.  Returns 0 or -ENOMEM. */
int sockets_index(struct sockets *sockets);

/* That with this inode, or NULL. */
const struct sock *sockets_find(const struct sockets *sockets, uint64_t inode);

/* Its other end on this host, by addresses (TCP, UDP); or NULL. */
const struct sock *sockets_other(const struct sockets *sockets,
    const struct sock *sock);

/* As ss(8) and netstat(8) name it, in small letters. */
const char *sock_state_name(enum sock_state state);

#endif
