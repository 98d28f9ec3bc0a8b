/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pmux.h"
#include "sys/caller.h"
#include "sys/fdplace.h"
#include "sys/launch.h"
#include "sys/signals.h"

#define SHELL "/bin/sh"

void
launch_remember(void)
{
	struct launching *l = pmux->launching;
	struct sigaction action;

	(void)sigprocmask(SIG_SETMASK, NULL, &l->mask);
	sigemptyset(&l->ignored);
	for (int i = 1; i <= signals_last(); i++)
		if (sigaction(i, NULL, &action) == 0 &&
		    action.sa_handler == SIG_IGN)
			(void)sigaddset(&l->ignored, i);
}

bool
launch_ignores(int number)
{
	return sigismember(&pmux->launching->ignored, number) == 1;
}

bool
launch_blocks(int number)
{
	return sigismember(&pmux->launching->mask, number) == 1;
}

/* ---- which file ---- */

/* DIRECTORY/NAME, and never something that a shell takes for an option. */
static char *
join(const char *directory, size_t length, const char *name)
{
	bool dash = length > 0 && *directory == '-';
	size_t size = strlen(name) + 1;
	char *path, *p;

	if (length == 0) {
		directory = ".";
		length = 1;
	}
	path = p = malloc(2 + length + 1 + size);
	if (path == NULL)
		return NULL;
	if (dash) {
		memcpy(p, "./", 2);
		p += 2;
	}
	memcpy(p, directory, length);
	p += length;
	*p++ = '/';
	memcpy(p, name, size);
	return path;
}

static const char *
default_path(void)
{
	struct launching *l = pmux->launching;

	return confstr(_CS_PATH, l->standard, sizeof l->standard) == 0 ?
	    "" :
	    l->standard;
}

static size_t
count_elements(const char *path)
{
	size_t n = 1;

	for (; *path != '\0'; path++)
		n += *path == ':';
	return n;
}

/* Every file that NAME may be in PATH, in which an empty element is here. */
static int
search(const char *path, const char *name)
{
	struct launching *l = pmux->launching;
	size_t count = count_elements(path), length;

	l->paths = calloc(count + 1, sizeof *l->paths);
	if (l->paths == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++, path += length + 1) {
		length = strcspn(path, ":");
		if ((l->paths[i] = join(path, length, name)) == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* No file is named "", for which execve(2) of NetBSD 9.1 says EACCES. */
static int
find(char *name)
{
	struct launching *l = pmux->launching;
	const char *path = getenv("PATH");

	l->searched = strchr(name, '/') == NULL;
	if (l->searched && *name != '\0')
		return search(path == NULL ? default_path() : path, name);
	l->paths = calloc(2, sizeof *l->paths);
	if (l->paths == NULL)
		return -ENOMEM;
	if (*name == '\0')
		return 0;
	if (*name == '-')
		return (l->paths[0] = join(".", 1, name)) == NULL ? -ENOMEM : 0;
	return (l->paths[0] = strdup(name)) == NULL ? -ENOMEM : 0;
}

static bool
is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

int
launch_prepare(char **arguments)
{
	struct launching *l = pmux->launching;
	size_t count = 1;
	int error;

	while (arguments[count] != NULL)
		count++;
	l->script = calloc(count + 2, sizeof *l->script);
	if (l->script == NULL)
		return -ENOMEM;
	l->script[0] = arguments[0];
	memcpy(l->script + 2, arguments + 1, (count - 1) * sizeof *l->script);
	error = find(arguments[0]);
	if (error != 0)
		return error;
	/* each start is spared those that are not there */
	for (l->first = l->paths;
	     *l->first != NULL && !is_executable(*l->first); l->first++)
		;
	if (*l->first == NULL)
		l->first = l->paths;
	return 0;
}

bool
launch_found(void)
{
	char *const *first = pmux->launching->first;

	return *first != NULL && is_executable(*first);
}

void
launch_end(struct launching *l)
{
	for (char **path = l->paths; path != NULL && *path != NULL; path++)
		free(*path);
	free(l->paths);
	free(l->script);
}

/* ---- the caller's state; from here on all is async-signal-safe ---- */

/* Once is enough: pmux changes dispositions before the first launch only. */
static void
note_signals(void)
{
	struct launching *l = pmux->launching;
	struct sigaction action;

	if (l->noted)
		return;
	l->noted = true;
	sigemptyset(&l->changed);
	for (int i = 1; i <= signals_last(); i++)
		if (sigaction(i, NULL, &action) == 0 &&
		    ((action.sa_flags & SA_SIGINFO) != 0 ||
			action.sa_handler !=
			    (launch_ignores(i) ? SIG_IGN : SIG_DFL))) {
			(void)sigaddset(&l->changed, i);
			l->changes = true;
		}
}

bool
launch_changes(void)
{
	note_signals();
	return pmux->launching->changes;
}

/*
 * execve(2) resets the signals that are caught; but they are unblocked a moment
 * before that, and the child of vfork(2) must not handle one.
 */
static void
restore_signals(void)
{
	struct launching *l = pmux->launching;
	int last = signals_last();
	struct sigaction action;

	memset(&action, 0, sizeof action);
	sigemptyset(&action.sa_mask);
	for (int i = 1; i <= last; i++) {
		if (sigismember(&l->changed, i) != 1)
			continue;
		action.sa_handler = launch_ignores(i) ? SIG_IGN : SIG_DFL;
		(void)sigaction(i, &action, NULL);
	}
	(void)sigprocmask(SIG_SETMASK, &l->mask, NULL);
}

/* Whether to try the next directory of PATH, as execvp(3) does. */
static bool
goes_on(int error)
{
	return pmux->launching->searched &&
	    (error == ENOENT || error == ENOTDIR || error == EACCES ||
		error == ENODEV || error == ESTALE || error == ETIMEDOUT);
}

static int
execute(const struct launch *launch)
{
	struct launching *l = pmux->launching;
	bool denied = false;
	int error = ENOENT;

	for (char **path = l->first; *path != NULL; path++) {
		(void)execve(*path, launch->arguments, launch->environment);
		error = errno;
		if (error == ENOEXEC) {
			l->script[1] = *path;
			(void)execve(SHELL, l->script, launch->environment);
			return errno;
		}
		if (!goes_on(error))
			return error;
		denied |= error == EACCES;
	}
	return denied ? EACCES : ENOENT;
}

/* FD, if it is not -1, becomes NUMBER too.  Returns 0 or errno. */
static int
put(int fd, int number)
{
	while (fd != -1 && dup2(fd, number) == -1)
		if (errno != EINTR)
			return errno;
	return 0;
}

int
launch_become(const struct launch *launch)
{
	int error;

	note_signals();
	error = put(launch->input, STDIN_FILENO);
	if (error == 0)
		error = put(launch->output, STDOUT_FILENO);
	if (pmux->caller->limited)
		(void)setrlimit(RLIMIT_NOFILE, &pmux->caller->files);
	restore_signals();
	return error == 0 ? execute(launch) : error;
}

static void
reap(pid_t child)
{
	while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
		;
}

int
launch_possible(void)
{
#ifdef HAVE_VFORK
	pid_t child = vfork(); /* NOLINT */
#else
	pid_t child = fork();
#endif

	if (child == 0)
		_exit(0); /* NOLINT */
	if (child == -1)
		return -errno;
	reap(child);
	return 0;
}

#ifdef HAVE_VFORK

/*
 * The child runs in the memory of pmux, which stands still until then: nothing
 * is copied, however large pmux has become.
 */
pid_t
launch_start(const struct launch *launch, int *error)
{
	struct launching *l = pmux->launching;
	pid_t child;

	note_signals();
	l->failed = 0;
	child = vfork(); /* NOLINT: all below is made for it */
	if (child == 0) {
		l->failed = launch_become(launch); /* NOLINT */
		_exit(127); /* NOLINT */
	}
	*error = child == -1 ? errno : l->failed;
	if (child == -1 || l->failed == 0)
		return child;
	reap(child);
	return 0;
}

#else

/* The child reports a failed execve(2) through a pipe that execve(2) closes. */
static _Noreturn void
run_child(const struct launch *launch, int say)
{
	int error = launch_become(launch);

	(void)!write(say, &error, sizeof error);
	_exit(127);
}

static int
open_pipe(int ends[2])
{
	if (pipe(ends) == -1)
		return errno;
	for (int i = 0; i < 2; i++) {
		(void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
		ends[i] = fdplace(ends[i]);
	}
	return ends[0] >= 0 && ends[1] >= 0 ? 0 : EMFILE;
}

pid_t
launch_start(const struct launch *launch, int *error)
{
	ssize_t n = 0;
	int ends[2];
	pid_t child;

	*error = open_pipe(ends);
	if (*error != 0)
		return -1;
	note_signals();
	child = fork();
	if (child == 0)
		run_child(launch, ends[1]);
	if (child == -1)
		*error = errno;
	(void)close(ends[1]);
	if (child != -1)
		n = read(ends[0], error, sizeof *error);
	(void)close(ends[0]);
	if (child == -1 || n != sizeof *error)
		return child;
	reap(child);
	return 0;
}

#endif
