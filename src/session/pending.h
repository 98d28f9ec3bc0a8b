/* SPDX-License-Identifier: ISC */
/*
 * pending.h - the wait under way, of which there is one at most.
 *
 * It begins with an attempt that does not sleep.  If that finds nothing the
 * wait is pending: the loop sleeps and serves other requests, until an attempt
 * finds an event or fails, the time is over, or the wait is cancelled.  Each of
 * these prints the one answer of its request.
 */
#ifndef PENDING_H
#define PENDING_H

#include "session/internal.h"

/* Tokens of the session's own descriptors where the wait reports them too. */
enum {
	TOKEN_INPUT,
	TOKEN_OUTPUT,
	TOKEN_FIRST /* the first of a handle */
};

/*
 * Keep TAG, LENGTH bytes, or NULL: the request to be served may begin a wait.
 * Returns 0 or -ENOMEM.
 */
int pending_set_tag(struct session *s, const char *tag, size_t length);

/*
 * Begin a wait of at most NS nanoseconds (DURATION_FOREVER) for MAX events.
 * Returns as a session_fn.
 */
int pending_begin(struct session *s, int64_t ns, size_t max);

/*
 * Wait in the object for at most TIMEOUT nanoseconds (-1: for ever) and print
 * the events.  Returns how many were printed, or -errno.
 */
int pending_attempt(struct session *s, int64_t timeout);

/* Answer the pending wait: N events were printed, or N is -errno. */
void pending_finish(struct session *s, int n);
void pending_cancel(struct session *s);

/* Sleep in the object for as long as the pending wait may, or until an event. */
void pending_sleep(struct session *s);

/*
 * Standard input and output in the wait itself: add them, under the tokens
 * above, or remove them.  pending_add_own returns 0 or an exit status, a
 * message having been printed.
 */
int pending_add_own(struct session *s);
void pending_remove_own(struct session *s);

/*
 * Whether TOKEN is INPUT, the token of standard input, or the next one, that
 * of standard output; the meaning of its event is noted in S.
 */
bool pending_is_own(struct session *s, uint32_t token, uint32_t input);

/*
 * After pending_is_own: take standard output out of the wait if TOKEN is
 * TOKEN_OUTPUT and its reader is still there.  It has bytes to read then, which
 * would end each sleep at once.  Returns whether it was taken out;
 * pending_add_own adds it again.
 */
bool pending_drop_output(struct session *s, uint32_t token);

/* A session_sleep_fn for objects that have them under the tokens above. */
bool pending_sleep_with_own(struct session *s);

#endif
