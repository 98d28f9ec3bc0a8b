/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/select.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/exits.h"
#include "base/pmux.h"
#include "cli/command.h"
#include "cli/option.h"
#include "output/diag.h"
#include "output/output.h"
#include "run/request.h"
#include "sys/dirwatch.h"
#include "sys/foreign.h"
#include "sys/kernel.h"
#include "sys/watch.h"

/* Complete a line whose first word and value are in the output. */
static void
put_state(const char *state, const char *detail, bool json)
{
	output_string(json ? ",\"state\":\"" : "\t");
	output_string(state);
	output_string(json ? "\",\"detail\":\"" : "\t");
	output_string(detail);
	output_string(json ? "\"}\n" : "\n");
}

static void
put_primitive(const struct backend *backend, bool json)
{
	const char *detail, *state;
	int kind = backend->probe(&detail);

	state = kind < 0	   ? "absent" :
	    kind == BACKEND_NATIVE ? "native" :
				     "emulated";
	output_string(json ? "{\"primitive\":\"" : "");
	output_string(backend->name);
	output_string(json ? "\"" : "");
	put_state(state, detail, json);
}

/* How the descriptors of PID are examined.  Returns 0 or an exit status. */
static int
put_process(pid_t pid, bool json)
{
	const char *detail;
	int kind = foreign_probe(pid, &detail);

	if (kind < 0 && kind != -ENOSYS && kind != -EPERM)
		return diag_system(-kind, NULL, "process %ld", (long)pid);
	output_string(json ? "{\"pid\":" : "pid ");
	output_number(pid);
	put_state(kind < 0 ? "absent" : "native", detail, json);
	return 0;
}

/* What the system does not report is sampled. */
static const struct {
	const char *name;
	bool (*probe)(const char **detail);
} features[] = {
	{ "fifo", watch_probe }, /* by the holder of a named pipe */
	{ "exit", exits_probe },
	{ "path", dirwatch_probe },
};

static void
put_feature(unsigned i, bool json)
{
	const char *detail,
	    *state = features[i].probe(&detail) ? "watched" : "sampled";

	output_string(json ? "{\"feature\":\"" : "");
	output_string(features[i].name);
	output_string(json ? "\"" : "");
	put_state(state, detail, json);
}

/* VALUE -1: unknown. */
static void
put_limit(const char *name, int64_t value, bool json)
{
	output_string(json ? "{\"limit\":\"" : "limit\t");
	output_string(name);
	output_string(json ? "\",\"value\":" : "\t");
	if (value == -1)
		output_string(json ? "null" : "-");
	else
		output_number(value);
	output_string(json ? "}\n" : "\n");
}

static int64_t
limit_value(rlim_t limit)
{
	return limit == RLIM_INFINITY || limit > INT64_MAX ? INT64_MAX :
							     (int64_t)limit;
}

static void
put_limits(bool json)
{
	struct rlimit files;
	const char *name;
	int64_t value;

#ifdef PIPE_BUF
	put_limit("PIPE_BUF", PIPE_BUF, json);
#endif
	put_limit("FD_SETSIZE", FD_SETSIZE, json);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		put_limit("RLIMIT_NOFILE.soft", limit_value(files.rlim_cur),
		    json);
		put_limit("RLIMIT_NOFILE.hard", limit_value(files.rlim_max),
		    json);
	}
	for (int i = 0; (name = kernel_limit(i, &value)) != NULL; i++)
		put_limit(name, value, json);
}

int
info_run(const struct command *command, int argc, char **argv)
{
	struct request *request = pmux->request;
	int status;

	if (!command_begin(command, argc, argv, &status))
		return status;
	if (request->targets.words > 0)
		return diag_usage("%s: info takes no targets",
		    request->targets.list[0].name);
	for (const struct backend *const *b = backends; *b != NULL; b++)
		put_primitive(*b, request->print.json);
	for (unsigned i = 0; i < sizeof features / sizeof *features; i++)
		put_feature(i, request->print.json);
	put_limits(request->print.json);
	for (uint32_t i = 0; i < request->targets.process_count && status == 0;
	     i++)
		status = put_process(request->targets.processes[i],
		    request->print.json);
	return status;
}
