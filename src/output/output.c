/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/number.h"
#include "base/pmux.h"
#include "output/output.h"
#include "sys/read.h"
#include "sys/sigdefer.h"
#include "sys/signals.h"
#include "sys/timeout.h"

/* Once the time is over, a reader that takes nothing is given so long: ns. */
#define GRACE (INT64_C(1000) * 1000000)

void
output_begin(struct output *output)
{
	output->limit = DEADLINE_NEVER;
}

static int
poll_room(void *ns)
{
	struct pollfd p = { STDOUT_FILENO, POLLOUT, 0 };

	return timeout_poll(&p, 1, *(int64_t *)ns);
}

/*
 * Where the process goes on, a signal must not come between the check for it
 * and the sleep.  If the host leaves the call for it, the remaining bytes are
 * not written: that might block again.
 */
static int
sleep_for(int (*wait)(void *argument), void *argument)
{
	struct output *o = pmux->output;
	int failure = o->failure, n;

	o->failure = -EINTR;
	n = pmux_sleep(wait, argument);
	o->failure = failure;
	return n;
}

/* As poll(2), for at most NS nanoseconds. */
static int
await_room(int64_t ns)
{
	int n;

	if (pmux->host->put != NULL)
		return 1;
	n = pmux->host->stays && !pmux->output->leaving && ns != 0 ?
	    sleep_for(poll_room, &ns) :
	    poll_room(&ns);
	if (n >= 0)
		return n;
	errno = -n;
	return -1;
}

/* How long its reader is waited for: ns, or -1. */
static int64_t
patience(void)
{
	struct output *o = pmux->output;
	int64_t left = deadline_left(o->limit);

	if (sigdefer_pending())
		return 0;
	return left != -1 && left < GRACE ? GRACE : left;
}

/*
 * How many of LENGTH bytes to write so that write(2) does not block: a pipe
 * that takes any takes PIPE_BUF at once (pipe(7)).  Whole records where
 * possible, since what follows may never be written.
 */
static size_t
piece(const char *bytes, size_t length)
{
	size_t n = PIPE_BUF;

	if (length <= n)
		return length;
	while (n > 0 && bytes[n - 1] != '\n')
		n--;
	return n > 0 ? n : PIPE_BUF;
}

/* As write_now; but -EOPNOTSUPP also where pieces are wanted. */
static ssize_t
write_whole(const char *bytes, size_t length)
{
	struct output *o = pmux->output;
	ssize_t n;

	if (o->in_pieces || sigdefer_pending() || deadline_left(o->limit) == 0)
		return -EOPNOTSUPP;
	n = write_now(STDOUT_FILENO, bytes, length);
	o->in_pieces = n == -EOPNOTSUPP;
	return n;
}

/*
 * As write(2); but if its reader is not to be waited for, or not for ever, it
 * does not wait longer than that: EAGAIN.
 */
static ssize_t
write_some(const char *bytes, size_t length)
{
	struct output *o = pmux->output;
	ssize_t n;

	/* a signal interrupts a longer write anywhere, but not a piece */
	if (o->limit == DEADLINE_NEVER && !sigdefer_pending() &&
	    (!pmux->host->stays || o->leaving))
		return write(STDOUT_FILENO, bytes,
		    o->in_pieces ? piece(bytes, length) : length);
	n = write_whole(bytes, length);
	if (n >= 0)
		return n;
	if (n != -EOPNOTSUPP) {
		errno = (int)-n;
		return -1;
	}
	/* write_silently blocks a signal meanwhile: its caller sleeps */
	switch (await_room(pmux->host->stays ? 0 : patience())) {
	case 0:
		errno = EAGAIN;
		return -1;
	case 1:
		return write(STDOUT_FILENO, bytes, piece(bytes, length));
	default:
		return -1;
	}
}

/*
 * A write failed with errno.  Returns 0 if the caller should try again, or
 * -errno.
 */
static int
wait_or_fail(void)
{
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	/* a descriptor that does not block */
	switch (await_room(patience())) {
	case 0:
		return -EAGAIN;
	case 1:
		return 0;
	default:
		return errno == EINTR ? 0 : -errno;
	}
}

/* As write_some, without the SIGPIPE that would end a process that goes on. */
static ssize_t
write_silently(const char *bytes, size_t length)
{
	sigset_t old;
	ssize_t n;
	int error;

	if (!pmux->host->stays)
		return write_some(bytes, length);
	signals_hold(SIGPIPE, &old);
	n = write_some(bytes, length);
	error = errno;
	signals_drop(SIGPIPE, &old);
	errno = error;
	return n;
}

static int
do_nothing(void *argument)
{
	(void)argument;
	return -EINTR;
}

static void
write_out(const char *bytes, size_t length)
{
	struct pmux_host *host = pmux->host;
	struct output *o = pmux->output;
	size_t done = 0;
	ssize_t n;

	if (host->put != NULL && length > 0 && o->failure == 0) {
		o->failure = host->put(host, bytes, length);
		done = length;
	}
	while (done < length && o->failure == 0) {
		n = write_silently(bytes + done, length - done);
		if (n == -1 && errno == EINTR && host->stays && !o->leaving)
			(void)sleep_for(do_nothing, NULL);
		else if (n > 0)
			done += (size_t)n;
		else if (n == -1)
			o->failure = wait_or_fail();
	}
	o->written += done;
}

void
output_until(deadline_t deadline, bool whole)
{
	struct output *o = pmux->output;
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == -1 || S_ISREG(st.st_mode))
		return;
	o->in_pieces = whole;
	o->limit = deadline;
}

bool
output_is_ready(void)
{
	return await_room(0) != 0;
}

void
output_await(void)
{
	(void)await_room(deadline_left(pmux->output->limit));
}

uint64_t
output_written(void)
{
	return pmux->output->written;
}

uint64_t
output_appended(void)
{
	struct output *o = pmux->output;

	return o->written + o->used;
}

size_t
output_used(void)
{
	return pmux->output->used;
}

int
output_flush(void)
{
	struct output *o = pmux->output;

	sigdefer_begin();
	write_out(o->buffer, o->used);
	o->used = 0;
	sigdefer_end();
	return o->failure;
}

int
output_failed(void)
{
	return pmux->output->failure;
}

void
output_leave(void)
{
	pmux->output->leaving = true;
	output_until(DEADLINE_PASSED, false);
	(void)output_flush();
}

int
output_close(void)
{
	struct output *o = pmux->output;
	int error = output_flush();

	/* the kernel may report a full disk or quota only now (NFS) */
	if (error == 0 && o->written > 0 && !pmux->host->stays &&
	    close(STDOUT_FILENO) == -1 && errno != EINTR)
		error = o->failure = -errno;
	return error;
}

void
output_divert(char *to, size_t size)
{
	struct output *o = pmux->output;

	o->other.to = to;
	o->other.size = size;
	o->other.used = 0;
}

size_t
output_restore(void)
{
	struct output *o = pmux->output;

	o->other.to = NULL;
	return o->other.used;
}

static void
append_other(const char *bytes, size_t length)
{
	struct output *o = pmux->output;
	size_t left = o->other.size - o->other.used;

	if (length > left)
		length = left;
	memcpy(o->other.to + o->other.used, bytes, length);
	o->other.used += length;
}

static void
append_long(const char *bytes, size_t length)
{
	struct output *o = pmux->output;

	output_flush();
	if (length > sizeof o->buffer) {
		sigdefer_begin();
		write_out(bytes, length);
		sigdefer_end();
	} else {
		memcpy(o->buffer, bytes, length);
		o->used = length;
	}
}

void
output_bytes(const char *bytes, size_t length)
{
	struct output *o = pmux->output;

	if (o->other.to != NULL)
		append_other(bytes, length);
	else if (length > sizeof o->buffer - o->used)
		append_long(bytes, length);
	else {
		memcpy(o->buffer + o->used, bytes, length);
		o->used += length;
	}
}

char *
output_room(size_t length)
{
	struct output *o = pmux->output;

	if (length > sizeof o->buffer - o->used)
		output_flush();
	return o->buffer + o->used;
}

void
output_filled(size_t length)
{
	pmux->output->used += length;
}

void
output_string(const char *string)
{
	output_bytes(string, strlen(string));
}

void
output_character(char c)
{
	struct output *o = pmux->output;

	if (o->other.to != NULL || o->used == sizeof o->buffer)
		output_bytes(&c, 1);
	else
		o->buffer[o->used++] = c;
}

static void
output_unsigned(uint64_t number, unsigned base)
{
	char digits[20], *end = digits + sizeof digits,
			 *first = number_before(end, number, base);

	output_bytes(first, (size_t)(end - first));
}

void
output_number(int64_t number)
{
	if (number < 0)
		output_character('-');
	output_unsigned(number < 0 ? -(uint64_t)number : (uint64_t)number, 10);
}

void
output_hex(uint32_t number)
{
	output_string("0x");
	output_unsigned(number, 16);
}
