/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session/core.h"
#include "session/input.h"

#define INPUT_SIZE 65536
#define INPUT_LARGE ((size_t)16 * INPUT_SIZE) /* freed when empty */
#define INPUT_MOST ((size_t)2048 * INPUT_SIZE) /* one request */

/* The request that begins here is too long. */
static void
refuse_long(struct session *s)
{
	struct input *in = &s->input;
	struct tokenizer words = { in->bytes + in->begin, in->bytes + in->end };
	const char *tag = NULL;
	size_t length = 0;
	int status = tokenize_tag(&words, &tag, &length);

	if (status == 0)
		status = diag_usage("a request has at most %zu bytes",
		    INPUT_MOST);
	session_answer(s, status, tag, length);
	in->skipping = true;
	in->begin = in->end = in->scanned = 0;
}

/* A request that is too long ends at END, or with the input. */
static void
skip(struct input *in, const char *end)
{
	in->skipping = false;
	in->begin = in->scanned = end == NULL ? in->end :
						(size_t)(end - in->bytes) + 1;
}

bool
input_next(struct session *s, char **from, char **end)
{
	struct input *in = &s->input;

	if (in->bytes == NULL)
		return false;
	for (;;) {
		*end = memchr(in->bytes + in->scanned, '\n',
		    in->end - in->scanned);
		if (!in->skipping || (*end == NULL && !in->ended))
			break;
		skip(in, *end);
	}
	if (*end == NULL && (!in->ended || in->begin == in->end)) {
		in->scanned = in->end;
		return false;
	}
	if (*end == NULL)
		*end = in->bytes + in->end;
	*from = in->bytes + in->begin;
	in->begin = in->scanned = (size_t)(*end - in->bytes) +
	    (*end < in->bytes + in->end);
	return true;
}

/* Room for more, and one byte behind it.  Returns 0 or -ENOMEM. */
static int
make_room(struct session *s)
{
	struct input *in = &s->input;
	size_t size = in->capacity;
	char *bytes;

	if (in->begin > 0) {
		memmove(in->bytes, in->bytes + in->begin, in->end - in->begin);
		in->end -= in->begin;
		in->scanned = in->end;
		in->begin = 0;
	}
	if (in->skipping)
		in->end = in->scanned = 0;
	else if (in->end == INPUT_MOST)
		refuse_long(s);
	if (in->end == 0 && size > INPUT_LARGE)
		size = INPUT_SIZE;
	else if (in->end == size)
		size = size == 0 ? INPUT_SIZE : 2 * size;
	if (size == in->capacity)
		return 0;
	bytes = realloc(in->bytes, size + 1);
	if (bytes == NULL)
		return -ENOMEM;
	in->bytes = bytes;
	in->capacity = size;
	return 0;
}

int
input_read(struct session *s)
{
	struct input *in = &s->input;
	ssize_t n;

	s->input_ready = false;
	if (make_room(s) != 0) {
		diag_capture(NULL);
		return diag_system(ENOMEM, NULL, "a request");
	}
	n = read(STDIN_FILENO, in->bytes + in->end, in->capacity - in->end);
	if (n > 0)
		in->end += (size_t)n;
	else if (n == 0)
		in->ended = true;
	else if (errno != EINTR && errno != EAGAIN) {
		diag_capture(NULL);
		return diag_system(errno, NULL, "standard input");
	}
	return 0;
}

void
input_close(struct session *s)
{
	free(s->input.bytes);
	s->input.bytes = NULL;
}
