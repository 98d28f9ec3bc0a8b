/* SPDX-License-Identifier: ISC */
/*
 * flags.h - names and bits, both ways, from one table for each primitive.
 */
#ifndef FLAGS_H
#define FLAGS_H

#include <stddef.h>
#include <stdint.h>

/* One name for one bit of a primitive; bit 0: this system lacks it. */
struct flag {
	char name[12];
	uint32_t bit;
};

/* The length of the word at S, up to a comma or LEFT bytes. */
size_t flags_word(const char *s, size_t left);

/*
 * Whether the LENGTH bytes at S are a set of events as any primitive knows
 * them: names separated by commas, in any case, with or without POLL or EPOLL
 * before them; or a number that begins with 0x.
 */
int flags_are_events(const char *s, size_t length);

/*
 * The bits of such a set in TABLE, which ends with an empty name.  Returns 0
 * with *BITS set, or an error with the first word that is refused in *WORD and
 * *WORD_LENGTH: -EINVAL if it is not the name of an event, -EOPNOTSUPP if TABLE
 * does not have it, -ENOSYS if the system does not, -ERANGE if a number has
 * bits outside LIMIT.
 */
int flags_parse(const struct flag *table, uint32_t limit, const char *s,
    size_t length, uint32_t *bits, const char **word, size_t *word_length);

/* The bit of NAME in TABLE, which ends with an empty name; 0: it has none. */
uint32_t flags_bit(const struct flag *table, const char *name);

/*
 * Take the next name off *BITS: the first of TABLE whose bits are all set, and
 * when none is, the remaining bits as one number.  Returns the name, "" for the
 * number (then in *NUMBER), or NULL when no bit is left.
 */
const char *flags_next(const struct flag *table, uint32_t *bits,
    uint32_t *number);

#endif
