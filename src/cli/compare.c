/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stddef.h>

#include "base/pmux.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/option.h"
#include "inspect/compare/compare.h"
#include "output/diag.h"
#include "run/request.h"

int
compare_run(const struct command *command, int argc, char **argv)
{
	struct request *request = pmux->request;
	int status = options_parse(command, NULL, argc, argv, request);

	if (status != 0)
		return status;
	if (request->help) {
		help_print(command);
		return EXIT_EVENT;
	}
	if (request->program.arguments != NULL)
		return diag_usage("compare runs no program");
	if (request->targets.words == 0)
		return diag_usage("no descriptor to compare (see 'pmux help"
				  " compare')");
	status = targets_parse_names(&request->targets, false);
	return status != 0 ? status :
			     compare(&request->targets, request->print.json);
}
