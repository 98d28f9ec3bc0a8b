/* SPDX-License-Identifier: ISC */
/* /proc/PID/syscall: thread_parse. */
#include <errno.h>
#include <stdlib.h>

#include "inspect/facts/thread.h"
#include "parser.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = parser_input(data, size);
	struct thread_registers registers;
	int error = thread_parse(text, &registers);

	parser_check(error == 0 || error == -EAGAIN || error == -EINVAL);
	free(text);
	return 0;
}
