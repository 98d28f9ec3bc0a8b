/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "config.h"

#include "faults.h"

#ifdef HAVE_INJECT

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The lowest of our own descriptors, above those of any form. */
#define HIGH 100

#define OWNER 7 /* the descriptor that it has */
#define MARK "@OWNER@"
#define OWNER_TEXT "owner\n"
#define JOB "job\n"

/*
 * Time for a peer, in ms; the delay of a late writer, and of an owner's end after
 * the command has begun, before which it must have asked for it.
 */
#define PATIENCE 5000
#define LATE 20
#define OWNER_LATE 100

static int
high(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	if (fd == -1 || moved == -1)
		die("descriptor");
	(void)close(fd);
	return moved;
}

static void
make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) == -1)
		die("pipe");
	ends[0] = high(ends[0]);
	ends[1] = high(ends[1]);
}

static void
drop(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

static pid_t
start(void)
{
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	if (child == -1)
		die("fork");
	return child;
}

static void
pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	(void)nanosleep(&t, NULL);
}

static bool
readable(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, ms) == 1;
}

/* ---- the processes at the other end ---- */

static _Noreturn void
run_writer(const struct form *form, const struct end *end)
{
	int fd = open(end->name, O_WRONLY);

	if (fd == -1)
		_exit(1);
	if (form->late)
		pause_ms(LATE);
	_exit(write(fd, end->text, end->length) != (ssize_t)end->length);
}

static _Noreturn void
run_reader(const struct end *end, char *text)
{
	int fd = open(end->name, O_RDONLY);
	size_t used = 0;
	ssize_t n;

	if (fd == -1)
		_exit(1);
	while (used < TEXT_SIZE - 1 &&
	    (n = read(fd, text + used, TEXT_SIZE - 1 - used)) > 0)
		used += (size_t)n;
	_exit(0);
}

static void
start_peer(struct scene *s, int i)
{
	struct end *end = &s->form->ends[i];

	if (mkfifo(end->name, 0600) == -1)
		die(end->name);
	if (pipe2(end->alive, O_CLOEXEC) == -1)
		die("pipe");
	end->died = false;
	end->peer = start();
	if (end->peer == 0) {
		(void)close(end->alive[0]);
		if (end->kind == END_FIFO)
			run_writer(s->form, end);
		run_reader(end, s->found->left[i]);
	}
	end->alive[0] = high(end->alive[0]);
	drop(&end->alive[1]);
}

static void
start_owner(struct scene *s)
{
	int ready[2], ends[2];
	char byte;

	make_pipe(ready);
	make_pipe(s->begun);
	s->owner = start();
	if (s->owner != 0) {
		drop(&s->begun[0]);
		drop(&ready[1]);
		(void)!read(ready[0], &byte, 1);
		drop(&ready[0]);
		return;
	}
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	make_pipe(ends);
	(void)!write(ends[1], OWNER_TEXT, strlen(OWNER_TEXT));
	(void)dup2(ends[0], OWNER);
	/* the peer hangs up, with unread bytes */
	(void)close(ends[1]);
	(void)close(ready[1]);
	drop(&s->begun[1]);
	if (s->form->late) {
		(void)!read(s->begun[0], &byte, 1);
		pause_ms(OWNER_LATE);
		_exit(7);
	}
	for (;;)
		(void)pause();
}

/* ---- the files and arguments of the command ---- */

static void
make_file(struct end *end)
{
	int fd = open(end->name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1)
		die(end->name);
	(void)!write(fd, end->text, end->length);
	(void)lseek(fd, 0, SEEK_SET);
	end->fds[0] = high(fd);
}

static void
make_end(struct end *end)
{
	if (end->kind == END_FILE) {
		make_file(end);
		return;
	}
	make_pipe(end->fds);
	(void)!write(end->fds[1], end->text, end->length);
	if (end->kind == END_PIPE)
		drop(&end->fds[1]);
}

static bool
has_peer(const struct end *end)
{
	return end->kind == END_FIFO || end->kind == END_READER;
}

static void
preload(const struct scene *s)
{
	char path[4096], text[64];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);

	if (n <= 0)
		_exit(99);
	path[n] = '\0';
	(void)strcpy(strrchr(path, '/'), "/failmalloc.so");
	(void)snprintf(text, sizeof text, "/proc/%d/fd/%d", (int)getppid(),
	    s->memory);
	(void)setenv("LD_PRELOAD", path, 1);
	(void)setenv(FAILMALLOC, text, 1);
}

/* WORD, with MARK replaced by the process ID of OWNER. */
static char *
substitute(char *word, pid_t owner)
{
	char *at = strstr(word, MARK), *text;

	if (at == NULL)
		return word;
	if (asprintf(&text, "%.*s%d%s", (int)(at - word), word, (int)owner,
		at + strlen(MARK)) == -1)
		_exit(99);
	return text;
}

static _Noreturn void
run_command(struct scene *s)
{
	char byte;

	(void)dup2(s->input[0], STDIN_FILENO);
	(void)dup2(s->output[1], STDOUT_FILENO);
	(void)dup2(s->messages, STDERR_FILENO);
	for (int i = 0; i < s->form->count; i++) {
		const struct end *end = &s->form->ends[i];

		if (end->number != -1)
			(void)dup2(end->fds[end->kind == END_OUT], end->number);
	}
	for (char **word = s->form->command; *word != NULL; word++)
		*word = substitute(*word, s->owner);
	(void)!read(s->go[0], &byte, 1);
	(void)execvp(s->form->command[0], s->form->command);
	_exit(99);
}

/* Run a pmux that leaves a holder. */
static void
leave_holder(struct scene *s, const char *name)
{
	int status, null;
	pid_t child = start();

	if (child == 0) {
		null = open("/dev/null", O_RDWR);
		(void)dup2(null, STDOUT_FILENO);
		(void)execlp(s->form->command[0], "pmux", "poll", "-q", "-t",
		    "5", name, (char *)NULL);
		_exit(99);
	}
	if (waitpid(child, &status, 0) == -1)
		die("wait");
}

void
scene_open(struct scene *s, bool allocations)
{
	struct form *form = s->form;

	memset(s->found, 0, sizeof *s->found);
	s->owner = s->collector = 0;
	s->begun[0] = s->begun[1] = -1;
	for (int i = 0; i < form->count; i++)
		form->ends[i].fds[0] = form->ends[i].fds[1] = -1;
	for (int i = 0; i < form->count; i++) {
		if (!has_peer(&form->ends[i]))
			continue;
		start_peer(s, i);
		if (form->held)
			leave_holder(s, form->ends[i].name);
	}
	if (form->owner)
		start_owner(s);
	for (int i = 0; i < form->count; i++)
		if (!has_peer(&form->ends[i]))
			make_end(&form->ends[i]);
	make_pipe(s->input);
	make_pipe(s->output);
	make_pipe(s->go);
	(void)!write(s->input[1], form->input, form->input_length);
	drop(&s->input[1]);
	s->messages = high(memfd_create("messages", MFD_CLOEXEC));
	s->command = start();
	if (s->command == 0) {
		if (allocations)
			preload(s);
		run_command(s);
	}
	drop(&s->begun[1]);
	drop(&s->output[1]);
	drop(&s->input[0]);
}

/* ---- what the command left ---- */

static void
complain(struct scene *s, const char *name, const char *what)
{
	if (*s->found->complaint == '\0')
		(void)snprintf(s->found->complaint, sizeof s->found->complaint,
		    "%s: %s", name, what);
}

static void
collect_output(struct scene *s)
{
	size_t used = 0;
	ssize_t n = 1;

	while (n > 0 && used < OUTPUT_SIZE - 1) {
		if (!readable(s->output[0], PATIENCE)) {
			s->found->kept = true;
			return;
		}
		n = read(s->output[0], s->found->output + used,
		    OUTPUT_SIZE - 1 - used);
		if (n > 0)
			used += (size_t)n;
	}
}

static void
collect_descriptor(int fd, char *text, size_t used)
{
	ssize_t n;

	while (used < TEXT_SIZE - 1 && readable(fd, 0) &&
	    (n = read(fd, text + used, TEXT_SIZE - 1 - used)) > 0)
		used += (size_t)n;
}

/* Read all until the writer has ended; opening the FIFO lets it through. */
static void
collect_fifo(struct scene *s, int i)
{
	const struct end *end = &s->form->ends[i];
	int fd = open(end->name, O_RDONLY | O_NONBLOCK);
	size_t used = 0;
	ssize_t n;

	for (int ms = 0; !readable(end->alive[0], 1); ms++) {
		if (ms == PATIENCE) {
			complain(s, end->name, "its writer is stuck");
			break;
		}
		n = read(fd, s->found->left[i] + used, TEXT_SIZE - 1 - used);
		if (n > 0)
			used += (size_t)n;
	}
	collect_descriptor(fd, s->found->left[i], used);
}

/* Write a line for the reader, unless it has gone. */
static void
collect_reader(struct scene *s, int i)
{
	const struct end *end = &s->form->ends[i];
	int fd = -1;

	for (int ms = 0; ms < PATIENCE; ms++) {
		fd = open(end->name, O_WRONLY | O_NONBLOCK);
		if (fd != -1 || readable(end->alive[0], 1))
			break;
	}
	if (fd != -1) {
		(void)signal(SIGPIPE, SIG_IGN);
		(void)!write(fd, JOB, strlen(JOB));
		(void)close(fd);
	}
	if (!readable(end->alive[0], PATIENCE))
		complain(s, end->name, "its reader is stuck");
	else if (*s->found->left[i] == '\0')
		complain(s, end->name, "its reader saw an end of file");
}

void
scene_collect(struct scene *s)
{
	s->collector = start();
	if (s->collector != 0)
		return;
	collect_output(s);
	for (int i = 0; i < s->form->count; i++) {
		switch (s->form->ends[i].kind) {
		case END_FIFO:
			collect_fifo(s, i);
			break;
		case END_READER:
			collect_reader(s, i);
			break;
		case END_OUT:
			break;
		default:
			collect_descriptor(s->form->ends[i].fds[0],
			    s->found->left[i], 0);
		}
	}
	_exit(0);
}

void
scene_close(struct scene *s)
{
	ssize_t n;

	for (int i = 0; i < s->form->count; i++) {
		struct end *end = &s->form->ends[i];

		drop(&end->fds[0]);
		drop(&end->fds[1]);
		drop(&end->alive[0]);
		if (end->name != NULL)
			(void)unlink(end->name);
		if (end->peer != 0)
			(void)kill(end->peer, SIGKILL);
	}
	if (s->owner != 0)
		(void)kill(s->owner, SIGKILL);
	drop(&s->output[0]);
	drop(&s->go[0]);
	drop(&s->go[1]);
	n = pread(s->messages, s->found->errors, OUTPUT_SIZE - 1, 0);
	s->found->errors[n > 0 ? n : 0] = '\0';
	drop(&s->messages);
}

bool
scene_reap(struct scene *s, pid_t pid, int status)
{
	for (int i = 0; i < s->form->count; i++) {
		struct end *end = &s->form->ends[i];

		if (end->peer != pid)
			continue;
		end->died = WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE;
		end->peer = 0;
		return true;
	}
	if (pid == s->owner)
		s->owner = 0;
	else if (pid == s->collector)
		s->collector = 0;
	else
		return false;
	return true;
}

#endif
