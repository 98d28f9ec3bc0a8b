/* SPDX-License-Identifier: ISC */
/*
 * output.h - the buffer to standard output, which nothing else writes to.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* The size of the buffer in bytes. */
#define OUTPUT_SIZE 65536

struct output {
	size_t used; /* of the buffer */
	uint64_t written;
	int failure; /* -errno of the first failed write */
	int status; /* the exit status of print_failed; 0: not called */
	deadline_t limit; /* see output_until */
	bool leaving; /* see output_leave */
	bool in_pieces; /* write_now is refused, or not wanted */
	struct {
		char *to; /* where output_divert puts what is appended, or NULL
			   */
		size_t size, used;
	} other;
	char buffer[OUTPUT_SIZE];
};

/* Make OUTPUT, all zero, fit for use. */
void output_begin(struct output *output);

/* Append to the buffer; it is written out as it fills. */
void output_bytes(const char *bytes, size_t length);
void output_string(const char *string);
void output_character(char c);
void output_number(int64_t number);
void output_hex(uint32_t number);

/*
 * Until output_restore, put what is appended into the SIZE bytes at TO; what
 * does not fit is dropped.  output_restore returns how many bytes were put.
 */
void output_divert(char *to, size_t size);
size_t output_restore(void);

/* How many are in it. */
size_t output_used(void);

/*
 * Make room for LENGTH bytes, at most OUTPUT_SIZE, that will be written out
 * before or together with later ones.  Returns where they go; output_filled
 * says how many have been put there.
 */
char *output_room(size_t length);
void output_filled(size_t length);

/* How many bytes have been written out, and of how many that were appended. */
uint64_t output_written(void);
uint64_t output_appended(void);

/*
 * From DEADLINE on, standard output is waited for only as long as its reader
 * takes something at least once a second; then writing fails with -EAGAIN.  A
 * file is always written.  WHOLE: end the output at the end of a record where
 * possible, which takes more time.
 */
void output_until(deadline_t deadline, bool whole);

/* Whether something can be written now without waiting, or fails at once. */
bool output_is_ready(void);

/* Wait until it is so, or the deadline of output_until passes. */
void output_await(void);

/* -errno of the first write that failed, or 0. */
int output_failed(void);

/*
 * Write out the buffer.  Returns 0, or -errno of the first write that failed
 * since the start (write(2)); -EPIPE if no reader is left.  A descriptor that
 * is set non-blocking is waited for.
 */
int output_flush(void);

/*
 * The host leaves the call: output_flush, in which the host does not run, and
 * which does not wait for a reader that takes nothing.
 */
void output_leave(void);

/*
 * output_flush, then close(2) if anything was ever written and the process ends
 * with the call; its -errno too.
 */
int output_close(void);

#endif
