/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "faults.h"

#ifdef HAVE_INJECT

#include <sys/syscall.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"

/*
 * The errors of each call.  One without errors fails only because of wrong
 * arguments, which no test can cause.
 */
static const struct {
	long number;
	const char *name, *errors;
} table[] = {
#define CALL(id, errors) { SYS_##id, #id, errors },
#include "calls.def"
#undef CALL
};

#define COUNT (sizeof table / sizeof *table)

/* The errors of calls that are not in the table. */
#define UNKNOWN "ENOMEM EPERM ENOSYS"

const char *
call_name(long number)
{
	static char text[32];

	for (size_t i = 0; i < COUNT; i++)
		if (table[i].number == number)
			return table[i].name;
	(void)snprintf(text, sizeof text, "call_%ld", number);
	return text;
}

long
call_number(const char *name)
{
	long number;

	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].number;
	return sscanf(name, "call_%ld", &number) == 1 ? number : -1;
}

static const char *
fcntl_errors(uint64_t command)
{
	switch ((int)command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return "EMFILE";
	case F_OFD_SETLK:
	case F_OFD_GETLK:
	case F_SETLK:
	case F_GETLK:
		return "EAGAIN ENOLCK EINVAL";
	case F_OFD_SETLKW:
	case F_SETLKW:
		return "EINTR ENOLCK";
	case F_GETFD:
	case F_SETFD:
	case F_GETFL:
		return NULL;
	default:
		return "EPERM EBUSY";
	}
}

/* Whether FD is of pmux itself, say a pipe: a write to that cannot fail. */
static bool
is_own(uint64_t fd)
{
	return fd > STDERR_FILENO && (fd < FORM_FIRST || fd > FORM_LAST);
}

const char *
call_errors(long number, uint64_t first, uint64_t second)
{
	if (number == SYS_fcntl)
		return fcntl_errors(second);
	if (number == SYS_write && is_own(first))
		return NULL;
	for (size_t i = 0; i < COUNT; i++)
		if (table[i].number == number)
			return table[i].errors;
	return UNKNOWN;
}

bool
call_happens(long number)
{
	return number == SYS_close;
}

int
error_number(const char *name)
{
	for (int i = 1; i < 134; i++)
		if (strcmp(errno_name(i), name) == 0)
			return i;
	return 0;
}

#endif
