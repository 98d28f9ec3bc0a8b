/* SPDX-License-Identifier: ISC */
/*
 * drive lines KIND [-m] [-r ROUNDS] SOURCES MIB: what a line costs that the
 * candidate copies, with the name of its source before it, from one of SOURCES
 * pipes, descriptors FIRST and up, to its output.  Another process writes MIB
 * in all, in blocks of 4096 bytes that end anywhere, as stdio does.  Prints
 * nanoseconds from beginning to end and of processor time for each line.
 *
 * With -m the lines have up to 20,000 bytes and are written in blocks of all
 * sizes, and what comes out is compared.  Prints as KIND-torn how many lines
 * are missing or not as they were written, and as KIND-held the peak memory of
 * the candidate in KiB.
 */
#define _GNU_SOURCE

#include <sys/wait.h>

#include <err.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"

#define BLOCK 4096
#define SHORT 65536 /* the text when lines are timed: ends a line */
#define LONG (1 << 20) /* when they are compared */

static char *text;
static size_t text_len, text_lines, copies;
static int nsources, mixed;
static int *writers;
static uint32_t seed = 1;

static uint32_t
random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * n >> 32);
}

/* A line of 20 to 140 bytes, or one of up to 20,000, most of them short. */
static size_t
line_length(void)
{
	switch (mixed ? random_below(3) : 3) {
	case 0:
		return 1 + random_below(200);
	case 1:
		return 1 + random_below(20000);
	case 2:
		return 3900 + random_below(400);
	default:
		return 20 + random_below(121);
	}
}

static void
make_text(void)
{
	size_t i, len, at = 0;

	text_len = mixed ? LONG : SHORT;
	text = zeroed(text_len + 1, 1);
	while (at < text_len) {
		len = line_length();
		if (at + len + 200 > text_len)
			len = text_len - at - 1;
		for (i = 0; i < len; i++)
			text[at++] = (char)('!' + random_below(94));
		text[at++] = '\n';
		text_lines++;
	}
}

static void
close_sources(void)
{
	int i;

	for (i = 0; i < nsources; i++)
		close(FIRST + i);
}

static void
open_sources(void)
{
	int fds[2], i;

	for (i = 0; i < nsources; i++) {
		make_pipe(fds);
		writers[i] = move_up(fds[1], FIRST + nsources);
		if (dup2(fds[0], FIRST + i) == -1)
			err(1, "dup2");
		if (fds[0] != FIRST + i)
			close(fds[0]);
	}
}

/* The writer: a block to each source in turn. */
static void
write_all(void)
{
	size_t left = text_len * copies * (size_t)nsources, n, at;
	size_t *done = zeroed((size_t)nsources, sizeof(*done));
	int i;

	while (left > 0)
		for (i = 0; i < nsources; i++) {
			at = done[i] % text_len;
			n = mixed ? 1 + random_below(2 * BLOCK) : BLOCK;
			if (n > text_len - at)
				n = text_len - at;
			if (done[i] == text_len * copies)
				continue;
			put_bytes(writers[i], text + at, n);
			done[i] += n;
			left -= n;
		}
	/* What the candidate holds is looked at before its sources end. */
	patience(60);
	if (mixed)
		pause();
	_exit(0);
}

static pid_t
start_writer(void)
{
	pid_t pid;
	int i;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0)
		write_all();
	for (i = 0; i < nsources; i++)
		close(writers[i]);
	return pid;
}

/* A line that came: NAME, tab or colon, and what is to be the next there. */
static int
right(const char *line, size_t len, size_t *next)
{
	char *end;
	long source = strtol(line, &end, 10) - FIRST;
	size_t n = len - (size_t)(end + 1 - line);
	const char *want, *stop;

	if (end == line || source < 0 || source >= nsources)
		return 0;
	want = text + next[source] % text_len;
	stop = (const char *)memchr(want, '\n', text_len) + 1;
	next[source] += (size_t)(stop - want);
	return *end == '\t' && n == (size_t)(stop - want) &&
	    memcmp(end + 1, want, n) == 0;
}

/* Compare the lines as they come.  Returns how many were right. */
static size_t
compare_lines(struct candidate *c, size_t expected)
{
	static char buf[1 << 18];
	size_t *next = zeroed((size_t)nsources, sizeof(*next));
	size_t good = 0, have = 0, lines = 0;
	char *line, *newline;
	ssize_t n;

	while (lines < expected && have < sizeof(buf) - 1 &&
	    (n = read(c->out, buf + have, sizeof(buf) - 1 - have)) > 0) {
		have += (size_t)n;
		line = buf;
		while ((newline = memchr(line, '\n',
			    have - (size_t)(line - buf))) != NULL) {
			good += (size_t)right(line,
			    (size_t)(newline + 1 - line), next);
			lines++;
			line = newline + 1;
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
	}
	free(next);
	return good;
}

/* The peak of what was resident, in KiB; wait4(2) counts what forked too. */
static double
peak(pid_t pid)
{
	char path[64], line[128];
	double kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmHWM: %lf kB", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static void
turn(struct candidate *c)
{
	size_t expected = text_lines * copies * (size_t)nsources, got;
	double began, wall, cpu;
	pid_t pid;

	open_sources();
	start(c, 0);
	close_sources();
	/* It is there when its first line comes; that is of no text. */
	if (write(writers[0], "begin\n", 6) != 6 || take_lines(c, 1, 5000) != 1)
		fail(c, "copies nothing");
	began = now();
	pid = start_writer();
	patience(60);
	got = c->failed ? 0 :
	    mixed	? compare_lines(c, expected) :
			  take_lines(c, expected, 5000);
	wall = now() - began;
	if (mixed && !c->failed) {
		add_sample(&c->samples[2], (double)(expected - got));
		add_sample(&c->samples[3], peak(c->pid));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (c->failed)
		return;
	if (!mixed && got != expected) {
		warnx("%zu of %zu lines", got, expected);
		fail(c, "loses lines");
		return;
	}
	if ((cpu = finish(c)) == -1)
		return;
	add_sample(&c->samples[0], wall * 1e3 / (double)expected);
	add_sample(&c->samples[1], cpu * 1e3 / (double)expected);
}

static void
print(struct candidate *c)
{
	if (c->failed)
		return;
	if (mixed) {
		print_median("-torn", c, 2);
		print_median("-held", c, 3);
	} else {
		printf("%s\t%s\t%.2f\t%.2f\n", kind, c->name,
		    quantile(&c->samples[0], 0.5),
		    quantile(&c->samples[1], 0.5));
	}
}

int
drive_lines(int argc, char *argv[])
{
	int ch, i, j;

	while ((ch = getopt(argc, argv, "mr:")) != -1) {
		switch (ch) {
		case 'm':
			mixed = 1;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2 || (nsources = atoi(argv[optind])) < 1)
		errx(2, "lines: of how many sources?");
	make_text();
	copies = (size_t)atoi(argv[optind + 1]) * (1 << 20) / text_len /
	    (size_t)nsources;
	if (copies == 0)
		copies = 1;
	writers = zeroed((size_t)nsources, sizeof(*writers));
	for (i = 0; i < rounds; i++)
		for (j = 0; j < ncands; j++)
			if (!cands[(i + j) % ncands].failed)
				turn(&cands[(i + j) % ncands]);
	for (i = 0; i < ncands; i++)
		print(&cands[i]);
	return 0;
}
