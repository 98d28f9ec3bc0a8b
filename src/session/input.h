/* SPDX-License-Identifier: ISC */
/*
 * input.h - standard input to requests, one a line.
 */
#ifndef INPUT_H
#define INPUT_H

#include "session/internal.h"

/*
 * Read once from standard input, which is ready.  A request that is too long is
 * answered here, and its remaining bytes are skipped.  Returns 0 or an exit status,
 * a message having been printed.
 */
int input_read(struct session *s);

/*
 * The next request that was read: true with *FROM and *END set, where a NUL may
 * be written; false if there is none.  At the end of the input the last line is one
 * without its newline.  It stays there until input_read.
 */
bool input_next(struct session *s, char **from, char **end);

/* Free the buffer. */
void input_close(struct session *s);

#endif
