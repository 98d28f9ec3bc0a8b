/* SPDX-License-Identifier: ISC */
/*
 * bash.c - pmux as a loadable builtin of bash, whose headers have a config.h of
 * their own: that of pmux is not included.
 */
#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtins.h"
#include "shell.h"
#include "common.h"
#include "version.h"

#include "output/diag.h"
#include "shell/host.h"

extern char **environ;

/* trap.h is not among the installed headers. */
extern volatile int trapped_signal_received;
extern int signal_is_trapped(int number);
extern void check_signals_and_traps(void);
extern void get_original_signal(int number);
extern void termsig_sighandler(int number);
extern void restore_original_signals(void);

/* The only symbols that bash looks for. */
#define VISIBLE __attribute__((visibility("default")))
extern struct builtin pmux_struct;
int pmux_builtin_load(char *name);
void pmux_builtin_unload(char *name);

static char tag[] = "pmux"; /* bash keeps the pointer */

/* ---- signals ---- */

bool
shell_pending_apart(void)
{
	return terminating_signal != 0 || trapped_signal_received != 0;
}

bool
shell_pending(void)
{
	return interrupt_state != 0 || shell_pending_apart();
}

bool
shell_ends(void)
{
	return terminating_signal != 0;
}

bool
shell_ends_by(void (*handler)(int))
{
	return handler == termsig_sighandler;
}

/* `trap - SIGNAL' goes back to what bash finds when it first traps that. */
void
shell_replaces(int number)
{
	get_original_signal(number);
}

static void
unwind(void *call)
{
	shell_abandon(call);
	shell_end(call);
}

/*
 * return, exit, an error with set -e and Ctrl-C leave by longjmp, and bash runs
 * what is in the unwind frame.  It does not if a signal ends it.  break and
 * continue only set a variable, for the end of this command.
 */
int
shell_act(struct shell_call *call)
{
	int number = trapped_signal_received;

	begin_unwind_frame(tag);
	add_unwind_protect(unwind, call);
	check_signals_and_traps();
	discard_unwind_frame(tag);
	return breaking != 0 || continuing != 0 || pmux == NULL ? 128 + number :
								  -1;
}

void
shell_mask(sigset_t *mask)
{
	(void)mask;
}

bool
shell_trapped(struct pmux_host *host, int number)
{
	(void)host;
	return signal_is_trapped(number) != 0;
}

bool
shell_is_subshell(void)
{
	return subshell_environment != 0;
}

void
shell_in_child(void)
{
	bool stops = signal(SIGTSTP, SIG_IGN) == SIG_DFL;

	/* a PROGRAM that stops would not be continued: it is no job */
	reset_terminating_signals();
	restore_original_signals();
	if (!stops)
		(void)signal(SIGTSTP, SIG_IGN);
	maybe_make_export_env();
	environ = export_env;
}

/* As after a program: the shell is interrupted if the program was. */
void
shell_after_child(bool interrupted)
{
	if (!interrupted)
		interrupt_state = 0;
}

/* ---- the variable ---- */

/* Bash gives these a meaning: an array would take it away. */
static const char *const special[] = { "DIRSTACK", "ENV", "EUID", "FUNCNAME",
	"GROUPS", "HISTCMD", "HOME", "IFS", "LINENO", "OPTARG", "OPTERR",
	"OPTIND", "PATH", "PIPESTATUS", "POSIXLY_CORRECT", "PPID", "PS0", "PS1",
	"PS2", "PS3", "PS4", "PWD", "OLDPWD", "RANDOM", "SECONDS", "SHELLOPTS",
	"SHLVL", "SRANDOM", "UID", "_" };

static bool
is_special(const char *name, SHELL_VAR *variable)
{
	if (strncmp(name, "BASH", 4) == 0 || strncmp(name, "EPOCH", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof special / sizeof *special; i++)
		if (strcmp(special[i], name) == 0)
			return true;
	return variable != NULL &&
	    (variable->dynamic_value != NULL || variable->assign_func != NULL);
}

/* The name at the end of namerefs that begin with NAME. */
static const char *
last_name(const char *name)
{
	SHELL_VAR *variable = find_variable_last_nameref(name, 0);

	return variable != NULL && nameref_p(variable) ?
	    nameref_cell(variable) :
	    name;
}

const char *
shell_variable(struct pmux_host *host, const char *name)
{
	SHELL_VAR *variable;

	(void)host;
	if (!legal_identifier(name))
		return "is not a name";
	name = last_name(name);
	if (name == NULL || !legal_identifier(name))
		return "does not refer to a variable";
	variable = find_variable(name);
	if (is_special(name, variable))
		return "is a special variable of the shell";
	if (variable == NULL)
		return NULL;
	if (readonly_p(variable))
		return "is readonly";
	if (noassign_p(variable))
		return "cannot be assigned to";
	return assoc_p(variable) ? "is an associative array" : NULL;
}

/* A variable of bash ends at a NUL: those within a record are left out. */
static char *
without_nuls(char *record, size_t length)
{
	char *to = record;

	for (size_t i = 0; i < length; i++)
		if (record[i] != '\0')
			*to++ = record[i];
	*to = '\0';
	return record;
}

/* A trap may have changed the variable meanwhile. */
static int
set_variable(struct shell_call *call)
{
	const char *why = shell_variable(&call->host, call->name);
	SHELL_VAR *variable;
	arrayind_t i = 0;
	ARRAY *array;
	size_t length;
	char *record;

	if (why != NULL) {
		builtin_error("%s %s", call->name, why);
		return EXECUTION_FAILURE;
	}
	/* its parameter lacks const */
	variable = find_or_make_array_variable(
	    (char *)(uintptr_t)last_name(call->name), 1);
	if (variable == NULL)
		return EXECUTION_FAILURE;
	VUNSETATTR(variable, att_invisible);
	/* array_cell casts from char *, of which clang warns */
	array = (ARRAY *)(void *)variable->value;
	array_flush(array);
	/* not bind_array_element: -i and -u would change the record */
	while ((record = shell_next(call, &length)) != NULL)
		(void)array_insert(array, i++, without_nuls(record, length));
	return EXECUTION_SUCCESS;
}

/* ---- the builtin ---- */

static int
count_words(WORD_LIST *list)
{
	int count = 1;

	for (; list != NULL; list = list->next)
		count++;
	return count;
}

static int
pmux_builtin(WORD_LIST *list)
{
	int count = count_words(list), status, i = 1;
	struct shell_call *call = shell_begin(count);

	if (call == NULL)
		return EXIT_SYSTEM;
	call->words[0] = tag;
	for (; list != NULL; list = list->next)
		call->words[i++] = list->word->word;
	status = shell_run(call, count);
	if (call->name != NULL && status != EXIT_USAGE &&
	    set_variable(call) != EXECUTION_SUCCESS)
		status = EXIT_SYSTEM;
	shell_end(call);
	return status;
}

/* The structures of bash differ between minor versions.  Returns 0 to refuse. */
VISIBLE int
pmux_builtin_load(char *name)
{
	static bool loaded;

	(void)name;
	if (strcmp(dist_version, DISTVERSION) != 0) {
		builtin_error(
		    "this is the builtin for bash %s, not for bash %s",
		    DISTVERSION, dist_version);
		return 0;
	}
	if (!loaded)
		shell_load();
	loaded = true;
	return 1;
}

VISIBLE void
pmux_builtin_unload(char *name)
{
	(void)name;
}

/* Of bash's types, which lack const. */
static char documentation[] =
    "Wait on file descriptors, named pipes and kernel events.\n\n"
    "    The program pmux as a builtin: it starts no process, and sees all\n"
    "    descriptors of the shell.  `pmux help' lists the commands, `pmux help\n"
    "    COMMAND' the options; -v NAME puts the records into the indexed array\n"
    "    NAME.  See pmux-bash(1).";
static char *const paragraphs[] = { documentation, NULL };

VISIBLE struct builtin pmux_struct = {
	.name = tag,
	.function = pmux_builtin,
	.flags = BUILTIN_ENABLED,
	.long_doc = paragraphs,
	.short_doc =
	    "pmux command [option]... [target]... [-- program [arg]...]",
	.handle = NULL,
};
