/* SPDX-License-Identifier: ISC */
#include "inode.h"

#include <sys/inotify.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "member.h"

#define FILE_MASK (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF)
#define ACCESS_MASK (IN_OPEN | IN_CLOSE | IN_ACCESS)
#define DIRECTORY_MASK \
	(IN_ATTRIB | IN_MOVE_SELF | IN_CREATE | IN_DELETE | IN_MOVE)

/* The status of a file, as far as events depend on it. */
struct snapshot {
	off_t size;
	nlink_t links;
	mode_t mode;
	uid_t user;
	gid_t group;
	struct timespec modified;
};

struct inode {
	struct link link; /* in queue->inodes, by watch descriptor */
	struct queue *queue;
	dev_t device;
	ino_t number;
	bool directory;
	bool gone; /* freed: the number may be reused */
	struct snapshot last;
	struct knote *knotes; /* by knote->sibling */
	struct inode *parent; /* watched parent of a directory, or NULL */
	unsigned children; /* directories that have it as parent */
};

bool
inode_is(const struct inode *i, const struct stat *st)
{
	return i->device == st->st_dev && i->number == st->st_ino;
}

static struct snapshot
snapshot_of(const struct stat *st)
{
	struct snapshot l;

	memset(&l, 0, sizeof l);
	l.size = st->st_size;
	l.links = st->st_nlink;
	l.mode = st->st_mode;
	l.user = st->st_uid;
	l.group = st->st_gid;
	l.modified = st->st_mtim;
	return l;
}

static struct inode *
inode_of_watch(const struct queue *q, int watch)
{
	return (struct inode *)table_find(&q->inodes, (uint64_t)watch);
}

/* ---- watches ---- */

/* Returns the watch descriptor, or -errno. */
static int
inode_add_watch(const struct queue *q, int fd, uint32_t mask)
{
	char path[32];
	int watch;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	watch = inotify_add_watch(q->sources[SOURCE_INODES], path, mask);
	if (watch == -1)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	return watch;
}

/*
 * Find or add the inode of descriptor FD, and add MASK to its watch.  Returns
 * NULL with *ERROR set on failure.
 */
static struct inode *
inode_get(struct queue *q, int fd, const struct stat *st, uint32_t mask,
    int *error)
{
	struct inode *i;
	int watch;

	*error = 0;
	if (q->sources[SOURCE_INODES] == -1)
		*error = source_add(q, SOURCE_INODES,
		    inotify_init1(IN_CLOEXEC | IN_NONBLOCK), false);
	if (*error != 0)
		return NULL;
	watch = inode_add_watch(q, fd, mask | IN_MASK_ADD);
	if (watch < 0) {
		*error = watch;
		return NULL;
	}
	if ((i = inode_of_watch(q, watch)) != NULL)
		return i;
	i = calloc(1, sizeof *i);
	if (i == NULL ||
	    table_insert(&q->inodes, &i->link, (uint64_t)watch) != 0) {
		free(i);
		(void)inotify_rm_watch(q->sources[SOURCE_INODES], watch);
		*error = -ENOMEM;
		return NULL;
	}
	i->queue = q;
	i->device = st->st_dev;
	i->number = st->st_ino;
	i->directory = S_ISDIR(st->st_mode);
	i->last = snapshot_of(st);
	return i;
}

/* The events for NOTES that are frequent and so watched only on request. */
static uint32_t
access_mask(unsigned notes)
{
	return ((notes & NOTE_OPEN) != 0 ? IN_OPEN : 0) |
	    ((notes & NOTE_CLOSE) != 0 ? IN_CLOSE_NOWRITE : 0) |
	    ((notes & NOTE_CLOSE_WRITE) != 0 ? IN_CLOSE_WRITE : 0) |
	    ((notes & NOTE_READ) != 0 ? IN_ACCESS : 0);
}

static unsigned
access_notes(uint32_t mask)
{
	return ((mask & IN_OPEN) != 0 ? NOTE_OPEN : 0) |
	    ((mask & IN_CLOSE_NOWRITE) != 0 ? NOTE_CLOSE : 0) |
	    ((mask & IN_CLOSE_WRITE) != 0 ? NOTE_CLOSE_WRITE : 0) |
	    ((mask & IN_ACCESS) != 0 ? NOTE_READ : 0);
}

static uint32_t
base_mask(bool directory)
{
	return directory ? DIRECTORY_MASK : FILE_MASK;
}

/* The events that K requests beyond base_mask. */
static uint32_t
mask_for(const struct knote *k)
{
	return k->event.filter == EVFILT_VNODE ? access_mask(k->fflags) : 0;
}

int
inode_same(const struct inode *i, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	return i->gone || !inode_is(i, &st) ? -ENOENT : 0;
}

static void
inode_put(struct inode *i)
{
	struct inode *parent = i->parent;

	if (i->knotes != NULL || i->children > 0)
		return;
	table_remove(&i->queue->inodes, &i->link);
	(void)inotify_rm_watch(i->queue->sources[SOURCE_INODES],
	    (int)i->link.key);
	free(i);
	if (parent != NULL) {
		parent->children--;
		inode_put(parent);
	}
}

/*
 * Report ERROR from all knotes of I, whose state cannot be known.  ERROR is
 * neither -EBADF nor -ENOENT, which would drop them.
 */
static void
inode_fail(const struct inode *i, int error)
{
	for (struct knote *k = i->knotes; k != NULL; k = k->sibling)
		knote_end(k, error);
}

/* Watch directory UP, the parent of I, unless I is its own parent. */
static int
get_parent(struct inode *i, int up)
{
	struct stat st;
	int error;

	if (fstat(up, &st) == -1)
		return -errno;
	if (inode_is(i, &st))
		return 0;
	i->parent = inode_get(i->queue, up, &st, IN_DELETE, &error);
	if (i->parent != NULL)
		i->parent->children++;
	return error;
}

/*
 * Watch the parent of I: inotify reports the removal of an open directory only
 * there.  Returns 0 or -errno.
 */
static int
watch_parent(struct inode *i, int fd)
{
	struct inode *before = i->parent;
	int up, error;

	if (!i->directory)
		return 0;
	i->parent = NULL;
	up = private_descriptor(openat(fd, "..", O_PATH | O_CLOEXEC));
	error = up < 0 ? up : get_parent(i, up);
	if (up >= 0)
		(void)close(up);
	if (before != NULL) {
		before->children--;
		inode_put(before);
	}
	/* no permission, or already removed */
	return error == -EACCES || error == -ENOENT ? 0 : error;
}

/* Watch the current parent of I, which may have changed. */
static void
rewatch_parent(struct inode *i, int fd)
{
	int error = watch_parent(i, fd);

	/* event() detects a descriptor that another thread has just closed */
	if (error != 0 && !knote_is_gone(error))
		inode_fail(i, error);
}

/*
 * Get the status of I through a descriptor of its knotes that is still open,
 * and return that in *FD.  Returns false if there is none; if fstat fails, the
 * knotes report that.
 */
static bool
inode_stat(const struct inode *i, struct snapshot *seen, int *fd)
{
	struct stat st;
	int error = 0;

	for (const struct knote *k = i->knotes; k != NULL; k = k->sibling)
		if (fstat((int)k->event.ident, &st) == -1) {
			if (!knote_is_gone(-errno))
				error = -errno;
		} else if (inode_is(i, &st)) {
			*seen = snapshot_of(&st);
			*fd = (int)k->event.ident;
			return true;
		}
	if (error != 0)
		inode_fail(i, error);
	return false;
}

int
inode_watch(struct knote *k, int fd, const struct stat *st)
{
	uint32_t mask = base_mask(S_ISDIR(st->st_mode)) | mask_for(k);
	struct inode *i;
	struct snapshot seen;
	int error, other;

	/* earlier events are not for this knote */
	inode_handle(k->queue);
	i = inode_get(k->queue, fd, st, mask, &error);
	if (i == NULL)
		return error;
	/* without an open descriptor, i->last was not kept up to date */
	if (!inode_stat(i, &seen, &other))
		i->last = snapshot_of(st);
	k->inode = i;
	k->sibling = i->knotes;
	i->knotes = k;
	return 0;
}

int
inode_watch_access(struct knote *k)
{
	const uint32_t mask = mask_for(k);
	int watch = mask == 0 ?
	    0 :
	    inode_add_watch(k->queue, (int)k->event.ident, mask | IN_MASK_ADD);

	return watch < 0 ? watch : 0;
}

int
inode_watch_parent(struct knote *k)
{
	if (k->inode->parent != NULL || (k->fflags & NOTE_DELETE) == 0)
		return 0;
	return watch_parent(k->inode, (int)k->event.ident);
}

void
inode_forget(struct knote *knote)
{
	struct inode *i = knote->inode;
	struct knote **k = &i->knotes;

	while (*k != knote)
		k = &(*k)->sibling;
	*k = knote->sibling;
	knote->inode = NULL;
	inode_put(i);
}

/* ---- events ---- */

/*
 * Post HINT as FreeBSD's kernel does: all notes of one operation form one hint,
 * and a knote that asks for one of them gets all (filt_vfsvnode).
 */
static void
inode_post(struct inode *i, unsigned hint)
{
	for (struct knote *k = i->knotes; k != NULL; k = k->sibling) {
		if (k->event.filter != EVFILT_VNODE) {
			if ((hint & (NOTE_WRITE | NOTE_EXTEND)) != 0)
				knote_activate(k);
		} else if ((k->fflags & hint) != 0) {
			k->event.fflags |= hint;
			if ((hint & NOTE_REVOKE) != 0)
				k->event.flags |= EV_EOF;
			knote_activate(k);
		}
	}
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same_attributes(const struct snapshot *a, const struct snapshot *b)
{
	return a->mode == b->mode && a->user == b->user &&
	    a->group == b->group && same_time(&a->modified, &b->modified);
}

/*
 * IN_ATTRIB: attributes were changed, or names added or removed.  An open file
 * outlives its last name.
 */
static void
changed_attributes(struct inode *i, const struct snapshot *seen)
{
	if (i->directory) {
		/* the link count of a directory counts its subdirectories */
		inode_post(i,
		    seen->links == 0 && i->last.links > 0 ? NOTE_DELETE :
							    NOTE_ATTRIB);
		return;
	}
	if (seen->links > i->last.links)
		inode_post(i, NOTE_LINK);
	else if (seen->links < i->last.links)
		inode_post(i, NOTE_DELETE);
	if (seen->links == i->last.links || !same_attributes(seen, &i->last))
		inode_post(i, NOTE_ATTRIB);
}

static void
changed_contents(struct inode *i, const struct snapshot *seen)
{
	inode_post(i,
	    seen->size > i->last.size ? NOTE_WRITE | NOTE_EXTEND : NOTE_WRITE);
}

/* Derive events from the status of I, after inotify lost some. */
static void
recheck(struct inode *i)
{
	struct snapshot seen;
	int fd;

	if (!inode_stat(i, &seen, &fd))
		return;
	if (!same_time(&seen.modified, &i->last.modified) ||
	    seen.size != i->last.size)
		changed_contents(i, &seen);
	if (seen.links != i->last.links || !same_attributes(&seen, &i->last))
		changed_attributes(i, &seen);
	i->last = seen;
}

static void
recheck_each(struct link *l, void *argument)
{
	(void)argument;
	recheck((struct inode *)l);
}

/*
 * A directory may have moved.  Called for knotes, not inodes, since it changes
 * the table of inodes.
 */
static void
rewatch_parent_each(struct link *l, void *argument)
{
	const struct knote *k = knote_of(l);
	struct snapshot seen;
	int fd;

	(void)argument;
	if (k->inode != NULL && k->inode->parent != NULL &&
	    inode_stat(k->inode, &seen, &fd))
		rewatch_parent(k->inode, fd);
}

static void
removed_child(struct link *l, void *parent)
{
	struct inode *i = (struct inode *)l;
	struct snapshot seen;
	int fd;

	if (i->parent != parent || !inode_stat(i, &seen, &fd) ||
	    seen.links > 0 || i->last.links == 0)
		return;
	i->last = seen;
	inode_post(i, NOTE_DELETE);
}

static void
handle_self(struct inode *i, uint32_t mask)
{
	struct snapshot seen;
	int fd;

	if ((mask & IN_UNMOUNT) != 0) {
		inode_post(i, NOTE_REVOKE);
		return;
	}
	if (!inode_stat(i, &seen, &fd))
		return;
	if ((mask & ACCESS_MASK) != 0)
		inode_post(i, access_notes(mask));
	if ((mask & IN_MODIFY) != 0) {
		changed_contents(i, &seen);
		/* other changes may belong to the next event */
		i->last.size = seen.size;
		i->last.modified = seen.modified;
	}
	if ((mask & IN_ATTRIB) != 0) {
		changed_attributes(i, &seen);
		/* changes of size and time may belong to the next event */
		seen.size = i->last.size;
		seen.modified = i->last.modified;
		i->last = seen;
	}
	if ((mask & IN_MOVE_SELF) != 0) {
		inode_post(i, NOTE_RENAME);
		if (i->parent != NULL)
			rewatch_parent(i, fd);
	}
}

/*
 * The watch has ended, because the inode was freed, or because its last cached
 * name was dropped while it is open (fs/dcache.c, dentry_unlink_inode).  An
 * inode of the second kind has no links, unlike a new file that reuses its
 * number.
 */
static void
handle_ignored(struct inode *i)
{
	uint32_t mask = base_mask(i->directory);
	struct snapshot seen;
	int fd, watch;

	i->gone = true;
	if (!inode_stat(i, &seen, &fd) || seen.links > 0)
		return;
	for (const struct knote *k = i->knotes; k != NULL; k = k->sibling)
		mask |= mask_for(k);
	watch = inode_add_watch(i->queue, fd, mask);
	if (watch < 0) {
		inode_fail(i, knote_is_gone(watch) ? -EOPNOTSUPP : watch);
		return;
	}
	table_remove(&i->queue->inodes, &i->link);
	(void)table_insert(&i->queue->inodes, &i->link, (uint64_t)watch);
	i->gone = false;
}

/* Handle an event about a name in directory I. */
static void
handle_child(struct inode *i, uint32_t mask)
{
	unsigned hint = NOTE_WRITE;

	/* other events are about the child itself */
	if ((mask & (IN_CREATE | IN_DELETE | IN_MOVE)) == 0)
		return;
	/* a subdirectory changes the link count of its parent */
	if ((mask & IN_ISDIR) != 0)
		hint |= NOTE_LINK;
	if ((mask & IN_MOVE) != 0)
		hint |= NOTE_EXTEND;
	inode_post(i, hint);
	if ((mask & IN_DELETE) != 0 && (mask & IN_ISDIR) != 0 &&
	    i->children > 0)
		table_each(&i->queue->inodes, removed_child, i);
}

/*
 * First half of a rename; the second half follows if the directory is the same.
 */
struct half_rename {
	int watch;
	uint32_t cookie, mask;
};

static void
flush_rename(struct queue *q, struct half_rename *from)
{
	struct inode *i = from->cookie == 0 ? NULL :
					      inode_of_watch(q, from->watch);

	if (i != NULL)
		handle_child(i, from->mask);
	from->cookie = 0;
}

static void
inode_handle_event(struct queue *q, const struct inotify_event *event,
    struct half_rename *from)
{
	struct inode *i = inode_of_watch(q, event->wd);

	if ((event->mask & IN_MOVED_TO) != 0 && event->cookie != 0 &&
	    event->cookie == from->cookie && event->wd == from->watch) {
		from->cookie = 0;
		if (i != NULL)
			inode_post(i, NOTE_WRITE);
		return;
	}
	flush_rename(q, from);
	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		table_each(&q->inodes, recheck_each, NULL);
		table_each(&q->knotes, rewatch_parent_each, NULL);
	} else if ((event->mask & IN_MOVED_FROM) != 0) {
		from->watch = event->wd;
		from->cookie = event->cookie;
		from->mask = event->mask;
	} else if (i != NULL && event->len > 0)
		handle_child(i, event->mask);
	else if (i != NULL && (event->mask & IN_IGNORED) != 0)
		handle_ignored(i);
	else if (i != NULL)
		handle_self(i, event->mask);
}

void
inode_handle(struct queue *q)
{
	_Alignas(struct inotify_event) char buffer[4096];
	const struct inotify_event *event;
	struct half_rename from = { 0, 0, 0 };
	ssize_t n;

	if (q->sources[SOURCE_INODES] == -1)
		return;
	while ((n = read(q->sources[SOURCE_INODES], buffer, sizeof buffer)) > 0)
		for (ssize_t at = 0; at < n;
		     at += (ssize_t)(sizeof *event + event->len)) {
			event = (const void *)(buffer + at);
			inode_handle_event(q, event, &from);
		}
	flush_rename(q, &from);
}
