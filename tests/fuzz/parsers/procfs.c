/* SPDX-License-Identifier: ISC */
/* stat, status, limits and schedstat of /proc/PID. */
#include <stdlib.h>
#include <string.h>

#include "inspect/facts/procfs.h"
#include "parser.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = parser_input(data, size);
	struct procfs_status status;
	struct procfs_limit limit;
	struct procfs_times times;
	struct procfs_stat stat;

	if (procfs_parse_stat(text, size, &stat) == 0)
		parser_check(memchr(stat.comm, '\0', sizeof stat.comm) != NULL);
	if (procfs_parse_status(text, size, &status) == 0)
		parser_check(status.process > 0);
	(void)procfs_parse_limits(text, size, &limit);
	(void)procfs_parse_times(text, size, &times);
	free(text);
	return 0;
}
