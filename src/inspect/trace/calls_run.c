/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/pmux.h"
#include "inspect/trace/calls.h"
#include "inspect/trace/calls_run.h"
#include "inspect/facts/procfs.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/program.h"
#include "run/request.h"
#include "sys/caller.h"
#include "sys/ending.h"
#include "sys/launch.h"
#include "sys/process.h"
#include "sys/terminate.h"

extern char **environ;

/* What is released when the call ends, also by longjmp. */
struct session {
	struct calls calls;
	struct ending ending;
	pid_t apart; /* the process that makes this call, or 0 */
};

static void
end(void *argument)
{
	struct session *s = argument;

	if (s->apart > 0) {
		/* what it traces is let go by the kernel */
		(void)kill(s->apart, SIGKILL);
		while (waitpid(s->apart, NULL, 0) == -1 && errno == EINTR)
			;
	}
	tracer_detach(&s->calls.tracer);
	ending_end();
	caller_put_back(SIGCHLD);
	tracer_end(&s->calls.tracer);
	calls_end(&s->calls);
	free(s);
}

/* ---- messages ---- */

static int
not_available(void)
{
	return diag_unavailable("--calls: only on Linux from 5.3 on, on x86-64"
				" and aarch64");
}

/* Why PID cannot be traced, a constant text; or NULL. */
static const char *
why_denied(struct session *s, pid_t pid, char space[64])
{
	char directory[24];
	struct procfs_status status;
	struct procfs_stat stat;

	(void)snprintf(directory, sizeof directory, "%ld", (long)pid);
	if (pid == getpid())
		return "pmux itself";
	if (procfs_process(&s->calls.source, pid, &stat) == -ESRCH)
		return "it has ended, and is a zombie";
	if (procfs_status(&s->calls.source, directory, &status) != 0)
		return process_forbidden_by();
	if (status.tracer != 0) {
		(void)snprintf(space, 64, "process %ld traces it already",
		    (long)status.tracer);
		return space;
	}
	return status.kernel ? "a thread of the kernel" :
			       process_forbidden_by();
}

static int
failed(struct session *s, pid_t pid, int error)
{
	char space[64];

	if (error == -ENOSYS)
		return not_available();
	if (error == -EBADMSG)
		return diag_unavailable("process %ld: a 32-bit program, or one"
					" for another architecture",
		    (long)pid);
	return diag_system(-error,
	    error == -EPERM ? why_denied(s, pid, space) : NULL, "process %ld",
	    (long)pid);
}

/* ---- a process, or a program ---- */

/* Threads have directories in /proc, too, which are not listed. */
static int
check_process(struct session *s, pid_t pid)
{
	char directory[24];
	struct procfs_status status;

	(void)snprintf(directory, sizeof directory, "%ld", (long)pid);
	if (procfs_status(&s->calls.source, directory, &status) == 0 &&
	    status.process != pid)
		return diag_system(ENOENT, "a thread's ID, not a process's",
		    "process %ld", (long)pid);
	return 0;
}

static int
attach(struct session *s, pid_t pid)
{
	int status = check_process(s, pid), error;

	if (status != 0)
		return status;
	error = tracer_attach(&s->calls.tracer, pid);
	return error == 0 ? 0 : failed(s, pid, error);
}

static int
start(struct session *s, char **arguments)
{
	struct launch launch = { arguments, environ, -1, -1 };
	struct sigaction action;
	int error = launch_prepare(arguments);

	/* who ignores it gets no status from waitpid(2) */
	memset(&action, 0, sizeof action);
	action.sa_handler = SIG_DFL;
	(void)sigemptyset(&action.sa_mask);
	(void)caller_change(SIGCHLD, &action, NULL);
	if (error == 0)
		error = tracer_start(&s->calls.tracer, &launch);
	if (error == -ENOSYS)
		return not_available();
	if (error != 0)
		return program_no_start(arguments[0], -error);
	s->ending.child = s->calls.tracer.target;
	return 0;
}

/* Whether the trace ends, though threads are left. */
static bool
is_over(const struct session *s, const struct request *request)
{
	return s->ending.number != 0 ||
	    s->calls.waits >= (uint64_t)request->trace.waits ||
	    (s->ending.rung != 0 && deadline_left(request->wait.deadline) == 0);
}

/* Returns 0 or -errno of tracer_next or calls_note. */
static int
watch(struct session *s, const struct request *request)
{
	struct tracee *tracee;
	int answer;

	do {
		answer = tracer_next(&s->calls.tracer, &tracee);
		if (answer == 1)
			answer = calls_note(&s->calls, tracee) == 0 ? 1 :
								      -ENOMEM;
	} while ((answer == 1 || answer == -EINTR) && !is_over(s, request));
	return answer == 1 || answer == -EINTR ? 0 : answer;
}

/* Returns the exit status of the program. */
static int
wait_for_program(struct session *s)
{
	struct tracer *t = &s->calls.tracer;
	int error;

	while ((error = tracer_wait(t)) == -EINTR)
		;
	s->ending.child = 0;
	if (error != 0)
		return diag_system(-error, NULL, "waitpid");
	return WIFSIGNALED(t->status) ? 128 + WTERMSIG(t->status) :
					WEXITSTATUS(t->status);
}

static int
report(struct session *s, const struct request *request)
{
	unsigned refused = s->calls.tracer.refused;
	int error;

	calls_finish(&s->calls);
	tracer_detach(&s->calls.tracer);
	if (refused > 0)
		diag_remark("children that are no 64-bit programs, and were"
			    " not traced: %u",
		    refused);
	if (calls_print(&s->calls, request->print.json) != 0)
		return diag_system(ENOMEM, NULL, "the table");
	error = output_flush();
	return error == 0 ? 0 : print_failed(error);
}

static int
trace(struct session *s, const struct request *request)
{
	char **program = request->program.arguments;
	pid_t pid = program == NULL ? request->targets.processes[0] : 0;
	int error, status, own;

	s->calls.tracer.wants = calls_wants;
	s->calls.tracer.channel = -1;
	if ((error = source_open(&s->calls.source, NULL)) != 0)
		return diag_system(-error, source_hint(error), "/proc");
	ending_begin(&s->ending);
	if (request->timed)
		ending_after(deadline_left(request->wait.deadline));
	status = program != NULL ? start(s, program) : attach(s, pid);
	if (status != 0)
		return status;
	error = watch(s, request);
	if (error == -ENOEXEC)
		return program_not_run(*program, s->calls.tracer.error);
	status = error == 0 ? report(s, request) :
			      failed(s, s->calls.tracer.target, error);
	if (error != 0)
		tracer_detach(&s->calls.tracer);
	if (program != NULL) {
		own = wait_for_program(s);
		status = status == 0 ? own : status;
	}
	return ending_result(&s->ending, status);
}

/* ---- where the process goes on after the call ---- */

static int
wait_for_child(void *argument)
{
	int *status = argument;
	const struct session *s = (const struct session *)pmux->argument;

	return waitpid(s->apart, status, 0) == -1 ? -errno : 0;
}

/*
 * tracer_next takes the ends of all children of its process.  A process of its
 * own takes none of the host's, and what it traces is let go when it ends.
 */
static int
trace_apart(struct session *s, const struct request *request)
{
	struct pmux_host *host = pmux->host;
	int status = 0, error;

	if ((error = output_flush()) != 0)
		return print_failed(error);
	s->apart = host->fork == NULL ? fork() : host->fork(host);
	if (s->apart == -1)
		return diag_system(errno, NULL, "fork");
	if (s->apart == 0) {
		status = trace(s, request);
		if ((error = output_flush()) != 0)
			status = print_failed(error);
		if (host->signal != 0)
			terminate_by(host->signal);
		terminate_with(status);
	}
	ending_begin(&s->ending);
	s->ending.child = s->apart;
	while ((error = pmux_sleep(wait_for_child, &status)) == -EINTR)
		;
	s->ending.child = s->apart = 0;
	if (error != 0)
		return diag_system(-error, NULL, "waitpid");
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	host->signal = WTERMSIG(status);
	return 128 + host->signal;
}

int
calls_run(struct request *request)
{
	struct session *s = calloc(1, sizeof *s);
	int status;

	if (s == NULL)
		return diag_system(ENOMEM, NULL, "--calls");
	s->calls.source.proc = s->calls.tracer.channel = -1;
	pmux_at_end(end, s);
	launch_remember();
	status = pmux->host->stays ? trace_apart(s, request) :
				     trace(s, request);
	pmux_close();
	return status;
}
