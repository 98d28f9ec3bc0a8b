/* SPDX-License-Identifier: ISC */
/*
 * waits.c - print what a thread of another process waits for, as
 * src/inspect/facts/thread.c finds it.
 *
 * waits [-r ROOT] PID [TID]
 *
 * The columns are: its state, the system call or what else it does, the timeout
 * in ns, what is waited for, the path, the child, and the reason why something
 * is not known.
 * waits -b PID: how busy the threads of PID are in 150 ms: percent, and whether
 * it slept all the time.  waits -l PID: until PID has ended; what is unknown.
 *
 * Exit status 3: errno's name, or its number, is the output.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/pmux_run.h"
#include "compat.h"
#include "inspect/facts/busy.h"
#include "inspect/facts/thread.h"

static const char *const calls[] = { "unknown", "running", "nothing", "poll",
	"select", "epoll", "read", "write", "copy", "accept", "connect", "open",
	"lock", "futex", "child", "sleep", "signal", "io_uring", "other" };

static int
fail(int error)
{
	const char *name = errno_name(-error);

	puts(name == NULL ? "?" : name);
	return 3;
}

static void
print_wanted(const struct thread_wait *w)
{
	if (w->count == 0)
		putchar('-');
	for (size_t i = 0; i < w->count; i++)
		printf("%s%d:%s%s%s%s", i == 0 ? "" : " ", w->wanted[i].fd,
		    (w->wanted[i].events & POLLIN) != 0 ? "i" : "",
		    (w->wanted[i].events & POLLPRI) != 0 ? "p" : "",
		    (w->wanted[i].events & POLLOUT) != 0 ? "o" : "",
		    w->wanted[i].events == 0 ? "-" : "");
}

static int
print_wait(struct source *source, pid_t pid, pid_t tid)
{
	struct thread_wait w;
	int error = thread_wait_read(source, pid, tid, &w);

	if (error != 0)
		return fail(error);
	printf("%c\t%s\t%s\t%" PRId64 "\t", w.state, calls[w.call],
	    w.name == NULL ? "-" : w.name, w.timeout);
	print_wanted(&w);
	printf("\t%s\t%jd\t%s%s%s\n", w.path == NULL ? "-" : w.path,
	    (intmax_t)w.child, w.why == NULL ? "-" : w.why,
	    w.error == 0 ? "" : " ", w.error == 0 ? "" : errno_name(w.error));
	thread_wait_free(&w);
	return 0;
}

/* Until it has ended; prints what cannot be right. */
static int
follow(struct source *source, pid_t pid)
{
	struct thread_wait w;
	int error;

	while ((error = thread_wait_read(source, pid, pid, &w)) == 0 &&
	    w.state != 'Z') {
		if (w.error != 0)
			printf("%s: %s\n", errno_name(w.error), w.why);
		thread_wait_free(&w);
	}
	puts(error == 0 || error == -ESRCH ? "ended" : errno_name(-error));
	return 0;
}

static int
print_busy(struct source *source, pid_t pid)
{
	struct busy before, after;
	int error = busy_note(source, pid, pid, &before);

	(void)poll(NULL, 0, (int)(BUSY_TIME / 1000000));
	if (error == 0)
		error = busy_note(source, pid, pid, &after);
	if (error != 0)
		return fail(error);
	printf("%d\t%s\n", busy_percent(&before, &after),
	    busy_slept(&before, &after) ? "slept" : "ran");
	return 0;
}

int
main(int argc, char **argv)
{
	static struct pmux_call call;
	static struct pmux_host host = { .room = &call };
	struct source source;
	const char *root = NULL;
	int option, status, error;
	bool busy = false, until_end = false;

	while ((option = getopt(argc, argv, "blr:")) != -1)
		if (option == 'r')
			root = optarg;
		else if (option == 'b')
			busy = true;
		else if (option == 'l')
			until_end = true;
	if (optind == argc) {
		fputs("usage: waits [-bl] [-r ROOT] PID [TID]\n", stderr);
		return 2;
	}
	pmux_enter(&call, &host);
	if ((error = source_open(&source, root)) != 0)
		return fail(error);
	if (busy)
		status = print_busy(&source, (pid_t)atol(argv[optind]));
	else if (until_end)
		status = follow(&source, (pid_t)atol(argv[optind]));
	else
		status = print_wait(&source, (pid_t)atol(argv[optind]),
		    (pid_t)atol(argv[argc - 1]));
	source_close(&source);
	return status;
}
