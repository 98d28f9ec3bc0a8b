/* SPDX-License-Identifier: ISC */
/*
 * number.h - digits to numbers, and back.  No sign, no blank: all bytes have to
 * be digits.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of C as a digit of base 16, in either case; 16 if it is none. */
unsigned number_digit(char c);

/* Whether the LENGTH bytes at S, at least one, are all digits of BASE. */
bool number_is(const char *s, size_t length, unsigned base);

/* Whether 0x or 0X and something else is at S. */
bool number_has_0x(const char *s, size_t length);

/*
 * The number that the LENGTH bytes at S are in BASE, which is 2 to 16.  Returns
 * 0 with *VALUE set; -EINVAL if they are no number, -ERANGE if it is one of more
 * than MOST.  *VALUE is 0 then.
 */
int number_parse(const char *s, size_t length, unsigned base, uint64_t most,
    uint64_t *value);

/* The same: in base 16 behind 0x or 0X, else in base 10. */
int number_parse_0x(const char *s, size_t length, uint64_t most,
    uint64_t *value);

/*
 * Write VALUE in BASE, which is 2 to 16, so that its last digit is before END:
 * up to 64 bytes, no NUL.  Returns where the first one is.
 */
char *number_before(char *end, uint64_t value, unsigned base);

#endif
