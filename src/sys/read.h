/* SPDX-License-Identifier: ISC */
/*
 * read.h - reading without ever blocking, and peeking.
 *
 * Whether a read may block depends on O_NONBLOCK, which belongs to the open
 * file and so to the caller of pmux too: it is never changed here.
 */
#ifndef READ_H
#define READ_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kind of a descriptor, as it matters for reading. */
enum {
	READ_FILE, /* has an offset, and never keeps one waiting */
	READ_PIPE,
	READ_FIFO, /* a pipe of which RWF_NOWAIT is refused */
	READ_STREAM, /* a socket */
	READ_PACKETS, /* a socket: each read is a message */
	READ_DATAGRAMS, /* the same, and an empty one is not the end */
	READ_DEVICE,
	READ_OTHER
};

/* A pipe for bytes on their way from another; empty between calls. */
struct scratch {
	int ends[2]; /* or -1 */
	int size;
	int peeked_size; /* of the pipe that was last peeked at */
	bool peeked_full; /* it had no room for more */
};

/* Initialize SCRATCH; and close its pipe. */
void read_begin(struct scratch *scratch);
void read_end(struct scratch *scratch);

struct reader {
	uint8_t kind; /* one of the above */
	bool own; /* pmux opened it, with O_NONBLOCK */
};

/*
 * Set *HOW: how FD is read from; OWN: pmux opened it, with O_NONBLOCK.  Returns
 * 0 or -errno.
 */
int read_how(int fd, bool own, struct reader *how);

/*
 * Read at most SIZE bytes from FD into BUFFER.  Returns how many, 0 at end of
 * file, or -errno as read(2): -EAGAIN if there is nothing now; -EMSGSIZE if a
 * message is longer than SIZE; what does not fit is lost (recv(2)).
 */
ssize_t read_now(int fd, struct reader *how, char *buffer, size_t size);

/*
 * The same, but the bytes stay unread.  -EOPNOTSUPP where the system cannot do
 * that.
 */
ssize_t read_peek(int fd, const struct reader *how, char *buffer, size_t size);

/*
 * Of the LENGTH bytes that the last call of read_peek found in FD: whether they
 * are the last, or -errno; and whether there is no room for others until they
 * are read.  Sockets do not report their room.
 */
int read_is_last(int fd, const struct reader *how, size_t length);
bool read_is_full(const struct reader *how, size_t length);

/* The last bytes read of a READ_FILE that may be rewritten; zeroed. */
#define READ_LAST 64
struct read_text {
	int64_t offset; /* behind it */
	uint32_t length;
	char last[READ_LAST];
};

/*
 * As read_peek of a READ_FILE; -ESTALE if it is now shorter than the part that
 * was read, or if the last bytes of that part have changed.  BUFFER has
 * READ_LAST bytes of room in front of it.
 */
ssize_t read_on(int fd, struct read_text *text, char *buffer, size_t size);

/*
 * Go on behind LENGTH bytes of those that read_on has just put into BUFFER.
 * Returns 0 or -errno.
 */
int read_pass(int fd, struct read_text *text, const char *buffer,
    size_t length);

/* Move the offset of a READ_FILE by LENGTH.  Returns 0 or -errno. */
int read_skip(int fd, off_t length);

/* Move it to the beginning.  Returns 0 or -errno. */
int read_from_start(int fd);

/*
 * As write(2), without blocking.  Returns how many bytes, or -errno: -EAGAIN if
 * there is no room now; -EOPNOTSUPP where the system cannot do that.
 */
ssize_t write_now(int fd, const char *bytes, size_t length);

/* Whether FD is a terminal, or its other end, that is no longer used. */
bool read_has_hung_up(int fd);

#endif
