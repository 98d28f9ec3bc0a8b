/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "inspect/source.h"
#include "inspect/subject.h"
#include "output/diag.h"

struct inspection {
	struct source source;
	struct subject *list;
	size_t count, size;
	int status;
};

static const char *const headings[] = { "FD", "KIND", "MODE", "READY", "STATE",
	"OTHER END", "WAITED FOR BY" };

#define COLUMNS (sizeof headings / sizeof *headings)

/* Report ERROR of process PID; the others are inspected nevertheless. */
static void
fail(struct inspection *in, int error, pid_t pid)
{
	in->status = diag_system(-error, NULL, "process %ld", (long)pid);
}

/* Room for one more.  Returns it, or NULL. */
static struct subject *
one_more(struct inspection *in)
{
	size_t wanted = in->size == 0 ? 16 : 2 * in->size;
	struct subject *grown;

	if (in->count == in->size) {
		grown = realloc(in->list, wanted * sizeof *grown);
		if (grown == NULL)
			return NULL;
		in->list = grown;
		in->size = wanted;
	}
	return &in->list[in->count];
}

/* Returns 0 or -errno. */
static int
take(struct inspection *in, pid_t pid, int number, const char *comm)
{
	struct subject *s = one_more(in);
	int error;

	if (s == NULL)
		return -ENOMEM;
	memset(s, 0, sizeof *s);
	error = descriptor_read(&in->source, pid, number, &s->d);
	if (error != 0)
		return error;
	(void)snprintf(s->comm, sizeof s->comm, "%s", comm);
	in->count++;
	return 0;
}

/* All of PID; what is closed meanwhile is gone.  Returns 0 or -errno. */
static int
take_all(struct inspection *in, pid_t pid, const char *comm)
{
	char path[SOURCE_PATH];
	int *numbers, count, error = 0;

	(void)snprintf(path, sizeof path, "%ld/fd", (long)pid);
	count = source_list(&in->source, path, &numbers);
	if (count < 0)
		return count;
	for (int i = 0; i < count && error == 0; i++) {
		if (pid == getpid() && numbers[i] == in->source.proc)
			continue;
		error = take(in, pid, numbers[i], comm);
		if (error == -EBADF)
			error = 0;
	}
	free(numbers);
	return error;
}

static void
take_target(struct inspection *in, const struct inspect_target *target)
{
	char directory[SOURCE_PATH];
	struct procfs_stat stat;
	int error;

	(void)snprintf(directory, sizeof directory, "%ld", (long)target->pid);
	error = procfs_stat(&in->source, directory, &stat);
	if (error != 0 || stat.state == 'Z' || stat.state == 'X') {
		fail(in, error == 0 || error == -ENOENT ? -ESRCH : error,
		    target->pid);
		return;
	}
	error = target->number == -1 ?
	    take_all(in, target->pid, stat.comm) :
	    take(in, target->pid, target->number, stat.comm);
	if (error == -EBADF)
		in->status = diag_system(EBADF, NULL, "process %ld: %d",
		    (long)target->pid, target->number);
	else if (error != 0)
		fail(in, error == -ENOENT ? -ESRCH : error, target->pid);
}

/* Whether the records are of more than one process. */
static bool
are_several(const struct inspection *in)
{
	for (size_t i = 1; i < in->count; i++)
		if (in->list[i].d.pid != in->list[0].d.pid)
			return true;
	return false;
}

static int
print(const struct inspection *in, bool json)
{
	struct columns columns;

	if (json) {
		for (size_t i = 0; i < in->count; i++)
			subject_print_json(&in->list[i]);
		return 0;
	}
	columns_begin(&columns, COLUMNS, headings);
	subjects_print_text(in->list, in->count, are_several(in), &columns);
	return columns_print(&columns);
}

int
inspect(const struct inspect_target *targets, size_t count,
    const struct inspect_options *options)
{
	struct inspection in = { .count = 0 };
	int error = source_open(&in.source, NULL);

	if (error != 0)
		return diag_system(-error, NULL, "/proc");
	for (size_t i = 0; i < count; i++)
		take_target(&in, &targets[i]);
	error = print(&in, options->json);
	if (error != 0)
		in.status = diag_system(-error, NULL, "descriptors");
	for (size_t i = 0; i < in.count; i++)
		descriptor_free(&in.list[i].d);
	free(in.list);
	source_close(&in.source);
	return in.status;
}
