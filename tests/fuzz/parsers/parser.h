/* SPDX-License-Identifier: ISC */
/*
 * parser.h - common parts of the libFuzzer targets: scripts/fuzz.
 */
#ifndef PARSER_H
#define PARSER_H

#include <stddef.h>
#include <stdint.h>

/* Called by libFuzzer, again and again in one process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Begins a call of pmux, whose messages are captured.  Returns a copy of the
 * SIZE bytes at DATA with a NUL behind them, which the caller frees.  A parser of
 * strings stops at the first NUL of it.
 */
char *parser_input(const uint8_t *data, size_t size);

/* Unless HOLDS, end the process, which is a finding for libFuzzer. */
void parser_check(int holds);

#endif
