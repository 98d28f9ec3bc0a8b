/* SPDX-License-Identifier: ISC */
/* bits.c - bits that the kernel does not report. */
#include "peer.h"

#ifdef __linux__
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#endif

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#if defined(__linux__) && defined(PTRACE_GET_SYSCALL_INFO)
/* The first answer's returned mask: revents, or events of an epoll_event. */
static void
add_bits(pid_t pid, unsigned long long call, unsigned long long address,
    unsigned mask)
{
	long word;
	union {
		long word;
		struct pollfd pollfd;
		uint32_t events;
	} u;

	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)address, NULL);
	if (errno != 0)
		die(ABSENT, "PTRACE_PEEKDATA");
	u.word = word;
	if (call == SYS_ppoll
#ifdef SYS_poll
	    || call == SYS_poll
#endif
	)
		u.pollfd.revents = (short)(u.pollfd.revents | (short)mask);
	else
		u.events |= mask;
	if (ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)address,
		(void *)u.word) == -1)
		die(ABSENT, "PTRACE_POKEDATA");
}

static unsigned long long
buffer_of(const struct __ptrace_syscall_info *info)
{
	switch (info->entry.nr) {
	case SYS_ppoll:
#ifdef SYS_poll
	case SYS_poll:
#endif
		return info->entry.args[0];
	case SYS_epoll_pwait:
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
#endif
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
		return info->entry.args[1];
	default:
		return 0;
	}
}

static int
trace(pid_t pid, unsigned mask)
{
	struct __ptrace_syscall_info info;
	unsigned long long buffer = 0, call = 0;
	int status, sig = 0;

	if (waitpid(pid, &status, 0) == -1 || !WIFSTOPPED(status))
		die(ABSENT, "ptrace");
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig);
		if (waitpid(pid, &status, 0) == -1)
			die(1, "waitpid");
		if (!WIFSTOPPED(status))
			return WIFEXITED(status) ? WEXITSTATUS(status) :
						   128 + WTERMSIG(status);
		sig = WSTOPSIG(status);
		if (sig == SIGTRAP)
			sig = 0;
		if (sig != (SIGTRAP | 0x80))
			continue;
		sig = 0;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info,
			&info) == -1)
			die(ABSENT, "PTRACE_GET_SYSCALL_INFO");
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			call = info.entry.nr;
			buffer = buffer_of(&info);
		} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && buffer != 0 &&
		    info.exit.rval > 0)
			add_bits(pid, call, buffer, mask);
	}
}
#endif

int
cmd_bits(char **argv)
{
#if defined(__linux__) && defined(PTRACE_GET_SYSCALL_INFO)
	unsigned mask = (unsigned)number(argv[0], UINT_MAX);
	pid_t pid = fork();

	if (pid == -1)
		die(1, "fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			die(ABSENT, "PTRACE_TRACEME");
		become(argv + 1);
	}
	return trace(pid, mask);
#else
	(void)argv;
	die(ABSENT, "no system calls to be traced");
#endif
}
