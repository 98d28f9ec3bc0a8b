/* SPDX-License-Identifier: ISC */
/* --format: format_check, and a record of a target with that name. */
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "output/output.h"
#include "parser.h"
#include "print/format.h"
#include "print/print.h"

static void
print(const struct print_options *options, uint32_t bits)
{
	struct event event = { .bits = bits, .data = -1, .fflags = UINT32_MAX };
	char to[256];

	output_divert(to, sizeof to);
	print_event(options, options->targets->list, &event);
	parser_check(output_restore() <= sizeof to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *format = parser_input(data, size);
	struct kevent_request kevent = { .filter = KQUEUE_PROC };
	struct target target = { .name = format, .fd = TARGET_NO_FD };
	struct targets targets = { .list = &target, .count = 1 };
	struct print_options options = { .targets = &targets,
		.format = format };

	target.length = (uint32_t)strlen(format);
	target.number = TARGET_NO_FD;
	targets.backend = &backend_poll;
	if (format_check(format, false, false) == 0)
		print(&options, 0x1f);
	targets.backend = &backend_kqueue;
	targets.kevents = &kevent;
	if (format_check(format, true, true) == 0)
		print(&options, 1u << KQUEUE_PROC);
	options.json = true;
	print(&options, 1u << KQUEUE_PROC);
	free(format);
	return 0;
}
