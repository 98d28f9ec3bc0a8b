/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
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

/* The number of the character at S, LENGTH bytes of UTF-8. */
static uint32_t
code_point(const char *s, size_t length)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const unsigned char *u = (const unsigned char *)s;
	uint32_t code = u[0] & mask[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (u[i] & 0x3f);
	return code;
}

/*
 * Whether CODE is a control character, C1 included, or one that separates lines,
 * changes how or in which direction others are shown, or is not seen itself
 * (Unicode: Zl, Zp, and of Cf those of no script).
 */
static bool
is_control(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = { { 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad },
		{ 0x61c, 0x61c }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
		{ 0xe0000, 0xe007f } };

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (code <= ranges[i].last)
			return code >= ranges[i].first;
	return false;
}

/* The bytes of one escaped character; all of it counts. */
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
	return length == 1 ? !is_plain(*s) : is_control(code_point(s, length));
}

/* Each of the four bytes that a character has at most becomes five. */
#define LONGEST 20

/*
 * The next piece of NAME in its escaped form: *PIECE points at the name itself
 * or at SPACE (LONGEST bytes).  Returns how many bytes of the name it stands for.
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
	char space[LONGEST];

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
	char space[LONGEST];

	output_bytes(name, n);
	for (size_t i = n; i < length; i += n) {
		n = next_piece(name + i, length - i, space, &piece,
		    &piece_length);
		output_bytes(piece, piece_length);
	}
}

/* A JSON string has its own form for them (RFC 8259). */
static bool
is_special(uint32_t code)
{
	return code == '"' || code == '\\' || is_control(code);
}

/* "\u202e"; of UTF-16, as all that JSON escapes. */
static void
put_unit(uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";
	char text[] = "\\u....";

	for (int i = 5; i > 1; i--, unit >>= 4)
		text[i] = hex[unit & 15];
	output_bytes(text, 6);
}

static void
put_special(uint32_t code)
{
	if (code == '"' || code == '\\') {
		output_character('\\');
		output_character((char)code);
	} else if (code > 0xffff) {
		put_unit(0xd800 + ((code - 0x10000) >> 10));
		put_unit(0xdc00 + (code & 0x3ff));
	} else
		put_unit(code);
}

void
output_json(const char *name, size_t length)
{
	size_t plain = 0, n;
	uint32_t code;

	output_character('"');
	for (size_t i = 0; i < length; i += n) {
		n = is_plain(name[i]) && name[i] != '"' ?
		    0 :
		    utf8_length(name + i, length - i);
		code = n == 0 ? ' ' : code_point(name + i, n);
		n += n == 0;
		if (!is_special(code))
			continue;
		output_bytes(name + plain, i - plain);
		put_special(code);
		plain = i + n;
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
