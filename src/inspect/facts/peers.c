/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "base/list.h"
#include "inspect/facts/peers.h"
#include "inspect/facts/sockdiag.h"
#include "sys/process.h"

#ifndef O_PATH
#define O_PATH 0
#endif

/* ---- holders ---- */

int
holders_add(struct holders *holders, const struct holder *holder)
{
	struct holder *grown = list_room(holders->list, holders->count,
	    sizeof *grown);

	if (grown == NULL)
		return -ENOMEM;
	holders->list = grown;
	holders->list[holders->count++] = *holder;
	return 0;
}

/*
 * Read how the file of F is open.  Returns 0; -ENOENT if it is another file by
 * now, of which INODE is not the inode, or cannot be read; or -ENOMEM.
 */
static int
read_access(struct source *source, const struct world_file *f, uint64_t inode,
    struct holder *holder)
{
	char path[SOURCE_PATH], *text;
	struct fdinfo info;
	ssize_t n;
	int error;

	(void)snprintf(path, sizeof path, "%ld/fdinfo/%d", (long)f->pid,
	    f->number);
	n = source_read(source, &text, path);
	if (n < 0)
		return n == -ENOMEM ? -ENOMEM : -ENOENT;
	error = fdinfo_parse(text, (size_t)n, &info);
	fdinfo_free(&info);
	if (error != 0)
		return error == -ENOMEM ? error : -ENOENT;
	if (info.inode != 0 && inode != 0 && info.inode != inode)
		return -ENOENT;
	*holder = (struct holder){ .pid = f->pid, .number = f->number };
	if ((info.flags & O_PATH) == 0) {
		holder->readable = (info.flags & O_ACCMODE) != O_WRONLY;
		holder->writable = (info.flags & O_ACCMODE) != O_RDONLY;
	}
	return 0;
}

int
holders_find(struct source *source, const struct world *world,
    struct world_key key, uint64_t inode, struct holders *holders)
{
	size_t count;
	const struct world_file *f = world_find(world, key, &count);
	struct holder holder;
	int error;

	*holders = (struct holders){ .list = NULL };
	for (size_t i = 0; i < count; i++) {
		error = read_access(source, &f[i], inode, &holder);
		if (error == 0)
			error = holders_add(holders, &holder);
		if (error == -ENOMEM)
			return error;
	}
	return 0;
}

/* ---- the same description ---- */

static bool
is_itself(const struct descriptor *d, const struct holder *holder)
{
	return d->pid == holder->pid && d->number == holder->number;
}

/*
 * Whether HOLDER, of the same file, has the same open file description: 1 or 0,
 * or -errno.  A socket has only one.
 */
static int
is_same(const struct source *source, const struct descriptor *d,
    const struct holder *holder)
{
	if (kind_of_link(d->name) == KIND_SOCKET)
		return 1;
	if (!source->live)
		return -ENOSYS;
	return process_same(d->pid, d->number, holder->pid, holder->number);
}

/* ALL has those of the same file. */
static int
find_same(struct source *source, struct descriptor *d,
    const struct holders *all, struct holders *same)
{
	int error = 0, answer;

	for (size_t i = 0; i < all->count && error == 0; i++) {
		if (is_itself(d, &all->list[i]))
			continue;
		answer = is_same(source, d, &all->list[i]);
		if (answer == 1)
			error = holders_add(same, &all->list[i]);
		else if (answer < 0 && answer != -ESRCH && answer != -EBADF)
			d->unknown[FACT_SAME] = errno_name(-answer);
	}
	return error;
}

/* ---- other ends ---- */

static bool
is_other(const struct descriptor *d, const struct holder *holder)
{
	return !is_itself(d, holder) &&
	    ((d->readable && holder->writable) ||
		(d->writable && holder->readable));
}

static int
find_ends(const struct descriptor *d, const struct holders *all,
    struct holders *other)
{
	int error = 0;

	for (size_t i = 0; i < all->count && error == 0; i++)
		if (is_other(d, &all->list[i]))
			error = holders_add(other, &all->list[i]);
	return error;
}

/* The inode of the socket at the other end; 0: none that has one. */
static uint64_t
other_socket(struct source *source, struct descriptor *d)
{
	const struct sockets *sockets;
	const struct sock *other;

	if (d->asked_copy || d->sock.inode == 0) {
		d->unknown[FACT_PEERS] =
		    "a socket that sock_diag(7) does not list here";
		return 0;
	}
	if (d->kind == KIND_UNIX)
		return d->sock.peer != 0 ? d->sock.peer : d->sock.listener;
	if (source_sockets(source, d->inode, &sockets) != 0 || sockets == NULL)
		return 0;
	other = sockets_other(sockets, &d->sock);
	return other == NULL ? 0 : other->inode;
}

static int
find_socket(struct source *source, const struct world *world,
    struct descriptor *d, struct holders *other)
{
	uint64_t inode = other_socket(source, d);

	return inode == 0 ?
	    0 :
	    holders_find(source, world, world_key_socket(inode), inode, other);
}

/* A master of a pseudo-terminal says which slave is its. */
static int
add_master(struct source *source, const struct world_file *f, int index,
    struct holders *other)
{
	struct descriptor master;
	int error = descriptor_read(source, f->pid, f->number, &master);
	struct holder holder = { .pid = f->pid,
		.number = f->number,
		.readable = true,
		.writable = true };

	if (error != 0)
		return error == -ENOMEM ? error : 0;
	if (master.terminal.master && master.terminal.index == index)
		error = holders_add(other, &holder);
	descriptor_free(&master);
	return error;
}

static bool
is_slave(const struct world_file *f, int index)
{
	uint64_t major = f->special >> 20, minor = f->special & 0xfffff;

	return major >= 136 && major <= 143 &&
	    (major - 136) * 256 + minor == (uint64_t)index;
}

/*
 * The other side of a pseudo-terminal.  Each devpts(5) numbers its own from 0,
 * so two with one number may be in two of them; only where a master was opened
 * by way of its devpts can that be seen.
 */
static int
find_terminal(struct source *source, const struct world *world,
    struct descriptor *d, struct holders *other)
{
	static const uint64_t ptmx = 5 << 20 | 2;
	int error = 0;

	if (d->terminal.index < 0)
		return 0;
	for (size_t i = 0; i < world->count && error == 0; i++) {
		const struct world_file *f = &world->files[i];
		struct holder holder = { f->pid, f->number, true, true };

		if (d->terminal.master && is_slave(f, d->terminal.index))
			error = holders_add(other, &holder);
		else if (!d->terminal.master && f->special == ptmx)
			error = add_master(source, f, d->terminal.index, other);
	}
	return error;
}

static int
find_other(struct source *source, const struct world *world,
    struct descriptor *d, const struct holders *all, struct holders *other)
{
	switch (d->kind) {
	case KIND_PIPE:
	case KIND_FIFO:
		return find_ends(d, all, other);
	case KIND_UNIX:
	case KIND_TCP:
	case KIND_UDP:
	case KIND_SOCKET:
		return find_socket(source, world, d, other);
	case KIND_TERMINAL:
		return find_terminal(source, world, d, other);
	default:
		return 0;
	}
}

int
peers_find(struct source *source, const struct world *world,
    struct descriptor *d, struct peers *peers)
{
	struct holders all;
	int error = holders_find(source, world, world_key(d), d->inode, &all);

	*peers = (struct peers){ .other = { .list = NULL } };
	if (error == 0)
		error = find_same(source, d, &all, &peers->same);
	if (error == 0)
		error = find_other(source, world, d, &all, &peers->other);
	free(all.list);
	return error;
}

void
peers_free(struct peers *peers)
{
	free(peers->other.list);
	free(peers->same.list);
	*peers = (struct peers){ .other = { .list = NULL } };
}
