/* SPDX-License-Identifier: ISC */
/*
 * state.h - the state of a descriptor in words, and as members of JSON.
 */
#ifndef STATE_H
#define STATE_H

#include "inspect/buffer.h"
#include "inspect/facts/descriptor.h"

/* Append what the column STATE says of D; nothing if there is nothing. */
void state_text(struct buffer *buffer, const struct descriptor *d);

/*
 * Print the object "state" of D: the members that its kind has, null where a
 * value is not known; or null in place of it.
 */
void state_json(const struct descriptor *d);

/* Append an address and port, as 127.0.0.1:80 or [::1]:80. */
void state_address(struct buffer *buffer, const struct sock_address *address);

/* Append the names of BITS, as poll(2) has them, "-" for none. */
void state_events(struct buffer *buffer, unsigned bits);

/* The same of the mask of an entry of epoll(7). */
void state_mask(struct buffer *buffer, uint32_t bits);

/* Print them as an array of JSON. */
void state_json_events(unsigned bits);
void state_json_mask(uint32_t bits);

#endif
