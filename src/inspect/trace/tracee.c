/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>

#include "inspect/trace/tracee.h"

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__)) && \
    defined(__LP64__)

#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/list.h"
#include "base/number.h"
#include "base/pmux.h"
#include "sys/fdplace.h"
#include "sys/launch.h"
#include "sys/signals.h"

#if defined(__x86_64__)
#include <sys/reg.h>
#endif

/* linux/ptrace.h, which cannot be included beside sys/ptrace.h. */
#define GET_SYSCALL_INFO 0x420e /* Linux 5.3 */
#define SYSCALL_ENTRY 1
#define SYSCALL_EXIT 2
#define EVENT_STOP 128

/*
 * linux/errno.h, results that only a tracer sees: begin the call again, but
 * fail with EINTR after a handler; go on by restart_syscall(2).
 */
#define RESTART_NOHAND 514
#define RESTART_BLOCK 516

/* linux/audit.h: the machine of ELF, 64 bits, little-endian. */
#if defined(__x86_64__)
#define ARCHITECTURE 0xc000003eu
#else
#define ARCHITECTURE 0xc00000b7u
#endif

/* x32 has the architecture of x86-64 and marks the number (syscall(2)). */
#define X32 0x40000000u

#define OPTIONS                                                             \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | \
	    PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)

/* The time that tracer_detach takes at most, in ns, and its steps. */
#define PATIENCE INT64_C(1000000000)
#define STEP 500000

/* struct ptrace_syscall_info of ptrace(2). */
struct information {
	uint8_t what;
	uint8_t padding[3];
	uint32_t architecture;
	uint64_t instruction, stack;
	union {
		struct {
			uint64_t number, arguments[6];
		} entry;
		struct {
			int64_t result;
			uint8_t failed;
		} exit;
		uint64_t room[16];
	} as;
};

/*
 * By its number: the C libraries differ in the type of the request.  What
 * PTRACE_PEEKDATA reads is stored at DATA, not returned.
 */
static long
trace(unsigned request, pid_t tid, uintptr_t address, uintptr_t data)
{
	return syscall(SYS_ptrace, (unsigned long)request, (long)tid, address,
	    data);
}

/* ---- the threads ---- */

static struct tracee *
find(const struct tracer *t, pid_t tid)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i]->tid == tid)
			return t->list[i];
	return NULL;
}

size_t
tracer_threads(const struct tracer *t, pid_t pid)
{
	size_t count = 0;

	for (size_t i = 0; i < t->count; i++)
		count += t->list[i]->pid == pid;
	return count;
}

/* Returns 0 or -ENOMEM. */
static int
add(struct tracer *t, pid_t tid, pid_t pid)
{
	struct tracee **more, *e = find(t, tid);

	if (e != NULL) {
		e->pid = pid;
		return 0;
	}
	if ((more = list_room(t->list, t->count, sizeof *more)) == NULL)
		return -ENOMEM;
	t->list = more;
	if ((e = calloc(1, sizeof *e)) == NULL)
		return -ENOMEM;
	e->tid = tid;
	e->pid = pid;
	t->list[t->count++] = e;
	return 0;
}

static void
forget(struct tracer *t, const struct tracee *gone)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i] == gone) {
			if (t->current == gone)
				t->current = NULL;
			free(t->list[i]);
			t->list[i] = t->list[--t->count];
			return;
		}
}

/* Whether thread TID is one of process PID: signal 0 is sent to nobody. */
static bool
belongs(pid_t tid, pid_t pid)
{
	return syscall(SYS_tgkill, pid, tid, 0) == 0;
}

/* ---- to begin ---- */

static int
seize(struct tracer *t, pid_t tid, pid_t pid)
{
	int error;

	if (find(t, tid) != NULL)
		return 0;
	if (trace(PTRACE_SEIZE, tid, 0, OPTIONS) == -1)
		return -errno;
	if ((error = add(t, tid, pid)) != 0)
		return error;
	/* SYSCALL_GOOD begins when it has stopped and goes on */
	if (pid != t->target || !t->child)
		(void)trace(PTRACE_INTERRUPT, tid, 0, 0);
	return 0;
}

/* Those of one pass over the directory.  Returns 0 or -errno. */
static int
seize_threads(struct tracer *t, pid_t pid, int *first)
{
	char path[40];
	struct dirent *entry;
	uint64_t tid;
	DIR *threads;
	int error;

	(void)snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	if ((threads = opendir(path)) == NULL)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((entry = readdir(threads)) != NULL) {
		if (number_parse(entry->d_name, strlen(entry->d_name), 10,
			INT32_MAX, &tid) != 0)
			continue;
		error = seize(t, (pid_t)tid, pid);
		if (error == -ENOMEM) {
			(void)closedir(threads);
			return error;
		}
		/* one may have ended, even the first of them */
		if (error != 0 && *first == 0)
			*first = error;
	}
	(void)closedir(threads);
	return 0;
}

int
tracer_attach(struct tracer *t, pid_t pid)
{
	int error, first = 0;
	size_t before;

	t->target = pid;
	t->channel = -1;
	t->executed = true;
	/* a thread that is not yet traced may start another */
	do {
		before = t->count;
		error = seize_threads(t, pid, &first);
	} while (error == 0 && t->count > before);
	if (error == 0 && t->count == 0)
		error = first == 0 ? -ESRCH : first;
	return error;
}

/* The program waits until it is traced; nothing comes if it cannot be. */
static _Noreturn void
run_program(const struct launch *launch, int channel)
{
	char byte;
	int error;

	if (read(channel, &byte, 1) == 1) {
		error = launch_become(launch);
		(void)!write(channel, &error, sizeof error);
	}
	_exit(127);
}

static int
reap(pid_t child, int *status)
{
	pid_t pid;

	while ((pid = waitpid(child, status, __WALL)) == -1 && errno == EINTR)
		;
	return pid == -1 ? -errno : 0;
}

int
tracer_start(struct tracer *t, const struct launch *launch)
{
	int ends[2], error;
	sigset_t old;
	pid_t child;

	t->channel = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return -errno;
	signals_block(&old);
	child = fork();
	if (child == 0)
		run_program(launch, ends[1]);
	error = child == -1 ? -errno : 0;
	signals_restore(&old);
	(void)close(ends[1]);
	t->channel = fdplace(ends[0]);
	if (error != 0)
		return error;
	t->target = child;
	t->child = true;
	error = t->channel < 0 ? t->channel : seize(t, child, child);
	if (error == 0 && write(t->channel, "", 1) == 1)
		return 0;
	(void)kill(child, SIGKILL);
	(void)reap(child, &t->status);
	t->ended = true;
	return error == 0 ? -EPIPE : error;
}

/* ---- while it runs ---- */

static void
resume(struct tracee *e)
{
	int signal = e->signal;

	e->stopped = false;
	e->signal = 0;
	/* ESRCH: it is being killed, which waitpid(2) reports */
	(void)trace(PTRACE_SYSCALL, e->tid, 0, (uintptr_t)signal);
}

/*
 * What E, which is stopped, does.  Returns 0, -EBADMSG for another architecture,
 * -ESRCH if it is being killed, or -ENOSYS.
 */
static int
examine(const struct tracee *e, struct information *i)
{
	memset(i, 0, sizeof *i);
	if (trace(GET_SYSCALL_INFO, e->tid, sizeof *i, (uintptr_t)i) == -1)
		return errno == ESRCH ? -ESRCH : -ENOSYS;
	if (i->architecture != ARCHITECTURE ||
	    (i->what == SYSCALL_ENTRY && (i->as.entry.number & X32) != 0))
		return -EBADMSG;
	return 0;
}

/* Returns 1 at the end of a wanted system call, 0 or -errno as examine. */
static int
at_call(struct tracer *t, struct tracee *e)
{
	bool ends = e->entered;
	struct information i;
	int error;

	/* at its end the number is not needed again */
	if (ends && !t->wants(e->call.number)) {
		e->entered = false;
		return 0;
	}
	if ((error = examine(e, &i)) != 0)
		return error;
	if (i.what == SYSCALL_ENTRY) {
		e->entered = true;
		e->call.number = i.as.entry.number;
		memcpy(e->call.arguments, i.as.entry.arguments,
		    sizeof e->call.arguments);
		return 0;
	}
	e->entered = false;
	e->call.result = i.as.exit.result;
	return ends && i.what == SYSCALL_EXIT;
}

/* A child or a thread has come.  Returns 0 or -ENOMEM. */
static int
at_birth(struct tracer *t, const struct tracee *e)
{
	unsigned long tid = 0;
	pid_t child;

	if (trace(PTRACE_GETEVENTMSG, e->tid, 0, (uintptr_t)&tid) == -1)
		return 0;
	child = (pid_t)tid;
	return add(t, child, belongs(child, e->pid) ? e->pid : child);
}

/* The thread that called execve(2) has the ID of the process from now on. */
static void
at_exec(struct tracer *t, struct tracee *e)
{
	unsigned long tid = 0;
	struct tracee *caller;

	if (e->pid == t->target)
		t->executed = true;
	if (trace(PTRACE_GETEVENTMSG, e->tid, 0, (uintptr_t)&tid) == -1)
		return;
	caller = find(t, (pid_t)tid);
	if (caller == NULL || caller == e)
		return;
	e->call = caller->call;
	e->entered = caller->entered;
	forget(t, caller);
}

static bool
stops_groups(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN ||
	    signal == SIGTTOU;
}

/* Let go of E, which is stopped. */
static void
release(struct tracer *t, struct tracee *e)
{
	(void)trace(PTRACE_DETACH, e->tid, 0, (uintptr_t)e->signal);
	forget(t, e);
}

/*
 * E ends.  If it was still traced then, its end would be reported to a pidfd a
 * second time once the tracer has waited for it (Linux: kernel/exit.c,
 * wait_task_zombie): another edge.  Returns whether it was let go.
 */
static bool
at_exit(struct tracer *t, struct tracee *e)
{
	if (t->child && e->tid == t->target)
		return false;
	release(t, e);
	return true;
}

/* Another architecture: its system calls have other numbers. */
static int
refuse(struct tracer *t, struct tracee *e)
{
	if (e->pid == t->target)
		return -EBADMSG;
	t->refused++;
	release(t, e);
	return 0;
}

#if defined(__x86_64__)

static bool
read_register(const struct tracee *e, unsigned index, long *value)
{
	return trace(PTRACE_PEEKUSER, e->tid, index * sizeof(long),
		   (uintptr_t)value) == 0;
}

/*
 * PTRACE_INTERRUPT has ended a call that SIGSTOP would end with EINTR, too, and
 * that few programs expect to end so (epoll_wait(2), signal(7)); or a poll(2)
 * without timeout, of which restart_syscall(2) would no longer show what it
 * waits for.  At this stop, which is in the kernel's delivery of signals, it can
 * still be made a call that begins again (Linux: arch/x86/kernel/signal.c,
 * arch_do_signal_or_restart).  On aarch64 that has been decided before.
 */
static void
restart_call(const struct tracee *e)
{
	long number, result, timeout;

	if (!read_register(e, ORIG_RAX, &number) || number < 0 ||
	    !read_register(e, RAX, &result) || !read_register(e, RDX, &timeout))
		return;
	if (result == -EINTR ||
	    (result == -RESTART_BLOCK && number == SYS_poll &&
		(int)timeout < 0))
		(void)trace(PTRACE_POKEUSER, e->tid, RAX * sizeof(long),
		    (uintptr_t)-RESTART_NOHAND);
}

#else

static void
restart_call(const struct tracee *e)
{
	(void)e;
}

#endif

/* The first stop of E, or the end of a group's stop. */
static int
at_stop(struct tracee *e, int signal)
{
	bool continued = e->parked;
	struct information i;
	int error;

	e->parked = stops_groups(signal);
	if (e->parked) {
		/* it stays stopped until SIGCONT, as if it were not traced */
		(void)trace(PTRACE_LISTEN, e->tid, 0, 0);
		e->stopped = false;
		return 1;
	}
	if (e->seen)
		return 0;
	e->seen = true;
	if (!continued)
		restart_call(e);
	error = examine(e, &i);
	return error == -EBADMSG || error == -ENOSYS ? error : 0;
}

/* Returns 1 for a wanted call, 0, or -errno. */
static int
at_status(struct tracer *t, struct tracee *e, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16, error = 0;

	e->stopped = true;
	e->signal = 0;
	if (signal == (SIGTRAP | 0x80)) {
		error = at_call(t, e);
		if (error == 1) {
			t->current = e;
			return 1;
		}
	} else if (event == EVENT_STOP) {
		error = at_stop(e, signal);
		if (error == 1)
			return 0;
	} else if (event == PTRACE_EVENT_EXIT) {
		if (at_exit(t, e))
			return 0;
	} else if (event == PTRACE_EVENT_EXEC)
		at_exec(t, e);
	else if (event != 0)
		error = at_birth(t, e);
	else
		e->signal = signal;
	if (error == -EBADMSG)
		error = refuse(t, e);
	else if (error == 0 || error == -ESRCH) {
		resume(e);
		error = 0;
	}
	return error;
}

/* A thread has ended.  Returns 0, or -ENOEXEC if that was all. */
static int
at_end(struct tracer *t, struct tracee *e, int status)
{
	pid_t tid = e->tid;

	forget(t, e);
	if (tid != t->target)
		return 0;
	t->ended = true;
	t->status = status;
	if (t->executed ||
	    recv(t->channel, &t->error, sizeof t->error, MSG_DONTWAIT) !=
		sizeof t->error)
		return 0;
	return -ENOEXEC;
}

struct waiting {
	pid_t pid;
	int status;
	pid_t answer;
};

static int
wait_for_status(void *argument)
{
	struct waiting *w = argument;

	w->answer = waitpid(w->pid, &w->status, __WALL);
	return w->answer == -1 ? -errno : 0;
}

/*
 * A tracer with one thread waits for nothing else.  One with several also takes
 * other children of the process, which is why a host that has children makes
 * the call in a process of its own.
 */
static int
next_status(struct tracer *t, struct waiting *w)
{
	int error;

	w->pid = t->count == 1 ? t->list[0]->tid : -1;
	error = pmux_sleep(wait_for_status, w);
	if (error == -ECHILD)
		while (t->count > 0)
			forget(t, t->list[0]);
	return error == -ECHILD ? 0 : error;
}

int
tracer_next(struct tracer *t, struct tracee **tracee)
{
	struct waiting w = { 0, 0, 0 };
	struct tracee *e;
	int answer = 0;

	if (t->current != NULL)
		resume(t->current);
	t->current = NULL;
	while (answer == 0 && t->count > 0) {
		if ((answer = next_status(t, &w)) != 0 || w.answer <= 0)
			continue;
		e = find(t, w.answer);
		if (e == NULL) {
			/* a child that stops before its parent says so */
			if (!WIFSTOPPED(w.status))
				continue;
			answer = add(t, w.answer, w.answer);
			e = find(t, w.answer);
		}
		if (answer == 0)
			answer = WIFSTOPPED(w.status) ?
			    at_status(t, e, w.status) :
			    at_end(t, e, w.status);
	}
	*tracee = t->current;
	return answer;
}

/* ---- memory ---- */

/* What process_vm_readv(2) is denied to do, the tracer may. */
static bool
peek(const struct tracee *e, uint64_t address, char *to, size_t size)
{
	size_t shift = address % sizeof(long), n;
	long word;

	for (; size > 0; size -= n, to += n, address += n, shift = 0) {
		if (trace(PTRACE_PEEKDATA, e->tid, (uintptr_t)(address - shift),
			(uintptr_t)&word) == -1)
			return false;
		n = sizeof word - shift < size ? sizeof word - shift : size;
		memcpy(to, (char *)&word + shift, n);
	}
	return true;
}

bool
tracee_read(const struct tracee *e, uint64_t address, void *to, size_t size)
{
	struct iovec here = { to, size },
		     there = { (void *)(uintptr_t)address, size };

	return process_vm_readv(e->tid, &here, 1, &there, 1, 0) ==
	    (ssize_t)size ||
	    peek(e, address, to, size);
}

/* ---- to end ---- */

/*
 * Whether E, which is at the begin or the end of a call, goes on to the stop
 * that PTRACE_INTERRUPT wants, where the call can be begun again: this stop has
 * taken the place of that one, and the thread still is as if a signal were
 * pending, which would end the call that it begins (kernel/signal.c, ptrace_stop
 * and recalc_sigpending_tsk).
 */
static bool
goes_on(const struct tracee *e)
{
	struct information i;

	return examine(e, &i) == 0 &&
	    (i.what == SYSCALL_ENTRY ||
		(i.what == SYSCALL_EXIT &&
		    (i.as.exit.result == -EINTR ||
			i.as.exit.result == -RESTART_BLOCK))) &&
	    trace(PTRACE_INTERRUPT, e->tid, 0, 0) == 0 &&
	    trace(PTRACE_CONT, e->tid, 0, 0) == 0;
}

/* E, which was interrupted, has changed: let it go. */
static void
release_at(struct tracer *t, struct tracee *e, int status)
{
	int signal = WSTOPSIG(status);

	if (!WIFSTOPPED(status)) {
		(void)at_end(t, e, status);
		return;
	}
	if (signal == (SIGTRAP | 0x80) && goes_on(e))
		return;
	if (status >> 16 == EVENT_STOP && signal == SIGTRAP && !e->parked)
		restart_call(e);
	/* what it stopped for is its own; a group's stop stays one */
	e->signal = status >> 16 == 0 && signal != (SIGTRAP | 0x80) ? signal :
								      0;
	if (status >> 16 != 0 && status >> 16 != EVENT_STOP &&
	    status >> 16 != PTRACE_EVENT_EXEC &&
	    status >> 16 != PTRACE_EVENT_EXIT)
		(void)at_birth(t, e);
	if (status >> 16 == PTRACE_EVENT_EXEC)
		at_exec(t, e);
	release(t, e);
}

/* Release those that have stopped.  A step may add some (at_birth). */
static void
release_some(struct tracer *t)
{
	pid_t tid;
	int status;

	for (size_t i = t->count; i-- > 0;) {
		if (i >= t->count)
			continue;
		tid = t->list[i]->tid;
		if (t->list[i]->stopped)
			release(t, t->list[i]);
		else if (waitpid(tid, &status, __WALL | WNOHANG) == tid)
			release_at(t, t->list[i], status);
	}
}

void
tracer_detach(struct tracer *t)
{
	const struct timespec step = { 0, STEP };
	int64_t end = clock_now() + PATIENCE;

	t->current = NULL;
	for (size_t i = 0; i < t->count; i++)
		if (!t->list[i]->stopped)
			(void)trace(PTRACE_INTERRUPT, t->list[i]->tid, 0, 0);
	release_some(t);
	while (t->count > 0 && clock_now() < end) {
		(void)nanosleep(&step, NULL);
		release_some(t);
	}
}

int
tracer_wait(struct tracer *t)
{
	struct waiting w = { 0, 0, 0 };
	struct tracee *e;
	int error = 0;

	while (!t->ended && (error == 0 || error == -EINTR)) {
		w.pid = t->count == 0 ? t->target : -1;
		error = pmux_sleep(wait_for_status, &w);
		if (error != 0)
			continue;
		if ((e = find(t, w.answer)) != NULL)
			release_at(t, e, w.status);
		else if (w.answer == t->target && !WIFSTOPPED(w.status)) {
			t->ended = true;
			t->status = w.status;
		}
	}
	return t->ended ? 0 : error;
}

void
tracer_end(struct tracer *t)
{
	while (t->count > 0)
		forget(t, t->list[0]);
	free(t->list);
	if (t->channel > 2)
		(void)close(t->channel);
}

#else

int
tracer_attach(struct tracer *t, pid_t pid)
{
	(void)t;
	(void)pid;
	return -ENOSYS;
}

int
tracer_start(struct tracer *t, const struct launch *launch)
{
	(void)t;
	(void)launch;
	return -ENOSYS;
}

int
tracer_next(struct tracer *t, struct tracee **tracee)
{
	(void)t;
	*tracee = NULL;
	return -ENOSYS;
}

size_t
tracer_threads(const struct tracer *t, pid_t pid)
{
	(void)t;
	(void)pid;
	return 0;
}

bool
tracee_read(const struct tracee *e, uint64_t address, void *to, size_t size)
{
	(void)e;
	(void)address;
	(void)to;
	(void)size;
	return false;
}

void
tracer_detach(struct tracer *t)
{
	(void)t;
}

int
tracer_wait(struct tracer *t)
{
	(void)t;
	return -ENOSYS;
}

void
tracer_end(struct tracer *t)
{
	(void)t;
}

#endif
