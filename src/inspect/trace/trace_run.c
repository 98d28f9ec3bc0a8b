/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/pmux.h"
#include "inspect/trace/samples.h"
#include "inspect/trace/samples_print.h"
#include "inspect/trace/picture.h"
#include "inspect/trace/trace_run.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/request.h"
#include "sys/ending.h"
#include "sys/fdplace.h"
#include "sys/process.h"
#include "sys/timeout.h"

/* The picture is drawn again no sooner: ns. */
#define REDRAW INT64_C(100000000)

/* What is released when the call ends, also by longjmp. */
struct session {
	struct samples samples;
	struct ending ending;
	struct picture picture;
	const struct trace_options *options;
	bool json, live;
	int svg; /* the descriptor of the file, or -1 */
	int64_t drawn; /* when */
	size_t lines; /* of the picture on the terminal */
	int timeout; /* of the sleep, in ms */
};

static void
end(void *argument)
{
	struct session *s = argument;

	ending_end();
	samples_free(&s->samples);
	if (s->svg >= 0)
		(void)close(s->svg);
	free(s);
}

/* ---- what is named ---- */

static int
failed(pid_t pid, int number, int error)
{
	const char *hint = error == -EPERM || error == -EACCES ?
	    process_forbidden_by() :
	    error == -EOPNOTSUPP ? procfs_headless :
				   NULL;

	if (error == -ENOSYS)
		return diag_unavailable("trace: this system does not show what"
					" other processes have open");
	if (number == -1)
		return diag_system(-error, hint, "process %ld", (long)pid);
	return diag_system(-error, hint, "descriptor %d of process %ld", number,
	    (long)pid);
}

static int
add(struct session *s, pid_t pid, int number)
{
	int error = samples_add(&s->samples, pid, number);

	return error == 0 ? 0 : failed(pid, number, error);
}

static int
add_word(struct session *s, const struct targets *targets,
    const struct target *t)
{
	if ((t->flags & TARGET_PATH) != 0)
		return diag_usage(
		    "%s: a path is not opened, give a descriptor;"
		    " pmux inspect PATH lists those that are open",
		    t->name);
	return add(s,
	    t->process == 0 ? getpid() : targets->processes[t->process - 1],
	    t->number);
}

static int
add_words(struct session *s, const struct targets *targets)
{
	int status = 0;

	for (size_t i = 0; i < targets->count && status == 0; i++)
		status = add_word(s, targets, &targets->list[i]);
	for (uint32_t i = 0; i < targets->process_count && status == 0; i++)
		if (!targets_name_any(targets, i + 1))
			status = add(s, targets->processes[i], -1);
	return status;
}

/* Say what cannot be known.  Returns 0, or a status if that is everything. */
static int
check_known(const struct session *s)
{
	size_t unknown = 0;
	const char *why = NULL;

	for (size_t i = 0; i < s->samples.count; i++)
		if (s->samples.targets[i].d.unknown[FACT_READY] != NULL) {
			why = s->samples.targets[i].d.unknown[FACT_READY];
			unknown++;
		}
	if (unknown > 0 && unknown == s->samples.count) {
		if (*why == 'E' && why[1] >= 'A' && why[1] <= 'Z')
			diag_remark("whether the descriptors are ready is not"
				    " known [%s]",
			    why);
		else
			diag_remark("whether the descriptors are ready is not"
				    " known (%s)",
			    why);
		return EXIT_SYSTEM;
	}
	if (unknown > 0)
		diag_remark("descriptors whose readiness is not known: %zu"
			    " (the last: %s)",
		    unknown, why);
	return 0;
}

/* ---- the picture ---- */

/* Over the last one. */
static int
redraw(struct session *s)
{
	struct buffer b = { .bytes = NULL };
	size_t lines;

	picture_choose(&s->picture);
	if (s->lines > 0)
		buffer_put(&b, "\033[%zuA", s->lines);
	/* what is left of longer lines, and of more of them, goes */
	lines = picture_draw(&s->picture, &s->samples, "\033[K\n", &b);
	buffer_put(&b, "\033[J");
	if (lines > 0)
		output_bytes(b.bytes, b.used);
	buffer_free(&b);
	s->drawn = clock_now();
	s->lines = lines;
	return lines > 0 ? 0 : -ENOMEM;
}

static int
draw(struct session *s)
{
	struct buffer b = { .bytes = NULL };
	size_t lines;

	s->picture.height = 0;
	lines = picture_draw(&s->picture, &s->samples, "\n", &b);
	if (lines > 0)
		output_bytes(b.bytes, b.used);
	buffer_free(&b);
	return lines > 0 ? 0 : -ENOMEM;
}

/* A FIFO without a reader would be waited for.  Returns an exit status. */
static int
open_svg(struct session *s)
{
	const char *path = s->options->svg;

	s->svg = fdplace(open(path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666));
	if (s->svg < 0)
		return diag_system(-s->svg,
		    s->svg == -ENXIO ? "it is a FIFO without a reader" : NULL,
		    "%s", path);
	return fcntl(s->svg, F_SETFL, 0) == 0 ?
	    0 :
	    diag_system(errno, NULL, "%s", path);
}

static int
write_all(int fd, const char *bytes, size_t length)
{
	ssize_t n;

	for (; length > 0; bytes += n, length -= (size_t)n) {
		n = write(fd, bytes, length);
		if (n == -1 && errno != EINTR)
			return -errno;
		n = n == -1 ? 0 : n;
	}
	return 0;
}

/* Returns an exit status. */
static int
write_svg(struct session *s)
{
	struct buffer b = { .bytes = NULL };
	int error;

	picture_svg(&s->samples, &b);
	error = b.failed ? -ENOMEM : write_all(s->svg, b.bytes, b.used);
	buffer_free(&b);
	if (close(s->svg) == -1 && error == 0)
		error = -errno;
	s->svg = -1;
	return error == 0 ? 0 :
			    diag_system(-error, NULL, "%s", s->options->svg);
}

/* ---- the samples ---- */

/* Returns 0 or -errno. */
static int
show(struct session *s)
{
	int error = 0;

	for (size_t i = 0; i < s->samples.count && !s->live && error == 0; i++)
		if (s->samples.targets[i].changed)
			error = samples_print_change(&s->samples,
			    &s->samples.targets[i], s->json,
			    s->picture.terminal);
	for (size_t i = 0; i < s->samples.count; i++)
		s->samples.targets[i].changed = false;
	if (s->live && clock_now() - s->drawn >= REDRAW)
		error = redraw(s);
	return error == 0 ? output_flush() : error;
}

/* Standard output is watched for the end of its reader. */
static int
sleep_now(void *argument)
{
	const struct session *s = argument;
	struct pollfd p = { STDOUT_FILENO, 0, 0 };
	int n = poll(&p, 1, s->timeout);

	if (n == -1)
		return -errno;
	return n == 1 && (p.revents & POLLERR) != 0 ? -EPIPE : 0;
}

/* Until the next sample.  Returns 0 or -errno. */
static int
pause_until(struct session *s, deadline_t next, deadline_t last)
{
	int64_t left = deadline_left(next), most = deadline_left(last);

	if (most != -1 && most < left)
		left = most;
	s->timeout = timeout_milliseconds(left);
	return left <= 0 ? 0 : pmux_sleep(sleep_now, s);
}

/* Returns 0 or -errno, of the output too. */
static int
watch(struct session *s, deadline_t last)
{
	int64_t next = clock_now();
	int error = 0, more;

	while (error == 0 || error == -EINTR) {
		if ((more = samples_take(&s->samples)) < 0)
			return more;
		error = show(s);
		if (error != 0 || more == 0 || s->ending.number != 0 ||
		    deadline_left(last) == 0)
			return error;
		/* samples that are late are left out */
		next += s->options->every;
		if (next < clock_now())
			next = clock_now();
		do
			error = pause_until(s, next, last);
		while (error == -EINTR && s->ending.number == 0);
	}
	return error;
}

/* Returns 0 or -errno. */
static int
summarize(struct session *s)
{
	bool drawn = !s->json && (s->options->picture || s->picture.terminal);
	int error = 0;

	for (size_t i = 0; i < s->samples.count; i++)
		series_close(&s->samples.targets[i].series, s->samples.now);
	if (s->live)
		error = redraw(s);
	else if (drawn)
		error = draw(s);
	if (error == 0 && (drawn || s->json))
		error = samples_print_summary(&s->samples, s->json);
	return error == 0 ? output_flush() : error;
}

static int
report(int error)
{
	if (error == 0)
		return 0;
	return error == -ENOMEM ? diag_system(ENOMEM, NULL, "samples") :
				  print_failed(error);
}

static int
run(struct session *s, const struct request *r)
{
	int error, status = add_words(s, &r->targets);

	if (status == 0)
		status = check_known(s);
	if (status == 0 && r->trace.svg != NULL)
		status = open_svg(s);
	if (status != 0)
		return status;
	ending_begin(&s->ending);
	if (s->picture.terminal && !s->live && !s->json)
		samples_print_heading();
	error = watch(s, r->wait.deadline);
	if (error == 0)
		error = summarize(s);
	status = report(error);
	if (status == 0 && s->svg >= 0)
		status = write_svg(s);
	return ending_result(&s->ending, status);
}

int
trace_samples(struct request *request)
{
	struct session *s = calloc(1, sizeof *s);
	int error, status;

	if (s == NULL)
		return diag_system(ENOMEM, NULL, "samples");
	s->svg = s->samples.source.proc = -1;
	s->options = &request->trace;
	s->json = request->print.json;
	pmux_at_end(end, s);
	picture_choose(&s->picture);
	s->live = s->picture.live && !s->json;
	if ((error = samples_open(&s->samples)) != 0)
		status = diag_system(-error, source_hint(error), "/proc");
	else
		status = run(s, request);
	pmux_close();
	return status;
}
