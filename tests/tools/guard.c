/* SPDX-License-Identifier: ISC */
/*
 * guard - ends what a test has left running, and nothing else.
 *
 *	guard run CMD [ARG]...
 *		run CMD with every signal at its default; when it has ended, end
 *		all of its descendants that are left; the exit status is CMD's,
 *		128 + N for signal N
 *	guard watch SECONDS PID
 *		PID is the parent, a test that hangs if it takes longer: end
 *		what it has started, and then the test; end silently with it
 *
 * A process ID may be reused at any moment, so guard signals only processes that
 * it cannot mistake: its own children that it has not waited for yet, and those
 * that a pidfd refers to (pidfd_open(2), Linux 5.3).
 *
 * `run' makes itself the reaper of its descendants (PR_SET_CHILD_SUBREAPER,
 * PROC_REAP_ACQUIRE), so each of them becomes its child in time, whatever
 * session or process group it made for itself.
 *
 * `watch' recognizes the processes to end by TEST_OF_PMUX, an environment
 * variable that they inherit from the test and that no other test has, and then
 * by their ancestors: a subshell executes nothing and has no such variable.
 * Where there is no pidfd, ps(1) shows both; a process that ends right then, and
 * whose number another one gets at once, would be mistaken.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include <sys/types.h>
#include <sys/wait.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#ifdef __FreeBSD__
#include <sys/procctl.h>
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MARK "TEST_OF_PMUX"

/* Rounds of ending the processes of the test, before the test itself. */
#define ROUNDS 50

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "guard: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- run ---- */

static volatile sig_atomic_t command;

/* The command is not waited for before this is ignored again. */
static void
pass_on(int number)
{
	if (command > 0)
		(void)kill((pid_t)command, number);
}

static void
handle(void (*handler)(int))
{
	static const int list[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action, old;

	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (sigaction(list[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			(void)sigaction(list[i], &action, NULL);
}

/*
 * Signals that are ignored because of nohup(1) or a shell without job control
 * get their default again: a shell cannot do that, and the tests need it.
 */
static void
default_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP)
			(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
become_reaper(void)
{
#if defined(PR_SET_CHILD_SUBREAPER)
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#elif defined(PROC_REAP_ACQUIRE)
	(void)procctl(P_PID, getpid(), PROC_REAP_ACQUIRE, NULL);
#endif
}

#ifdef __linux__
/* Call FN with the number of each process, and with ARG. */
static void
each_process(void (*fn)(const char *pid, void *arg), void *arg)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;

	if (proc == NULL)
		return;
	while ((d = readdir(proc)) != NULL)
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9')
			fn(d->d_name, arg);
	closedir(proc);
}

/* The parent of process PID, or -1 if there is no such process. */
static long
parent_of(const char *pid)
{
	char path[64], line[512];
	const char *p;
	long parent;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	if (fgets(line, sizeof line, f) == NULL ||
	    (p = strrchr(line, ')')) == NULL ||
	    sscanf(p + 1, " %*c %ld", &parent) != 1)
		parent = -1;
	fclose(f);
	return parent;
}

/* Children keep their number until they are waited for, which comes later. */
static void
kill_if_child(const char *pid, void *arg)
{
	(void)arg;
	if (parent_of(pid) == (long)getpid())
		(void)kill((pid_t)atol(pid), SIGKILL);
}

static void
kill_children(void)
{
	each_process(kill_if_child, NULL);
}
#elif defined(PROC_REAP_KILL)
static void
kill_children(void)
{
	struct procctl_reaper_kill what;

	memset(&what, 0, sizeof what);
	what.rk_sig = SIGKILL;
	(void)procctl(P_PID, getpid(), PROC_REAP_KILL, &what);
}
#endif

/* Orphans become children of this process: repeat until there is none. */
static void
end_descendants(void)
{
#if defined(__linux__) || defined(PROC_REAP_KILL)
	struct timespec pause = { 0, 1000000 };
	pid_t pid;

	for (;;) {
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			continue;
		if (pid == -1 && errno == ECHILD)
			break;
		kill_children();
		(void)nanosleep(&pause, NULL);
	}
#endif
}

/* Wait until PID has ended, and for those that became children meanwhile. */
static void
await_command(pid_t pid)
{
	siginfo_t info = { 0 };

	while (info.si_pid != pid) {
		if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == -1) {
			if (errno != EINTR)
				die("waitid");
		} else if (info.si_pid != pid)
			(void)waitpid(info.si_pid, NULL, 0);
	}
}

static int
cmd_run(char **argv)
{
	int status = 0;
	sigset_t all, old;
	pid_t pid;

	if (*argv == NULL)
		return 2;
	become_reaper();
	/* a signal that comes as soon as it runs is passed on, too */
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0) {
		default_signals();
		execvp(*argv, argv);
		die(*argv);
	}
	command = (sig_atomic_t)pid;
	handle(pass_on);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	await_command(pid);
	command = 0;
	if (waitpid(pid, &status, 0) == -1)
		die("waitpid");
	end_descendants();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* ---- watch ---- */

#if defined(__linux__) && defined(SYS_pidfd_open) && \
    defined(SYS_pidfd_send_signal)

static int
pidfd_of(long pid)
{
	return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

static void
send_signal(int pidfd, int number)
{
	(void)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

static int
has_ended(int pidfd, int ms)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	return poll(&p, 1, ms) != 0;
}

/* Whether the environment of process PID has the entry WANTED. */
static int
is_marked(const char *pid, const char *wanted)
{
	char path[64], *entry = NULL;
	size_t size = 0;
	int found = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (!found && getdelim(&entry, &size, '\0', f) > 0)
		found = strcmp(entry, wanted) == 0;
	free(entry);
	fclose(f);
	return found;
}

/* Whether process PID descends from ANCESTOR. */
static int
descends(const char *pid, long ancestor)
{
	char number[24];
	long parent = parent_of(pid);

	while (parent > 1 && parent != ancestor) {
		snprintf(number, sizeof number, "%ld", parent);
		parent = parent_of(number);
	}
	return parent == ancestor;
}

/* What a test has started has this mark, or this ancestor where it is not 0. */
struct family {
	const char *mark;
	long ancestor;
	int *pidfds;
	size_t count;
};

/*
 * The process of the pidfd had the number while /proc was read, or has ended
 * since then: a zombie keeps its number, and a reaped process gets no signal.
 */
static void
add_member(const char *pid, void *arg)
{
	struct family *family = arg;
	int pidfd = atol(pid) == (long)getpid() ? -1 : pidfd_of(atol(pid));
	int *more = NULL;

	if (pidfd == -1)
		return;
	if ((is_marked(pid, family->mark) ||
		(family->ancestor != 0 && descends(pid, family->ancestor))) &&
	    !has_ended(pidfd, 0))
		more = realloc(family->pidfds,
		    (family->count + 1) * sizeof *more);
	if (more == NULL) {
		(void)close(pidfd);
		return;
	}
	family->pidfds = more;
	family->pidfds[family->count++] = pidfd;
}

/* All are found before the first is ended: its children would be orphans. */
static void
end_family(const char *mark, long ancestor)
{
	struct family family = { mark, ancestor, NULL, 0 };

	each_process(add_member, &family);
	for (size_t i = 0; i < family.count; i++) {
		send_signal(family.pidfds[i], SIGKILL);
		(void)close(family.pidfds[i]);
	}
	free(family.pidfds);
}

/*
 * The test goes on, and fails, as soon as the process that it waited for has
 * ended; unless it hangs itself.
 */
static void
end_test(int test, long pid, const char *mark)
{
	for (int i = 0; i < 2 * ROUNDS && !has_ended(test, 100); i++) {
		if (i == ROUNDS)
			send_signal(test, SIGTERM);
		end_family(mark, i < ROUNDS / 2 ? 0 : pid);
	}
	send_signal(test, SIGKILL);
}

static int
watch(long seconds, long pid)
{
	const char *mark = getenv(MARK);
	char wanted[4096 + sizeof MARK + 1];
	int test = pidfd_of(pid), n;

	/*
	 * As long as it is the parent, its number is not reused; once it has
	 * ended, the parent is another.
	 */
	if (test == -1 || getppid() != (pid_t)pid)
		return 0;
	n = snprintf(wanted, sizeof wanted, "%s=%s", MARK,
	    mark == NULL ? "" : mark);
	if (mark == NULL || *mark == '\0' || n >= (int)sizeof wanted)
		return 2;
	for (; seconds > 0; seconds--)
		if (has_ended(test, 1000))
			return 0;
	end_test(test, pid, wanted);
	return 0;
}

#elif !defined(__linux__)

/* Whether TEXT, an environment and a command as ps(1) prints them, has WANTED. */
static int
has_word(const char *text, const char *wanted)
{
	size_t length = strlen(wanted);
	const char *p = text;

	while (
	    (p = strstr(p, wanted)) != NULL && strchr(" \n", p[length]) == NULL)
		p += length;
	return p != NULL;
}

struct process {
	long pid, parent;
	int marked;
};

/* What ps(1) shows, to be freed; *COUNT of them. */
static struct process *
all_processes(const char *mark, size_t *count)
{
	FILE *list = popen("ps -axewwo pid= -o ppid= -o command=", "r");
	struct process *all = NULL, *more;
	char *line = NULL;
	size_t size = 0;

	*count = 0;
	while (list != NULL && getline(&line, &size, list) > 0) {
		struct process p = { 0, 0, has_word(line, mark) };

		if (sscanf(line, "%ld %ld", &p.pid, &p.parent) != 2 ||
		    (more = realloc(all, (*count + 1) * sizeof *all)) == NULL)
			continue;
		all = more;
		all[(*count)++] = p;
	}
	free(line);
	if (list != NULL)
		(void)pclose(list);
	return all;
}

static int
descends(const struct process *all, size_t count, const struct process *p,
    long ancestor)
{
	long parent = p->parent;
	size_t i = 0;

	while (parent > 1 && parent != ancestor && i < count) {
		for (i = 0; i < count && all[i].pid != parent; i++)
			continue;
		if (i < count)
			parent = all[i].parent;
	}
	return parent == ancestor;
}

/* End what has the mark, or the ancestor, where it is not 0. */
static void
end_family(const char *mark, long ancestor)
{
	size_t count;
	struct process *all = all_processes(mark, &count);

	/* not ps(1), which has ended, and its number may be another's */
	for (size_t i = 0; i < count; i++)
		if (all[i].pid > 1 && all[i].pid != (long)getpid() &&
		    (all[i].marked ||
			(ancestor != 0 &&
			    descends(all, count, &all[i], ancestor) &&
			    !descends(all, count, &all[i], (long)getpid()))))
			(void)kill((pid_t)all[i].pid, SIGKILL);
	free(all);
}

/* As long as it is the parent, its number is not reused. */
static int
has_ended(pid_t test, int tenths)
{
	struct timespec tenth = { 0, 100000000 };

	while (getppid() == test && tenths-- > 0)
		(void)nanosleep(&tenth, NULL);
	return getppid() != test;
}

static int
watch(long seconds, long pid)
{
	const char *mark = getenv(MARK);
	char wanted[4096 + sizeof MARK + 1];
	pid_t test = (pid_t)pid;
	int n;

	n = snprintf(wanted, sizeof wanted, "%s=%s", MARK,
	    mark == NULL ? "" : mark);
	if (mark == NULL || *mark == '\0' || n >= (int)sizeof wanted)
		return 2;
	/* ps(1) is none of them; its descriptors 0 to 2 are open */
	(void)unsetenv(MARK);
	while (open("/dev/null", O_RDWR) < 2)
		continue;
	for (; seconds > 0; seconds--)
		if (has_ended(test, 10))
			return 0;
	for (int i = 0; i < 2 * ROUNDS && !has_ended(test, 1); i++) {
		end_family(wanted, i < ROUNDS / 2 ? 0 : pid);
		if (i == ROUNDS && getppid() == test)
			(void)kill(test, SIGTERM);
	}
	if (getppid() == test)
		(void)kill(test, SIGKILL);
	return 0;
}

#else

/* Processes that cannot be ended safely are left to the user. */
static int
watch(long seconds, long pid)
{
	(void)seconds;
	(void)pid;
	return 0;
}

#endif

static int
cmd_watch(char **argv)
{
	if (argv[0] == NULL || argv[1] == NULL)
		return 2;
	/* do not keep the test's descriptors open after its end */
	for (int fd = 0; fd < 256; fd++)
		(void)close(fd);
	return watch(atol(argv[0]), atol(argv[1]));
}

int
main(int argc, char **argv)
{
	int status = 2;

	if (argc > 1 && strcmp(argv[1], "run") == 0)
		status = cmd_run(argv + 2);
	else if (argc > 1 && strcmp(argv[1], "watch") == 0)
		status = cmd_watch(argv + 2);
	else
		fprintf(stderr,
		    "usage: guard run CMD [ARG]... |"
		    " guard watch SECONDS PID\n");
	return status;
}
