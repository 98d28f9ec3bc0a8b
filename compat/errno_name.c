/* SPDX-License-Identifier: ISC */
#include "compat.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#ifdef HAVE_STRERRORNAME_NP

const char *
errno_name(int error)
{
	const char *name = strerrorname_np(error);

	return name == NULL ? "E?" : name;
}

#else

/* What the calls that pmux makes can answer, by POSIX and the man pages. */
static const struct {
	int error;
	const char name[16];
} names[] = {
/* clang-format off */
#define NAME(e)	{ e, #e }
	NAME(E2BIG), NAME(EACCES), NAME(EAGAIN), NAME(EBADF), NAME(EBUSY),
	NAME(ECHILD), NAME(ECONNABORTED), NAME(ECONNREFUSED),
	NAME(ECONNRESET), NAME(EDEADLK), NAME(EDOM), NAME(EDQUOT),
	NAME(EEXIST), NAME(EFAULT), NAME(EFBIG), NAME(EINTR), NAME(EINVAL),
	NAME(EIO), NAME(EISDIR), NAME(ELOOP), NAME(EMFILE), NAME(EMLINK),
	NAME(ENAMETOOLONG), NAME(ENETDOWN), NAME(ENETUNREACH), NAME(ENFILE),
	NAME(ENOBUFS), NAME(ENODEV), NAME(ENOENT), NAME(ENOEXEC),
	NAME(ENOLCK), NAME(ENOMEM), NAME(ENOSPC), NAME(ENOSYS),
	NAME(ENOTCONN), NAME(ENOTDIR), NAME(ENOTSOCK), NAME(ENOTTY),
	NAME(ENXIO), NAME(EOPNOTSUPP), NAME(EOVERFLOW), NAME(EPERM),
	NAME(EPIPE), NAME(ERANGE), NAME(EROFS), NAME(ESPIPE), NAME(ESRCH),
	NAME(ESTALE), NAME(ETIMEDOUT), NAME(ETXTBSY), NAME(EXDEV),
#undef NAME
	/* clang-format on */
};

const char *
errno_name(int error)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].error == error)
			return names[i].name;
	return "E?";
}

#endif
