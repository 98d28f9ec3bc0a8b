/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "cli/command.h"
#include "cli/option.h"
#include "output/diag.h"
#include "output/output.h"

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
	    "'pmux help COMMAND' lists its options; man pmux has the whole"
	    " story.\n");
}

int
help_run(const struct command *self, int argc, char **argv)
{
	const struct command *command;

	if (argc > 2)
		return diag_usage("%s: one command at a time", argv[2]);
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
	options_help(command);
	return EXIT_EVENT;
}
