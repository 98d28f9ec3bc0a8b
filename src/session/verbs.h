/* SPDX-License-Identifier: ISC */
/*
 * verbs.h - one request to the function that serves it.
 */
#ifndef VERBS_H
#define VERBS_H

#include "session/internal.h"

/*
 * Serve the line from AT up to END, where a NUL may be written, and print its
 * answer unless that comes later.
 */
void verbs_serve(struct session *s, char *at, char *end);

/* Close the object, if it is not closed, and give up all handles. */
void verbs_close_object(struct session *s);

#endif
