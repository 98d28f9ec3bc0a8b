/* SPDX-License-Identifier: ISC */
/*
 * resolve.h - the target of a request to the handle that stands for it.
 *
 * Functions with a status return 0 or an exit status, a message having been
 * printed.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "session/internal.h"

/*
 * The next of WORDS is a target, whose events are DEFAULTS if it has none: fill
 * *T, whose name stays in the words.  Returns a status; it is EXIT_USAGE if no
 * word is left.
 */
int session_next_target(struct session *s, struct tokenizer *words,
    uint32_t defaults, struct target *t);

/* Parse WORD, LENGTH bytes with a NUL behind them, in the same way. */
int session_parse_target(struct session *s, char *word, size_t length,
    uint32_t defaults, struct target *t);

/* The index of the handle of T, which is parsed, or HANDLES_NONE. */
uint32_t session_find(const struct session *s, const struct target *t,
    uint32_t mode);

/*
 * The same, and if there is none it is made, and opened for the events of T if
 * it is a path.  MODE is added to KIND_PATH.  Returns a status, *INDEX being
 * set if that is 0.
 */
int session_resolve(struct session *s, struct target *t, uint32_t mode,
    uint32_t *index);

/*
 * Refuse T if it names one of 0 to 2 or a descriptor that pmux has opened,
 * except the object's own.  Returns a status.
 */
int session_check_number(struct session *s, const struct target *t);

/*
 * Refuse H if it is a descriptor of --pid's process of a kind that cannot be
 * asked without effect.  One that is closed there is not refused: the primitive
 * reports that.  Returns a status.
 */
int session_check_kind(const struct session *s, const struct handle *h);

/*
 * Give up handle INDEX, and close its file unless that is a FIFO, which stays
 * open until the end.
 */
void session_drop(struct session *s, uint32_t index);

/* Give up all handles: the object is closed or replaced next. */
void session_drop_all(struct session *s);

bool session_is_foreign(const struct handle *h);

#endif
