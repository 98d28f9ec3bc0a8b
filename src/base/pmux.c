/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stddef.h>

#include "base/pmux.h"

struct pmux *pmux;

void
pmux_at_end(void (*close)(void *argument), void *argument)
{
	pmux->close = close;
	pmux->argument = argument;
}

void
pmux_close(void)
{
	void (*close)(void *argument) = pmux->close;

	pmux->close = NULL;
	if (close != NULL)
		close(pmux->argument);
}
