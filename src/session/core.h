/* SPDX-License-Identifier: ISC */
/*
 * core.h - the answers of a session, and the words of its requests to numbers.
 */
#ifndef CORE_H
#define CORE_H

#include "session/internal.h"

/*
 * Print the line that ends the answer of a request with this TAG, LENGTH bytes,
 * or NULL: by STATUS, which is 0 or an exit status, with the value or the
 * message in S.  Nothing for SESSION_PENDING.
 */
void session_answer(const struct session *s, int status, const char *tag,
    size_t length);

/* The same for the request of the wait under way. */
void session_answer_pending(const struct session *s, int status);

/*
 * Make NAME and TEXT, both constant, the error of the answer.  Returns an exit
 * status.  session_busy: for a request that would be a second wait.
 */
int session_refuse(struct session *s, const char *name, const char *text);
int session_busy(struct session *s);

/* Print EVENT of T for the wait under way; KEVENT is its kevent, or NULL. */
void session_print(struct session *s, const struct target *t,
    const struct event *event, const struct kevent_request *kevent);

/* The same for EVENT of handle INDEX. */
void session_print_handle(struct session *s, uint32_t index,
    const struct event *event);

/* Fill *T, as far as messages and events name it, from H. */
void session_describe(const struct handle *h, struct target *t);

/*
 * Add or modify failed with -errno ERROR for T, or for handle INDEX.  Returns
 * an exit status, a message having been printed.
 */
int session_failed(const struct session *s, const struct target *t, int error);
int session_handle_failed(const struct session *s, uint32_t index, int error);

/*
 * Words to numbers.  Each returns 0 or an exit status, a message having been
 * printed.  TIMEOUT: nanoseconds; a negative one is DURATION_FOREVER if
 * FOREVER, and else refused.  COUNT: from LEAST up; messages name it WHAT.
 */
int session_timeout(const char *word, bool forever, int64_t *ns);
int session_count(const char *what, const char *word, int64_t least,
    size_t *count);

/* Refuse a word that is left.  Returns as these. */
int session_end(struct tokenizer *words);

#endif
