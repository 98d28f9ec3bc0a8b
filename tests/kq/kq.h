/* SPDX-License-Identifier: ISC */
/*
 * kq.h - the notation of the tests of kevent(2).
 *
 * A change and an event are text: what, filter, then flags and notes by their
 * names without EV_ and NOTE_, in any order:
 *
 *	change(kq, "p0 READ ADD CLEAR LOWAT =5 @7");
 *	expect(kq, "p0 READ CLEAR =5 @7, p1 WRITE >0");
 *
 *	p0	a name given by new_pipe and the like, or a signal: USR1
 *	#12	an identifier that is a number
 *	=5	data; also =ENOENT, exit=7, signal=TERM, >0, and =* for any
 *	@7	udata; @* for any
 *	0x3	notes as a number; err=EPIPE, the notes beside EOF
 *	LINK?	may be there or not
 *
 * Data, udata and notes that are not mentioned are 0.  A comma separates one
 * event from the next, in no order; a bar separates answers of which each is
 * right.  ADD and ENABLE are ignored in an answer, since some systems return
 * them and some do not.
 *
 * A check that fails ends its test; the other tests go on.
 */
#ifndef TESTS_KQ_KQ_H
#define TESTS_KQ_KQ_H

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include <sys/types.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netinet/in.h>

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* For results that Linux cannot provide: A on Linux, B elsewhere. */
#ifdef __linux__
#define LINUX_OR(a, b) a
#else
#define LINUX_OR(a, b) b
#endif

/* FreeBSD is the reference; other BSDs get the tests of what all have. */
#if defined(__linux__) || defined(__FreeBSD__)
#define REFERENCE 1
#else
#define REFERENCE 0
#endif

/* Seconds by which a timer or a wait may end early: two ticks of NetBSD 9.1. */
#define EARLY (REFERENCE ? 0. : .02)

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PATIENCE 60000 /* ms to wait for an event that must come */
#define ROOM 64 /* events in one answer */

struct test {
	const char *name;
	void (*run)(void);
};

/* A source of events, for the tests that every filter has to pass. */
struct source {
	const char *name;
	const char *what; /* identifier and filter, as text */
	const char *notes; /* added besides the flags */
	const char *seen; /* in the event besides the flags */
	void (*make)(void); /* before it is added */
	void (*fire)(int queue); /* let it happen, once more */
	void (*calm)(void); /* make it not ready; may be NULL */
	int latched; /* stays when reported, whatever happens */
	int once; /* can happen only once */
};

struct every {
	const char *name;
	void (*run)(const struct source *);
};

/* Each ends with an entry that has no name. */
extern const struct test aio_tests[], core_tests[], edge_tests[], file_tests[],
    leak_tests[], nested_tests[], netdev_tests[], pipe_tests[], process_tests[],
    scale_tests[], signal_tests[], socket_tests[], thread_tests[],
    timer_tests[], user_tests[], vnode_tests[];
extern const struct every every_tests[];
extern const struct source sources[];

extern int kq; /* a queue, new in every test */
extern const char *self_path; /* this program */

#define PRINTF(f, a) __attribute__((__format__(__printf__, f, a)))

/* ---- changes and events as text ---- */

/* All are applied, without room for an event. */
#define change(q, ...) kq_change(__FILE__, __LINE__, q, __VA_ARGS__)
/* It fails with ERROR; with room, an event has that error. */
#define refuse(q, error, ...) \
	kq_refuse(__FILE__, __LINE__, q, error, __VA_ARGS__)
/* The changes with room for events, at once. */
#define answer(q, changes, events) \
	kq_answer(__FILE__, __LINE__, q, changes, events)
/* Without waiting. */
#define expect(q, ...) kq_expect(__FILE__, __LINE__, q, 0, __VA_ARGS__)
/* Wait until something is ready. */
#define await(q, ...) kq_expect(__FILE__, __LINE__, q, PATIENCE, __VA_ARGS__)
/* Try again until it is as expected: for events that take a moment. */
#define eventually(q, ...) kq_eventually(__FILE__, __LINE__, q, __VA_ARGS__)
/* Wait MS in kevent: no event, and no return before that. */
#define quiet(q, ms) kq_quiet(__FILE__, __LINE__, q, ms)
#define check(truth, ...)                                         \
	do {                                                      \
		if (!(truth))                                     \
			kq_fail(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)
/* A call that must not return -1. */
#define must(call) kq_must(__FILE__, __LINE__, (call), #call)

void kq_change(const char *, int, int, const char *, ...) PRINTF(4, 5);
void kq_refuse(const char *, int, int, int, const char *, ...) PRINTF(5, 6);
void kq_answer(const char *, int, int, const char *, const char *);
void kq_expect(const char *, int, int, int, const char *, ...) PRINTF(5, 6);
void kq_eventually(const char *, int, int, const char *, ...) PRINTF(4, 5);
void kq_quiet(const char *, int, int, int);
void kq_fail(const char *, int, const char *, ...) PRINTF(3, 4)
    __attribute__((__noreturn__));
int kq_must(const char *, int, long, const char *);
void skip(const char *, ...) PRINTF(1, 2) __attribute__((__noreturn__));

/* The text as at most ROOM structures.  Returns how many. */
int parse_changes(struct kevent *, const char *);
/* kevent(2) with milliseconds; -1 waits for ever. */
int call_kevent(int, const struct kevent *, int, struct kevent *, int, int);
/* 0, or the errno of the changes without room for an event. */
int try_change(int, const char *, ...) PRINTF(2, 3);
void event_text(char *, size_t, const struct kevent *);
uintptr_t udata_of(const struct kevent *);
void set_udata(struct kevent *, uintptr_t);
struct kevent event(uintptr_t, int, unsigned, unsigned, int64_t, uintptr_t);

/* ---- things to watch ---- */

int named(const char *, int); /* returns the descriptor */
void name_ident(const char *, uintptr_t); /* anything else */
int new_queue(const char *);
void new_pipe(int[2], const char *); /* NAME0 reads, NAME1 writes */
void new_pair(int, int[2], const char *); /* type of the sockets */
void need_loopback(void); /* or skip the test */
int tcp_listener(struct sockaddr_in *, int);
int tcp_client(const struct sockaddr_in *);
void new_tcp(int[2], const char *); /* NAME0 accepted, NAME1 connected */
int udp_bound(struct sockaddr_in *);
int new_file(const char *, const char *, int, const char *);
int reopen(const char *, int, const char *);

void put(int, const char *);
void take(int, size_t);
void fill(int); /* write until there is no room; leaves it nonblocking */
void drain(int); /* read until it is empty; likewise */
void nonblocking(int);
void arrived(int, int); /* wait until that many bytes can be read */

double now(void); /* seconds, monotonic */
double processor_time(void);
void nap(int); /* in a child or thread: time for the parent to begin its wait */
long from_environment(const char *, long);
int open_descriptors(void);

/* ---- other threads and processes ---- */

pthread_t new_thread(void *(*)(void *), void *);
void join(pthread_t);

pid_t in_child(void (*)(void *), void *);
void hit_test(int); /* in a child: signal the parent, if it still exists */
void reap(pid_t, int); /* wait for it, and compare the status */
void zombie(pid_t); /* wait until it is a zombie */

/* A child that follows orders. */
struct puppet {
	pid_t pid;
	int string;
};

enum order {
	ORDER_EXIT, /* with status 7 */
	ORDER_FORK, /* a child that exits 3 and is reaped: its pid */
	ORDER_KEEP, /* fork a child that stays: its pid */
	ORDER_REAP, /* that child */
	ORDER_EXEC, /* execute this program; it goes on following orders */
	ORDER_THREAD /* make a thread and join it */
};

struct puppet new_puppet(const char *);
pid_t pull(const struct puppet *, enum order);
int puppet_main(int);

#endif
