/* SPDX-License-Identifier: ISC */
/*
 * option.h - the options of every command, one table for parsing and --help.
 */
#ifndef OPTION_H
#define OPTION_H

#include "cli/command.h"
#include "run/request.h"

/*
 * Take the options and targets of COMMAND, which waits with BACKEND if it waits
 * at all, into REQUEST, which is set up first, in the order in which they stand
 * in ARGV.  Returns 0 or an exit status, a message having been printed.
 */
int options_parse(const struct command *command, const struct backend *backend,
    int argc, char **argv, struct request *request);

/* Append the options of COMMAND to the output, each in a line. */
void options_list(const struct command *command);

#endif
