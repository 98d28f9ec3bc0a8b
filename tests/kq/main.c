/* SPDX-License-Identifier: ISC */
/*
 * main.c - run the tests of kevent(2), each in a process and a directory of its
 * own and with a time limit, and print the results as TAP.
 *
 *	cc tests/kq/[a-z]*.c -o kq && ./kq [prefix ...]
 *
 * Prefixes choose tests by name; -l lists the names.  KQ_LIMIT: seconds that a
 * test may take.  KQ_TIMERS, KQ_ROUNDS: their numbers, for long runs.
 */
#include "kq.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT 120
#define FAILED 1
#define SKIPPED 77

struct entry {
	char name[64];
	const struct test *test;
	const struct every *every;
	const struct source *source;
};

static const struct test *const groups[] = { core_tests, pipe_tests,
	socket_tests, file_tests, vnode_tests, process_tests, signal_tests,
	timer_tests, user_tests, aio_tests, netdev_tests, thread_tests,
	nested_tests, edge_tests, scale_tests, leak_tests };

static struct entry entries[1024];
static size_t nentries;
static volatile sig_atomic_t over;

int kq;
const char *self_path;

static void
gather(void)
{
	const struct test *t;
	const struct every *e;
	const struct source *s;
	struct entry *x;
	size_t i;

	for (i = 0; i < COUNT(groups); i++)
		for (t = groups[i]; t->name != NULL; t++) {
			x = &entries[nentries++];
			x->test = t;
			snprintf(x->name, sizeof x->name, "%s", t->name);
		}
	for (e = every_tests; e->name != NULL; e++)
		for (s = sources; s->name != NULL; s++) {
			x = &entries[nentries++];
			x->every = e;
			x->source = s;
			snprintf(x->name, sizeof x->name, "every_%s_%s",
			    e->name, s->name);
		}
}

static int
chosen(const char *name, char **prefixes)
{
	if (*prefixes == NULL)
		return 1;
	for (; *prefixes != NULL; prefixes++)
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return 1;
	return 0;
}

static void
choose(char **prefixes)
{
	size_t i, n = 0;

	for (i = 0; i < nentries; i++)
		if (chosen(entries[i].name, prefixes))
			entries[n++] = entries[i];
	nentries = n;
}

static void
too_long(int sig)
{
	(void)sig;
	over = 1;
}

/* The alarm repeats, so that one just before waitpid(2) is not lost. */
static void
set_alarm(long seconds)
{
	struct sigaction sa;
	struct itimerval it;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = too_long;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGALRM, &sa, NULL);
	memset(&it, 0, sizeof it);
	it.it_value.tv_sec = seconds;
	it.it_interval.tv_sec = seconds > 0;
	over = 0;
	setitimer(ITIMER_REAL, &it, NULL);
}

static void
run_here(const struct entry *e, FILE *log)
{
	setpgid(0, 0);
	for (int i = 1; i < NSIG; i++) /* nohup(1) leaves some ignored */
		signal(i, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	if (dup2(fileno(log), STDOUT_FILENO) == -1 ||
	    dup2(fileno(log), STDERR_FILENO) == -1)
		_exit(FAILED);
	fclose(log);
	if (mkdir(e->name, 0700) == -1 || chdir(e->name) == -1) {
		perror(e->name);
		_exit(FAILED);
	}
	kq = new_queue("kq");
	if (e->test != NULL)
		e->test->run();
	else
		e->every->run(e->source);
	_exit(0);
}

/* Print what the test wrote, as comments; of a reason, the first line only. */
static void
show_log(FILE *log, int as_reason)
{
	char line[4096];

	rewind(log);
	while (fgets(line, sizeof line, log) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (as_reason) {
			printf("%s\n", line);
			return;
		}
		printf("# %s\n", line);
	}
	if (as_reason)
		putchar('\n');
}

static int
verdict(const struct entry *e, size_t number, int status, FILE *log)
{
	int skipped = WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED;
	int bad = !skipped && status != 0;

	printf("%s %zu - %s", bad ? "not ok" : "ok", number, e->name);
	if (skipped) {
		printf(" # SKIP ");
		show_log(log, 1);
		return 0;
	}
	putchar('\n');
	if (over)
		printf("# it hung and was killed\n");
	else if (WIFSIGNALED(status))
		printf("# signal %d\n", WTERMSIG(status));
	show_log(log, 0);
	return bad;
}

static int
run_one(const struct entry *e, size_t number)
{
	FILE *log = tmpfile();
	int status = 0, bad;
	siginfo_t info;
	pid_t pid;

	fflush(stdout);
	if (log == NULL || (pid = fork()) == -1) {
		printf("Bail out! cannot start %s\n", e->name);
		exit(FAILED);
	}
	if (pid == 0)
		run_here(e, log);
	set_alarm(from_environment("KQ_LIMIT", LIMIT));
	/* until it is waited for, its number is not reused */
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1 &&
	    errno == EINTR)
		if (over)
			kill(pid, SIGKILL);
	kill(-pid, SIGKILL); /* processes that it left running */
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	bad = verdict(e, number, status, log);
	set_alarm(0);
	fclose(log);
	return bad;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static int
run_all(void)
{
	const char *tmp = getenv("TMPDIR");
	char dir[1024];
	int failed = 0;
	size_t i;

	snprintf(dir, sizeof dir, "%s/kq.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL || chdir(dir) == -1) {
		printf("Bail out! %s: %s\n", dir, strerror(errno));
		return FAILED;
	}
	printf("1..%zu\n", nentries);
	for (i = 0; i < nentries; i++)
		failed += run_one(&entries[i], i + 1);
	if (chdir("/") == 0)
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (failed > 0)
		printf("# %d of %zu failed\n", failed, nentries);
	return failed > 0 ? FAILED : 0;
}

static int
list(void)
{
	size_t i;

	for (i = 0; i < nentries; i++)
		puts(entries[i].name);
	return 0;
}

int
main(int argc, char **argv)
{
	self_path = realpath(argv[0], NULL);
	if (argc == 3 && strcmp(argv[1], "--puppet") == 0)
		return puppet_main(atoi(argv[2]));
	gather();
	if (argc > 1 && strcmp(argv[1], "-l") == 0)
		return list();
	if (argc > 1 && argv[1][0] == '-') {
		fprintf(stderr, "usage: kq [-l | prefix ...]\n");
		return 2;
	}
	choose(argv + 1);
	return run_all();
}
