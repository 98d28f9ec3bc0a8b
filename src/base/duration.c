/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"

#define DIGITS "0123456789"

/* No exponent past it makes a difference. */
#define FARTHEST 1000000000

/*
 * A decimal number: DIGITS times ten to the power of EXPONENT.  Digits past
 * what 64 bits hold are dropped into the exponent; if one of them was not zero
 * the number is INEXACT: more than DIGITS, less than DIGITS + 1.
 */
struct decimal {
	uint64_t digits;
	int64_t exponent;
	bool inexact;
};

static const struct {
	char name[4];
	int64_t ns; /* a multiple of a power of ten */
} units[] = {
	{ "", 1000000000 },
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60 * INT64_C(1000000000) },
	{ "h", 3600 * INT64_C(1000000000) },
	{ "d", 86400 * INT64_C(1000000000) },
};

static bool
is_digit(char c)
{
	return number_digit(c) < 10;
}

static void
take_digit(struct decimal *d, char c, bool fraction)
{
	uint64_t value = number_digit(c);

	if (d->digits > (UINT64_MAX - 9) / 10) {
		d->inexact |= value != 0;
		d->exponent += !fraction;
		return;
	}
	d->digits = d->digits * 10 + value;
	d->exponent -= fraction;
}

/* Returns the text behind the number, or NULL if none begins at S. */
static const char *
parse_decimal(const char *s, struct decimal *d)
{
	const char *begin = s, *mark;
	size_t length;
	bool negative;
	uint64_t e;

	memset(d, 0, sizeof *d);
	for (; is_digit(*s); s++)
		take_digit(d, *s, false);
	if (*s == '.') {
		for (s++; is_digit(*s); s++)
			take_digit(d, *s, true);
		if (s == begin + 1)
			return NULL;
	} else if (s == begin)
		return NULL;
	if (*s != 'e' && *s != 'E')
		return s;
	mark = s + 1;
	negative = *mark == '-';
	if (*mark == '-' || *mark == '+')
		mark++;
	if (!is_digit(*mark))
		return s;
	length = strspn(mark, DIGITS);
	if (number_parse(mark, length, 10, FARTHEST, &e) == -ERANGE)
		e = FARTHEST;
	d->exponent += negative ? -(int64_t)e : (int64_t)e;
	return mark + length;
}

/* D times UNIT in *NS, each step rounded up: a wait may not end early. */
static int
scale(const struct decimal *d, int64_t unit, int64_t *ns)
{
	uint64_t value = d->digits + d->inexact, factor = (uint64_t)unit;
	int64_t exponent = d->exponent;

	/* the powers of ten of unit and fraction cancel each other */
	for (; exponent < 0 && factor % 10 == 0; exponent++)
		factor /= 10;
	for (; exponent < 0 && (value > 1 || factor > 1); exponent++) {
		/* 6, 36 or 864 may be left: multiply first if there is room */
		if (value <= UINT64_MAX / factor) {
			value *= factor;
			factor = 1;
		}
		value = value / 10 + (value % 10 != 0);
	}
	if (value > INT64_MAX / factor)
		return -ERANGE;
	value *= factor;
	for (; exponent > 0 && value != 0; exponent--) {
		if (value > INT64_MAX / 10)
			return -ERANGE;
		value *= 10;
	}
	*ns = (int64_t)value;
	return 0;
}

int
duration_parse(const char *word, int64_t *ns)
{
	struct decimal d;
	const char *unit;
	bool negative;

	if (strcmp(word, "inf") == 0 || strcmp(word, "-1") == 0) {
		*ns = DURATION_FOREVER;
		return 0;
	}
	negative = *word == '-';
	unit = parse_decimal(word + negative, &d);
	if (unit == NULL || (negative && d.digits != 0))
		return -EINVAL;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(unit, units[i].name) == 0)
			return scale(&d, units[i].ns, ns);
	return -EINVAL;
}
