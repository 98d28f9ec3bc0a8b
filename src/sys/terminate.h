/* SPDX-License-Identifier: ISC */
/*
 * terminate.h - the end of the process.  A program calls this when its call of
 * pmux has returned, and a signal handler when it has left the FIFOs.
 */
#ifndef TERMINATE_H
#define TERMINATE_H

/*
 * End the process by signal NUMBER, whatever its disposition and the mask are.
 * Returns only if the signal's default does not end a process.
 * Async-signal-safe.
 */
void terminate_by(int number);

/* End it with STATUS at once, without any clean-up.  Async-signal-safe. */
_Noreturn void terminate_with(int status);

#endif
