/* SPDX-License-Identifier: ISC */
/*
 * drive run KIND [-r ROUNDS] -d DIR: what an event costs for which the
 * candidate runs a program.  An event is a newline in the FIFO that it has as
 * descriptor FIRST, and by name as DIR/NAME; the program eats it and prints
 * one.  Prints microseconds from the one to the other and of processor time,
 * and as KIND-lost how many of BURST newlines, written at once, were not
 * answered.
 */
#define _GNU_SOURCE

#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"

#define BURST 50

static void
begin(struct candidate *c, const char *dir)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, c->name);
	if (mkfifo(path, 0600) == -1 ||
	    (fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		err(1, "%s", path);
	c->source = move_up(fd, 100);
	start(c, 0);
	nap(100000);
	put_bytes(c->source, "\n", 1);
	if (take_lines(c, 1, 5000) != 1)
		fail(c, "runs nothing");
	drain(c->source);
	/* What it took to begin is none of the events'. */
	nap(10000);
	add_sample(&c->samples[1], processor_time(c));
}

static void
event(struct candidate *c)
{
	double began = now();

	put_bytes(c->source, "\n", 1);
	if (take_lines(c, 1, 5000) == 1)
		add_sample(&c->samples[0], now() - began);
	else
		fail(c, "an event is lost");
	/* One that only waits for the byte has not read it. */
	drain(c->source);
}

static void
end(struct candidate *c)
{
	char newlines[BURST];
	size_t got;
	double spent;

	memset(newlines, '\n', sizeof(newlines));
	put_bytes(c->source, newlines, sizeof(newlines));
	got = take_lines(c, sizeof(newlines), 2000);
	/* That of the last program too. */
	nap(100000);
	spent = (stop(c) - c->samples[1].v[0]) /
	    (double)(c->samples[0].n + 1 + got);
	printf("%s\t%s\t%.2f\t%.2f\n", kind, c->name,
	    quantile(&c->samples[0], 0.5), spent);
	print_number("-lost", c, (double)(sizeof(newlines) - got));
}

int
drive_run(int argc, char *argv[])
{
	const char *dir = NULL;
	int ch, i, j;

	while ((ch = getopt(argc, argv, "d:r:")) != -1) {
		switch (ch) {
		case 'd':
			dir = optarg;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (dir == NULL)
		errx(2, "run: no directory");
	one_processor();
	for (j = 0; j < ncands; j++)
		begin(&cands[j], dir);
	for (i = 0; i < rounds; i++)
		for (j = 0; j < ncands; j++)
			if (!cands[(i + j) % ncands].failed)
				event(&cands[(i + j) % ncands]);
	for (j = 0; j < ncands; j++)
		if (!cands[j].failed)
			end(&cands[j]);
	return 0;
}
