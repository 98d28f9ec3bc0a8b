/* SPDX-License-Identifier: ISC */
/*
 * help.h - the usage of a command, for help and --help.
 */
#ifndef HELP_H
#define HELP_H

#include "cli/command.h"

/* Append the usage of COMMAND to the output, in lines of at most 79 columns. */
void help_print(const struct command *command);

#endif
