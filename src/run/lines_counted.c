/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>

#include <errno.h>

#include "run/lines_counted.h"
#include "sys/read.h"

/* Put the bytes that are held as a record.  Returns -EINTR or -ENOMEM. */
static ssize_t
put_cut(struct lines_records *r, struct lines_source *source)
{
	int error = lines_add_cut(r, source->target, &source->holder->held);

	return error != 0 ? error : -EINTR;
}

/*
 * Peek at the unread bytes; *WANTED is set to the length of the records in them
 * that are wanted.  Returns as lines_peek, or -ENOMEM.
 */
static ssize_t
peek_records(struct lines_records *r, struct lines_source *source, int fd,
    char *bytes, size_t *wanted)
{
	const struct lines_held *held = &source->holder->held;
	ssize_t n = 0, length = 0;

	*wanted = 0;
	r->goal.found = false;
	for (size_t size = LINES_PART_SIZE; length == 0;
	     size = LINES_LARGEST_SIZE) {
		n = lines_peek(source, fd, bytes, size);
		if (n <= 0)
			return n;
		if (lines_is_message(source))
			length = n;
		/* the bytes held are a record if the line continues */
		else if (held->length == r->longest && bytes[0] != '\n')
			return put_cut(r, source);
		else
			length = lines_measure(r, held, bytes, (size_t)n);
		if ((size_t)n < size || size == LINES_LARGEST_SIZE)
			break;
	}
	*wanted = length > 0 ? (size_t)length : 0;
	return length < 0 ? length : n;
}

/* Take records from a source that cannot be peeked at.  Returns as read_now. */
static ssize_t
take_unpeeked(struct lines_records *r, struct lines_source *source, int fd,
    char *bytes)
{
	const struct target *t = source->target;
	struct lines_held *held = &source->holder->held;
	ssize_t n = lines_read_bytes(source, fd, bytes);
	int error = n <= 0 ? 0 : lines_add(r, t, held, bytes, (size_t)n);

	if (error == 0 && n > 0 && r->goal.partial && held->length > 0) {
		error = lines_goal_match_held(&r->goal, held);
		if (r->goal.matched)
			lines_add_unfinished(r, t, held);
	}
	return error != 0 ? error : n;
}

/*
 * Whether the unfinished line, the LENGTH bytes that were peeked at, is to be
 * consumed now, or -errno; *LAST: and to be printed as it is.
 */
static int
wants_unfinished(struct lines_records *r, struct lines_source *source,
    char *bytes, size_t length, bool ends, bool *last)
{
	int answer = 0;

	if (r->goal.partial || ends)
		answer = lines_goal_try(&r->goal, &source->holder->held, bytes,
		    length);
	if (answer < 0)
		return answer;
	r->goal.found = answer > 0;
	if (!r->goal.found && !ends)
		return lines_is_stuck(source, length, last);
	*last = true;
	return true;
}

/*
 * Print the records that the first WANTED of BYTES are, LAST being whether they
 * end without a newline, and then consume those that were printed.  Returns as
 * read_now.
 */
static ssize_t
print_and_consume(struct lines_records *r, struct lines_source *source, int fd,
    char *bytes, size_t wanted, bool last)
{
	bool whole = lines_is_message(source);
	size_t length;
	int error = lines_add_batch(r, source->target, &source->holder->held,
	    bytes, wanted, !whole, last);

	if (error != 0)
		return error;
	length = lines_write_batch(r, wanted, whole);
	return length == 0 ? -EINTR : lines_consume(source, fd, bytes, length);
}

ssize_t
lines_take_counted(struct lines_records *r, struct lines_source *source, int fd,
    char *bytes, bool ends)
{
	bool last = lines_is_message(source);
	size_t wanted;
	ssize_t n = peek_records(r, source, fd, bytes, &wanted);
	int answer;

	if (n == -EOPNOTSUPP)
		return take_unpeeked(r, source, fd, bytes);
	/*
	 * The end of file, or an empty message.  recvmsg(2) of FreeBSD 12.3
	 * and NetBSD 9.1 says of any message that it was cut if there is room
	 * for no byte (FreeBSD: sys/kern/uipc_socket.c, soreceive_dgram).
	 */
	if (n == 0 && !lines_is_endless(source))
		return read_now(fd, &source->how, bytes,
		    lines_is_message(source) ? 1 : 0);
	if (n <= 0)
		return n;
	if (wanted == 0) {
		answer = wants_unfinished(r, source, bytes, (size_t)n, ends,
		    &last);
		if (answer <= 0)
			return answer < 0 ? answer : -EINPROGRESS;
		wanted = (size_t)n;
	}
	return print_and_consume(r, source, fd, bytes, wanted, last);
}
