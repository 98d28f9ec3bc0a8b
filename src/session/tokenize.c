/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/number.h"
#include "output/diag.h"
#include "session/tokenize.h"

/* A word while it is parsed: its source, and the place it is written to. */
struct taking {
	const char *from, *end;
	char *to;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
in_tag(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

int
tokenize_tag(struct tokenizer *words, const char **tag, size_t *length)
{
	char *s;

	*tag = NULL;
	while (words->at < words->end && is_blank(*words->at))
		words->at++;
	if (words->at == words->end || *words->at != '@')
		return 0;
	for (s = words->at + 1; s < words->end && in_tag(*s); s++)
		continue;
	if (s == words->at + 1 || (s < words->end && !is_blank(*s)))
		return diag_usage("a tag is @ and letters, digits, '_', '.' or"
				  " '-'");
	*tag = words->at + 1;
	*length = (size_t)(s - *tag);
	words->at = s;
	return 0;
}

static int
unfinished(char quote)
{
	return quote == '\\' ? diag_usage("no character after the last \\") :
			       diag_usage("unterminated %c", quote);
}

/* Up to COUNT digits of BASE, of which there must be one; negative: none. */
static int
take_number(struct taking *t, unsigned base, size_t count)
{
	uint64_t value;
	size_t n = 0;

	while (n < count && n < (size_t)(t->end - t->from) &&
	    number_digit(t->from[n]) < base)
		n++;
	if (number_parse(t->from, n, base, INT_MAX, &value) != 0)
		return -1;
	t->from += n;
	return (int)value;
}

/* The byte that an escape in $'...' means; negative: none. */
static int
take_escape(struct taking *t)
{
	static const char letters[] = "abeEfnrtv\\'\"?";
	static const char bytes[] = "\a\b\033\033\f\n\r\t\v\\'\"?";
	const char *found;
	char c = *t->from++;

	if (c == 'x')
		return take_number(t, 16, 2);
	/* as printf %b has it, and the output */
	if (c == '0')
		return take_number(t, 8, 3);
	if (c > '0' && c <= '7') {
		t->from--;
		return take_number(t, 8, 3);
	}
	if (c == '\0' || (found = strchr(letters, c)) == NULL)
		return -1;
	return bytes[found - letters];
}

/* $'...', after its first quote. */
static int
take_escapes(struct taking *t)
{
	int byte;

	while (t->from < t->end && *t->from != '\'') {
		if (*t->from != '\\') {
			*t->to++ = *t->from++;
			continue;
		}
		if (++t->from == t->end)
			break;
		byte = take_escape(t);
		if (byte <= 0 || byte > 255)
			return diag_usage("invalid escape in $'...'");
		*t->to++ = (char)byte;
	}
	if (t->from == t->end)
		return unfinished('\'');
	t->from++;
	return 0;
}

/* '...' or "...", after the first quote. */
static int
take_quoted(struct taking *t, char quote)
{
	for (; t->from < t->end && *t->from != quote; t->from++) {
		/* in "..." as a shell has it */
		if (quote == '"' && *t->from == '\\' && t->end - t->from > 1 &&
		    strchr("\"\\$`", t->from[1]) != NULL)
			t->from++;
		*t->to++ = *t->from;
	}
	if (t->from == t->end)
		return unfinished(quote);
	t->from++;
	return 0;
}

/* One character, or one quoted part, of a word. */
static int
take_part(struct taking *t)
{
	char c = *t->from++;

	if (c == '\'' || c == '"')
		return take_quoted(t, c);
	if (c == '$' && t->from < t->end && *t->from == '\'') {
		t->from++;
		return take_escapes(t);
	}
	if (c == '\\') {
		if (t->from == t->end)
			return unfinished(c);
		c = *t->from++;
	}
	*t->to++ = c;
	return 0;
}

int
tokenize_next(struct tokenizer *words, char **word, size_t *length)
{
	struct taking t;
	int status = 0;

	*word = NULL;
	while (words->at < words->end && is_blank(*words->at))
		words->at++;
	if (words->at == words->end)
		return 0;
	t.from = t.to = words->at;
	t.end = words->end;
	while (status == 0 && t.from < t.end && !is_blank(*t.from))
		status = take_part(&t);
	if (status != 0)
		return status;
	*word = words->at;
	*length = (size_t)(t.to - *word);
	/* the blank behind the word may be where its NUL goes */
	words->at += t.from - *word + (t.from < t.end);
	*t.to = '\0';
	return 0;
}
