/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "base/number.h"
#include "inspect/facts/copy.h"
#include "inspect/facts/descriptor.h"
#include "inspect/facts/mounts.h"
#include "inspect/facts/procfs.h"
#include "sys/filestat.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif
#ifndef O_PATH
#define O_PATH 0
#endif

/* How often a number may become another file while it is examined. */
#define TRIES 10

const char fact_names[FACTS][16] = {
	[FACT_ACCESS] = "access",
	[FACT_INODE] = "inode",
	[FACT_READY] = "ready",
	[FACT_UNREAD] = "unread",
	[FACT_CAPACITY] = "capacity",
	[FACT_STATE] = "state",
	[FACT_PEERS] = "peers",
	[FACT_SAME] = "same",
	[FACT_WAITERS] = "waiters",
	[FACT_REGISTRATIONS] = "registrations",
};

static void
unknown(struct descriptor *d, enum fact fact, const char *why)
{
	if (d->unknown[fact] == NULL)
		d->unknown[fact] = why;
}

/* The link is not there: the number is not open, or nothing is left of PID. */
static int
why_missing(struct source *source, pid_t pid)
{
	struct procfs_stat stat;

	if (procfs_process(source, pid, &stat) != 0)
		return -ESRCH;
	return stat.is_headless ? -EOPNOTSUPP : -EBADF;
}

static int
read_name(struct source *source, struct descriptor *d)
{
	char path[SOURCE_PATH], link[PATH_MAX];
	ssize_t n;

	(void)snprintf(path, sizeof path, "%ld/fd/%d", (long)d->pid, d->number);
	n = source_link(source, -1, path, link, sizeof link);
	if (n == -ENOENT || n == -ESRCH)
		return why_missing(source, d->pid);
	if (n < 0)
		return (int)n;
	d->name = strdup(link);
	return d->name == NULL ? -ENOMEM : 0;
}

/* "pipe:[12]" */
uint64_t
descriptor_inode(const char *link)
{
	const char *open = strchr(link, '[');
	uint64_t inode = 0;

	if (open != NULL)
		(void)number_parse(open + 1, strcspn(open + 1, "]"), 10,
		    UINT64_MAX, &inode);
	return inode;
}

/* What filestat says of the file; without it, what the link does. */
static void
read_type(struct source *source, struct descriptor *d)
{
	char path[SOURCE_PATH];
	struct filestat file;
	int error;

	(void)snprintf(path, sizeof path, "%ld/fd/%d", (long)d->pid, d->number);
	error = source->live ? filestat(source->proc, path, &file) : -ENOSYS;
	if (error == 0) {
		d->device = file.device;
		d->inode = file.inode;
		d->special = file.special;
		if (S_ISREG(file.mode))
			d->length = (int64_t)file.size;
		if (d->kind == KINDS)
			d->kind = kind_of_file(file.mode, d->special, d->name);
		return;
	}
	unknown(d, FACT_INODE, source->live ? errno_name(-error) : "no device");
	d->inode = descriptor_inode(d->name);
	if (d->kind == KINDS)
		d->kind = strncmp(d->name, "/dev/", 5) == 0 ? KIND_DEVICE :
							      KIND_FILE;
}

/* Returns 0 or -errno. */
static int
read_info(struct source *source, struct descriptor *d)
{
	char path[SOURCE_PATH], *text;
	ssize_t n;
	int error;

	(void)snprintf(path, sizeof path, "%ld/fdinfo/%d", (long)d->pid,
	    d->number);
	n = source_read(source, &text, path);
	error = n < 0 ? (int)n : fdinfo_parse(text, (size_t)n, &d->info);
	if (error == -ENOMEM)
		return error;
	if (error == -ENOENT || error == -ESRCH)
		return why_missing(source, d->pid);
	if (error != 0) {
		unknown(d, FACT_ACCESS, errno_name(-error));
		return 0;
	}
	if ((d->info.flags & O_PATH) == 0) {
		unsigned access = d->info.flags & O_ACCMODE;

		d->readable = access == O_RDONLY || access == O_RDWR;
		d->writable = access == O_WRONLY || access == O_RDWR;
	}
	d->nonblock = (d->info.flags & O_NONBLOCK) != 0;
	d->cloexec = (d->info.flags & O_CLOEXEC) != 0;
	return 0;
}

/* The kinds of sockets, as sock_diag(7) lists them. */
static int
find_socket(struct source *source, struct descriptor *d)
{
	const struct sockets *sockets;
	const struct sock *found;
	int error = source_sockets(source, d->inode, &sockets);

	if (error != 0 || sockets == NULL)
		return error;
	found = sockets_find(sockets, d->inode);
	if (found == NULL)
		return 0;
	d->sock = *found;
	d->kind = found->protocol == SOCK_TCP ? KIND_TCP :
	    found->protocol == SOCK_UDP	      ? KIND_UDP :
						KIND_UNIX;
	return 0;
}

/* A FIN that was not read yet counts as a byte (net/ipv4/tcp_diag.c). */
static int64_t
unread_of(const struct sock *sock)
{
	bool ended = sock->state == SOCK_CLOSE_WAIT ||
	    sock->state == SOCK_LAST_ACK || sock->state == SOCK_CLOSING ||
	    sock->state == SOCK_TIME_WAIT;

	return sock->receive - (sock->receive > 0 && ended ? 1 : 0);
}

/* What is known without a copy. */
static void
find_unread(struct descriptor *d)
{
	const struct sock *sock = &d->sock;

	if (d->kind == KIND_FILE && d->length >= 0 && d->position >= 0)
		d->unread = d->length > d->position ? d->length - d->position :
						      0;
	else if ((d->kind == KIND_TCP || d->kind == KIND_UNIX) &&
	    sock->inode != 0 && sock->state != SOCK_LISTEN)
		d->unread = unread_of(sock);
}

/*
 * A signalfd reports those of its signals that are pending for the process, and
 * to each thread also those of its own (signalfd(2), fs/signalfd.c).  These are
 * all of them.  Returns 0 or -errno.
 */
static int
find_pending(struct source *source, struct descriptor *d)
{
	struct procfs_status status;
	char path[SOURCE_PATH];
	int *threads, count, found = 0, error = 0;

	(void)snprintf(path, sizeof path, "%ld/task", (long)d->pid);
	count = source_list(source, path, &threads);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof path, "%ld/task/%d", (long)d->pid,
		    threads[i]);
		error = procfs_status(source, path, &status);
		if (error != 0)
			continue;
		found++;
		d->pending |= (status.pending | status.shared) &
		    d->info.signals;
	}
	free(threads);
	return found > 0 ? 0 : count > 0 ? error : -ESRCH;
}

static void
compute_signals(struct source *source, struct descriptor *d)
{
	int error = find_pending(source, d);

	if (error != 0)
		unknown(d, FACT_READY, errno_name(-error));
	d->ready = d->pending != 0 ? POLLIN : 0;
}

/* null, zero, full, urandom (devices.txt): they have no poll function. */
static bool
is_always_ready(const struct descriptor *d)
{
	uint64_t minor = d->special & 0xfffff;

	return d->special >> 20 == 1 &&
	    (minor == 3 || minor == 5 || minor == 7 || minor == 9);
}

static bool
is_plain_file(struct source *source, struct descriptor *d)
{
	enum mount_kind kind;

	if (d->kind == KIND_DIRECTORY)
		return true;
	if (d->kind == KIND_DEVICE)
		return is_always_ready(d);
	/* memfd_create(2): of tmpfs, on a mount that no process sees */
	if (strncmp(d->name, "/memfd:", 7) == 0)
		return true;
	return mounts_kind(source, d->pid, d->info.mount, &kind) == 0 &&
	    kind == MOUNT_PLAIN;
}

/* Whether D is ready, where that is known or computed, not asked for. */
static bool
compute_ready(struct source *source, struct descriptor *d)
{
	const struct fdinfo *info = &d->info;

	if (d->unknown[FACT_ACCESS] != NULL)
		return false;
	if ((info->flags & O_PATH) != 0) {
		d->ready = POLLNVAL;
		return true;
	}
	if (d->kind == KIND_SIGNALFD) {
		compute_signals(source, d);
		return true;
	}
	if ((d->kind == KIND_FILE || d->kind == KIND_DIRECTORY ||
		d->kind == KIND_DEVICE) &&
	    is_plain_file(source, d)) {
		d->ready = POLLIN | POLLOUT;
		return true;
	}
	return false;
}

/* What fdinfo says, where no copy may be made. */
static void
guess_ready(struct descriptor *d)
{
	const struct fdinfo *info = &d->info;

	if (d->unknown[FACT_READY] == NULL || d->unknown[FACT_ACCESS] != NULL)
		return;
	if (d->kind == KIND_EVENTFD && info->count != UINT64_MAX)
		d->ready = (info->count > 0 ? POLLIN : 0u) |
		    (info->count < UINT64_MAX - 1 ? POLLOUT : 0u);
	else if (d->kind == KIND_TIMERFD && info->clock != -1)
		d->ready = info->ticks > 0 ? POLLIN : 0u;
	else
		return;
	d->unknown[FACT_READY] = NULL;
}

static void
find_terminal(struct descriptor *d)
{
	uint64_t major = d->special >> 20, minor = d->special & 0xfffff;

	d->terminal.index = -1;
	if (d->kind != KIND_TERMINAL)
		return;
	d->terminal.master = d->info.terminal != -1 ||
	    d->special == (5 << 20 | 2);
	if (d->terminal.master)
		d->terminal.index = d->info.terminal;
	else if (major >= 136 && major <= 143)
		d->terminal.index = (int)((major - 136) * 256 + minor);
}

static int
find_live(struct source *source, struct descriptor *d, int copy)
{
	int error = 0;

	if (d->kind == KIND_SOCKET)
		error = find_socket(source, d);
	if (error != 0)
		return error;
	find_unread(d);
	if (compute_ready(source, d))
		return 0;
	error = copy_ask(source, d, copy);
	guess_ready(d);
	return error;
}

static int
read_once(struct source *source, struct descriptor *d)
{
	int error = read_name(source, d), copy = -1;

	if (error != 0)
		return error;
	d->kind = kind_of_link(d->name);
	read_type(source, d);
	if (kind_polling(d->kind) == POLLING_NESTED)
		copy = copy_borrow(source, d);
	error = read_info(source, d);
	if (d->kind == KIND_FILE || d->kind == KIND_DIRECTORY)
		d->position = d->info.position;
	find_terminal(d);
	if (error == 0)
		error = find_live(source, d, copy);
	copy_return(source, d, copy);
	return error;
}

int
descriptor_read(struct source *source, pid_t pid, int number,
    struct descriptor *d)
{
	int error = -EAGAIN;

	for (int i = 0; i < TRIES && error == -EAGAIN; i++) {
		*d = (struct descriptor){ .pid = pid,
			.number = number,
			.position = -1,
			.length = -1,
			.unread = -1,
			.capacity = -1 };
		error = read_once(source, d);
		if (error != 0)
			descriptor_free(d);
	}
	return error;
}

int
descriptor_identify(struct source *source, pid_t pid, int number,
    struct descriptor *d)
{
	int error;

	*d = (struct descriptor){ .pid = pid, .number = number };
	if ((error = read_name(source, d)) != 0)
		return error;
	d->kind = kind_of_link(d->name);
	read_type(source, d);
	return 0;
}

int
descriptor_file(struct source *source, pid_t pid, int number, uint64_t *device,
    uint64_t *inode)
{
	char path[SOURCE_PATH];
	struct filestat file;
	int error;

	if (!source->live)
		return -ENOSYS;
	(void)snprintf(path, sizeof path, "%ld/fd/%d", (long)pid, number);
	error = filestat(source->proc, path, &file);
	if (error == -ENOENT || error == -ESRCH)
		return why_missing(source, pid);
	if (error != 0)
		return error;
	*device = file.device;
	*inode = file.inode;
	return 0;
}

void
descriptor_free(struct descriptor *d)
{
	free(d->name);
	d->name = NULL;
	fdinfo_free(&d->info);
}
