/* SPDX-License-Identifier: ISC */
/*
 * eat [-]: read a byte of standard input, unless there is a -, and print one:
 * the program that scripts/bench lets run for each event.
 */
#include <unistd.h>

int
main(int argc, char *argv[])
{
	char byte = '\n';

	(void)argv;
	if (argc < 2 && read(0, &byte, 1) != 1)
		return 1;
	return write(1, &byte, 1) == 1 ? 0 : 1;
}
