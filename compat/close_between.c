/* SPDX-License-Identifier: ISC */
#include "compat.h"

#include <sys/types.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(HAVE_SYS_SYSCALL_H)
#include <sys/syscall.h>
#endif

static int
close_at_once(unsigned first, unsigned last)
{
#ifdef HAVE_CLOSE_RANGE
	return close_range(first, last, 0);
#elif defined(SYS_close_range)
	return (int)syscall(SYS_close_range, first, last, 0);
#else
	(void)first;
	(void)last;
	return -1;
#endif
}

/* Linux before 5.9: the limit may be a thousand million, what is open is not */
#if defined(__linux__) && defined(SYS_getdents64)

/* The number that NAME is, -1 for any other name. */
static long
number_of(const char *name)
{
	long number = 0;

	for (const char *p = name; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || number > INT32_MAX / 10 - 1)
			return -1;
		number = number * 10 + (*p - '0');
	}
	return *name == '\0' ? -1 : number;
}

/* getdents64(2): behind two numbers the length, the type and the name. */
#define LENGTH_AT 16
#define NAME_AT 19

static void
close_listed(int list, const char *entries, long size, unsigned first,
    unsigned last)
{
	uint16_t length;

	for (long at = 0; at < size; at += length) {
		long fd = number_of(entries + at + NAME_AT);

		memcpy(&length, entries + at + LENGTH_AT, sizeof length);
		if (fd >= 0 && fd != list && (unsigned)fd >= first &&
		    (unsigned)fd <= last)
			(void)close((int)fd);
	}
}

/* Not by opendir(3), which allocates: the caller may be a signal handler. */
static bool
close_open(unsigned first, unsigned last)
{
	int list = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char entries[4096];
	long n;

	if (list == -1)
		return false;
	while ((n = syscall(SYS_getdents64, list, entries, sizeof entries)) > 0)
		close_listed(list, entries, n, first, last);
	(void)close(list);
	return n == 0;
}

#else

static bool
close_open(unsigned first, unsigned last)
{
#ifdef HAVE_CLOSEFROM
	if (last == ~0u) {
		closefrom((int)first);
		return true;
	}
#endif
	(void)first;
	(void)last;
	return false;
}

#endif

void
close_between(unsigned first, unsigned last)
{
	long limit;

	if (first > last || close_at_once(first, last) == 0 ||
	    close_open(first, last))
		return;
	limit = sysconf(_SC_OPEN_MAX);
	if (limit < 0)
		limit = 65536;
	for (unsigned fd = first; fd <= last && fd < (unsigned long)limit; fd++)
		(void)close((int)fd);
}
