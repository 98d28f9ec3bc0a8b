/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <signal.h>
#include <unistd.h>

#include "sys/terminate.h"

void
terminate_by(int number)
{
	sigset_t one;

	(void)signal(number, SIG_DFL);
	(void)sigemptyset(&one);
	(void)sigaddset(&one, number);
	(void)raise(number);
	/* in a handler, and where the caller blocked it */
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
}

void
terminate_with(int status)
{
	_exit(status);
}
