/* SPDX-License-Identifier: ISC */
/* talk.c - records for the other end of a pair. */
#include "peer.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
talk_pair(const char *type, int pair[2])
{
	if (strcmp(type, "pty") == 0)
		make_pty(pair);
	else if (strcmp(type, "tcp") == 0)
		tcp_pair(pair);
	else
		make_sockets(pair,
		    strcmp(type, "dgram") == 0	    ? SOCK_DGRAM :
			strcmp(type, "packet") == 0 ? SOCK_SEQPACKET :
						      SOCK_STREAM);
}

static _Noreturn void
talk(int fd)
{
	size_t size = 0;
	char *record = NULL;
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	while ((n = getdelim(&record, &size, '\0', stdin)) > 0) {
		if (record[n - 1] == '\0')
			n--;
		for (ssize_t done = 0, m; done < n || n == 0; done += m) {
			m = write(fd, record + done, (size_t)(n - done));
			if (m <= 0)
				break;
		}
	}
	_exit(0);
}

/* A child writes each record of standard input with one call; NUL ends it. */
int
cmd_talk(char **argv)
{
	int pair[2], to, none;

	to = (int)number(argv[1], INT_MAX);
	high = to + 1;
	talk_pair(argv[0], pair);
	switch (fork()) {
	case -1:
		die(1, "fork");
	case 0:
		close(pair[0]);
		close(STDOUT_FILENO);
		talk(pair[1]);
	default:
		break;
	}
	close(pair[1]);
	none = open("/dev/null", O_RDONLY);
	if (none == -1 || dup2(none, STDIN_FILENO) == -1 ||
	    dup2(pair[0], to) == -1)
		die(1, "dup2");
	become(argv + 2);
}
