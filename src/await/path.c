/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "await/internal.h"
#include "base/list.h"
#include "base/pmux.h"
#include "output/debug.h"
#include "output/diag.h"
#include "sys/dirwatch.h"

/* The pauses of sampling, in ns. */
#define FIRST_PAUSE INT64_C(10000000)
#define LAST_PAUSE INT64_C(250000000)

/* As many symbolic links as Linux follows in one path (path_resolution(7)). */
#define MOST_LINKS 40

enum {
	STALE = 1, /* what is watched must be found again */
	WATCHED = 2, /* it has entries */
	SAMPLED = 4, /* some change on the way may not be reported */
	CAME = 8, /* the name at the end of the way has come */
	WENT = 16,
	REPORTED = 32 /* a message has said why stat(2) fails */
};

/* A name in a watched directory that is on the way of a condition. */
struct entry {
	uint64_t key; /* the directory's number, and a hash of the name */
	uint32_t condition;
	bool last; /* the name at the end of the way */
};

/* One for all paths. */
struct paths {
	struct entry *entries;
	size_t count;
	bool unsorted;
	int watch; /* dirwatch_open's, or -1 */
	int mounts; /* dirwatch_mounts's, or -1 */
	uint32_t watch_slot, mounts_slot;
	struct dirwatch_buffer buffer;
};

/* ---- entries ---- */

static uint64_t
key_of(int number, const char *name, size_t length)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	return (uint64_t)number << 32 | hash;
}

static uint32_t
index_of(const struct condition *c)
{
	return (uint32_t)(c - pmux->await->list);
}

static int
add_entry(struct paths *p, const struct condition *c, uint64_t key, bool last)
{
	struct entry *list = list_room(p->entries, p->count, sizeof *list);

	if (list == NULL)
		return -ENOMEM;
	p->entries = list;
	list[p->count++] = (struct entry){ key, index_of(c), last };
	p->unsorted = true;
	return 0;
}

static void
drop_entries(struct paths *p, const struct condition *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++)
		if (p->entries[i].condition == index_of(c))
			dirwatch_drop(p->watch, (int)(p->entries[i].key >> 32));
		else
			p->entries[kept++] = p->entries[i];
	p->count = kept;
}

static int
by_key(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return (a->key > b->key) - (a->key < b->key);
}

/* The first entry whose key is not less than KEY. */
static size_t
find_key(struct paths *p, uint64_t key)
{
	size_t low = 0, high = p->count, middle;

	if (p->unsorted)
		qsort(p->entries, p->count, sizeof *p->entries, by_key);
	p->unsorted = false;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (p->entries[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- the way to a path ---- */

/* A path as far as it has been followed, and what follows. */
struct way {
	char at[PATH_MAX]; /* a directory */
	char left[PATH_MAX];
	unsigned links;
};

/* Put a symbolic link's TARGET in front of what follows.  Returns success. */
static bool
follow(struct way *way, const char *target, size_t length, const char *left)
{
	size_t size = strlen(left) + 1;

	if (++way->links > MOST_LINKS || length + 1 + size > sizeof way->left)
		return false;
	memmove(way->left + length + 1, left, size);
	memcpy(way->left, target, length);
	way->left[length] = '/';
	if (size == 1)
		way->left[length] = '\0';
	if (*target == '/')
		strcpy(way->at, "/");
	return true;
}

/*
 * Watch the directory that WAY is at, and go on to the next name.  Returns 1, 0
 * at the end of the way or where nothing can be seen of what follows, or
 * -errno.
 */
static int
step(struct paths *p, struct condition *c, struct way *way)
{
	char target[PATH_MAX];
	char *name = way->left + strspn(way->left, "/"), *next;
	size_t length = strcspn(name, "/"), end = strlen(way->at);
	int number, error;
	ssize_t n;

	if (length == 0)
		return 0;
	next = name + length + strspn(name + length, "/");
	number = dirwatch_add(p->watch, way->at);
	if (number == -ENOENT || number == -ENOTDIR)
		return 0;
	if (number < 0)
		c->path.flags |= SAMPLED;
	else if ((error = add_entry(p, c, key_of(number, name, length),
		      *next == '\0')) != 0)
		return error;
	if (end + length + 2 > sizeof way->at)
		return -ENAMETOOLONG;
	if (way->at[end - 1] != '/')
		way->at[end++] = '/';
	memcpy(way->at + end, name, length);
	way->at[end + length] = '\0';
	n = readlink(way->at, target, sizeof target);
	if (n > 0) {
		/* the names of the link begin where it stands */
		way->at[end > 1 ? end - 1 : 1] = '\0';
		return follow(way, target, (size_t)n, next);
	}
	memmove(way->left, next, strlen(next) + 1);
	return n == -1 && errno == EINVAL;
}

/*
 * Watch all directories on the way to C's path.  Each is watched before a name
 * is looked up in it, so no change in between is missed.
 */
static int
watch_way(struct paths *p, struct condition *c)
{
	struct way way;
	int more;

	if ((c->path.flags & WATCHED) != 0)
		drop_entries(p, c);
	c->path.flags |= WATCHED;
	c->path.flags &= (uint8_t) ~(STALE | SAMPLED);
	if (p->watch == -1 || strlen(c->word) >= sizeof way.left) {
		c->path.flags |= SAMPLED;
		return 0;
	}
	strcpy(way.left, c->word);
	strcpy(way.at, *c->word == '/' ? "/" : ".");
	way.links = 0;
	do
		more = step(p, c, &way);
	while (more == 1);
	if (more < 0)
		c->path.flags |= SAMPLED;
	c->path.links = way.links;
	return more == -ENOMEM ? more : 0;
}

/* ---- changes ---- */

/* CHANGE is about ENTRY. */
static void
note(const struct entry *entry, const struct dirwatch_change *change)
{
	struct condition *c = &pmux->await->list[entry->condition];
	bool any = change->name == NULL;

	condition_due(c);
	/* after another change it may be the name of something else */
	if (entry->last && !any && (c->path.flags & STALE) == 0) {
		if ((change->what & DIRWATCH_CAME) != 0)
			c->path.flags |= CAME;
		if ((change->what & DIRWATCH_WENT) != 0)
			c->path.flags |= WENT;
	}
	c->path.flags |= STALE;
}

static void
note_all(void)
{
	struct await *await = pmux->await;

	for (size_t i = 0; i < await->count; i++)
		if ((await->list[i].path.flags & WATCHED) != 0) {
			await->list[i].path.flags |= STALE;
			condition_due(&await->list[i]);
		}
}

static void
note_change(struct paths *p, const struct dirwatch_change *change)
{
	uint64_t key = (uint64_t)change->number << 32, last = key | UINT32_MAX;

	if ((change->what & DIRWATCH_LOST) != 0) {
		note_all();
		return;
	}
	if (change->name != NULL)
		key = last = key_of(change->number, change->name,
		    strlen(change->name));
	for (size_t i = find_key(p, key);
	     i < p->count && p->entries[i].key <= last; i++)
		note(&p->entries[i], change);
}

/* The descriptor of SLOT is the watch, or that of the mounts. */
static void
paths_ready(struct backend_state *s, uint32_t slot)
{
	struct paths *p = pmux->await->paths;
	struct dirwatch_change change;

	(void)s;
	if (p->mounts != -1 && slot == p->mounts_slot) {
		note_all();
		return;
	}
	while (dirwatch_next(p->watch, &p->buffer, &change) == 1)
		note_change(p, &change);
}

/* ---- the slots of a kind ---- */

static int
path_parse(struct condition *c)
{
	if (*c->word == '\0')
		return diag_usage("--%s: an empty path", c->kind->option);
	return 0;
}

/* Returns 0 or -errno. */
static int
open_paths(struct backend_state *s)
{
	struct paths *p = calloc(1, sizeof *p);

	if (p == NULL)
		return -ENOMEM;
	pmux->await->paths = p;
	p->watch = dirwatch_open();
	if (p->watch < 0 ||
	    condition_watch_shared(s, paths_ready, p->watch, POLLIN,
		&p->watch_slot) != 0) {
		if (p->watch >= 0)
			(void)close(p->watch);
		p->watch = p->mounts = -1;
		return 0;
	}
	p->mounts = dirwatch_mounts();
	if (p->mounts >= 0 &&
	    condition_watch_shared(s, paths_ready, p->mounts, POLLPRI,
		&p->mounts_slot) == 0)
		return 0;
	if (p->mounts >= 0)
		(void)close(p->mounts);
	p->mounts = -1;
	return 0;
}

void
paths_close(void)
{
	struct paths *p = pmux->await->paths;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		dirwatch_drop(p->watch, (int)(p->entries[i].key >> 32));
	if (p->watch != -1)
		(void)close(p->watch);
	if (p->mounts != -1)
		(void)close(p->mounts);
	free(p->entries);
	free(p);
	pmux->await->paths = NULL;
}

int
path_start(struct backend_state *s, struct condition *c)
{
	int error = pmux->await->paths == NULL ? open_paths(s) : 0;

	c->path.flags = 0;
	condition_due(c);
	/* before --ready-fd: what is reported there as watched is */
	return error != 0 ? error : watch_way(pmux->await->paths, c);
}

bool
path_changed(struct condition *c)
{
	bool stale = (c->path.flags & STALE) != 0;

	return stale && watch_way(pmux->await->paths, c) == 0;
}

void
path_end(struct backend_state *s, struct condition *c)
{
	(void)s;
	if ((c->path.flags & WATCHED) != 0)
		drop_entries(pmux->await->paths, c);
	c->path.flags = 0;
}

static void
report(struct condition *c, int error)
{
	if ((c->path.flags & REPORTED) == 0)
		(void)diag_system(error, "tried again until that is over", "%s",
		    c->word);
	c->path.flags |= REPORTED;
}

/* Whether it was there, or not, for a moment, as the system has reported. */
static bool
was_met(const struct condition *c, unsigned links)
{
	/* not a symbolic link that came, and leads nowhere */
	if (c->kind->bit == AWAIT_EXISTS)
		return (c->path.flags & CAME) != 0 && c->path.links <= links &&
		    c->word[strlen(c->word) - 1] != '/';
	return (c->path.flags & WENT) != 0;
}

/* Whether C is met now: 1, 0, or -errno if that cannot be known. */
static int
is_met(const struct condition *c)
{
	struct stat st;
	bool there = stat(c->word, &st) == 0;

	if (!there && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	return there == (c->kind->bit == AWAIT_EXISTS);
}

static int
path_ask(struct backend_state *s, struct condition *c)
{
	struct paths *p = pmux->await->paths;
	unsigned links = c->path.links;
	int error, met = is_met(c);

	(void)s;
	if (met == 1)
		return 1;
	/* what is watched must be found first, and then asked again */
	if ((c->path.flags & STALE) != 0) {
		error = watch_way(p, c);
		if (error != 0)
			return error;
		met = is_met(c);
	}
	if (met < 0) {
		report(c, -met);
		c->path.flags |= SAMPLED;
	} else if (met == 1 || was_met(c, links))
		return 1;
	c->path.flags &= (uint8_t) ~(CAME | WENT);
	c->next = DEADLINE_NEVER;
	if ((c->path.flags & SAMPLED) != 0) {
		c->path.flags |= STALE;
		condition_back_off(c, FIRST_PAUSE, LAST_PAUSE);
	}
	return 0;
}

const struct condition_kind condition_exists = {
	.option = "exists",
	.bit = AWAIT_EXISTS,
	.descriptors = 2,
	.parse = path_parse,
	.start = path_start,
	.ask = path_ask,
	.end = path_end,
};

const struct condition_kind condition_absent = {
	.option = "absent",
	.bit = AWAIT_ABSENT,
	.descriptors = 2,
	.parse = path_parse,
	.start = path_start,
	.ask = path_ask,
	.end = path_end,
};
