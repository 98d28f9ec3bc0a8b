/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/pmux.h"
#include "cli/command.h"
#include "cli/inspect.h"
#include "cli/option.h"
#include "inspect/explain/explain.h"
#include "output/diag.h"
#include "run/request.h"

static int
explain_all(const struct request *request)
{
	const struct targets *targets = &request->targets;
	struct explain_options options = { .quiet = request->print.quiet,
		.all = request->all,
		.json = request->print.json };
	struct inspect_target *list = calloc(
	    targets->count + targets->process_count + 1, sizeof *list);

	if (list == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	return explain(list, inspect_fill(targets, list), &options);
}

int
explain_run(const struct command *command, int argc, char **argv)
{
	struct request *request = pmux->request;
	int status;

	if (!command_begin(command, argc, argv, &status))
		return status;
	if (request->program.arguments != NULL)
		return diag_usage("explain runs no program");
	if (request->targets.words == 0 && request->targets.process_count == 0)
		return diag_usage("no process to explain: -p PID");
	status = targets_parse_names(&request->targets, false);
	return status != 0 ? status : explain_all(request);
}
