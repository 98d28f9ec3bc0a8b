/* SPDX-License-Identifier: ISC */
/*
 * peer.h - declarations shared by the files of peer.
 *
 * peer does for the tests what a shell cannot do.  Its commands are the table
 * in main.c; the states of a descriptor, which "peer with" makes, are tables
 * in one file for each kind.
 *
 * Any failure ends peer with a message.  Exit status 2: wrong arguments;
 * 77: not available on this system.
 */
#ifndef TESTS_PEER_PEER_H
#define TESTS_PEER_PEER_H

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#if defined(__NetBSD__) && !defined(_NETBSD_SOURCE)
#define _NETBSD_SOURCE
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include <sys/types.h>

#include <stddef.h>

#define ABSENT 77
#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

/* ---- common.c ---- */

extern const char *subject; /* of a message: a command or a state */

/* Print a message, with the text of errno unless that is 0, and exit. */
/* cppcheck 2.10 does not know _Noreturn in a declaration. */
void die(int status, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* The number from 0 to max that s is, decimal, octal or hexadecimal. */
long long number(const char *s, long long max);

void nap(long long nanoseconds);

/* Run argv in place of peer; the status is 127 if that fails. */
_Noreturn void become(char **argv);

/* A child that has exited and has not been waited for. */
pid_t make_zombie(void);

/* ---- descriptor.c ---- */

extern int high; /* lowest number for descriptors of peer itself */

/* A duplicate of fd from number high on, close-on-exec; fd is closed. */
int move(int fd);

/* move() for both of p, which a call with that result has made. */
void move_pair(int p[2], int result);

void make_pipe(int p[2]);
void make_sockets(int s[2], int type);

/* Wait until poll(2) reports one of events, POLLERR or POLLHUP. */
void until(int fd, int events);

void put(int fd, const char *s);

/* Set O_NONBLOCK; returns the flags before. */
int nonblocking(int fd);

void fill(int fd);
void drain(int fd);

/* ---- the states ---- */

/* make returns a descriptor from number high on, or -1 for a closed one. */
struct state {
	const char *name;
	int (*make)(void);
};

/* Each table ends with a null name. */
extern const struct state pipe_states[];
extern const struct state fifo_states[];
extern const struct state local_states[];
extern const struct state inet_states[];
extern const struct state pty_states[];
extern const struct state file_states[];
extern const struct state linux_states[];

/* Make a descriptor in the named state (state.c). */
int make_state(const char *name);

/* inet.c: a connection on the loopback interface. */
void tcp_pair(int s[2]);

/* pty.c: p[0] is the master, p[1] the slave. */
void make_pty(int p[2]);

/* linux.c */
int pidfd_of(pid_t pid);

/* ---- the commands ---- */

struct command {
	const char *name;
	const char *arguments;
	const char *purpose;
	int least; /* number of arguments */
	int (*run)(char **argv);
};

/* Print how the running command is used; the status is 2 (main.c). */
_Noreturn void usage(void);

/* Each gets at least its least number of arguments, then NULL. */
int cmd_as(char **argv);
int cmd_asleep(char **argv);
int cmd_await(char **argv);
int cmd_bits(char **argv);
int cmd_clock(char **argv);
int cmd_closer(char **argv);
int cmd_descriptors(char **argv);
int cmd_flags(char **argv);
int cmd_lock(char **argv);
int cmd_openers(char **argv);
int cmd_owner(char **argv);
int cmd_reaped(char **argv);
int cmd_rename(char **argv);
int cmd_run(char **argv);
int cmd_same(char **argv);
int cmd_signals(char **argv);
int cmd_states(char **argv);
int cmd_talk(char **argv);
int cmd_try(char **argv);
int cmd_victim(char **argv);
int cmd_with(char **argv);
int cmd_witness(char **argv);
int cmd_zombie(char **argv);

#endif
