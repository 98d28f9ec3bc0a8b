/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "filter.h"
#include "inode.h"

/*
 * Refuse, as FreeBSD does, files without a vnode or with one that it cannot
 * watch.  An O_PATH descriptor is a vnode for every type of file (FreeBSD 14).
 */
static int
vnode_refuse(int fd, const struct stat *st)
{
	int flags = fcntl(fd, F_GETFL);

	if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ||
	    (flags != -1 && (flags & O_PATH) != 0))
		return 0;
	if (flags == -1)
		return -errno;
	if ((S_ISCHR(st->st_mode) && !isatty(fd)) || S_ISBLK(st->st_mode))
		return -ENODEV;
	return -EINVAL;
}

static int
vnode_attach(struct knote *k)
{
	int fd = (int)k->event.ident, error;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	error = vnode_refuse(fd, &st);
	if (error == 0)
		error = inode_watch(k, fd, &st);
	if (error != 0)
		return error;
	error = inode_watch_parent(k);
	if (error != 0)
		inode_forget(k);
	return error;
}

/* Deliver earlier events first, under the fflags from before the change. */
static int
vnode_same(const struct knote *k)
{
	inode_handle(k->queue);
	return inode_same(k->inode, (int)k->event.ident);
}

static int
vnode_change(struct knote *k, const struct kevent *change)
{
	unsigned before = k->fflags;
	int error;

	k->fflags = change->fflags;
	error = inode_watch_access(k);
	if (error == 0)
		error = inode_watch_parent(k);
	if (error != 0)
		k->fflags = before;
	else
		k->data = change->data;
	return error;
}

static void
vnode_detach(struct knote *k)
{
	inode_forget(k);
}

static int
vnode_event(struct knote *k)
{
	int error = inode_same(k->inode, (int)k->event.ident);

	return error != 0 ? error : k->event.fflags != 0;
}

const struct filter filter_vnode = {
	.number = EVFILT_VNODE,
	.descriptor = true,
	.attach = vnode_attach,
	.same = vnode_same,
	.change = vnode_change,
	.detach = vnode_detach,
	.event = vnode_event,
};
