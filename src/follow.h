/*
 * follow.h - a stream of events: news of the targets until all are finished.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "request.h"

/*
 * Report what is new at the targets of REQUEST, which are resolved: print the
 * events, or the lines that can be read, or run PROGRAM.  Returns the exit
 * status, a message having been printed if it is an error.
 */
int	follow_run(struct request *request);

#endif
