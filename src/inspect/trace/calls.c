/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "inspect/trace/calls.h"
#include "inspect/facts/fdinfo.h"
#include "inspect/facts/procfs.h"

#if defined(HAVE_EPOLL_CREATE1) && defined(__linux__)

#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include <poll.h>
#include <stdio.h>

/* Spaces of the map of rows. */
enum {
	BY_NUMBER,
	BY_DATA
};

/* Beside descriptors, in the map of data. */
enum {
	UNKNOWN = -1, /* no entry has it */
	SEVERAL = -2, /* more than one has */
	CHANGED = -3 /* the entries must be read again */
};

/* Bytes of a poll(2) array or of events that are read at once. */
#define PIECE 4096

/* The kernel has no larger table of descriptors (fs/nr_open). */
#define MOST_NUMBERS (1u << 26)

enum kind {
	TOUCH,
	CONTROL,
	EXECUTE,
	SELECT,
	POLL,
	EPOLL
};

static const struct known {
	char name[20];
	uint64_t number;
	enum kind kind;
	int first, second; /* arguments that are descriptors, or -1 */
} known[] = {
#define SYSTEM_CALL(name, kind, first, second) \
	{ #name, SYS_##name, kind, first, second },
#include "inspect/trace/calls.def"
#undef SYSTEM_CALL
};

static const struct known *
lookup(uint64_t number)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].number == number)
			return &known[i];
	return NULL;
}

bool
calls_wants(uint64_t number)
{
	return lookup(number) != NULL;
}

/* ---- processes and rows ---- */

static void
read_name(struct calls *c, struct calls_process *p)
{
	char directory[24];
	struct procfs_stat stat;

	(void)snprintf(directory, sizeof directory, "%ld", (long)p->pid);
	*p->name = '\0';
	if (procfs_stat(&c->source, directory, &stat) == 0)
		memcpy(p->name, stat.comm, sizeof p->name);
}

static struct calls_process *
process_of(struct calls *c, pid_t pid)
{
	struct calls_process **link = &c->processes, *p;

	for (; (p = *link) != NULL; link = &p->next)
		if (p->pid == pid)
			return p;
	if ((p = calloc(1, sizeof *p)) == NULL)
		return NULL;
	p->pid = pid;
	read_name(c, p);
	*link = p;
	return p;
}

static struct calls_row *
find(const struct calls_process *p, int number)
{
	int32_t at = map_get(&p->index, BY_NUMBER, (uint64_t)(int64_t)number);

	return at == MAP_NONE ? NULL : &p->rows[at];
}

/* The row of NUMBER, or of DATA where that is -1; a new one if there is none. */
static struct calls_row *
row_of(struct calls_process *p, int number, uint64_t data)
{
	uint32_t space = number == -1 ? BY_DATA : BY_NUMBER;
	uint64_t key = number == -1 ? data : (uint64_t)(int64_t)number;
	int32_t at = map_get(&p->index, space, key);
	struct calls_row *more;

	if (at != MAP_NONE)
		return &p->rows[at];
	if ((more = list_room(p->rows, p->count, sizeof *more)) == NULL)
		return NULL;
	p->rows = more;
	if (map_put(&p->index, space, key, (int32_t)p->count) != 0)
		return NULL;
	memset(&p->rows[p->count], 0, sizeof *p->rows);
	p->rows[p->count].number = number;
	p->rows[p->count].data = data;
	return &p->rows[p->count++];
}

static void
count_use(struct calls_row *row, const char *name, int64_t result)
{
	int error = result < 0 ? (int)-result : 0;

	/* ERESTARTSYS and its kind, which the kernel keeps to itself */
	if (error >= 512 && error < 520)
		error = EINTR;
	for (unsigned i = 0; i < row->use_count; i++)
		if (row->uses[i].name == name && row->uses[i].error == error) {
			row->uses[i].count++;
			return;
		}
	if (row->use_count == CALLS_USES)
		row->others++;
	else
		row->uses[row->use_count++] = (struct calls_use){ name, error,
			1 };
}

/* Whether PATH below the directory of P is there; it is not followed. */
static bool
has_link(const struct calls *c, const struct calls_process *p, const char *name)
{
	char path[SOURCE_PATH], text[2];

	(void)snprintf(path, sizeof path, "%ld/%s", (long)p->pid, name);
	return source_link(&c->source, -1, path, text, sizeof text) != -ENOENT;
}

static bool
is_open(const struct calls *c, const struct calls_process *p, int number)
{
	char name[24];

	(void)snprintf(name, sizeof name, "fd/%d", number);
	return has_link(c, p, name);
}

/* What was reported last of ROW was ignored. */
static void
ignore(const struct calls *c, const struct calls_process *p,
    struct calls_row *row)
{
	row->told_to = 0;
	if (row->ignored++ == 0 && row->number >= 0)
		row->closed = !is_open(c, p, row->number);
}

/* ---- what is reported ---- */

static int
report(const struct calls *c, struct calls_process *p, pid_t tid, int number,
    uint64_t data, uint32_t events)
{
	struct calls_row *row = row_of(p, number, data);

	if (row == NULL)
		return -ENOMEM;
	row->events |= events;
	/* it may be in a poll(2) array, or in the sets, twice */
	if (row->told > 0 && row->wait == c->waits)
		return 0;
	row->told++;
	row->wait = c->waits;
	/* nothing was done about the last time, and it is in the list */
	if (row->told_to != 0)
		ignore(c, p, row);
	else {
		row->next = p->waiting;
		p->waiting = (size_t)(row - p->rows) + 1;
	}
	row->told_to = tid;
	return 0;
}

/*
 * Thread TID waits again.  It has ignored what was reported to it, unless
 * another thread may still act: then it is ignored once it is reported again.
 */
static void
settle(const struct calls *c, struct calls_process *p, pid_t tid)
{
	size_t *link = &p->waiting;
	bool alone = tracer_threads(&c->tracer, p->pid) == 1;
	struct calls_row *row;

	while (*link != 0) {
		row = &p->rows[*link - 1];
		if (row->told_to == tid && alone) {
			ignore(c, p, row);
		}
		if (row->told_to == 0)
			*link = row->next;
		else
			link = &row->next;
	}
}

/* An act: NUMBER is an argument of the call. */
static void
act(struct calls_process *p, int number, const char *name, int64_t result)
{
	struct calls_row *row = find(p, number);

	if (row == NULL || row->number < 0)
		return;
	count_use(row, name, result);
	/* it stays in the list until the next wait */
	row->acted += row->told_to != 0;
	row->told_to = 0;
}

static int
note_poll(const struct calls *c, struct calls_process *p,
    const struct tracee *t)
{
	struct pollfd some[PIECE / sizeof(struct pollfd)];
	size_t left = (size_t)t->call.arguments[1], n;
	uint64_t at = t->call.arguments[0];
	int64_t found = 0;
	int error = 0;

	for (; left > 0 && found < t->call.result; left -= n) {
		n = sizeof some / sizeof *some;
		n = left < n ? left : n;
		if (!tracee_read(t, at, some, n * sizeof *some))
			break;
		at += n * sizeof *some;
		for (size_t i = 0; i < n && error == 0; i++) {
			if (some[i].revents == 0)
				continue;
			found++;
			error = report(c, p, t->tid, some[i].fd, 0,
			    (uint16_t)some[i].revents);
		}
		if (error != 0)
			return error;
	}
	return 0;
}

/* The members of one set of select(2), which are reported with EVENT. */
static int
note_set(const struct calls *c, struct calls_process *p, const struct tracee *t,
    uint64_t at, uint32_t event)
{
	uint64_t some[PIECE / 8];
	uint64_t count = t->call.arguments[0];
	size_t n;
	int error = 0;

	if (at == 0 || count > MOST_NUMBERS)
		return 0;
	for (uint64_t first = 0; first < count; first += n * 64) {
		n = (size_t)((count - first + 63) / 64);
		n = n < PIECE / 8 ? n : PIECE / 8;
		if (!tracee_read(t, at + first / 8, some, n * 8))
			return 0;
		for (size_t i = 0; i < n * 64 && error == 0; i++)
			if ((some[i / 64] >> i % 64 & 1) != 0)
				error = report(c, p, t->tid, (int)(first + i),
				    0, event);
		if (error != 0)
			return error;
	}
	return 0;
}

static int
note_select(const struct calls *c, struct calls_process *p,
    const struct tracee *t)
{
	const uint64_t *argument = t->call.arguments;
	int error = note_set(c, p, t, argument[1], CALLS_READ);

	if (error == 0)
		error = note_set(c, p, t, argument[2], CALLS_WRITE);
	if (error == 0)
		error = note_set(c, p, t, argument[3], CALLS_EXCEPT);
	return error;
}

/* ---- data of epoll(7) back to descriptors ---- */

/* DATA belongs to NUMBER, too. */
static int
learn(struct calls_process *p, uint32_t epoll, uint64_t data, int number,
    int32_t otherwise)
{
	int32_t before = map_get(&p->data, epoll, data);

	if (before != MAP_NONE && before != number && before != UNKNOWN)
		number = otherwise;
	return map_put(&p->data, epoll, data, number);
}

/*
 * The registrations of an instance: fdinfo of proc(5) has a line for each, with
 * the number that it had when it was added, also if that is closed by now.
 */
static int
read_entries(struct calls *c, struct calls_process *p, uint32_t epoll)
{
	char path[SOURCE_PATH], *text;
	struct fdinfo info;
	ssize_t length;
	int error;

	(void)snprintf(path, sizeof path, "%ld/fdinfo/%u", (long)p->pid, epoll);
	map_clear(&p->data, epoll);
	length = source_read(&c->source, &text, path);
	if (length < 0)
		return length == -ENOMEM ? -ENOMEM : 0;
	error = fdinfo_parse(text, (size_t)length, &info);
	for (size_t i = 0; error == 0 && i < info.entry_count; i++)
		error = learn(p, epoll, info.entries[i].data,
		    info.entries[i].number, SEVERAL);
	fdinfo_free(&info);
	return error == -ENOMEM ? error : 0;
}

/* The descriptor of DATA, or UNKNOWN or SEVERAL; or -ENOMEM. */
static int
number_of(struct calls *c, struct calls_process *p, uint32_t epoll,
    uint64_t data)
{
	int32_t number = map_get(&p->data, epoll, data);

	if (number != MAP_NONE && number != CHANGED)
		return number;
	if (read_entries(c, p, epoll) != 0)
		return -ENOMEM;
	number = map_get(&p->data, epoll, data);
	if (number != MAP_NONE)
		return number;
	/* it is not searched for again until something is added */
	return map_put(&p->data, epoll, data, UNKNOWN) != 0 ? -ENOMEM : UNKNOWN;
}

static int
note_epoll(struct calls *c, struct calls_process *p, const struct tracee *t)
{
	struct epoll_event some[PIECE / sizeof(struct epoll_event)];
	size_t left = (size_t)t->call.result, n;
	uint64_t at = t->call.arguments[1], data;
	int number, error = 0;

	for (; left > 0; left -= n) {
		n = sizeof some / sizeof *some;
		n = left < n ? left : n;
		if (!tracee_read(t, at, some, n * sizeof *some))
			return 0;
		at += n * sizeof *some;
		for (size_t i = 0; i < n && error == 0; i++) {
			/* it is packed on x86-64 */
			memcpy(&data, &some[i].data, sizeof data);
			number = number_of(c, p, (uint32_t)t->call.arguments[0],
			    data);
			if (number == -ENOMEM)
				return -ENOMEM;
			error = report(c, p, t->tid, number < 0 ? -1 : number,
			    number < 0 ? data : 0, some[i].events);
		}
		if (error != 0)
			return error;
	}
	return 0;
}

/* epoll_ctl(2) has succeeded. */
static int
note_control(struct calls_process *p, const struct tracee *t)
{
	const uint64_t *argument = t->call.arguments;
	struct epoll_event event;
	uint64_t data;

	if (t->call.result != 0 || (int)argument[1] == EPOLL_CTL_DEL ||
	    !tracee_read(t, argument[3], &event, sizeof event))
		return 0;
	memcpy(&data, &event.data, sizeof data);
	return learn(p, (uint32_t)argument[0], data, (int)argument[2], CHANGED);
}

/* ---- a system call ---- */

static int
note_wait(struct calls *c, struct calls_process *p, const struct tracee *t,
    const struct known *call)
{
	struct calls_row *row;

	settle(c, p, t->tid);
	/* EINTR: it is no answer */
	if (t->call.result < 0)
		return 0;
	c->waits++;
	if (t->call.result == 0) {
		if ((row = row_of(p, CALLS_TIMEOUT, 0)) == NULL)
			return -ENOMEM;
		row->told++;
		count_use(row, call->name, 0);
		return 0;
	}
	switch (call->kind) {
	case SELECT:
		return note_select(c, p, t);
	case POLL:
		return note_poll(c, p, t);
	default:
		return note_epoll(c, p, t);
	}
}

int
calls_note(struct calls *c, const struct tracee *t)
{
	const struct known *call = lookup(t->call.number);
	struct calls_process *p = process_of(c, t->pid);

	if (p == NULL)
		return -ENOMEM;
	if (call == NULL)
		return 0;
	if (call->first >= 0)
		act(p, (int)t->call.arguments[call->first], call->name,
		    t->call.result);
	if (call->second >= 0)
		act(p, (int)t->call.arguments[call->second], call->name,
		    t->call.result);
	switch (call->kind) {
	case TOUCH:
		return 0;
	case CONTROL:
		return note_control(p, t);
	case EXECUTE:
		if (t->call.result == 0) {
			/* the instances are others */
			map_end(&p->data);
			read_name(c, p);
		}
		return 0;
	default:
		return note_wait(c, p, t, call);
	}
}

/* ---- the end ---- */

static int
compare(const void *left, const void *right)
{
	const struct calls_row *a = left, *b = right;

	if (a->ignored != b->ignored)
		return a->ignored < b->ignored ? 1 : -1;
	if (a->told != b->told)
		return a->told < b->told ? 1 : -1;
	return (a->number > b->number) - (a->number < b->number);
}

static int
compare_uses(const void *left, const void *right)
{
	const struct calls_use *a = left, *b = right;

	return (a->count < b->count) - (a->count > b->count);
}

/* Which descriptors are open now, unless the process has ended. */
static void
update(const struct calls *c, struct calls_process *p)
{
	for (size_t i = 0; i < p->count; i++) {
		bool closed = p->rows[i].number >= 0 &&
		    !is_open(c, p, p->rows[i].number);

		/* a zombie has no program */
		if (!has_link(c, p, "exe"))
			return;
		p->rows[i].closed = closed;
	}
}

void
calls_finish(struct calls *c)
{
	for (struct calls_process *p = c->processes; p != NULL; p = p->next) {
		update(c, p);
		for (size_t i = 0; i < p->count; i++)
			qsort(p->rows[i].uses, p->rows[i].use_count,
			    sizeof *p->rows[i].uses, compare_uses);
		if (p->count > 0)
			qsort(p->rows, p->count, sizeof *p->rows, compare);
	}
}

#else

bool
calls_wants(uint64_t number)
{
	(void)number;
	return false;
}

int
calls_note(struct calls *c, const struct tracee *t)
{
	(void)c;
	(void)t;
	return 0;
}

void
calls_finish(struct calls *c)
{
	(void)c;
}

#endif

void
calls_end(struct calls *c)
{
	struct calls_process *p;

	while ((p = c->processes) != NULL) {
		c->processes = p->next;
		free(p->rows);
		map_end(&p->index);
		map_end(&p->data);
		free(p);
	}
	source_close(&c->source);
}
