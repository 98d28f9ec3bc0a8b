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
#include "output/output.h"
#include "sys/read.h"
#include "sys/sigdefer.h"
#include "sys/timeout.h"

/* Once the time is over, a reader that takes nothing is given so long: ns. */
#define GRACE (INT64_C(1000) * 1000000)

static char buffer[OUTPUT_SIZE];
static size_t used;
static int failure; /* -errno of the first failed write */
static uint64_t written;
static deadline_t limit = DEADLINE_NEVER;
static bool in_pieces; /* since write_now is refused, or not wanted */

/* Where what is appended goes in the place of the buffer. */
static struct {
	char *to; /* or NULL */
	size_t size, used;
} other;

size_t
utf8_length(const char *s, size_t left)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		length = 2;
	else if (u[0] >= 0xe0 && u[0] <= 0xef)
		length = 3;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (left < length)
		return 0;
	/* the second byte rules out overlong forms, surrogates, > U+10FFFF */
	switch (u[0]) {
	case 0xe0:
		low = 0xa0;
		break;
	case 0xed:
		high = 0x9f;
		break;
	case 0xf0:
		low = 0x90;
		break;
	case 0xf4:
		high = 0x8f;
		break;
	default:
		break;
	}
	if (u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (u[i] < 0x80 || u[i] > 0xbf)
			return 0;
	return length;
}

/* The bytes of one escaped character, at most 8 of them; all of it counts. */
static size_t
escape_character(char *to, const char *s, size_t length)
{
	static const char plain[] = "\\\t\n\r", letters[] = "\\tnr";
	const unsigned char *u = (const unsigned char *)s;
	const char *found;
	size_t n = 0;

	if (length == 1 && u[0] != '\0' &&
	    (found = strchr(plain, s[0])) != NULL) {
		to[0] = '\\';
		to[1] = letters[found - plain];
		return 2;
	}
	for (size_t i = 0; i < length; i++, n += 5) {
		to[n] = '\\';
		to[n + 1] = '0';
		to[n + 2] = (char)('0' + (u[i] >> 6));
		to[n + 3] = (char)('0' + (u[i] >> 3 & 7));
		to[n + 4] = (char)('0' + (u[i] & 7));
	}
	return n;
}

static bool
needs_escape(const char *s, size_t length)
{
	const unsigned char *u = (const unsigned char *)s;

	if (length == 1)
		return u[0] < 0x20 || u[0] == 0x7f || u[0] == '\\';
	/* C1: U+0080 to U+009F */
	return length == 2 && u[0] == 0xc2 && u[1] < 0xa0;
}

/*
 * The next piece of NAME as it is to be written: *PIECE points at the name
 * itself or at SPACE (10 bytes).  Returns how much of the name it stands for.
 */
static size_t
next_piece(const char *name, size_t left, char *space, const char **piece,
    size_t *length)
{
	size_t n = utf8_length(name, left);

	if (n != 0 && !needs_escape(name, n)) {
		*piece = name;
		*length = n;
		return n;
	}
	if (n == 0)
		n = 1;
	*piece = space;
	*length = escape_character(space, name, n);
	return n;
}

size_t
escape(char *to, size_t size, const char *name, size_t length)
{
	size_t done = 0, n, piece_length;
	const char *piece;
	char space[10];

	for (size_t i = 0; i < length; i += n) {
		n = next_piece(name + i, length - i, space, &piece,
		    &piece_length);
		if (piece_length > size - done)
			break;
		memcpy(to + done, piece, piece_length);
		done += piece_length;
	}
	return done;
}

/* As poll(2), for at most NS nanoseconds. */
static int
await_room(int64_t ns)
{
	struct pollfd p = { STDOUT_FILENO, POLLOUT, 0 };

	return poll(&p, 1, timeout_milliseconds(ns));
}

/* How long its reader is waited for: ns, or -1. */
static int64_t
patience(void)
{
	int64_t left = deadline_left(limit);

	if (sigdefer_pending())
		return 0;
	return left != -1 && left < GRACE ? GRACE : left;
}

/*
 * How many of LENGTH bytes to write so that write(2) does not wait: so many a
 * pipe takes at once if it takes any (pipe(7)).  Whole records if that can be,
 * since the rest may never be written.
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
	ssize_t n;

	if (in_pieces || sigdefer_pending() || deadline_left(limit) == 0)
		return -EOPNOTSUPP;
	n = write_now(STDOUT_FILENO, bytes, length);
	in_pieces = n == -EOPNOTSUPP;
	return n;
}

/*
 * As write(2); but if its reader is not to be waited for, or not for ever, it
 * does not wait longer than that: EAGAIN.
 */
static ssize_t
write_some(const char *bytes, size_t length)
{
	ssize_t n;

	/* a signal interrupts a longer write anywhere, but not a piece */
	if (limit == DEADLINE_NEVER && !sigdefer_pending())
		return write(STDOUT_FILENO, bytes,
		    in_pieces ? piece(bytes, length) : length);
	n = write_whole(bytes, length);
	if (n >= 0)
		return n;
	if (n != -EOPNOTSUPP) {
		errno = (int)-n;
		return -1;
	}
	switch (await_room(patience())) {
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
 * It could not be written, as errno says.  Returns 0 if it is to be tried
 * again, or -errno.
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

static void
write_out(const char *bytes, size_t length)
{
	size_t done = 0;
	ssize_t n;

	while (done < length && failure == 0) {
		n = write_some(bytes + done, length - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == -1)
			failure = wait_or_fail();
	}
	written += done;
}

void
output_until(deadline_t deadline, bool whole)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == -1 || S_ISREG(st.st_mode))
		return;
	in_pieces = whole;
	limit = deadline;
}

bool
output_is_ready(void)
{
	return await_room(0) != 0;
}

void
output_await(void)
{
	(void)await_room(deadline_left(limit));
}

uint64_t
output_written(void)
{
	return written;
}

uint64_t
output_appended(void)
{
	return written + used;
}

size_t
output_used(void)
{
	return used;
}

int
output_flush(void)
{
	sigdefer_begin();
	write_out(buffer, used);
	used = 0;
	sigdefer_end();
	return failure;
}

int
output_failed(void)
{
	return failure;
}

int
output_close(void)
{
	int error = output_flush();

	/* the kernel may report a full disk or quota only now (NFS) */
	if (error == 0 && written > 0 && close(STDOUT_FILENO) == -1 &&
	    errno != EINTR)
		error = failure = -errno;
	return error;
}

void
output_divert(char *to, size_t size)
{
	other.to = to;
	other.size = size;
	other.used = 0;
}

size_t
output_restore(void)
{
	other.to = NULL;
	return other.used;
}

static void
append_other(const char *bytes, size_t length)
{
	size_t left = other.size - other.used;

	if (length > left)
		length = left;
	memcpy(other.to + other.used, bytes, length);
	other.used += length;
}

static void
append_long(const char *bytes, size_t length)
{
	output_flush();
	if (length > sizeof buffer) {
		sigdefer_begin();
		write_out(bytes, length);
		sigdefer_end();
	} else {
		memcpy(buffer, bytes, length);
		used = length;
	}
}

void
output_bytes(const char *bytes, size_t length)
{
	if (other.to != NULL)
		append_other(bytes, length);
	else if (length > sizeof buffer - used)
		append_long(bytes, length);
	else {
		memcpy(buffer + used, bytes, length);
		used += length;
	}
}

char *
output_room(size_t length)
{
	if (length > sizeof buffer - used)
		output_flush();
	return buffer + used;
}

void
output_filled(size_t length)
{
	used += length;
}

void
output_string(const char *string)
{
	output_bytes(string, strlen(string));
}

void
output_character(char c)
{
	output_bytes(&c, 1);
}

static void
output_unsigned(uint64_t number, unsigned base)
{
	char digits[20];
	size_t n = sizeof digits;

	do
		digits[--n] = "0123456789abcdef"[number % base];
	while ((number /= base) != 0);
	output_bytes(digits + n, sizeof digits - n);
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

void
output_escaped(const char *name, size_t length)
{
	size_t n, piece_length;
	const char *piece;
	char space[10];

	for (size_t i = 0; i < length; i += n) {
		n = next_piece(name + i, length - i, space, &piece,
		    &piece_length);
		output_bytes(piece, piece_length);
	}
}

/* A JSON string says them in another way (RFC 8259); C1 is two bytes. */
static bool
is_special(const unsigned char *u)
{
	return u[0] < 0x20 || u[0] == 0x7f || u[0] == '"' || u[0] == '\\' ||
	    (u[0] == 0xc2 && u[1] < 0xa0);
}

static size_t
put_special(const unsigned char *u)
{
	static const char hex[] = "0123456789abcdef";
	size_t length = u[0] == 0xc2 ? 2 : 1;
	char text[] = "\\u00..";

	if (u[0] == '"' || u[0] == '\\') {
		text[1] = (char)u[0];
		output_bytes(text, 2);
	} else {
		text[4] = hex[u[length - 1] >> 4];
		text[5] = hex[u[length - 1] & 15];
		output_bytes(text, 6);
	}
	return length;
}

void
output_json(const char *name, size_t length)
{
	const unsigned char *u = (const unsigned char *)name;
	size_t plain = 0, i = 0;

	output_character('"');
	while (i < length) {
		if (!is_special(u + i)) {
			i++;
			continue;
		}
		output_bytes(name + plain, i - plain);
		i += put_special(u + i);
		plain = i;
	}
	output_bytes(name + plain, length - plain);
	output_character('"');
}

void
output_base64(const char *bytes, size_t length)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *u = (const unsigned char *)bytes;
	uint32_t bits;

	for (size_t i = 0; i < length; i += 3) {
		bits = (uint32_t)u[i] << 16;
		if (i + 1 < length)
			bits |= (uint32_t)u[i + 1] << 8;
		if (i + 2 < length)
			bits |= u[i + 2];
		output_character(alphabet[bits >> 18]);
		output_character(alphabet[bits >> 12 & 63]);
		output_character(
		    i + 1 < length ? alphabet[bits >> 6 & 63] : '=');
		output_character(i + 2 < length ? alphabet[bits & 63] : '=');
	}
}
