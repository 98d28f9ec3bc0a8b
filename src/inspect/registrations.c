/* SPDX-License-Identifier: ISC */
/*
 * registrations.c - the entries of an epoll instance, as fdinfo lists them.
 *
 * An entry belongs to an open file and to the number with which it was added.
 * It stays when the number is closed as long as the file is open elsewhere, and
 * then cannot be deleted by that number (epoll(7), Questions and answers).
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "inspect/copy.h"
#include "inspect/registrations.h"
#include "sys/process.h"

/*
 * kcmp(2) walks through the entries of an instance (fs/eventpoll.c,
 * ep_find_tfd).  In an instance of more than this many only the entries that
 * device and inode do not settle are compared, and at most so many.
 */
#define COMPARED 1000

/* How often an entry and its number are looked at before it is called stale. */
#define LOOKS 3

struct walk {
	struct source *source;
	const struct world *world;
	const struct descriptor *instance;
	struct kind_devices devices;
	unsigned *places; /* of each entry among those with its number */
	size_t compared;
};

/* ---- places ---- */

struct place {
	int number;
	size_t index;
};

static int
compare_places(const void *a, const void *b)
{
	const struct place *one = a, *other = b;

	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	return (one->index > other->index) - (one->index < other->index);
}

/* Returns 0 or -ENOMEM. */
static int
find_places(struct walk *walk)
{
	const struct fdinfo *info = &walk->instance->info;
	struct place *sorted = malloc(info->entry_count * sizeof *sorted);

	walk->places = malloc(info->entry_count * sizeof *walk->places);
	if (sorted == NULL || walk->places == NULL) {
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < info->entry_count; i++)
		sorted[i] = (struct place){ info->entries[i].number, i };
	qsort(sorted, info->entry_count, sizeof *sorted, compare_places);
	for (size_t i = 0; i < info->entry_count; i++)
		walk->places[sorted[i].index] = i > 0 &&
			sorted[i - 1].number == sorted[i].number ?
		    walk->places[sorted[i - 1].index] + 1 :
		    0;
	free(sorted);
	return 0;
}

/* ---- one entry ---- */

static bool
is_settled(const struct walk *walk, const struct fdinfo_entry *entry)
{
	return entry->device == walk->devices.pipes ||
	    entry->device == walk->devices.sockets;
}

/*
 * Whether HOLDER's descriptor NUMBER is the file of entry INDEX: 1 or 0, or
 * -errno.
 */
static int
is_file_of(struct walk *walk, size_t index, pid_t holder, int number)
{
	const struct descriptor *d = walk->instance;

	if (!walk->source->live)
		return -ENOSYS;
	return process_is_entry(holder, number, d->pid, d->number,
	    d->info.entries[index].number, walk->places[index]);
}

/*
 * Whether the number of entry INDEX is that file, as far as one look can tell;
 * also sets the kind.  Returns 0 or -ENOMEM.
 */
static int
look(struct walk *walk, size_t index, struct registration *r)
{
	const struct descriptor *instance = walk->instance;
	struct descriptor d;
	int error = descriptor_identify(walk->source, instance->pid,
		r->entry.number, &d),
	    answer;

	if (error == -ENOMEM)
		return error;
	r->registered = REGISTERED_STALE;
	if (error == -EBADF || error == -ESRCH)
		return 0;
	r->registered = REGISTERED_UNKNOWN;
	if (error != 0) {
		r->why = errno_name(-error);
		return 0;
	}
	if (d.unknown[FACT_INODE] != NULL)
		r->why = d.unknown[FACT_INODE];
	else if (d.inode != r->entry.inode || d.device != r->entry.device)
		r->registered = REGISTERED_STALE;
	else {
		r->kind = d.kind;
		r->registered = REGISTERED_HERE;
	}
	descriptor_free(&d);
	if (r->registered != REGISTERED_HERE ||
	    (is_settled(walk, &r->entry) &&
		instance->info.entry_count > COMPARED))
		return 0;
	answer = walk->compared++ < COMPARED ?
	    is_file_of(walk, index, instance->pid, r->entry.number) :
	    -E2BIG;
	if (answer == 0)
		r->registered = REGISTERED_STALE;
	else if (answer < 0 && r->entry.device == walk->devices.anonymous) {
		r->registered = REGISTERED_UNKNOWN;
		r->why = answer == -E2BIG ? "too many to be compared" :
					    errno_name(-answer);
	}
	return 0;
}

static bool
is_equal(const struct fdinfo_entry *a, const struct fdinfo_entry *b)
{
	return a->number == b->number && a->inode == b->inode &&
	    a->device == b->device && a->data == b->data;
}

/* Whether entry R is in the instance now; or -errno. */
static int
is_there(struct walk *walk, const struct registration *r)
{
	char path[SOURCE_PATH], *text;
	struct fdinfo info;
	int error, found = 0;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%ld/fdinfo/%d",
	    (long)walk->instance->pid, walk->instance->number);
	n = source_read(walk->source, &text, path);
	if (n < 0)
		return (int)n;
	error = fdinfo_parse(text, (size_t)n, &info);
	for (size_t i = 0; error == 0 && found == 0 && i < info.entry_count;
	     i++)
		found = is_equal(&info.entries[i], &r->entry);
	fdinfo_free(&info);
	return error != 0 ? error : found;
}

/*
 * R was found stale once.  Returns 1 if it still is and was all the time, 0 if
 * something changes meanwhile, or -ENOMEM.
 */
static int
is_stale_for_certain(struct walk *walk, size_t index, struct registration *r)
{
	int there, error;

	for (int i = 0; i < LOOKS; i++) {
		if ((there = is_there(walk, r)) != 1)
			return there == -ENOMEM ? there : 0;
		if ((error = look(walk, index, r)) != 0)
			return error;
		if (r->registered != REGISTERED_STALE)
			return 0;
	}
	return 1;
}

/* ---- who has the file of a stale entry ---- */

/* Keep those of ALL that have the file of entry INDEX for certain. */
static void
keep_owners(struct walk *walk, size_t index, struct registration *r,
    struct holders *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct holder *h = &all->list[i];
		int answer = is_file_of(walk, index, h->pid, h->number);

		/* there is one description of a socket */
		if (answer == 1 ||
		    (answer < 0 && r->entry.device == walk->devices.sockets))
			all->list[kept++] = *h;
	}
	all->count = kept;
	r->owners = *all;
}

/* Returns 0 or -ENOMEM. */
static int
find_owners(struct walk *walk, size_t index, struct registration *r)
{
	struct world_key key = { r->entry.device, r->entry.inode };
	struct holders all;
	int error;

	if (walk->world == NULL)
		return 0;
	if (r->entry.device == walk->devices.pipes)
		key = world_key_pipe(r->entry.inode);
	else if (r->entry.device == walk->devices.sockets)
		key = world_key_socket(r->entry.inode);
	for (int kind = 0; kind < KINDS; kind++) {
		if (r->entry.device == walk->devices.anonymous)
			key = world_key_kind((enum kind)kind);
		error = holders_find(walk->source, walk->world, key,
		    r->entry.inode, &all);
		if (error == 0)
			keep_owners(walk, index, r, &all);
		if (error != 0 || r->owners.count == 0) {
			free(all.list);
			r->owners = (struct holders){ .list = NULL };
		}
		if (error != 0 || r->owners.count > 0 ||
		    r->entry.device != walk->devices.anonymous)
			return error;
	}
	return 0;
}

/* ---- what is ready ---- */

/* By descriptor NUMBER of PID, which is the file. */
static void
find_ready(struct walk *walk, struct registration *r, pid_t pid, int number)
{
	unsigned events = r->entry.events & 0xffffu;
	struct descriptor d;
	int error;

	if (is_settled(walk, &r->entry)) {
		error = copy_poll(walk->source, pid, number, r->entry.inode,
		    events, &r->ready);
		r->is_ready_known = error == 0;
	} else if (descriptor_read(walk->source, pid, number, &d) == 0) {
		r->kind = d.kind;
		r->ready = d.ready;
		r->is_ready_known = d.unknown[FACT_READY] == NULL &&
		    d.inode == r->entry.inode && d.device == r->entry.device;
		descriptor_free(&d);
	}
	r->ready &= r->armed ? events | POLLERR | POLLHUP : 0;
}

/* Which sockets are TCP, UDP and local ones. */
static void
find_kind(struct walk *walk, struct registration *r)
{
	const struct sockets *sockets;
	const struct sock *sock;

	if (r->entry.device == walk->devices.pipes)
		r->kind = KIND_PIPE;
	if (r->entry.device != walk->devices.sockets)
		return;
	r->kind = KIND_SOCKET;
	if (source_sockets(walk->source, &sockets) != 0 || sockets == NULL ||
	    (sock = sockets_find(sockets, r->entry.inode)) == NULL)
		return;
	r->kind = sock->protocol == SOCK_TCP ? KIND_TCP :
	    sock->protocol == SOCK_UDP	     ? KIND_UDP :
					       KIND_UNIX;
}

/*
 * Entry INDEX into *R.  Returns 1, 0 if it changes meanwhile, or -ENOMEM.
 */
static int
take(struct walk *walk, size_t index, struct registration *r)
{
	const struct descriptor *d = walk->instance;
	const struct holder *owner;
	int answer;

	*r = (struct registration){ .entry = d->info.entries[index],
		.kind = KINDS };
	/* a one-shot that has fired: only its behaviour is left */
	r->armed = (r->entry.events & REGISTRATION_ONESHOT) == 0 ||
	    (r->entry.events & ~REGISTRATION_BEHAVIOUR) != 0;
	if ((answer = look(walk, index, r)) != 0)
		return answer;
	if (r->registered == REGISTERED_STALE) {
		answer = is_stale_for_certain(walk, index, r);
		if (answer != 1 && r->registered == REGISTERED_STALE)
			return answer;
	}
	find_kind(walk, r);
	if (r->registered == REGISTERED_HERE)
		find_ready(walk, r, d->pid, r->entry.number);
	if (r->registered != REGISTERED_STALE)
		return 1;
	if ((answer = find_owners(walk, index, r)) != 0)
		return answer;
	owner = r->owners.list;
	if (owner != NULL)
		find_ready(walk, r, owner->pid, owner->number);
	return 1;
}

/* Whether D's number is that instance still. */
static bool
is_instance(struct source *source, const struct descriptor *d)
{
	struct descriptor now;
	bool is;

	if (descriptor_identify(source, d->pid, d->number, &now) != 0)
		return false;
	is = now.kind == KIND_EPOLL;
	descriptor_free(&now);
	return is;
}

int
registrations_find(struct source *source, const struct world *world,
    const struct descriptor *d, struct registrations *entries)
{
	struct walk walk = { .source = source, .world = world, .instance = d };
	size_t count = d->info.entry_count;
	int error, answer = 0;

	*entries = (struct registrations){ .list = NULL };
	if (count == 0)
		return 0;
	if ((error = kind_devices(&walk.devices)) != 0)
		return error;
	if (!is_instance(source, d))
		return -EBADF;
	entries->list = calloc(count, sizeof *entries->list);
	error = entries->list == NULL ? -ENOMEM : find_places(&walk);
	for (size_t i = 0; error == 0 && answer >= 0 && i < count; i++) {
		answer = take(&walk, i, &entries->list[entries->count]);
		entries->count += answer == 1;
	}
	free(walk.places);
	return error != 0 ? error : answer < 0 ? answer : 0;
}

void
registrations_free(struct registrations *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->list[i].owners.list);
	free(entries->list);
	*entries = (struct registrations){ .list = NULL };
}
