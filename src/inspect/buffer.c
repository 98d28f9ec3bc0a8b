/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "inspect/buffer.h"
#include "output/escape.h"

/* Make room for LENGTH bytes more and a NUL. */
static bool
grow(struct buffer *buffer, size_t length)
{
	size_t size = buffer->size == 0 ? 128 : buffer->size;
	char *grown;

	if (buffer->failed)
		return false;
	if (length < buffer->size - buffer->used)
		return true;
	while (length >= size - buffer->used)
		size *= 2;
	if ((grown = realloc(buffer->bytes, size)) == NULL) {
		buffer->failed = true;
		return false;
	}
	buffer->bytes = grown;
	buffer->size = size;
	return true;
}

void
buffer_bytes(struct buffer *buffer, const char *bytes, size_t length)
{
	if (!grow(buffer, length))
		return;
	/* no bytes may be at NULL, which memcpy(3) must not be given */
	if (length > 0)
		memcpy(buffer->bytes + buffer->used, bytes, length);
	buffer->used += length;
	buffer->bytes[buffer->used] = '\0';
}

void
buffer_put(struct buffer *buffer, const char *format, ...)
{
	char text[256];
	va_list arguments;
	int length;

	/* vsnprintf(3) costs more than what it appends */
	if (strchr(format, '%') == NULL) {
		buffer_bytes(buffer, format, strlen(format));
		return;
	}
	va_start(arguments, format);
	length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (length < (int)sizeof text) {
		buffer_bytes(buffer, text, length < 0 ? 0 : (size_t)length);
		return;
	}
	if (!grow(buffer, (size_t)length))
		return;
	va_start(arguments, format);
	(void)vsnprintf(buffer->bytes + buffer->used, (size_t)length + 1,
	    format, arguments);
	va_end(arguments);
	buffer->used += (size_t)length;
}

void
buffer_number(struct buffer *buffer, uint64_t value, unsigned base)
{
	char digits[20], *end = digits + sizeof digits,
			 *first = number_before(end, value, base);

	buffer_bytes(buffer, first, (size_t)(end - first));
}

/* A byte is at most five when it is escaped. */
void
buffer_name(struct buffer *buffer, const char *name, size_t length)
{
	if (!grow(buffer, 5 * length))
		return;
	buffer->used += escape(buffer->bytes + buffer->used, 5 * length, name,
	    length);
	buffer->bytes[buffer->used] = '\0';
}

void
buffer_free(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){ .bytes = NULL };
}
