/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "inspect/busy.h"

/* Fields 14 and 15 of proc_pid_stat(5); the name, field 2, may have any byte. */
static int
processor_times(struct source *source, const char *directory, struct busy *busy)
{
	char path[SOURCE_PATH + 8], *text, *end;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/stat", directory);
	n = source_read(source, &text, path);
	if (n < 0)
		return (int)n;
	end = strrchr(text, ')');
	return end != NULL &&
		sscanf(end,
		    ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
		    " %" SCNu64,
		    &busy->user, &busy->system) == 2 ?
	    0 :
	    -EINVAL;
}

int
busy_note(struct source *source, pid_t pid, pid_t tid, struct busy *busy)
{
	char directory[SOURCE_PATH];
	int error;

	(void)snprintf(directory, sizeof directory, "%jd/task/%jd",
	    (intmax_t)pid, (intmax_t)tid);
	busy->when = clock_now();
	error = procfs_times(source, directory, &busy->times);
	return error != 0 ? error : processor_times(source, directory, busy);
}

int
busy_percent(const struct busy *a, const struct busy *b)
{
	int64_t time = b->when - a->when;
	uint64_t used = b->times.ran - a->times.ran + b->times.waited -
	    a->times.waited;

	if (time <= 0)
		return 0;
	return used >= (uint64_t)time ? 100 :
					(int)(used * 100 / (uint64_t)time);
}

bool
busy_slept(const struct busy *a, const struct busy *b)
{
	return a->times.ran == b->times.ran && a->times.turns == b->times.turns;
}

int
busy_system(const struct busy *a, const struct busy *b)
{
	uint64_t system = b->system - a->system,
		 all = b->user - a->user + system;

	return all == 0 ? 0 : (int)(system * 100 / all);
}
