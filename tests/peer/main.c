/* SPDX-License-Identifier: ISC */
/* main.c - the commands of peer. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
	{ "with", "N[-M]=STATE... -- CMD [ARG]...",
	    "become CMD, with descriptors N to M in STATE", 0, cmd_with },
	{ "states", "[PREFIX]", "print the names of the states", 0,
	    cmd_states },
	{ "run", "[-k SIGNAL:NANOSECONDS] FILE CMD [ARG]...",
	    "run CMD; write \"exit N\" or \"signal N\" into FILE", 2, cmd_run },
	{ "as", "UID CMD [ARG]...",
	    "become CMD as another user, who may lack access to it", 2,
	    cmd_as },
	{ "asleep", "CALL [N|PATH]",
	    "write a newline to standard output and sleep in system call CALL",
	    1, cmd_asleep },
	{ "victim", "NAME",
	    "write a newline to standard output and be stuck, or seem so", 1,
	    cmd_victim },
	{ "witness", "ROUNDS",
	    "print what waits for one of each kind report, so often", 1,
	    cmd_witness },
	{ "zombie", "CMD [ARG]...",
	    "become CMD, with the number of a zombie for each @PID@", 1,
	    cmd_zombie },
	{ "owner", "FILE [EPOLL]",
	    "write the process id into FILE and pause; SIGUSR2: change EPOLL",
	    1, cmd_owner },
	{ "closer", "FILE N",
	    "watch N by epoll, pause; SIGUSR2: close N, print its reports", 2,
	    cmd_closer },
	{ "openers", "PATH|DEVICE:INODE",
	    "print \"PID r\", \"w\" or \"rw\" for each process that has it open",
	    1, cmd_openers },
	{ "await", "N PATH|DEVICE:INODE", "wait until N processes have it open",
	    2, cmd_await },
	{ "bits", "MASK CMD [ARG]...",
	    "run CMD; add MASK to the results of poll and epoll", 2, cmd_bits },
	{ "talk", "unix|dgram|packet|tcp|pty N CMD [ARG]...",
	    "become CMD, with descriptor N a pair's end that receives the input",
	    3, cmd_talk },
	{ "try", "read|write N",
	    "print what that does to descriptor N, without waiting", 2,
	    cmd_try },
	{ "descriptors", "", "print the numbers that are open", 0,
	    cmd_descriptors },
	{ "signals", "", "print the signals that are blocked or ignored", 0,
	    cmd_signals },
	{ "flags", "N", "print the status flags of descriptor N", 1,
	    cmd_flags },
	{ "same", "N M",
	    "status 0 if both descriptors are of one open file description", 2,
	    cmd_same },
	{ "rename", "OLD NEW",
	    "rename OLD, also over a symbolic link to a folder", 2,
	    cmd_rename },
	{ "lock", "in|out PATH START LENGTH CMD [ARG]...",
	    "become CMD, with a FIFO open and those bytes of it locked", 5,
	    cmd_lock },
	{ "clock", "", "print the monotonic clock, in nanoseconds", 0,
	    cmd_clock },
	{ "reaped", "",
	    "status 0 if the kernel reports the exit of a reaped process", 0,
	    cmd_reaped },
};

static const struct command *running; /* NULL: none was named */

_Noreturn void
usage(void)
{
	fputs("usage:\n", stderr);
	for (size_t i = 0; i < NITEMS(commands); i++) {
		const struct command *c = &commands[i];

		if (running == NULL || running == c)
			fprintf(stderr, "  peer %s %s\n\t%s\n", c->name,
			    c->arguments, c->purpose);
	}
	exit(2);
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; name != NULL && i < NITEMS(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int
main(int argc, char **argv)
{
	running = find_command(argv[1]);
	if (running == NULL || argc - 2 < running->least)
		usage();
	subject = running->name;
	return running->run(argv + 2);
}
