/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "base/duration.h"
#include "base/number.h"
#include "base/pmux.h"
#include "cli/nearest.h"
#include "cli/option.h"
#include "fifo/fifo.h"
#include "output/debug.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/format.h"
#include "run/pattern.h"
#include "target/target.h"

/* Take the option NAME into the request.  Returns 0 or an exit status. */
typedef int option_fn(struct request *request, const char *name,
    char *argument);

static option_fn option_list, option_events, option_pid, option_timeout,
    option_format, option_idle, option_lines, option_ready_fd, option_hold,
    option_debug, option_every, option_svg, option_until, option_while,
    option_settle, option_var;

static option_fn option_condition; /* a target without a descriptor */

struct option_row {
	char letter;
	const char *name, *argument;
	unsigned groups;
	option_fn *parse; /* or NULL: sets the bool at MEMBER of the request */
	size_t member; /* a bool, or a number if there is an argument */
	int64_t most; /* that number, from 1 */
	const char *help;
};

/* --count: more would take centuries; --jobs: more than any user may have. */
#define MOST (INT64_C(1000000000000000000))
#define MOST_JOBS 1000000

static const struct option_row rows[] = {
#define OPTION(letter, name, argument, groups, parse, help) \
	{ letter, name, argument, groups, parse, 0, 0, help },
#define FLAG(letter, name, groups, member, help)                               \
	{ letter, name, "", groups, NULL, offsetof(struct request, member), 0, \
		help },
#define NUMBER(letter, name, groups, member, most, help)                     \
	{ letter, name, "N", groups, NULL, offsetof(struct request, member), \
		most, help },
#include "cli/options.def"
#undef OPTION
#undef FLAG
#undef NUMBER
};

#define ROWS (sizeof rows / sizeof *rows)

static int
option_list(struct request *request, const char *name, char *word)
{
	const struct flag *flag = request->targets.backend->flags;

	while (strcmp(flag->name, name) != 0)
		flag++;
	return targets_add(&request->targets, word, flag->bit);
}

static int
option_condition(struct request *request, const char *name, char *word)
{
	return targets_add_condition(&request->targets, name, word);
}

static int
option_var(struct request *request, const char *name, char *argument)
{
	struct pmux_host *host = pmux->host;
	const char *why;

	if (host->variable == NULL)
		return diag_usage(
		    "--%s: only the builtin can set a variable of the shell (see pmux-bash(1), pmux-zsh(1))",
		    name);
	why = host->variable(host, argument);
	if (why != NULL)
		return diag_usage("--%s: '%s' %s", name, argument, why);
	request->variable = true;
	return 0;
}

static int
option_events(struct request *request, const char *name, char *argument)
{
	(void)name;
	request->targets.masked = true;
	return targets_events(&request->targets, argument);
}

/*
 * A decimal number from LEAST to MOST into *NUMBER.  Returns 0 or an exit
 * status: WORD, as OPTION says in its message, is none.
 */
static int
parse_number(const char *option, const char *word, int64_t least, int64_t most,
    int64_t *number)
{
	uint64_t value;

	if (number_parse(word, strlen(word), 10, (uint64_t)most, &value) != 0 ||
	    (int64_t)value < least)
		return diag_usage("--%s: '%s' is not a number from %jd to %jd",
		    option, word, (intmax_t)least, (intmax_t)most);
	*number = (int64_t)value;
	return 0;
}

static int
option_pid(struct request *request, const char *name, char *argument)
{
	int64_t pid = 0;
	int status = parse_number(name, argument, 1, INT_MAX, &pid);

	return status != 0 ? status :
			     targets_add_process(&request->targets, (pid_t)pid);
}

static int
parse_duration(const char *option, const char *word, int64_t *ns)
{
	switch (duration_parse(word, ns)) {
	case 0:
		return 0;
	case -ERANGE:
		return diag_usage("--%s: '%s' is out of range (292 years)",
		    option, word);
	default:
		return diag_usage(
		    "--%s: '%s' is not a duration (examples: 1.5, 20ms, 2m, inf)",
		    option, word);
	}
}

static int
option_timeout(struct request *request, const char *name, char *argument)
{
	int64_t ns = 0;
	int status = parse_duration(name, argument, &ns);

	request->wait.deadline = deadline_in(ns);
	request->timed = true;
	fifo_patience(ns);
	return status;
}

static int
option_hold(struct request *request, const char *name, char *argument)
{
	int64_t ns = 0;
	int status = parse_duration(name, argument, &ns);

	(void)request;
	fifo_hold(ns);
	return status;
}

static int
option_format(struct request *request, const char *name, char *argument)
{
	(void)name;
	request->print.format = argument;
	return format_check(argument,
	    request->targets.backend->requests != NULL,
	    request->print.statuses);
}

static int
option_idle(struct request *request, const char *name, char *argument)
{
	return parse_duration(name, argument, &request->stream.idle);
}

static int
option_lines(struct request *request, const char *name, char *argument)
{
	(void)name;
	(void)argument;
	request->follow = request->stream.lines = true;
	return 0;
}

static int
option_until(struct request *request, const char *name, char *argument)
{
	/* the last one stands */
	pattern_free(request->stream.until);
	return pattern_compile(&request->stream.until, name, argument);
}

/* D, or D,MAX. */
static int
option_settle(struct request *request, const char *name, char *argument)
{
	struct stream_options *s = &request->stream;
	char *comma = strchr(argument, ',');
	int status = 0;

	s->settle_limit = DURATION_FOREVER;
	if (comma != NULL) {
		status = parse_duration(name, comma + 1, &s->settle_limit);
		*comma = '\0';
	}
	if (status == 0)
		status = parse_duration(name, argument, &s->settle);
	if (status == 0 && s->settle == DURATION_FOREVER)
		status = diag_usage("--%s: '%s' never ends", name, argument);
	return status;
}

static int
option_while(struct request *request, const char *name, char *argument)
{
	return parse_number(name, argument, 1, INT_MAX,
	    &request->stream.process);
}

static int
option_ready_fd(struct request *request, const char *name, char *argument)
{
	int64_t n = -1;
	int status = parse_number(name, argument, 3, INT_MAX, &n);

	request->wait.ready_fd = (int)n;
	return status;
}

static int
option_debug(struct request *request, const char *name, char *argument)
{
	(void)request;
	(void)name;
	return debug_begin(argument) == 0 ?
	    0 :
	    diag_system(ENOMEM, NULL, "--debug");
}

static int
option_every(struct request *request, const char *name, char *argument)
{
	int64_t *every = &request->trace.every;
	int status = parse_duration(name, argument, every);

	if (status == 0 && *every < 1)
		status = diag_usage("--%s: '%s' is no interval", name,
		    argument);
	return status;
}

static int
option_svg(struct request *request, const char *name, char *argument)
{
	(void)name;
	request->trace.svg = argument;
	return 0;
}

static bool
has_row(const struct command *command, const struct option_row *row)
{
	return (row->groups & command->options) != 0;
}

/* Whether the argument may be left out. */
static bool
is_optional(const struct option_row *row)
{
	return *row->argument == '[';
}

static const struct option_row *
row_of_letter(const struct command *command, char letter)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].letter == letter && has_row(command, &rows[i]))
			return &rows[i];
	return NULL;
}

/*
 * The row whose name is NAME, LENGTH bytes, or the only one whose name begins
 * so; or NULL.
 */
static const struct option_row *
row_of_name(const struct command *command, const char *name, size_t length)
{
	const struct option_row *found = NULL;
	bool several = false;

	for (size_t i = 0; i < ROWS; i++) {
		if (!has_row(command, &rows[i]) ||
		    strncmp(rows[i].name, name, length) != 0)
			continue;
		if (rows[i].name[length] == '\0')
			return &rows[i];
		several |= found != NULL;
		found = &rows[i];
	}
	return several ? NULL : found;
}

/* Append the names of the commands that have ROW to TEXT, SIZE bytes. */
static void
list_commands(const struct option_row *row, char *text, size_t size)
{
	size_t n = strlen(text);

	for (const struct command *c = commands; c->name != NULL; c++)
		if (has_row(c, row) && n + strlen(c->name) + 3 < size)
			n += (size_t)sprintf(text + n, "%s%s",
			    n == 0 ? "" : ", ", c->name);
}

/* WORD, a long option, is none of COMMAND's. */
static int
unknown_long(const struct command *command, const char *word)
{
	const struct option_row *nearest = NULL;
	unsigned best = NEAREST_FAR, d;
	size_t length = strcspn(word + 2, "=");
	char name[32] = "", text[128] = "";

	if (length < sizeof name)
		memcpy(name, word + 2, length);
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, name) == 0)
			list_commands(&rows[i], text, sizeof text);
		if (!has_row(command, &rows[i]))
			continue;
		d = nearest_beginning(name, rows[i].name);
		if (d < best) {
			best = d;
			nearest = &rows[i];
		}
	}
	if (*text != '\0')
		return diag_usage("%s: unknown option (an option of %s)", word,
		    text);
	if (nearest != NULL)
		return diag_usage("%s: unknown option (did you mean '--%s'?)",
		    word, nearest->name);
	return diag_usage("%s: unknown option", word);
}

/* WORD has an option that is none of COMMAND's: LETTER, or 0 for a long one. */
static int
unknown(const struct command *command, const char *word, char letter)
{
	if (number_digit(word[1]) < 10)
		return diag_usage("%s: a descriptor cannot be negative", word);
	if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0)
		return diag_usage("%s: unknown option (pmux -V prints the"
				  " version)",
		    word);
	if (letter == 0)
		return unknown_long(command, word);
	/* it is one of several in a word */
	if (word[2] != '\0')
		return diag_usage("%s: unknown option -%c", word, letter);
	return diag_usage("%s: unknown option", word);
}

static int
option_set(const struct option_row *row, struct request *request, char *word)
{
	void *member = (char *)request + row->member;

	if (row->parse != NULL)
		return row->parse(request, row->name, word);
	if (*row->argument != '\0')
		return parse_number(row->name, word, 1, row->most, member);
	*(bool *)member = true;
	return 0;
}

/* A command line, word by word. */
struct words {
	const struct command *command;
	struct request *request;
	char **next, **end;
};

/*
 * Take the option ROW, which is in WORD, with its argument ATTACHED there; or, if
 * that is NULL and there must be one, with the next word.
 */
static int
parse_option(struct words *w, const struct option_row *row, const char *word,
    char *attached)
{
	if (attached == NULL && *row->argument != '\0' && !is_optional(row)) {
		if (w->next == w->end)
			return diag_usage("%s: an argument is missing: %s",
			    word, row->argument);
		attached = *w->next++;
	}
	return option_set(row, w->request, attached);
}

/* "-qt5": of the letters the last may have an argument. */
static int
parse_letters(struct words *w, char *word)
{
	const struct option_row *row;
	char *letter = word + 1, *attached = NULL;
	int status;

	do {
		row = row_of_letter(w->command, *letter);
		if (row == NULL)
			return unknown(w->command, word, *letter);
		letter++;
		if (*row->argument != '\0' && *letter != '\0')
			attached = letter;
		status = parse_option(w, row, word, attached);
	} while (status == 0 && attached == NULL && *letter != '\0');
	return status;
}

/* "--name" or "--name=argument". */
static int
parse_long(struct words *w, char *word)
{
	char *name = word + 2, *equals = strchr(name, '=');
	size_t length = equals == NULL ? strlen(name) : (size_t)(equals - name);
	const struct option_row *row = row_of_name(w->command, name, length);

	if (row == NULL)
		return unknown(w->command, word, 0);
	if (equals != NULL && *row->argument == '\0')
		return diag_usage("%s: takes no argument", word);
	return parse_option(w, row, word, equals == NULL ? NULL : equals + 1);
}

static int
parse_word(struct words *w, char *word)
{
	if (word[0] != '-' || word[1] == '\0')
		return targets_add(&w->request->targets, word, 0);
	return word[1] == '-' ? parse_long(w, word) : parse_letters(w, word);
}

static int
parse_words(struct words *w)
{
	char *word;
	int status = 0;

	while (status == 0 && w->next < w->end) {
		word = *w->next++;
		if (strcmp(word, "--") == 0)
			break;
		status = parse_word(w, word);
	}
	if (status != 0 || w->next == w->end)
		return status;
	if (w->request->targets.words == 0 &&
	    (w->command->options & OPTION_TRACE) == 0)
		return diag_usage("-- starts a program; write ./-name for a"
				  " path");
	w->request->program.arguments = w->next;
	return 0;
}

int
options_parse(const struct command *command, const struct backend *backend,
    int argc, char **argv, struct request *request)
{
	struct words words = { command, request, argv + 1, argv + argc };

	memset(request, 0, sizeof *request);
	request->print.targets = &request->targets;
	request->print.statuses = (command->options & OPTION_AWAIT) != 0;
	pmux->names->conditions = request->print.statuses;
	request->stream.better = command->streams;
	request->targets.backend = backend;
	request->wait.deadline = DEADLINE_NEVER;
	request->wait.ready_fd = -1;
	request->wait.max_events = INT64_MAX;
	request->stream.idle = DURATION_FOREVER;
	request->stream.settle = DURATION_FOREVER;
	request->trace.waits = TRACE_WAITS;
	request->trace.every = TRACE_EVERY;
	return parse_words(&words);
}

static void
put_row(const struct option_row *row)
{
	size_t width = 6 + strlen(row->name);

	output_string("  ");
	if (row->letter != 0) {
		output_character('-');
		output_character(row->letter);
		output_string(", ");
	} else
		output_string("    ");
	output_string("--");
	output_string(row->name);
	if (*row->argument != '\0' && !is_optional(row)) {
		output_character(' ');
		width++;
	}
	output_string(row->argument);
	width += strlen(row->argument);
	do
		output_character(' ');
	while (++width < 27);
	output_string(row->help);
	output_character('\n');
}

void
options_list(const struct command *command)
{
	for (size_t i = 0; i < ROWS; i++)
		if (has_row(command, &rows[i]))
			put_row(&rows[i]);
}
