/* SPDX-License-Identifier: ISC */
/*
 * again.c - command lines of pmux, each of them called many times in one
 * process.  Descriptors, children, signal dispositions and mask, limits and
 * memory must be the same before and after.  Prints the results as TAP.
 *
 *	again [-n ROUNDS] [prefix ...]
 *
 * Prefixes choose cases by name.  The linker redirects malloc(3) in pmux to this
 * program (--wrap), which counts the calls and can make one fail.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/pmux_run.h"
#include "sys/launch.h"

#ifndef NSIG
#define NSIG 65
#endif

#define MOST_WORDS 16
#define MOST_FILES 64

/* Descriptors that the command lines name. */
enum {
	INPUT = 8,
	CLOSED,
	PIPE,
	WRITER
};

struct test {
	const char *name;
	const char *line; /* words, separated by one space */
	int status;
	bool slow; /* has a tenth of the rounds */
	void (*before)(void); /* of each round */
	int (*sleep)(struct pmux_host *host, int (*wait)(void *), void *);
	bool starts; /* starts PROGRAM or a holder by a slot of the host */
	int signal; /* expected in the host */
	const char *output; /* of a round; NULL: any */
	bool leaves; /* by longjmp */
	bool may_lack; /* not available on every system */
};

static FILE *tap;
static unsigned rounds = 200;
static jmp_buf out;
static char own_pid[16];
static unsigned started; /* processes, by slots of the host */

/* ---- memory ---- */

static size_t live; /* allocations that were not freed */
static long countdown = -1; /* the allocation that fails; -1: none */
static bool did_fail;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *string);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *string);
void __wrap_free(void *memory);

static bool
fails(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	did_fail = true;
	errno = ENOMEM;
	return true;
}

static void *
counted(void *memory)
{
	live += memory != NULL;
	return memory;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(count, size));
}

void *
__wrap_realloc(void *old, size_t size)
{
	void *memory;

	if (fails())
		return NULL;
	memory = __real_realloc(old, size);
	live += old == NULL && memory != NULL;
	return memory;
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

char *
__wrap_strdup(const char *string)
{
	return fails() ? NULL : counted(__real_strdup(string));
}

void
__wrap_free(void *memory)
{
	live -= memory != NULL;
	__real_free(memory);
}

/* ---- the state of a process ---- */

struct file {
	int fd;
	char name[64]; /* where /proc shows it */
};

struct state {
	struct file files[MOST_FILES];
	size_t file_count;
	struct sigaction actions[NSIG];
	sigset_t mask;
	struct rlimit limit;
	bool children;
	size_t live;
	int index; /* optind */
};

static struct state before, after;

static void
put_file(struct state *s, int fd)
{
	char path[64];
	struct file *file = &s->files[s->file_count];
	ssize_t n;

	if (s->file_count == MOST_FILES || fcntl(fd, F_GETFD) == -1)
		return;
	memset(file, 0, sizeof *file);
	file->fd = fd;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	n = readlink(path, file->name, sizeof file->name - 1);
	file->name[n < 0 ? 0 : n] = '\0';
	s->file_count++;
}

static void
record(struct state *s)
{
	memset(s, 0, sizeof *s);
	for (int fd = 0; fd < 1024; fd++)
		put_file(s, fd);
	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, NULL, &s->actions[i]);
	(void)sigprocmask(SIG_BLOCK, NULL, &s->mask);
	(void)getrlimit(RLIMIT_NOFILE, &s->limit);
	s->children = waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD;
	s->live = live;
	s->index = optind;
}

/* Linux has one of its own, which comes with the first sigaction(2). */
#define FLAGS                                                                 \
	(SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT | SA_NODEFER | \
	    SA_ONSTACK | (int)SA_RESETHAND)

/* A signal whose disposition or place in the mask has changed; or 0. */
static int
changed_signal(void)
{
	for (int i = 1; i < NSIG; i++)
		if (before.actions[i].sa_handler !=
			after.actions[i].sa_handler ||
		    ((before.actions[i].sa_flags ^ after.actions[i].sa_flags) &
			FLAGS) != 0 ||
		    sigismember(&before.mask, i) != sigismember(&after.mask, i))
			return i;
	return 0;
}

/* A text that names what has changed, or NULL. */
static const char *
difference(void)
{
	static char text[128];

	if (after.live != before.live) {
		(void)snprintf(text, sizeof text, "%zd allocations are left",
		    (ssize_t)(after.live - before.live));
		return text;
	}
	if (after.file_count != before.file_count ||
	    memcmp(after.files, before.files, sizeof after.files) != 0) {
		for (size_t i = 0; i < after.file_count; i++)
			if (i >= before.file_count ||
			    after.files[i].fd != before.files[i].fd) {
				(void)snprintf(text, sizeof text,
				    "descriptor %d is left: %s",
				    after.files[i].fd, after.files[i].name);
				return text;
			}
		return "a descriptor has been closed or replaced";
	}
	if (changed_signal() != 0) {
		(void)snprintf(text, sizeof text,
		    "signal %d is handled, or"
		    " blocked, otherwise",
		    changed_signal());
		return text;
	}
	if (after.limit.rlim_cur != before.limit.rlim_cur)
		return "the limit of files is another";
	if (after.children != before.children)
		return "a child is left";
	return after.index != before.index ? "optind is another" : NULL;
}

/* ---- the host ---- */

static int
attend(struct pmux_host *host, pid_t child)
{
	int status;

	(void)host;
	started++;
	if (waitpid(child, &status, 0) != child)
		return EXIT_SYSTEM;
	return WEXITSTATUS(status);
}

static pid_t
start(struct pmux_host *host, const struct launch *launch, int *error)
{
	(void)host;
	started++;
	return launch_start(launch, error);
}

static pid_t
start_process(struct pmux_host *host)
{
	(void)host;
	started++;
	return fork();
}

/* Splits LINE into WORDS, at most MOST_WORDS with the NULL.  Returns how many. */
static int
split(char *line, char **words)
{
	int count = 0;
	char *rest;

	for (char *word = strtok_r(line, " ", &rest);
	     word != NULL && count < 15; word = strtok_r(NULL, " ", &rest))
		words[count++] = strcmp(word, "PID") == 0 ? own_pid : word;
	words[count] = NULL;
	return count;
}

/* The words stay until the next call of that depth: a host may leave this. */
static int
call(const char *line, struct pmux_host *host)
{
	static struct {
		char copy[256], *words[MOST_WORDS];
	} lines[2];
	size_t depth = host->data == NULL;
	int count;

	(void)snprintf(lines[depth].copy, sizeof lines[depth].copy, "pmux %s",
	    line);
	count = split(lines[depth].copy, lines[depth].words);
	return pmux_run(host, count, lines[depth].words);
}

/* ---- before a round, and while pmux sleeps ---- */

static void
fill(const char *text)
{
	int ends[2];

	if (pipe(ends) == -1 || dup2(ends[0], PIPE) == -1 ||
	    dup2(ends[1], WRITER) == -1)
		abort();
	(void)close(ends[0]);
	(void)close(ends[1]);
	if (write(WRITER, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

/* A pipe, with two lines and no writer. */
static void
two_lines(void)
{
	fill("one\ntwo\n");
	(void)close(WRITER);
}

/* An empty pipe with a writer. */
static void
empty_pipe(void)
{
	fill("");
}

/* The same as standard input. */
static void
no_input(void)
{
	fill("");
	if (dup2(PIPE, STDIN_FILENO) == -1)
		abort();
}

static int
write_fifo(struct pmux_host *host, int (*wait)(void *), void *argument)
{
	int fd = open("full", O_WRONLY | O_NONBLOCK);

	(void)host;
	if (fd != -1)
		(void)!write(fd, "x\n", 2);
	if (fd != -1)
		(void)close(fd);
	return wait(argument);
}

static int
write_pipe(struct pmux_host *host, int (*wait)(void *), void *argument)
{
	(void)host;
	(void)!write(WRITER, "x", 1);
	return wait(argument);
}

static int
terminate(struct pmux_host *host, int (*wait)(void *), void *argument)
{
	(void)host;
	(void)raise(SIGTERM);
	return wait(argument);
}

/* explain looks twice, 150 ms apart: that is the time of thousands of rounds. */
static int
hurry(struct pmux_host *host, int (*wait)(void *), void *argument)
{
	(void)host;
	(void)wait;
	(void)argument;
	return 0;
}

static int
leave(struct pmux_host *host, int (*wait)(void *), void *argument)
{
	(void)host;
	(void)wait;
	(void)argument;
	longjmp(out, 1);
}

static int
leave_later(struct pmux_host *host, int (*wait)(void *), void *argument)
{
	int *turns = host->data;

	if (--*turns == 0)
		longjmp(out, 1);
	return write_pipe(host, wait, argument);
}

static int inner_status;

/* Make another call, which sleeps as well; then cause this one's event. */
static int
call_another(struct pmux_host *host, int (*wait)(void *), void *argument)
{
	struct pmux_host other = { .stays = true, .attend = attend };

	inner_status = call("poll -q -t 1ms 10:in 12:in", &other);
	return write_pipe(host, wait, argument);
}

static int
leave_two(struct pmux_host *host, int (*wait)(void *), void *argument)
{
	static struct pmux_host other = { .stays = true, .sleep = leave };

	(void)wait;
	(void)argument;
	(void)host;
	/* returns if it has no memory */
	(void)call("epoll -t 5 10:in", &other);
	longjmp(out, 1);
}

/* ---- the cases ---- */

static const struct test tests[] = {
	{ .name = "poll: a number", .line = "poll -t 0 0:in" },
	{ .name = "select: a number", .line = "select -t 0 -r 0" },
	{ .name = "wait: a number", .line = "wait -t 0 0:in" },
	{ .name = "wait --exit: it runs",
	    .line = "wait -t 1us --exit PID 10:in",
	    .status = 124,
	    .before = empty_pipe },
	{ .name = "wait --exit: it has ended",
	    .line = "wait -t 5 --json --exit 2147483647" },
	{ .name = "wait --exists, --absent",
	    .line =
		"wait -a -t 5 --exists / --absent ./none/x --exists ./fifo" },
	{ .name = "wait --exists: not there",
	    .line = "wait -t 1us --exists ./none --absent /",
	    .status = 124 },
	{ .name = "wait --connect: refused",
	    .line = "wait -t 1us --connect 127.0.0.1:1 --connect ./none",
	    .status = 124 },
	{ .name = "wait --connect: a name",
	    .line = "wait -t 1ms --connect localhost:1",
	    .status = 124,
	    .slow = true,
	    .starts = true },
	{ .name = "the host leaves wait --connect",
	    .line = "wait -t 5 --connect 127.0.0.1:1 --exists ./none --exit 1",
	    .sleep = leave,
	    .leaves = true },
	{ .name = "wait --follow --exit",
	    .line = "wait --follow -t 5 --exit 2147483647 -- true",
	    .slow = true,
	    .starts = true },
	{ .name = "epoll: a pipe",
	    .line = "epoll -t 0 10:in",
	    .before = two_lines },
	{ .name = "kqueue: a number",
	    .line = "kqueue -t 0 read:10",
	    .before = two_lines,
	    .slow = true },
	{ .name = "kqueue: a timer",
	    .line = "kqueue -t 5 timer:1ns",
	    .slow = true },
	{ .name = "poll: nothing comes",
	    .line = "poll -t 1us 10:in",
	    .status = 124,
	    .before = empty_pipe },
	{ .name = "poll --all",
	    .line = "poll -a -t 5 10:in 0:in",
	    .before = empty_pipe,
	    .sleep = write_pipe },
	{ .name = "poll: many options",
	    .line = "poll -t 0 -n 3 --json --timestamps -e in 0 2:out" },
	{ .name = "poll --debug", .line = "poll -t 0 --debug=log 0:in" },
	{ .name = "poll: twenty targets from a file",
	    .line = "poll -t 0 --format %e@%t\\n @targets" },
	{ .name = "poll --pid",
	    .line = "poll -q -t 0 -p PID 0:in",
	    .may_lack = true },
	{ .name = "poll: a path", .line = "poll -t 0 ./requests:in" },
	{ .name = "poll: a FIFO, no holder",
	    .line = "poll --hold 0 -t 0 ./fifo:in",
	    .status = 124 },
	{ .name = "poll: a FIFO, nothing to hold",
	    .line = "poll -t 0 ./fifo:in",
	    .status = 124,
	    .slow = true },
	{ .name = "poll: a FIFO, and its holder stays",
	    .line = "poll -t 5 ./full:in",
	    .sleep = write_fifo,
	    .slow = true,
	    .starts = true },
	{ .name = "--follow",
	    .line = "poll --follow -c 1 10:in",
	    .before = empty_pipe,
	    .sleep = write_pipe,
	    .slow = true },
	{ .name = "wait --follow",
	    .line = "wait --follow -c 2 10:in",
	    .before = empty_pipe,
	    .sleep = write_pipe },
	{ .name = "epoll --follow",
	    .line = "epoll --follow -c 3 10:in",
	    .before = empty_pipe,
	    .sleep = write_pipe },
	{ .name = "--lines",
	    .line = "poll --follow --lines 10:in",
	    .before = two_lines },
	{ .name = "--lines --count",
	    .line = "epoll --follow -l -c 1 10:in",
	    .before = two_lines },
	{ .name = "--lines --until",
	    .line = "wait --lines --until ^t.o$ --partial 10:in",
	    .before = two_lines },
	{ .name = "--follow --settle",
	    .line = "wait --follow --settle 0 -c 1 10:in",
	    .before = two_lines },
	{ .name = "--lines --reopen of a file",
	    .line = "wait --lines --reopen -t 0 /etc/passwd nothing",
	    .status = 124 },
	{ .name = "kqueue --follow --reopen of a file",
	    .line =
		"kqueue --follow --reopen -t 0 vnode:/etc/passwd vnode:none",
	    .slow = true,
	    .status = 124 },
	{ .name = "--lines --until, not found",
	    .line = "poll --lines --until three --until four 10:in",
	    .before = two_lines,
	    .status = 1 },
	{ .name = "--until, refused",
	    .line = "poll --lines --until two --until a( 10:in",
	    .status = 2 },
	{ .name = "--lines --while",
	    .line = "wait --lines --while 2147483647 10:in",
	    .before = empty_pipe,
	    .status = 1 },
	{ .name = "a PROGRAM",
	    .line = "poll -t 0 10:in -- true",
	    .before = two_lines,
	    .slow = true,
	    .starts = true },
	{ .name = "a PROGRAM that is not there",
	    .line = "poll -t 0 0:in -- ./none",
	    .status = 127,
	    .slow = true,
	    .starts = true },
	{ .name = "--follow -- PROGRAM",
	    .line = "poll --follow -c 1 10:in -- true",
	    .before = two_lines,
	    .slow = true,
	    .starts = true },
	{ .name = "--follow -- PROGRAM, and SIGTERM",
	    .line = "poll --follow 10:in -- true",
	    .before = empty_pipe,
	    .sleep = terminate,
	    .status = 1,
	    .signal = SIGTERM,
	    .slow = true },
	{ .name = "--session", .line = "poll --session" },
	{ .name = "kqueue --session",
	    .line = "kqueue --session",
	    .slow = true },
	{ .name = "help", .line = "help poll" },
	{ .name = "info", .line = "info", .slow = true },
	{ .name = "info: a process", .line = "info -p 1 -p PID", .slow = true },
	{ .name = "compare", .line = "compare 8 9", .slow = true },
	{ .name = "compare: a process",
	    .line = "compare --json -p PID 0",
	    .slow = true },
	{ .name = "explain",
	    .line = "explain 8",
	    .sleep = hurry,
	    .slow = true },
	{ .name = "explain: a process",
	    .line = "explain --json --all -p PID",
	    .sleep = hurry,
	    .slow = true,
	    .may_lack = true },
	{ .name = "inspect", .line = "inspect 8", .slow = true },
	{ .name = "inspect: a process",
	    .line = "inspect --json -p PID",
	    .slow = true },
	{ .name = "trace",
	    .line = "trace -t 1ms --every 1us --json 8",
	    .slow = true,
	    .may_lack = true },
	{ .name = "trace --picture, --svg",
	    .line = "trace -t 0 --picture --svg drawing 8",
	    .slow = true,
	    .may_lack = true },
	{ .name = "trace --calls",
	    .line = "trace --calls -- true",
	    .slow = true,
	    .starts = true,
	    .may_lack = true },
	{ .name = "trace --calls: a process",
	    .line = "trace --calls -t 1us -p 999999999",
	    .status = 3,
	    .slow = true,
	    .starts = true,
	    .may_lack = true },
	{ .name = "no command", .line = "", .status = 2 },
	{ .name = "an unknown command", .line = "pull", .status = 2 },
	{ .name = "an unknown option", .line = "poll -tqx 0:in", .status = 2 },
	{ .name = "an unknown event", .line = "poll 0:inn", .status = 2 },
	{ .name = "options that exclude each other",
	    .line = "poll --follow --all 0:in",
	    .status = 2 },
	{ .name = "poll: a closed number",
	    .line = "poll -t 0 9:in",
	    .status = 1 },
	{ .name = "select: a closed number",
	    .line = "select -t 0 -r 9",
	    .status = 3 },
	{ .name = "epoll: a closed number",
	    .line = "epoll -t 0 9:in",
	    .status = 3 },
	{ .name = "a path that is not there",
	    .line = "poll ./none:in",
	    .status = 3 },
	{ .name = "another call meanwhile",
	    .line = "wait -t 5 10:in",
	    .before = empty_pipe,
	    .sleep = call_another },
	{ .name = "the host leaves poll",
	    .line = "poll -t 5 10:in",
	    .before = empty_pipe,
	    .sleep = leave,
	    .leaves = true },
	{ .name = "the host leaves kqueue",
	    .line = "kqueue -t 5 read:10",
	    .before = empty_pipe,
	    .sleep = leave,
	    .leaves = true,
	    .slow = true },
	{ .name = "the host leaves a FIFO",
	    .line = "epoll -t 5 ./fifo:in",
	    .sleep = leave,
	    .leaves = true,
	    .slow = true },
	{ .name = "the host leaves --follow",
	    .line = "poll --follow 10:in",
	    .before = empty_pipe,
	    .sleep = leave_later,
	    .leaves = true,
	    .slow = true },
	{ .name = "the host leaves explain",
	    .line = "explain --all 10",
	    .before = empty_pipe,
	    .sleep = leave,
	    .leaves = true,
	    .slow = true,
	    .may_lack = true },
	{ .name = "the host leaves --lines",
	    .line = "epoll --follow -l 10:in",
	    .before = empty_pipe,
	    .sleep = leave_later,
	    .leaves = true,
	    .output = "10\txx\n" },
	{ .name = "the host leaves a PROGRAM",
	    .line = "poll --follow 10:in -- true",
	    .before = empty_pipe,
	    .sleep = leave_later,
	    .leaves = true,
	    .slow = true,
	    .starts = true },
	{ .name = "the host leaves --lines --count",
	    .line = "epoll --follow -l -c 9 10:in",
	    .before = empty_pipe,
	    .sleep = leave_later,
	    .leaves = true },
	{ .name = "the host leaves a session",
	    .line = "epoll --session",
	    .before = no_input,
	    .sleep = leave,
	    .leaves = true },
	{ .name = "the host leaves @-",
	    .line = "poll 10:in @- 0:in",
	    .before = no_input,
	    .sleep = leave,
	    .leaves = true },
	{ .name = "the host leaves @FILE",
	    .line = "poll @/dev/fd/10 10:in",
	    .before = empty_pipe,
	    .sleep = leave,
	    .leaves = true },
	{ .name = "the host leaves two calls",
	    .line = "wait -t 5 10:in",
	    .before = empty_pipe,
	    .sleep = leave_two,
	    .leaves = true },
};

/* ---- one case ---- */

static void
prepare(const struct test *test)
{
	if (dup2(INPUT, STDIN_FILENO) == -1 ||
	    lseek(STDIN_FILENO, 0, SEEK_SET) == -1 ||
	    ftruncate(STDOUT_FILENO, 0) == -1)
		abort();
	if (test->before != NULL)
		test->before();
}

static void
tidy(void)
{
	(void)close(PIPE);
	(void)close(WRITER);
	(void)dup2(INPUT, STDIN_FILENO);
}

static int
once(const struct test *test, struct pmux_host *host)
{
	int status, turns = 3;

	*host = (struct pmux_host){
		.stays = true,
		.attend = attend,
		.start = start,
		.fork = start_process,
		.sleep = test->sleep,
		.data = &turns,
	};
	prepare(test);
	if (setjmp(out) == 0)
		status = call(test->line, host);
	else {
		pmux_abandon(2);
		status = -1;
	}
	tidy();
	return status;
}

static int number, failed;

static void result(const char *name, const char *part, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* FORMAT: a message about what is wrong, or NULL. */
static void
result(const char *name, const char *part, const char *format, ...)
{
	va_list arguments;

	failed += format != NULL;
	(void)fprintf(tap, "%sok %d - %s%s\n", format == NULL ? "" : "not ",
	    ++number, name, part);
	if (format == NULL)
		return;
	(void)fprintf(tap, "# ");
	va_start(arguments, format);
	(void)vfprintf(tap, format, arguments);
	va_end(arguments);
	(void)fprintf(tap, "\n");
}

static bool
printed(const char *wanted)
{
	char bytes[256];
	ssize_t n = pread(STDOUT_FILENO, bytes, sizeof bytes, 0);

	return wanted == NULL ||
	    (n == (ssize_t)strlen(wanted) &&
		memcmp(bytes, wanted, (size_t)n) == 0);
}

static void
repeat(const struct test *test)
{
	unsigned count = test->slow ? rounds / 10 : rounds;
	struct pmux_host host;
	const char *what;
	int status;

	started = 0;
	tidy();
	record(&before);
	for (unsigned i = 0; i == 0 || i < count; i++) {
		status = once(test, &host);
		if (test->may_lack && status == EXIT_UNAVAILABLE)
			break;
		if (status != (test->leaves ? -1 : test->status) ||
		    host.signal != test->signal) {
			result(test->name, "", "round %u: status %d, signal %d",
			    i, status, host.signal);
			return;
		}
	}
	record(&after);
	what = difference();
	if (what == NULL && !printed(test->output))
		what = "the output is another";
	if (what == NULL && test->starts != (started > 0))
		what = "the slots of the host were not used as expected";
	if (what == NULL)
		result(test->name, "", NULL);
	else
		result(test->name, "", "%s", what);
}

/* Whether STATUS may be that of a call that has no memory. */
static bool
is_starved(const struct test *test, int status)
{
	return status == EXIT_SYSTEM || status == EXIT_NO_START ||
	    status == (test->leaves ? -1 : test->status) ||
	    (test->may_lack && status == EXIT_UNAVAILABLE);
}

/* Call the same line until each of its allocations has failed once. */
static void
starve(const struct test *test)
{
	struct pmux_host host;
	const char *what;
	unsigned n = 0;
	int status;

	tidy();
	record(&before);
	do {
		countdown = (long)n++;
		did_fail = false;
		status = once(test, &host);
		countdown = -1;
		record(&after);
		what = difference();
		if (what == NULL && !is_starved(test, status))
			what = "another status";
		if (what != NULL) {
			result(test->name, ", without memory",
			    "allocation %u: %s, status %d", n, what, status);
			return;
		}
	} while (did_fail);
	result(test->name, ", without memory", NULL);
}

/* ---- the place ---- */

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	if (file == NULL || fputs(text, file) == EOF || fclose(file) == EOF)
		abort();
}

static void
open_as(const char *name, int flags, int number_wanted)
{
	int fd = open(name, flags);

	if (fd == -1 || dup2(fd, number_wanted) == -1)
		abort();
	if (fd != number_wanted)
		(void)close(fd);
}

/* Enter a new directory, and close all descriptors but those of the tests. */
static void
move_in(char *directory, bool silent)
{
	char name[16], lines[512] = "";

	if (mkdtemp(directory) == NULL || chdir(directory) == -1 ||
	    mkfifo("fifo", 0600) == -1 || mkfifo("full", 0600) == -1)
		abort();
	write_file("requests", "poll 0\nhelp\nregister 2:out\nquit\n");
	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof name, "./a%d\n", i);
		strcat(lines, name);
		name[strlen(name) - 1] = '\0';
		write_file(name, "");
	}
	write_file("targets", lines);
	(void)snprintf(own_pid, sizeof own_pid, "%ld", (long)getpid());
	for (int fd = 3; fd < 256; fd++)
		if (fd != fileno(tap))
			(void)close(fd);
	open_as("requests", O_RDONLY, INPUT);
	write_file("output", "");
	open_as("output", O_RDWR | O_APPEND, STDOUT_FILENO);
	if (silent)
		open_as("/dev/null", O_WRONLY, STDERR_FILENO);
}

/* The holder of this FIFO ends when all has been read. */
static void
move_out(const char *directory)
{
	char bytes[4096];
	int fd = open("full", O_RDONLY | O_NONBLOCK);

	while (fd != -1 && read(fd, bytes, sizeof bytes) > 0)
		;
	if (chdir("/") == 0)
		(void)execlp("rm", "rm", "-r", directory, (char *)NULL);
}

static bool
is_chosen(const struct test *test, char **prefixes)
{
	bool chosen = *prefixes == NULL;

	for (; *prefixes != NULL; prefixes++)
		chosen |= strncmp(test->name, *prefixes, strlen(*prefixes)) ==
		    0;
	return chosen;
}

int
main(int argc, char **argv)
{
	char directory[] = "/tmp/again.XXXXXX";
	bool silent = true;
	int option;

	while ((option = getopt(argc, argv, "n:v")) != -1) {
		if (option == 'v')
			silent = false;
		else if (option == 'n')
			rounds = (unsigned)strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	tap = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100), "w");
	if (tap == NULL)
		return 2;
	(void)setvbuf(tap, NULL, _IOLBF, 0);
	move_in(directory, silent);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		if (is_chosen(&tests[i], argv + optind)) {
			repeat(&tests[i]);
			starve(&tests[i]);
		}
	(void)fprintf(tap, "1..%d\n", number);
	(void)fclose(tap);
	if (fork() == 0)
		move_out(directory);
	(void)wait(NULL);
	return failed > 0;
}
