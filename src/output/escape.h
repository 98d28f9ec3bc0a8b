/* SPDX-License-Identifier: ISC */
/*
 * escape.h - how names are written where a terminal, a shell or a JSON parser
 * will read them.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stddef.h>

/*
 * Escape LENGTH bytes of NAME into TO, at most SIZE bytes: control characters
 * (C0, DEL, C1), those that separate lines, change the direction of others or are
 * not seen, backslash and bytes that are not UTF-8 come out as \\ \t \n \r and
 * \0ooo, which `printf %b' of any POSIX shell turns back.  Returns how
 * many bytes it wrote; characters that do not fit are left out.
 */
size_t escape(char *to, size_t size, const char *name, size_t length);

/*
 * The length in bytes of the UTF-8 character at S, of which LEFT bytes are
 * there; 0 if it is none (RFC 3629: nothing overlong, no surrogate).
 */
size_t utf8_length(const char *s, size_t left);

/* Append LENGTH bytes of NAME to the output, escaped as above. */
void output_escaped(const char *name, size_t length);

/*
 * The value of the member NAME of a JSON object: S, LENGTH bytes; what is no
 * UTF-8 as null and, beside it, NAME_base64.
 */
void output_json_bytes(const char *name, const char *s, size_t length);

/* A JSON string, quoted; every byte of NAME must be UTF-8. */
void output_json(const char *name, size_t length);
void output_base64(const char *bytes, size_t length);

#endif
