/* SPDX-License-Identifier: ISC */
/*
 * drive session KIND [-r ROUNDS]: the time from a request, "poll 0", to the end
 * of its answer, in microseconds: the median and the 99th percentile.  The
 * candidates were asked to "register 10:in", which is a pipe with a byte in it,
 * and so each request is answered by an event and "ok 1".
 */
#define _GNU_SOURCE

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"

/* Returns 1 if the answer, up to its last line, begins as expected. */
static int
ask(struct candidate *c, const char *request, const char *last)
{
	char buf[4096], *line;
	size_t len = 0;
	ssize_t n;

	if (request != NULL &&
	    write(c->in, request, strlen(request)) != (ssize_t)strlen(request))
		return 0;
	do {
		n = read(c->out, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			return 0;
		len += (size_t)n;
		buf[len] = '\0';
		for (line = buf + len - 1; line > buf && line[-1] != '\n';)
			line--;
	} while (buf[len - 1] != '\n' || strncmp(line, "event", 5) == 0);
	return strncmp(line, last, strlen(last)) == 0;
}

static void
begin(struct candidate *c)
{
	c->source = move_up(open_pipe(), 100);
	put_bytes(c->source, "x", 1);
	start(c, 1);
	patience(5);
	if (!ask(c, NULL, "ready ") || !ask(c, "register 10:in\n", "ok"))
		fail(c, "does not begin as a session");
}

int
drive_session(int argc, char *argv[])
{
	struct candidate *c;
	double began;
	int ch, i, j;

	while ((ch = getopt(argc, argv, "r:")) != -1) {
		if (ch != 'r')
			return 2;
		rounds = atoi(optarg);
	}
	one_processor();
	for (j = 0; j < ncands; j++)
		begin(&cands[j]);
	for (i = 0; i < rounds; i++) {
		patience(10);
		for (j = 0; j < ncands; j++) {
			c = &cands[(i + j) % ncands];
			if (c->failed)
				continue;
			nap(50);
			began = now();
			if (ask(c, "poll 0\n", "ok 1"))
				add_sample(&c->samples[0], now() - began);
			else
				fail(c, "answers something else");
		}
	}
	for (j = 0; j < ncands; j++)
		print_latency(&cands[j]);
	return 0;
}
