/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/duration.h"
#include "base/pmux.h"
#include "cli/check.h"
#include "output/diag.h"
#include "print/format.h"
#include "run/request.h"

/* Parts of a command line, and how request R shows that they are present. */
#define FACTS                                                            \
	FACT(TARGETS, r->targets.words != 0)                             \
	FACT(PROGRAM, r->program.arguments != NULL)                      \
	FACT(AWAIT, pmux->await != NULL)                                 \
	FACT(ALL, r->all)                                                \
	FACT(COUNT, r->stream.count != 0)                                \
	FACT(EVENTS, r->targets.masked)                                  \
	FACT(FOLLOW, r->follow)                                          \
	FACT(FORMAT, r->print.format != NULL)                            \
	FACT(FORMAT_LINE,                                                \
	    r->print.format != NULL && format_has(r->print.format, 'l')) \
	FACT(IDLE, r->stream.idle != DURATION_FOREVER)                   \
	FACT(JOBS, r->program.jobs != 0)                                 \
	FACT(JSON, r->print.json)                                        \
	FACT(LINES, r->stream.lines)                                     \
	FACT(MAX_EVENTS, r->wait.max_events != INT64_MAX)                \
	FACT(MAX_LINE, r->stream.longest != 0)                           \
	FACT(NULLS, r->print.null)                                       \
	FACT(NUMERIC, r->print.numeric)                                  \
	FACT(PARTIAL, r->stream.partial)                                 \
	FACT(QUIET, r->print.quiet)                                      \
	FACT(READY_FD, r->wait.ready_fd != -1)                           \
	FACT(REOPEN, r->stream.reopen)                                   \
	FACT(SETTLE, r->stream.settle != DURATION_FOREVER)               \
	FACT(SESSION, r->session)                                        \
	FACT(TIMEOUT, r->timed)                                          \
	FACT(TIMESTAMPS, r->print.timestamps)                            \
	FACT(VARIABLE, r->variable)                                      \
	FACT(UNTIL, r->stream.until != NULL)                             \
	FACT(WHILE, r->stream.process != 0)

enum {
#define FACT(name, is) name##_BIT,
	FACTS
#undef FACT
};

enum {
#define FACT(name, is) name = 1 << name##_BIT,
	FACTS
#undef FACT
};

/*
 * Where all of GIVEN is on the command line, nothing of EXCLUDED may be, and
 * all of REQUIRED must be.  The first rule that is broken makes the message.
 */
static const struct {
	unsigned given, excluded, required;
	char message[80];
} rules[] = {
	{ LINES, PROGRAM, 0, "--lines cannot be combined with a program" },
	{ LINES, AWAIT, 0,
	    "--lines: not with --exit, --exists, --absent, --connect; see --while PID" },
	{ ALL, PROGRAM, 0, "--all cannot be combined with a program" },
	{ ALL, FOLLOW, 0, "--all cannot be combined with --follow" },
	{ VARIABLE, PROGRAM | SESSION, 0,
	    "--var: not with --session or a program" },
	{ MAX_LINE, 0, LINES, "--max-line: only with --lines" },
	{ FORMAT_LINE, 0, LINES, "--format: only --lines has %l" },
	{ JOBS, 0, PROGRAM | FOLLOW, "--jobs: only with --follow and PROGRAM" },
	{ UNTIL, 0, LINES, "--until: only with --lines" },
	{ PARTIAL, 0, UNTIL, "--partial: only with --until" },
	{ WHILE, 0, FOLLOW, "--while: only with --follow or --lines" },
	{ SETTLE, LINES, FOLLOW,
	    "--settle: only with --follow, and not with --lines" },
	{ REOPEN, 0, FOLLOW, "--reopen: only with --follow or --lines" },
	{ COUNT, 0, FOLLOW, "--count: only with --follow or --lines" },
	{ IDLE, 0, FOLLOW, "--idle: only with --follow or --lines" },
	{ SESSION, TARGETS | PROGRAM, 0,
	    "--session: targets are named in requests, not on the command line" },
	{ SESSION,
	    ALL | EVENTS | FOLLOW | FORMAT | JSON | MAX_EVENTS | NULLS | QUIET |
		READY_FD | TIMEOUT | TIMESTAMPS,
	    0,
	    "--session: it takes only --pid, --numeric, --hold and --debug" },
	{ NUMERIC, 0, SESSION, "--numeric: only with --session" },
};

static unsigned
given(const struct request *r)
{
	unsigned all = 0;

#define FACT(name, is) all |= (is) ? (name) : 0;
	FACTS
#undef FACT
	return all;
}

int
check_options(const struct request *request)
{
	unsigned all = given(request);

	if (request->session && pmux->host->shell)
		return diag_usage(
		    "--session: not in the builtin; start the program as a coprocess: coproc env pmux ... --session");
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if ((all & rules[i].given) == rules[i].given &&
		    ((all & rules[i].excluded) != 0 ||
			(all & rules[i].required) != rules[i].required))
			return diag_usage("%s", rules[i].message);
	if ((all & (TARGETS | TIMEOUT | SESSION)) == 0)
		return diag_usage(
		    "no target and no --timeout: pmux would sleep forever");
	return 0;
}
