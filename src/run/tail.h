/* SPDX-License-Identifier: ISC */
/*
 * tail.h - regular files that --lines --reopen follows by name, as tail -F does.
 *
 * When another file has the name, the old one is read to its end first.  A
 * program that writes to the new file has written all that it writes to the old
 * one; so pmux changes to the new file when that has bytes, and after it has
 * read the old one to its end once more.
 */
#ifndef TAIL_H
#define TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/target.h"

struct tail;
struct tail_file;

/*
 * Be ready for COUNT targets; the caller passes *TAIL to tail_close.  SAMPLED:
 * no wait reports a file that was read to its end, so tail_next has to.  Returns
 * 0 or -ENOMEM.
 */
int tail_open(struct tail **tail, size_t count, bool sampled);

/* TAIL may be NULL, here, in tail_left and in tail_next. */
void tail_close(struct tail *tail);

/*
 * The descriptor that is readable when a file may have changed, or its name,
 * which is TAIL's; -1 where the system does not report it.  tail_read empties
 * it.
 */
int tail_descriptor(const struct tail *tail);
void tail_read(struct tail *tail);

/* Nanoseconds until tail_next has one, or -1. */
int64_t tail_left(const struct tail *tail);

/*
 * The next target to read from, though no wait reports it: true with *INDEX set,
 * or false at the end of the pass.  A pass is due at once after a change, then
 * after pauses that double from 1 ms up to SAMPLE_PAUSE; with ALL it is now.
 */
bool tail_next(struct tail *tail, bool all, uint32_t *index);

/*
 * Target INDEX, T, a path, as a file of TAIL; both stay where they are until
 * tail_close.
 */
struct tail_file *tail_file(struct tail *tail, const struct target *t,
    size_t index);

/*
 * The target of FILE has been read to its end: whether another file has its
 * name and is to be read now.  If the name cannot be looked up, a message says
 * so once, and the file is still followed.
 */
bool tail_ended(struct tail_file *file);

/*
 * The target's descriptor is that file's from now on, which is read from its
 * start.  Only after tail_ended.  Returns 0 or -errno (dup2(2)).
 */
int tail_change(struct tail_file *file);

#endif
