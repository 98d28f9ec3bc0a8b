/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/list.h"
#include "inspect/facts/copy.h"
#include "inspect/trace/samples.h"
#include "sys/fdplace.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

/*
 * A reading of an epoll instance, or of the numbers that are open, may take so
 * much of the time: 1 in SHARE.  All threads: 1 in THREAD_SHARE.
 */
#define SHARE 100
#define THREAD_SHARE 4

/* No more threads of a process have files that stay open. */
#define OPEN_THREADS 64

/* Events that are reported unasked. */
#define ALWAYS ((unsigned)(POLLERR | POLLHUP | POLLNVAL))

/* Input, which does not come again by itself; output nearly always is ready. */
#define INPUT ((unsigned)(POLLIN | POLLPRI))

int
samples_open(struct samples *l)
{
	int error;

	*l = (struct samples){ .count = 0 };
	error = source_open(&l->source, NULL);
	if (error != 0)
		l->source.proc = -1;
	return error;
}

/* ---- what is sampled ---- */

static struct samples_process *
process_of(struct samples *l, pid_t pid)
{
	struct samples_process **more, *p;
	char directory[24];
	struct procfs_stat stat;

	for (size_t i = 0; i < l->process_count; i++)
		if (l->processes[i]->pid == pid)
			return l->processes[i];
	more = list_room(l->processes, l->process_count, sizeof *more);
	if (more == NULL)
		return NULL;
	l->processes = more;
	if ((p = calloc(1, sizeof *p)) == NULL)
		return NULL;
	p->pid = pid;
	p->own = pid == getpid();
	(void)snprintf(directory, sizeof directory, "%ld", (long)pid);
	p->directory = p->own ? -1 :
				fdplace(openat(l->source.proc, directory,
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	p->ended = procfs_process(&l->source, pid, &stat) == -ESRCH;
	memcpy(p->comm, stat.comm, sizeof p->comm);
	l->processes[l->process_count++] = p;
	return p;
}

static int
add_one(struct samples *l, struct samples_process *p, int number)
{
	struct samples_target *more = list_room(l->targets, l->count,
				  sizeof *more),
			      *t;
	int error;

	if (more == NULL)
		return -ENOMEM;
	l->targets = more;
	t = &l->targets[l->count];
	memset(t, 0, sizeof *t);
	t->process = p;
	t->number = number;
	t->since = -1;
	t->files = 1;
	error = descriptor_read(&l->source, p->pid, number, &t->d);
	l->count += error == 0;
	return error;
}

/*
 * Whether NUMBER of P is one of COUNT targets; another file by now, maybe
 * (replace).
 */
static bool
is_known(const struct samples_target *targets, size_t count,
    const struct samples_process *p, int number)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i].process == p && targets[i].number == number)
			return true;
	return false;
}

/*
 * Add those of COUNT NUMBERS that were not there before and are not of L, both
 * in ascending order, and keep the list.  Returns 0 or -errno.
 */
static int
add_numbers(struct samples *l, struct samples_process *p, int *numbers,
    int count)
{
	int error = 0, kept = 0, before = 0;
	size_t known = l->count;

	for (int i = 0; i < count && error == 0; i++) {
		if (p->own && source_has(&l->source, numbers[i]))
			continue;
		while (
		    before < p->number_count && p->numbers[before] < numbers[i])
			before++;
		if ((before == p->number_count ||
			p->numbers[before] != numbers[i]) &&
		    !is_known(l->targets, known, p, numbers[i]))
			error = add_one(l, p, numbers[i]);
		if (error == 0)
			numbers[kept++] = numbers[i];
		else if (error == -EBADF)
			error = 0; /* it was closed meanwhile */
	}
	free(p->numbers);
	p->numbers = numbers;
	p->number_count = kept;
	return error;
}

/* Why process PID has nothing open: 0, -ESRCH, -EOPNOTSUPP if it is headless. */
static int
why_empty(struct source *source, pid_t pid)
{
	struct procfs_stat stat;
	int error = procfs_process(source, pid, &stat);

	return error == 0 && stat.is_headless ? -EOPNOTSUPP : error;
}

/* Add what P has open and is no target yet.  Returns 0 or -errno. */
static int
add_all(struct samples *l, struct samples_process *p)
{
	int64_t before = clock_cpu();
	char path[SOURCE_PATH];
	int *numbers, count, error;

	(void)snprintf(path, sizeof path, "%ld/fd", (long)p->pid);
	count = source_list(&l->source, path, &numbers);
	if (count < 0)
		return count == -ENOENT ? -ESRCH : count;
	/* a zombie has the directory, and nothing in it */
	if (count == 0 && (error = why_empty(&l->source, p->pid)) != 0) {
		free(numbers);
		return error;
	}
	error = add_numbers(l, p, numbers, count);
	p->numbers_next = l->now + SHARE * (clock_cpu() - before);
	return error;
}

int
samples_add(struct samples *l, pid_t pid, int number)
{
	struct samples_process *p = process_of(l, pid);

	if (p == NULL)
		return -ENOMEM;
	/* what a zombie had open is closed */
	if (p->ended)
		return -ESRCH;
	p->whole |= number == -1;
	return number == -1 ? add_all(l, p) : add_one(l, p, number);
}

/* ---- the threads ---- */

/*
 * The state, which the text of "syscall" does not have: a thread that is stopped
 * in a call seems to sleep.  Returns the length, or -1.
 */
static ssize_t
read_call(const struct samples_thread *t, char *text, size_t size)
{
	/* the name has 15 bytes at most, and numbers follow the state */
	char stat[64], *end;
	ssize_t n = pread(t->stat, stat, sizeof stat - 1, 0);

	if (n < 0)
		return -1;
	stat[n] = '\0';
	end = strrchr(stat, ')');
	if (end == NULL || end[1] != ' ')
		return -1;
	text[0] = end[2];
	n = pread(t->file, text + 1, size - 1, 0);
	return n < 0 ? -1 : n + 1;
}

static int
open_file(const struct samples *l, const struct samples_process *p, pid_t tid,
    const char *name)
{
	char path[SOURCE_PATH];

	(void)snprintf(path, sizeof path, "%ld/task/%ld/%s", (long)p->pid,
	    (long)tid, name);
	return fdplace(openat(l->source.proc, path, O_RDONLY | O_CLOEXEC));
}

static void
close_files(const struct samples_thread *t)
{
	if (t->file >= 0)
		(void)close(t->file);
	if (t->stat >= 0)
		(void)close(t->stat);
}

static void
forget_threads(struct samples_process *p)
{
	struct samples_thread *t;

	while (p->count > 0) {
		t = &p->threads[--p->count];
		thread_wait_free(&t->wait);
		close_files(t);
	}
	free(p->threads);
	p->threads = NULL;
}

/* Returns as thread_wait_read. */
static int
read_wait(struct samples *l, const struct samples_process *p,
    struct samples_thread *t)
{
	ssize_t length = read_call(t, t->text, sizeof t->text);

	t->length = length < 0 ? 0 : (size_t)length;
	return thread_wait_read(&l->source, p->pid, t->tid, &t->wait);
}

/*
 * The same call with the same arguments, at the same place: it need not be
 * examined again, unless the arguments point to what is waited for.
 */
static int
refresh(struct samples *l, const struct samples_process *p,
    struct samples_thread *t)
{
	char text[sizeof t->text];
	ssize_t length = read_call(t, text, sizeof text);

	if (length > 0 && (size_t)length == t->length &&
	    memcmp(text, t->text, t->length) == 0 &&
	    t->wait.call != WAIT_POLL && t->wait.call != WAIT_SELECT)
		return 0;
	thread_wait_free(&t->wait);
	return read_wait(l, p, t);
}

/* Returns 0 or -errno. */
static int
list_threads(struct samples *l, struct samples_process *p)
{
	char path[SOURCE_PATH];
	int *numbers = NULL, count, error = 0;
	struct samples_thread *t;

	forget_threads(p);
	(void)snprintf(path, sizeof path, "%ld/task", (long)p->pid);
	count = source_list(&l->source, path, &numbers);
	if (count < 0)
		return count == -ENOENT ? -ESRCH : count;
	p->threads = calloc((size_t)count + 1, sizeof *p->threads);
	if (p->threads == NULL)
		error = -ENOMEM;
	for (int i = 0; i < count && error != -ENOMEM; i++) {
		t = &p->threads[p->count];
		t->tid = numbers[i];
		t->file = i >= OPEN_THREADS ?
		    -1 :
		    open_file(l, p, t->tid, "syscall");
		t->stat = i >= OPEN_THREADS ? -1 :
					      open_file(l, p, t->tid, "stat");
		error = read_wait(l, p, t);
		p->count += error == 0;
		if (error != 0)
			close_files(t);
	}
	free(numbers);
	return error == -ENOMEM ? error : 0;
}

/*
 * Whether those that are known are all, and are examined; or -ENOMEM, or -ESRCH
 * if the process has ended.
 */
static int
refresh_threads(struct samples *l, struct samples_process *p)
{
	struct stat st;
	int error = 0;

	if (p->directory < 0)
		return 0;
	if (fstatat(p->directory, "task", &st, 0) == -1)
		return errno == ENOENT || errno == ESRCH ? -ESRCH : 0;
	if (p->count == 0 || p->links != (unsigned long)st.st_nlink) {
		p->links = (unsigned long)st.st_nlink;
		return 0;
	}
	for (size_t i = 0; i < p->count && error == 0; i++)
		error = refresh(l, p, &p->threads[i]);
	return error == -ENOMEM ? error : error == 0;
}

/* Returns 0 or -errno: -ESRCH if the process has ended. */
static int
take_threads(struct samples *l, struct samples_process *p)
{
	int64_t before = clock_cpu();
	int known, error = 0;

	if (p->own || l->now < p->threads_next)
		return 0;
	if ((known = refresh_threads(l, p)) < 0)
		return known;
	if (known == 0)
		error = list_threads(l, p);
	p->threads_next = l->now + THREAD_SHARE * (clock_cpu() - before);
	if (error != 0)
		return error;
	/* a zombie has a thread, too */
	return p->count == 0 ||
		(p->count == 1 &&
		    strchr("ZX", p->threads[0].wait.state) != NULL) ?
	    -ESRCH :
	    0;
}

static struct samples_instance *
find_instance(struct samples_process *p, int number)
{
	struct samples_instance *more;

	for (size_t i = 0; i < p->instance_count; i++)
		if (p->instances[i].number == number)
			return &p->instances[i];
	more = list_room(p->instances, p->instance_count, sizeof *more);
	if (more == NULL)
		return NULL;
	p->instances = more;
	more += p->instance_count++;
	memset(more, 0, sizeof *more);
	more->number = number;
	return more;
}

/* The entries of instance NUMBER, not older than they must be; or NULL. */
static const struct fdinfo *
entries_of(struct samples *l, struct samples_process *p, int number)
{
	struct samples_instance *i = find_instance(p, number);
	int64_t before = clock_now();
	char path[SOURCE_PATH], *text;
	ssize_t length;

	if (i == NULL || before < i->next)
		return i == NULL ? NULL : &i->info;
	(void)snprintf(path, sizeof path, "%ld/fdinfo/%d", (long)p->pid,
	    number);
	fdinfo_free(&i->info);
	memset(&i->info, 0, sizeof i->info);
	length = source_read(&l->source, &text, path);
	if (length >= 0 && fdinfo_parse(text, (size_t)length, &i->info) != 0) {
		fdinfo_free(&i->info);
		memset(&i->info, 0, sizeof i->info);
	}
	i->next = before + SHARE * (clock_now() - before);
	return &i->info;
}

/* What instance NUMBER asks of T; 0: nothing, or an entry that has fired. */
static unsigned
asked_by_instance(struct samples *l, const struct samples_target *t, int number)
{
	const struct fdinfo *info = entries_of(l, t->process, number);
	unsigned events = 0;

	for (size_t i = 0; info != NULL && i < info->entry_count; i++)
		if (info->entries[i].number == t->number &&
		    info->entries[i].inode == t->d.inode)
			events |= info->entries[i].events & 0xffff;
	return events;
}

/* The events for which THREAD sleeps in a wait for T, or 0. */
static unsigned
asked_by(struct samples *l, const struct samples_target *t,
    const struct samples_thread *thread)
{
	const struct thread_wait *w = &thread->wait;
	unsigned events = 0;

	if (w->state != 'S')
		return 0;
	for (size_t i = 0; i < w->count; i++) {
		if (w->wanted[i].fd == t->number)
			events |= w->wanted[i].events | ALWAYS;
		if (w->call == WAIT_EPOLL)
			events |= asked_by_instance(l, t, w->wanted[i].fd);
	}
	return events;
}

/* ---- a descriptor ---- */

static bool
is_one_file(const struct descriptor *a, const struct descriptor *b)
{
	return a->kind == b->kind && a->device == b->device &&
	    a->inode == b->inode;
}

/*
 * Find all facts again: its number may be another file than before, or none.
 * Returns 0 or -ENOMEM.
 */
static int
read_again(struct samples *l, struct samples_target *t)
{
	struct descriptor d;
	bool closed = t->closed;
	int error = descriptor_read(&l->source, t->process->pid, t->number, &d);

	if (error == -ENOMEM)
		return error;
	if (error == 0 || error == -EBADF)
		t->closed = error != 0;
	if (error != 0)
		return 0;
	if (closed || !is_one_file(&t->d, &d)) {
		t->interest = 0;
		t->since = -1;
		t->opened = true;
		t->files++;
	}
	descriptor_free(&t->d);
	t->d = d;
	return 0;
}

/* Whether the number is that file as before: 0, -EAGAIN or another -errno. */
static int
identify(struct samples *l, const struct samples_target *t)
{
	struct descriptor d;
	int error = descriptor_identify(&l->source, t->process->pid, t->number,
	    &d);

	if (error == 0 && d.inode != t->d.inode)
		error = -EAGAIN;
	descriptor_free(&d);
	return error;
}

/*
 * With few system calls where that is enough.  An epoll instance is not polled
 * by what was known of its entries: another may have been added, which a poll
 * would disturb (copy.h).  Returns 0 or -ENOMEM.
 */
static int
ask(struct samples *l, struct samples_target *t)
{
	int error = -EAGAIN;

	/* what has no poll function stays as it is; others may not be asked */
	if (!t->closed &&
	    (t->d.kind == KIND_FILE || t->d.kind == KIND_DIRECTORY ||
		t->d.unknown[FACT_READY] != NULL))
		error = identify(l, t);
	else if (!t->closed && kind_polling(t->d.kind) == POLLING_HARMLESS)
		error = copy_sample(&l->source, &t->d);
	return error == 0 ? 0 : read_again(l, t);
}

/* The thread that sleeps in a wait for T, with the events; or the first. */
static unsigned
find_thread(struct samples *l, struct samples_target *t)
{
	struct samples_process *p = t->process;
	unsigned events = 0;

	t->thread = p->count > 0 ? &p->threads[0] : NULL;
	for (size_t i = 0; i < p->count && events == 0; i++) {
		events = asked_by(l, t, &p->threads[i]);
		if (events != 0)
			t->thread = &p->threads[i];
	}
	return events;
}

/* How often the thread of T had a processor, or 0. */
static uint64_t
turns_of(struct samples *l, const struct samples_target *t)
{
	char directory[SOURCE_PATH];
	struct procfs_times times;

	(void)snprintf(directory, sizeof directory, "%ld/task/%ld",
	    (long)t->process->pid, (long)t->thread->tid);
	return procfs_times(&l->source, directory, &times) == 0 ? times.turns :
								  0;
}

/* Whether T, ready and asleep now if CANDIDATE, is at fault. */
static bool
is_fault(struct samples *l, struct samples_target *t, bool candidate, bool same)
{
	uint64_t turns = candidate ? turns_of(l, t) : 0;

	/* without counts it cannot be known whether it slept all the time */
	if (!candidate || turns == 0)
		t->since = -1;
	else if (t->since == -1 || !same || t->tid != t->thread->tid ||
	    t->turns != turns) {
		t->since = l->now;
		t->tid = t->thread->tid;
		t->turns = turns;
	}
	return t->since != -1 && l->now - t->since >= SAMPLES_FAULT;
}

/* The events that make T ready, as far as is known what it is for. */
static unsigned
interest(const struct samples_target *t)
{
	if (t->interest != 0)
		return t->interest | ALWAYS;
	return (t->d.readable || !t->d.writable ?
		       (unsigned)(POLLIN | POLLPRI | POLLRDHUP) :
		       (unsigned)POLLOUT) |
	    ALWAYS;
}

static int
take_target(struct samples *l, struct samples_target *t)
{
	unsigned before = t->flags, ready = t->d.ready, events, flags = 0;
	int64_t unread = t->d.unread;
	bool same, fault, stopped;
	int error;

	t->opened = t->series.count == 0 && l->now > 0;
	if ((error = ask(l, t)) != 0)
		return error;
	events = find_thread(l, t);
	if (t->closed)
		events = 0;
	t->interest |= events & ~ALWAYS;
	same = t->d.ready == ready && t->d.unread == unread && !t->opened;
	if (t->closed)
		flags = SERIES_CLOSED;
	else if (t->d.unknown[FACT_READY] != NULL)
		flags = SERIES_UNKNOWN;
	else if ((t->d.ready & interest(t)) != 0)
		flags = SERIES_READY;
	if (t->files > 1 && t->opened)
		flags |= SERIES_OPENED;
	if (events != 0)
		flags |= SERIES_ASLEEP;
	fault = is_fault(l, t,
	    (flags & SERIES_READY) != 0 && (t->d.ready & events & INPUT) != 0,
	    same);
	if (fault && (before & SERIES_FAULT) == 0)
		series_fault(&t->series, t->since);
	t->flags = flags | (fault ? SERIES_FAULT : 0u);
	stopped = t->thread != NULL &&
	    strchr("Tt", t->thread->wait.state) != NULL;
	t->changed = t->series.count == 0 || !same ||
	    ((t->flags ^ before) & ~(unsigned)SERIES_OPENED) != 0 ||
	    stopped != t->stopped;
	t->stopped = stopped;
	return series_add(&t->series, l->now, t->flags,
	    t->closed ? -1 : t->d.unread);
}

/* Returns as take_threads. */
static int
take_process(struct samples *l, struct samples_process *p)
{
	int error = take_threads(l, p);

	if (error == 0 && p->whole && !p->own && l->now >= p->numbers_next)
		error = add_all(l, p);
	return error;
}

int
samples_take(struct samples *l)
{
	int64_t now = clock_now();
	int error = 0, left = 0;

	if (l->start == 0)
		l->start = now;
	l->now = now - l->start;
	for (size_t i = 0; i < l->process_count; i++) {
		struct samples_process *p = l->processes[i];

		if (!p->ended && (error = take_process(l, p)) == -ENOMEM)
			return error;
		p->ended = p->ended || error == -ESRCH;
		left += !p->ended;
		error = 0;
	}
	for (size_t i = 0; i < l->count && error == 0; i++)
		if (l->targets[i].process->ended)
			l->targets[i].thread = NULL;
		else
			error = take_target(l, &l->targets[i]);
	return error != 0 ? error : left > 0;
}

void
samples_free(struct samples *l)
{
	for (size_t i = 0; i < l->count; i++) {
		descriptor_free(&l->targets[i].d);
		series_free(&l->targets[i].series);
	}
	for (size_t i = 0; i < l->process_count; i++) {
		struct samples_process *p = l->processes[i];

		forget_threads(p);
		for (size_t j = 0; j < p->instance_count; j++)
			fdinfo_free(&p->instances[j].info);
		free(p->instances);
		free(p->numbers);
		if (p->directory >= 0)
			(void)close(p->directory);
		free(p);
	}
	free(l->targets);
	free(l->processes);
	if (l->source.proc != -1)
		source_close(&l->source);
	*l = (struct samples){ .source = { .proc = -1 } };
}
