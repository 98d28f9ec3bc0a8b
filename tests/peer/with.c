/* SPDX-License-Identifier: ISC */
/* with.c - a command with descriptors in given states. */
#include "peer.h"

#include <sys/resource.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct spec {
	int first, last;
	const char *state;
};

static struct spec
parse_spec(char *word)
{
	struct spec s;
	char *equals = strchr(word, '='), *dash;

	errno = 0;
	if (equals == NULL)
		die(2, "not N=STATE: %s", word);
	*equals = '\0';
	if ((dash = strchr(word, '-')) != NULL)
		*dash = '\0';
	s.first = (int)number(word, INT_MAX - 1);
	s.last = dash == NULL ? s.first : (int)number(dash + 1, INT_MAX - 1);
	s.state = equals + 1;
	return s;
}

/* Hold the other ends until the process that executes CMD has ended. */
static void
keep(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == -1)
		die(1, "fork");
	if (pid > 0)
		return;
	for (int fd = 0; fd < high; fd++)
		close(fd);
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	while (getppid() == parent)
		nap(50000000);
	_exit(0);
}

static void
arrange(const struct spec *s)
{
	int fd = make_state(s->state);

	for (int n = s->first; n <= s->last; n++) {
		if (fd == -1)
			close(n);
		else if (dup2(fd, n) == -1)
			die(ABSENT, "descriptor %d", n);
	}
	if (fd != -1)
		close(fd);
}

int
cmd_with(char **argv)
{
	struct rlimit old, raised;
	struct spec specs[16];
	size_t n = 0;

	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
		errno = 0;
		if (n == NITEMS(specs))
			die(2, "too many descriptors");
		specs[n] = parse_spec(*argv);
		if (specs[n].last >= high)
			high = specs[n].last + 1;
		n++;
	}
	if (getrlimit(RLIMIT_NOFILE, &old) == -1)
		die(1, "getrlimit");
	raised = old;
	raised.rlim_cur = raised.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &raised);
	for (size_t i = 0; i < n; i++) {
		subject = specs[i].state;
		arrange(&specs[i]);
	}
	subject = "peer";
	keep();
	if (setrlimit(RLIMIT_NOFILE, &old) == -1)
		die(1, "setrlimit");
	become(*argv == NULL ? argv : argv + 1);
}
