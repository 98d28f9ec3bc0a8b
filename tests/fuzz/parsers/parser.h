/* SPDX-License-Identifier: ISC */
/*
 * parser.h - what the targets of libFuzzer have in common: scripts/fuzz.
 */
#ifndef PARSER_H
#define PARSER_H

#include <stddef.h>
#include <stdint.h>

/* Called by libFuzzer, again and again in one process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A copy of the SIZE bytes at DATA with a NUL behind them, which the caller
 * frees; a call of pmux is under way from here on, and its messages are
 * captured.  Where a word cannot have a NUL,
 * it ends at the first.
 */
char *parser_input(const uint8_t *data, size_t size);

/* End the process, which libFuzzer takes for a finding, unless HOLDS. */
void parser_check(int holds);

#endif
