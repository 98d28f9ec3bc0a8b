/* SPDX-License-Identifier: ISC */
/* /proc/PID/fdinfo/N: fdinfo_parse. */
#include <errno.h>
#include <stdlib.h>

#include "inspect/facts/fdinfo.h"
#include "parser.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = parser_input(data, size);
	struct fdinfo info;
	int error = fdinfo_parse(text, size, &info);

	parser_check(error == 0 || error == -EINVAL);
	/* a line has six bytes at least, and is one thing */
	parser_check(6 * (info.entry_count + info.watch_count) <= size + 6);
	parser_check(info.value >= 0 && info.interval >= 0);
	fdinfo_free(&info);
	free(text);
	return 0;
}
