/* SPDX-License-Identifier: ISC */
/* --timeout and the others: duration_parse. */
#include <stdlib.h>

#include "base/duration.h"
#include "parser.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *word = parser_input(data, size);
	int64_t ns = -2;

	if (duration_parse(word, &ns) == 0)
		parser_check(ns >= 0 || ns == DURATION_FOREVER);
	free(word);
	return 0;
}
