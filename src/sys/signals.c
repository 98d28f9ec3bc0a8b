/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "sys/signals.h"

/* POSIX has the first lines; signals_name returns the first of two names. */
static const struct {
	char name[8];
	int number;
} signals[] = {
	{ "HUP", SIGHUP },
	{ "INT", SIGINT },
	{ "QUIT", SIGQUIT },
	{ "ILL", SIGILL },
	{ "TRAP", SIGTRAP },
	{ "ABRT", SIGABRT },
	{ "BUS", SIGBUS },
	{ "FPE", SIGFPE },
	{ "KILL", SIGKILL },
	{ "USR1", SIGUSR1 },
	{ "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE },
	{ "ALRM", SIGALRM },
	{ "TERM", SIGTERM },
	{ "CHLD", SIGCHLD },
	{ "CONT", SIGCONT },
	{ "STOP", SIGSTOP },
	{ "TSTP", SIGTSTP },
	{ "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU },
	{ "URG", SIGURG },
	{ "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ },
	{ "VTALRM", SIGVTALRM },
	{ "PROF", SIGPROF },
	{ "SYS", SIGSYS },
#ifdef SIGWINCH
	{ "WINCH", SIGWINCH },
#endif
#ifdef SIGIO
	{ "IO", SIGIO },
#endif
#ifdef SIGPOLL
	{ "POLL", SIGPOLL },
#endif
#ifdef SIGIOT
	{ "IOT", SIGIOT },
#endif
#ifdef SIGCLD
	{ "CLD", SIGCLD },
#endif
#ifdef SIGEMT
	{ "EMT", SIGEMT },
#endif
#ifdef SIGINFO
	{ "INFO", SIGINFO },
#endif
#ifdef SIGPWR
	{ "PWR", SIGPWR },
#endif
#ifdef SIGSTKFLT
	{ "STKFLT", SIGSTKFLT },
#endif
#ifdef SIGTHR
	{ "THR", SIGTHR },
#endif
#ifdef SIGLIBRT
	{ "LIBRT", SIGLIBRT },
#endif
};

#define SIGNALS (sizeof signals / sizeof *signals)

int
signals_last(void)
{
	int last = NSIG - 1;

#ifdef SIGRTMAX
	if (SIGRTMAX > last)
		last = SIGRTMAX;
#endif
	return last;
}

/* LENGTH decimal digits at S; or -EINVAL. */
static int
decimal(const char *s, size_t length)
{
	uint64_t value;

	return number_parse(s, length, 10, INT_MAX / 2, &value) == 0 ?
	    (int)value :
	    -EINVAL;
}

/* RTMIN, RTMIN+N, RTMAX, RTMAX-N. */
static int
realtime(const char *name, size_t length)
{
#if defined(SIGRTMIN) && defined(SIGRTMAX)
	bool lowest = length >= 5 && strncasecmp(name, "RTMIN", 5) == 0;
	int n = 0, number;

	if (!lowest && (length < 5 || strncasecmp(name, "RTMAX", 5) != 0))
		return -EINVAL;
	if (length > 5) {
		if (name[5] != (lowest ? '+' : '-'))
			return -EINVAL;
		n = decimal(name + 6, length - 6);
		if (n < 0)
			return n;
	}
	number = lowest ? SIGRTMIN + n : SIGRTMAX - n;
	return number < SIGRTMIN || number > SIGRTMAX ? -EINVAL : number;
#else
	(void)name;
	(void)length;
	return -EINVAL;
#endif
}

int
signals_number(const char *name, size_t length)
{
	int number = decimal(name, length);

	if (number >= 0)
		return number == 0 || number > signals_last() ? -EINVAL :
								number;
	if (length > 3 && strncasecmp(name, "SIG", 3) == 0) {
		name += 3;
		length -= 3;
	}
	for (size_t i = 0; i < SIGNALS; i++)
		if (strlen(signals[i].name) == length &&
		    strncasecmp(signals[i].name, name, length) == 0)
			return signals[i].number;
	return realtime(name, length);
}

const char *
signals_name(int number, char space[SIGNALS_SPACE])
{
	for (size_t i = 0; i < SIGNALS; i++)
		if (signals[i].number == number)
			return signals[i].name;
#if defined(SIGRTMIN) && defined(SIGRTMAX)
	if (number >= SIGRTMIN && number <= SIGRTMAX) {
		(void)snprintf(space, SIGNALS_SPACE, "RTMIN+%d",
		    number - SIGRTMIN);
		return space;
	}
#endif
	(void)snprintf(space, SIGNALS_SPACE, "%d", number);
	return space;
}

bool
signals_sent(const siginfo_t *information)
{
	int code = information->si_code;

#ifdef SI_TKILL /* Linux */
	if (code == SI_TKILL)
		return true;
#endif
#ifdef SI_LWP /* FreeBSD, NetBSD, illumos */
	if (code == SI_LWP)
		return true;
#endif
	return code == SI_USER || code == SI_QUEUE;
}

void
signals_block(sigset_t *old)
{
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, old);
}

void
signals_hold(int number, sigset_t *old)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, number);
	(void)sigprocmask(SIG_BLOCK, &one, old);
}

/* Where it was blocked before, it may have been pending before. */
void
signals_drop(int number, const sigset_t *old)
{
	sigset_t set;

	if (sigismember(old, number) == 0 && sigpending(&set) == 0 &&
	    sigismember(&set, number) == 1) {
		sigemptyset(&set);
		sigaddset(&set, number);
		(void)sigwait(&set, &number);
	}
	(void)sigprocmask(SIG_SETMASK, old, NULL);
}

void
signals_restore(const sigset_t *old)
{
	(void)sigprocmask(SIG_SETMASK, old, NULL);
}
