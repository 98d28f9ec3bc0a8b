/* SPDX-License-Identifier: ISC */
/*
 * aio.c - asynchronous reads and writes, reported to a queue when complete.
 */
#include "kq.h"

#include <aio.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#if defined(EVFILT_AIO) && defined(SIGEV_KEVENT)

static struct aiocb cb;
static char buf[64];

static void
prepare(struct aiocb *a, int fd, char *to, size_t n, off_t at, uintptr_t udata)
{
	memset(a, 0, sizeof *a);
	a->aio_fildes = fd;
	a->aio_buf = to;
	a->aio_nbytes = n;
	a->aio_offset = at;
	a->aio_sigevent.sigev_notify = SIGEV_KEVENT;
	a->aio_sigevent.sigev_notify_kqueue = kq;
	memcpy(&a->aio_sigevent.sigev_value, &udata, sizeof udata);
	name_ident("cb", (uintptr_t)a);
}

/* The module aio may be missing, or refuse this file. */
static void
start_read(struct aiocb *a)
{
	if (aio_read(a) == -1) {
		if (errno == ENOSYS || errno == EOPNOTSUPP)
			skip("no aio: %s", strerror(errno));
		check(0, "aio_read: %s", strerror(errno));
	}
}

static void
reads_a_file(void)
{
	int f = new_file("f", "0123456789", O_RDWR, "f");

	prepare(&cb, f, buf, 16, 4, 7);
	start_read(&cb);
	await(kq, "#%lld AIO EOF @7", (long long)(uintptr_t)&cb);
	check(aio_error(&cb) == 0, "it is complete");
	/* until its result is fetched */
	expect(kq, "#%lld AIO EOF @7", (long long)(uintptr_t)&cb);
	check(aio_return(&cb) == 6, "six bytes");
	check(memcmp(buf, "456789", 6) == 0, "those at 4");
	expect(kq, " ");
	check(lseek(f, 0, SEEK_CUR) == 0, "the offset is where it was");
}

static void
writes_a_file(void)
{
	int f = new_file("f", "0123456789", O_RDWR, "f");

	memcpy(buf, "xyz", 3);
	prepare(&cb, f, buf, 3, 2, 8);
	must(aio_write(&cb));
	await(kq, "#%lld AIO EOF @8", (long long)(uintptr_t)&cb);
	check(aio_return(&cb) == 3, "three bytes");
	expect(kq, " ");
	check(pread(f, buf, 10, 0) == 10 && memcmp(buf, "01xyz56789", 10) == 0,
	    "at 2");
}

static void
waits_for_a_socket(void)
{
	int s[2];

	new_pair(SOCK_STREAM, s, "s");
	prepare(&cb, s[0], buf, 16, 0, 9);
	start_read(&cb);
	quiet(kq, 20);
	check(aio_error(&cb) == EINPROGRESS, "in progress");
	put(s[1], "abc");
	await(kq, "#%lld AIO EOF @9", (long long)(uintptr_t)&cb);
	check(aio_return(&cb) == 3, "three bytes");
	expect(kq, " ");
}

static void
end_of_file(void)
{
	int f = new_file("f", "abc", O_RDONLY, "f");

	prepare(&cb, f, buf, 16, 100, 0);
	start_read(&cb);
	await(kq, "#%lld AIO EOF", (long long)(uintptr_t)&cb);
	check(aio_return(&cb) == 0, "nothing there");
	expect(kq, " ");
}

static void
many(void)
{
	static struct aiocb a[32];
	static char to[32][4];
	struct kevent e[ROOM];
	int f = new_file("f", "0123456789012345678901234567890123456789",
	    O_RDONLY, "f");
	int i, n, done = 0;

	for (i = 0; i < 32; i++) {
		prepare(&a[i], f, to[i], 1, i, (uintptr_t)i + 1);
		start_read(&a[i]);
	}
	while (done < 32) {
		n = call_kevent(kq, NULL, 0, e, ROOM, PATIENCE);
		check(n > 0, "%d of 32 completed", done);
		for (i = 0; i < n; i++) {
			int which = (int)udata_of(&e[i]) - 1;

			check(e[i].ident == (uintptr_t)&a[which], "which");
			check(aio_return(&a[which]) == 1 &&
				to[which][0] == '0' + which % 10,
			    "the byte at %d", which);
			done++;
		}
	}
	expect(kq, " ");
}

/* A request whose result was fetched before the collection is not reported. */
static void
fetched_before_collected(void)
{
	int f = new_file("f", "abc", O_RDONLY, "f");

	prepare(&cb, f, buf, 3, 0, 0);
	start_read(&cb);
	while (aio_error(&cb) == EINPROGRESS)
		quiet(new_queue("k2"), 1);
	check(aio_return(&cb) == 3, "three bytes");
	expect(kq, " ");
}

static void
again_with_the_same_block(void)
{
	int f = new_file("f", "0123456789", O_RDONLY, "f"), i;

	for (i = 0; i < 10; i++) {
		prepare(&cb, f, buf, 1, i, (uintptr_t)i);
		start_read(&cb);
		await(kq, "#%lld AIO EOF @%d", (long long)(uintptr_t)&cb, i);
		check(aio_return(&cb) == 1 && buf[0] == '0' + i, "byte %d", i);
		expect(kq, " ");
	}
}

static void
added_by_hand(void)
{
	check(try_change(kq, "#1 AIO ADD") == EPERM ||
		(!REFERENCE && errno == EINVAL),
	    "only the request adds it");
}

static void
no_such_queue(void)
{
	int f = new_file("f", "abc", O_RDONLY, "f");

	prepare(&cb, f, buf, 3, 0, 0);
	cb.aio_sigevent.sigev_notify_kqueue = 9999;
	check(aio_read(&cb) == -1 && errno == EBADF, "a queue that is none");
}

#endif

const struct test aio_tests[] = {
#if defined(EVFILT_AIO) && defined(SIGEV_KEVENT)
	{ "aio_reads_a_file", reads_a_file },
	{ "aio_writes_a_file", writes_a_file },
	{ "aio_waits_for_a_socket", waits_for_a_socket },
	{ "aio_end_of_file", end_of_file },
	{ "aio_many", many },
	{ "aio_fetched_before_collected", fetched_before_collected },
	{ "aio_again_with_the_same_block", again_with_the_same_block },
	{ "aio_added_by_hand", added_by_hand },
	{ "aio_no_such_queue", no_such_queue },
#endif
	{ NULL, NULL },
};
