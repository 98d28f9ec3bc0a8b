/* SPDX-License-Identifier: ISC */
/*
 * inject - a command with a fault at each of its system calls and allocations.
 *
 *	inject [OPTION]... -- PROGRAM [ARG]...
 *
 * Runs PROGRAM once without a fault, then once for each call that it, or a
 * process that it leaves, made, each time with another call failing.  There must
 * be no crash, hang or endless loop; the status is that of the first run, or 3
 * (4, 125 to 127) and a message; no data is lost, no process left.  Calls of the
 * loader and of other programs never fail.  See scripts/faults, which has the
 * table of forms, for the rules.
 *
 *	-n NAME		of the form, for the report
 *	-s STATUS[,OR]	exit status without a fault (0)
 *	-i TEXT		standard input; \n is a newline
 *	-p N:TEXT	descriptor N reads a pipe with TEXT and no writer
 *	-o N:TEXT	the same, with a writer
 *	-w N		descriptor N writes to a pipe
 *	-f NAME:TEXT	a file, or descriptor NAME of one
 *	-F NAME:TEXT	a FIFO, to which a process writes TEXT
 *	-R NAME		a FIFO, from which a process reads a line
 *	-H		the FIFOs have a holder already
 *	-L		their writers write after a delay, an owner ends then
 *	-O		a process with descriptor 7; @OWNER@ is its number
 *	-c		input that was printed may be consumed
 *	-l		input that cannot be printed, too
 *	-a		a name may be absent: the output varies with ENOENT
 *	-v		the output varies
 *	-P		another program is run
 *
 *	-x FAULT	this one only, in detail: PROCESS:CALL:ERROR, where CALL
 *			is a number from 1 or a name (each of them), or
 *			PROCESS:malloc:N or PROCESS:malloc:N+ (all from there)
 *	-e N[,FIRST]	only each Nth, after FIRST
 *	-A		no EAGAIN: a read has it where another process has taken
 *			the bytes, and here they would still be there
 *	-M		no allocations but those of the first process
 *	-m		no allocations, and no mmap: they are the sanitizer's
 *	-t		print the calls
 *	-T SECONDS	how long the command may take (20)
 *
 * Exits 0 if every run was right, 1 if not, 77 if no process can be traced.
 */
#include "config.h"

#include <stdio.h>

#include "faults.h"

#ifdef HAVE_INJECT

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"

#define NS_PER_S INT64_C(1000000000)

static struct form form = { .name = "-" };
static struct scene scene = { .form = &form, .memory = -1 };
static int64_t limit = 20 * NS_PER_S;
static long each = 1, offset;
static bool plain, tracing, detailed, first_only, taken;
static struct fault only;

/* The outcome without a fault. */
static char usual[OUTPUT_SIZE];

static long tried, unreached, failed;

_Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- the rules ---- */

/* The process ID that a session prints differs each time. */
static void
forget_number(char *text)
{
	if (strncmp(text, "ready ", 6) == 0)
		for (text += 6; isdigit((unsigned char)*text); text++)
			*text = '#';
}

static bool
has_word(const char *text, const char *words)
{
	const char *end;

	for (; *words != '\0'; words = *end == '\0' ? end : end + 1) {
		end = words + strcspn(words, "|");
		if (memmem(text, strlen(text), words, (size_t)(end - words)) !=
		    NULL)
			return true;
	}
	return false;
}

/* Whether a line of END is neither left nor, where that is right, printed. */
static bool
is_lost(const struct end *end, const char *left)
{
	const char *output = scene.found->output;
	char line[TEXT_SIZE];

	if (end->kind == END_OUT || end->kind == END_READER)
		return false;
	if (!form.consumes)
		return strcmp(left, end->text) != 0;
	for (const char *p = end->text; *p != '\0'; p += strlen(line)) {
		size_t n = strcspn(p, "\n");

		n += p[n] == '\n';
		memcpy(line, p, n);
		line[n] = '\0';
		if (strstr(output, line) == NULL && strstr(left, line) == NULL)
			return true;
	}
	return false;
}

/* Whether writing to standard error may have failed itself. */
static bool
no_message(const struct outcome *o, const struct fault *f)
{
	const char *name = call_name(o->call.number);

	return o->reached && f->kind != FAULT_MALLOC &&
	    (strcmp(name, "write") == 0 || strcmp(name, "writev") == 0) &&
	    (o->call.first == STDERR_FILENO || f->kind == FAULT_EVERY);
}

static const char *
judge_data(const struct outcome *o, const struct fault *f)
{
	static char text[512];
	const char *errors = scene.found->errors;
	bool reported = WIFEXITED(o->status) && WEXITSTATUS(o->status) == 3 &&
	    has_word(errors, "lost|may die|end of file");

	if (reported ||
	    (form.lossy &&
		(no_message(o, f) || has_word(errors, "standard output"))))
		return NULL;
	for (int i = 0; i < form.count; i++) {
		const struct end *end = &form.ends[i];

		if (end->died)
			return "a writer died of SIGPIPE";
		if (!is_lost(end, scene.found->left[i]))
			continue;
		(void)snprintf(text, sizeof text, "lost: left is '%.400s'",
		    scene.found->left[i]);
		return text;
	}
	return *scene.found->complaint == '\0' ? NULL : scene.found->complaint;
}

static bool
is_usual(int status)
{
	return status == form.status[0] || status == form.status[1];
}

static bool
may_be(int status, int error)
{
	if (status == 3)
		return true;
	if (status == 4)
		return error == ENOSYS || error == EOPNOTSUPP ||
		    error == EAFNOSUPPORT || error == EPERM || error == EINVAL;
	return form.program && status >= 125 && status <= 127;
}

static const char *
judge_status(const struct outcome *o, const struct fault *f)
{
	static char text[128];
	const char *errors = scene.found->errors;
	int status;

	if (!WIFEXITED(o->status)) {
		(void)snprintf(text, sizeof text, "ended by signal %d",
		    WTERMSIG(o->status));
		return text;
	}
	status = WEXITSTATUS(o->status);
	if (is_usual(status)) {
		if (form.varies || (form.absent && f->error == ENOENT) ||
		    *errors != '\0' || no_message(o, f) ||
		    strstr(scene.found->output, "error ") != NULL ||
		    strcmp(scene.found->output, usual) == 0)
			return NULL;
		return "another output, and no message";
	}
	if (!may_be(status, f->error)) {
		(void)snprintf(text, sizeof text, "status %d", status);
		return text;
	}
	if (f->error == EINTR) {
		(void)snprintf(text, sizeof text, "status %d for EINTR",
		    status);
		return text;
	}
	if (*errors == '\0' && !no_message(o, f))
		return "no message";
	if (status == 3 && !no_message(o, f) && strchr(errors, '[') == NULL)
		return "a message without an error";
	return NULL;
}

static const char *
judge(const struct outcome *o, const struct fault *f)
{
	static char text[64];
	const char *errors = scene.found->errors, *why;

	if (o->fatal != 0) {
		(void)snprintf(text, sizeof text, "a process died of signal %d",
		    o->fatal);
		return text;
	}
	if (has_word(errors, "AddressSanitizer|runtime error:"))
		return "a sanitizer's report";
	if (o->hung)
		return "does not end";
	if (o->spun)
		return "does too much";
	if (strlen(errors) > 4096)
		return "says too much";
	why = judge_status(o, f);
	if (why == NULL)
		why = judge_data(o, f);
	if (why == NULL && scene.found->kept)
		why = "somebody keeps standard output";
	return why == NULL && o->stayed ? "a process was left" : why;
}

/* ---- one run ---- */

static const char *
describe(const struct fault *f)
{
	static char text[128];

	switch (f->kind) {
	case FAULT_CALL:
		(void)snprintf(text, sizeof text, "%d:%ld:%s", f->process,
		    f->at, errno_name(f->error));
		break;
	case FAULT_EVERY:
		(void)snprintf(text, sizeof text, "%d:%s:%s", f->process,
		    call_name(f->number), errno_name(f->error));
		break;
	case FAULT_MALLOC:
		(void)snprintf(text, sizeof text, "%d:malloc:%ld%s", f->process,
		    f->at, f->from ? "+" : "");
		break;
	default:
		return "none";
	}
	return text;
}

/* Print TEXT with a mark before each line. */
static void
print_lines(const char *mark, const char *text)
{
	for (int n; *text != '\0'; text += n + (text[n] == '\n')) {
		n = (int)strcspn(text, "\n");
		(void)printf("# %s: %.*s\n", mark, n > 300 ? 300 : n, text);
	}
}

static void
print_outcome(const struct outcome *o)
{
	(void)printf("# status: %d\n",
	    WIFEXITED(o->status) ? WEXITSTATUS(o->status) :
				   128 + WTERMSIG(o->status));
	print_lines("output", scene.found->output);
	print_lines("message", scene.found->errors);
	for (int i = 0; i < form.count; i++)
		print_lines("left", scene.found->left[i]);
}

static void
report(const struct fault *f, const struct outcome *o, const char *why)
{
	(void)printf("# %s: %s", form.name, why);
	if (o->call.number != -1)
		(void)printf(": %s(%ld, %ld)", call_name(o->call.number),
		    (long)o->call.first, (long)o->call.second);
	(void)printf("\n#   scripts/faults -x %s %s\n", describe(f), form.name);
	(void)fflush(stdout);
}

static void
start_run(const struct fault *f, struct log *l, struct outcome *o)
{
	memset(scene.allocations, 0, sizeof *scene.allocations);
	if (f->kind == FAULT_MALLOC) {
		scene.allocations->at = f->at;
		scene.allocations->of = f->process;
		scene.allocations->from = f->from;
	}
	trace_run(&scene, f, l, limit, o);
	if (f->kind == FAULT_MALLOC)
		o->reached = scene.allocations->failed > 0;
	if (!o->reached || f->kind == FAULT_MALLOC)
		o->call.number = -1;
	forget_number(scene.found->output);
}

static void
try(const struct fault *f)
{
	struct outcome o;
	const char *why;

	start_run(f, NULL, &o);
	if (!o.reached) {
		unreached++;
		return;
	}
	tried++;
	why = judge(&o, f);
	if (why != NULL) {
		failed++;
		report(f, &o, why);
	}
	if (detailed)
		print_outcome(&o);
}

/* ---- all of them ---- */

static bool
is_chosen(void)
{
	static long number;

	return number++ % each == offset;
}

/* Try F with each error of CALL. */
static void
try_errors(struct fault *f, const struct call *call)
{
	const char *list = call_errors(call->number, call->first, call->second);
	char name[32];
	int n;

	if (plain && strcmp(call_name(call->number), "mmap") == 0)
		return;
	while (list != NULL && sscanf(list, " %31s%n", name, &n) == 1) {
		list += n;
		f->error = error_number(name);
		if (taken && f->error == EAGAIN)
			continue;
		/* no kernel returns that for ever */
		if (f->kind == FAULT_EVERY &&
		    (f->error == EINTR || f->error == EAGAIN))
			continue;
		if (is_chosen())
			try(f);
	}
}

/* Whether it is the first with its number in process OF. */
static bool
is_first(const struct log *l, int of, long at)
{
	for (long i = 0; i < at; i++)
		if (l->calls[of][i].number == l->calls[of][at].number)
			return false;
	return true;
}

static void
try_calls(const struct log *l)
{
	for (int p = 0; p < l->processes; p++)
		for (long i = 0; i < l->counts[p]; i++) {
			const struct call *call = &l->calls[p][i];
			struct fault f = { .kind = FAULT_CALL,
				.process = p,
				.at = i + 1,
				.number = call->number };

			try_errors(&f, call);
			f.kind = FAULT_EVERY;
			if (is_first(l, p, i))
				try_errors(&f, call);
		}
}

static void
try_allocations(void)
{
	struct fault f = { .kind = FAULT_MALLOC, .error = ENOMEM };
	struct outcome o;
	long counts[2];

	start_run(&f, NULL, &o);
	memcpy(counts, scene.allocations->counts, sizeof counts);
	for (f.process = 0; f.process < (first_only ? 1 : 2); f.process++)
		for (f.at = 1; f.at <= counts[f.process]; f.at++) {
			f.from = false;
			if (is_chosen())
				try(&f);
			f.from = true;
			if (is_chosen())
				try(&f);
		}
}

static void
print_log(const struct log *l)
{
	for (int p = 0; p < l->processes; p++)
		for (long i = 0; i < l->counts[p]; i++)
			(void)printf("# %d:%ld %s(%ld, %ld)\n", p, i + 1,
			    call_name(l->calls[p][i].number),
			    (long)l->calls[p][i].first,
			    (long)l->calls[p][i].second);
}

/* Run without a fault, for comparison.  False if the result is wrong. */
static bool
first_run(struct log *l)
{
	const struct fault none = { .kind = FAULT_NONE };
	struct outcome o;
	const char *why;

	start_run(&none, l, &o);
	memcpy(usual, scene.found->output, sizeof usual);
	if (tracing)
		print_log(l);
	if (WIFEXITED(o.status) && WEXITSTATUS(o.status) == 4 && !is_usual(4)) {
		(void)printf("ok %s # SKIP %.*s\n", form.name,
		    (int)strcspn(scene.found->errors, "\n"),
		    scene.found->errors);
		return false;
	}
	why = judge(&o, &none);
	if (why == NULL && !is_usual(WEXITSTATUS(o.status)))
		why = "another status";
	if (why == NULL)
		return true;
	failed++;
	(void)printf("not ok %s: without a fault: %s\n", form.name, why);
	print_outcome(&o);
	return false;
}

static void
run_all(void)
{
	static struct log l;

	if (!first_run(&l))
		return;
	try_calls(&l);
	if (!plain && scene.memory != -1)
		try_allocations();
	(void)printf("%s %s: %ld faults, %ld not reached, %ld failed\n",
	    failed == 0 ? "ok" : "not ok", form.name, tried, unreached, failed);
}

static void
run_only(void)
{
	struct log l = { .processes = 0 };

	if (!first_run(&l))
		return;
	detailed = true;
	try(&only);
	if (unreached > 0)
		(void)printf("# not reached\n");
	else if (failed == 0)
		(void)printf("ok %s\n", form.name);
}

/* ---- options ---- */

static size_t
unescape(char *to, const char *from)
{
	size_t n = 0;

	for (; *from != '\0' && n < TEXT_SIZE - 1; from++)
		if (from[0] == '\\' && from[1] == 'n') {
			to[n++] = '\n';
			from++;
		} else
			to[n++] = *from;
	to[n] = '\0';
	return n;
}

static void
take_end(enum end_kind kind, char *word)
{
	struct end *end = &form.ends[form.count++];
	char *colon = strchr(word, ':');

	if (form.count > ENDS_MAX)
		die("too many ends");
	memset(end, 0, sizeof *end);
	end->kind = kind;
	end->alive[0] = end->alive[1] = -1;
	if (colon != NULL) {
		*colon = '\0';
		end->length = unescape(end->text, colon + 1);
	}
	end->name = word;
	end->number = isdigit((unsigned char)*word) ? atoi(word) : -1;
}

static void
take_fault(char *word)
{
	char *call, *error, *end;

	call = strchr(word, ':');
	error = call == NULL ? NULL : strchr(call + 1, ':');
	if (error == NULL)
		die(word);
	*call++ = *error++ = '\0';
	only.process = atoi(word);
	if (strcmp(call, "malloc") == 0) {
		only.kind = FAULT_MALLOC;
		only.error = ENOMEM;
		only.at = strtol(error, &end, 10);
		only.from = *end == '+';
		return;
	}
	only.kind = isdigit((unsigned char)*call) ? FAULT_CALL : FAULT_EVERY;
	only.at = atol(call);
	only.number = only.kind == FAULT_CALL ? -1 : call_number(call);
	only.error = error_number(error);
}

static void
take_option(int option)
{
	static const char letters[] = "poFRfw";
	static const enum end_kind kinds[] = { END_PIPE, END_OPEN, END_FIFO,
		END_READER, END_FILE, END_OUT };
	const char *letter = strchr(letters, option);

	if (letter != NULL) {
		take_end(kinds[letter - letters], optarg);
		return;
	}
	switch (option) {
	case 'n':
		form.name = optarg;
		break;
	case 's':
		if (sscanf(optarg, "%d,%d", &form.status[0], &form.status[1]) ==
		    1)
			form.status[1] = form.status[0];
		break;
	case 'i':
		form.input_length = unescape(form.input, optarg);
		break;
	case 'x':
		take_fault(optarg);
		break;
	case 'e':
		if (sscanf(optarg, "%ld,%ld", &each, &offset) < 1 || each < 1)
			die(optarg);
		break;
	case 'T':
		limit = atol(optarg) * NS_PER_S;
		break;
	default:
		exit(2);
	}
}

static void
take_options(int argc, char **argv)
{
	static const struct {
		int letter;
		bool *flag;
	} flags[] = {
		{ 'H', &form.held },
		{ 'L', &form.late },
		{ 'O', &form.owner },
		{ 'c', &form.consumes },
		{ 'l', &form.lossy },
		{ 'a', &form.absent },
		{ 'v', &form.varies },
		{ 'P', &form.program },
		{ 'm', &plain },
		{ 'M', &first_only },
		{ 'A', &taken },
		{ 't', &tracing },
	};
	int option;

	while ((option = getopt(argc, argv,
		    "+n:s:i:p:o:w:f:F:R:HLOaclvPx:e:mMAtT:")) != -1) {
		size_t i = 0;

		while (i < sizeof flags / sizeof *flags &&
		    flags[i].letter != option)
			i++;
		if (i < sizeof flags / sizeof *flags)
			*flags[i].flag = true;
		else
			take_option(option);
	}
	form.command = argv + optind;
	if (*form.command == NULL)
		exit(2);
}

/* The object that makes allocations fail is beside this program, if built. */
static void
share(void)
{
	static const char name[] = "/failmalloc.so";
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof name);
	void *p = mmap(NULL, sizeof *scene.found, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int memory = memfd_create("allocations", MFD_CLOEXEC);

	if (p == MAP_FAILED || memory == -1 ||
	    ftruncate(memory, sizeof *scene.allocations) == -1)
		die("memory");
	scene.found = p;
	p = mmap(NULL, sizeof *scene.allocations, PROT_READ | PROT_WRITE,
	    MAP_SHARED, memory, 0);
	if (p == MAP_FAILED)
		die("memory");
	scene.allocations = p;
	if (n <= 0 || plain)
		return;
	path[n] = '\0';
	(void)strcpy(strrchr(path, '/'), name);
	if (access(path, R_OK) == 0)
		scene.memory = fcntl(memory, F_DUPFD_CLOEXEC, 100);
	(void)close(memory);
}

static char directory[4096];

static void
enter_directory(void)
{
	const char *top = getenv("TMPDIR");

	(void)snprintf(directory, sizeof directory, "%s/inject.XXXXXX",
	    top == NULL || *top == '\0' ? "/tmp" : top);
	if (mkdtemp(directory) == NULL || chdir(directory) == -1)
		die(directory);
}

int
main(int argc, char **argv)
{
	const char *why;

	take_options(argc, argv);
	why = trace_unavailable();
	if (why != NULL) {
		(void)printf("ok %s # SKIP %s\n", form.name, why);
		return 77;
	}
	share();
	enter_directory();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		die("prctl");
	if (only.kind == FAULT_NONE)
		run_all();
	else
		run_only();
	if (chdir("/") == 0)
		(void)rmdir(directory);
	return failed > 0;
}

#else

int
main(void)
{
	(void)printf("ok inject # SKIP not available here\n");
	return 77;
}

#endif
