/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stddef.h>

#include "base/pmux.h"
#include "cli/command.h"
#include "cli/option.h"
#include "inspect/trace/calls_run.h"
#include "inspect/trace/trace_run.h"
#include "output/diag.h"
#include "run/request.h"

/* Options of one of the two modes alone.  Returns 0 or an exit status. */
static int
check(const struct request *r)
{
	bool program = r->program.arguments != NULL;

	if (!r->trace.calls) {
		if (program)
			return diag_usage("only --calls runs a program");
		if (r->trace.waits != TRACE_WAITS)
			return diag_usage("--waits: only with --calls");
		if (r->targets.words + r->targets.process_count == 0)
			return diag_usage("no descriptor and no --pid");
		return 0;
	}
	if (r->trace.picture || r->trace.svg != NULL ||
	    r->trace.every != TRACE_EVERY)
		return diag_usage("--calls: it takes only --pid, --timeout,"
				  " --waits and --json");
	if (r->targets.words > 0)
		return diag_usage("%s: --calls takes no descriptors",
		    r->targets.list[0].name);
	if (r->targets.process_count + program != 1)
		return diag_usage("--calls: one --pid, or -- and a program");
	return 0;
}

int
trace_run(const struct command *command, int argc, char **argv)
{
	struct request *request = pmux->request;
	int status;

	if (!command_begin(command, argc, argv, &status))
		return status;
	status = check(request);
	if (status == 0 && command_apart(&status))
		return status;
	if (status == 0 && request->trace.calls)
		return calls_run(request);
	if (status == 0)
		status = targets_parse_names(&request->targets, false);
	return status != 0 ? status : trace_samples(request);
}
