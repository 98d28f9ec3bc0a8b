/* SPDX-License-Identifier: ISC */
/*
 * file.c - READ and WRITE of regular files, which poll(2) finds always ready.
 */
#include "kq.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int f, g;

static void
to_the_end(void)
{
	f = new_file("f", "0123456789", O_RDWR, "f");
	change(kq, "f READ ADD");
	expect(kq, "f READ =10");
	take(f, 3);
	expect(kq, "f READ =7");
	lseek(f, 9, SEEK_SET);
	expect(kq, "f READ =1");
	take(f, 1);
	expect(kq, " ");
}

static void
appended(void)
{
	f = new_file("f", "abc", O_RDONLY, "f");
	g = reopen("f", O_WRONLY | O_APPEND, "g");
	lseek(f, 0, SEEK_END);
	change(kq, "f READ ADD");
	expect(kq, " ");
	put(g, "defg");
	expect(kq, "f READ =4");
	take(f, 4);
	expect(kq, " ");
	put(g, "h");
	expect(kq, "f READ =1");
	put(g, "ijk");
	expect(kq, "f READ =4");
}

static void
appended_clear(void)
{
	f = new_file("f", "abc", O_RDONLY, "f");
	g = reopen("f", O_WRONLY | O_APPEND, "g");
	change(kq, "f READ ADD CLEAR");
	expect(kq, "f READ CLEAR =3");
	expect(kq, " ");
	put(g, "d");
	expect(kq, "f READ CLEAR =4");
	expect(kq, " ");
	take(f, 4);
	expect(kq, " ");
	put(g, "e");
	expect(kq, "f READ CLEAR =1");
}

static void
append_f(void *arg)
{
	int fd = open("f", O_WRONLY | O_APPEND);

	(void)arg;
	nap(50);
	put(fd, "xy");
}

static void
append_wakes(void)
{
	pid_t pid;

	f = new_file("f", "abc", O_RDONLY, "f");
	lseek(f, 0, SEEK_END);
	change(kq, "f READ ADD");
	pid = in_child(append_f, NULL);
	await(kq, "f READ =2");
	reap(pid, 0);
}

/* As tail(1) reads a log. */
static void
followed(void)
{
	int i;

	f = new_file("f", "", O_RDONLY, "f");
	g = reopen("f", O_WRONLY | O_APPEND, "g");
	change(kq, "f READ ADD");
	for (i = 0; i < 50; i++) {
		expect(kq, " ");
		put(g, "one line\n");
		expect(kq, "f READ =9");
		take(f, 9);
	}
	expect(kq, " ");
}

static void
empty(void)
{
	f = new_file("f", "", O_RDWR, "f");
	change(kq, "f READ ADD");
	expect(kq, " ");
	/* writing also moves the offset of the descriptor itself */
	put(f, "abc");
	expect(kq, " ");
}

static void
offsets_are_their_own(void)
{
	f = new_file("f", "abcdef", O_RDONLY, "f");
	g = reopen("f", O_RDONLY, "g");
	named("d", dup(g));
	take(g, 4);
	change(kq, "f READ ADD, g READ ADD, d READ ADD");
	expect(kq, "f READ =6, g READ =2, d READ =2");
	take(f, 1);
	expect(kq, "f READ =5, g READ =2, d READ =2");
	take(g, 2);
	expect(kq, "f READ =5");
}

static void
always_writable(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	reopen("f", O_RDONLY, "r");
#if REFERENCE
	change(kq, "f WRITE ADD, r WRITE ADD");
	expect(kq, "f WRITE, r WRITE");
	expect(kq, "f WRITE, r WRITE");
	change(kq, "f WRITE DELETE, r WRITE DELETE");
	change(kq, "f WRITE ADD ONESHOT");
	expect(kq, "f WRITE ONESHOT");
	expect(kq, " ");
#else
	skip("files have no WRITE here");
#endif
}

static void
opened_to_write(void)
{
	f = new_file("f", "abc", O_WRONLY, "f");
	change(kq, "f READ ADD");
	expect(kq, "f READ =3");
	put(f, "a");
	expect(kq, "f READ =2");
}

static void
unlinked(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	g = reopen("f", O_WRONLY | O_APPEND, "g");
	must(unlink("f"));
	change(kq, "f READ ADD");
	expect(kq, "f READ =3");
	take(f, 3);
	expect(kq, " ");
	put(g, "de");
	expect(kq, "f READ =2");
}

static void
unlinked_later(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	g = reopen("f", O_WRONLY | O_APPEND, "g");
	take(f, 3);
	change(kq, "f READ ADD");
	must(unlink("f"));
	expect(kq, " ");
	put(g, "de");
	expect(kq, "f READ =2");
}

static void
renamed(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	change(kq, "f READ ADD");
	must(rename("f", "h"));
	expect(kq, "f READ =3");
	close(new_file("f", "other", O_RDWR, "g"));
	g = reopen("h", O_WRONLY | O_APPEND, "g");
	put(g, "d");
	expect(kq, "f READ =4");
}

/* The offset is past the end: data may be negative, say the manuals. */
static void
truncated(void)
{
	f = new_file("f", "abcdef", O_RDWR, "f");
	change(kq, "f READ ADD");
	take(f, 4);
	expect(kq, "f READ =2");
	must(ftruncate(f, 1));
	expect(kq, "f READ =-3 | ");
	must(ftruncate(f, 10));
	expect(kq, "f READ =6");
}

static void
larger_than_4g(void)
{
	const long long size = 5LL << 30;

	f = new_file("f", "", O_RDWR, "f");
	if (sizeof(off_t) < 8 || ftruncate(f, (off_t)size) == -1)
		skip("no file of 5 GB: %s", strerror(errno));
	change(kq, "f READ ADD");
	expect(kq, "f READ =%lld", size);
	lseek(f, (off_t)size - 7, SEEK_SET);
	expect(kq, "f READ =7");
}

static void
with_vnode(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	g = reopen("f", O_WRONLY | O_APPEND, "g");
	change(kq, "f READ ADD CLEAR @1, f VNODE ADD CLEAR ATTRIB WRITE @2");
	expect(kq, "f READ CLEAR =3 @1");
	put(g, "d");
	expect(kq, "f READ CLEAR =4 @1, f VNODE CLEAR WRITE EXTEND? @2");
	change(kq, "f VNODE DELETE");
	put(g, "e");
	expect(kq, "f READ CLEAR =5 @1");
	change(kq, "f READ DELETE, f VNODE ADD CLEAR WRITE @3");
	put(g, "f");
	expect(kq, "f VNODE CLEAR WRITE EXTEND? @3");
}

static void
devices(void)
{
	named("null", open("/dev/null", O_RDWR));
#if REFERENCE
	refuse(kq, ENODEV, "null READ ADD");
	refuse(kq, ENODEV, "null WRITE ADD");
	refuse(kq, ENODEV, "null VNODE ADD ALL");
	refuse(kq, ENOENT, "null READ DELETE");
#else
	skip("this device is another one elsewhere");
#endif
}

static void
two_queues(void)
{
	int k2 = new_queue("k2");

	f = new_file("f", "abc", O_RDONLY, "f");
	g = reopen("f", O_WRONLY | O_APPEND, "g");
	take(f, 3);
	change(kq, "f READ ADD CLEAR");
	change(k2, "f READ ADD");
	put(g, "d");
	expect(k2, "f READ =1");
	expect(kq, "f READ CLEAR =1");
	expect(kq, " ");
	close(k2);
	put(g, "e");
	expect(kq, "f READ CLEAR =2");
}

const struct test file_tests[] = {
	{ "file_to_the_end", to_the_end },
	{ "file_appended", appended },
	{ "file_appended_clear", appended_clear },
	{ "file_append_wakes", append_wakes },
	{ "file_followed", followed },
	{ "file_empty", empty },
	{ "file_offsets_are_their_own", offsets_are_their_own },
	{ "file_always_writable", always_writable },
	{ "file_opened_to_write", opened_to_write },
	{ "file_unlinked", unlinked },
	{ "file_unlinked_later", unlinked_later },
	{ "file_renamed", renamed },
	{ "file_truncated", truncated },
	{ "file_larger_than_4g", larger_than_4g },
	{ "file_with_vnode", with_vnode },
	{ "file_devices", devices },
	{ "file_two_queues", two_queues },
	{ NULL, NULL },
};
