/* SPDX-License-Identifier: ISC */
/*
 * pipe.c - READ and WRITE of pipes, FIFOs and terminals.
 */
#include "kq.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static int p[2], r, w;

static void
counts_bytes(void)
{
	new_pipe(p, "p");
	change(kq, "p0 READ ADD");
	expect(kq, " ");
	put(p[1], "hello");
	expect(kq, "p0 READ =5");
	put(p[1], "!");
	expect(kq, "p0 READ =6");
	take(p[0], 4);
	expect(kq, "p0 READ =2");
	take(p[0], 2);
	expect(kq, " ");
}

static void
end_of_file(void)
{
	new_pipe(p, "p");
	change(kq, "p0 READ ADD");
	put(p[1], "abc");
	close(p[1]);
	expect(kq, "p0 READ EOF =3");
	take(p[0], 3);
	expect(kq, "p0 READ EOF =0");
	expect(kq, "p0 READ EOF =0");
}

static void
end_of_file_added_late(void)
{
	new_pipe(p, "p");
	close(p[1]);
	answer(kq, "p0 READ ADD", "p0 READ EOF");
	change(kq, "p0 READ DELETE");
	answer(kq, "p0 READ ADD CLEAR", "p0 READ EOF CLEAR");
	expect(kq, " ");
}

static void
end_of_file_of_the_last_writer(void)
{
	int d;

	new_pipe(p, "p");
	d = must(dup(p[1]));
	change(kq, "p0 READ ADD CLEAR");
	close(p[1]);
	expect(kq, " ");
	put(d, "x");
	expect(kq, "p0 READ CLEAR =1");
	close(d);
	expect(kq, "p0 READ CLEAR EOF =1");
	expect(kq, " ");
}

static void
clear_tells_of_every_write(void)
{
	int i;

	new_pipe(p, "p");
	change(kq, "p0 READ ADD CLEAR");
	for (i = 1; i <= 20; i++) {
		put(p[1], "x");
		expect(kq, "p0 READ CLEAR =%d", i);
		expect(kq, " ");
	}
	/* on a BSD a read that leaves something is a change, too */
	take(p[0], 10);
	expect(kq, LINUX_OR(" ", "p0 READ CLEAR =10"));
	put(p[1], "x");
	expect(kq, "p0 READ CLEAR =11");
}

static void
room_to_write(void)
{
	new_pipe(p, "p");
	change(kq, "p1 WRITE ADD");
	expect(kq, "p1 WRITE >0");
	expect(kq, "p1 WRITE >0");
	fill(p[1]);
	expect(kq, " ");
	drain(p[0]);
	expect(kq, "p1 WRITE >0");
}

static void
room_to_write_clear(void)
{
	new_pipe(p, "p");
	change(kq, "p1 WRITE ADD CLEAR");
	expect(kq, "p1 WRITE CLEAR >0");
	expect(kq, " ");
	fill(p[1]);
	expect(kq, " ");
	drain(p[0]);
	expect(kq, "p1 WRITE CLEAR >0");
	expect(kq, " ");
}

/* NetBSD keeps EOF where FreeBSD drops a knote that can never write again. */
static void
reader_gone(void)
{
	new_pipe(p, "p");
	change(kq, "p1 WRITE ADD");
	close(p[0]);
#if REFERENCE
	expect(kq, "p1 WRITE EOF ONESHOT >0");
	expect(kq, " ");
	refuse(kq, ENOENT, "p1 WRITE DELETE");
	refuse(kq, EPIPE, "p1 WRITE ADD");
#else
	expect(kq, "p1 WRITE EOF =* | p1 WRITE EOF ONESHOT =*");
#endif
}

static void
reader_gone_while_full(void)
{
	if (!REFERENCE)
		skip("NetBSD 9.1 reports no end of a pipe that is full");
	new_pipe(p, "p");
	fill(p[1]);
	change(kq, "p1 WRITE ADD");
	expect(kq, " ");
	close(p[0]);
	expect(kq, "p1 WRITE EOF =* | p1 WRITE EOF ONESHOT =*");
}

static void
lowat(void)
{
	new_pipe(p, "p");
	change(kq, "p0 READ ADD LOWAT =5");
	put(p[1], "abcd");
	/* both BSDs ignore it for pipes */
	expect(kq, "p0 READ =4 | ");
	put(p[1], "e");
	expect(kq, "p0 READ =5");
	close(p[1]);
	expect(kq, "p0 READ EOF =5");
}

static void
wrong_ends(void)
{
	new_pipe(p, "p");
	change(kq, "p1 READ ADD, p0 WRITE ADD");
	/* a FreeBSD pipe is bidirectional */
	expect(kq, " | p0 WRITE >0");
	put(p[1], "x");
	expect(kq, " | p0 WRITE >0");
	change(kq, "p1 READ DELETE, p0 WRITE DELETE");
}

static void
wrong_end_sees_no_end(void)
{
#ifdef __linux__
	new_pipe(p, "p");
	change(kq, "p0 WRITE ADD");
	expect(kq, " ");
	put(p[1], "x");
	expect(kq, " ");
	quiet(kq, 10);
#else
	skip("pipes go both ways here");
#endif
}

static void
pipe_has_no_vnode(void)
{
	new_pipe(p, "p");
	refuse(kq, EINVAL, "p0 VNODE ADD ALL");
	refuse(kq, EINVAL, "p1 VNODE ADD WRITE");
}

static void
large_pipe(void)
{
	int n = 0;

	new_pipe(p, "p");
	fill(p[1]);
	must(ioctl(p[0], FIONREAD, &n));
	answer(kq, "p0 READ ADD", n > 0 ? "p0 READ >0" : "");
	expect(kq, "p0 READ =%d", n);
}

#ifdef NOTE_NODATA
static void
data_not_wanted(void)
{
	new_pipe(p, "p");
	change(kq, "p0 READ ADD NODATA @1, p1 WRITE ADD NODATA @2");
	expect(kq, "p1 WRITE =* @2");
	put(p[1], "abc");
	expect(kq, "p0 READ =* @1, p1 WRITE =* @2");
	take(p[0], 3);
	expect(kq, "p1 WRITE =* @2");
	change(kq, "p0 READ ADD @3");
	put(p[1], "abc");
	expect(kq, "p0 READ =3 @3, p1 WRITE =* @2");
}
#endif

/* ---- FIFOs ---- */

static int
open_fifo(int how, const char *name)
{
	return reopen("fifo", how | O_NONBLOCK, name);
}

static void
make_fifo(void)
{
	must(mkfifo("fifo", 0600));
	r = open_fifo(O_RDONLY, "r");
}

static void
fifo_before_a_writer(void)
{
	make_fifo();
	change(kq, "r READ ADD");
	expect(kq, " ");
	w = open_fifo(O_WRONLY, "w");
	expect(kq, " ");
	put(w, "ab");
	expect(kq, "r READ =2");
}

static void
fifo_reopened(void)
{
	int i;

	make_fifo();
	change(kq, "r READ ADD");
	for (i = 0; i < 5; i++) {
		w = open_fifo(O_WRONLY, "w");
		expect(kq, " ");
		put(w, "ab");
		expect(kq, "r READ =2");
		close(w);
		expect(kq, "r READ EOF =2");
		take(r, 2);
		expect(kq, "r READ EOF =0");
	}
	w = open_fifo(O_WRONLY, "w");
	expect(kq, " ");
}

static void
fifo_reopened_clear(void)
{
	make_fifo();
	w = open_fifo(O_WRONLY, "w");
	change(kq, "r READ ADD CLEAR");
	close(w);
	expect(kq, "r READ CLEAR EOF =0");
	expect(kq, " ");
	w = open_fifo(O_WRONLY, "w");
	expect(kq, " ");
	put(w, "x");
	expect(kq, "r READ CLEAR =1");
	expect(kq, " ");
	close(w);
	expect(kq, "r READ CLEAR EOF =1");
	expect(kq, " ");
}

static void
fifo_both_ways(void)
{
	int f;

	must(mkfifo("fifo", 0600));
	f = open_fifo(O_RDWR, "f");
	change(kq, "f READ ADD, f WRITE ADD");
	/* NetBSD reports EOF for an end that is its own peer */
	expect(kq, "f WRITE >0 | f WRITE EOF >0");
	put(f, "abc");
	expect(kq, "f READ =3, f WRITE >0 | f READ =3, f WRITE EOF >0");
	take(f, 3);
	expect(kq, "f WRITE >0 | f WRITE EOF >0");
#if REFERENCE
	fill(f);
	expect(kq, "f READ >0");
#endif
}

static void
fifo_two_readers(void)
{
	make_fifo();
	open_fifo(O_RDONLY, "r2");
	w = open_fifo(O_WRONLY, "w");
	change(kq, "r READ ADD CLEAR, r2 READ ADD");
	put(w, "abc");
	expect(kq, "r READ CLEAR =3, r2 READ =3");
	take(r, 3);
	expect(kq, " ");
	close(w);
	expect(kq, "r READ CLEAR EOF =0, r2 READ EOF =0");
}

static void
fifo_reader_gone(void)
{
	if (!REFERENCE)
		skip("NetBSD 9.1 reports the end of every FIFO to a writer");
	make_fifo();
	w = open_fifo(O_WRONLY, "w");
	change(kq, "w WRITE ADD");
	expect(kq, "w WRITE >0");
	close(r);
	expect(kq, "w WRITE EOF =* | w WRITE EOF ONESHOT =*");
}

static void
fifo_has_no_vnode(void)
{
	make_fifo();
	refuse(kq, EINVAL, "r VNODE ADD ALL");
	refuse(kq, EINVAL, "r VNODE ADD ATTRIB");
}

static void
fifo_unlinked(void)
{
	make_fifo();
	w = open_fifo(O_WRONLY, "w");
	change(kq, "r READ ADD");
	must(unlink("fifo"));
	expect(kq, " ");
	put(w, "x");
	expect(kq, "r READ =1");
}

/* ---- terminals ---- */

static int master, slave;

static void
make_terminal(void)
{
	const char *name;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1 ||
	    (name = ptsname(master)) == NULL)
		skip("no pseudo-terminals");
	named("master", master);
	slave = reopen(name, O_RDWR | O_NOCTTY, "slave");
}

static void
terminal_lines(void)
{
	make_terminal();
	change(kq, "slave READ ADD");
	expect(kq, " ");
	put(master, "abc");
	quiet(kq, 60);
	put(master, "\n");
	eventually(kq, "slave READ =4");
	take(slave, 4);
	expect(kq, " ");
}

static void
terminal_raw(void)
{
	struct termios t;

	make_terminal();
	must(tcgetattr(slave, &t));
	t.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	must(tcsetattr(slave, TCSANOW, &t));
	change(kq, "slave READ ADD, master READ ADD CLEAR");
	put(master, "abc");
	eventually(kq, "slave READ =3");
	drain(slave);
	put(slave, "xy");
	eventually(kq, "master READ CLEAR =2");
}

static void
terminal_room(void)
{
	make_terminal();
	change(kq, "master WRITE ADD, slave WRITE ADD CLEAR");
	expect(kq, "master WRITE >0, slave WRITE CLEAR >0");
	expect(kq, "master WRITE >0");
}

static void
terminal_closed(void)
{
	make_terminal();
	change(kq, "master READ ADD, slave WRITE ADD");
	close(slave);
#if REFERENCE
	eventually(kq, "master READ EOF =0");
#endif
}

static void
terminal_lost(void)
{
	make_terminal();
	change(kq, "slave READ ADD, slave WRITE ADD");
	close(master);
#if REFERENCE
	eventually(kq, "slave READ EOF =0, slave WRITE EOF =*");
#endif
}

const struct test pipe_tests[] = {
	{ "pipe_counts_bytes", counts_bytes },
	{ "pipe_end_of_file", end_of_file },
	{ "pipe_end_of_file_added_late", end_of_file_added_late },
	{ "pipe_end_of_file_of_the_last_writer",
	    end_of_file_of_the_last_writer },
	{ "pipe_clear_tells_of_every_write", clear_tells_of_every_write },
	{ "pipe_room_to_write", room_to_write },
	{ "pipe_room_to_write_clear", room_to_write_clear },
	{ "pipe_reader_gone", reader_gone },
	{ "pipe_reader_gone_while_full", reader_gone_while_full },
	{ "pipe_lowat", lowat },
	{ "pipe_wrong_ends", wrong_ends },
	{ "pipe_wrong_end_sees_no_end", wrong_end_sees_no_end },
	{ "pipe_has_no_vnode", pipe_has_no_vnode },
	{ "pipe_large", large_pipe },
#ifdef NOTE_NODATA
	{ "pipe_data_not_wanted", data_not_wanted },
#endif
	{ "fifo_before_a_writer", fifo_before_a_writer },
	{ "fifo_reopened", fifo_reopened },
	{ "fifo_reopened_clear", fifo_reopened_clear },
	{ "fifo_both_ways", fifo_both_ways },
	{ "fifo_two_readers", fifo_two_readers },
	{ "fifo_reader_gone", fifo_reader_gone },
	{ "fifo_has_no_vnode", fifo_has_no_vnode },
	{ "fifo_unlinked", fifo_unlinked },
	{ "terminal_lines", terminal_lines },
	{ "terminal_raw", terminal_raw },
	{ "terminal_room", terminal_room },
	{ "terminal_closed", terminal_closed },
	{ "terminal_lost", terminal_lost },
	{ NULL, NULL },
};
