/* SPDX-License-Identifier: ISC */
/*
 * svg.c - the timing diagram as a drawing (SVG 1.1).
 *
 * It has a background of its own, so that it can be read on a light and on a
 * dark page.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/trace/picture.h"
#include "output/escape.h"

/* All in pixels. */
#define LEFT 170
#define PLOT 760
#define RIGHT 30
#define TOP 74
#define READY 16
#define UNREAD 24
#define ASLEEP 10
#define GAP 16
#define BOTTOM 56

#define BLUE "#2f6fb2"
#define GREY "#8a8f98"
#define SAND "#c9a23a"
#define RED "#d0021b"
#define PALE "#e3e6ea"
#define INK "#1f2328"

struct drawing {
	const struct samples *samples;
	struct buffer *b;
	struct series_cell cells[PLOT];
	int y;
};

/* Text of XML: what is escaped has no control characters. */
static void
put_text(struct buffer *b, const char *text, size_t length)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" },
		{ '"', "&quot;" } };
	const char *entity;

	for (size_t i = 0; i < length; i++) {
		entity = NULL;
		for (size_t j = 0; j < sizeof entities / sizeof *entities; j++)
			if (text[i] == entities[j].c)
				entity = entities[j].entity;
		/* U+FFFE and U+FFFF are no characters of XML */
		if (length - i >= 3 && memcmp(text + i, "\357\277", 2) == 0 &&
		    (unsigned char)text[i + 2] >= 0xbe) {
			entity = "?";
			i += 2;
		}
		if (entity != NULL)
			buffer_put(b, "%s", entity);
		else
			buffer_bytes(b, text + i, 1);
	}
}

static void
put_rect(struct drawing *d, size_t from, size_t to, int y, int height,
    const char *colour)
{
	buffer_put(d->b,
	    "<rect x=\"%zu\" y=\"%d\" width=\"%zu\" height=\"%d\""
	    " fill=\"%s\"/>\n",
	    LEFT + from, y, to - from, height, colour);
}

static void
put_label(struct drawing *d, int y, const char *text)
{
	buffer_put(d->b,
	    "<text x=\"%d\" y=\"%d\" font-size=\"11\" text-anchor=\"end\">",
	    LEFT - 8, y);
	put_text(d->b, text, strlen(text));
	buffer_put(d->b, "</text>\n");
}

/* The colour of a cell in the row of FLAG, or NULL. */
static const char *
colour_of(const struct series_cell *c, unsigned flag)
{
	if ((c->flags & flag) != 0)
		return (c->flags & SERIES_FAULT) != 0 ? RED :
		    flag == SERIES_READY	      ? BLUE :
							SAND;
	return flag == SERIES_READY && (c->flags & SERIES_UNKNOWN) != 0 ? PALE :
									  NULL;
}

/* Equal neighbours are one rectangle. */
static void
put_row(struct drawing *d, unsigned flag, int height)
{
	const char *colour;
	size_t from, to;

	for (from = 0; from < PLOT; from = to) {
		colour = colour_of(&d->cells[from], flag);
		for (to = from + 1;
		     to < PLOT && colour_of(&d->cells[to], flag) == colour;
		     to++)
			;
		if (colour != NULL)
			put_rect(d, from, to, d->y, height, colour);
	}
	d->y += height + 2;
}

/* Where the number means another file from. */
static void
put_marks(struct drawing *d, int top)
{
	for (size_t i = 0; i < PLOT; i++)
		if ((d->cells[i].flags & SERIES_OPENED) != 0)
			put_rect(d, i, i + 1, top, d->y - top, INK);
}

static int
height_of(const struct series_cell *c, int64_t most)
{
	return c->unread <= 0 ?
	    0 :
	    1 + (int)((double)c->unread / (double)most * (UNREAD - 1));
}

static void
put_unread(struct drawing *d, int64_t most)
{
	size_t from, to;
	int height;

	for (from = 0; from < PLOT; from = to) {
		height = height_of(&d->cells[from], most);
		for (to = from + 1;
		     to < PLOT && height_of(&d->cells[to], most) == height;
		     to++)
			;
		if (height > 0)
			put_rect(d, from, to, d->y + UNREAD - height, height,
			    GREY);
	}
	d->y += UNREAD + 2;
}

static void
put_target(struct drawing *d, const struct samples_target *t)
{
	const struct series *s = &t->series;
	struct buffer name = { .bytes = NULL };
	char text[48];
	int top = d->y;

	series_cells(s, d->samples->now, d->cells, PLOT);
	picture_name(d->samples, t, &name);
	buffer_put(d->b, "<g>\n<text x=\"10\" y=\"%d\" font-weight=\"bold\">",
	    d->y - 3);
	put_text(d->b, name.bytes, name.used);
	buffer_put(d->b, "</text>\n");
	buffer_free(&name);
	put_label(d, d->y + READY - 4, "ready");
	put_row(d, SERIES_READY, READY);
	if (s->most > 0) {
		(void)snprintf(text, sizeof text, "unread, up to %lld",
		    (long long)s->most);
		put_label(d, d->y + UNREAD - 8, text);
		put_unread(d, s->most);
	}
	if (!t->process->own) {
		put_label(d, d->y + ASLEEP - 1, "asleep in its wait");
		put_row(d, SERIES_ASLEEP, ASLEEP);
	}
	put_marks(d, top);
	buffer_put(d->b, "</g>\n");
	d->y += GAP;
}

static int
height_of_all(const struct samples *l)
{
	int height = TOP + BOTTOM;

	for (size_t i = 0; i < l->count; i++) {
		const struct samples_target *t = &l->targets[i];

		height += READY + 2 + GAP;
		height += t->series.most > 0 ? UNREAD + 2 : 0;
		height += t->process->own ? 0 : ASLEEP + 2;
	}
	return height;
}

static void
put_tick(struct drawing *d, int tenth)
{
	int x = LEFT + PLOT * tenth / 10;

	buffer_put(d->b,
	    "<path d=\"M%d.5 %d v5\" stroke=\"" INK "\"/>\n"
	    "<text x=\"%d\" y=\"%d\" font-size=\"11\""
	    " text-anchor=\"middle\">%.3f</text>\n",
	    x, d->y, x, d->y + 18, (double)d->samples->now * tenth / 1e10);
}

static void
put_axis(struct drawing *d)
{
	buffer_put(d->b, "<path d=\"M%d %d.5 h%d\" stroke=\"" INK "\"/>\n",
	    LEFT, d->y, PLOT);
	for (int tenth = 0; tenth <= 10; tenth += 2)
		put_tick(d, tenth);
	buffer_put(d->b,
	    "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">time in"
	    " seconds</text>\n",
	    LEFT + PLOT / 2, d->y + 38);
}

static void
put_key(struct drawing *d, int x, const char *colour, const char *text)
{
	buffer_put(d->b,
	    "<rect x=\"%d\" y=\"36\" width=\"10\" height=\"10\" fill=\"%s\"/>\n"
	    "<text x=\"%d\" y=\"45\" font-size=\"11\">%s</text>\n",
	    x, colour, x + 15, text);
}

static void
put_title(struct drawing *d)
{
	const struct samples *l = d->samples;
	struct buffer name = { .bytes = NULL };

	buffer_put(&name, "Descriptors of ");
	for (size_t i = 0; i < l->process_count; i++) {
		const struct samples_process *p = l->processes[i];

		buffer_put(&name, "%s", i == 0 ? "" : ", ");
		buffer_name(&name, p->comm, strlen(p->comm));
		buffer_put(&name, "[%ld]", (long)p->pid);
	}
	buffer_put(d->b, "<title>");
	put_text(d->b, name.bytes, name.used);
	buffer_put(d->b,
	    "</title>\n<rect width=\"100%%\" height=\"100%%\""
	    " fill=\"#ffffff\"/>\n<text x=\"10\" y=\"24\""
	    " font-size=\"16\">");
	put_text(d->b, name.bytes, name.used);
	buffer_put(d->b, "</text>\n");
	buffer_free(&name);
	put_key(d, LEFT, BLUE, "ready");
	put_key(d, LEFT + 100, GREY, "unread bytes");
	put_key(d, LEFT + 220, SAND, "asleep in its wait");
	put_key(d, LEFT + 370, RED, "ready and asleep: a fault");
	put_key(d, LEFT + 560, PALE, "readiness not known");
}

void
picture_svg(const struct samples *l, struct buffer *buffer)
{
	struct drawing *d = calloc(1, sizeof *d);
	int width = LEFT + PLOT + RIGHT, height = height_of_all(l);

	if (d == NULL) {
		buffer->failed = true;
		return;
	}
	d->samples = l;
	d->b = buffer;
	d->y = TOP;
	buffer_put(buffer,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\""
	    " width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
	    " font-family=\"sans-serif\" font-size=\"12\" fill=\"" INK "\""
	    " shape-rendering=\"crispEdges\">\n",
	    width, height, width, height);
	put_title(d);
	for (size_t i = 0; i < l->count; i++)
		put_target(d, &l->targets[i]);
	put_axis(d);
	buffer_put(buffer, "</svg>\n");
	free(d);
}
