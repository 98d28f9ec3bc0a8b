/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/wait.h>

#include "await/await.h"
#include "backend/kqueue.h"
#include "output/output.h"
#include "print/record.h"
#include "sys/signals.h"
#include "target/kevent_parse.h"

bool
status_is_exit(const struct record *record)
{
	if (record->kevent == NULL)
		return (record->event->bits & AWAIT_EXIT) != 0;
	return record->kevent->filter == KQUEUE_PROC &&
	    kevent_has(KQUEUE_PROC, "exit", record->event->fflags);
}

bool
status_is_known(const struct record *record)
{
	/* no wait status is negative: it is unknown then */
	return status_is_exit(record) && record->event->data >= 0;
}

void
status_put(const struct record *record, const char *unknown)
{
	int status = (int)record->event->data;
	char space[SIGNALS_SPACE];

	if (!status_is_known(record))
		output_string(unknown);
	else if (WIFEXITED(status)) {
		output_string("exit=");
		output_number(WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		output_string("signal=");
		output_string(signals_name(WTERMSIG(status), space));
	} else
		output_number(status);
}
