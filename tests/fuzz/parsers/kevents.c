/* SPDX-License-Identifier: ISC */
/* A kevent: kevent_parse, with and without words from --events. */
#include <stdlib.h>
#include <string.h>

#include "backend/kqueue.h"
#include "base/pmux.h"
#include "parser.h"
#include "target/kevent_parse.h"
#include "target/target.h"

static void
parse(const uint8_t *data, size_t size, const char *defaults)
{
	char *word = parser_input(data, size);
	struct kevent_request request = { 0 };
	struct kevent_ident ident = { 0 };
	uint64_t timers = 0;

	if (kevent_parse(word, strlen(word), defaults, &timers, &request,
		&ident) == 0)
		parser_check(request.filter < KQUEUE_FILTERS &&
		    (ident.name == NULL ||
			(ident.name >= word &&
			    ident.name + ident.length <= word + size)));
	free(request.udata);
	free(word);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *words = parser_input(data, size);

	if (kevent_check_words(words) == 0)
		parse((const uint8_t *)"user:1", 6, words);
	free(words);
	parse(data, size, NULL);
	parse(data, size, "write,clear");
	kevent_numbers(); /* as in a session */
	parse(data, size, NULL);
	pmux->names->numbers = false;
	return 0;
}
