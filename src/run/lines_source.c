/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>

#include <errno.h>

#include "base/deadline.h"
#include "run/lines_source.h"
#include "run/tail.h"
#include "sys/kernel.h"
#include "sys/read.h"

/* A turn where one byte is read at a time. */
#define SINGLE_BYTES 256

/*
 * A socket does not report that its sender has no room left to finish a line:
 * pmux assumes it if STUCK_BYTES or more are unread and none was added for
 * STUCK_TIME (ns).  Linux counts at least 768 bytes of 208 KiB for what one
 * send(2) adds to a local socket.
 */
#define STUCK_BYTES 256
#define STUCK_TIME (INT64_C(1000) * 1000000)

bool
lines_is_message(const struct lines_source *source)
{
	return source->how.kind == READ_DATAGRAMS ||
	    source->how.kind == READ_PACKETS;
}

bool
lines_is_endless(const struct lines_source *source)
{
	return source->text != NULL && source->how.kind == READ_FILE;
}

ssize_t
lines_read(struct lines_source *source, char *bytes)
{
	int fd = source->target->fd, error;
	ssize_t n;

	if (!lines_is_endless(source))
		return read_now(fd, &source->how, bytes,
		    lines_is_message(source) ? LINES_LARGEST_SIZE :
					       LINES_PART_SIZE);
	n = read_on(fd, source->text, bytes, LINES_PART_SIZE);
	if (n <= 0)
		return n;
	error = read_pass(fd, source->text, bytes, (size_t)n);
	return error != 0 ? error : n;
}

ssize_t
lines_read_bytes(struct lines_source *source, int fd, char *bytes)
{
	int64_t unread;
	size_t done = 0;
	ssize_t n = 1;

	if (source->how.kind == READ_OTHER)
		return read_now(fd, &source->how, bytes, LINES_PART_SIZE);
	/*
	 * The end of a FIFO is read by itself: NetBSD 9.1 says it once
	 * (sys/miscfs/fifofs/fifo_vnops.c, fifo_read).
	 */
	unread = kernel_unread(fd);
	while (n == 1 && done < SINGLE_BYTES &&
	    (done == 0 || unread < 0 || (int64_t)done < unread)) {
		n = read_now(fd, &source->how, bytes + done, 1);
		if (n == 1 && bytes[done++] == '\n')
			break;
	}
	return done > 0 ? (ssize_t)done : n;
}

ssize_t
lines_peek(struct lines_source *source, int fd, char *bytes, size_t size)
{
	return lines_is_endless(source) ?
	    read_on(fd, source->text, bytes, size) :
	    read_peek(fd, &source->how, bytes, size);
}

/* What was printed has to be read, or it would be printed again. */
static ssize_t
read_printed(int fd, struct reader *how, char *bytes, size_t size)
{
	ssize_t n;

	while ((n = read_now(fd, how, bytes, size)) == -EINTR)
		;
	return n;
}

ssize_t
lines_consume(struct lines_source *source, int fd, char *bytes, size_t length)
{
	size_t done = 0;
	ssize_t n = 0;

	if (lines_is_endless(source))
		n = read_pass(fd, source->text, bytes, length);
	else if (source->how.kind == READ_FILE)
		n = read_skip(fd, (off_t)length);
	else if (lines_is_message(source))
		n = read_printed(fd, &source->how, bytes, LINES_LARGEST_SIZE);
	else
		while (done < length &&
		    (n = read_printed(fd, &source->how, bytes, length - done)) >
			0)
			done += (size_t)n;
	return n < 0 ? n : (ssize_t)length;
}

int
lines_is_stuck(struct lines_source *source, size_t length, bool *last)
{
	int64_t now;
	int answer;

	*last = false;
	if (length == LINES_LARGEST_SIZE)
		return true;
	/* nothing is added to it if another file has its name */
	if (lines_is_endless(source))
		return *last = source->named != NULL &&
		    tail_ended(source->named);
	answer = read_is_last(source->target->fd, &source->how, length);
	*last = answer == 1;
	if (answer != 0 || read_is_full(&source->how, length))
		return answer != 0 ? answer : true;
	now = clock_now();
	if (source->how.kind != READ_STREAM || length != source->unread) {
		source->unread = length;
		source->since = now;
		return false;
	}
	return length >= STUCK_BYTES && now - source->since >= STUCK_TIME;
}
