/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/ioctl.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "inspect/trace/picture.h"

/* Where the terminal does not say. */
#define WIDTH 80
#define NARROWEST 40

/* No name takes more of a line. */
#define LONGEST_NAME 32
#define SHORTEST_NAME 15

#define RED "\033[31m"
#define PLAIN "\033[m"

/* What a cell shows: from nothing to all of it, in eighths. */
static const char *const blocks[] = { " ", "\342\226\201", "\342\226\202",
	"\342\226\203", "\342\226\204", "\342\226\205", "\342\226\206",
	"\342\226\207", "\342\226\210" };
static const char *const letters[] = { " ", ".", ":", "-", "=", "+", "*", "%",
	"#" };
#define ALL 8
#define HALF 4

/* The first of the variables of locale(7) that is set decides. */
static bool
is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value = NULL, *dot;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		value = getenv(names[i]);
		if (value != NULL && *value != '\0')
			break;
	}
	dot = value == NULL ? NULL : strchr(value, '.');
	return dot != NULL &&
	    (strncasecmp(dot, ".UTF-8", 6) == 0 ||
		strncasecmp(dot, ".UTF8", 5) == 0);
}

void
picture_choose(struct picture *p)
{
	const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");
	bool dumb = term == NULL || *term == '\0' || strcmp(term, "dumb") == 0;
	struct winsize size = { 0, 0, 0, 0 };
	bool terminal = isatty(STDOUT_FILENO) == 1;

	p->terminal = terminal;
	p->live = terminal && !dumb;
	/* a file is read where the locale is known, but not the terminal */
	p->blocks = is_utf8() && !(terminal && dumb) &&
	    (term == NULL || strcmp(term, "dumb") != 0);
	p->colour = p->live && (plain == NULL || *plain == '\0');
	p->width = WIDTH;
	p->height = 0;
	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	    size.ws_col > 0) {
		p->width = size.ws_col < NARROWEST ? NARROWEST : size.ws_col;
		/* one line is left for the cursor */
		p->height = p->live && size.ws_row > 4 ? size.ws_row - 1u : 0;
	}
}

void
picture_name(const struct samples *l, const struct samples_target *t,
    struct buffer *buffer)
{
	const struct samples_process *p = t->process;

	if (l->process_count > 1) {
		buffer_name(buffer, p->comm, strlen(p->comm));
		buffer_put(buffer, "[%ld]/", (long)p->pid);
	}
	buffer_put(buffer, "%d %s", t->number, kind_name(t->d.kind));
}

/* ---- lines ---- */

struct drawing {
	const struct picture *picture;
	const struct samples *samples;
	struct buffer *buffer;
	const char *end;
	size_t name_width, cell_count;
	struct series_cell *cells;
	int64_t cell_width; /* ns */
	size_t lines;
	bool red; /* what is appended comes out red */
};

/* In characters: the bytes of UTF-8 that begin one. */
static size_t
characters(const char *bytes, size_t length)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++)
		n += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	return n;
}

/* NAME in its column, cut where it is longer, and ROW. */
static void
put_head(struct drawing *d, const struct buffer *name, const char *row)
{
	size_t length = name->used;

	while (characters(name->bytes, length) > d->name_width)
		length--;
	/* no character is cut */
	while (length < name->used && length > 0 &&
	    ((unsigned char)name->bytes[length] & 0xc0) == 0x80)
		length--;
	buffer_bytes(d->buffer, name->bytes, length);
	buffer_put(d->buffer, "%*s  %-6s ",
	    (int)(d->name_width - characters(name->bytes, length)), "", row);
}

static void
set_red(struct drawing *d, bool red)
{
	if (d->picture->colour && red != d->red)
		buffer_put(d->buffer, "%s", red ? RED : PLAIN);
	d->red = red;
}

static void
put_cell(struct drawing *d, unsigned eighths, bool fault)
{
	set_red(d, fault);
	if (fault && !d->picture->colour)
		buffer_put(d->buffer, "!");
	else
		buffer_put(d->buffer, "%s",
		    d->picture->blocks ? blocks[eighths] : letters[eighths]);
}

/* How much of a cell TIME is. */
static unsigned
share(const struct drawing *d, int64_t time, bool any)
{
	return time >= d->cell_width - d->cell_width / 20 && time > 0 ? ALL :
	    any							      ? HALF :
									0;
}

static void
put_end(struct drawing *d)
{
	set_red(d, false);
	buffer_put(d->buffer, "%s", d->end);
	d->lines++;
}

static void
put_ready(struct drawing *d, const struct buffer *name)
{
	put_head(d, name, "ready");
	for (size_t i = 0; i < d->cell_count; i++) {
		const struct series_cell *c = &d->cells[i];

		if ((c->flags & (SERIES_OPENED | SERIES_UNKNOWN)) != 0) {
			set_red(d, false);
			buffer_put(d->buffer, "%s",
			    (c->flags & SERIES_OPENED) != 0 ? "|" : "?");
		} else
			put_cell(d,
			    share(d, c->ready, (c->flags & SERIES_READY) != 0),
			    (c->flags & SERIES_FAULT) != 0);
	}
	put_end(d);
}

static void
put_unread(struct drawing *d, const struct series *s)
{
	struct buffer name = { .bytes = NULL };

	buffer_put(&name, "  up to %lld", (long long)s->most);
	put_head(d, &name, "unread");
	buffer_free(&name);
	for (size_t i = 0; i < d->cell_count; i++) {
		int64_t unread = d->cells[i].unread;

		put_cell(d,
		    unread <= 0 ?
			0 :
			(unsigned)(1 +
			    (ALL - 1) * (double)unread / (double)s->most),
		    false);
	}
	put_end(d);
}

static void
put_asleep(struct drawing *d)
{
	struct buffer none = { .bytes = NULL };

	put_head(d, &none, "asleep");
	for (size_t i = 0; i < d->cell_count; i++) {
		const struct series_cell *c = &d->cells[i];

		put_cell(d,
		    share(d, c->asleep, (c->flags & SERIES_ASLEEP) != 0),
		    (c->flags & SERIES_FAULT) != 0);
	}
	put_end(d);
}

/* The time at the left and the right end, and in the middle. */
static void
put_axis(struct drawing *d)
{
	struct buffer none = { .bytes = NULL };
	double end = (double)d->samples->now / 1e9;
	size_t half = d->cell_count / 2;

	put_head(d, &none, "time");
	buffer_put(d->buffer, "%-*s%-*.3f%*.3f s", (int)half, "0",
	    (int)half / 2, end / 2, (int)(d->cell_count - half - half / 2 - 2),
	    end);
	put_end(d);
}

/* How many lines T takes. */
static size_t
lines_of(const struct samples_target *t)
{
	return 1 + (t->series.most > 0 ? 1u : 0u) + (t->process->own ? 0u : 1u);
}

static void
put_target(struct drawing *d, const struct samples_target *t)
{
	struct buffer name = { .bytes = NULL };

	series_cells(&t->series, d->samples->now, d->cells, d->cell_count);
	picture_name(d->samples, t, &name);
	put_ready(d, &name);
	buffer_free(&name);
	if (t->series.most > 0)
		put_unread(d, &t->series);
	if (!t->process->own)
		put_asleep(d);
}

static size_t
name_width(const struct samples *l)
{
	size_t widest = SHORTEST_NAME, n;

	for (size_t i = 0; i < l->count; i++) {
		struct buffer name = { .bytes = NULL };

		picture_name(l, &l->targets[i], &name);
		n = characters(name.bytes, name.used);
		widest = n > widest ? n : widest;
		buffer_free(&name);
	}
	return widest > LONGEST_NAME ? LONGEST_NAME : widest;
}

static void
put_all(struct drawing *d)
{
	const struct samples *l = d->samples;
	size_t room = d->picture->height, i;

	for (i = 0; i < l->count; i++) {
		/* the axis, and that some are missing */
		if (room != 0 && d->lines + lines_of(&l->targets[i]) + 2 > room)
			break;
		put_target(d, &l->targets[i]);
	}
	put_axis(d);
	if (i < l->count) {
		buffer_put(d->buffer, "and %zu more descriptors", l->count - i);
		put_end(d);
	}
}

size_t
picture_draw(const struct picture *p, const struct samples *l, const char *end,
    struct buffer *buffer)
{
	struct drawing d = { .picture = p,
		.samples = l,
		.buffer = buffer,
		.end = end };
	size_t taken;

	d.name_width = name_width(l);
	taken = d.name_width + 9;
	d.cell_count = p->width > taken + 20 ? p->width - taken : 20;
	d.cell_width = l->now / (int64_t)d.cell_count;
	if ((d.cells = calloc(d.cell_count, sizeof *d.cells)) == NULL)
		return 0;
	put_all(&d);
	free(d.cells);
	return buffer->failed ? 0 : d.lines;
}
