/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "await/internal.h"
#include "base/pmux.h"
#include "compat.h"
#include "output/debug.h"
#include "sys/fdplace.h"
#include "sys/signals.h"

/* Its reader has gone (SIGIO). */
static void
leave(int number)
{
	(void)number;
	_exit(0);
}

/*
 * With the caller's signals as they are by default, and no descriptor but FD;
 * the end of its reader ends the process, however long the lookup takes.
 */
static void
make_room(int fd)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = SIG_DFL;
	for (int i = 1; i <= signals_last(); i++)
		(void)sigaction(i, &action, NULL);
	action.sa_handler = leave;
	(void)sigaction(SIGIO, &action, NULL);
	close_between(0, (unsigned)fd - 1);
	close_between((unsigned)fd + 1, INT_MAX);
	(void)sigprocmask(SIG_SETMASK, &action.sa_mask, NULL);
	(void)fcntl(fd, F_SETOWN, getpid());
	(void)fcntl(fd, F_SETFL, O_ASYNC);
}

_Noreturn static void
look_up(int fd, const char *host, const char *port)
{
	struct addrinfo hints, *list = NULL;
	unsigned count = 0;

	make_room(fd);
	memset(&hints, 0, sizeof hints);
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(host, port, &hints, &list) != 0)
		_exit(0);
	for (; list != NULL && count < MOST_ADDRESSES; list = list->ai_next) {
		struct address address;

		if (list->ai_addrlen > sizeof address.of)
			continue;
		memset(&address, 0, sizeof address);
		memcpy(&address.of, list->ai_addr, list->ai_addrlen);
		address.length = list->ai_addrlen;
		if (write(fd, &address, sizeof address) != sizeof address)
			break;
		count++;
	}
	_exit(0);
}

static pid_t
start_process(void)
{
	struct pmux_host *host = pmux->host;

	return host->fork == NULL ? fork() : host->fork(host);
}

/* A child's child: nobody has to wait for it.  Returns 0 or -errno. */
static int
start_orphan(int fd, const char *host, const char *port)
{
	pid_t child = start_process();
	int error = child == -1 ? -errno : 0;

	if (child == 0) {
		if (fork() == 0)
			look_up(fd, host, port);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) == -1 && errno == EINTR)
		;
	return error;
}

int
resolve_start(const char *host, const char *port)
{
	int ends[2], error;
	sigset_t old;

	if (pipe(ends) == -1)
		return -errno;
	for (int i = 0; i < 2; i++) {
		(void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
		ends[i] = fdplace(ends[i]);
	}
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	DEBUG("await", "look up %s", host);
	signals_block(&old);
	error = start_orphan(ends[1], host, port);
	signals_restore(&old);
	(void)close(ends[1]);
	if (error == 0)
		return ends[0];
	(void)close(ends[0]);
	return error;
}
