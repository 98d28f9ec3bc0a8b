/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/pmux.h"
#include "cli/command.h"
#include "cli/inspect.h"
#include "cli/option.h"
#include "inspect/inspect/inspect.h"
#include "output/diag.h"
#include "run/request.h"

/* What the word of T means. */
static struct inspect_target
target_of(const struct targets *targets, const struct target *t)
{
	if ((t->flags & TARGET_PATH) != 0)
		return (struct inspect_target){ .path = t->name };
	return (struct inspect_target){
		.pid = t->process == 0 ? getpid() :
					 targets->processes[t->process - 1],
		.number = t->number,
	};
}

size_t
inspect_fill(const struct targets *targets, struct inspect_target *list)
{
	size_t n = 0;

	for (size_t i = 0; i < targets->count; i++)
		list[n++] = target_of(targets, &targets->list[i]);
	for (uint32_t i = 0; i < targets->process_count; i++)
		if (!targets_name_any(targets, i + 1))
			list[n++] = (struct inspect_target){
				.pid = targets->processes[i],
				.number = -1,
			};
	if (n == 0)
		list[n++] = (struct inspect_target){ .pid = getpid(),
			.number = -1 };
	return n;
}

static int
inspect_all(const struct request *request)
{
	const struct targets *targets = &request->targets;
	struct inspect_options options = { .json = request->print.json };
	struct inspect_target *list = calloc(
	    targets->count + targets->process_count + 1, sizeof *list);
	int status;

	if (list == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	status = inspect(list, inspect_fill(targets, list), &options);
	free(list);
	return status;
}

int
inspect_run(const struct command *command, int argc, char **argv)
{
	struct request *request = pmux->request;
	int status;

	if (!command_begin(command, argc, argv, &status))
		return status;
	status = targets_parse_names(&request->targets, false);
	return status != 0 ? status : inspect_all(request);
}
