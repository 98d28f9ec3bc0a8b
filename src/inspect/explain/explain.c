/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "base/deadline.h"
#include "base/pmux.h"
#include "inspect/explain/explain.h"
#include "output/diag.h"

/* One snapshot, and what it shows. */
struct view {
	struct snapshot snapshot;
	struct chain chain;
	struct findings findings;
};

struct explanation {
	struct inspect_target *targets;
	size_t count;
	const struct inspect_target *current; /* being examined, or NULL */
	struct explain_options options;
	struct source source;
	struct view first, second, *last; /* LAST is one of the two */
	int64_t began; /* the first (clock_now) */
	deadline_t end; /* of the time between the two */
	int status; /* of what could not be examined */
};

static void
end_view(struct view *view)
{
	findings_free(&view->findings);
	chain_free(&view->chain);
	snapshot_end(&view->snapshot);
}

static void
release(void *argument)
{
	struct explanation *e = argument;

	end_view(&e->first);
	end_view(&e->second);
	source_close(&e->source);
	free(e->targets);
	free(e);
}

/* ---- a snapshot ---- */

/* Drop the lines from FIRST on that say nothing is unknown. */
static void
drop_lines(struct chain *c, size_t first)
{
	size_t kept = first;

	for (size_t i = first; i < c->line_count; i++)
		if (c->lines[i].why != NULL)
			c->lines[kept++] = c->lines[i];
		else
			buffer_free(&c->lines[i].text);
	c->line_count = kept;
}

struct taking {
	struct explanation *e;
	struct view *view;
	struct snapshot_process *process;
};

/* Returns 0 or -ENOMEM. */
static int
take_descriptor(void *context, int directory, const char *name, int number)
{
	struct taking *t = context;
	struct snapshot_descriptor *found;
	char link[64];
	int error;

	if (t->process->pid == t->e->source.self &&
	    (number == directory || source_has(&t->e->source, number)))
		return 0;
	if (!t->e->options.all &&
	    (source_link(&t->e->source, directory, name, link, sizeof link) <
		    0 ||
		kind_of_link(link) != KIND_EPOLL))
		return 0;
	error = snapshot_descriptor(&t->view->snapshot, t->process->pid, number,
	    &found);
	/* it may be another file by now */
	return error != 0 || found->error != 0 ||
		(!t->e->options.all && found->d.kind != KIND_EPOLL) ?
	    error :
	    chain_descriptor(&t->view->chain, t->process, found);
}

/*
 * Describe all descriptors of PROCESS with --all, or its epoll instances, the
 * lines about which are dropped.  Returns 0 or -ENOMEM.
 */
static int
take_descriptors(struct explanation *e, struct view *view,
    struct snapshot_process *process)
{
	struct taking taking = { e, view, process };
	size_t lines = view->chain.line_count;
	char path[SOURCE_PATH];
	int error;

	(void)snprintf(path, sizeof path, "%jd/fd", (intmax_t)process->pid);
	error = source_each(&e->source, path, take_descriptor, &taking);
	if (!e->options.all)
		drop_lines(&view->chain, lines);
	return error == -ENOMEM ? error : 0;
}

static bool
has_running(const struct snapshot_process *process)
{
	for (size_t i = 0; i < process->count; i++)
		if (process->threads[i].wait.state == 'R' ||
		    process->threads[i].wait.call == WAIT_RUNNING)
			return true;
	return false;
}

static int
take_process(struct explanation *e, struct view *view,
    struct snapshot_process *process, int number)
{
	struct snapshot_descriptor *found;
	int error;

	if (number != -1) {
		error = snapshot_descriptor(&view->snapshot, process->pid,
		    number, &found);
		return error != 0 ?
		    error :
		    chain_descriptor(&view->chain, process, found);
	}
	error = chain_process(&view->chain, process);
	/* what a running thread waits for in between is not to be seen */
	if (error == 0 && (e->options.all || has_running(process)))
		error = take_descriptors(e, view, process);
	return error;
}

static int
take_target(struct explanation *e, struct view *view,
    const struct inspect_target *target)
{
	struct snapshot_process *process;
	int error;

	if (target->path != NULL)
		return explain_path(&view->chain, target->path);
	error = snapshot_process(&view->snapshot, target->pid, &process);
	if (error != 0 || process->error != 0)
		return error;
	return take_process(e, view, process, target->number);
}

/* Returns 0 or -ENOMEM. */
static int
name_processes(const struct explanation *e, struct view *view)
{
	struct snapshot_process *process;
	int error = 0;

	for (size_t i = 0; i < e->count && error == 0; i++) {
		if (e->targets[i].path != NULL)
			continue;
		error = snapshot_process(&view->snapshot, e->targets[i].pid,
		    &process);
		if (error == 0)
			process->is_named = process->error == 0;
	}
	return error;
}

/* The process that all targets are about, or NULL. */
static struct snapshot_process *
find_root(const struct explanation *e, const struct view *view)
{
	struct snapshot_process *root = NULL;

	for (struct snapshot_process *p = view->snapshot.processes; p != NULL;
	     p = p->next)
		if (p->is_named && root != NULL)
			return NULL;
		else if (p->is_named)
			root = p;
	for (size_t i = 0; i < e->count; i++)
		if (e->targets[i].path != NULL)
			return NULL;
	return root;
}

/* Returns 0 or -errno. */
static int
take_view(struct explanation *e, struct view *view, struct snapshot *before)
{
	struct judge judge = { .chain = &view->chain,
		.before = before,
		.all = e->options.all,
		.findings = &view->findings };
	int error;

	snapshot_begin(&view->snapshot, &e->source);
	view->chain.snapshot = &view->snapshot;
	error = name_processes(e, view);
	for (size_t i = 0; i < e->count && error == 0; i++) {
		e->current = &e->targets[i];
		error = take_target(e, view, e->current);
	}
	if (error != 0)
		return error;
	e->current = NULL;
	judge.root = find_root(e, view);
	judge.elapsed = clock_now() - e->began;
	return findings_judge(&judge);
}

/* Whether THREAD of process PID runs, or has run since it was seen. */
static bool
has_run(struct source *source, pid_t pid, const struct snapshot_thread *thread)
{
	char directory[SOURCE_PATH];
	struct busy now;

	memset(&now, 0, sizeof now);
	(void)snprintf(directory, sizeof directory, "%jd/task/%jd",
	    (intmax_t)pid, (intmax_t)thread->tid);
	return thread->wait.state == 'R' || thread->wait.call == WAIT_RUNNING ||
	    (thread->is_counted &&
		procfs_times(source, directory, &now.times) == 0 &&
		!busy_slept(&thread->busy, &now));
}

/*
 * Whether a second snapshot may show a fault: one that the first has shown, or one
 * of a thread that is busy.
 */
static bool
is_suspicious(struct explanation *e)
{
	const struct snapshot_process *p = e->first.snapshot.processes;
	bool suspicious = e->first.findings.count > 0;

	for (; p != NULL; p = p->next)
		for (size_t i = 0; i < p->count && !suspicious; i++)
			suspicious = (p->is_named || p->is_walked) &&
			    p->pid != e->source.self &&
			    has_run(&e->source, p->pid, &p->threads[i]);
	return suspicious;
}

/*
 * Whether a thread has run all the time, and too little to judge it: the time in
 * the kernel is counted in ticks of 10 ms.
 */
static bool
is_undecided(struct explanation *e)
{
	const struct snapshot_process *p = e->first.snapshot.processes;
	struct busy now;

	for (; p != NULL; p = p->next)
		for (size_t i = 0; p->is_named && i < p->count; i++) {
			const struct snapshot_thread *t = &p->threads[i];

			if (t->is_counted && t->wait.state == 'R' &&
			    busy_note(&e->source, p->pid, t->tid, &now) == 0 &&
			    busy_kept_running(&t->busy, &now) &&
			    now.times.ran - t->busy.times.ran <
				(uint64_t)BUSY_LEAST)
				return true;
		}
	return false;
}

/* Whether a thread runs that may go round a wait which returns at once. */
static bool
may_spin(const struct explanation *e)
{
	const struct chain *c = &e->first.chain;

	for (size_t i = 0; i < c->wait_count; i++)
		if (has_running(c->waits[i].process) &&
		    findings_makes_return(&c->waits[i]))
			return true;
	return false;
}

static int
sleep_between(void *argument)
{
	struct explanation *e = argument;
	deadline_t longest = deadline_in(BUSY_LONGEST);
	int64_t left;

	while ((left = deadline_left(e->end)) > 0)
		(void)poll(NULL, 0, (int)(left / 1000000) + 1);
	while (is_undecided(e) && deadline_left(longest) > 0)
		(void)poll(NULL, 0, 20);
	return 0;
}

/* ---- what could not be examined ---- */

static bool
has_fault(const struct findings *findings)
{
	return findings->count > 0 &&
	    findings->list[0].severity == SEVERITY_FAULT;
}

static void
report_process(struct explanation *e, const struct snapshot_process *p)
{
	const struct thread_wait *wait = p->count == 0 ? NULL :
							 &p->threads[0].wait;

	if (p->error != 0)
		e->status = diag_system(-p->error, NULL, "process %jd",
		    (intmax_t)p->pid);
	else if (p->stat.is_headless)
		e->status = diag_system(EOPNOTSUPP, procfs_headless,
		    "process %jd", (intmax_t)p->pid);
	else if (wait != NULL && wait->error != 0 &&
	    (wait->call == WAIT_UNKNOWN || wait->error == EPERM))
		e->status = diag_system(wait->error, wait->why, "process %jd",
		    (intmax_t)p->pid);
}

/*
 * From outside a loop of poll(2) cannot be distinguished from other work, nor one
 * of epoll_wait(2) that does most of it in the program.
 */
static void
report_busy(struct explanation *e)
{
	const struct judge judge = { .chain = &e->last->chain,
		.before = &e->first.snapshot };
	const struct snapshot_process *p = e->last->snapshot.processes;

	if (e->options.quiet || e->last == &e->first ||
	    has_fault(&e->last->findings))
		return;
	for (; p != NULL; p = p->next)
		if (p->is_named && p->error == 0 &&
		    findings_may_spin(&judge, p))
			diag_remark("process %jd does not sleep: pmux trace"
				    " --calls -p %jd counts what its waits"
				    " report",
			    (intmax_t)p->pid, (intmax_t)p->pid);
}

static void
report_target(struct explanation *e, const struct inspect_target *target)
{
	struct snapshot_descriptor *found;
	struct snapshot_process *p;

	if (target->path != NULL && e->count == 1 && !e->options.quiet &&
	    e->last->chain.line_count == 0)
		diag_remark("%s: no process has it open, or watches it",
		    target->path);
	if (target->path != NULL ||
	    snapshot_process(&e->last->snapshot, target->pid, &p) != 0)
		return;
	if (p->error != 0 || target->number == -1) {
		report_process(e, p);
		return;
	}
	if (snapshot_descriptor(&e->last->snapshot, target->pid, target->number,
		&found) == 0 &&
	    found->error != 0)
		e->status = target->pid == getpid() ?
		    diag_system(-found->error, NULL, "%d", target->number) :
		    diag_system(-found->error, NULL, "process %jd: %d",
			(intmax_t)target->pid, target->number);
}

/* Whether ERROR is the reason why something is unknown. */
static bool
is_reason(const struct chain *c, const char *error)
{
	for (size_t i = 0; i < c->line_count; i++)
		if (c->lines[i].why != NULL &&
		    strcmp(c->lines[i].why, error) == 0)
			return true;
	return false;
}

/* What pmux could not examine for want of descriptors of its own. */
static void
report_shortage(struct explanation *e)
{
	static const int errors[] = { EMFILE, ENFILE };

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (is_reason(&e->last->chain, errno_name(errors[i])))
			e->status = diag_system(errors[i], NULL,
			    "descriptors of pmux");
}

static void
report_hidden(const struct explanation *e)
{
	const struct world *world = &e->last->snapshot.world;

	if (!world->scanned || e->options.quiet)
		return;
	if (world->veiled)
		diag_remark("not all processes are visible here: other ends may"
			    " be missing");
	else if (world->hidden > 0)
		diag_remark("%zu %s hidden: other ends may be missing",
		    world->hidden,
		    world->hidden == 1 ? "process is" : "processes are");
}

/* ---- the whole ---- */

static int
fail(int error, const struct explanation *e)
{
	if (error != -ENOMEM && e->current != NULL && e->current->path != NULL)
		return diag_system(-error, NULL, "%s", e->current->path);
	return diag_system(-error, NULL, "processes");
}

/* Whether there was memory for all of the text. */
static bool
is_complete(const struct view *view)
{
	const struct finding *f = view->findings.list;
	bool failed = false;

	for (size_t i = 0; i < view->chain.line_count; i++)
		failed |= view->chain.lines[i].text.failed;
	for (size_t i = 0; i < view->findings.count; i++)
		failed |= f[i].where.failed || f[i].sentence.failed ||
		    f[i].details.failed;
	return !failed;
}

static int
finish(struct explanation *e)
{
	struct view *view = e->last;

	if (!is_complete(view) || !is_complete(&e->first) ||
	    findings_confirm(&view->findings, &e->first.findings) != 0)
		return fail(-ENOMEM, e);
	if (!e->options.quiet && e->options.json)
		explain_print_json(&view->chain, &view->findings);
	else if (!e->options.quiet)
		explain_print_text(&view->chain, &view->findings);
	for (size_t i = 0; i < e->count; i++)
		report_target(e, &e->targets[i]);
	report_shortage(e);
	report_busy(e);
	report_hidden(e);
	return has_fault(&view->findings) ? EXIT_UNASKED : e->status;
}

#ifdef __linux__
#define IS_AVAILABLE true
#else
#define IS_AVAILABLE false
#endif

int
explain(struct inspect_target *targets, size_t count,
    const struct explain_options *options)
{
	struct explanation *e = IS_AVAILABLE ? calloc(1, sizeof *e) : NULL;
	int error = e == NULL ? -ENOMEM : source_open(&e->source, NULL), status;

	if (error != 0) {
		free(targets);
		free(e);
		if (!IS_AVAILABLE)
			return diag_unavailable("explain is not available: it"
						" wants the /proc of Linux");
		return diag_system(-error, source_hint(error), "/proc");
	}
	e->targets = targets;
	e->count = count;
	e->options = *options;
	pmux_at_end(release, e);
	e->began = clock_now();
	e->end = deadline_in(BUSY_TIME);
	error = take_view(e, &e->first, NULL);
	e->last = &e->first;
	if (error == 0 && is_suspicious(e)) {
		if (may_spin(e))
			e->end = deadline_in(BUSY_SPIN_TIME);
		(void)pmux_sleep(sleep_between, e);
		e->last = &e->second;
		error = take_view(e, e->last, &e->first.snapshot);
	}
	status = error == 0 ? finish(e) : fail(error, e);
	pmux_close();
	return status;
}
