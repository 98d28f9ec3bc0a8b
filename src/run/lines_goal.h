/* SPDX-License-Identifier: ISC */
/*
 * lines_goal.h - --count and --until: which record is the last one.
 */
#ifndef LINES_GOAL_H
#define LINES_GOAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/lines_put.h"
#include "run/pattern.h"

struct lines_goal {
	bool is_set; /* nothing is read past it */
	bool partial; /* an unfinished line may match, too */
	uint64_t records, most; /* UINT64_MAX: no limit */
	struct pattern *until; /* the caller's; or NULL */
	char *joined; /* what was held of a line, and the bytes behind it */
	bool found; /* UNTIL matches the last of the records that are wanted */
	bool matched; /* UNTIL has matched a record that was printed */
};

/* The options as in stream_options; the caller passes GOAL to lines_goal_end. */
void lines_goal_begin(struct lines_goal *goal, int64_t count,
    struct pattern *until, bool partial);
void lines_goal_end(struct lines_goal *goal);

/*
 * Whether --until matches the record that begins with HELD and ends with the
 * LENGTH bytes at LINE, where LINE[LENGTH] is written to, and restored: 1 or 0,
 * or -ENOMEM.  0 once it has matched.
 */
int lines_goal_test(struct lines_goal *goal, const struct lines_held *held,
    char *line, size_t length);

/* The same for bytes that have not been read, within sigdefer_begin. */
int lines_goal_try(struct lines_goal *goal, const struct lines_held *held,
    char *line, size_t length);

/* The same for a record that is about to be printed.  Returns 0 or -ENOMEM. */
int lines_goal_match(struct lines_goal *goal, const struct lines_held *held,
    char *line, size_t length);

/* The same for a record that is HELD, which may be empty. */
int lines_goal_match_held(struct lines_goal *goal,
    const struct lines_held *held);

/* Whether no further record is wanted. */
bool lines_goal_reached(const struct lines_goal *goal);

#endif
