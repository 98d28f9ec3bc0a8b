/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "descriptor.h"
#include "inode.h"
#include "member.h"
#include "queue.h"
#include "socket.h"

static int
fd_of(const struct knote *k)
{
	return (int)k->event.ident;
}

static int
fifo_kind(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return -errno;
	return fs.f_type == PIPEFS_MAGIC ? KIND_PIPE : KIND_FIFO;
}

static int
probe_kind(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (S_ISFIFO(st.st_mode))
		return fifo_kind(fd);
	if (S_ISSOCK(st.st_mode))
		return socket_kind(fd);
	if (S_ISCHR(st.st_mode))
		return isatty(fd) ? KIND_TERMINAL : KIND_OTHER;
	/* an anonymous inode has no type */
	if ((st.st_mode & S_IFMT) == 0 && queue_at(fd) != NULL)
		return KIND_QUEUE;
	return KIND_OTHER;
}

int
descriptor_kind(struct knote *k)
{
	int kind;

	if (k->descriptor.kind != KIND_UNKNOWN)
		return k->descriptor.kind;
	kind = probe_kind(fd_of(k));
	if (kind > 0)
		k->descriptor.kind = (uint8_t)kind;
	return kind;
}

/* ---- ordinary files ---- */

static int
attach_file(struct knote *k)
{
	struct stat st;

	if (fstat(fd_of(k), &st) == -1)
		return -errno;
	/* a device without poll, such as /dev/null (FreeBSD: ENODEV) */
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -ENODEV;
	k->descriptor.kind = KIND_FILE;
	k->descriptor.device = st.st_dev;
	k->descriptor.number = st.st_ino;
	/* always writable: only EV_CLEAR needs to see later writes */
	if (k->event.filter == EVFILT_WRITE && (k->event.flags & EV_CLEAR) == 0)
		return 0;
	return inode_watch(k, fd_of(k), &st);
}

/*
 * Check that the number still refers to K's file, as far as the inotify events
 * read so far show.  Sets *ST.  Returns 0 or -errno, as filter_same_fn.
 */
static int
same_file(const struct knote *k, struct stat *st)
{
	if (fstat(fd_of(k), st) == -1)
		return -errno;
	if (st->st_dev != k->descriptor.device ||
	    st->st_ino != k->descriptor.number)
		return -ENOENT;
	return k->inode == NULL ? 0 : inode_same(k->inode, fd_of(k));
}

int
descriptor_file_event(struct knote *k)
{
	struct stat st;
	off_t offset;
	int error = same_file(k, &st);

	if (error != 0)
		return error;
	k->event.data = 0;
	if (k->event.filter == EVFILT_WRITE)
		return 1;
	offset = lseek(fd_of(k), 0, SEEK_CUR);
	if (offset == -1)
		return -errno;
	k->event.data = (int64_t)st.st_size - offset;
	return k->event.data != 0;
}

/* ---- functions of struct filter ---- */

static uint32_t
epoll_mask(const struct knote *k)
{
	if (k->event.filter == EVFILT_WRITE)
		return EPOLLOUT;
	return EPOLLIN | EPOLLRDHUP;
}

static int
arm_member(struct knote *k)
{
	k->descriptor.count = 0;
	return member_arm(k, fd_of(k), epoll_mask(k),
	    (k->event.flags & EV_CLEAR) != 0);
}

/* Refuse descriptors that WRITE does not accept.  Returns 0 or -errno. */
static int
refuse_writer(struct knote *k)
{
	int kind = descriptor_kind(k), error;
	short revents;

	switch (kind) {
	case KIND_QUEUE:
		return -EINVAL;
	case KIND_PIPE:
		/* an unnamed pipe without readers never gets one again */
		error = poll_now(fd_of(k), POLLOUT, &revents);
		return error == 0 && (revents & POLLERR) != 0 ? -EPIPE : error;
	default:
		return kind < 0 ? kind : 0;
	}
}

int
descriptor_attach(struct knote *k)
{
	int error = 0, kind;

	if (k->event.filter == EVFILT_WRITE)
		error = refuse_writer(k);
	else if (queue_is_known(fd_of(k))) {
		kind = descriptor_kind(k);
		k->member.nested = kind == KIND_QUEUE;
		error = kind < 0 ? kind : 0;
	}
	if (error == 0)
		error = arm_member(k);
	if (error == -EPERM)
		return attach_file(k);
	if (error == 0 && (k->status & KNOTE_DISABLED) != 0)
		descriptor_disarm(k);
	/* FD is a queue that watches this one */
	return error == -ELOOP ? -EINVAL : error;
}

int
descriptor_same(const struct knote *k)
{
	struct stat st;
	int error;

	if (k->descriptor.kind == KIND_FILE) {
		inode_handle(k->queue);
		return same_file(k, &st);
	}
	error = member_same(k, fd_of(k));
	if (error == 0 && k->member.place == MEMBER_NOWHERE &&
	    fcntl(fd_of(k), F_GETFD) == -1)
		return -errno;
	return error;
}

void
descriptor_detach(struct knote *k)
{
	if (k->inode != NULL)
		inode_forget(k);
	else
		(void)member_disarm(k, fd_of(k));
}

void
descriptor_disarm(struct knote *k)
{
	member_mute(k, fd_of(k));
}

int
descriptor_arm(struct knote *k)
{
	return k->descriptor.kind == KIND_FILE ? 0 : arm_member(k);
}

/*
 * Where epoll reports ready and a BSD would not (too few bytes, a socket that
 * was never connected), epoll would report a level-triggered member without
 * end.  Such a member is edge-triggered until both agree.
 */
int
descriptor_settle(struct knote *k, int active)
{
	bool once = k->member.place == MEMBER_MAIN; /* EPOLLONESHOT */
	int error = 0;

	if (k->member.place == MEMBER_NOWHERE ||
	    (k->event.flags & EV_CLEAR) != 0)
		return active;
	if (active == 0 && !k->member.edge &&
	    (once || member_was_reported(k))) {
		error = member_arm(k, fd_of(k), epoll_mask(k), true);
		k->queue->again = true;
	} else if (active == 1 && (k->member.edge || once))
		error = member_arm(k, fd_of(k), epoll_mask(k), false);
	return error != 0 ? error : active;
}
