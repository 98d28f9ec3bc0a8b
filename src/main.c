/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "cli/command.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "sys/title.h"

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

int
main(int argc, char **argv)
{
	int status, error;

	title_remember(argc, argv);
	status = run(argc, argv);
	error = output_close();
	if (error != 0)
		status = print_failed(error);
	return fifo_leave() != 0 ? EXIT_SYSTEM : status;
}
