/* SPDX-License-Identifier: ISC */
/*
 * lines.h - whole lines from many sources, each with its source.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "print/print.h"
#include "target/target.h"

/* The state of a source that was read from. */
enum lines_answer {
	LINES_WAIT, /* there may be more: wait until it is ready again */
	LINES_LEFT, /* an unfinished line is left unread on purpose */
	LINES_CHANGE, /* lines_change is to be called: another file has its name */
	LINES_TURN, /* another process reads from it now: try again soon */
	LINES_END, /* its end of file has come */
	LINES_FAILED /* it cannot be read; a message has been printed */
};

struct stream_options;

/*
 * Prepare to read lines from TARGETS, as OPTIONS say, which are to be printed as
 * PRINT says; all three stay where they are until lines_end.  Returns 0 or an
 * exit status, a message having been printed: for a target that asks to write,
 * or one that cannot be read.
 */
int lines_open(const struct targets *targets, const struct print_options *print,
    const struct stream_options *options);

/*
 * Read from target INDEX, which is ready, without ever waiting for it, a
 * bounded amount, so that the others get their turn; append the records of its
 * whole lines to the output.  Nothing is read once lines_done says so.
 */
enum lines_answer lines_take(size_t index);

/*
 * After LINES_CHANGE: the descriptor of target INDEX is that of the file that
 * has its name now.  Returns 0 or an exit status, a message having been printed.
 */
int lines_change(size_t index);

/*
 * The next file that is followed by name and may have something to read, though
 * no wait reports it, as tail_next: true with *INDEX set; and the nanoseconds
 * until there is one, or -1.
 */
bool lines_next(bool all, uint32_t *index);
int64_t lines_left(void);

/*
 * The descriptor that is readable when a file that is followed by name may have
 * changed, or -1.  lines_read_files reads what has been reported there.
 */
int lines_files(void);
void lines_read_files(void);

/*
 * Read and print what is unread at target INDEX, up to the goal, also an
 * unfinished line: its writer has ended.  Returns whether there was any.
 */
bool lines_take_last(size_t index);

/* If nothing was read since nothing can be written: wait until it can be. */
void lines_await_output(void);

/* How many records there were. */
uint64_t lines_count(void);

/* Whether the goal is reached: --count lines, or one that --until matches. */
bool lines_done(void);

/* Append the unfinished lines, in the order of the targets. */
void lines_close(void);

/* In a child of fork(2): leave that to the parent. */
void lines_forget(void);

/* Release L, which may be NULL and was made for COUNT targets. */
struct lines;
void lines_end(struct lines *l, size_t count);

#endif
