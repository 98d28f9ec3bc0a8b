/* SPDX-License-Identifier: ISC */
/*
 * session.h - one polling object that serves requests from standard input.
 */
#ifndef SESSION_H
#define SESSION_H

#include "run/request.h"

/*
 * Serve requests for the command and backend of REQUEST until `quit', the end
 * of the input, or the answers have no reader.  Returns the exit status.
 */
int session_run(struct request *request);

#endif
