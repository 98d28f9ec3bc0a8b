/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "output/escape.h"
#include "output/output.h"

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
is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '\\';
}

static bool
needs_escape(const char *s, size_t length)
{
	const unsigned char *u = (const unsigned char *)s;

	if (length == 1)
		return !is_plain(*s);
	/* C1: U+0080 to U+009F */
	return length == 2 && u[0] == 0xc2 && u[1] < 0xa0;
}

/*
 * The next piece of NAME in its escaped form: *PIECE points at the name itself
 * or at SPACE (10 bytes).  Returns how many bytes of the name it stands for.
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

/* How many characters of ASCII at the start of S need no escape. */
static size_t
plain_length(const char *s, size_t length)
{
	size_t n = 0;

	while (n < length && is_plain(s[n]))
		n++;
	return n;
}

void
output_escaped(const char *name, size_t length)
{
	size_t n = plain_length(name, length), piece_length;
	const char *piece;
	char space[10];

	output_bytes(name, n);
	for (size_t i = n; i < length; i += n) {
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

static bool
is_utf8(const char *s, size_t length)
{
	size_t n;

	for (; length > 0; s += n, length -= n)
		if ((n = utf8_length(s, length)) == 0)
			return false;
	return true;
}

void
output_json_bytes(const char *name, const char *s, size_t length)
{
	if (is_utf8(s, length)) {
		output_json(s, length);
		return;
	}
	output_string("null,\"");
	output_string(name);
	output_string("_base64\":\"");
	output_base64(s, length);
	output_character('"');
}
