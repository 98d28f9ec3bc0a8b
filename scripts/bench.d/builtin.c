/* SPDX-License-Identifier: ISC */
/*
 * builtin.c - the smallest builtin of bash that does what scripts/bench lets
 * pmux do: "least poll -q -t 0 4:in", and with -v NAME it binds one element.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "shell.h"
#include "common.h"

static int
least_builtin(WORD_LIST *list)
{
	struct pollfd p = { -1, POLLIN, 0 };
	SHELL_VAR *array = NULL;
	int timeout = -1, n;
	char record[32];

	for (; list != NULL; list = list->next) {
		char *word = list->word->word;

		if (strcmp(word, "-t") == 0 && (list = list->next) != NULL)
			timeout = (int)(strtod(list->word->word, NULL) * 1000);
		else if (strcmp(word, "-v") == 0 && (list = list->next) != NULL)
			array = find_or_make_array_variable(list->word->word,
			    1);
		else if (strcmp(word, "-q") != 0 && strcmp(word, "poll") != 0)
			p.fd = (int)strtol(word, NULL, 10);
	}
	n = poll(&p, 1, timeout);
	if (array != NULL) {
		array_flush(array_cell(array));
		(void)snprintf(record, sizeof record, "in\t%d", p.fd);
		(void)bind_array_element(array, 0, record, 0);
	}
	return n > 0 ? EXECUTION_SUCCESS : EXECUTION_FAILURE;
}

static char text[] = "poll one descriptor";
static char *const paragraphs[] = { text, NULL };
static char name[] = "least";

struct builtin least_struct = {
	.name = name,
	.function = least_builtin,
	.flags = BUILTIN_ENABLED,
	.long_doc = paragraphs,
	.short_doc = "least poll -q -t 0 N:in",
};
