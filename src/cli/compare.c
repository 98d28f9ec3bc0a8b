/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stddef.h>

#include "base/pmux.h"
#include "cli/command.h"
#include "cli/option.h"
#include "inspect/compare/compare.h"
#include "output/diag.h"
#include "run/request.h"

int
compare_run(const struct command *command, int argc, char **argv)
{
	struct request *request = pmux->request;
	int status;

	if (!command_begin(command, argc, argv, &status))
		return status;
	if (request->program.arguments != NULL)
		return diag_usage("compare runs no program");
	if (request->targets.words == 0)
		return diag_usage("no descriptor to compare (see 'pmux help"
				  " compare')");
	status = targets_parse_names(&request->targets, false);
	return status != 0 ? status :
			     compare(&request->targets, request->print.json);
}
