/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>

#include "base/number.h"

unsigned
number_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

bool
number_is(const char *s, size_t length, unsigned base)
{
	for (size_t i = 0; i < length; i++)
		if (number_digit(s[i]) >= base)
			return false;
	return length > 0;
}

bool
number_has_0x(const char *s, size_t length)
{
	return length > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
}

int
number_parse(const char *s, size_t length, unsigned base, uint64_t most,
    uint64_t *value)
{
	uint64_t sum = 0, digit, last = most / base;

	*value = 0;
	if (!number_is(s, length, base))
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		digit = number_digit(s[i]);
		if (sum > last || digit > most - sum * base)
			return -ERANGE;
		sum = sum * base + digit;
	}
	*value = sum;
	return 0;
}

int
number_parse_0x(const char *s, size_t length, uint64_t most, uint64_t *value)
{
	if (number_has_0x(s, length))
		return number_parse(s + 2, length - 2, 16, most, value);
	return number_parse(s, length, 10, most, value);
}

char *
number_before(char *end, uint64_t value, unsigned base)
{
	do
		*--end = "0123456789abcdef"[value % base];
	while ((value /= base) != 0);
	return end;
}
