/* SPDX-License-Identifier: ISC */
/*
 * facts.c - src/inspect with a directory in place of /proc: what a process and
 * its descriptors are, as kernels old and new write it, and as none does.
 * Prints TAP.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/pmux_run.h"
#include "inspect/facts/descriptor.h"
#include "inspect/facts/peers.h"
#include "inspect/facts/procfs.h"
#include "inspect/facts/world.h"

static unsigned tests, failures;

static void
check(bool holds, const char *what)
{
	tests++;
	failures += !holds;
	printf("%sok %u - %s\n", holds ? "" : "not ", tests, what);
}

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(1);
}

static char root[] = "/tmp/facts.XXXXXX";

/* PATH below the root, with TEXT in it; its directories are made. */
static void
put(const char *path, const char *text)
{
	char name[256];
	FILE *f;

	(void)snprintf(name, sizeof name, "%s/%s", root, path);
	for (char *slash = strchr(name + sizeof root, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(name, 0755) == -1 && errno != EEXIST)
			die(name);
		*slash = '/';
	}
	if ((f = fopen(name, "w")) == NULL || fputs(text, f) == EOF ||
	    fclose(f) == EOF)
		die(name);
}

/* Descriptor NUMBER of process PID. */
static void
put_descriptor(int pid, int number, const char *link, const char *info)
{
	char path[256], name[64];

	(void)snprintf(name, sizeof name, "%d/fdinfo/%d", pid, number);
	put(name, info);
	(void)snprintf(name, sizeof name, "%d/fd/.", pid);
	(void)snprintf(path, sizeof path, "%s/%d/fd", root, pid);
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		die(path);
	(void)snprintf(path, sizeof path, "%s/%d/fd/%d", root, pid, number);
	if (symlink(link, path) == -1)
		die(path);
}

static void
build(void)
{
	if (mkdtemp(root) == NULL)
		die(root);
	/* a name that looks like the end of a name, and another field */
	put("7/stat",
	    "7 (a) Z 1 (\nb)) S 3 7 7 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 2 0"
	    " 9999 1 1\n");
	put("7/status",
	    "Name:\ta) Z 1 (\\nb)\nTgid:\t7\nPPid:\t3\nTracerPid:\t0\n"
	    "Uid:\t1000\t1001\t1000\t1000\nNSpid:\t7\t5\t2\nThreads:\t2\n"
	    "SigPnd:\t0000000000000000\nShdPnd:\t0000000000000200\n"
	    "SigBlk:\t0000000000000200\nSigCgt:\t0000000000010000\n");
	put("7/task/7/status",
	    "Name:\ta) Z 1 (\\nb)\nTgid:\t7\nPPid:\t3\nTracerPid:\t0\n"
	    "Uid:\t1000\t1001\t1000\t1000\nNSpid:\t7\t5\t2\nThreads:\t2\n"
	    "SigPnd:\t0000000000000000\nShdPnd:\t0000000000000200\n"
	    "SigBlk:\t0000000000000200\nSigCgt:\t0000000000010000\n");
	put("7/limits",
	    "Limit                     Soft Limit           Hard Limit"
	    "           Units\n"
	    "Max open files            1024                 unlimited"
	    "            files\n");
	put("7/schedstat", "12 34 56\n");
	put_descriptor(7, 0, "pipe:[12]",
	    "pos:\t0\nflags:\t00\nmnt_id:\t14\nino:\t12\n");
	put_descriptor(7, 1, "anon_inode:[eventfd]",
	    "pos:\t0\nflags:\t02004002\nmnt_id:\t15\neventfd-count:"
	    "               2a\n");
	put_descriptor(7, 2, "anon_inode:[timerfd]",
	    "pos:\t0\nflags:\t02\nclockid: 1\nticks: 3\nsettime flags: 01\n"
	    "it_value: (5, 250)\nit_interval: (1, 0)\n");
	put_descriptor(7, 3, "anon_inode:[signalfd]",
	    "pos:\t0\nflags:\t02\nsigmask:\t0000000000000200\n");
	/* Linux before 4.13 */
	put_descriptor(7, 4, "anon_inode:[eventpoll]",
	    "pos:\t0\nflags:\t02\ntfd:        5 events:       19 data:        "
	    "        5\n");
	put_descriptor(7, 5, "anon_inode:[eventpoll]",
	    "pos:\t0\nflags:\t02\n"
	    "tfd:        0 events: 80000019 data: ffffffffffffffff  pos:0 ino:c"
	    " sdev:d\n"
	    "tfd: \n"
	    "tfd:        1 events: 40000000 data:                1  pos:0"
	    " ino:405 sdev:e\n");
	put_descriptor(7, 6, "anon_inode:inotify",
	    "pos:\t0\nflags:\t00\ninotify wd:2 ino:1f sdev:800003 mask:fce"
	    " ignored_mask:0 fhandle-bytes:8\ninotify wd:1 ino:1 sdev:1 mask:2"
	    " ignored_mask:0\n");
	put_descriptor(7, 7, "socket:[13]", "");
	put_descriptor(7, 8, "anon_inode:[io_uring]",
	    "pos:\t0\nflags:\t02\nSqHead:\t4294967295\nSqTail:\t1\nCqHead:\t7\n"
	    "CqTail:\t9\n");
	put("8/stat", "8 (w) R 7 8 8 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1 1 1\n");
	put_descriptor(8, 3, "pipe:[12]", "pos:\t0\nflags:\t01\nino:\t12\n");
	/* it is another file by the time at which it is read */
	put_descriptor(8, 4, "pipe:[12]", "pos:\t0\nflags:\t01\nino:\t99\n");
	put("9/stat", "9 (gone) Z 7 9 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1 1\n");
	put("10/stat", "10 (no end\n");
}

static void
test_process(struct source *source)
{
	struct procfs_status status;
	struct procfs_limit files;
	struct procfs_times times;
	struct procfs_stat stat;

	check(procfs_stat(source, "7", &stat) == 0 &&
		strcmp(stat.comm, "a) Z 1 (\nb)") == 0 && stat.state == 'S' &&
		stat.parent == 3 && stat.start == 9999,
	    "stat, with a name that looks like more");
	check(procfs_stat(source, "10", &stat) == -EINVAL,
	    "stat without the end of the name");
	check(procfs_stat(source, "11", &stat) == -ENOENT, "no process");
	check(procfs_status(source, "7", &status) == 0 && status.process == 7 &&
		status.uid == 1000 && status.effective == 1001 &&
		status.inner == 2 && status.threads == 2 &&
		status.shared == 0x200 && status.blocked == 0x200 &&
		status.caught == 0x10000 && status.pending == 0,
	    "status");
	check(procfs_limit(source, "7", &files) == 0 && files.soft == 1024 &&
		files.hard == UINT64_MAX,
	    "limits");
	check(procfs_times(source, "7", &times) == 0 && times.ran == 12 &&
		times.waited == 34 && times.turns == 56,
	    "schedstat");
}

/* Read descriptor NUMBER of process 7 into D, which must be of KIND. */
static bool
get(struct source *source, int number, enum kind kind, struct descriptor *d)
{
	return descriptor_read(source, 7, number, d) == 0 && d->kind == kind;
}

static void
test_simple(struct source *source)
{
	struct descriptor d;

	check(get(source, 0, KIND_PIPE, &d) && d.readable && !d.writable &&
		d.inode == 12 && d.unknown[FACT_READY] != NULL &&
		d.unknown[FACT_UNREAD] != NULL,
	    "a pipe: no process of this system is asked");
	descriptor_free(&d);
	check(get(source, 1, KIND_EVENTFD, &d) && d.info.count == 0x2a &&
		d.nonblock && d.cloexec && d.writable &&
		d.unknown[FACT_READY] == NULL && d.ready == (POLLIN | POLLOUT),
	    "eventfd: readiness follows from the count");
	descriptor_free(&d);
	check(get(source, 2, KIND_TIMERFD, &d) && d.info.ticks == 3 &&
		d.info.value == INT64_C(5000000250) &&
		d.info.interval == 1000000000 && d.ready == POLLIN,
	    "timerfd");
	descriptor_free(&d);
	check(get(source, 3, KIND_SIGNALFD, &d) && d.pending == 0x200 &&
		d.ready == POLLIN,
	    "signalfd: readiness follows from the pending signals");
	descriptor_free(&d);
	check(get(source, 7, KIND_SOCKET, &d) && d.inode == 13 &&
		d.unknown[FACT_ACCESS] != NULL,
	    "a socket, and an fdinfo that says nothing");
	descriptor_free(&d);
	check(get(source, 8, KIND_IO_URING, &d) && d.info.submissions == 2 &&
		d.info.completions == 2,
	    "io_uring: indexes that wrapped");
	descriptor_free(&d);
}

static void
test_lists(struct source *source)
{
	struct descriptor d;

	check(get(source, 4, KIND_EPOLL, &d) && d.info.entry_count == 1 &&
		d.info.entries[0].number == 5 &&
		d.info.entries[0].events == 0x19 &&
		d.info.entries[0].data == 5 && d.info.entries[0].inode == 0,
	    "epoll, Linux before 4.13");
	descriptor_free(&d);
	check(get(source, 5, KIND_EPOLL, &d) && d.info.entry_count == 2 &&
		d.info.entries[0].data == UINT64_MAX &&
		d.info.entries[0].inode == 12 &&
		d.info.entries[0].device == 13 &&
		d.info.entries[1].events == 0x40000000 &&
		d.info.entries[1].inode == 0x405,
	    "epoll, and a line that is cut");
	descriptor_free(&d);
	check(get(source, 6, KIND_INOTIFY, &d) && d.info.watch_count == 2 &&
		d.info.watches[0].descriptor == 2 &&
		d.info.watches[0].inode == 0x1f &&
		d.info.watches[0].device == 0x800003 &&
		d.info.watches[0].mask == 0xfce,
	    "inotify");
	descriptor_free(&d);
}

static void
test_missing(struct source *source)
{
	struct descriptor d;

	check(descriptor_read(source, 7, 99, &d) == -EBADF, "not open");
	check(descriptor_read(source, 9, 0, &d) == -ESRCH, "a zombie");
	check(descriptor_read(source, 11, 0, &d) == -ESRCH, "no such process");
}

static void
test_world(struct source *source)
{
	struct world world = { .files = NULL };
	struct peers peers;
	struct descriptor d;

	check(world_scan(source, &world, true) == 0 && world.processes == 2,
	    "a scan finds the processes that have descriptors");
	check(get(source, 0, KIND_PIPE, &d) &&
		peers_find(source, &world, &d, &peers) == 0 &&
		peers.other.count == 1 && peers.other.list[0].pid == 8 &&
		peers.other.list[0].number == 3,
	    "the writer of a pipe; what is another file by now is left out");
	peers_free(&peers);
	descriptor_free(&d);
	world_free(&world);
}

int
main(void)
{
	struct pmux_host host = { .stays = true };
	struct pmux_call *call = calloc(1, sizeof *call);
	struct source source;
	char command[64];

	if (call == NULL)
		die("calloc");
	pmux_enter(call, &host);
	build();
	if (source_open(&source, root) != 0)
		die(root);
	test_process(&source);
	test_simple(&source);
	test_lists(&source);
	test_missing(&source);
	test_world(&source);
	source_close(&source);
	pmux_leave();
	printf("1..%u\n", tests);
	(void)snprintf(command, sizeof command, "rm -r %s", root);
	return system(command) != 0 || failures > 0;
}
