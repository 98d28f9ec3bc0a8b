/* SPDX-License-Identifier: ISC */
/*
 * ask.h - what each primitive says of one descriptor, its own or a copy of
 * another process's that is held for one question at a time.
 */
#ifndef ASK_H
#define ASK_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "backend/kqueue.h"

/* What select, poll or epoll returned. */
struct answer {
	bool asked; /* the system has it */
	int refused; /* the errno with which it refused the descriptor, or 0 */
	uint32_t bits; /* its own; 0: not ready */
};

/* What kevent(2) returned for one filter. */
struct kevent_answer {
	bool asked;
	int refused;
	bool returned; /* else a wait would sleep */
	bool eof;
	int error; /* the socket's, beside eof, or 0 */
	int64_t data;
};

/* What a socket says of itself beside; none of it consumes anything. */
struct socket_facts {
	int type; /* SOCK_STREAM and so on; 0: it is none, or not asked */
	bool connected; /* it has a peer's address */
	bool bound; /* it has an address of its own */
	bool listens;
	bool room; /* its send buffer takes another byte */
	int tcp_state; /* TCP_ESTABLISHED and so on; 0: not TCP */
};

struct answers {
	/* why nothing was asked, a constant text; or NULL */
	const char *why;
	struct answer select, poll, epoll;
	struct answer edge[2]; /* two waits in a row, edge-triggered */
	struct kevent_answer read, write;
	struct socket_facts socket;
	int flags; /* O_* of open(2), or -1 */
	int writer; /* an empty FIFO: 1 or 0: it has one, or none; -1 */
	int64_t position; /* of a file, or -1 */
	int64_t size; /* of a file whose bytes are known before it is read;
			 else -1 */
};

struct asker {
	struct backend_state *select, *poll, *epoll, *kqueue;
	struct kevent_request requests[2];
};

/* Returns 0, or -errno: ask_close releases what A has in any case. */
int ask_open(struct asker *a);
void ask_close(struct asker *a);

/* Whether kevent(2) is emulated here. */
bool ask_is_emulated(void);

/* Which descriptor. */
struct asked {
	int process; /* stands for its process (see process_open), or -1 */
	pid_t pid;
	int number;
	bool own; /* the caller's */
	bool open;
	uint64_t inode; /* of its file; 0: not known */
};

/*
 * Ask about WHICH.  Descriptors that cannot be polled without effect are not
 * asked about.  Returns 0 with *ANSWERS set, also if it is not open; or -EAGAIN
 * if the number is another file by now; or -errno as process_descriptor, or of
 * the primitives.
 */
int ask(struct asker *a, const struct asked *which, struct answers *answers);

#endif
