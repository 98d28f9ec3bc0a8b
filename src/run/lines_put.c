/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/output.h"
#include "run/lines_put.h"

/* A buffer of that size stays with its source when the line is finished. */
#define KEPT 16384

int
lines_hold(struct lines_held *line, const char *more, size_t length)
{
	size_t wanted = line->length + length, capacity;
	char *grown;

	if (length == 0)
		return 0;
	if (wanted >= line->capacity) {
		capacity = wanted + wanted / 4 + 64;
		grown = realloc(line->held, capacity);
		if (grown == NULL)
			return -ENOMEM;
		line->held = grown;
		line->capacity = capacity;
	}
	memcpy(line->held + line->length, more, length);
	line->length = wanted;
	return 0;
}

static void
let_go(struct lines_held *line)
{
	line->length = 0;
	if (line->capacity > KEPT) {
		free(line->held);
		line->held = NULL;
		line->capacity = 0;
	}
}

void
lines_put_head(struct lines_printer *p, const struct target *t)
{
	if (p->print->quiet)
		return;
	output_divert(p->head, sizeof p->head);
	print_source(p->print, t);
	p->head_length = output_restore();
}

/* Whether a record ends with the line itself. */
static bool
is_plain(const struct print_options *print)
{
	return !print->json && print->format == NULL;
}

/* FIRST was read before, and may be empty. */
static void
put_plain(const struct lines_printer *p, const char *first, size_t first_length,
    const char *line, size_t length)
{
	size_t needed = p->head_length + first_length + length + 1;

	if (needed <= OUTPUT_SIZE)
		(void)output_room(needed);
	output_bytes(p->head, p->head_length);
	output_bytes(first, first_length);
	output_bytes(line, length);
	output_character(p->print->null ? '\0' : '\n');
}

/* The same for a line that is followed by the byte that ends its record. */
static void
put_line(const struct lines_printer *p, const char *line, size_t length)
{
	size_t needed = p->head_length + length + 1;
	char *to;

	if (needed > OUTPUT_SIZE) {
		output_bytes(p->head, p->head_length);
		output_bytes(line, length + 1);
		return;
	}
	to = output_room(needed);
	memcpy(to, p->head, p->head_length);
	memcpy(to + p->head_length, line, length + 1);
	output_filled(needed);
}

static void
put_other(const struct lines_printer *p, const struct target *t,
    const char *line, size_t length)
{
	output_bytes(p->head, p->head_length);
	print_line(p->print, t, line, length);
	output_character(p->print->null ? '\0' : '\n');
}

void
lines_put(struct lines_printer *p, const struct target *t, const char *line,
    size_t length, bool ended)
{
	if (p->print->quiet)
		return;
	if (!is_plain(p->print))
		put_other(p, t, line, length);
	else if (ended && !p->print->null)
		put_line(p, line, length);
	else
		put_plain(p, "", 0, line, length);
}

int
lines_put_joined(struct lines_printer *p, const struct target *t,
    struct lines_held *line, const char *more, size_t length)
{
	if (!p->print->quiet && is_plain(p->print))
		put_plain(p, line->held, line->length, more, length);
	else if (!p->print->quiet) {
		if (lines_hold(line, more, length) != 0)
			return -ENOMEM;
		put_other(p, t, line->held, line->length);
	}
	let_go(line);
	return 0;
}
