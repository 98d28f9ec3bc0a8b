/* SPDX-License-Identifier: ISC */
/*
 * vnode.c - changes to files and directories.
 *
 * File systems differ in the notes that they post besides the one that is
 * tested: these are the words with a question mark.
 */
#include "kq.h"

#include <sys/stat.h>
#include <sys/time.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int f, g, d;

static void
watch(const char *name)
{
	change(kq, "%s VNODE ADD CLEAR ALL", name);
	expect(kq, " ");
}

/* A file that is watched. */
static void
watched(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	watch("f");
}

static void
directory(const char *name)
{
	must(mkdir(name, 0700));
	d = reopen(name, O_RDONLY, name);
	watch(name);
}

static void
touch(const char *path)
{
	close(new_file(path, "", O_RDONLY, "touched"));
}

/* ---- contents ---- */

static void
written(void)
{
	watched();
	put(f, "x");
	expect(kq, "f VNODE CLEAR WRITE");
	lseek(f, 0, SEEK_END);
	put(f, "y");
	expect(kq, "f VNODE CLEAR WRITE EXTEND");
	expect(kq, " ");
	must(write(f, "", 0));
	expect(kq, " ");
	must(pwrite(f, "zz", 2, 0));
	expect(kq, "f VNODE CLEAR WRITE");
	must(pwrite(f, "zz", 2, 100));
	expect(kq, "f VNODE CLEAR WRITE EXTEND");
}

static void
written_often(void)
{
	int i;

	watched();
	for (i = 0; i < 1000; i++)
		must(pwrite(f, "x", 1, i % 3));
	expect(kq, "f VNODE CLEAR WRITE");
	for (i = 0; i < 1000; i++)
		must(pwrite(f, "x", 1, i));
	must(fchmod(f, 0640));
	expect(kq, "f VNODE CLEAR WRITE EXTEND ATTRIB");
	expect(kq, " ");
}

static void
truncated(void)
{
	if (!REFERENCE)
		skip("NetBSD 9.1 reports no truncation");
	watched();
	must(ftruncate(f, 1));
	expect(kq,
	    "f VNODE CLEAR ATTRIB WRITE? EXTEND? |"
	    "f VNODE CLEAR WRITE ATTRIB? EXTEND? |"
	    "f VNODE CLEAR EXTEND WRITE? ATTRIB?");
	must(truncate("f", 1000));
	expect(kq,
	    "f VNODE CLEAR ATTRIB WRITE? EXTEND? |"
	    "f VNODE CLEAR WRITE ATTRIB? EXTEND? |"
	    "f VNODE CLEAR EXTEND WRITE? ATTRIB?");
	close(must(open("f", O_WRONLY | O_TRUNC)));
	expect(kq,
	    "f VNODE CLEAR ATTRIB WRITE? EXTEND? |"
	    "f VNODE CLEAR WRITE ATTRIB? EXTEND? |"
	    "f VNODE CLEAR EXTEND WRITE? ATTRIB?");
}

static void
only_read(void)
{
	struct stat st;

	watched();
	take(f, 2);
	expect(kq, " ");
	g = must(open("f", O_RDWR));
	expect(kq, " ");
	close(g);
	expect(kq, " ");
	must(stat("f", &st));
	lseek(f, 0, SEEK_SET);
	must(fsync(f));
	expect(kq, " ");
}

/* ---- attributes ---- */

static void
attributes(void)
{
	struct timeval tv[2] = { { 1000, 0 }, { 1000, 0 } };

	watched();
	must(fchmod(f, 0640));
	expect(kq, "f VNODE CLEAR ATTRIB");
	must(chmod("f", 0640));
	expect(kq, "f VNODE CLEAR ATTRIB");
	must(utimes("f", tv));
	expect(kq, "f VNODE CLEAR ATTRIB");
	must(fchown(f, getuid(), getgid()));
	expect(kq, "f VNODE CLEAR ATTRIB");
	expect(kq, " ");
}

/* ---- names ---- */

static void
renamed(void)
{
	watched();
	must(rename("f", "g"));
	expect(kq, "f VNODE CLEAR RENAME");
	must(rename("g", "g"));
	expect(kq, " ");
	must(mkdir("d", 0700));
	must(rename("g", "d/g"));
	expect(kq,
	    LINUX_OR("f VNODE CLEAR RENAME",
		"f VNODE CLEAR RENAME NOTE_DELETE?"));
	must(rename("d/g", "f"));
	expect(kq,
	    LINUX_OR("f VNODE CLEAR RENAME",
		"f VNODE CLEAR RENAME NOTE_DELETE?"));
	put(f, "x");
	expect(kq, "f VNODE CLEAR WRITE");
}

/* A new file with the old name is another file. */
static void
name_taken_by_another(void)
{
	watched();
	must(rename("f", "old"));
	expect(kq, "f VNODE CLEAR RENAME");
	g = new_file("f", "other", O_RDWR, "g");
	put(g, "xyz");
	must(fchmod(g, 0640));
	must(unlink("f"));
	expect(kq, " ");
	must(chmod("old", 0640));
	expect(kq, "f VNODE CLEAR ATTRIB");
	must(unlink("old"));
	expect(kq, "f VNODE CLEAR NOTE_DELETE LINK? ATTRIB?");
}

static void
directory_above_renamed(void)
{
	must(mkdir("d", 0700));
	f = new_file("d/f", "abc", O_RDWR, "f");
	watch("f");
	must(rename("d", "e"));
	expect(kq, " ");
	must(mkdir("d", 0700));
	touch("d/f");
	expect(kq, " ");
	must(chmod("e/f", 0640));
	expect(kq, "f VNODE CLEAR ATTRIB");
	must(rename("e/f", "f"));
	expect(kq,
	    LINUX_OR("f VNODE CLEAR RENAME",
		"f VNODE CLEAR RENAME NOTE_DELETE?"));
}

static void
deleted(void)
{
	watched();
	must(unlink("f"));
	expect(kq, "f VNODE CLEAR NOTE_DELETE");
	expect(kq, " ");
	put(f, "x");
	expect(kq, "f VNODE CLEAR WRITE");
	must(fchmod(f, 0640));
	expect(kq, "f VNODE CLEAR ATTRIB");
	change(kq, "f VNODE DELETE");
	expect(kq, " ");
}

static void
deleted_while_open_elsewhere(void)
{
	watched();
	g = reopen("f", O_RDWR, "g");
	must(unlink("f"));
	expect(kq, "f VNODE CLEAR NOTE_DELETE");
	put(g, "x");
	expect(kq, "f VNODE CLEAR WRITE");
	close(g);
	expect(kq, " ");
}

static void
deleted_before(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	must(unlink("f"));
	watch("f");
	put(f, "xxxx");
	expect(kq, "f VNODE CLEAR WRITE EXTEND");
	must(fchmod(f, 0640));
	expect(kq, "f VNODE CLEAR ATTRIB");
	touch("f");
	expect(kq, " ");
}

/* One of two names is removed: FreeBSD reports DELETE, NetBSD LINK. */
static void
hard_links(void)
{
	watched();
	must(link("f", "f2"));
	expect(kq, "f VNODE CLEAR LINK ATTRIB?");
	must(link("f", "f3"));
	expect(kq, "f VNODE CLEAR LINK ATTRIB?");
	must(unlink("f2"));
	expect(kq,
	    "f VNODE CLEAR LINK ATTRIB? |"
	    "f VNODE CLEAR NOTE_DELETE LINK? ATTRIB?");
	must(unlink("f"));
	expect(kq,
	    "f VNODE CLEAR LINK ATTRIB? |"
	    "f VNODE CLEAR NOTE_DELETE LINK? ATTRIB?");
	put(f, "x");
	expect(kq, "f VNODE CLEAR WRITE");
	must(unlink("f3"));
	expect(kq, "f VNODE CLEAR NOTE_DELETE LINK? ATTRIB?");
}

static void
changed_by_another_name(void)
{
	f = new_file("f", "abc", O_RDONLY, "f");
	must(link("f", "f2"));
	watch("f");
	g = reopen("f2", O_WRONLY, "g");
	put(g, "x");
	expect(kq, "f VNODE CLEAR WRITE");
	must(rename("f2", "f4"));
	expect(kq, LINUX_OR("f VNODE CLEAR RENAME | ", "f VNODE CLEAR RENAME"));
}

static void
replaced(void)
{
	watched();
	g = new_file("g", "def", O_RDWR, "g");
	watch("g");
	must(rename("g", "f"));
	expect(kq, "f VNODE CLEAR NOTE_DELETE, g VNODE CLEAR RENAME");
	put(f, "x");
	expect(kq, "f VNODE CLEAR WRITE");
	put(g, "x");
	expect(kq, "g VNODE CLEAR WRITE");
}

static void
replaced_with_another_name_left(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	must(link("f", "f2"));
	touch("g");
	watch("f");
	must(rename("g", "f"));
	expect(kq,
	    "f VNODE CLEAR NOTE_DELETE LINK? ATTRIB? |"
	    "f VNODE CLEAR LINK ATTRIB?");
	put(f, "x");
	expect(kq, "f VNODE CLEAR WRITE");
}

/* ---- which notes ---- */

static void
only_what_is_asked_for(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	change(kq, "f VNODE ADD CLEAR ATTRIB");
	put(f, "x");
	expect(kq, " ");
	quiet(kq, 10);
	must(fchmod(f, 0640));
	put(f, "x");
	expect(kq, "f VNODE CLEAR ATTRIB");
	change(kq, "f VNODE ADD CLEAR NOTE_DELETE");
	put(f, "x");
	must(rename("f", "g"));
	expect(kq, " ");
	must(unlink("g"));
	expect(kq, "f VNODE CLEAR NOTE_DELETE");
}

static void
nothing_asked_for(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	change(kq, "f VNODE ADD CLEAR");
	put(f, "x");
	must(fchmod(f, 0640));
	expect(kq, " ");
	change(kq, "f VNODE ADD CLEAR WRITE");
	expect(kq, " ");
	put(f, "x");
	expect(kq, "f VNODE CLEAR WRITE");
}

static void
extend_alone(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	change(kq, "f VNODE ADD CLEAR EXTEND");
	put(f, "x");
	expect(kq, " ");
	lseek(f, 0, SEEK_END);
	put(f, "x");
	/* the kernel may report both at once */
	expect(kq, "f VNODE CLEAR EXTEND WRITE?");
}

static void
notes_replaced(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	change(kq, "f VNODE ADD CLEAR WRITE");
	put(f, "x");
	change(kq, "f VNODE ADD CLEAR ATTRIB");
	/* recorded notes are kept */
	expect(kq, "f VNODE CLEAR WRITE");
	put(f, "x");
	expect(kq, " ");
	must(fchmod(f, 0640));
	expect(kq, "f VNODE CLEAR ATTRIB");
}

static void
notes_stay_without_clear(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	change(kq, "f VNODE ADD ALL");
	put(f, "x");
	expect(kq, "f VNODE WRITE");
	expect(kq, "f VNODE WRITE");
	must(fchmod(f, 0640));
	expect(kq, "f VNODE WRITE ATTRIB");
	must(unlink("f"));
	expect(kq, "f VNODE WRITE ATTRIB NOTE_DELETE");
	change(kq, "f VNODE DELETE");
	expect(kq, " ");
}

static void
while_disabled(void)
{
	watched();
	change(kq, "f VNODE DISABLE ALL");
	put(f, "x");
	expect(kq, " ");
	quiet(kq, 10);
	change(kq, "f VNODE ENABLE ALL");
	expect(kq, "f VNODE CLEAR WRITE");
	expect(kq, " ");
}

/* ---- several watchers ---- */

static void
two_descriptors(void)
{
	f = new_file("f", "abc", O_RDONLY, "f");
	g = reopen("f", O_WRONLY, "g");
	change(kq, "f VNODE ADD CLEAR WRITE @1");
	change(kq, "g VNODE ADD CLEAR WRITE ATTRIB @2");
	put(g, "x");
	must(chmod("f", 0640));
	expect(kq, "f VNODE CLEAR WRITE @1, g VNODE CLEAR WRITE ATTRIB @2");
	change(kq, "g VNODE DELETE");
	put(g, "x");
	expect(kq, "f VNODE CLEAR WRITE @1");
	close(g);
	must(chmod("f", 0600));
	expect(kq, " ");
	must(truncate("f", 0));
	change(kq, "f VNODE DELETE");
	expect(kq, " ");
}

static void
two_descriptors_one_closed(void)
{
	f = new_file("f", "abc", O_RDONLY, "f");
	g = reopen("f", O_WRONLY, "g");
	change(kq, "f VNODE ADD CLEAR ALL @1, g VNODE ADD CLEAR ALL @2");
	close(f);
	put(g, "x");
	expect(kq, "g VNODE CLEAR WRITE @2");
	refuse(kq, EBADF, "f VNODE DELETE");
	must(fchmod(g, 0640));
	expect(kq, "g VNODE CLEAR ATTRIB @2");
}

static void
two_queues(void)
{
	int k2 = new_queue("k2");

	watched();
	change(k2, "f VNODE ADD CLEAR WRITE");
	put(f, "x");
	must(fchmod(f, 0640));
	expect(kq, "f VNODE CLEAR WRITE ATTRIB");
	expect(k2, "f VNODE CLEAR WRITE");
	close(k2);
	put(f, "x");
	expect(kq, "f VNODE CLEAR WRITE");
}

static void
closed(void)
{
	int n;

	watched();
	g = reopen("f", O_WRONLY, "g");
	put(g, "x");
	close(f);
	expect(kq, " ");
	put(g, "x");
	quiet(kq, 10);
	/* Linux cannot distinguish it from the first: same file, same number */
	n = must(open("f", O_RDONLY));
	check(n == f, "the number is reused");
	put(g, "x");
#ifndef __linux__
	expect(kq, " ");
	refuse(kq, ENOENT, "f VNODE DELETE");
#endif
	try_change(kq, "f VNODE DELETE");
	change(kq, "f VNODE ADD CLEAR ALL");
	expect(kq, " ");
	put(g, "x");
	expect(kq, "f VNODE CLEAR WRITE EXTEND?");
}

static void
number_reused_by_another_file(void)
{
	watched();
	close(f);
	g = new_file("g", "abc", O_RDWR, "g");
	check(g == f, "the number is reused");
	put(g, "x");
	must(chmod("f", 0640));
	must(unlink("f"));
	expect(kq, " ");
	change(kq, "g VNODE ADD CLEAR ALL");
	put(g, "x");
	expect(kq, "g VNODE CLEAR WRITE");
}

static void
change_in_child(void *arg)
{
	int fd = open("f", O_WRONLY | O_APPEND);

	nap(*(int *)arg);
	put(fd, "x");
	unlink("f");
}

static void
by_a_child(void)
{
	int ms = 0;

	watched();
	reap(in_child(change_in_child, &ms), 0);
	expect(kq, "f VNODE CLEAR WRITE EXTEND NOTE_DELETE LINK?");
}

static void
by_a_child_wakes(void)
{
	int ms = 50;
	pid_t pid;

	f = new_file("f", "abc", O_RDWR, "f");
	change(kq, "f VNODE ADD CLEAR NOTE_DELETE");
	pid = in_child(change_in_child, &ms);
	await(kq, "f VNODE CLEAR NOTE_DELETE LINK?");
	reap(pid, 0);
}

static void
many_files(void)
{
	char path[16];
	int i, fd[300];

	for (i = 0; i < 300; i++) {
		snprintf(path, sizeof path, "f%d", i);
		fd[i] = new_file(path, "", O_RDWR, "f");
		change(kq, "f VNODE ADD CLEAR ALL @%d", i);
	}
	for (i = 299; i >= 0; i--) {
		snprintf(path, sizeof path, "f%d", i);
		must(unlink(path));
		name_ident("f", (uintptr_t)fd[i]);
		expect(kq, "f VNODE CLEAR NOTE_DELETE @%d", i);
		close(fd[i]);
	}
	expect(kq, " ");
}

/* ---- directories ---- */

static void
directory_entries(void)
{
	directory("d");
	touch("d/a");
	expect(kq, "d VNODE CLEAR WRITE");
	must(rename("d/a", "d/b"));
	expect(kq, "d VNODE CLEAR WRITE");
	must(link("d/b", "d/c"));
	expect(kq, "d VNODE CLEAR WRITE");
	must(symlink("b", "d/s"));
	expect(kq, "d VNODE CLEAR WRITE");
	must(mkfifo("d/p", 0600));
	expect(kq, "d VNODE CLEAR WRITE");
	must(unlink("d/b"));
	expect(kq, "d VNODE CLEAR WRITE");
	must(rename("d/c", "d/s"));
	expect(kq, "d VNODE CLEAR WRITE");
	expect(kq, " ");
}

static void
directory_subdirectories(void)
{
	directory("d");
	must(mkdir("d/s", 0700));
	expect(kq, "d VNODE CLEAR WRITE LINK");
	touch("d/s/f");
	expect(kq, " ");
	must(mkdir("d/s/t", 0700));
	expect(kq, " ");
	must(rename("d/s", "d/u"));
	expect(kq, "d VNODE CLEAR WRITE LINK?");
	must(rmdir("d/u/t"));
	must(unlink("d/u/f"));
	expect(kq, " ");
	must(rmdir("d/u"));
	expect(kq, "d VNODE CLEAR WRITE LINK");
}

/* Changes of a file in it are no changes of the directory. */
static void
directory_contents_of_files(void)
{
	must(mkdir("d", 0700));
	f = new_file("d/f", "abc", O_RDWR, "f");
	d = reopen("d", O_RDONLY, "d");
	watch("d");
	put(f, "x");
	must(fchmod(f, 0640));
	must(ftruncate(f, 0));
	expect(kq, " ");
	must(link("d/f", "f"));
	expect(kq, " ");
	must(unlink("f"));
	expect(kq, " ");
	quiet(kq, 10);
}

static void
directory_read(void)
{
	must(mkdir("d", 0700));
	touch("d/f");
	d = reopen("d", O_RDONLY, "d");
	watch("d");
	check(system("ls d >/dev/null") == 0, "ls");
	must(access("d/f", R_OK));
	expect(kq, " ");
}

static void
directory_moves(void)
{
	directory("d");
	directory("e");
	touch("d/f");
	expect(kq, "d VNODE CLEAR WRITE");
	must(rename("d/f", "e/f"));
	expect(kq, "d VNODE CLEAR WRITE EXTEND?, e VNODE CLEAR WRITE EXTEND?");
	touch("d/g");
	expect(kq, "d VNODE CLEAR WRITE");
	must(rename("d/g", "e/f"));
	expect(kq, "d VNODE CLEAR WRITE EXTEND?, e VNODE CLEAR WRITE EXTEND?");
	touch("h");
	must(rename("h", "e/h"));
	expect(kq, "e VNODE CLEAR WRITE EXTEND?");
	must(rename("e/h", "h"));
	expect(kq, "e VNODE CLEAR WRITE EXTEND?");
	must(mkdir("d/s", 0700));
	expect(kq, "d VNODE CLEAR WRITE LINK");
	must(rename("d/s", "e/s"));
	expect(kq,
	    "d VNODE CLEAR WRITE EXTEND? LINK?,"
	    "e VNODE CLEAR WRITE EXTEND? LINK?");
}

static void
directory_itself(void)
{
	directory("d");
	must(chmod("d", 0750));
	expect(kq, "d VNODE CLEAR ATTRIB");
	must(rename("d", "dd"));
	expect(kq, "d VNODE CLEAR RENAME");
	touch("dd/f");
	expect(kq, "d VNODE CLEAR WRITE");
	must(mkdir("d", 0700));
	touch("d/f");
	expect(kq, " ");
	must(mkdir("up", 0700));
	must(rename("dd", "up/dd"));
	expect(kq, "d VNODE CLEAR RENAME LINK? WRITE? NOTE_DELETE? ATTRIB?");
}

static void
directory_removed(void)
{
	directory("d");
	must(rmdir("d"));
	expect(kq, "d VNODE CLEAR NOTE_DELETE LINK? ATTRIB? WRITE?");
	must(mkdir("d", 0700));
	touch("d/f");
	expect(kq, " ");
	close(d);
	expect(kq, " ");
}

static void
directory_and_file_in_it(void)
{
	must(mkdir("d", 0700));
	d = reopen("d", O_RDONLY, "d");
	f = new_file("d/f", "abc", O_RDWR, "f");
	watch("d");
	watch("f");
	put(f, "x");
	expect(kq, "f VNODE CLEAR WRITE");
	must(rename("d/f", "d/g"));
	expect(kq, "d VNODE CLEAR WRITE, f VNODE CLEAR RENAME");
	must(unlink("d/g"));
	expect(kq, "d VNODE CLEAR WRITE, f VNODE CLEAR NOTE_DELETE");
	must(rmdir("d"));
	expect(kq, "d VNODE CLEAR NOTE_DELETE LINK? ATTRIB? WRITE?");
}

/* More changes at once than a kernel's queue of them may hold. */
static void
directory_busy(void)
{
	char path[32];
	int i;

	directory("d");
	for (i = 0; i < 20000; i++) {
		snprintf(path, sizeof path, "d/f%d", i % 50);
		close(must(open(path, O_CREAT | O_WRONLY, 0600)));
		must(unlink(path));
	}
	must(chmod("d", 0750));
	expect(kq, "d VNODE CLEAR WRITE ATTRIB? EXTEND? LINK?");
	expect(kq, " ");
	touch("d/f");
	expect(kq, "d VNODE CLEAR WRITE");
}

static void
revoked_is_no_note_by_itself(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
#ifdef NOTE_REVOKE
	change(kq, "f VNODE ADD CLEAR REVOKE");
	put(f, "x");
	must(fchmod(f, 0640));
	must(unlink("f"));
	expect(kq, " ");
#endif
}

#if defined(NOTE_OPEN) && defined(NOTE_READ)
/* By number, since a filter is called READ. */
static void
opened_read_closed(void)
{
	f = new_file("f", "abc", O_RDWR, "f");
	check(NOTE_OPEN == 0x80 && NOTE_CLOSE == 0x100, "values");
	check(NOTE_CLOSE_WRITE == 0x200 && NOTE_READ == 0x400, "values");
	change(kq, "f VNODE ADD CLEAR ATTRIB");
	close(must(open("f", O_RDONLY)));
	expect(kq, " ");
	change(kq, "f VNODE ADD CLEAR 0x780");
	expect(kq, " ");
	g = must(open("f", O_RDONLY));
	expect(kq, "f VNODE CLEAR 0x80");
	take(f, 3);
	expect(kq, "f VNODE CLEAR 0x400");
	close(g);
	expect(kq, "f VNODE CLEAR 0x100");
	close(must(open("f", O_WRONLY)));
	expect(kq, "f VNODE CLEAR 0x280");
	change(kq, "f VNODE ADD CLEAR ATTRIB");
	close(must(open("f", O_RDONLY)));
	expect(kq, " ");
}
#endif

const struct test vnode_tests[] = {
#if defined(NOTE_OPEN) && defined(NOTE_READ)
	{ "vnode_opened_read_closed", opened_read_closed },
#endif
	{ "vnode_written", written },
	{ "vnode_written_often", written_often },
	{ "vnode_truncated", truncated },
	{ "vnode_only_read", only_read },
	{ "vnode_attributes", attributes },
	{ "vnode_renamed", renamed },
	{ "vnode_name_taken_by_another", name_taken_by_another },
	{ "vnode_directory_above_renamed", directory_above_renamed },
	{ "vnode_deleted", deleted },
	{ "vnode_deleted_while_open_elsewhere", deleted_while_open_elsewhere },
	{ "vnode_deleted_before", deleted_before },
	{ "vnode_hard_links", hard_links },
	{ "vnode_changed_by_another_name", changed_by_another_name },
	{ "vnode_replaced", replaced },
	{ "vnode_replaced_with_another_name_left",
	    replaced_with_another_name_left },
	{ "vnode_only_what_is_asked_for", only_what_is_asked_for },
	{ "vnode_nothing_asked_for", nothing_asked_for },
	{ "vnode_extend_alone", extend_alone },
	{ "vnode_notes_replaced", notes_replaced },
	{ "vnode_notes_stay_without_clear", notes_stay_without_clear },
	{ "vnode_while_disabled", while_disabled },
	{ "vnode_two_descriptors", two_descriptors },
	{ "vnode_two_descriptors_one_closed", two_descriptors_one_closed },
	{ "vnode_two_queues", two_queues },
	{ "vnode_closed", closed },
	{ "vnode_number_reused_by_another_file",
	    number_reused_by_another_file },
	{ "vnode_by_a_child", by_a_child },
	{ "vnode_by_a_child_wakes", by_a_child_wakes },
	{ "vnode_many_files", many_files },
	{ "vnode_directory_entries", directory_entries },
	{ "vnode_directory_subdirectories", directory_subdirectories },
	{ "vnode_directory_contents_of_files", directory_contents_of_files },
	{ "vnode_directory_read", directory_read },
	{ "vnode_directory_moves", directory_moves },
	{ "vnode_directory_itself", directory_itself },
	{ "vnode_directory_removed", directory_removed },
	{ "vnode_directory_and_file_in_it", directory_and_file_in_it },
	{ "vnode_directory_busy", directory_busy },
	{ "vnode_revoked_is_no_note_by_itself", revoked_is_no_note_by_itself },
	{ NULL, NULL },
};
