/* SPDX-License-Identifier: ISC */
/*
 * member.h - members of JSON objects.
 *
 * Each function appends a comma, KEY and a colon to the output, then the value.
 * KEY is printed as it is.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include <stdbool.h>
#include <stdint.h>

/* The caller appends the value. */
void member_key(const char *key);

/* WORD is UTF-8; NULL: null. */
void member_word(const char *key, const char *word);

/* A string of any bytes; what is not UTF-8 as output_json_bytes does. */
void member_bytes(const char *key, const char *bytes);

/* null unless it is known. */
void member_number(const char *key, int64_t value, bool known);
void member_bool(const char *key, bool value, bool known);

/* A value alone: a string, or null. */
void member_value(const char *word);

#endif
