/* SPDX-License-Identifier: ISC */
/* A target with its events, as poll and epoll take it: target_parse. */
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "parser.h"
#include "target/target.h"

static void
parse(const struct backend *backend, const uint8_t *data, size_t size)
{
	char *word = parser_input(data, size);
	struct target target = { .name = word, .fd = -1, .number = -1 };

	target.length = (uint32_t)strlen(word);
	if (target_parse(&target, backend, 1) == 0) {
		/* a number or a path, and a path is to be opened */
		bool path = (target.flags & TARGET_PATH) != 0;

		parser_check(path == (target.number < 0));
		parser_check(path ? strlen(target.name) == target.length :
				    target.length <= size);
	}
	free(word);
}

static void
parse_name(const uint8_t *data, size_t size)
{
	char *word = parser_input(data, size);
	struct target target = { .name = word, .fd = -1, .number = -1 };

	target.length = (uint32_t)strlen(word);
	if (target_parse_name(&target) == 0)
		parser_check(target.length <= size);
	free(word);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(&backend_poll, data, size);
	parse(&backend_epoll, data, size);
	parse_name(data, size);
	return 0;
}
