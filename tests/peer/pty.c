/* SPDX-License-Identifier: ISC */
/* pty.c - states of terminals. */
#include "peer.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

void
make_pty(int p[2])
{
	const char *name;

	p[0] = posix_openpt(O_RDWR | O_NOCTTY);
	if (p[0] == -1 || grantpt(p[0]) == -1 || unlockpt(p[0]) == -1 ||
	    (name = ptsname(p[0])) == NULL)
		die(ABSENT, "posix_openpt");
	p[1] = open(name, O_RDWR | O_NOCTTY);
	move_pair(p, p[1]);
}

static int
master_idle(void)
{
	int p[2];

	make_pty(p);
	return p[0];
}

static int
master_data(void)
{
	int p[2];

	make_pty(p);
	put(p[1], "hello");
	until(p[0], POLLIN);
	return p[0];
}

static int
master_closed(void)
{
	int p[2];

	make_pty(p);
	close(p[1]);
	until(p[0], 0);
	return p[0];
}

static int
slave_idle(void)
{
	int p[2];

	make_pty(p);
	return p[1];
}

/* The echo shows that the line discipline has processed the bytes. */
static int
slave_unfinished(void)
{
	int p[2];

	make_pty(p);
	put(p[0], "abc");
	until(p[0], POLLIN);
	drain(p[0]);
	return p[1];
}

static int
slave_line(void)
{
	int p[2];

	make_pty(p);
	put(p[0], "abc\n");
	until(p[1], POLLIN);
	drain(p[0]);
	return p[1];
}

static int
slave_closed(void)
{
	int p[2];

	make_pty(p);
	close(p[0]);
	until(p[1], 0);
	return p[1];
}

const struct state pty_states[] = {
	{ "pty.master.idle", master_idle },
	{ "pty.master.data", master_data },
	{ "pty.master.slave-closed", master_closed },
	{ "pty.slave.idle", slave_idle },
	{ "pty.slave.unfinished-line", slave_unfinished },
	{ "pty.slave.line", slave_line },
	{ "pty.slave.master-closed", slave_closed },
	{ NULL, NULL },
};
