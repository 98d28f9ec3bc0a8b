/* SPDX-License-Identifier: ISC */
/*
 * every.c - the same tests for every filter: the meaning of a flag does not
 * depend on the filter.
 */
#include "kq.h"

#include <sys/un.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int x, y; /* what is watched is named x; y is its other end */

/* ---- the sources ---- */

static void
make_pipe(void)
{
	int p[2];

	must(pipe(p));
	x = named("x", p[0]);
	y = p[1];
}

static void
make_fifo(void)
{
	must(mkfifo("fifo", 0600));
	x = named("x", open("fifo", O_RDONLY | O_NONBLOCK));
	y = must(open("fifo", O_WRONLY | O_NONBLOCK));
}

static void
make_pair(void)
{
	int s[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	x = named("x", s[0]);
	y = s[1];
}

static void
make_dgram(void)
{
	int s[2];

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	x = named("x", s[0]);
	y = s[1];
}

static void
make_file(void)
{
	x = new_file("f", "", O_RDONLY, "x");
	y = must(open("f", O_WRONLY | O_APPEND));
}

static void
write_one(int q)
{
	(void)q;
	put(y, "x");
}

static void
read_all(void)
{
	drain(x);
}

static void
make_listener(void)
{
	struct sockaddr_un sun;

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof sun.sun_path, "sock");
	x = named("x", socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(x, (struct sockaddr *)&sun, sizeof sun));
	must(listen(x, 8));
	nonblocking(x);
}

static void
connect_one(int q)
{
	struct sockaddr_un sun;

	(void)q;
	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof sun.sun_path, "sock");
	y = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect(y, (struct sockaddr *)&sun, sizeof sun));
}

static void
accept_all(void)
{
	int s;

	while ((s = accept(x, NULL, NULL)) != -1)
		close(s);
}

static void
make_inner(void)
{
	int p[2];

	x = new_queue("x");
	must(pipe(p));
	y = p[1];
	named("inner", p[0]);
	change(x, "inner READ ADD CLEAR");
}

static void
collect_inner(void)
{
	struct kevent e[4];

	call_kevent(x, NULL, 0, e, 4, 0);
}

static void
make_full_pipe(void)
{
	int p[2];

	must(pipe(p));
	x = named("x", p[1]);
	y = p[0];
	fill(x);
}

static void
make_full_pair(void)
{
	make_pair();
	fill(x);
}

static void
drain_other(int q)
{
	(void)q;
	drain(y);
}

static void
fill_again(void)
{
	fill(x);
}

static void
make_plain_file(void)
{
	x = new_file("f", "abc", O_RDWR, "x");
}

static void
make_directory(void)
{
	must(mkdir("d", 0700));
	x = reopen("d", O_RDONLY, "x");
}

static void
change_mode(int q)
{
	(void)q;
	must(fchmod(x, 0700));
}

static struct puppet kid;

static void
make_kid(void)
{
	kid = new_puppet("x");
}

static void
kill_kid(int q)
{
	(void)q;
	kill(kid.pid, SIGTERM);
	zombie(kid.pid);
}

static void
make_signal(void)
{
	signal(SIGUSR2, SIG_IGN);
	name_ident("x", SIGUSR2);
}

static void
make_winch(void)
{
	name_ident("x", SIGWINCH);
}

static void
send_winch(int q)
{
	(void)q;
	kill(getpid(), SIGWINCH);
}

static void
send_signal(int q)
{
	(void)q;
	kill(getpid(), SIGUSR2);
}

#ifdef EVFILT_USER
static void
make_user(void)
{
	name_ident("x", 77);
}

/* With the udata of the add, which a change replaces. */
static void
trigger(int q)
{
	change(q, "x USER TRIGGER @5");
}
#endif

const struct source sources[] = {
	{ "pipe", "x READ", "", ">0", make_pipe, write_one, read_all, 0, 0 },
	{ "fifo", "x READ", "", ">0", make_fifo, write_one, read_all, 0, 0 },
	{ "stream", "x READ", "", ">0", make_pair, write_one, read_all, 0, 0 },
	{ "dgram", "x READ", "", ">0", make_dgram, write_one, read_all, 0, 0 },
	{ "lowat", "x READ", "LOWAT =1", ">0", make_pair, write_one, read_all,
	    0, 0 },
	{ "listen", "x READ", "", ">0", make_listener, connect_one, accept_all,
	    0, 0 },
	{ "file", "x READ", "", ">0", make_file, write_one, read_all, 0, 0 },
	{ "queue", "x READ", "", ">0", make_inner, write_one, collect_inner, 0,
	    0 },
	{ "pipewrite", "x WRITE", "", ">0", make_full_pipe, drain_other,
	    fill_again, 0, 0 },
	{ "streamwrite", "x WRITE", "", ">0", make_full_pair, drain_other,
	    fill_again, 0, 0 },
	{ "vnode", "x VNODE", "ATTRIB", "ATTRIB", make_plain_file, change_mode,
	    NULL, 1, 0 },
	{ "directory", "x VNODE", "ALL", "ATTRIB", make_directory, change_mode,
	    NULL, 1, 0 },
	{ "process", "x PROC", "EXIT", "EXIT EOF ONESHOT CLEAR =*", make_kid,
	    kill_kid, NULL, 0, 1 },
	{ "signal", "x SIGNAL", "", "CLEAR >0", make_signal, send_signal, NULL,
	    0, 0 },
	{ "winch", "x SIGNAL", "", "CLEAR >0", make_winch, send_winch, NULL, 0,
	    0 },
#ifdef EVFILT_USER
	{ "user", "x USER", "", "", make_user, trigger, NULL, 1, 0 },
#endif
	{ NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0 },
};

/* ---- the questions ---- */

static void
apply(const struct source *s, int q, const char *flags)
{
	change(q, "%s %s %s @5", s->what, flags, s->notes);
}

static void
sees(const struct source *s, int q, const char *flags)
{
	expect(q, "%s %s %s @5", s->what, flags, s->seen);
}

static void
start(const struct source *s, const char *flags)
{
	s->make();
	apply(s, kq, flags);
}

static void
ask_add(const struct source *s)
{
	start(s, "ADD");
	expect(kq, " ");
	s->fire(kq);
	sees(s, kq, "");
	if (s->once || (s->calm == NULL && !s->latched)) {
		expect(kq, " ");
		return;
	}
	sees(s, kq, "");
	if (s->latched)
		return;
	s->calm();
	expect(kq, " ");
	s->fire(kq);
	sees(s, kq, "");
}

/* A condition that existed before the knote is reported if it is a state. */
static void
ask_addlate(const struct source *s)
{
	s->make();
	if (s->calm != NULL || s->once) {
		s->fire(kq);
		if (!REFERENCE && s->once)
			skip("NetBSD 9.1 has no zombies to add");
		apply(s, kq, "ADD");
		sees(s, kq, "");
	} else if (strstr(s->what, "USER") == NULL) {
		s->fire(kq);
		apply(s, kq, "ADD");
		expect(kq, " ");
	}
}

static void
ask_readd(const struct source *s)
{
	start(s, "ADD");
	apply(s, kq, "ADD");
	apply(s, kq, "ADD");
	s->fire(kq);
	sees(s, kq, "");
	if (!s->once) {
		change(kq, "%s DELETE", s->what);
		expect(kq, " ");
	}
	refuse(kq, ENOENT, "%s DELETE @9", s->what);
}

static void
ask_delete(const struct source *s)
{
	start(s, "ADD");
	change(kq, "%s DELETE", s->what);
	refuse(kq, ENOENT, "%s DELETE @9", s->what);
	if (strstr(s->what, "USER") == NULL)
		s->fire(kq);
	expect(kq, " ");
	quiet(kq, 5);
}

static void
ask_deletefired(const struct source *s)
{
	start(s, "ADD");
	s->fire(kq);
	change(kq, "%s DELETE", s->what);
	expect(kq, " ");
	refuse(kq, ENOENT, "%s DELETE @9", s->what);
	refuse(kq, ENOENT, "%s ENABLE", s->what);
}

static void
ask_deletedisabled(const struct source *s)
{
	start(s, "ADD DISABLE");
	s->fire(kq);
	change(kq, "%s DELETE", s->what);
	refuse(kq, ENOENT, "%s DELETE", s->what);
	expect(kq, " ");
}

static void
ask_absent(const struct source *s)
{
	s->make();
	refuse(kq, ENOENT, "%s DELETE @9", s->what);
	refuse(kq, ENOENT, "%s ENABLE", s->what);
	refuse(kq, ENOENT, "%s DISABLE", s->what);
	refuse(kq, ENOENT, "%s", s->what);
}

static void
ask_addanddelete(const struct source *s)
{
	start(s, "ADD");
	change(kq, "%s DELETE, %s ADD %s @5, %s DELETE, %s ADD %s @5", s->what,
	    s->what, s->notes, s->what, s->what, s->notes);
	s->fire(kq);
	sees(s, kq, "");
}

static void
ask_adddisabled(const struct source *s)
{
	start(s, "ADD DISABLE");
	s->fire(kq);
	expect(kq, " ");
	quiet(kq, 5);
	apply(s, kq, "ENABLE");
	sees(s, kq, "");
}

static void
ask_disable(const struct source *s)
{
	start(s, "ADD");
	s->fire(kq);
	apply(s, kq, "DISABLE");
	expect(kq, " ");
	apply(s, kq, "DISABLE");
	expect(kq, " ");
	apply(s, kq, "ENABLE");
	sees(s, kq, "");
}

static void
ask_enablecalm(const struct source *s)
{
	start(s, "ADD");
	apply(s, kq, "DISABLE");
	apply(s, kq, "ENABLE");
	expect(kq, " ");
	if (s->calm != NULL) {
		apply(s, kq, "DISABLE");
		s->fire(kq);
		s->calm();
		apply(s, kq, "ENABLE");
		expect(kq, " ");
	}
	s->fire(kq);
	sees(s, kq, "");
}

static void
ask_oneshot(const struct source *s)
{
	start(s, "ADD ONESHOT");
	expect(kq, " ");
	s->fire(kq);
	sees(s, kq, "ONESHOT");
	expect(kq, " ");
	refuse(kq, ENOENT, "%s DELETE", s->what);
	if (s->once)
		return;
	apply(s, kq, "ADD ONESHOT");
	if (s->calm != NULL)
		s->calm();
	s->fire(kq);
	sees(s, kq, "ONESHOT");
	expect(kq, " ");
}

static void
ask_clear(const struct source *s)
{
	start(s, "ADD CLEAR");
	s->fire(kq);
	sees(s, kq, "CLEAR");
	expect(kq, " ");
	expect(kq, " ");
	if (s->once)
		return;
	if (s->calm != NULL) {
		s->calm();
		expect(kq, " ");
	}
	s->fire(kq);
	sees(s, kq, "CLEAR");
	expect(kq, " ");
}

/* Ready and not ready again before a collection. */
static void
ask_clearcalm(const struct source *s)
{
	if (s->calm == NULL)
		skip("it does not go away");
	start(s, "ADD CLEAR");
	s->fire(kq);
	s->calm();
	expect(kq, " ");
	s->fire(kq);
	sees(s, kq, "CLEAR");
}

static void
ask_dispatch(const struct source *s)
{
#ifdef EV_DISPATCH
	if (!REFERENCE)
		skip("NetBSD 9.1 disables some filters only: %s", s->name);
	start(s, "ADD DISPATCH");
	s->fire(kq);
	sees(s, kq, "DISPATCH");
	expect(kq, " ");
	if (s->once)
		return;
	s->fire(kq);
	expect(kq, " ");
	apply(s, kq, "ENABLE");
	sees(s, kq, "DISPATCH");
	expect(kq, " ");
	change(kq, "%s DELETE", s->what);
#else
	skip("no EV_DISPATCH: %s", s->name);
#endif
}

static void
ask_dispatchclear(const struct source *s)
{
#ifdef EV_DISPATCH
	start(s, "ADD DISPATCH CLEAR");
	s->fire(kq);
	sees(s, kq, "DISPATCH CLEAR");
	expect(kq, " ");
	if (s->once)
		return;
	if (s->calm != NULL)
		s->calm();
	apply(s, kq, "ENABLE");
	expect(kq, " ");
	s->fire(kq);
	sees(s, kq, "DISPATCH CLEAR");
	expect(kq, " ");
#else
	skip("no EV_DISPATCH: %s", s->name);
#endif
}

static void
ask_receipt(const struct source *s)
{
#ifdef EV_RECEIPT
	char c[128], e[256];

	s->make();
	snprintf(c, sizeof c, "%s ADD RECEIPT %s @5", s->what, s->notes);
	/* that of a new knote lacks the notes */
	snprintf(e, sizeof e, "%s ERROR @5", s->what);
#ifdef __NetBSD__
	/* two trees of NetBSD 9.1 return other flags, and one of them the notes */
	change(kq, "%s", c);
#else
	if (strchr(s->notes, '=') == NULL)
		answer(kq, c, e);
	else
		change(kq, "%s", c);
#endif
	s->fire(kq);
	sees(s, kq, "RECEIPT");
#else
	skip("no EV_RECEIPT: %s", s->name);
#endif
}

static void
ask_twoqueues(const struct source *s)
{
	int k2 = new_queue("k2");

	if (strstr(s->what, "USER") != NULL)
		skip("it belongs to its queue");
	start(s, "ADD");
	apply(s, k2, "ADD ONESHOT");
	s->fire(kq);
	sees(s, k2, "ONESHOT");
	expect(k2, " ");
	sees(s, kq, "");
	expect(k2, " ");
	if (s->once)
		return;
	apply(s, k2, "ADD");
	close(k2);
	if (s->calm != NULL)
		s->calm();
	s->fire(kq);
	sees(s, kq, "");
}

static void
ask_newqueue(const struct source *s)
{
	int k2 = new_queue("k2");

	s->make();
	apply(s, k2, "ADD");
	if (strstr(s->what, "USER") == NULL)
		s->fire(k2);
	close(k2);
	k2 = new_queue("k2");
	expect(k2, " ");
	refuse(k2, ENOENT, "%s DELETE", s->what);
}

static void
ask_wait(const struct source *s)
{
	start(s, "ADD");
	quiet(kq, 10);
	s->fire(kq);
	await(kq, "%s %s @5", s->what, s->seen);
}

static const struct source *asleep;

static void *
fire_soon(void *arg)
{
	nap(60);
	asleep->fire(kq);
	return arg;
}

/* The waiter sleeps without a timeout. */
static void
wakes(const struct source *s, const char *flags)
{
	struct kevent e;
	pthread_t t;

	start(s, flags);
	asleep = s;
	t = new_thread(fire_soon, NULL);
	check(call_kevent(kq, NULL, 0, &e, 1, -1) == 1, "one event");
	join(t);
	check(udata_of(&e) == 5, "udata");
}

static void
ask_wakes(const struct source *s)
{
	wakes(s, "ADD");
}

static void
ask_wakesclear(const struct source *s)
{
	wakes(s, "ADD CLEAR");
}

/* A kernel's count may be stale until the knote is checked; this checks it. */
static void
calm_down(const struct source *s)
{
	if (s->calm == NULL)
		return;
	s->calm();
	expect(kq, " ");
}

static int
readable(int fd, int ms)
{
	struct pollfd p;

	p.fd = fd;
	p.events = POLLIN | POLLOUT;
	p.revents = 0;
	if (must(poll(&p, 1, ms)) == 0)
		return 0;
	check(p.revents == POLLIN, "poll says %#x", (unsigned)p.revents);
	return 1;
}

static void
ask_poll(const struct source *s)
{
	start(s, "ADD");
	check(!readable(kq, 0), "nothing yet");
	s->fire(kq);
	check(readable(kq, PATIENCE), "an event waits");
	check(readable(kq, 0), "and still does");
	sees(s, kq, "");
	calm_down(s);
	check(readable(kq, 0) == s->latched, "when all is collected");
}

static void
ask_pollclear(const struct source *s)
{
	int i;

	start(s, "ADD CLEAR");
	for (i = 0; i < (s->once ? 1 : 3); i++) {
		check(!readable(kq, 0), "nothing yet");
		s->fire(kq);
		check(readable(kq, PATIENCE), "an event waits");
		sees(s, kq, "CLEAR");
		check(!readable(kq, 0), "collected");
		calm_down(s);
	}
}

static void
ask_polldisabled(const struct source *s)
{
	start(s, "ADD");
	s->fire(kq);
	check(readable(kq, PATIENCE), "an event waits");
	apply(s, kq, "DISABLE");
	expect(kq, " ");
	check(!readable(kq, 0), "disabled");
	apply(s, kq, "ENABLE");
	check(readable(kq, 0), "enabled");
	change(kq, "%s DELETE", s->what);
	expect(kq, " ");
	check(!readable(kq, 0), "deleted");
}

static void
ask_nested(const struct source *s)
{
	int outer = new_queue("outer");

	name_ident("inside", (uintptr_t)kq);
	start(s, "ADD");
	change(outer, "inside READ ADD");
	expect(outer, " ");
	s->fire(kq);
	await(outer, "inside READ =1");
	expect(outer, "inside READ =1");
	sees(s, kq, "");
	calm_down(s);
	expect(outer, s->latched ? "inside READ =1" : " ");
	if (!s->once)
		change(kq, "%s DELETE", s->what);
	expect(outer, " ");
}

const struct every every_tests[] = {
	{ "add", ask_add },
	{ "addlate", ask_addlate },
	{ "readd", ask_readd },
	{ "delete", ask_delete },
	{ "deletefired", ask_deletefired },
	{ "deletedisabled", ask_deletedisabled },
	{ "absent", ask_absent },
	{ "addanddelete", ask_addanddelete },
	{ "adddisabled", ask_adddisabled },
	{ "disable", ask_disable },
	{ "enablecalm", ask_enablecalm },
	{ "oneshot", ask_oneshot },
	{ "clear", ask_clear },
	{ "clearcalm", ask_clearcalm },
	{ "dispatch", ask_dispatch },
	{ "dispatchclear", ask_dispatchclear },
	{ "receipt", ask_receipt },
	{ "twoqueues", ask_twoqueues },
	{ "newqueue", ask_newqueue },
	{ "wait", ask_wait },
	{ "wakes", ask_wakes },
	{ "wakesclear", ask_wakesclear },
	{ "poll", ask_poll },
	{ "pollclear", ask_pollclear },
	{ "polldisabled", ask_polldisabled },
	{ "nested", ask_nested },
	{ NULL, NULL },
};
