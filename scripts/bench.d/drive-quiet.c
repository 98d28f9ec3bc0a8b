/* SPDX-License-Identifier: ISC */
/*
 * drive quiet KIND [-t SECONDS]: the processor time in milliseconds that each
 * candidate takes in ten seconds in which nothing happens, measured for all of
 * them at once.  Its NAME ends in what it has as descriptor FIRST:
 *
 *	hup	a pipe with bytes in it, whose writer has left
 *	in	a pipe with bytes in it
 *	out	the write end of a pipe with room
 */
#define _GNU_SOURCE

#include <sys/ioctl.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"

static void
begin(struct candidate *c)
{
	const char *state = strrchr(c->name, '-');
	int fds[2], other, writes;

	if (state == NULL)
		errx(2, "%s: -hup, -in or -out?", c->name);
	writes = strcmp(state, "-out") == 0;
	make_pipe(fds);
	if (!writes)
		put_bytes(fds[1], "unread", 6);
	c->source = move_up(fds[writes], 100);
	other = move_up(fds[!writes], 100);
	if (strcmp(state, "-hup") == 0)
		close(other);
	start(c, 0);
}

/* It has reported the state once, and is there. */
static void
sample(struct candidate *c)
{
	int n = 0;

	if (c->failed)
		return;
	if (!is_running(c))
		fail(c, "has ended");
	else if (ioctl(c->out, FIONREAD, &n) == -1 || n == 0)
		fail(c, "reports nothing");
}

int
drive_quiet(int argc, char *argv[])
{
	double seconds = 10, spent;
	int ch, j;

	while ((ch = getopt(argc, argv, "t:")) != -1) {
		if (ch != 't')
			return 2;
		seconds = atof(optarg);
	}
	for (j = 0; j < ncands; j++)
		begin(&cands[j]);
	nap(500000);
	for (j = 0; j < ncands; j++)
		add_sample(&cands[j].samples[0], processor_time(&cands[j]));
	nap(seconds * 1e6);
	for (j = 0; j < ncands; j++) {
		sample(&cands[j]);
		if (cands[j].failed)
			continue;
		spent = processor_time(&cands[j]) - cands[j].samples[0].v[0];
		print_number("", &cands[j], spent / 1e3 * 10 / seconds);
		stop(&cands[j]);
	}
	return 0;
}
