/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "await/await.h"
#include "backend/backend.h"
#include "base/deadline.h"
#include "base/duration.h"
#include "base/duration.h"
#include "base/flags.h"
#include "base/pmux.h"
#include "output/debug.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/dispatch.h"
#include "run/lines.h"
#include "run/request.h"
#include "run/settle.h"
#include "run/stream.h"
#include "run/vnodes.h"
#include "run/watched.h"
#include "sys/process.h"

/* ns, after a change of a file: it doubles up to SAMPLE_PAUSE. */
#define FILES_PAUSE INT64_C(1000000)

struct stream {
	struct request *request;
	struct watched w;
	struct dispatch *dispatch; /* NULL: no PROGRAM */
	struct settle *settle; /* NULL: no --settle */
	struct vnodes *vnodes; /* NULL: --reopen has none */
	uint64_t settled; /* events that were given to it */
	bool partial; /* reports what was read in part, as poll(2) does */
	bool ended; /* the process of --while */
	bool drained; /* and nothing is left of what it wrote */
	bool woken; /* the last wait reported something */
	bool sampled; /* only sampling shows that the process has ended */
	int process; /* of --while, as process_open; or -1 */
	int64_t files_pause; /* until the files are sampled: ns */
	int64_t pause; /* after its end, until nothing more comes: ns */
	int status; /* of what failed on the way, or 0 */
};

static struct target *
target_of(const struct stream *f, uint32_t index)
{
	return &f->w.waitset.targets->list[index];
}

/* Whether PROGRAMs run, or wait for their turn. */
static bool
is_busy(const struct stream *f)
{
	return f->dispatch != NULL && !dispatch_idle(f->dispatch);
}

/* --count or --until */
static bool
has_goal(const struct stream *f)
{
	return f->w.most != 0 || f->request->stream.until != NULL;
}

static bool
has_reached_goal(const struct stream *f)
{
	return f->request->stream.lines ?
	    lines_done() :
	    f->w.most != 0 && f->w.count >= f->w.most;
}

static bool
is_done(const struct stream *f)
{
	return has_reached_goal(f) ||
	    (!is_busy(f) &&
		(f->drained ||
		    (f->w.unfinished == 0 && f->w.waitset.targets->count > 0)));
}

/* ---- events ---- */

static void
report(struct stream *f, uint32_t index, const struct event *event)
{
	const struct target *t = target_of(f, index);

	(void)waitset_note(&f->w.waitset, t, event->bits);
	if (!f->request->print.quiet)
		print_event(&f->request->print, t, event);
	f->w.count++;
}

/* Go on with another file that has the name of target INDEX. */
static int
change_file(struct stream *f, uint32_t index)
{
	int status;

	watched_remove(&f->w, index);
	sampler_drop_edges(&f->w.sampler, index);
	f->files_pause = FILES_PAUSE;
	status = lines_change(index);
	f->w.count = lines_count();
	return status != 0 ? status : watched_add(&f->w, index);
}

static int
read_lines(struct stream *f, uint32_t index, const struct event *event)
{
	enum lines_answer answer = lines_take(index);
	uint64_t before = f->w.count;

	f->w.count = lines_count();
	f->w.waitset.asked |= f->w.count != before;
	switch (answer) {
	case LINES_WAIT:
		return watched_add(&f->w, index);
	case LINES_LEFT:
		return watched_sample(&f->w, index, event);
	case LINES_CHANGE:
		return change_file(f, index);
	case LINES_TURN:
		sampler_soon(&f->w.sampler);
		return watched_sample(&f->w, index, event);
	case LINES_FAILED:
		/* reading would fail again, also from the next writer */
		f->status = EXIT_SYSTEM;
		watched_end(&f->w, index);
		return 0;
	default:
		return watched_finish(&f->w, index, event);
	}
}

/*
 * Whether to sample T, which EVENT reported.  Edges report bytes that come, and
 * not bytes that are read: a reader may leave a part of them, or read a pipe
 * that hung up to its end.
 */
static bool
needs_samples(const struct stream *f, const struct target *t,
    const struct event *event)
{
	return finished_is_readiness(f->w.waitset.targets, t) &&
	    (!f->w.edge || f->partial ||
		(event->bits & f->w.finished.hangs_up) != 0);
}

/* Report, or run PROGRAM for, what --settle has held back of target INDEX. */
static int
report_settled(struct stream *f, uint32_t index)
{
	struct event event;
	int status = 0;

	while (status == 0 && settle_take(f->settle, index, &event))
		if (f->dispatch == NULL)
			report(f, index, &event);
		else
			status = dispatch_settled(f->dispatch, &event);
	return status;
}

/* The same for those that are due, or ALL. */
static int
report_due(struct stream *f, bool all)
{
	uint32_t index;
	int status = 0;

	while (status == 0 && !has_reached_goal(f) &&
	    settle_due(f->settle, all, &index))
		if (!all && f->dispatch != NULL &&
		    dispatch_has(f->dispatch, index))
			settle_hold(f->settle, index);
		else
			status = report_settled(f, index);
	return status;
}

/* Hold EVENT back, unless it is the last of its target. */
static int
settle(struct stream *f, const struct event *event)
{
	uint32_t index = event->token;
	const struct target *t = target_of(f, index);
	int status;

	f->settled++;
	if (settle_note(f->settle, event) != 0)
		return diag_system(ENOMEM, NULL, "--settle");
	if (!finished_is_last(&f->w.finished, t, event,
		&f->w.sampler.samples[index].children))
		return needs_samples(f, t, event) ?
		    watched_sample(&f->w, index, event) :
		    0;
	status = report_settled(f, index);
	/* a PROGRAM finishes the target when it ends */
	return status != 0 || f->dispatch != NULL ?
	    status :
	    watched_finish(&f->w, index, event);
}

/* Report EVENT, or run PROGRAM for it. */
static int
report_event(struct stream *f, const struct event *event)
{
	uint32_t index = event->token;
	struct target *t = target_of(f, index);

	if (f->settle != NULL)
		return settle(f, event);
	if (f->dispatch != NULL)
		return dispatch_event(f->dispatch, event);
	report(f, index, event);
	if (finished_is_last(&f->w.finished, t, event,
		&f->w.sampler.samples[index].children))
		return watched_finish(&f->w, index, event);
	return needs_samples(f, t, event) ?
	    watched_sample(&f->w, index, event) :
	    0;
}

/* N is what vnodes_take or vnodes_next has returned: not 1. */
static int
vnode_failed(const struct stream *f, const struct event *event, int n)
{
	const struct target *t = target_of(f, event->token);

	return n == 0 ? 0 :
			diag_system(-n, NULL, "%.*s", (int)t->length, t->name);
}

/* The wait reports EVENT. */
static int
take_event(struct stream *f, struct event *event)
{
	int n;

	if ((target_of(f, event->token)->flags & TARGET_SETTLED) != 0)
		return 0;
	if (f->request->stream.lines)
		return read_lines(f, event->token, event);
	n = f->vnodes == NULL ? 1 : vnodes_take(f->vnodes, &f->w, event);
	return n == 1 ? report_event(f, event) : vnode_failed(f, event, n);
}

/* The paths whose file has changed. */
static int
take_vnodes(struct stream *f)
{
	struct event event;
	int status = 0, n = 1;

	while (status == 0 && n != 0 && !is_done(f)) {
		n = vnodes_next(f->vnodes, &f->w, &event);
		status = n == 1 ? report_event(f, &event) :
				  vnode_failed(f, &event, n);
	}
	return status;
}

/*
 * Whether no record may be added in this step: the buffer would be written
 * before the step ends, and edges up to its end do not count (sampler.h).
 */
static bool
is_full(const struct stream *f)
{
	return !f->w.edge && !f->request->stream.lines &&
	    output_used() > OUTPUT_SIZE / 2;
}

/* Whether a round should report T, which is ready by EVENT, again. */
static bool
has_changed(const struct stream *f, const struct target *t,
    const struct event *event)
{
	const struct sample *sample = &f->w.sampler.samples[event->token];
	int64_t bytes;

	if (sample->changed || sample->bits != event->bits)
		return true;
	if (f->w.edge && !f->partial)
		return false;
	bytes = finished_unread(f->w.waitset.targets, t);
	/* where there are edges, one reports it if there are more */
	return f->w.edge ? bytes < sample->bytes : bytes != sample->bytes;
}

/* Reading and writing lines is not part of the cost of a round. */
static int
sample_lines(struct stream *f, const struct event *event)
{
	int64_t began = clock_cpu();
	int status = read_lines(f, event->token, event);

	sampler_discount(&f->w.sampler, clock_cpu() - began);
	return status;
}

/* Where the bytes are unknown a PROGRAM runs whenever the pause has passed. */
static int
sample_dispatch(struct stream *f, const struct target *t,
    const struct event *event, bool recent)
{
	int64_t bytes = f->w.sampler.samples[event->token].bytes;

	return has_changed(f, t, event) || (bytes < 0 && !recent) ?
	    dispatch_event(f->dispatch, event) :
	    0;
}

/* A round found a target ready: EVENT. */
static int
take_sample(struct stream *f, const struct event *event)
{
	uint32_t index = event->token;
	const struct target *t = target_of(f, index);
	struct sample *sample = &f->w.sampler.samples[index];
	bool recent = f->w.sampler.began - sample->reported < SAMPLE_PAUSE;

	if (sample->place == 0)
		return 0;
	if (f->request->stream.lines)
		return sample_lines(f, event);
	if (f->settle != NULL)
		return recent || !has_changed(f, t, event) ? 0 :
							     settle(f, event);
	if (f->dispatch != NULL)
		return sample_dispatch(f, t, event, recent);
	if ((event->bits & f->w.finished.hangs_up) != 0 && !sample->stale &&
	    finished_is_last(&f->w.finished, t, event, &sample->children)) {
		report(f, index, event);
		return watched_finish(&f->w, index, event);
	}
	if (!recent && !is_full(f) && has_changed(f, t, event)) {
		report(f, index, event);
		watched_reported(&f->w, index, event);
	}
	return 0;
}

static int
sample_all(struct stream *f)
{
	int status = 0, error = sampler_round(&f->w.sampler);
	struct event event;
	uint32_t index;

	if (error != 0)
		return waitset_failed(&f->w.waitset, -error);
	while (status == 0 && sampler_next_ready(&f->w.sampler, &event)) {
		status = waitset_event_failed(&f->w.waitset, &event);
		if (status == 0)
			status = take_sample(f, &event);
	}
	while (status == 0 && sampler_next_idle(&f->w.sampler, &index))
		status = watched_add(&f->w, index);
	return status;
}

/* ---- the process of --while ---- */

/* ns between two samples, where no descriptor reports its end. */
#define PROCESS_PAUSE (INT64_C(50) * 1000000)

/* ns: what was written to a terminal may come that much later. */
#define TERMINAL_PAUSE (INT64_C(20) * 1000000)

/* A zombie is not: its parent has to wait for it first. */
static bool
is_gone(const struct stream *f)
{
	return kill((pid_t)f->request->stream.process, 0) == -1 &&
	    errno == ESRCH;
}

static void
forget_process(struct stream *f)
{
	if (f->process < 0)
		return;
	(void)f->w.waitset.backend->remove(f->w.waitset.state,
	    (uint32_t)f->w.waitset.targets->count + WAITSET_PROCESS,
	    f->process);
	(void)close(f->process);
	f->process = -1;
	f->files_pause = FILES_PAUSE;
}

static void
end_process(struct stream *f)
{
	const struct targets *targets = f->w.waitset.targets;

	DEBUG("stream", "the process of --while has ended");
	f->ended = true;
	f->sampled = false;
	forget_process(f);
	for (size_t i = 0; i < targets->count; i++)
		if (targets->list[i].fd >= 0 && isatty(targets->list[i].fd))
			f->pause = TERMINAL_PAUSE;
}

/* Returns 0 or an exit status, a message having been printed. */
static int
watch_process(struct stream *f)
{
	struct waitset *w = &f->w.waitset;
	pid_t pid = (pid_t)f->request->stream.process;
	int error;

	if (pid == 0)
		return 0;
	f->process = process_open(pid);
	f->sampled = f->process == -ENOSYS;
	if (f->process == -ESRCH || (f->sampled && is_gone(f)))
		end_process(f);
	if (f->sampled || f->ended)
		return 0;
	error = f->process < 0 ?
	    f->process :
	    w->backend->add(w->state,
		(uint32_t)w->targets->count + WAITSET_PROCESS, f->process,
		w->backend->mask_read);
	return error == 0 ? 0 :
			    diag_system(-error, NULL, "--while %ld", (long)pid);
}

/* Wait for FD, too, which may be -1; OTHER is its token. */
static int
watch_other(struct stream *f, int fd, uint32_t other, const char *option)
{
	struct waitset *w = &f->w.waitset;
	int error = fd == -1 ?
	    0 :
	    w->backend->add(w->state, (uint32_t)w->targets->count + other, fd,
		w->backend->mask_read);

	return error == 0 ? 0 : diag_system(-error, NULL, "%s", option);
}

/*
 * What makes a round of samples come soon: the next byte of a line that
 * --partial tries, and a change of a file.
 */
static int
watch_others(struct stream *f)
{
	const struct stream_options *options = &f->request->stream;
	int status = watch_other(f,
	    options->partial ? sampler_edges(&f->w.sampler) : -1, WAITSET_EDGES,
	    "--partial");

	if (status == 0 && options->lines)
		status = watch_other(f, lines_files(), WAITSET_FILES,
		    "--reopen");
	return status;
}

/* ---- the loop ---- */

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

/* The event of something else than a target, which OTHER says. */
static int
take_other(struct stream *f, size_t other)
{
	switch (other) {
	case WAITSET_PROGRAM:
		if (f->settle != NULL)
			settle_release(f->settle);
		return dispatch_wake(f->dispatch);
	case WAITSET_PROCESS:
		end_process(f);
		return 0;
	case WAITSET_FILES:
		lines_read_files();
		sampler_soon(&f->w.sampler);
		f->files_pause = FILES_PAUSE;
		return 0;
	default:
		sampler_read_edges(&f->w.sampler);
		sampler_soon(&f->w.sampler);
		return 0;
	}
}

/* The events of the last wait.  Sets *OUTPUT_ERROR if output has no reader. */
static int
deliver(struct stream *f, int *output_error)
{
	const struct request *r = f->request;
	int64_t left = r->wait.max_events;
	int taken, status = 0;
	struct event event;

	while (status == 0 && left > 0 && !is_done(f) && !is_full(f) &&
	    (taken = waitset_next(&f->w.waitset, &event)) != 0) {
		if (taken < 0)
			*output_error = taken;
		if (taken < 0)
			break;
		if (event.token > r->targets.count) {
			status = take_other(f, event.token - r->targets.count);
			continue;
		}
		status = take_event(f, &event);
		left--;
	}
	return status != 0 ? status : f->w.waitset.failed;
}

static void
end_step(struct stream *f, int *output_error)
{
	sampler_end_step(&f->w.sampler);
	if (*output_error == 0)
		*output_error = output_flush();
}

/*
 * One wait and its events; SAMPLE: a round of samples, too, if it is due or not.
 * Returns 0 or an exit status.
 */
static int
step(struct stream *f, int64_t left, bool sample, int *output_error)
{
	int n, status;

	left = sooner(left, sampler_left(&f->w.sampler));
	if (f->settle != NULL)
		left = sooner(left, settle_left(f->settle));
	if (f->vnodes != NULL)
		left = sooner(left, vnodes_left(f->vnodes));
	status = waitset_wait(&f->w.waitset, left, &n);
	f->woken = n > 0;
	if (status == 0 && n > 0)
		status = deliver(f, output_error);
	if (status == 0 && f->vnodes != NULL)
		status = take_vnodes(f);
	if (status == 0 &&
	    (sample ? f->w.sampler.count > 0 : sampler_is_due(&f->w.sampler))) {
		/* the reader of the reports acts on them before the round */
		end_step(f, output_error);
		if (*output_error == 0)
			status = sample_all(f);
	}
	if (status == 0 && f->settle != NULL)
		status = report_due(f, false);
	if (status == 0 && f->dispatch != NULL)
		status = dispatch_run(f->dispatch);
	end_step(f, output_error);
	return status;
}

/* It grows when something has happened. */
static uint64_t
progress(const struct stream *f)
{
	return f->w.count + f->settled;
}

/*
 * The process of --while has ended; one step with all that was ready then, and
 * what that left, has been made.  If it brought nothing, that was all.
 */
static int
drain(struct stream *f, uint64_t before)
{
	bool any = f->woken || progress(f) != before;

	for (uint32_t i = 0; f->request->stream.lines && !any && !is_done(f) &&
	     i < f->w.waitset.targets->count;
	     i++)
		if (lines_take_last(i))
			f->w.waitset.asked = true;
	f->drained = !any;
	return f->drained && f->settle != NULL ? report_due(f, true) : 0;
}

/*
 * kevent(2) reports what is added to a file, and not that another one has its
 * name.
 */
static bool
samples_files(const struct stream *f)
{
	return f->w.waitset.backend->requests != NULL &&
	    f->request->stream.lines && f->request->stream.reopen;
}

/* Read from the files that are followed by name, if there is something. */
static int
sample_files(struct stream *f)
{
	struct event event = { .token = 0 };
	int status = 0;

	for (; status == 0 && event.token < f->w.waitset.targets->count;
	     event.token++)
		if (lines_follows(event.token) &&
		    (target_of(f, event.token)->flags & TARGET_SETTLED) == 0)
			status = read_lines(f, event.token, &event);
	return status;
}

/* A wait, as the state of the stream demands.  Returns 0 or an exit status. */
static int
next_step(struct stream *f, deadline_t idle, int *output_error)
{
	int64_t left = deadline_left(f->request->wait.deadline), pause;
	uint64_t before = progress(f);
	bool ended = f->ended;
	int status;

	if (ended)
		pause = f->pause;
	else if (is_busy(f))
		pause = -1;
	else
		pause = deadline_left(idle);
	if (!ended && f->sampled)
		pause = sooner(pause, PROCESS_PAUSE);
	if (samples_files(f)) {
		pause = sooner(pause, f->files_pause);
		f->files_pause = f->files_pause < SAMPLE_PAUSE / 2 ?
		    f->files_pause * 2 :
		    SAMPLE_PAUSE;
	}
	status = step(f, sooner(left, pause), ended, output_error);
	if (status == 0 && *output_error == 0 && samples_files(f))
		status = sample_files(f);
	if (f->sampled && is_gone(f))
		end_process(f);
	if (ended && status == 0 && *output_error == 0)
		status = drain(f, before);
	return status;
}

/* Returns 0 or an exit status. */
static int
loop(struct stream *f, bool *timed_out, int *output_error)
{
	const struct request *r = f->request;
	deadline_t idle = deadline_in(r->stream.idle);
	uint64_t before;
	int status = 0;
	bool active;

	while (status == 0 && *output_error == 0 && !is_done(f) &&
	    (f->dispatch == NULL || !dispatch_stopped(f->dispatch))) {
		before = progress(f);
		if (r->stream.lines)
			lines_await_output();
		active = is_busy(f);
		status = next_step(f, idle, output_error);
		active |= is_busy(f) || progress(f) != before;
		if (active)
			idle = deadline_in(r->stream.idle);
		*timed_out = !is_done(f) &&
		    ((!active && deadline_left(idle) == 0) ||
			deadline_left(r->wait.deadline) == 0);
		if (*timed_out)
			break;
	}
	/* what came at the same moment counts */
	if (*timed_out && status == 0 && f->dispatch == NULL &&
	    *output_error == 0)
		status = step(f, 0, true, output_error);
	if (status == 0 && f->settle != NULL && f->dispatch == NULL)
		status = report_due(f, true);
	return status;
}

static int
result(const struct stream *f, bool timed_out)
{
	if (f->status != 0)
		return f->status;
	if (has_reached_goal(f))
		return EXIT_EVENT;
	if (timed_out && !is_done(f))
		return EXIT_TIMED_OUT;
	return f->w.waitset.asked && !has_goal(f) ? EXIT_EVENT : EXIT_UNASKED;
}

static int
run(struct stream *f)
{
	struct request *r = f->request;
	bool timed_out = false;
	int status = 0, output_error = 0, error;

	if (r->program.arguments != NULL)
		status = dispatch_open(&f->dispatch, &f->w, &r->program,
		    &r->print);
	/* events that were not printed stay, and will be printed again */
	output_until(r->wait.deadline, r->stream.lines && has_goal(f));
	if (status == 0)
		status = loop(f, &timed_out, &output_error);
	if (r->stream.lines)
		lines_close();
	error = output_flush();
	if (output_error == 0)
		output_error = error;
	if (status == 0)
		status = result(f, timed_out);
	return output_error != 0 ? print_failed(output_error) : status;
}

/* ---- the backend ---- */

/* The same events by the names that BACKEND has for them. */
static uint32_t
translate(const struct backend *from, const struct backend *to, uint32_t bits)
{
	uint32_t translated = 0;

	for (const struct flag *flag = from->flags; *flag->name != '\0'; flag++)
		if (flag->bit != 0 && (bits & flag->bit) == flag->bit)
			translated |= flags_bit(to->flags, flag->name);
	return translated;
}

/*
 * Use a better backend for the stream, if the command has one and it takes
 * every target: epoll refuses files that are always ready, also those that come
 * later.  Returns 0, or an
 * exit status, or -errno if the usual backend must be used.
 */
static int
open_better(struct stream *f, struct request *request)
{
	struct targets *targets = &request->targets;
	const struct backend *const *streams = request->stream.better,
				    *usual = targets->backend, *better;
	const char *detail;
	int status;

	while (streams != NULL && *streams != NULL &&
	    (*streams)->probe(&detail) < 0)
		streams++;
	/* only poll(2) reports nval for what another process has closed */
	if (streams == NULL || *streams == NULL ||
	    (targets->process_count > 0 && !targets->copied) ||
	    (targets->late && targets->awaited))
		return -ENOSYS;
	better = await_over(*streams, false);
	for (size_t i = 0; i < targets->count; i++)
		targets->list[i].bits = translate(usual, better,
		    targets->list[i].bits);
	targets->backend = better;
	status = waitset_open(&f->w.waitset, targets, &request->wait,
	    request->stream.lines ? 0 : better->flag_edge, true);
	if (status >= 0)
		return status;
	waitset_close(&f->w.waitset);
	for (size_t i = 0; i < targets->count; i++)
		targets->list[i].bits = translate(better, usual,
		    targets->list[i].bits);
	targets->backend = usual;
	return status;
}

/* Returns 0 or an exit status, a message having been printed. */
static int
open_settle(struct stream *f)
{
	const struct stream_options *options = &f->request->stream;

	if (options->settle == DURATION_FOREVER)
		return 0;
	return settle_open(&f->settle, f->request->targets.count,
		   options->settle, options->settle_limit) == 0 ?
	    0 :
	    diag_system(ENOMEM, NULL, "--settle");
}

static void
stream_close(void *stream)
{
	struct stream *f = stream;

	/* where the host left: prints the lines that were begun */
	lines_close();
	if (f->dispatch != NULL)
		dispatch_close(f->dispatch);
	settle_close(f->settle);
	vnodes_close(f->vnodes);
	if (f->w.waitset.backend != NULL)
		forget_process(f);
	if (f->w.sampler.targets != NULL)
		sampler_close(&f->w.sampler);
	waitset_close(&f->w.waitset);
	free(f);
}

int
stream_run(struct request *request)
{
	const struct stream_options *options = &request->stream;
	struct targets *targets = &request->targets;
	uint32_t edge = options->lines ? 0 : targets->backend->flag_edge;
	struct stream *f = calloc(1, sizeof *f);
	int status;

	if (f == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	pmux_at_end(stream_close, f);
	f->request = request;
	f->w.unfinished = targets->count;
	f->w.most = (uint64_t)options->count;
	f->w.reopen = options->reopen;
	f->partial = options->better != NULL;
	f->process = -1;
	status = options->lines ?
	    lines_open(targets, &request->print, options) :
	    0;
	if (status == 0 && options->reopen && !options->lines &&
	    vnodes_open(&f->vnodes, targets) != 0)
		status = diag_system(ENOMEM, NULL, "targets");
	if (status == 0)
		status = open_better(f, request);
	if (status < 0)
		status = waitset_open(&f->w.waitset, targets, &request->wait,
		    edge, false);
	f->w.edge = f->w.waitset.more != 0 &&
	    request->program.arguments == NULL;
	f->w.stays = f->w.waitset.more != 0 && !f->w.edge &&
	    options->settle == DURATION_FOREVER;
	finished_open(&f->w.finished, targets);
	if (status == 0 &&
	    sampler_open(&f->w.sampler, targets, request->wait.data,
		f->w.edge) != 0)
		status = diag_system(ENOMEM, NULL, "targets");
	if (status == 0)
		status = open_settle(f);
	if (status == 0)
		status = watch_process(f);
	if (status == 0)
		status = watch_others(f);
	if (status == 0)
		status = run(f);
	pmux_close();
	return status;
}
