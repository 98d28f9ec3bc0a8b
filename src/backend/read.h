/*
 * read.h - reading without ever waiting, and looking at what could be read.
 *
 * Whether a read may wait is said by O_NONBLOCK, which belongs to the open file
 * and so to the caller of pmux too: it is never changed here.
 */
#ifndef READ_H
#define READ_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a descriptor is to who reads from it. */
enum {
	READ_FILE,	/* has an offset, and never keeps one waiting */
	READ_PIPE,
	READ_FIFO,	/* a pipe of which RWF_NOWAIT is refused */
	READ_STREAM,	/* a socket */
	READ_PACKETS,	/* a socket: each read is a message */
	READ_DATAGRAMS,	/* the same, and an empty one is not the end */
	READ_DEVICE,
	READ_OTHER
};

struct reader {
	uint8_t	kind;	/* one of the above */
	bool	own;	/* pmux opened it, with O_NONBLOCK */
};

/* How FD is read from; OWN: pmux opened it, with O_NONBLOCK. */
struct reader read_how(int fd, bool own);

/*
 * Read at most SIZE bytes from FD into BUFFER.  Returns how many, 0 at end of
 * file, or -errno as read(2): -EAGAIN if there is nothing now; -EMSGSIZE if a
 * message is longer than that, the rest of it being lost.
 */
ssize_t	read_now(int fd, struct reader *how, char *buffer, size_t size);

/*
 * The same, but the bytes stay to be read.  -EOPNOTSUPP where that cannot be
 * had.
 */
ssize_t	read_peek(int fd, const struct reader *how, char *buffer, size_t size);

/*
 * Whether nothing can follow the LENGTH bytes that the last call of read_peek
 * found in FD until they are read: they are the last, or there is no room.  A
 * socket does not tell of its room.
 */
bool	read_is_all(int fd, const struct reader *how, size_t length);

/* Leave LENGTH bytes of a READ_FILE to be read again.  Returns 0 or -errno. */
int	read_back(int fd, size_t length);

/* Whether FD is a terminal, or its other end, that is no longer used. */
bool	read_has_hung_up(int fd);

#endif
