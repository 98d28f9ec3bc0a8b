/* SPDX-License-Identifier: ISC */
/* fifo.c - states of FIFOs. */
#include "peer.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char fifo_name[] = "peer.XXXXXX";

static int
fifo(int flags)
{
	return move(open(fifo_name, flags | O_NONBLOCK));
}

static void
make_fifo(void)
{
	int fd = mkstemp(fifo_name);

	if (fd == -1 || close(fd) == -1 || unlink(fifo_name) == -1 ||
	    mkfifo(fifo_name, 0600) == -1)
		die(ABSENT, "%s", fifo_name);
}

static int
forget_fifo(int fd)
{
	unlink(fifo_name);
	memcpy(strchr(fifo_name, '.') + 1, "XXXXXX", 6);
	return fd;
}

static int
fifo_r_never(void)
{
	make_fifo();
	return forget_fifo(fifo(O_RDONLY));
}

static int
fifo_r_writer(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	(void)fifo(O_WRONLY);
	return forget_fifo(r);
}

static int
fifo_r_data(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	put(fifo(O_WRONLY), "abc");
	return forget_fifo(r);
}

static int
fifo_r_gone_data(void)
{
	int r, w;

	make_fifo();
	r = fifo(O_RDONLY);
	w = fifo(O_WRONLY);
	put(w, "abc");
	close(w);
	return forget_fifo(r);
}

static int
fifo_r_gone(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	close(fifo(O_WRONLY));
	return forget_fifo(r);
}

static int
fifo_r_reopened(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	close(fifo(O_WRONLY));
	(void)fifo(O_WRONLY);
	return forget_fifo(r);
}

static int
fifo_r_gone_again(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	close(fifo(O_WRONLY));
	close(fifo(O_WRONLY));
	return forget_fifo(r);
}

static int
fifo_r_after(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	close(fifo(O_WRONLY));
	close(r);
	return forget_fifo(fifo(O_RDONLY));
}

static int
fifo_w_empty(void)
{
	make_fifo();
	(void)fifo(O_RDONLY);
	return forget_fifo(fifo(O_WRONLY));
}

static int
fifo_w_full(void)
{
	int w;

	make_fifo();
	(void)fifo(O_RDONLY);
	w = fifo(O_WRONLY);
	fill(w);
	return forget_fifo(w);
}

static int
fifo_w_gone(void)
{
	int r, w;

	make_fifo();
	r = fifo(O_RDONLY);
	w = fifo(O_WRONLY);
	close(r);
	return forget_fifo(w);
}

static int
fifo_w_gone_full(void)
{
	int r, w;

	make_fifo();
	r = fifo(O_RDONLY);
	w = fifo(O_WRONLY);
	fill(w);
	close(r);
	return forget_fifo(w);
}

static int
fifo_w_back(void)
{
	int r, w;

	make_fifo();
	r = fifo(O_RDONLY);
	w = fifo(O_WRONLY);
	fill(w);
	close(r);
	(void)fifo(O_RDONLY);
	return forget_fifo(w);
}

static int
fifo_rw(void)
{
	make_fifo();
	return forget_fifo(fifo(O_RDWR));
}

static int
fifo_rw_data(void)
{
	int f = fifo_rw();

	put(f, "abc");
	return f;
}

static int
fifo_rw_came(void)
{
	int f, w;

	make_fifo();
	f = fifo(O_RDWR);
	w = fifo(O_WRONLY);
	put(w, "abc");
	close(w);
	return forget_fifo(f);
}

static int
fifo_rw_full(void)
{
	int f = fifo_rw();

	fill(f);
	return f;
}

const struct state fifo_states[] = {
	{ "fifo.r.never-a-writer", fifo_r_never },
	{ "fifo.r.writer-no-data", fifo_r_writer },
	{ "fifo.r.writer-data", fifo_r_data },
	{ "fifo.r.writer-gone-data", fifo_r_gone_data },
	{ "fifo.r.writer-gone-drained", fifo_r_gone },
	{ "fifo.r.reopened", fifo_r_reopened },
	{ "fifo.r.gone-again", fifo_r_gone_again },
	{ "fifo.r.opened-after-a-writer-came-and-went", fifo_r_after },
	{ "fifo.w.empty", fifo_w_empty },
	{ "fifo.w.full", fifo_w_full },
	{ "fifo.w.reader-gone-empty", fifo_w_gone },
	{ "fifo.w.reader-gone-full", fifo_w_gone_full },
	{ "fifo.w.reader-back", fifo_w_back },
	{ "fifo.rw.empty", fifo_rw },
	{ "fifo.rw.data", fifo_rw_data },
	{ "fifo.rw.writer-came-and-went", fifo_rw_came },
	{ "fifo.rw.full", fifo_rw_full },
	{ NULL, NULL },
};
