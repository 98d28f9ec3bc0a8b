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
#include "inspect/facts/copy.h"
#include "inspect/facts/registrations.h"
#include "sys/process.h"

/*
 * kcmp(2) walks through the entries of an instance (fs/eventpoll.c,
 * ep_find_tfd).  In an instance of more than this many only the entries that
 * device and inode do not settle are compared, and at most this many.
 */
#define COMPARED 1000

/*
 * For each stale entry of an anonymous file all descriptors of such files are
 * compared, at most this many in all.
 */
#define TRIED 10000

/* How often an entry and its number are examined before it is called stale. */
#define PROBES 3

struct walk {
	struct source *source;
	struct world *world;
	const struct sight *sight;
	const struct descriptor *instance;
	struct kind_devices devices;
	unsigned *places; /* of each entry among those with its number */
	size_t compared, tried;
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

/* Unless it was done; kcmp(2) alone needs them.  Returns 0 or -ENOMEM. */
static int
find_places(struct walk *walk)
{
	const struct fdinfo *info = &walk->instance->info;
	struct place *sorted;

	if (walk->places != NULL)
		return 0;
	sorted = malloc(info->entry_count * sizeof *sorted);

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

/* Whether kcmp(2) is to decide about an entry whose inode is the same. */
static bool
is_compared(const struct walk *walk, const struct fdinfo_entry *entry)
{
	return walk->instance->info.entry_count <= COMPARED ||
	    !is_settled(walk, entry);
}

/* The number of entry INDEX has its inode. */
static void
compare_file(struct walk *walk, size_t index, struct registration *r)
{
	int answer;

	r->registered = REGISTERED_HERE;
	if (!is_compared(walk, &r->entry))
		return;
	answer = walk->compared++ < COMPARED ?
	    is_file_of(walk, index, walk->instance->pid, r->entry.number) :
	    -E2BIG;
	if (answer == 0)
		r->registered = REGISTERED_STALE;
	else if (answer < 0 && r->entry.device == walk->devices.anonymous) {
		r->registered = REGISTERED_UNKNOWN;
		r->why = answer == -E2BIG ? "too many to be compared" :
					    errno_name(-answer);
	}
}

/*
 * Whether the number of entry INDEX is that file, as far as one probe can show.
 */
static void
examine(struct walk *walk, size_t index, struct registration *r)
{
	uint64_t device, inode;
	int error = descriptor_file(walk->source, walk->instance->pid,
	    r->entry.number, &device, &inode);

	r->why = NULL;
	if (error != 0 && error != -EBADF && error != -ESRCH) {
		r->registered = REGISTERED_UNKNOWN;
		r->why = errno_name(-error);
	} else if (error != 0 || inode != r->entry.inode ||
	    device != r->entry.device)
		r->registered = REGISTERED_STALE;
	else
		compare_file(walk, index, r);
}

static int
compare_numbers(const void *a, const void *b)
{
	const struct seen *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

/* Whether the number of ENTRY was seen to be that pipe or socket. */
static bool
is_seen(const struct walk *walk, const struct fdinfo_entry *entry)
{
	struct seen wanted = { .number = entry->number };
	const struct seen *found = NULL;

	if (walk->sight != NULL && walk->sight->count > 0)
		found = bsearch(&wanted, walk->sight->list, walk->sight->count,
		    sizeof wanted, compare_numbers);
	if (found == NULL || found->inode != entry->inode)
		return false;
	return entry->device ==
	    (found->kind == KIND_PIPE	       ? walk->devices.pipes :
		    found->kind == KIND_SOCKET ? walk->devices.sockets :
						 UINT64_MAX);
}

static int
compare_entries(const void *a, const void *b)
{
	const struct fdinfo_entry *one = a, *other = b;

	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	if (one->device != other->device)
		return one->device < other->device ? -1 : 1;
	return (one->data > other->data) - (one->data < other->data);
}

/* Read the instance again, its entries sorted.  Returns 0 or -errno. */
static int
read_again(struct walk *walk, struct fdinfo *info)
{
	char path[SOURCE_PATH], *text;
	int error;
	ssize_t n;

	*info = (struct fdinfo){ .entries = NULL };
	(void)snprintf(path, sizeof path, "%ld/fdinfo/%d",
	    (long)walk->instance->pid, walk->instance->number);
	n = source_read(walk->source, &text, path);
	error = n < 0 ? (int)n : fdinfo_parse(text, (size_t)n, info);
	if (error == 0 && info->entry_count > 0)
		qsort(info->entries, info->entry_count, sizeof *info->entries,
		    compare_entries);
	return error;
}

/* Examine those that seem stale once more; those that are not there are gone. */
static void
examine_stale(struct walk *walk, struct registrations *entries,
    const struct fdinfo *info)
{
	for (size_t i = 0; i < entries->count; i++) {
		struct registration *r = &entries->list[i];

		if (r->registered != REGISTERED_STALE)
			continue;
		if (info->entry_count == 0 ||
		    bsearch(&r->entry, info->entries, info->entry_count,
			sizeof r->entry, compare_entries) == NULL)
			r->registered = REGISTERED_GONE;
		else
			examine(walk, i, r);
	}
}

static bool
has_stale(const struct registrations *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		if (entries->list[i].registered == REGISTERED_STALE)
			return true;
	return false;
}

/* Returns 0 or -ENOMEM. */
static int
examine_all(struct walk *walk, struct registrations *entries)
{
	struct fdinfo info;
	int error = 0;

	for (size_t i = 0; i < entries->count && error == 0; i++)
		if (is_compared(walk, &entries->list[i].entry))
			error = find_places(walk);
	if (error != 0)
		return error;
	for (size_t i = 0; i < entries->count; i++)
		if (is_seen(walk, &entries->list[i].entry))
			compare_file(walk, i, &entries->list[i]);
		else
			examine(walk, i, &entries->list[i]);
	for (int round = 0; round < PROBES && has_stale(entries); round++) {
		error = read_again(walk, &info);
		if (error == 0)
			examine_stale(walk, entries, &info);
		fdinfo_free(&info);
		if (error == -ENOMEM)
			return error;
		if (error != 0)
			break;
	}
	return 0;
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

		/* there is one description of a socket; 0: also if it has gone */
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
	if (walk->tried >= TRIED) {
		r->why = "too many files to find out who has it";
		return 0;
	}
	if ((error = find_places(walk)) != 0 ||
	    (error = world_scan(walk->source, walk->world, false)) != 0)
		return error == -ENOMEM ? error : 0;
	if (r->entry.device == walk->devices.pipes)
		key = world_key_pipe(r->entry.inode);
	else if (r->entry.device == walk->devices.sockets)
		key = world_key_socket(r->entry.inode);
	for (int kind = 0; kind < KINDS; kind++) {
		if (r->entry.device == walk->devices.anonymous)
			key = world_key_kind((enum kind)kind);
		error = holders_find(walk->source, walk->world, key,
		    r->entry.inode, &all);
		if (r->entry.device == walk->devices.anonymous)
			walk->tried += all.count;
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

/*
 * Whether the instance has answered for the entry.  A wait leaves each one that
 * is not edge-triggered on the ready list while it is ready, and a poll of the
 * instance asks those on the list (fs/eventpoll.c, ep_send_events and
 * __ep_eventpoll_poll).  So none is if that finds nothing.
 */
static bool
is_answered(const struct walk *walk, const struct registration *r)
{
	const struct descriptor *d = walk->instance;

	return d->unknown[FACT_READY] == NULL && (d->ready & POLLIN) == 0 &&
	    (r->entry.events & REGISTRATION_EDGE) == 0;
}

/* By descriptor NUMBER of PID, which is the file. */
static void
find_ready(struct walk *walk, struct registration *r, pid_t pid, int number)
{
	unsigned events = r->entry.events & 0xffffu;
	struct descriptor d;
	int error;

	if (is_settled(walk, &r->entry) && r->armed && is_answered(walk, r))
		r->is_ready_known = true;
	else if (is_settled(walk, &r->entry)) {
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
	if (source_sockets(walk->source, r->entry.inode, &sockets) != 0 ||
	    sockets == NULL ||
	    (sock = sockets_find(sockets, r->entry.inode)) == NULL)
		return;
	r->kind = sock->protocol == SOCK_TCP ? KIND_TCP :
	    sock->protocol == SOCK_UDP	     ? KIND_UDP :
					       KIND_UNIX;
}

static void
begin(struct registration *r, const struct fdinfo_entry *entry)
{
	*r = (struct registration){ .entry = *entry, .kind = KINDS };
	/* a one-shot that has fired: only its behaviour is left */
	r->armed = (entry->events & REGISTRATION_ONESHOT) == 0 ||
	    (entry->events & ~REGISTRATION_BEHAVIOUR) != 0;
}

/* Returns 0 or -ENOMEM. */
static int
finish(struct walk *walk, size_t index, struct registration *r)
{
	const struct descriptor *d = walk->instance;
	const struct holder *owner;
	int error;

	find_kind(walk, r);
	if (r->registered == REGISTERED_HERE)
		find_ready(walk, r, d->pid, r->entry.number);
	if (r->registered != REGISTERED_STALE)
		return 0;
	if ((error = find_owners(walk, index, r)) != 0)
		return error;
	owner = r->owners.list;
	if (owner != NULL)
		find_ready(walk, r, owner->pid, owner->number);
	return 0;
}

/* Leave out what has gone. */
static void
leave_out(struct registrations *entries)
{
	size_t kept = 0;

	for (size_t i = 0; i < entries->count; i++)
		if (entries->list[i].registered != REGISTERED_GONE)
			entries->list[kept++] = entries->list[i];
	entries->count = kept;
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
registrations_find(struct source *source, struct world *world,
    const struct sight *sight, const struct descriptor *d,
    struct registrations *entries)
{
	struct walk walk = { .source = source,
		.world = world,
		.sight = sight,
		.instance = d };
	size_t count = d->info.entry_count;
	int error;

	*entries = (struct registrations){ .list = NULL };
	if (count == 0)
		return 0;
	if ((error = kind_devices(&walk.devices)) != 0)
		return error;
	if (!is_instance(source, d))
		return -EBADF;
	entries->list = calloc(count, sizeof *entries->list);
	error = entries->list == NULL ? -ENOMEM : 0;
	entries->count = entries->list == NULL ? 0 : count;
	for (size_t i = 0; i < entries->count; i++)
		begin(&entries->list[i], &d->info.entries[i]);
	if (error == 0)
		error = examine_all(&walk, entries);
	for (size_t i = 0; error == 0 && i < count; i++)
		error = finish(&walk, i, &entries->list[i]);
	leave_out(entries);
	free(walk.places);
	return error;
}

void
registrations_free(struct registrations *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->list[i].owners.list);
	free(entries->list);
	*entries = (struct registrations){ .list = NULL };
}
