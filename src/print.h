/*
 * print.h - events to text, JSON or --format.
 */
#ifndef PRINT_H
#define PRINT_H

#include "request.h"

/* Append the record of an event to the output. */
void	print_event(const struct request *request, const struct target *target,
	    uint32_t bits);

/*
 * Whether FORMAT can be printed.  Returns 0 or an exit status, a message
 * having been printed.
 */
int	print_check_format(const char *format);

/*
 * Standard output failed with ERROR, a -errno.  Where its reader has gone, die
 * of SIGPIPE, FIFOs being left first; otherwise returns the exit status, a
 * message having been printed (once).
 */
int	print_failed(int error);

#endif
