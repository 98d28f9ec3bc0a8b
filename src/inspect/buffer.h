/* SPDX-License-Identifier: ISC */
/*
 * buffer.h - text that grows, for what is put together before it is printed.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/diag.h"

/* All zero: empty. */
struct buffer {
	char *bytes;
	size_t used, size;
	bool failed; /* there was no memory: what was appended is lost */
};

/*
 * Append; buffer_name escapes what it appends (output/escape.h), and
 * buffer_number costs less than a format.  BASE is 10 or 16.
 */
void buffer_put(struct buffer *buffer, const char *format, ...)
    PRINTF_LIKE(2, 3);
void buffer_bytes(struct buffer *buffer, const char *bytes, size_t length);
void buffer_number(struct buffer *buffer, uint64_t value, unsigned base);
void buffer_name(struct buffer *buffer, const char *name, size_t length);

void buffer_free(struct buffer *buffer);

#endif
