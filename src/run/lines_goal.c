/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run/lines_goal.h"
#include "sys/sigdefer.h"

void
lines_goal_begin(struct lines_goal *goal, int64_t count, struct pattern *until,
    bool partial)
{
	goal->is_set = count != 0 || until != NULL;
	goal->partial = partial;
	goal->most = count == 0 ? UINT64_MAX : (uint64_t)count;
	goal->until = until;
}

void
lines_goal_end(struct lines_goal *goal)
{
	free(goal->joined);
}

int
lines_goal_test(struct lines_goal *goal, const struct lines_held *held,
    char *line, size_t length)
{
	char *joined;

	if (goal->until == NULL || goal->matched)
		return 0;
	if (held->length == 0)
		return pattern_match(goal->until, line, length);
	joined = realloc(goal->joined, held->length + length + 1);
	if (joined == NULL)
		return -ENOMEM;
	goal->joined = joined;
	memcpy(joined, held->held, held->length);
	memcpy(joined + held->length, line, length);
	return pattern_match(goal->until, joined, held->length + length);
}

int
lines_goal_try(struct lines_goal *goal, const struct lines_held *held,
    char *line, size_t length)
{
	int answer;

	/* an expression may take hours */
	sigdefer_pause();
	answer = lines_goal_test(goal, held, line, length);
	sigdefer_resume();
	return answer;
}

int
lines_goal_match(struct lines_goal *goal, const struct lines_held *held,
    char *line, size_t length)
{
	int answer = lines_goal_test(goal, held, line, length);

	goal->matched |= answer > 0;
	return answer < 0 ? answer : 0;
}

int
lines_goal_match_held(struct lines_goal *goal, const struct lines_held *held)
{
	return held->length == 0 ? 0 :
				   lines_goal_match(goal, held, held->held, 0);
}

bool
lines_goal_reached(const struct lines_goal *goal)
{
	return goal->matched || goal->records >= goal->most;
}
