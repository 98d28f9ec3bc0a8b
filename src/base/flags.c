/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/flags.h"
#include "base/number.h"

/* Every name that some primitive on some system has. */
static const char events[][12] = { "in", "pri", "out", "err", "hup", "nval",
	"rdhup", "rdnorm", "rdband", "wrnorm", "wrband", "msg", "et", "oneshot",
	"exclusive", "wakeup" };

/* Without the prefix that the C constants have. */
static void
strip_prefix(const char **s, size_t *length)
{
	size_t n = 0;

	if (*length > 5 && strncasecmp(*s, "EPOLL", 5) == 0)
		n = 5;
	else if (*length > 4 && strncasecmp(*s, "POLL", 4) == 0)
		n = 4;
	*s += n;
	*length -= n;
}

static bool
is_name(const char *name, const char *s, size_t length)
{
	strip_prefix(&s, &length);
	return strlen(name) == length && strncasecmp(name, s, length) == 0;
}

static bool
is_event(const char *s, size_t length)
{
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (is_name(events[i], s, length))
			return true;
	return false;
}

/* A number is all of the set: 0x and at least one digit. */
static bool
is_number(const char *s, size_t length)
{
	return number_has_0x(s, length) && number_is(s + 2, length - 2, 16);
}

static int
parse_number(const char *s, size_t length, uint32_t limit, uint32_t *bits)
{
	uint64_t value;
	int error = number_parse_0x(s, length, UINT32_MAX, &value);

	*bits = (uint32_t)value;
	return error == 0 && (*bits & ~limit) != 0 ? -ERANGE : error;
}

size_t
flags_word(const char *s, size_t left)
{
	const char *comma = memchr(s, ',', left);

	return comma == NULL ? left : (size_t)(comma - s);
}

int
flags_are_events(const char *s, size_t length)
{
	size_t n;

	if (is_number(s, length))
		return true;
	for (;; s += n + 1, length -= n + 1) {
		n = flags_word(s, length);
		if (!is_event(s, n))
			return false;
		if (n == length)
			return true;
	}
}

static int
parse_word(const struct flag *table, const char *s, size_t length,
    uint32_t *bits)
{
	for (; table->name[0] != '\0'; table++)
		if (is_name(table->name, s, length)) {
			*bits |= table->bit;
			return table->bit == 0 ? -ENOSYS : 0;
		}
	return is_event(s, length) ? -EOPNOTSUPP : -EINVAL;
}

int
flags_parse(const struct flag *table, uint32_t limit, const char *s,
    size_t length, uint32_t *bits, const char **word, size_t *word_length)
{
	int error;

	*bits = 0;
	*word = s;
	*word_length = length;
	if (is_number(s, length))
		return parse_number(s, length, limit, bits);
	for (;; s += *word_length + 1, length -= *word_length + 1) {
		*word = s;
		*word_length = flags_word(s, length);
		error = parse_word(table, s, *word_length, bits);
		if (error != 0 || *word_length == length)
			return error;
	}
}

uint32_t
flags_bit(const struct flag *table, const char *name)
{
	while (*table->name != '\0' && strcmp(table->name, name) != 0)
		table++;
	return table->bit;
}

const char *
flags_next(const struct flag *table, uint32_t *bits, uint32_t *number)
{
	for (; *bits != 0 && table->name[0] != '\0'; table++)
		if (table->bit != 0 && (*bits & table->bit) == table->bit) {
			*bits &= ~table->bit;
			return table->name;
		}
	*number = *bits;
	*bits = 0;
	return *number == 0 ? NULL : "";
}
