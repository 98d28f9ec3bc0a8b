/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "inspect/member.h"
#include "output/escape.h"
#include "output/output.h"

void
member_key(const char *key)
{
	output_string(",\"");
	output_string(key);
	output_string("\":");
}

void
member_value(const char *word)
{
	if (word == NULL)
		output_string("null");
	else
		output_json(word, strlen(word));
}

void
member_word(const char *key, const char *word)
{
	member_key(key);
	member_value(word);
}

void
member_bytes(const char *key, const char *bytes)
{
	member_key(key);
	output_json_bytes(key, bytes, strlen(bytes));
}

void
member_number(const char *key, int64_t value, bool known)
{
	member_key(key);
	if (known)
		output_number(value);
	else
		output_string("null");
}

void
member_bool(const char *key, bool value, bool known)
{
	member_key(key);
	output_string(!known ? "null" : value ? "true" : "false");
}
