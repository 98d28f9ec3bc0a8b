/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "await/await.h"
#include "cli/command.h"
#include "cli/pmux_run.h"
#include "fifo/successor.h"
#include "output/debug.h"
#include "print/print.h"
#include "run/lines.h"
#include "run/pattern.h"
#include "run/program.h"

void
pmux_enter(struct pmux_call *call, struct pmux_host *host)
{
	call->pmux = (struct pmux){
		.outer = pmux,
		.host = host,
		.caller = &call->caller,
		.fdplace = &call->fdplace,
		.launching = &call->launching,
		.scratch = &call->scratch,
		.sigdefer = &call->sigdefer,
		.foreign = &call->foreign,
		.first = &call->first,
		.over = &call->over,
		.output = &call->output,
		.diag = &call->diag,
		.fifos = &call->fifos,
		.request = &call->request,
		.names = &call->names,
		.once = &call->once,
	};
	call->caller.actions = call->actions;
	call->caller.own = call->own;
	call->sigdefer.replaced = call->replaced;
	read_begin(&call->scratch);
	foreign_begin(&call->foreign);
	output_begin(&call->output);
	fifo_begin(&call->fifos);
	pmux = &call->pmux;
	/* a trap of the shell may open lower ones */
	if (host->shell)
		fdplace_above(10);
}

/* Descriptors of a program that ends now are the kernel's to close. */
void
pmux_leave(void)
{
	struct pmux_call *call = (struct pmux_call *)(void *)pmux;
	struct pmux_host *host = pmux->host;

	pmux_close();
	sigdefer_close();
	once_end(&call->once);
	lines_end(pmux->lines, call->request.targets.count);
	program_end(pmux->programs);
	launch_end(&call->launching);
	fifo_end(&call->fifos);
	pattern_free(call->request.stream.until);
	targets_release(&call->request.targets);
	await_end(pmux->await);
	foreign_end(&call->foreign);
	if (host->stays) {
		read_end(&call->scratch);
		caller_restore();
	}
	debug_end();
	pmux = pmux->outer;
	if (call != host->room)
		free(call);
	else if (host->stays)
		memset(call, 0, offsetof(struct pmux_call, output.buffer));
}

static int
run(int argc, char **argv)
{
	const struct command *command;
	const char *word;

	if (argc < 2)
		return diag_usage("no command (see 'pmux help')");
	word = argv[1];
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		output_string(PACKAGE_STRING "\n");
		return EXIT_EVENT;
	}
	if (strcmp(word, SUCCESSOR_WORD) == 0 && argc == 3)
		return successor_run(argv[2]);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		word = "help";
	else if (*word == '-')
		return diag_usage("%s: unknown option (see 'pmux help')", word);
	command = command_find(word);
	if (command == NULL)
		return command_unknown(word);
	diag_command(command->name);
	if (*argv[1] == '-') /* --help is help without a word */
		return command->run(command, 1, argv + 1);
	return command->run(command, argc - 1, argv + 1);
}

/* Say so without a call. */
static int
no_memory(void)
{
	struct diag diag = { .command = NULL };
	struct pmux none = { .outer = pmux, .diag = &diag };
	int status;

	pmux = &none;
	status = diag_system(ENOMEM, NULL, "a call");
	pmux = none.outer;
	return status;
}

int
pmux_run(struct pmux_host *host, int argc, char **argv)
{
	struct pmux_call *call = host->room;
	int status, error;

	if (call == NULL || pmux != NULL)
		call = calloc(1, sizeof *call);
	if (call == NULL)
		return no_memory();
	host->signal = 0;
	pmux_enter(call, host);
	status = run(argc, argv);
	error = output_close();
	if (error != 0)
		status = print_failed(error);
	if (fifo_leave() != 0) {
		status = EXIT_SYSTEM;
		host->signal = 0; /* the status reports the loss */
	}
	pmux_leave();
	return status;
}

void
pmux_abandon(unsigned count)
{
	for (; count > 0 && pmux != NULL; count--) {
		/* the bytes that --lines has read must not be lost */
		pmux_close();
		output_leave();
		(void)fifo_leave();
		pmux_leave();
	}
}

void
pmux_forget(void)
{
	while (pmux != NULL) {
		lines_forget();
		pmux_leave();
	}
}
