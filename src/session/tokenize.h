/* SPDX-License-Identifier: ISC */
/*
 * tokenize.h - splits a request, which is one line, into its tag and words.
 */
#ifndef TOKENIZE_H
#define TOKENIZE_H

#include <stddef.h>

/* The unread part of the line, which is overwritten as words are taken from it. */
struct tokenizer {
	char *at;
	char *end; /* a NUL may be written here */
};

/*
 * Take `@TAG' from the beginning.  Returns 0 with *TAG, which stays in the line
 * and has no NUL behind it, and *LENGTH set; *TAG is NULL if there is none.  Or
 * an exit status, a message having been printed.
 */
int tokenize_tag(struct tokenizer *words, const char **tag, size_t *length);

/*
 * Take the next word from the line, without its quotes and escapes.  A NUL
 * follows it, and none is in it.  Returns 0 with *WORD and *LENGTH set, *WORD being NULL at
 * the end of the line; or an exit status, a message having been printed.
 */
int tokenize_next(struct tokenizer *words, char **word, size_t *length);

#endif
