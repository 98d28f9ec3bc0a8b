/* SPDX-License-Identifier: ISC */
/*
 * kevent_model.c - make cases from seeds, run them, and shorten a case that
 * fails.
 *
 *	kevent_model [-v] [-s seed] [-n cases] [-t seconds] [mode ...]
 *
 * Modes are model, garbage and threads; all of them if none is named.  Each
 * runs the number of cases of -n, or all take turns for the time of -t.  The
 * answer is TAP.  To repeat a case, name its seed and mode, -n 1 and -v.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "fuzz.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 20 /* seconds for a batch to come on */

/* The progress of a child, for its parent. */
struct progress {
	uint64_t seed;
	unsigned cases;
};

struct mode {
	const char *name;
	void (*run)(uint64_t);
	unsigned batch; /* cases in one process */
	uint64_t cases; /* so far */
	bool chosen;
};

bool verbose;
static bool silent;
static volatile struct progress *progress;

uint64_t
random_next(struct random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

unsigned
random_below(struct random *r, unsigned end)
{
	return (unsigned)(random_next(r) >> 32) % end;
}

void
trace(const char *format, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, format);
	printf("# ");
	vprintf(format, ap);
	printf("\n");
	va_end(ap);
}

void
fail(const char *format, ...)
{
	va_list ap;

	if (!silent) {
		va_start(ap, format);
		printf("# WRONG: ");
		vprintf(format, ap);
		printf("\n");
		va_end(ap);
		fflush(stdout);
	}
	_exit(1);
}

int
must(int result, const char *what)
{
	if (result == -1)
		fail("%s: %s", what, strerror(errno));
	return result;
}

/* ---- cases ---- */

static enum verb
random_verb(struct random *r)
{
	static const unsigned char often[VERBS] = { [OPEN_PIPE] = 3,
		[OPEN_PAIR] = 3,
		[OPEN_FILE] = 3,
		[OPEN_QUEUE] = 2,
		[DUP] = 4,
		[CLOSE] = 4,
		[WRITE] = 14,
		[READ] = 7,
		[FILL] = 1,
		[EMPTY] = 4,
		[SEEK] = 2,
		[SHUT] = 1,
		[CHMOD] = 3,
		[LINK] = 1,
		[UNLINK] = 1,
		[RENAME] = 1,
		[RAISE] = 3,
		[CALL] = 70 };
	unsigned sum = 0, at;

	for (unsigned i = 0; i < VERBS; i++)
		sum += often[i];
	at = random_below(r, sum);
	for (unsigned i = 0; i < VERBS; i++) {
		if (at < often[i])
			return (enum verb)i;
		at -= often[i];
	}
	return CALL;
}

static uint16_t
random_flags(struct random *r)
{
	static const uint16_t often[] = { EV_ADD, EV_ADD, EV_ADD | EV_CLEAR,
		EV_ADD | EV_CLEAR, EV_ADD | EV_ONESHOT, EV_ADD | EV_DISPATCH,
		EV_ADD | EV_DISABLE, EV_ENABLE, EV_ENABLE, EV_DISABLE,
		EV_DELETE, 0, EV_ADD | EV_RECEIPT };

	if (random_below(r, 5) != 0)
		return often[random_below(r, COUNT(often))];
	return (uint16_t)(random_next(r) &
	    (random_below(r, 4) == 0 ? 0xc0ff : 0x00bf));
}

static void
random_op(struct op *op, struct random *r)
{
	op->verb = random_verb(r);
	op->slot = random_below(r, SLOTS);
	op->slot2 = random_below(r, SLOTS);
	op->amount = random_below(r, 1000);
	op->nwishes = random_below(r, 3) == 0 ? 0 :
						random_below(r, CHANGES) + 1;
	for (unsigned i = 0; i < CHANGES; i++) {
		op->wishes[i].random = random_next(r);
		op->wishes[i].flags = random_flags(r);
	}
	op->room = (int)random_below(r, 5);
	if (op->room == 4 || random_below(r, 2) == 0)
		op->room = ROOM;
	op->same = random_below(r, 4) == 0;
}

static void
make_case(struct op *ops, uint64_t seed)
{
	struct random r = { seed };

	for (unsigned i = 0; i < OPS; i++)
		random_op(&ops[i], &r);
	ops[0].verb = OPEN_QUEUE;
	ops[1].verb = OPEN_PIPE;
	ops[2].verb = OPEN_PAIR;
	ops[3].verb = OPEN_FILE;
	/* closing an inotify instance takes as long as many cases */
	for (unsigned i = 0; i < OPS && seed % 4 != 0; i++)
		if (ops[i].verb == OPEN_FILE)
			ops[i].verb = OPEN_PIPE;
}

static int
count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (d == NULL)
		return 0;
	/* cppcheck-suppress readdirCalled */
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* A closed queue is released when the next one is created. */
static int
count_after_cleanup(void)
{
	must(close(must(kqueue(), "kqueue")), "close");
	return count_descriptors();
}

/* Cause all allocations that last as long as the process. */
static void
warm_up(void)
{
	struct kevent c;
	int queue = must(kqueue(), "kqueue");

	signal(SIGUSR1, SIG_IGN);
	EV_SET(&c, SIGUSR1, EVFILT_SIGNAL, EV_ADD, 0, 0, NULL);
	must(kevent(queue, &c, 1, NULL, 0, NULL), "kevent");
	must(close(queue), "close");
}

static void
run_ops(const struct op *ops, unsigned n)
{
	world_start();
	for (unsigned i = 0; i < n; i++)
		world_do(&ops[i]);
	world_end();
}

static void
model_case(uint64_t seed)
{
	struct op ops[OPS];

	make_case(ops, seed);
	run_ops(ops, OPS);
}

static struct mode modes[] = {
	{ .name = "model", .run = model_case, .batch = 200 },
	{ .name = "garbage", .run = garbage_case, .batch = 200 },
	{ .name = "threads", .run = thread_case, .batch = 2 }
};

/* ---- processes ---- */

static void
run_batch(const struct mode *m, uint64_t seed, unsigned n)
{
	int before, after;

	warm_up();
	before = count_after_cleanup();
	for (unsigned i = 0; i < n; i++) {
		alarm(PATIENCE);
		progress->seed = seed + i;
		progress->cases = i;
		m->run(seed + i);
		after = count_after_cleanup();
		if (after != before)
			fail("%d descriptors before, %d after", before, after);
	}
}

/* Fork.  Returns 0 in the child; the caller waits for it. */
static int
child_status(void)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == -1)
		err(2, "fork");
	if (pid == 0)
		return -1;
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			err(2, "waitpid");
	return status;
}

static int
try_batch(const struct mode *m, uint64_t seed, unsigned n)
{
	int status = child_status();

	if (status != -1)
		return status;
	run_batch(m, seed, n);
	fflush(stdout);
	exit(0);
}

static int
try_ops(const struct op *ops, unsigned n)
{
	int status = child_status();

	if (status != -1)
		return status;
	alarm(PATIENCE);
	run_ops(ops, n);
	fflush(stdout);
	exit(0);
}

/* ---- shortening ---- */

/* Remove COUNT operations from AT on, if the case still fails. */
static bool
without(struct op *ops, unsigned *n, unsigned at, unsigned count)
{
	struct op fewer[OPS];

	memcpy(fewer, ops, at * sizeof *ops);
	memcpy(fewer + at, ops + at + count, (*n - at - count) * sizeof *ops);
	if (try_ops(fewer, *n - count) == 0)
		return false;
	*n -= count;
	memcpy(ops, fewer, *n * sizeof *ops);
	return true;
}

static void
shorten_calls(struct op *ops, unsigned n)
{
	struct op before;

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = ops[i].nwishes; j-- > 0;) {
			before = ops[i];
			ops[i].nwishes--;
			memmove(&ops[i].wishes[j], &ops[i].wishes[j + 1],
			    (ops[i].nwishes - j) * sizeof ops[i].wishes[0]);
			if (try_ops(ops, n) == 0)
				ops[i] = before;
		}
}

static unsigned
shorten(struct op *ops, unsigned n)
{
	for (unsigned size = n / 2; size > 0; size /= 2)
		for (unsigned at = n; at >= size; at--)
			if (at - size + size <= n)
				(void)without(ops, &n, at - size, size);
	shorten_calls(ops, n);
	for (unsigned at = n; at-- > 0;)
		(void)without(ops, &n, at, 1);
	return n;
}

static void
show_shortest(uint64_t seed)
{
	struct op ops[OPS];
	unsigned n = OPS;
	int status;

	make_case(ops, seed);
	silent = true;
	if (try_ops(ops, n) == 0) {
		printf("# alone it is right\n");
		return;
	}
	n = shorten(ops, n);
	silent = false;
	verbose = true;
	status = try_ops(ops, n);
	verbose = false;
	if (WIFSIGNALED(status))
		printf("# WRONG: signal %d\n", WTERMSIG(status));
}

static void
report(const struct mode *m, int status, uint64_t first)
{
	uint64_t seed = progress->seed;

	printf("# %s: seed %ju (of a batch from %ju) ", m->name,
	    (uintmax_t)seed, (uintmax_t)first);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("hung\n");
	else if (WIFSIGNALED(status))
		printf("ended by signal %d\n", WTERMSIG(status));
	else
		printf("ended with status %d\n", WEXITSTATUS(status));
	if (m->run == model_case)
		show_shortest(seed);
}

/* ---- all of it ---- */

static bool
advance(struct mode *m, uint64_t seed, uint64_t most)
{
	uint64_t first = seed + m->cases;
	unsigned n = most - m->cases < m->batch ? (unsigned)(most - m->cases) :
						  m->batch;
	int status = try_batch(m, first, n);

	if (status != 0) {
		report(m, status, first);
		return false;
	}
	m->cases += n;
	return true;
}

/* Progress of a long run. */
static void
say_progress(void)
{
	static time_t next;
	time_t now = time(NULL);

	if (next == 0)
		next = now + 60;
	if (now < next)
		return;
	next = now + 60;
	for (size_t i = 0; i < COUNT(modes); i++)
		if (modes[i].chosen)
			printf("# %s: %ju cases\n", modes[i].name,
			    (uintmax_t)modes[i].cases);
	fflush(stdout);
}

static int
run_all(uint64_t seed, uint64_t cases, time_t seconds)
{
	time_t end = time(NULL) + seconds;
	bool good[COUNT(modes)], going = true;
	int number = 0, failed = 0;

	for (size_t i = 0; i < COUNT(modes); i++)
		good[i] = modes[i].chosen;
	while (going) {
		going = false;
		say_progress();
		for (size_t i = 0; i < COUNT(modes); i++)
			if (good[i] &&
			    (seconds > 0 ? time(NULL) < end :
					   modes[i].cases < cases)) {
				good[i] = advance(&modes[i], seed, cases);
				going = true;
			}
	}
	for (size_t i = 0; i < COUNT(modes); i++) {
		if (!modes[i].chosen)
			continue;
		printf("%s %d - %s: %ju cases from seed %ju\n",
		    good[i] ? "ok" : "not ok", ++number, modes[i].name,
		    (uintmax_t)modes[i].cases, (uintmax_t)seed);
		failed += !good[i];
	}
	printf("1..%d\n", number);
	return failed > 0;
}

static void
choose(char **names)
{
	for (size_t i = 0; i < COUNT(modes); i++)
		modes[i].chosen = *names == NULL;
	for (; *names != NULL; names++)
		for (size_t i = 0; i < COUNT(modes); i++)
			if (strcmp(*names, modes[i].name) == 0)
				modes[i].chosen = true;
}

static void
enter_scratch(char *path, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, size, "%s/kevent_model.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(path) == NULL || chdir(path) == -1)
		err(2, "%s", path);
}

int
main(int argc, char **argv)
{
	const int protection = PROT_READ | PROT_WRITE;
	uint64_t seed = 1, cases = UINT64_MAX;
	time_t seconds = 0;
	char scratch[1024];
	int ch, status;

	while ((ch = getopt(argc, argv, "n:s:t:v")) != -1)
		switch (ch) {
		case 'n':
			cases = strtoull(optarg, NULL, 10);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 10);
			break;
		case 't':
			seconds = (time_t)strtol(optarg, NULL, 10);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 2;
		}
	if (cases == UINT64_MAX && seconds == 0)
		seconds = 2;
	choose(argv + optind);
	progress = mmap(NULL, sizeof *progress, protection,
	    /* cppcheck-suppress invalidFunctionArg */
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		err(2, "mmap");
	enter_scratch(scratch, sizeof scratch);
	status = run_all(seed, cases, seconds);
	world_clean();
	if (chdir("/") == -1 || rmdir(scratch) == -1)
		warn("%s", scratch);
	return status;
}
