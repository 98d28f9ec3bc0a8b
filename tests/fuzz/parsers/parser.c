/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "cli/pmux_run.h"
#include "output/diag.h"
#include "parser.h"

char *
parser_input(const uint8_t *data, size_t size)
{
	static struct diag_message message;
	static struct pmux_call call;
	static struct pmux_host host;
	char *input = malloc(size + 1);

	if (pmux == NULL)
		pmux_enter(&call, &host);
	diag_capture(&message);
	parser_check(input != NULL);
	if (size > 0)
		memcpy(input, data, size);
	input[size] = '\0';
	return input;
}

void
parser_check(int holds)
{
	if (!holds)
		abort();
}
