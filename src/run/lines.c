/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>

#include "base/pmux.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "output/output.h"
#include "run/lines.h"
#include "run/lines_check.h"
#include "run/lines_counted.h"
#include "run/lines_records.h"
#include "run/lines_source.h"
#include "run/lines_turn.h"
#include "run/stream.h"
#include "run/tail.h"
#include "sys/foreign.h"
#include "sys/read.h"
#include "sys/sigdefer.h"

/* The default of --max-line. */
#define USUAL_LONGEST ((size_t)1 << 20)

struct lines {
	struct lines_source *sources;
	const struct targets *targets;
	struct read_text *texts; /* of the sources; or NULL */
	struct tail *tail; /* --reopen; or NULL */
	bool serving;
	bool blocked; /* nothing was read since nothing can be written */
	struct lines_records records;
	struct lines_buffer buffer; /* the bytes just read */
};

/* ---- the first and the last ---- */

/* A signal is about to end pmux. */
static void
put_last(void)
{
	lines_close();
	(void)output_flush();
}

/* For files without an end. */
static int
open_files(struct lines *l, bool reopen)
{
	size_t count = l->targets->count;

	/* kevent(2) reports what is added to a file, and not another one's name */
	bool kevents = l->targets->kevents != NULL;

	if (!kevents && !reopen)
		return 0;
	l->texts = calloc(count, sizeof *l->texts);
	return l->texts == NULL ||
		(reopen && tail_open(&l->tail, count, kevents) != 0) ?
	    diag_system(ENOMEM, NULL, "targets") :
	    0;
}

static int
open_sources(struct lines *l, const struct stream_options *options)
{
	struct lines_source *source;
	int status;

	l->sources = calloc(l->targets->count, sizeof *l->sources);
	if (l->sources == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	status = lines_join_same(l->targets, l->sources);
	if (status == 0)
		status = open_files(l, options->reopen);
	for (size_t i = 0; status == 0 && i < l->targets->count; i++) {
		source = &l->sources[i];
		source->target = &l->targets->list[i];
		source->fd = source->own = -1;
		if (l->texts != NULL)
			source->text = &l->texts[i];
		if (l->tail != NULL &&
		    (source->target->flags & TARGET_PATH) != 0)
			source->named = tail_file(l->tail, source->target, i);
	}
	return status;
}

int
lines_open(const struct targets *targets, const struct print_options *print,
    const struct stream_options *options)
{
	struct lines *l = calloc(1, sizeof *l);
	int status;

	if (l == NULL)
		return diag_system(ENOMEM, NULL, "--lines");
	pmux->lines = l;
	l->targets = targets;
	l->records.printer.print = print;
	l->records.longest = options->longest == 0 ? USUAL_LONGEST :
						     (size_t)options->longest;
	lines_goal_begin(&l->records.goal, options->count, options->until,
	    options->partial);
	status = lines_check(targets);
	if (status != 0 || targets->count == 0)
		return status;
	status = open_sources(l, options);
	if (status != 0)
		return status;
	l->serving = true;
	if (options->reopen)
		fifo_catch();
	sigdefer_signals(put_last);
	return 0;
}

/*
 * Whether what SOURCE holds can be left to a later reader: the offset of a file
 * goes back.
 */
static bool
is_put_back(const struct lines *l, const struct lines_source *source)
{
	return l->records.goal.is_set && source->how.kind == READ_FILE &&
	    read_skip(source->target->fd, -(off_t)source->held.length) == 0;
}

void
lines_close(void)
{
	struct lines *l = pmux->lines;
	struct lines_source *source;

	if (l == NULL || !l->serving)
		return;
	sigdefer_begin();
	l->serving = false;
	for (size_t i = 0; i < l->targets->count; i++) {
		source = &l->sources[i];
		if (source->held.length > 0 && !is_put_back(l, source)) {
			lines_put_head(&l->records.printer, source->target);
			lines_add_unfinished(&l->records, source->target,
			    &source->held);
		}
		lines_turn_end(source);
	}
	sigdefer_end();
}

void
lines_forget(void)
{
	struct lines *l = pmux->lines;

	if (l == NULL || !l->serving)
		return;
	l->serving = false;
	for (size_t i = 0; i < l->targets->count; i++)
		lines_turn_close(&l->sources[i]);
}

void
lines_end(struct lines *l, size_t count)
{
	if (l == NULL)
		return;
	for (size_t i = 0; l->sources != NULL && i < count; i++)
		free(l->sources[i].held.held);
	free(l->sources);
	free(l->texts);
	lines_goal_end(&l->records.goal);
	tail_close(l->tail);
	free(l);
}

/* ---- what a read brought ---- */

/* read(2) fails with EBADF also for a descriptor that is only for writing. */
static enum lines_answer
failed(const struct target *t, int error)
{
	if (error == -EBADF && foreign_is_closed(t->fd))
		(void)target_closed(pmux->lines->targets, t);
	else
		(void)diag_system(-error, NULL, "%.*s", (int)t->length,
		    t->name);
	return LINES_FAILED;
}

/* The file of SOURCE was truncated or overwritten before the place reached. */
static enum lines_answer
start_again(struct lines *l, struct lines_source *source)
{
	const struct target *t = source->target;
	int error = read_from_start(t->fd);

	lines_add_unfinished(&l->records, t, &source->held);
	if (error != 0)
		return failed(t, error);
	diag_remark(
	    "%.*s: it was truncated or overwritten: reading it from its start",
	    (int)t->length, t->name);
	return LINES_WAIT;
}

/* There was nothing, though it was said to be ready. */
static enum lines_answer
take_empty(struct lines_source *source)
{
	bool again = source->empty;

	/* said twice: that must not be a loop */
	source->empty = true;
	return again ? LINES_LEFT : LINES_WAIT;
}

static enum lines_answer
take_end(struct lines *l, struct lines_source *source, int error)
{
	struct lines_source *holder = source->holder;

	(void)lines_goal_match_held(&l->records.goal, &holder->held);
	lines_add_unfinished(&l->records, source->target, &holder->held);
	lines_turn_give(holder);
	/* so a terminal ends whose other end was closed (tty_io.c) */
	if (error == 0 ||
	    (error == -EIO && source->how.kind == READ_DEVICE &&
		read_has_hung_up(source->target->fd)))
		return LINES_END;
	return failed(source->target, error);
}

/* Nothing could be read, ERROR being 0 at end of file or a -errno. */
static enum lines_answer
take_nothing(struct lines *l, struct lines_source *source, int error)
{
	bool endless = lines_is_endless(source);

	if (error == -EINPROGRESS)
		return LINES_LEFT;
	if (error == -EBUSY)
		return LINES_TURN;
	if (error == -ESTALE && endless)
		return start_again(l, source);
	if (error == -EINTR ||
	    (error == 0 && source->how.kind == READ_DATAGRAMS))
		return LINES_WAIT;
	if (error == 0 && endless && source->named != NULL &&
	    tail_ended(source->named))
		return LINES_CHANGE;
	if (error == -EAGAIN || (error == 0 && endless))
		return take_empty(source);
	return take_end(l, source, error);
}

/* ---- reading ---- */

/* Take all unread bytes, at most what is read at once.  Returns as read_now. */
static ssize_t
take_all(struct lines *l, struct lines_source *source, char *bytes)
{
	const struct target *t = source->target;
	struct lines_held *held = &source->holder->held;
	ssize_t n = lines_read(source, bytes);
	int error;

	if (n <= 0)
		return n;
	error = lines_add(&l->records, t, held, bytes, (size_t)n);
	if (lines_is_message(source))
		lines_add_unfinished(&l->records, t, held);
	return error != 0 ? error : n;
}

static ssize_t
take_in_turn(struct lines *l, struct lines_source *source, char *bytes,
    bool ends)
{
	int fd = lines_turn_fd(source);
	ssize_t n;

	if (!lines_turn_take(source))
		return -EBUSY;
	n = lines_take_counted(&l->records, source, fd, bytes, ends);
	lines_turn_give(source->holder);
	return n;
}

static enum lines_answer
take(struct lines *l, struct lines_source *source, bool ends)
{
	const struct target *t = source->target;
	char *bytes = lines_bytes(&l->buffer);
	ssize_t n;
	int error;

	if (source->fd != t->fd) {
		error = read_how(t->fd, (t->flags & TARGET_PATH) != 0,
		    &source->how);
		if (error != 0)
			return failed(t, error);
		source->fd = t->fd;
	}
	lines_put_head(&l->records.printer, t);
	n = l->records.goal.is_set ? take_in_turn(l, source, bytes, ends) :
				     take_all(l, source, bytes);
	if (n <= 0)
		return take_nothing(l, source, (int)n);
	source->empty = false;
	source->unread = 0;
	return LINES_WAIT;
}

/* ENDS: also an unfinished line, since its writer has ended. */
static enum lines_answer
take_unless_done(size_t index, bool ends)
{
	struct lines *l = pmux->lines;
	enum lines_answer answer = LINES_WAIT;

	if (lines_done())
		return answer;
	/* a process that cannot print must not keep the turn from others */
	if (l->records.goal.is_set && !l->records.printer.print->quiet &&
	    !output_is_ready()) {
		l->blocked = true;
		return answer;
	}
	sigdefer_begin();
	/* do not consume input that can no longer be printed */
	if (output_failed() == 0 && !sigdefer_pending())
		answer = take(l, &l->sources[index], ends);
	sigdefer_end();
	return answer;
}

enum lines_answer
lines_take(size_t index)
{
	return take_unless_done(index, false);
}

/* Print what HOLDER holds, a line of T that will not be continued. */
static void
put_unfinished(struct lines *l, const struct target *t,
    struct lines_source *holder)
{
	sigdefer_begin();
	lines_put_head(&l->records.printer, t);
	(void)lines_goal_match_held(&l->records.goal, &holder->held);
	lines_add_unfinished(&l->records, t, &holder->held);
	sigdefer_end();
}

bool
lines_take_last(size_t index)
{
	struct lines *l = pmux->lines;
	struct lines_source *source = &l->sources[index];
	uint64_t before = lines_count();

	if (source->target->fd < 0)
		return false;
	(void)take_unless_done(index, true);
	if (source->holder->held.length > 0 && !lines_done())
		put_unfinished(l, source->target, source->holder);
	return lines_count() != before;
}

void
lines_await_output(void)
{
	struct lines *l = pmux->lines;

	if (l->blocked)
		output_await();
	l->blocked = false;
}

uint64_t
lines_count(void)
{
	return pmux->lines->records.goal.records;
}

bool
lines_done(void)
{
	return lines_goal_reached(&pmux->lines->records.goal);
}

/* ---- files that are followed by name ---- */

int
lines_change(size_t index)
{
	struct lines *l = pmux->lines;
	struct lines_source *source = &l->sources[index];
	const struct target *t = source->target;
	int error;

	sigdefer_begin();
	put_unfinished(l, t, source);
	*source->text = (struct read_text){ .length = 0 };
	source->fd = -1;
	source->empty = false;
	error = tail_change(source->named);
	sigdefer_end();
	return error == 0 ?
	    0 :
	    diag_system(-error, NULL, "%.*s", (int)t->length, t->name);
}

bool
lines_next(bool all, uint32_t *index)
{
	struct lines *l = pmux->lines;
	const struct lines_source *source;
	int fd;

	while (tail_next(l->tail, all, index)) {
		source = &l->sources[*index];
		fd = source->target->fd;
		/* the kind of a file that was not read is not known */
		if (fd >= 0 &&
		    (source->fd != fd || source->how.kind == READ_FILE))
			return true;
	}
	return false;
}

int64_t
lines_left(void)
{
	return tail_left(pmux->lines->tail);
}

int
lines_files(void)
{
	return pmux->lines->tail == NULL ? -1 :
					   tail_descriptor(pmux->lines->tail);
}

void
lines_read_files(void)
{
	tail_read(pmux->lines->tail);
}
