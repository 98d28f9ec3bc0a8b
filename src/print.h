/*
 * print.h - events to text, JSON or --format.
 */
#ifndef PRINT_H
#define PRINT_H

#include <stdbool.h>

#include "event.h"
#include "request.h"

/* Append the record of an event of TARGET to the output. */
void	print_event(const struct request *request, const struct target *target,
	    const struct event *event);

/* Whether a record of REQUEST says how many bytes a kevent counted. */
bool	print_wants_data(const struct request *request);

/*
 * Whether FORMAT can be printed, for KEVENTS or for other events.  Returns 0 or
 * an exit status, a message having been printed.
 */
int	print_check_format(const char *format, bool kevents);

/*
 * Standard output failed with ERROR, a -errno.  Where its reader has gone, die
 * of SIGPIPE, FIFOs being left first; otherwise returns the exit status, a
 * message having been printed (once).
 */
int	print_failed(int error);

#endif
