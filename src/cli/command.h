/* SPDX-License-Identifier: ISC */
/*
 * command.h - the commands of pmux, one entry each.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "target/target.h"

struct backend;
struct command;

/*
 * Run the command with its own arguments, ARGV[0] being its name.  Returns the
 * exit status; the caller writes the bytes left in the output buffer.
 */
typedef int command_run_fn(const struct command *command, int argc,
    char **argv);

/* Which rows of the option table a command takes. */
enum {
	OPTION_ANY = 1, /* every command */
	OPTION_WAITS = 2, /* those that wait */
	OPTION_LISTS = 4, /* select: lists instead of events */
	OPTION_EVENTS = 8, /* the others: events */
	OPTION_JSON = 16, /* those that can print JSON */
	OPTION_SESSION = 32, /* those that can serve requests */
	OPTION_PID = 64, /* info: about a process */
	OPTION_INSPECT = 128, /* those that examine processes */
	OPTION_TRACE = 256, /* trace */
	OPTION_EXPLAIN = 512, /* explain */
	OPTION_AWAIT = 1024 /* wait: conditions */
};

struct command {
	const char *name;
	const char *summary; /* one line for `pmux help' */
	const char *arguments; /* for the usage line */
	const char *otherwise; /* the meaning of status 1, or NULL */
	const char *words; /* lines for help in place of event names, or NULL */
	const char *examples[2]; /* for help; the tests run them */
	unsigned options; /* a set of the above */
	command_run_fn *run;
	/* those that wait: by which primitive, for which events, twice */
	const struct backend *backend;
	const struct backend *instead; /* where that is absent */
	const struct backend *const *streams; /* for --follow, the first
						    that is there; ends with
						    NULL; or NULL */
	const char *events; /* the default */
	enum target_twice twice;
};

/* All of them, in the order of commands.def; the last has no name. */
extern const struct command commands[];

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

/*
 * For a command that does not wait: take its options and targets into the
 * request of the call, or print its help if that is asked for.  Returns whether
 * the command goes on; otherwise *STATUS is its exit status.
 */
bool command_begin(const struct command *command, int argc, char **argv,
    int *status);

/*
 * Go on in a process of its own, if the host has its calls end their processes
 * so.  Returns whether this is another one, and *STATUS is that of the call.
 */
bool command_apart(int *status);

/*
 * A usage error about NAME, which is no command; returns its exit status.  The
 * nearest name is suggested if one is near.
 */
int command_unknown(const char *name);

/* The run functions: of select, poll and all commands that wait; the others. */
command_run_fn command_wait_run, explain_run, inspect_run, compare_run,
    trace_run, info_run, help_run;

#endif
