/* SPDX-License-Identifier: ISC */
/*
 * deny - run a command on a kernel without some of its system calls.
 *
 *	deny CALL=ERROR... -- CMD [ARG]...
 *		become CMD; each CALL, also of its descendants, fails with ERROR
 *	deny ioctl:REQUEST=ERROR... -- CMD [ARG]...
 *		the same for one ioctl(2) request, a number
 *	deny -l
 *		the names of the calls and the errors
 *
 * Exit status 77: the system has no seccomp(2) filters, or not that call.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ABSENT 77

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/seccomp.h>)
#define HAVE_SECCOMP 1
#endif
#endif

#ifdef HAVE_SECCOMP
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <stddef.h>

#define LARGEST 64

struct name {
	const char *name;
	int number;
};

static const struct name calls[] = {
#define CALL(call) { #call, SYS_##call },
	CALL(clone) CALL(close) CALL(dup3) CALL(epoll_create1) CALL(
	    epoll_ctl) CALL(epoll_pwait) CALL(eventfd2) CALL(execve) CALL(fcntl)
	    CALL(fstat) CALL(fstatfs) CALL(getdents64) CALL(
		inotify_add_watch) CALL(inotify_init1) CALL(ioctl) CALL(kcmp)
		CALL(openat) CALL(pipe2) CALL(ppoll) CALL(pread64) CALL(
		    preadv2) CALL(prlimit64) CALL(process_vm_readv)
		    CALL(pselect6) CALL(ptrace) CALL(read) CALL(signalfd4) CALL(
			socket) CALL(splice) CALL(tee) CALL(timerfd_create)
			CALL(timerfd_settime) CALL(wait4) CALL(waitid) CALL(
			    write)
#ifdef SYS_access
			    CALL(access)
#endif
#ifdef SYS_clone3
				CALL(clone3)
#endif
#ifdef SYS_close_range
				    CALL(close_range)
#endif
#ifdef SYS_dup2
					CALL(dup2)
#endif
#ifdef SYS_epoll_pwait2
					    CALL(epoll_pwait2)
#endif
#ifdef SYS_epoll_wait
						CALL(epoll_wait)
#endif
#ifdef SYS_fork
						    CALL(fork)
#endif
#ifdef SYS_flock
							CALL(flock)
#endif
#ifdef SYS_newfstatat
							    CALL(newfstatat)
#endif
#ifdef SYS_open
								CALL(open)
#endif
#ifdef SYS_pidfd_getfd
								    CALL(
									pidfd_getfd)
#endif
#ifdef SYS_pidfd_open
									CALL(
									    pidfd_open)
#endif
#ifdef SYS_poll
									    CALL(
										poll)
#endif
#ifdef SYS_select
										CALL(
										    select)
#endif
#ifdef SYS_statx
										    CALL(
											statx)
#endif
#ifdef SYS_vfork
											CALL(
											    vfork)
#endif
#undef CALL
};

static const struct name errors[] = {
#define ERROR(error) { #error, error },
	ERROR(EACCES) ERROR(EAGAIN) ERROR(EBADF) ERROR(EEXIST) ERROR(EINTR)
	    ERROR(EINVAL) ERROR(EIO) ERROR(EMFILE) ERROR(ENFILE) ERROR(ENOENT)
		ERROR(ENOLCK) ERROR(ENOMEM) ERROR(ENOSPC) ERROR(ENOSYS)
		    ERROR(ENOTTY) ERROR(EOPNOTSUPP) ERROR(EPERM)
#undef ERROR
};

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

static int
look_up(const struct name *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].number;
	fprintf(stderr, "deny: not known here: %s (see deny -l)\n", name);
	exit(ABSENT);
}

static struct sock_filter filter[4 * LARGEST + 2];
static unsigned short length;

static void
add(unsigned code, unsigned yes, unsigned no, unsigned k)
{
	filter[length++] = (struct sock_filter){ (unsigned short)code,
		(unsigned char)yes, (unsigned char)no, k };
}

/* The low half of an ioctl's request, its second argument. */
static unsigned
request_offset(void)
{
	unsigned offset = offsetof(struct seccomp_data, args[1]);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	offset += 4;
#endif
	return offset;
}

static void
add_rule(char *word)
{
	char *error = strchr(word, '='), *request = strchr(word, ':');
	unsigned answer, number = 0;

	if (error == NULL) {
		fprintf(stderr, "deny: not CALL=ERROR: %s\n", word);
		exit(2);
	}
	*error++ = '\0';
	answer = SECCOMP_RET_ERRNO |
	    (unsigned)look_up(errors, NITEMS(errors), error);
	if (request != NULL) {
		*request++ = '\0';
		number = (unsigned)strtoul(request, NULL, 0);
	}
	add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	add(BPF_JMP | BPF_JEQ | BPF_K, 0, request == NULL ? 1 : 3,
	    (unsigned)look_up(calls, NITEMS(calls), word));
	if (request != NULL) {
		add(BPF_LD | BPF_W | BPF_ABS, 0, 0, request_offset());
		add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number);
	}
	add(BPF_RET | BPF_K, 0, 0, answer);
}

static int
list(void)
{
	for (size_t i = 0; i < NITEMS(calls); i++)
		puts(calls[i].name);
	for (size_t i = 0; i < NITEMS(errors); i++)
		puts(errors[i].name);
	return 0;
}

int
main(int argc, char **argv)
{
	struct sock_fprog program = { 0, filter };
	int i = 1;

	if (argc == 2 && strcmp(argv[1], "-l") == 0)
		return list();
	for (; i < argc && i <= LARGEST && strcmp(argv[i], "--") != 0; i++)
		add_rule(argv[i]);
	if (i + 1 >= argc || strcmp(argv[i], "--") != 0) {
		fprintf(stderr,
		    "usage: deny CALL=ERROR... -- CMD [ARG]... | deny -l\n");
		return 2;
	}
	add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	program.len = length;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
		perror("deny: seccomp");
		return ABSENT;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}

#else

int
main(void)
{
	fprintf(stderr, "deny: no seccomp(2) filters here\n");
	return ABSENT;
}

#endif
