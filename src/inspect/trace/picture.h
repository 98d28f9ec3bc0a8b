/* SPDX-License-Identifier: ISC */
/*
 * picture.h - a timing diagram of samples, in characters or as SVG.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "inspect/buffer.h"
#include "inspect/trace/samples.h"

struct picture {
	bool blocks; /* block characters, else ASCII */
	bool colour; /* a fault is red */
	bool terminal; /* standard output is one */
	bool live; /* it can redraw lines in place */
	size_t width, height; /* in characters; HEIGHT 0: any */
};

/*
 * Find out what standard output can show: by its size if it is a terminal, by
 * TERM, NO_COLOR and the locale.
 */
void picture_choose(struct picture *picture);

/*
 * Append the diagram to BUFFER, with END behind each line.  Returns how many
 * lines it has, at most HEIGHT; 0 for want of memory.
 */
size_t picture_draw(const struct picture *picture,
    const struct samples *samples, const char *end, struct buffer *buffer);

/* Append it as a document of SVG. */
void picture_svg(const struct samples *samples, struct buffer *buffer);

/*
 * Append the name of T: its number and kind, its process before that if there
 * are several.
 */
void picture_name(const struct samples *samples, const struct samples_target *t,
    struct buffer *buffer);

#endif
