/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "config.h"

#include "faults.h"

#ifdef HAVE_INJECT

#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compat.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_US INT64_C(1000)

/* Limits of one command: beyond them it is in an endless loop. */
#define CALLS_MAX 20000
#define CPU_MAX (1 * NS_PER_S)

/* Time for remaining processes to end. */
#define GRACE (5 * NS_PER_S)

#define OPTIONS                                                           \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | \
	    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)

#define SYSCALL_STOP (SIGTRAP | 0x80)

struct process {
	pid_t pid;
	int order; /* of the forks; -1: not reported yet */
	long calls;
	long entry; /* where the breakpoint is */
	long word; /* the word that it replaced */
	bool begun; /* the loader is done */
	bool stopped; /* until its order is known */
	bool foreign; /* executes another program */
	bool over;
	bool failing; /* this call is to fail */
};

static struct process processes[PROCESSES_MAX];
static int count, orders;

static struct scene *scene;
static const struct fault *fault;
static struct log *trace_log;
static struct outcome *outcome;
static long total;
static int64_t cpu;

static int64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- the machine ---- */

static bool
get_registers(pid_t pid, struct user_regs_struct *r)
{
	struct iovec io = { r, sizeof *r };

	return ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io) == 0;
}

static void
set_registers(pid_t pid, struct user_regs_struct *r)
{
	struct iovec io = { r, sizeof *r };

	(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &io);
}

#if defined(__x86_64__)

#define BREAKPOINT(word) (((word) & ~0xffL) | 0xcc)

/* The process is at the breakpoint: set it back to the start of that. */
static void
step_back(pid_t pid, long entry)
{
	struct user_regs_struct r;

	if (!get_registers(pid, &r))
		return;
	r.rip = (unsigned long)entry;
	set_registers(pid, &r);
}

static void
skip_call(pid_t pid)
{
	struct user_regs_struct r;

	if (!get_registers(pid, &r))
		return;
	r.orig_rax = (unsigned long)-1;
	set_registers(pid, &r);
}

static void
set_result(pid_t pid, long result)
{
	struct user_regs_struct r;

	if (!get_registers(pid, &r))
		return;
	r.rax = (unsigned long)result;
	set_registers(pid, &r);
}

#elif defined(__aarch64__)

#define BREAKPOINT(word) (((word) & ~0xffffffffL) | 0xd4200000L)

static void
step_back(pid_t pid, long entry)
{
	struct user_regs_struct r;

	if (!get_registers(pid, &r))
		return;
	r.pc = (unsigned long)entry;
	set_registers(pid, &r);
}

static void
skip_call(pid_t pid)
{
	int number = -1;
	struct iovec io = { &number, sizeof number };

	(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &io);
}

static void
set_result(pid_t pid, long result)
{
	struct user_regs_struct r;

	if (!get_registers(pid, &r))
		return;
	r.regs[0] = (unsigned long)result;
	set_registers(pid, &r);
}

#endif

/* ---- the processes ---- */

static struct process *
find(pid_t pid)
{
	for (int i = 0; i < count; i++)
		if (processes[i].pid == pid && !processes[i].over)
			return &processes[i];
	return NULL;
}

static struct process *
add(pid_t pid)
{
	struct process *p;

	if (count == PROCESSES_MAX)
		die("too many processes");
	p = &processes[count++];
	memset(p, 0, sizeof *p);
	p->pid = pid;
	p->order = -1;
	return p;
}

/* There is nothing left to do to P: it may run untraced. */
static bool
is_done(const struct process *p)
{
	return p->foreign || fault->kind == FAULT_MALLOC ||
	    (fault->kind == FAULT_CALL && outcome->reached);
}

static void
go_on(struct process *p, int signal)
{
	bool calls = p->failing || (p->begun && !is_done(p));

	(void)ptrace(calls ? PTRACE_SYSCALL : PTRACE_CONT, p->pid, NULL,
	    (void *)(intptr_t)signal);
}

static long
entry_of(pid_t pid)
{
	char path[64];
	unsigned long pair[2];
	long entry = 0;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/auxv", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd != -1 && read(fd, pair, sizeof pair) == sizeof pair)
		if (pair[0] == AT_ENTRY)
			entry = (long)pair[1];
	if (fd != -1)
		(void)close(fd);
	return entry;
}

/* The program is in memory.  Its loader runs first, and gets no faults. */
static void
executed(struct process *p)
{
	if (p->begun) {
		p->foreign = true;
		return;
	}
	p->entry = entry_of(p->pid);
	errno = 0;
	p->word = ptrace(PTRACE_PEEKTEXT, p->pid, (void *)p->entry, NULL);
	if (p->entry == 0 || errno != 0 ||
	    ptrace(PTRACE_POKETEXT, p->pid, (void *)p->entry,
		(void *)BREAKPOINT(p->word)) == -1)
		die("breakpoint");
}

static bool
at_entry(struct process *p)
{
	if (p->begun || p->entry == 0)
		return false;
	(void)ptrace(PTRACE_POKETEXT, p->pid, (void *)p->entry,
	    (void *)p->word);
	step_back(p->pid, p->entry);
	p->begun = true;
	return true;
}

static void
forked(struct process *parent)
{
	unsigned long message;
	struct process *child;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &message) == -1)
		return;
	child = find((pid_t)message);
	if (child == NULL)
		child = add((pid_t)message);
	child->order = orders++;
	child->begun = true;
	child->foreign = parent->foreign;
	if (child->stopped)
		go_on(child, 0);
}

/* ---- the calls ---- */

static void
record(struct process *p, const struct call *call)
{
	struct log *l = trace_log;
	int at = p->order;

	if (l == NULL || at < 0 || at >= PROCESSES_MAX)
		return;
	if (at >= l->processes)
		l->processes = at + 1;
	if ((l->counts[at] & (l->counts[at] - 1)) == 0)
		l->calls[at] = realloc(l->calls[at],
		    (size_t)(l->counts[at] == 0 ? 1 : 2 * l->counts[at]) *
			sizeof *call);
	if (l->calls[at] == NULL)
		die("memory");
	l->calls[at][l->counts[at]++] = *call;
}

/* Whether the call may have this error. */
static bool
is_possible(const struct call *call)
{
	const char *name = errno_name(fault->error);
	const char *list = call_errors(call->number, call->first, call->second);

	return list != NULL && strstr(list, name) != NULL;
}

static bool
is_meant(const struct process *p, const struct call *call)
{
	if (p->order != fault->process)
		return false;
	if (fault->kind == FAULT_CALL)
		return p->calls >= fault->at && !outcome->reached &&
		    (fault->number == -1 ||
			(call->number == fault->number && is_possible(call)));
	return fault->kind == FAULT_EVERY && call->number == fault->number &&
	    is_possible(call);
}

static void
enter(struct process *p, const struct call *call)
{
	p->calls++;
	total++;
	record(p, call);
	p->failing = is_meant(p, call);
	if (!p->failing)
		return;
	outcome->reached = true;
	outcome->call = *call;
	if (!call_happens(call->number))
		skip_call(p->pid);
}

static void
at_call(struct process *p)
{
	struct __ptrace_syscall_info info;
	struct call call;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, (void *)sizeof info,
		&info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		call.number = (long)info.entry.nr;
		call.first = info.entry.args[0];
		call.second = info.entry.args[1];
		enter(p, &call);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && p->failing) {
		p->failing = false;
		set_result(p->pid, -fault->error);
	}
}

/* ---- stops and ends ---- */

static bool
is_fault(int signal)
{
	return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS ||
	    signal == SIGILL || signal == SIGFPE || signal == SIGTRAP ||
	    signal == SIGSYS;
}

static void
stopped(struct process *p, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);

	if (signal == SYSCALL_STOP)
		at_call(p);
	else if (event == PTRACE_EVENT_EXEC)
		executed(p);
	else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	    event == PTRACE_EVENT_CLONE)
		forked(p);
	else if (event == PTRACE_EVENT_STOP && p->order == -1) {
		p->stopped = true;
		return;
	} else if (event == 0 && (signal != SIGTRAP || !at_entry(p))) {
		go_on(p, signal);
		return;
	}
	go_on(p, 0);
}

static void
ended(pid_t pid, int status, const struct rusage *usage)
{
	struct process *p = find(pid);

	if (p == NULL) {
		(void)scene_reap(scene, pid, status);
		return;
	}
	p->over = true;
	cpu += (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * NS_PER_S +
	    (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * NS_PER_US;
	if (WIFSIGNALED(status) && is_fault(WTERMSIG(status)) && !p->foreign)
		outcome->fatal = WTERMSIG(status);
	if (pid != scene->command)
		return;
	scene->command = 0;
	outcome->status = status;
	scene_collect(scene);
}

/* Kill all children, also orphans that have become children. */
static void
kill_children(void)
{
	char path[64];
	FILE *list;
	int pid;

	for (int i = 0; i < count; i++)
		if (!processes[i].over)
			(void)kill(processes[i].pid, SIGKILL);
	(void)snprintf(path, sizeof path, "/proc/self/task/%d/children",
	    (int)getpid());
	list = fopen(path, "re");
	if (list == NULL)
		return;
	while (fscanf(list, "%d", &pid) == 1)
		(void)kill(pid, SIGKILL);
	(void)fclose(list);
}

static void
wake(int number)
{
	(void)number;
}

/* Interrupt wait(2) at intervals. */
static void
tick(bool on)
{
	struct itimerval timer = { { 0, on ? 50000 : 0 },
		{ 0, on ? 50000 : 0 } };
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = wake;
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void
begin(void)
{
	struct process *p = add(scene->command);

	p->order = orders++;
	if (ptrace(PTRACE_SEIZE, p->pid, NULL, (void *)OPTIONS) == -1)
		die("ptrace");
	(void)!write(scene->go[1], "", 1);
}

/* End all processes when the scene is over, or took too long. */
static bool
advance(int64_t *end, bool *closed)
{
	if (!*closed && scene->command == 0 && scene->collector == 0) {
		scene_close(scene);
		*closed = true;
		*end = now() + GRACE;
	}
	if (total > CALLS_MAX && !outcome->spun)
		outcome->spun = true;
	else if (now() < *end)
		return true;
	else if (!*closed && scene->command != 0)
		outcome->hung = true;
	else
		outcome->stayed = true;
	kill_children();
	return false;
}

void
trace_run(struct scene *s, const struct fault *f, struct log *l, int64_t limit,
    struct outcome *o)
{
	bool closed = false;
	struct rusage usage;
	int64_t end;
	int status;
	pid_t pid;

	scene = s;
	fault = f;
	trace_log = l;
	outcome = o;
	memset(o, 0, sizeof *o);
	count = orders = 0;
	total = 0;
	cpu = 0;
	scene_open(s, f->kind == FAULT_MALLOC && s->memory != -1);
	begin();
	tick(true);
	end = now() + limit;
	for (;;) {
		pid = wait4(-1, &status, __WALL, &usage);
		if (pid == -1 && errno == ECHILD)
			break;
		if (pid > 0 && WIFSTOPPED(status)) {
			struct process *p = find(pid);

			stopped(p == NULL ? add(pid) : p, status);
		} else if (pid > 0)
			ended(pid, status, &usage);
		if (!advance(&end, &closed))
			end = now() + limit;
	}
	tick(false);
	if (!closed)
		scene_close(s);
	outcome->spun |= cpu > CPU_MAX;
}

const char *
trace_unavailable(void)
{
	pid_t child = fork();
	bool traced;

	if (child == -1)
		return "no process can be started";
	if (child == 0)
		for (;;)
			(void)pause();
	traced = ptrace(PTRACE_SEIZE, child, NULL, (void *)OPTIONS) == 0;
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, __WALL);
	return traced ? NULL : "ptrace(2) is not permitted here";
}

#endif
