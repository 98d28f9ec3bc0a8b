/* SPDX-License-Identifier: ISC */
/* pipe.c - states of pipes. */
#include "peer.h"

#include <unistd.h>

static int
pipe_r_empty(void)
{
	int p[2];

	make_pipe(p);
	return p[0];
}

static int
pipe_r_data(void)
{
	int p[2];

	make_pipe(p);
	put(p[1], "hello");
	return p[0];
}

static int
pipe_r_full(void)
{
	int p[2];

	make_pipe(p);
	fill(p[1]);
	return p[0];
}

static int
pipe_r_gone_data(void)
{
	int p[2];

	make_pipe(p);
	put(p[1], "abc");
	close(p[1]);
	return p[0];
}

static int
pipe_r_gone(void)
{
	int p[2];

	make_pipe(p);
	close(p[1]);
	return p[0];
}

static int
pipe_w_empty(void)
{
	int p[2];

	make_pipe(p);
	return p[1];
}

static int
pipe_w_data(void)
{
	int p[2];

	make_pipe(p);
	put(p[1], "hello");
	return p[1];
}

static int
pipe_w_full(void)
{
	int p[2];

	make_pipe(p);
	fill(p[1]);
	return p[1];
}

static int
pipe_w_taken(size_t n)
{
	static char bytes[4097];
	int p[2];

	make_pipe(p);
	fill(p[1]);
	if (read(p[0], bytes, n) != (ssize_t)n)
		die(1, "read");
	return p[1];
}

static int
pipe_w_but_byte(void)
{
	return pipe_w_taken(1);
}

static int
pipe_w_but_page(void)
{
	return pipe_w_taken(4097);
}

static int
pipe_w_gone(void)
{
	int p[2];

	make_pipe(p);
	close(p[0]);
	return p[1];
}

static int
pipe_w_gone_full(void)
{
	int p[2];

	make_pipe(p);
	fill(p[1]);
	close(p[0]);
	return p[1];
}

const struct state pipe_states[] = {
	{ "pipe.r.empty", pipe_r_empty },
	{ "pipe.r.data", pipe_r_data },
	{ "pipe.r.full", pipe_r_full },
	{ "pipe.r.writer-gone-data", pipe_r_gone_data },
	{ "pipe.r.writer-gone-drained", pipe_r_gone },
	{ "pipe.w.empty", pipe_w_empty },
	{ "pipe.w.data", pipe_w_data },
	{ "pipe.w.full", pipe_w_full },
	{ "pipe.w.full-but-one-byte", pipe_w_but_byte },
	{ "pipe.w.full-but-a-page", pipe_w_but_page },
	{ "pipe.w.reader-gone", pipe_w_gone },
	{ "pipe.w.reader-gone-full", pipe_w_gone_full },
	{ NULL, NULL },
};
