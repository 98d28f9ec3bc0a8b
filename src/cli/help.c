/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "backend/backend.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/option.h"
#include "output/diag.h"
#include "output/output.h"

/* No line of help is wider. */
#define COLUMNS 79

static void
put_usage(const struct command *command)
{
	output_string("usage: pmux ");
	output_string(command->name);
	output_string(" [OPTION]...");
	if (*command->arguments != '\0') {
		output_character(' ');
		output_string(command->arguments);
	}
	if ((command->options & OPTION_WAITS) != 0)
		output_string(" [-- PROGRAM [ARG]...]");
	if ((command->options & OPTION_SESSION) != 0) {
		output_string("\n       pmux ");
		output_string(command->name);
		output_string(" --session [OPTION]...");
	}
	output_string("\n\n");
	output_string(command->summary);
	output_string("\n\n");
}

/* The names of FLAGS that this system has. */
static void
put_names(const struct flag *flags)
{
	size_t column = 1;

	output_character(' ');
	for (; *flags->name != '\0'; flags++) {
		size_t length = strlen(flags->name);

		if (flags->bit == 0)
			continue;
		if (column + 1 + length > COLUMNS) {
			output_string("\n ");
			column = 1;
		}
		output_character(' ');
		output_string(flags->name);
		column += 1 + length;
	}
	output_character('\n');
}

static void
put_events(const struct command *command)
{
	if (command->words != NULL) {
		output_string("\nFilters and their words:\n");
		output_string(command->words);
	} else if (command->backend != NULL &&
	    command->backend->flags != NULL) {
		output_string("\nEvents (default: ");
		output_string(command->events);
		output_string("):\n");
		put_names(command->backend->flags);
	}
}

static void
put_statuses(const struct command *command)
{
	bool waits = (command->options & OPTION_WAITS) != 0;
	bool traces = (command->options & OPTION_TRACE) != 0;

	output_string("\nExit status:\n");
	output_string(waits ? "  0        a requested event was reported\n" :
			      "  0        success\n");
	if (command->otherwise != NULL) {
		output_string("  1        ");
		output_string(command->otherwise);
		output_character('\n');
	}
	output_string(
	    "  2        usage error\n"
	    "  3        a system call failed, or the output could not be"
	    " written\n");
	if (waits || traces || (command->options & OPTION_INSPECT) != 0)
		output_string("  4        not available on this system\n");
	if (waits)
		output_string("  124      the timeout passed first\n");
	if (waits || traces)
		output_string(
		    "  125-127  PROGRAM could not be started, executed,"
		    " found\n"
		    "  128+N    signal N ended pmux\n");
	if (waits)
		output_string(
		    "With --follow or --lines:\n"
		    "  0        --count or --until was reached; without both:"
		    " there was an event\n"
		    "  1        every target finished, or --while ended it,"
		    " before that\n"
		    "  124      --timeout or --idle ended it, whatever was"
		    " printed\n");
}

void
help_print(const struct command *command)
{
	put_usage(command);
	options_list(command);
	put_events(command);
	put_statuses(command);
	output_string("\nExamples:\n");
	for (size_t i = 0; i < 2; i++) {
		output_string("  ");
		output_string(command->examples[i]);
		output_character('\n');
	}
	output_string("\nMore: man pmux-");
	output_string(command->name);
	output_character('\n');
}

static void
list_commands(void)
{
	output_string(
	    "usage: pmux COMMAND [OPTION]... [TARGET]...\n\n"
	    "Wait until descriptors and named pipes are ready, and print which"
	    " are.\n\n");
	for (const struct command *c = commands; c->name != NULL; c++) {
		size_t width = strlen(c->name);

		output_string("  ");
		output_string(c->name);
		for (; width < 10; width++)
			output_character(' ');
		output_string(c->summary);
		output_character('\n');
	}
	output_string(
	    "\nA target is a descriptor number, a path, or @FILE with"
	    " one target a line.\n"
	    "'pmux help COMMAND' prints the usage of a command.  More: man"
	    " pmux\n");
}

int
help_run(const struct command *self, int argc, char **argv)
{
	const struct command *command;

	if (argc > 2)
		return diag_usage("%s: only one command can be given", argv[2]);
	if (argc == 1) {
		list_commands();
		return EXIT_EVENT;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		command = self;
	else if (argv[1][0] == '-')
		return diag_usage("%s: unknown option", argv[1]);
	else
		command = command_find(argv[1]);
	if (command == NULL)
		return command_unknown(argv[1]);
	help_print(command);
	return EXIT_EVENT;
}
