/* SPDX-License-Identifier: ISC */
/*
 * foreign.c - the names that descriptors of other processes have here.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/pmux.h"
#include "sys/foreign.h"
#include "sys/foreign_table.h"
#include "sys/process.h"

void
foreign_begin(struct foreign_table *table)
{
	table->unused = -1;
}

void
foreign_end(struct foreign_table *table)
{
	free(table->names);
}

static int
index_of(int handle)
{
	return FOREIGN_FIRST - handle;
}

struct foreign *
foreign_of(int handle)
{
	return &pmux->foreign->names[index_of(handle)];
}

int
foreign_name(int process, pid_t pid, int number, int *handle)
{
	struct foreign_table *table = pmux->foreign;
	int wanted = 2 * table->capacity + 16, i = table->unused;
	struct foreign *grown;

	if (i == -1 && table->count == table->capacity) {
		grown = realloc(table->names,
		    (size_t)wanted * sizeof *table->names);
		if (grown == NULL)
			return -ENOMEM;
		table->names = grown;
		table->capacity = wanted;
	}
	if (i == -1)
		i = table->count++;
	else
		table->unused = table->names[i].next;
	table->names[i] = (struct foreign){ .process = process,
		.pid = pid,
		.number = number };
	*handle = FOREIGN_FIRST - i;
	return 0;
}

void
foreign_forget(int handle)
{
	struct foreign_table *table = pmux->foreign;
	int i = index_of(handle);

	table->names[i].next = table->unused;
	table->unused = i;
}

int
foreign_number(int handle)
{
	return foreign_of(handle)->number;
}

int
foreign_borrow(int fd)
{
	const struct foreign *f;

	if (!foreign_is(fd))
		return fd;
	f = foreign_of(fd);
	return process_descriptor(f->process, f->number);
}

void
foreign_return(int fd, int borrowed)
{
	if (foreign_is(fd) && borrowed >= 0)
		(void)close(borrowed);
}

bool
foreign_is_closed(int fd)
{
	if (foreign_is(fd))
		return foreign_of(fd)->closed;
	return fd >= 0 && fcntl(fd, F_GETFD) == -1;
}

bool
foreign_nests(int handle)
{
	return foreign_of(handle)->instance;
}

const char *
foreign_why(int fd)
{
	return foreign_is(fd) ? foreign_of(fd)->why : NULL;
}

/* Needs no descriptor of PID: kcmp(2) first checks for permission. */
static const char *
found_by(pid_t pid)
{
	return process_registered(pid, 0, -1, 0) >= 0 ?
	    "pidfd_getfd(2); what is closed there is found by kcmp(2)" :
	    "pidfd_getfd(2); what is closed there is found by comparing copies,"
	    " as kcmp(2) is denied or absent";
}

int
foreign_probe(pid_t pid, const char **detail)
{
	int process = process_open(pid), fd;

	if (process == -ENOSYS)
		*detail = "this system has no pidfd_getfd(2)";
	if (process < 0)
		return process;
	fd = process_descriptor(process, 0);
	(void)close(process);
	if (fd >= 0)
		(void)close(fd);
	if (fd == -ENOSYS)
		*detail = "this system has no pidfd_getfd(2)";
	else if (fd == -EPERM)
		*detail = process_forbidden_by();
	else if (fd >= 0 || fd == -EBADF)
		*detail = found_by(pid);
	return fd >= 0 || fd == -EBADF ? 0 : fd;
}
