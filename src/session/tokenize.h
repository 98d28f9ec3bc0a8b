/* SPDX-License-Identifier: ISC */
/*
 * tokenize.h - a request of a session, one line, to its tag and its words.
 */
#ifndef TOKENIZE_H
#define TOKENIZE_H

#include <stddef.h>

/* What is left of the line; it is written to as words are taken off it. */
struct tokenizer {
	char *at;
	char *end; /* there may be a NUL put */
};

/*
 * Take `@TAG' off the beginning.  Returns 0 with *TAG, which stays in the line
 * and has no NUL behind it, and *LENGTH set; *TAG is NULL if there is none.  Or
 * an exit status, a message having been printed.
 */
int tokenize_tag(struct tokenizer *words, const char **tag, size_t *length);

/*
 * Take the next word off, quotes and escapes being undone: it has a NUL behind
 * it and none in it.  Returns 0 with *WORD and *LENGTH set, *WORD being NULL at
 * the end of the line; or an exit status, a message having been printed.
 */
int tokenize_next(struct tokenizer *words, char **word, size_t *length);

#endif
