/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "inspect/facts/memory.h"
#include "inspect/facts/procfs.h"
#include "inspect/facts/thread.h"
#include "sys/process.h"

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

static const char changed[] = "it went on while it was examined";
static const char
    narrow[] = "a process of 32 bits, whose system calls have other numbers";

void
thread_wait_free(struct thread_wait *wait)
{
	free(wait->wanted);
	free(wait->path);
	wait->wanted = NULL;
	wait->count = 0;
	wait->path = NULL;
}

bool
thread_wait_same(const struct thread_wait *a, const struct thread_wait *b)
{
	return a->call == b->call && a->number == b->number &&
	    a->count == b->count &&
	    memcmp(a->arguments, b->arguments, sizeof a->arguments) == 0;
}

/*
 * The auxiliary vector is an array of pairs of words as wide as those of the
 * process: a type and a value (getauxval(3)).  Types are small numbers, so a
 * word of 64 bits that is none is two of 32.
 */
int
thread_is_narrow(struct source *source, pid_t pid)
{
	char path[SOURCE_PATH], *text;
	uint64_t type;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%jd/auxv", (intmax_t)pid);
	n = source_read(source, &text, path);
	if (n < 0)
		return (int)n;
	if ((size_t)n < sizeof type)
		return -EIO;
	memcpy(&type, text, sizeof type);
	return type > UINT32_MAX;
}

/* The numbers of the system calls are those of processes like pmux itself. */
#if defined(SYS_process_vm_readv) && UINTPTR_MAX > UINT32_MAX
#define KNOWS_CALLS
#endif

#ifdef KNOWS_CALLS

#define KERNEL_FUTEX_WAIT 0U
#define KERNEL_FUTEX_COMMANDS 0x7fU /* without FUTEX_PRIVATE and the clock */
#define KERNEL_FUTEX_ABSOLUTE 9U /* FUTEX_WAIT_BITSET and later ones */
#define KERNEL_P_PIDFD 3
#define KERNEL_P_PID 1
#define KERNEL_TIMER_ABSTIME 1

/* A poll array or a set that is longer than this is taken for garbage. */
#define MOST_WANTED (UINT64_C(1) << 22)

/* One examination. */
struct examination {
	struct source *source;
	pid_t pid;
	struct thread_wait *wait;
};

static int
fetch(struct examination *e, uint64_t address, void *to, size_t size)
{
	return memory_read(e->source, e->pid, address, to, size);
}

/* Add what is waited for.  Returns 0 or -ENOMEM. */
static int
want(struct thread_wait *w, int fd, unsigned events)
{
	struct wanted *grown = list_room(w->wanted, w->count, sizeof *grown);

	if (grown == NULL)
		return -ENOMEM;
	w->wanted = grown;
	w->wanted[w->count++] = (struct wanted){ fd, events };
	return 0;
}

static int
want_argument(struct examination *e, int index, unsigned events)
{
	return want(e->wait, (int)e->wait->arguments[index], events);
}

static void
timeout_ms(struct examination *e, int index)
{
	int ms = (int)e->wait->arguments[index];

	e->wait->timeout = ms < 0 ? THREAD_FOREVER : ms * INT64_C(1000000);
}

/*
 * The timeout that argument INDEX points to: struct timespec, or struct timeval
 * with a SCALE of 1000.
 */
static int
timeout_at(struct examination *e, int index, int64_t scale)
{
	int64_t pair[2];
	int error;

	if (e->wait->arguments[index] == 0)
		return 0;
	e->wait->timeout = THREAD_UNKNOWN;
	error = fetch(e, e->wait->arguments[index], pair, sizeof pair);
	/* select(2) takes more than a second of microseconds, too */
	if (error == 0 && pair[0] >= 0 && pair[0] < INT64_MAX / 1000000000 &&
	    pair[1] >= 0 && pair[1] < 1000000000 / scale)
		e->wait->timeout = pair[0] * 1000000000 + pair[1] * scale;
	return error;
}

static int
decode_nothing(struct examination *e)
{
	e->wait->timeout = THREAD_UNKNOWN;
	return 0;
}

static int
decode_any_signal(struct examination *e)
{
	e->wait->child = -1;
	return 0;
}

static int
decode_first(struct examination *e)
{
	return want_argument(e, 0, 0);
}

static int
decode_first_in(struct examination *e)
{
	return want_argument(e, 0, POLLIN);
}

static int
decode_first_out(struct examination *e)
{
	return want_argument(e, 0, POLLOUT);
}

static int
decode_first_in_for_unknown(struct examination *e)
{
	e->wait->timeout = THREAD_UNKNOWN;
	return want_argument(e, 0, POLLIN);
}

static int
decode_first_out_for_unknown(struct examination *e)
{
	e->wait->timeout = THREAD_UNKNOWN;
	return want_argument(e, 0, POLLOUT);
}

static int
decode_receive_ns(struct examination *e)
{
	int error = want_argument(e, 0, POLLIN);

	return error != 0 ? error : timeout_at(e, 4, 1);
}

static int
from_to(struct examination *e, int from, int to)
{
	int error = want_argument(e, from, POLLIN);

	return error != 0 ? error : want_argument(e, to, POLLOUT);
}

static int
decode_first_and_second(struct examination *e)
{
	return from_to(e, 0, 1);
}

static int
decode_first_and_third(struct examination *e)
{
	return from_to(e, 0, 2);
}

static int
decode_second_and_first(struct examination *e)
{
	return from_to(e, 1, 0);
}

/* The array of poll(2). */
static int
poll_array(struct examination *e)
{
	/* an unsigned int */
	uint64_t count = (uint32_t)e->wait->arguments[1];
	struct pollfd *array;
	int error = 0;

	if (count > MOST_WANTED)
		return -EFAULT;
	array = calloc((size_t)count + 1, sizeof *array);
	if (array == NULL)
		return -ENOMEM;
	if (count > 0)
		error = fetch(e, e->wait->arguments[0], array,
		    (size_t)count * sizeof *array);
	for (uint64_t i = 0; i < count && error == 0; i++)
		if (array[i].fd >= 0)
			error = want(e->wait, array[i].fd,
			    (unsigned short)array[i].events);
	free(array);
	return error;
}

static int
decode_poll_ms(struct examination *e)
{
	timeout_ms(e, 2);
	return poll_array(e);
}

static int
decode_poll_ns(struct examination *e)
{
	int error = timeout_at(e, 2, 1);

	return error != 0 ? error : poll_array(e);
}

/* The events of descriptor N, of which the three sets have bits. */
static unsigned
set_events(const uint64_t *sets, size_t words, size_t n)
{
	static const unsigned meaning[3] = { POLLIN, POLLOUT, POLLPRI };
	unsigned events = 0;

	for (size_t i = 0; i < 3; i++)
		if ((sets[i * words + n / 64] >> n % 64 & 1) != 0)
			events |= meaning[i];
	return events;
}

/*
 * How many bits of its sets the kernel reads: no more than the process has room
 * for descriptors (fs/select.c, core_sys_select), of which there are 64 at
 * least.  What is behind that need not be a set.  Returns 0 or -errno.
 */
static int
find_last(struct examination *e, size_t *last)
{
	struct procfs_status status;
	char directory[SOURCE_PATH];
	int error;

	/* an int, which is not negative in a call that sleeps */
	*last = (uint32_t)e->wait->arguments[0];
	if (*last <= 64)
		return 0;
	(void)snprintf(directory, sizeof directory, "%jd", (intmax_t)e->pid);
	error = procfs_status(e->source, directory, &status);
	if (error == 0 && status.room != 0 && *last > status.room)
		*last = (size_t)status.room;
	return error;
}

/* The sets of select(2), which are arrays of words of 64 bits. */
static int
select_sets(struct examination *e)
{
	size_t last, words;
	uint64_t *sets, address;
	unsigned events;
	int error = find_last(e, &last);

	if (error != 0 || last > MOST_WANTED)
		return error != 0 ? error : -EFAULT;
	words = last / 64 + 1;
	sets = calloc(3 * words, sizeof *sets);
	if (sets == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < 3 && last > 0 && error == 0; i++)
		if ((address = e->wait->arguments[i + 1]) != 0)
			error = fetch(e, address, sets + i * words,
			    (last + 63) / 64 * sizeof *sets);
	for (size_t n = 0; n < last && error == 0; n++)
		if ((events = set_events(sets, words, n)) != 0)
			error = want(e->wait, (int)n, events);
	free(sets);
	return error;
}

/* select(2) writes the time left only when it returns. */
static int
decode_select_us(struct examination *e)
{
	int error = timeout_at(e, 4, 1000);

	return error != 0 ? error : select_sets(e);
}

static int
decode_select_ns(struct examination *e)
{
	int error = timeout_at(e, 4, 1);

	return error != 0 ? error : select_sets(e);
}

static int
decode_epoll_ms(struct examination *e)
{
	timeout_ms(e, 3);
	return want_argument(e, 0, POLLIN);
}

static int
decode_epoll_ns(struct examination *e)
{
	int error = want_argument(e, 0, POLLIN);

	return error != 0 ? error : timeout_at(e, 3, 1);
}

static int
open_name(struct examination *e, int directory, int path, int flags)
{
	char name[PATH_MAX];
	struct thread_wait *w = e->wait;
	int error;

	w->directory = directory;
	w->flags = flags;
	error = memory_string(e->source, e->pid, w->arguments[path], name,
	    sizeof name);
	if (error == 0 && (w->path = strdup(name)) == NULL)
		error = -ENOMEM;
	return error;
}

#ifdef SYS_open
static int
decode_open_path(struct examination *e)
{
	return open_name(e, AT_FDCWD, 0, (int)e->wait->arguments[1]);
}
#endif

static int
decode_open_at(struct examination *e)
{
	return open_name(e, (int)e->wait->arguments[0], 1,
	    (int)e->wait->arguments[2]);
}

/* struct open_how begins with the flags, of 64 bits. */
static int
decode_open_how(struct examination *e)
{
	uint64_t flags;
	int error = fetch(e, e->wait->arguments[2], &flags, sizeof flags);

	return error != 0 ?
	    error :
	    open_name(e, (int)e->wait->arguments[0], 1, (int)flags);
}

static int
decode_lock(struct examination *e)
{
	int command = (int)e->wait->arguments[1];

	if (command == F_SETLKW
#ifdef F_OFD_SETLKW
	    || command == F_OFD_SETLKW
#endif
	)
		e->wait->call = WAIT_LOCK;
	return want_argument(e, 0, 0);
}

static int
decode_futex(struct examination *e)
{
	unsigned command = (unsigned)e->wait->arguments[1] &
	    KERNEL_FUTEX_COMMANDS;

	if (command == KERNEL_FUTEX_WAIT)
		return timeout_at(e, 3, 1);
	/* till a time, on one of two clocks */
	if (command >= KERNEL_FUTEX_ABSOLUTE && e->wait->arguments[3] != 0)
		e->wait->timeout = THREAD_UNKNOWN;
	return 0;
}

static int
decode_child(struct examination *e)
{
	e->wait->child = (pid_t)e->wait->arguments[0];
	return 0;
}

static int
decode_child_by_kind(struct examination *e)
{
	int kind = (int)e->wait->arguments[0];

	e->wait->child = -1;
	if (kind == KERNEL_P_PID)
		e->wait->child = (pid_t)e->wait->arguments[1];
	return kind == KERNEL_P_PIDFD ? want_argument(e, 1, POLLIN) : 0;
}

static int
decode_sleep_ns(struct examination *e)
{
	return timeout_at(e, 0, 1);
}

static int
decode_sleep_clock(struct examination *e)
{
	e->wait->timeout = THREAD_UNKNOWN;
	return e->wait->arguments[1] == KERNEL_TIMER_ABSTIME ?
	    0 :
	    timeout_at(e, 2, 1);
}

static int
decode_third_ns(struct examination *e)
{
	return timeout_at(e, 2, 1);
}

/* Decode the arguments.  Returns 0 or -errno. */
static int
decode(struct examination *e)
{
	struct thread_wait *w = e->wait;

	w->timeout = THREAD_FOREVER;
	switch (w->number) {
#define CALL(word, kind, decode)       \
	case SYS_##word:               \
		w->call = WAIT_##kind; \
		w->name = #word;       \
		return decode_##decode(e);
#include "inspect/facts/waits.def"
#undef CALL
	/*
	 * After SIGSTOP and SIGCONT, or a debugger, the kernel calls this
	 * instead (restart_syscall(2)).
	 */
	case SYS_restart_syscall:
		w->timeout = THREAD_UNKNOWN;
		w->call = WAIT_UNKNOWN;
		w->name = "restart_syscall";
		w->why = "a call that a signal interrupted, and that goes on";
		return 0;
	default:
		w->timeout = THREAD_UNKNOWN;
		w->call = WAIT_OTHER;
		return 0;
	}
}

#endif

int
thread_parse(const char *text, struct thread_registers *r)
{
	uint64_t *a;

	memset(r, 0, sizeof *r);
	a = r->arguments;
	if (strncmp(text, "running", 7) == 0)
		return -EAGAIN;
	r->number = -1;
	if (sscanf(text, "%ld", &r->number) != 1)
		return -EINVAL;
	if (r->number == -1)
		return 0;
	return sscanf(text,
		   "%*d 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64
		   " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64,
		   a, a + 1, a + 2, a + 3, a + 4, a + 5, &r->stack,
		   &r->counter) == 8 ?
	    0 :
	    -EINVAL;
}

/* Why the call of a thread is not known after ERROR. */
static const char *
reason(int error)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return process_forbidden_by();
	case -ENOENT:
		return "this kernel has no /proc/PID/syscall";
	case -EFAULT:
		return "its arguments are not in its memory";
	case -ENOSYS:
		return "this pmux knows no system calls of 64 bits";
	default:
		return "/proc/PID/syscall is not as it should be";
	}
}

/* Returns 0; WAIT has the reason. */
static int
unknown(struct thread_wait *wait, int error)
{
	if (wait->call == WAIT_RUNNING || wait->call == WAIT_NOTHING)
		wait->call = WAIT_UNKNOWN;
	wait->error = error == -EACCES ? EPERM : -error;
	wait->why = reason(error);
	return 0;
}

static int
read_registers(struct source *source, const char *directory,
    struct thread_registers *registers)
{
	char path[SOURCE_PATH + 8], *text;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/syscall", directory);
	n = source_read(source, &text, path);
	return n < 0 ? (int)n : thread_parse(text, registers);
}

#ifndef KNOWS_CALLS

static int
examine(struct source *source, pid_t pid, const char *directory,
    struct thread_wait *wait)
{
	struct thread_registers registers;

	(void)source;
	(void)pid;
	(void)directory;
	(void)registers;
	(void)changed;
	(void)narrow;
	(void)read_registers;
	return unknown(wait, -ENOSYS);
}

#else

/*
 * A process of 64 bits mostly has its stack or its code above 4 GiB, and needs
 * no other file.  1, 0 or -errno.
 */
static int
is_narrow(struct source *source, pid_t pid, const struct thread_registers *r)
{
	return r->stack <= UINT32_MAX && r->counter <= UINT32_MAX ?
	    thread_is_narrow(source, pid) :
	    0;
}

/* Returns 1 if the thread went on meanwhile, 0, or -errno. */
static int
examine_once(struct source *source, pid_t pid, const char *directory,
    struct thread_wait *wait)
{
	struct examination e = { source, pid, wait };
	struct thread_registers before, after;
	int error = read_registers(source, directory, &before), again;

	wait->call = error == -EAGAIN ? WAIT_RUNNING : WAIT_NOTHING;
	if (error != 0 || before.number == -1)
		return error == -EAGAIN ? 0 : error;
	/* a thread of the kernel */
	if (before.stack == 0 && before.counter == 0)
		return 0;
	wait->number = before.number;
	memcpy(wait->arguments, before.arguments, sizeof before.arguments);
	error = is_narrow(source, pid, &before);
	if (error == 1) {
		wait->call = WAIT_UNKNOWN;
		wait->why = narrow;
	}
	if (error != 0)
		return error < 0 ? error : 0;
	error = decode(&e);
	if (error == -ENOMEM)
		return error;
	again = read_registers(source, directory, &after);
	return again != 0 || memcmp(&before, &after, sizeof before) != 0 ?
	    1 :
	    error;
}

static void
forget(struct thread_wait *wait, char state)
{
	thread_wait_free(wait);
	memset(wait, 0, sizeof *wait);
	wait->number = -1;
	wait->timeout = THREAD_UNKNOWN;
	wait->state = state;
}

static int
examine(struct source *source, pid_t pid, const char *directory,
    struct thread_wait *wait)
{
	int error = 1;

	for (int i = 0; i < 4 && error == 1; i++) {
		forget(wait, wait->state);
		error = examine_once(source, pid, directory, wait);
	}
	if (error == 1) {
		forget(wait, wait->state);
		wait->call = WAIT_RUNNING;
		wait->why = changed;
		return 0;
	}
	if (error == 0 || error == -ENOMEM || error == -ESRCH)
		return error;
	return unknown(wait, error);
}

#endif

int
thread_wait_read(struct source *source, pid_t pid, pid_t tid,
    struct thread_wait *wait)
{
	char directory[SOURCE_PATH];
	struct procfs_stat stat;
	int error;

	*wait = (struct thread_wait){ .number = -1, .timeout = THREAD_UNKNOWN };
	(void)snprintf(directory, sizeof directory, "%jd/task/%jd",
	    (intmax_t)pid, (intmax_t)tid);
	error = procfs_stat(source, directory, &stat);
	if (error != 0)
		return error == -ENOENT ? -ESRCH : error;
	wait->state = stat.state;
	wait->call = WAIT_NOTHING;
	if (strchr("ZXx", stat.state) != NULL)
		return 0;
	error = examine(source, pid, directory, wait);
	/* the thread may have ended meanwhile: its files are no longer there */
	if (wait->error == ENOENT && procfs_stat(source, directory, &stat) != 0)
		error = -ESRCH;
	if (error != 0)
		thread_wait_free(wait);
	return error;
}
