/* SPDX-License-Identifier: ISC */
/*
 * ending.h - signals that end a command, which first releases what it has in
 * other processes and prints what it knows.
 */
#ifndef ENDING_H
#define ENDING_H

#include <sys/types.h>
#include <sys/time.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct ending {
	volatile sig_atomic_t number; /* the first that came, or 0 */
	volatile sig_atomic_t rung; /* the time of ending_after has come */
	/* gets those that a process sent, or 0; it is a child, not yet waited
	   for */
	volatile pid_t child;
	bool timed; /* BEFORE is set */
	struct itimerval before; /* the caller's */
};

/*
 * Catch SIGINT, SIGTERM and SIGHUP, unless they are ignored, and note the first
 * in ENDING, which is all zero and stays until ending_end.  From then on SIGALRM
 * interrupts each system call that sleeps, again and again.
 */
void ending_begin(struct ending *ending);

/* The same from NS nanoseconds on, without a signal. */
void ending_after(int64_t ns);

/*
 * The exit status of a command that would be STATUS: where a signal has ended
 * it, 128 plus the signal's number, and the host is to end by it.
 */
int ending_result(const struct ending *ending, int status);

/* Put back the dispositions, and the caller's timer. */
void ending_end(void);

#endif
