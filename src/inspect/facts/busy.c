/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "inspect/facts/busy.h"

/* This wants the right to read the process (PTRACE_MODE_READ_FSCREDS). */
static void
count_calls(struct source *source, const char *directory, struct busy *busy)
{
	char path[SOURCE_PATH + 8], *text;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/io", directory);
	n = source_read(source, &text, path);
	busy->is_counted = n > 0 &&
	    sscanf(text,
		"rchar: %*u wchar: %*u syscr: %" SCNu64 " syscw: %" SCNu64,
		&busy->reads, &busy->writes) == 2;
}

int
busy_note(struct source *source, pid_t pid, pid_t tid, struct busy *busy)
{
	char directory[SOURCE_PATH];
	struct procfs_status status;
	struct procfs_stat stat;
	int error;

	(void)snprintf(directory, sizeof directory, "%jd/task/%jd",
	    (intmax_t)pid, (intmax_t)tid);
	busy->when = clock_now();
	error = procfs_times(source, directory, &busy->times);
	if (error == 0)
		error = procfs_stat(source, directory, &stat);
	if (error == 0)
		error = procfs_status(source, directory, &status);
	if (error != 0 || status.sleeps == UINT64_MAX)
		return error != 0 ? error : -EINVAL;
	busy->user = stat.user;
	busy->system = stat.system;
	busy->faults = stat.faults;
	busy->sleeps = status.sleeps;
	count_calls(source, directory, busy);
	return 0;
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
busy_kept_running(const struct busy *a, const struct busy *b)
{
	return a->sleeps == b->sleeps;
}

bool
busy_slept(const struct busy *a, const struct busy *b)
{
	return a->times.ran == b->times.ran && a->times.turns == b->times.turns;
}

bool
busy_has_not_read(const struct busy *a, const struct busy *b)
{
	return a->is_counted && b->is_counted && a->reads == b->reads;
}

bool
busy_has_not_written(const struct busy *a, const struct busy *b)
{
	return a->is_counted && b->is_counted && a->writes == b->writes;
}

/*
 * The kernel needs some microseconds for each page: it takes thousands for the
 * share of LEAST_SYSTEM (judge_epoll.c).
 */
#define MOST_FAULTS 200

bool
busy_may_only_wait(const struct busy *a, const struct busy *b)
{
	return busy_has_not_read(a, b) && busy_has_not_written(a, b) &&
	    b->faults - a->faults < MOST_FAULTS;
}

int
busy_system(const struct busy *a, const struct busy *b)
{
	uint64_t system = b->system - a->system,
		 all = b->user - a->user + system;

	return all == 0 ? 0 : (int)(system * 100 / all);
}
