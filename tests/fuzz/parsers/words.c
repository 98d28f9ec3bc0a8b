/* SPDX-License-Identifier: ISC */
/* A request of a session: tokenize_tag and tokenize_next. */
#include <stdlib.h>
#include <string.h>

#include "parser.h"
#include "session/tokenize.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = parser_input(data, size), *word;
	struct tokenizer words = { .at = line, .end = line + size };
	const char *tag = NULL;
	size_t length = 0;

	/* a session refuses such a request before tokenizing it */
	if (memchr(line, '\0', size) != NULL ||
	    tokenize_tag(&words, &tag, &length) != 0)
		words.at = words.end;
	if (tag != NULL)
		parser_check(
		    tag > line && length > 0 && tag + length <= words.at);
	while (tokenize_next(&words, &word, &length) == 0 && word != NULL)
		parser_check(strlen(word) == length && word >= line &&
		    word + length <= words.at && words.at <= words.end);
	free(line);
	return 0;
}
