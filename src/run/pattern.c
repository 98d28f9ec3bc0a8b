/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/diag.h"
#include "run/pattern.h"

/*
 * regexec(3) of glibc tries one beginning of a match after another, which for
 * some expressions takes a time that is quadratic in the length of the text:
 * a second for 20,000 bytes (glibc 2.36, "a.*b").  So a text that is longer than
 * this is matched with an expression that has one beginning.  Short texts are
 * not, because that is slower.
 */
#define SHORT 1024

/* The expression for a text, in the order of FORMS. */
enum {
	ANYWHERE,
	FROM_START,
	BEHIND_BYTE,
	FORMS
};

/* What stands around it. */
static const char *const forms[FORMS][2] = {
	[ANYWHERE] = { "", "" },
	[FROM_START] = { "^.*(", ")" },
	/* behind the first byte, which is not part of the text */
	[BEHIND_BYTE] = { "^..*(", ")" },
};

struct pattern {
	regex_t compiled[FORMS];
	bool is_compiled[FORMS]; /* when it is first used */
	char expression[];
};

/* The bracket expression that begins at P: the byte behind it. */
static const char *
skip_bracket(const char *p)
{
	const char *end;
	char kind;

	p++;
	p += *p == '^';
	p += *p == ']';
	while (*p != '\0' && *p != ']') {
		kind = p[1];
		end = NULL;
		if (*p == '[' && (kind == '.' || kind == ':' || kind == '='))
			for (end = p + 2; *end != '\0'; end++)
				if (end[0] == kind && end[1] == ']')
					break;
		p = end != NULL && *end != '\0' ? end + 2 : p + 1;
	}
	return p + (*p == ']');
}

/*
 * What of EXPRESSION systems do not agree on: a constant text, or NULL.  glibc
 * finds back-references in exponential time, musl takes them for digits.
 */
static const char *
undefined(const char *expression)
{
	const char *p = expression;
	size_t depth = 0;

	while (*p != '\0') {
		if (*p == '[') {
			p = skip_bracket(p);
			continue;
		}
		if (*p == '\\') {
			if (p[1] >= '1' && p[1] <= '9')
				return "back-references are not supported";
			p += p[1] != '\0';
		} else if (*p == '(')
			depth++;
		else if (*p == ')' && depth-- == 0)
			return "unmatched )";
		p++;
	}
	return NULL;
}

static int
refuse(const char *option, const char *expression, const char *why)
{
	return diag_usage("--%s: '%s': %s", option, expression, why);
}

/* Compile FORM of P.  Returns as regcomp(3). */
static int
compile(struct pattern *p, int form)
{
	size_t size = strlen(p->expression) + sizeof "^..*()";
	char *text;
	int error;

	text = malloc(size);
	if (text == NULL)
		return REG_ESPACE;
	(void)snprintf(text, size, "%s%s%s", forms[form][0], p->expression,
	    forms[form][1]);
	error = regcomp(&p->compiled[form], text, REG_EXTENDED | REG_NOSUB);
	p->is_compiled[form] = error == 0;
	free(text);
	return error;
}

int
pattern_compile(struct pattern **pattern, const char *option,
    const char *expression)
{
	const char *why = undefined(expression);
	size_t size = strlen(expression) + 1;
	struct pattern *p;
	char text[200];
	int error;

	*pattern = NULL;
	if (why != NULL)
		return refuse(option, expression, why);
	p = calloc(1, sizeof *p + size);
	if (p == NULL)
		return diag_system(ENOMEM, NULL, "--%s", option);
	memcpy(p->expression, expression, size);
	error = compile(p, ANYWHERE);
	if (error == 0) {
		*pattern = p;
		return 0;
	}
	(void)regerror(error, NULL, text, sizeof text);
	free(p);
	return error == REG_ESPACE ? diag_system(ENOMEM, NULL, "--%s", option) :
				     refuse(option, expression, text);
}

/* Match the text at FROM, which ends with a NUL.  Returns as pattern_match. */
static int
match(struct pattern *p, int form, const char *from, int flags)
{
	if (!p->is_compiled[form] && compile(p, form) != 0)
		return -ENOMEM;
	errno = 0;
	switch (regexec(&p->compiled[form], from, 0, NULL, flags)) {
	case 0:
		return 1;
	case REG_NOMATCH:
		/* glibc has one answer for no match and no memory (2.36) */
		return errno == ENOMEM ? -ENOMEM : 0;
	default:
		return -ENOMEM;
	}
}

/* The same for the LENGTH bytes at FROM, which lie behind a NUL. */
static int
match_behind(struct pattern *p, char *from, size_t length, int flags)
{
	int answer;

	if (length <= SHORT)
		return match(p, ANYWHERE, from, flags | REG_NOTBOL);
	from[-1] = 'x';
	answer = match(p, BEHIND_BYTE, from - 1, flags);
	from[-1] = '\0';
	return answer;
}

int
pattern_match(struct pattern *p, char *line, size_t length)
{
	char *end = line + length, saved = *end, *from = line, *to;
	int answer, flags;

	*end = '\0';
	/* no match has a NUL in it: what lies between them is matched alone */
	do {
		to = from + strlen(from);
		length = (size_t)(to - from);
		flags = to == end ? 0 : REG_NOTEOL;
		answer = from != line ?
		    match_behind(p, from, length, flags) :
		    match(p, length <= SHORT ? ANYWHERE : FROM_START, from,
			flags);
		from = to + 1;
	} while (answer == 0 && to < end);
	*end = saved;
	return answer;
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	for (int i = 0; i < FORMS; i++)
		if (p->is_compiled[i])
			regfree(&p->compiled[i]);
	free(p);
}
