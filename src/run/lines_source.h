/* SPDX-License-Identifier: ISC */
/*
 * lines_source.h - a target of --lines: how its bytes are read, or peeked at and
 * consumed later.
 */
#ifndef LINES_SOURCE_H
#define LINES_SOURCE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/lines_put.h"
#include "run/tail.h"
#include "sys/read.h"
#include "target/target.h"

/*
 * What is read at once: as much as a pipe holds by default (pipe(7)).  A message
 * is read whole: those of local sockets may be as long as the buffer for sending,
 * 208 KiB (socket(7), wmem_max).
 */
#define LINES_PART_SIZE 65536
#define LINES_LARGEST_SIZE 262144

/* Where the functions below put bytes. */
struct lines_buffer {
	/*
	 * with room in front of the bytes for read_on, and behind them for
	 * pattern_match
	 */
	char space[READ_LAST + LINES_LARGEST_SIZE + 1];
};

/* Where the bytes begin. */
static inline char *
lines_bytes(struct lines_buffer *buffer)
{
	return buffer->space + READ_LAST;
}

struct lines_source {
	const struct target *target;
	struct lines_source *holder; /* whose HELD and TURN are those of SOURCE:
					the first target of the same file */
	struct lines_held held;
	struct reader how;
	int fd; /* the descriptor of HOW; -1: not known */
	struct read_text *text; /* of a file without an end; or NULL */
	struct tail_file *named; /* of one that is followed by name; or NULL */
	bool empty; /* there was nothing the last time */
	size_t unread; /* bytes of an unfinished line, found by a peek */
	int64_t since; /* when it first did */
	/* lines_turn.c's, of a holder */
	int own; /* pmux's own descriptor of the pipe; or -1 */
	bool tried; /* to have that */
	bool turn; /* it is ours */
	bool alone; /* we go on without, as was said */
	int64_t asked, asked_last; /* when for the turn, in vain; or 0 */
	int64_t left; /* bytes that were unread then */
};

/* Whether each read of SOURCE is a message. */
bool lines_is_message(const struct lines_source *source);

/*
 * Whether SOURCE is a file of which reading on never reports the end: to
 * kevent(2) no file has one, and with --reopen neither.
 */
bool lines_is_endless(const struct lines_source *source);

/*
 * Read all unread bytes, at most LINES_PART_SIZE or a message, by the target's
 * descriptor.  Returns as read_now, or as read_on.
 */
ssize_t lines_read(struct lines_source *source, char *bytes);

/*
 * By FD, from a source that cannot be peeked at: read up to the end of the line,
 * byte by byte.  One that does not return single bytes is read as it is.
 * Returns as read_now.
 */
ssize_t lines_read_bytes(struct lines_source *source, int fd, char *bytes);

/* Peek at SIZE bytes by FD.  Returns as read_peek, or as read_on. */
ssize_t lines_peek(struct lines_source *source, int fd, char *bytes,
    size_t size);

/*
 * Read the first LENGTH of BYTES, which were peeked at and printed.  Returns
 * LENGTH or as read_now.
 */
ssize_t lines_consume(struct lines_source *source, int fd, char *bytes,
    size_t length);

/*
 * Whether an unfinished line, the LENGTH bytes that were peeked at, has to be
 * read to be finished, or -errno; *LAST: nothing comes after it.
 */
int lines_is_stuck(struct lines_source *source, size_t length, bool *last);

#endif
