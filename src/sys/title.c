/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __FreeBSD__
#include <sys/types.h>
#include <sys/sysctl.h>

#define TITLE_BY_SYSCTL
#endif

#include "base/pmux.h"
#include "sys/title.h"

#if defined(__linux__)

void
title_remember(struct pmux_title *title, int argc, char **argv)
{
	if (argc < 1)
		return;
	title->start = argv[0];
	title->end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	title->environment = argv + argc + 1;
}

/* execve(2) puts the strings of the environment behind the arguments. */
static char *
area_end(const struct pmux_title *title)
{
	char *last = title->end;

	for (char **string = title->environment; *string == last; string++)
		last += strlen(last) + 1;
	return last;
}

/*
 * Linux shows the memory where the arguments were.  If their last byte is not
 * NUL, it takes them for a title, which ends with its first NUL and may extend
 * into the environment (proc_pid_cmdline(5), "get_mm_cmdline").
 */
void
title_set(const char *name)
{
	static const char prefix[] = "pmux: holds ";
	const struct pmux_title *title = &pmux->host->title;
	char *start = title->start, *end = title->end;
	size_t length = strlen(name), size;

	if (start == NULL || end < start)
		return;
	size = (size_t)(area_end(title) - start);
	if (size < sizeof prefix)
		return;
	if (length > size - sizeof prefix)
		length = size - sizeof prefix;
	memset(start, 0, size);
	memcpy(start, prefix, sizeof prefix - 1);
	memcpy(start + sizeof prefix - 1, name, length);
	/* it may be where the title ends, and be seen */
	if (end[-1] == '\0')
		end[-1] = ' ';
}

bool
title_is_apart(void)
{
	return false;
}

#else

void
title_remember(struct pmux_title *title, int argc, char **argv)
{
	(void)title;
	(void)argc;
	(void)argv;
}

void
title_set(const char *name)
{
#ifdef TITLE_BY_SYSCTL
	/* setproctitle(3) allocates memory; no title is longer than 256 bytes */
	const int what[] = { CTL_KERN, KERN_PROC, KERN_PROC_ARGS, getpid() };
	char text[200] = "pmux: holds ";

	(void)strlcat(text, name, sizeof text);
	(void)sysctl(what, 4, NULL, NULL, text, strlen(text) + 1);
#elif defined(HAVE_SETPROCTITLE)
	/* it puts the name of the program before it, which may be bash */
#ifdef HAVE_SETPROGNAME
	setprogname("pmux");
#endif
	setproctitle("holds %s", name);
#else
	(void)name;
#endif
}

bool
title_is_apart(void)
{
#if defined(TITLE_BY_SYSCTL) || defined(HAVE_SETPROCTITLE)
	return true;
#else
	return false;
#endif
}

#endif
