/* SPDX-License-Identifier: ISC */
/* process.c - other users, zombies, reaped processes. */
#include "peer.h"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int
cmd_as(char **argv)
{
	uid_t uid;
	int fd;

	uid = (uid_t)number(argv[0], INT_MAX);
	if ((fd = open(argv[1], O_RDONLY)) == -1)
		die(127, "%s", argv[1]);
	if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, 100)) == -1)
		die(1, "F_DUPFD_CLOEXEC");
	if (setgroups(0, NULL) == -1 || setgid((gid_t)uid) == -1 ||
	    setuid(uid) == -1)
		die(ABSENT, "setuid");
#ifdef HAVE_FEXECVE
	fexecve(fd, argv + 1, environ);
	die(127, "%s", argv[1]);
#else
	(void)fd;
	become(argv + 1);
#endif
}

int
cmd_zombie(char **argv)
{
	static char text[24];

	snprintf(text, sizeof text, "%ld", (long)make_zombie());
	for (char **a = argv; *a != NULL; a++)
		if (strcmp(*a, "@PID@") == 0)
			*a = text;
	become(argv);
}

/* PIDFD_GET_INFO of Linux 6.15 (include/uapi/linux/pidfd.h). */
int
cmd_reaped(char **argv)
{
#ifdef __linux__
	uint64_t info[8] = { 1u << 3 }; /* PIDFD_INFO_EXIT */
	pid_t pid = fork();
	int fd;

	(void)argv;
	if (pid == 0)
		_exit(7);
	fd = pidfd_of(pid);
	if (waitpid(pid, NULL, 0) != pid)
		die(1, "waitpid");
	return ioctl(fd, 0xc040ff0b, info) == -1 || (info[0] & 1u << 3) == 0;
#else
	(void)argv;
	return 1;
#endif
}
