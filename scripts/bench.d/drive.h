/* SPDX-License-Identifier: ISC */
/*
 * What the parts of drive share: the programs that are measured, candidates,
 * how they are run, and what was measured of them.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include <sys/types.h>

/* The candidates' descriptors begin here; below are those of a shell. */
#define FIRST 10

struct samples {
	double *v;
	size_t n, room;
};

#define SAMPLES 4

struct candidate {
	const char *name;
	char **argv;
	pid_t pid; /* leads a process group; 0: does not run */
	int in, out; /* our ends of its standard input and output */
	int source; /* what it has as descriptor FIRST */
	int failed; /* it is left alone from here on */
	struct samples samples[SAMPLES];
};

extern struct candidate *cands;
extern int ncands, rounds;
extern const char *kind; /* begins each line of what is printed */

/* Microseconds on the monotonic clock. */
double now(void);
void nap(double usec);
/* A system call that blocks for so long from now on fails. */
void patience(unsigned seconds);
void *zeroed(size_t n, size_t size);

void add_sample(struct samples *, double);
/* The value below which the given part of the samples lie; sorts them. */
double quantile(struct samples *, double);

/* A pipe with both ends in one descriptor, as a FIFO opened read-write. */
int open_pipe(void);
/* At least the given number, close-on-exec; the old one is closed. */
int move_up(int fd, int least);
void make_pipe(int fds[2]);
void set_limit(void);
/* Read all that is there. */
void drain(int fd);
void put_bytes(int fd, const char *bytes, size_t n);

/* This process and those that it starts stay on one processor. */
void one_processor(void);
/* The child does not take the processor from us when it wakes up. */
void be_patient(pid_t);

/*
 * Start a candidate.  It inherits what is not close-on-exec, and source as
 * descriptor FIRST unless that is -1.  With requests, its standard input is a
 * pipe.
 */
void start(struct candidate *, int requests);
/* End it.  Returns the processor time of all of its processes, or -1. */
double stop(struct candidate *);
/* Wait for it to end.  Returns the same, or -1 if it failed. */
double finish(struct candidate *);
int is_running(const struct candidate *);
/* The processor time of the process itself, so far. */
double processor_time(const struct candidate *);

/*
 * Read what it prints until there were so many lines, or for so many ms
 * nothing comes.  Returns the number of lines.
 */
size_t take_lines(struct candidate *, size_t n, int ms);
/* Say why, stop it and let it be. */
void fail(struct candidate *, const char *why);

void print_number(const char *what, const struct candidate *, double);
/* The median and the 99th percentile of its first samples; stops it. */
void print_latency(struct candidate *);
void print_median(const char *what, struct candidate *, int sample);

int drive_follow(int argc, char *argv[]);
int drive_wake(int argc, char *argv[]);
int drive_lines(int argc, char *argv[]);
int drive_run(int argc, char *argv[]);
int drive_session(int argc, char *argv[]);
int drive_quiet(int argc, char *argv[]);

#endif
