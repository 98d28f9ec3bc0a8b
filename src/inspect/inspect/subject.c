/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "inspect/inspect/subject.h"

struct owner *
subject_owner(const struct inspection *in, pid_t pid)
{
	for (size_t i = 0; i < in->owner_count; i++)
		if (in->owners[i].pid == pid)
			return &in->owners[i];
	return NULL;
}

const struct waiters *
subject_waiters(const struct inspection *in, const struct subject *s)
{
	return &subject_owner(in, s->d.pid)->waiters;
}
