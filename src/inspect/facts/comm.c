/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "inspect/facts/comm.h"
#include "inspect/facts/procfs.h"

const char *
comm_of(struct source *source, pid_t pid)
{
	struct procfs_stat stat;
	char directory[SOURCE_PATH];

	if (source->named == pid)
		return source->name;
	(void)snprintf(directory, sizeof directory, "%ld", (long)pid);
	if (procfs_stat(source, directory, &stat) != 0)
		return "?";
	source->named = pid;
	(void)snprintf(source->name, sizeof source->name, "%s", stat.comm);
	return source->name;
}

void
comm_put(struct buffer *buffer, struct source *source, pid_t pid)
{
	const char *name = comm_of(source, pid);

	buffer_name(buffer, name, strlen(name));
	buffer_put(buffer, "[%ld]", (long)pid);
}

void
comm_put_descriptor(struct buffer *buffer, struct source *source, pid_t pid,
    int number)
{
	comm_put(buffer, source, pid);
	buffer_put(buffer, "/");
	buffer_number(buffer, (uint64_t)number, 10);
}
