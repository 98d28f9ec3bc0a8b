/* SPDX-License-Identifier: ISC */
/*
 * drive follow KIND [-s] [-e EVENTS] [-r ROUNDS] NUMBER ACTIVE...: what an
 * event costs that one of NUMBER descriptors has, where ACTIVE have one at a
 * time.  Each is a FIFO with a byte in it until the line about it came.  Each
 * candidate runs once a round and gets about EVENTS events for each ACTIVE.
 * With -s it samples what is ready, at intervals: it is given time to find that
 * what it has reported is no longer ready.  Prints, as KIND-ACTIVE, nanoseconds of
 * processor time for each event.
 *
 * drive wake KIND [-r ROUNDS]: the time from a byte written to the line about
 * it, in microseconds: the median and the 99th percentile.  All candidates
 * sleep, each with its own pipe as descriptor FIRST, and get a byte in turn.
 */
#define _GNU_SOURCE

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drive.h"

/*
 * The time in usec in which a sample is taken: 1 ms after the report, or later
 * where a round costs much.
 */
#define SETTLE(active) (5000 + 80 * (double)(active))
#define BURSTS 3 /* at least so many */

static int number, nactive, active[SAMPLES];
static size_t events = 2000;
static int sampled;
static size_t turn_of; /* which FIFOs are active goes around */

static void
open_pipes(void)
{
	int fd, i;

	for (i = 0; i < number; i++) {
		fd = open_pipe();
		if (dup2(fd, FIRST + i) == -1)
			err(1, "dup2");
		if (fd != FIRST + i)
			close(fd);
	}
}

static int
pick(size_t i)
{
	/* A prime number apart, so that neighbours are not reported together. */
	return FIRST + (int)((turn_of + i) * 7919 % (size_t)number);
}

/* So many events at once.  Returns how many were reported. */
static size_t
burst(struct candidate *c, size_t n)
{
	size_t i, got;

	for (i = 0; i < n; i++)
		put_bytes(pick(i), "x", 1);
	/* What was drained and filled between two samples is no event. */
	got = take_lines(c, n, sampled ? 300 : 5000);
	for (i = 0; i < n; i++)
		drain(pick(i));
	turn_of += n;
	if (sampled)
		nap(SETTLE(n));
	return got;
}

static void
measure(struct candidate *c, int which)
{
	size_t n = (size_t)active[which], bursts = (events + n - 1) / n, i;
	size_t got = 0;
	double before;

	if (sampled && bursts < BURSTS)
		bursts = BURSTS;
	before = processor_time(c);
	for (i = 0; i < bursts; i++)
		got += burst(c, n);
	/* On a busy machine a sample may still come too late. */
	if (got < (sampled ? bursts * n / 2 : bursts * n)) {
		warnx("%d active: %zu of %zu reported", (int)n, got,
		    bursts * n);
		fail(c, "events are missing");
		return;
	}
	add_sample(&c->samples[which],
	    (processor_time(c) - before) * 1e3 / (double)got);
}

static void
turn(struct candidate *c)
{
	int i;

	start(c, 0);
	be_patient(c->pid);
	/*
	 * The loops register everything at the start, pmux with the first event
	 * of each: what is measured is an event from then on.
	 */
	if (burst(c, 1) != 1)
		fail(c, "reports nothing");
	else
		burst(c, (size_t)number);
	for (i = 0; i < nactive && !c->failed; i++)
		measure(c, i);
	stop(c);
}

int
drive_follow(int argc, char *argv[])
{
	char what[32];
	int ch, i, j;

	while ((ch = getopt(argc, argv, "e:r:s")) != -1) {
		switch (ch) {
		case 'e':
			events = (size_t)atol(optarg);
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		case 's':
			sampled = 1;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2 || argc - optind > SAMPLES + 1)
		errx(2, "follow: how many of how many?");
	number = atoi(argv[optind++]);
	while (optind < argc)
		active[nactive++] = atoi(argv[optind++]);
	open_pipes();
	one_processor();
	for (i = 0; i < rounds; i++)
		for (j = 0; j < ncands; j++)
			if (!cands[(i + j) % ncands].failed)
				turn(&cands[(i + j) % ncands]);
	for (i = 0; i < nactive; i++) {
		snprintf(what, sizeof(what), "-%d", active[i]);
		for (j = 0; j < ncands; j++)
			print_median(what, &cands[j], i);
	}
	return 0;
}

static void
wake(struct candidate *c)
{
	char line[256];
	double begin;
	ssize_t n;

	drain(c->source);
	/* So that it sleeps again. */
	nap(100);
	begin = now();
	put_bytes(c->source, "x", 1);
	do
		n = read(c->out, line, sizeof(line));
	while (n > 0 && line[n - 1] != '\n');
	add_sample(&c->samples[0], now() - begin);
	if (n <= 0)
		fail(c, "does not print the line");
}

int
drive_wake(int argc, char *argv[])
{
	struct candidate *c;
	int ch, i, j;

	while ((ch = getopt(argc, argv, "r:")) != -1) {
		if (ch != 'r')
			return 2;
		rounds = atoi(optarg);
	}
	one_processor();
	for (j = 0; j < ncands; j++) {
		c = &cands[j];
		c->source = move_up(open_pipe(), 100);
		start(c, 0);
		put_bytes(c->source, "x", 1);
		if (take_lines(c, 1, 5000) != 1)
			fail(c, "reports nothing");
	}
	for (i = 0; i < rounds; i++) {
		patience(10);
		for (j = 0; j < ncands; j++)
			if (!cands[(i + j) % ncands].failed)
				wake(&cands[(i + j) % ncands]);
	}
	for (j = 0; j < ncands; j++)
		print_latency(&cands[j]);
	return 0;
}
