/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sys/kind.h"

#ifdef HAVE_EPOLL_CREATE1
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include <fcntl.h>
#include <unistd.h>
#endif

static const struct {
	char name[12], link[24];
	enum polling polling;
} kinds[] = {
#define KIND(name, text, link, polling) { text, link, polling },
#include "sys/kinds.def"
#undef KIND
};

const char *
kind_name(enum kind kind)
{
	return kinds[kind].name;
}

enum polling
kind_polling(enum kind kind)
{
	return kinds[kind].polling;
}

/*
 * Only the kernel makes links that do not begin with a slash.  "pipe:[12]" and
 * "anon_inode:kvm-vm" begin with the text of the row, the others are equal.
 */
enum kind
kind_of_link(const char *link)
{
	for (size_t i = 0; *link != '/' && i < KINDS; i++) {
		const char *text = kinds[i].link;
		size_t length = strlen(text);

		if (length > 0 && strncmp(link, text, length) == 0 &&
		    (link[length] == '\0' || text[length - 1] == ':'))
			return (enum kind)i;
	}
	return KINDS;
}

/* devices.txt of Linux: tty and ttyS; tty, console and ptmx; slaves. */
static int
is_terminal(uint64_t special, const char *link)
{
	uint64_t major = special >> 20;

	return major == 4 || major == 5 || (major >= 136 && major <= 143) ||
	    strncmp(link, "/dev/tty", 8) == 0;
}

enum kind
kind_of_file(mode_t mode, uint64_t special, const char *link)
{
	if (S_ISFIFO(mode))
		return strncmp(link, "pipe:", 5) == 0 ? KIND_PIPE : KIND_FIFO;
	if (S_ISSOCK(mode))
		return KIND_SOCKET;
	if (S_ISREG(mode))
		return KIND_FILE;
	if (S_ISDIR(mode))
		return KIND_DIRECTORY;
	if (S_ISCHR(mode) && is_terminal(special, link))
		return KIND_TERMINAL;
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return KIND_DEVICE;
	return KIND_OTHER;
}

#ifdef HAVE_EPOLL_CREATE1

/* Close FD, which may be -1 with errno.  Returns 0 with its device, or -errno. */
static int
take_device(int fd, uint64_t *device)
{
	struct stat st;
	int error = 0;

	if (fd == -1)
		return -errno;
	if (fstat(fd, &st) == -1)
		error = -errno;
	else
		*device = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev);
	(void)close(fd);
	return error;
}

int
kind_devices(struct kind_devices *devices)
{
	int ends[2], error;

	error = pipe2(ends, O_CLOEXEC) == -1 ? -errno : 0;
	if (error != 0)
		return error;
	(void)close(ends[1]);
	error = take_device(ends[0], &devices->pipes);
	if (error == 0)
		error = take_device(
		    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		    &devices->sockets);
	/* a filter denies it: sockets are examined one by one then */
	if (error == -EPERM || error == -EACCES || error == -ENOSYS ||
	    error == -EAFNOSUPPORT) {
		devices->sockets = UINT64_MAX;
		error = 0;
	}
	if (error == 0)
		error = take_device(epoll_create1(EPOLL_CLOEXEC),
		    &devices->anonymous);
	return error;
}

#else

int
kind_devices(struct kind_devices *devices)
{
	(void)devices;
	return -ENOSYS;
}

#endif
