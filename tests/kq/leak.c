/* SPDX-License-Identifier: ISC */
/*
 * leak.c - rounds of adding and deleting leave nothing behind: no descriptor,
 * no memory, and on Linux no watch of inotify(7).
 */
#include "kq.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Enough for the memory that a grown table may keep. */
#define SLACK 65536

static int p[2], f;

static size_t
memory(void)
{
#if defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 33)
	return mallinfo2().uordblks;
#else
	return 0;
#endif
#else
	return 0;
#endif
}

/* Lines of /proc/self/fdinfo that are watches. */
static int
watches(void)
{
	int fd, n = 0;
#ifdef __linux__
	char line[512];
	FILE *in;

	for (fd = 3; fd < 256; fd++) {
		snprintf(line, sizeof line, "/proc/self/fdinfo/%d", fd);
		in = fopen(line, "r");
		while (in != NULL && fgets(line, sizeof line, in) != NULL)
			n += strncmp(line, "inotify wd", 10) == 0;
		if (in != NULL)
			fclose(in);
	}
#else
	(void)fd;
#endif
	return n;
}

static void
rounds(void (*once)(int))
{
	long i, n = from_environment("KQ_ROUNDS", 10000);
	int fds, w;
	size_t bytes;

	for (i = 0; i < 500; i++)
		once((int)i);
	fds = open_descriptors();
	w = watches();
	bytes = memory();
	for (i = 0; i < n; i++)
		once((int)i);
	check(open_descriptors() == fds, "%d descriptors were open, now %d",
	    fds, open_descriptors());
	check(watches() == w, "%d watches, now %d", w, watches());
	check(memory() <= bytes + SLACK, "%zu bytes were in use, now %zu",
	    bytes, memory());
}

static void
pipe_once(int i)
{
	(void)i;
	change(kq, "p0 READ ADD, p1 WRITE ADD CLEAR");
	change(kq, "p0 READ DELETE, p1 WRITE DELETE");
}

static void
leak_pipe(void)
{
	new_pipe(p, "p");
	rounds(pipe_once);
}

static void
pipe_closed_once(int i)
{
	struct kevent c[2], e[2];
	int fd[2];

	(void)i;
	must(pipe(fd));
	c[0] = event((uintptr_t)fd[0], EVFILT_READ, EV_ADD, 0, 0, 0);
	c[1] = event((uintptr_t)fd[1], EVFILT_WRITE, EV_ADD, 0, 0, 0);
	check(call_kevent(kq, c, 2, e, 2, 0) == 1, "writable");
	close(fd[0]);
	close(fd[1]);
}

static void
leak_pipe_closed(void)
{
	rounds(pipe_closed_once);
}

static void
file_once(int i)
{
	change(kq, i % 2 ? "f READ ADD, f WRITE ADD" : "f READ ADD ONESHOT");
	if (i % 2)
		change(kq, "f READ DELETE, f WRITE DELETE");
	else
		expect(kq, "f READ ONESHOT =3");
}

static void
leak_file(void)
{
	if (!REFERENCE)
		skip("files have no WRITE here");
	f = new_file("f", "abc", O_RDWR, "f");
	rounds(file_once);
}

static void
vnode_once(int i)
{
	(void)i;
	change(kq, "f VNODE ADD CLEAR ALL");
	change(kq, "f VNODE DELETE");
}

static void
leak_vnode(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	rounds(vnode_once);
}

static void
vnode_closed_once(int i)
{
	struct kevent c;
	int fd = must(open(i % 3 ? "f" : "g", O_RDWR));

	c = event((uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, NOTE_WRITE, 0,
	    0);
	check(call_kevent(kq, &c, 1, NULL, 0, 0) == 0, "add");
	if (i % 5 == 0)
		put(fd, "x");
	close(fd);
	if (i % 7 == 0)
		expect(kq, " ");
}

static void
leak_vnode_closed(void)
{
	close(new_file("f", "abc", O_RDWR, "f"));
	close(new_file("g", "abc", O_RDWR, "g"));
	rounds(vnode_closed_once);
}

static void
vnode_new_file_once(int i)
{
	struct kevent c, e;
	int fd = must(open("f", O_CREAT | O_RDWR, 0600));

	(void)i;
	c = event((uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR,
	    NOTE_WRITE | NOTE_DELETE, 0, 0);
	check(call_kevent(kq, &c, 1, NULL, 0, 0) == 0, "add");
	must(unlink("f"));
	check(call_kevent(kq, NULL, 0, &e, 1, 0) == 1, "deleted");
	close(fd);
}

static void
leak_vnode_new_file(void)
{
	rounds(vnode_new_file_once);
}

static void
process_once(int i)
{
	(void)i;
	change(kq, "self PROC ADD EXIT");
	change(kq, "self PROC DELETE");
}

static void
leak_process(void)
{
	name_ident("self", (uintptr_t)getpid());
	rounds(process_once);
}

static void
process_exit_once(int i)
{
	struct kevent c, e;
	pid_t pid;

	if (i % 20 != 0)
		return;
	pid = must(fork());
	if (pid == 0)
		_exit(0);
	c = event((uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, 0);
	if (call_kevent(kq, &c, 1, NULL, 0, 0) == 0)
		check(call_kevent(kq, NULL, 0, &e, 1, PATIENCE) == 1, "exit");
	reap(pid, 0);
}

static void
leak_process_exit(void)
{
	rounds(process_exit_once);
}

static void
signal_once(int i)
{
	change(kq, "USR1 SIGNAL ADD, USR2 SIGNAL ADD ONESHOT");
	kill(getpid(), i % 2 ? SIGUSR1 : SIGUSR2);
	change(kq, "USR1 SIGNAL DELETE");
	try_change(kq, "USR2 SIGNAL DELETE");
}

static void
leak_signal(void)
{
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	rounds(signal_once);
}

static void
timer_once(int i)
{
	/* NetBSD refuses a period of 0 */
	change(kq, "#1 TIMER ADD =%d, #2 TIMER ADD ONESHOT =%d", i + 1,
	    REFERENCE ? 0 : 1);
	change(kq, "#1 TIMER DELETE");
	await(kq, "#2 TIMER CLEAR ONESHOT =1");
}

static void
leak_timer(void)
{
	rounds(timer_once);
}

#ifdef EVFILT_USER
static void
user_once(int i)
{
	change(kq, "#%d USER ADD ONESHOT, #%d USER ADD", i, -i - 1);
	change(kq, "#%d USER TRIGGER", i);
	expect(kq, "#%d USER ONESHOT", i);
	change(kq, "#%d USER DELETE", -i - 1);
}

static void
leak_user(void)
{
	rounds(user_once);
}
#endif

static void
queue_once(int i)
{
	int k = must(kqueue());

	if (i % 2) {
		change(k,
		    "p0 READ ADD, #1 TIMER ADD =1000, USR1 SIGNAL ADD,"
		    "self PROC ADD EXIT");
		expect(k, " ");
	}
	/* Linux takes a millisecond to release an instance of inotify(7) */
	if (i % 50 == 0)
		change(k, "f VNODE ADD ALL");
	close(k);
}

static void
leak_queue(void)
{
	new_pipe(p, "p");
	f = new_file("f", "abc", O_RDWR, "f");
	name_ident("self", (uintptr_t)getpid());
	signal(SIGUSR1, SIG_IGN);
	rounds(queue_once);
}

static void
nested_once(int i)
{
	int k = new_queue("k");

	change(k, "p0 READ ADD");
	change(kq, "k READ ADD");
	if (i % 2)
		change(kq, "k READ DELETE");
	close(k);
}

static void
leak_nested(void)
{
	new_pipe(p, "p");
	rounds(nested_once);
}

static void
error_once(int i)
{
	refuse(kq, EBADF, "#9999 READ ADD");
	refuse(kq, EBADF, "#9999 VNODE ADD WRITE");
	refuse(kq, ESRCH, "#-1 PROC ADD EXIT");
	refuse(kq, ENOENT, "#%d TIMER DELETE", i);
	refuse(kq, EINVAL, "p0 VNODE ADD WRITE");
}

static void
leak_error(void)
{
	new_pipe(p, "p");
	rounds(error_once);
}

const struct test leak_tests[] = {
	{ "leak_pipe", leak_pipe },
	{ "leak_pipe_closed", leak_pipe_closed },
	{ "leak_file", leak_file },
	{ "leak_vnode", leak_vnode },
	{ "leak_vnode_closed", leak_vnode_closed },
	{ "leak_vnode_new_file", leak_vnode_new_file },
	{ "leak_process", leak_process },
	{ "leak_process_exit", leak_process_exit },
	{ "leak_signal", leak_signal },
	{ "leak_timer", leak_timer },
#ifdef EVFILT_USER
	{ "leak_user", leak_user },
#endif
	{ "leak_queue", leak_queue },
	{ "leak_nested", leak_nested },
	{ "leak_error", leak_error },
	{ NULL, NULL },
};
