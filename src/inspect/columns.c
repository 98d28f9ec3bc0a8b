/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect/columns.h"
#include "output/escape.h"
#include "output/output.h"

/* Blanks between two columns. */
#define GAP 2

void
columns_begin(struct columns *columns, size_t count,
    const char *const *headings)
{
	memset(columns, 0, sizeof *columns);
	columns->count = count;
	columns->aligned = isatty(STDOUT_FILENO) == 1;
	for (size_t i = 0; columns->aligned && i < count; i++)
		columns_add(columns, headings[i]);
}

/*
 * The cell of LENGTH bytes at TEXT, to standard output, and what is between it
 * and the next one.
 */
static void
put(struct columns *columns, const char *text, size_t length)
{
	output_bytes(text, length);
	columns->column = (columns->column + 1) % columns->count;
	output_character(columns->column == 0 ? '\n' : '\t');
}

/* Room for LENGTH bytes more, or NULL. */
static char *
reserve(struct columns *columns, size_t length)
{
	size_t wanted = 2 * columns->size + length + 256;
	char *grown;

	if (columns->used + length > columns->size) {
		grown = realloc(columns->text, wanted);
		if (grown == NULL) {
			columns->failed = true;
			return NULL;
		}
		columns->text = grown;
		columns->size = wanted;
	}
	return columns->text + columns->used;
}

void
columns_add(struct columns *columns, const char *text)
{
	size_t length;
	char *to;

	if (*text == '\0')
		text = "-";
	length = strlen(text);
	if (!columns->aligned)
		put(columns, text, length);
	else if ((to = reserve(columns, length + 1)) != NULL) {
		memcpy(to, text, length + 1);
		columns->used += length + 1;
	}
}

void
columns_add_name(struct columns *columns, const char *name, size_t length)
{
	/* a byte becomes five at most: \0ooo */
	size_t most = 5 * length + 1, n;
	char *to;

	if (length == 0) {
		columns_add(columns, "");
		return;
	}
	to = reserve(columns, most);
	if (to == NULL)
		return;
	n = escape(to, most - 1, name, length);
	if (columns->aligned) {
		to[n] = '\0';
		columns->used += n + 1;
	} else
		put(columns, to, n);
}

size_t
columns_width(const char *text, size_t length)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++)
		n += (text[i] & 0xc0) != 0x80;
	return n;
}

/* The widths of the columns, the caller's to free, or NULL. */
static size_t *
measure(const struct columns *columns)
{
	size_t *widths = calloc(columns->count, sizeof *widths), i = 0, w;
	const char *end = columns->text + columns->used;

	for (const char *cell = columns->text; widths != NULL && cell < end;
	     cell += strlen(cell) + 1) {
		w = columns_width(cell, strlen(cell));
		if (w > widths[i])
			widths[i] = w;
		i = (i + 1) % columns->count;
	}
	return widths;
}

static void
put_aligned(const struct columns *columns, const size_t *widths)
{
	const char *end = columns->text + columns->used, *cell = columns->text;

	for (size_t i = 0; cell < end; cell += strlen(cell) + 1) {
		output_string(cell);
		if (++i == columns->count) {
			output_character('\n');
			i = 0;
			continue;
		}
		for (size_t w = columns_width(cell, strlen(cell));
		     w < widths[i - 1] + GAP; w++)
			output_character(' ');
	}
}

int
columns_print(struct columns *columns)
{
	size_t *widths = columns->aligned ? measure(columns) : NULL;
	bool failed = columns->failed || (columns->aligned && widths == NULL);

	if (!failed && columns->aligned)
		put_aligned(columns, widths);
	free(widths);
	free(columns->text);
	columns->text = NULL;
	columns->used = columns->size = 0;
	return failed ? -ENOMEM : 0;
}
