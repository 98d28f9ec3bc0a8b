#include "compat.h"

#include <sys/types.h>

#include <stdlib.h>
#include <unistd.h>

#if !defined(HAVE_CLOSE_RANGE) && defined(HAVE_SYS_SYSCALL_H)
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

void
close_between(unsigned first, unsigned last)
{
	long limit;

	if (first > last || close_at_once(first, last) == 0)
		return;
#ifdef HAVE_CLOSEFROM
	if (last == ~0u) {
		closefrom((int)first);
		return;
	}
#endif
	limit = sysconf(_SC_OPEN_MAX);
	if (limit < 0)
		limit = 65536;
	for (unsigned fd = first; fd <= last && fd < (unsigned long)limit; fd++)
		(void)close((int)fd);
}
