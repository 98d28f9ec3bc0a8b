/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/pmux_run.h"
#include "sys/terminate.h"
#include "sys/title.h"

static struct pmux_call call;

int
main(int argc, char **argv)
{
	struct pmux_host host = { .room = &call };
	int status;

	title_remember(&host.title, argc, argv);
	status = pmux_run(&host, argc, argv);
	if (host.signal != 0)
		terminate_by(host.signal);
	return status;
}
