/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>

#include "inspect/facts/paths.h"
#include "inspect/facts/sockdiag.h"
#include "sys/filestat.h"

/* Those with KEY, behind those in HOLDERS. */
static int
append(struct source *source, const struct world *world, struct world_key key,
    uint64_t inode, struct holders *holders)
{
	struct holders more;
	int error = holders_find(source, world, key, inode, &more);

	for (size_t i = 0; i < more.count && error == 0; i++)
		error = holders_add(holders, &more.list[i]);
	free(more.list);
	return error;
}

/* SPECIAL: by any path. */
static int
find_device(struct source *source, const struct world *world, uint64_t special,
    struct holders *holders)
{
	struct world_key last = { 0, 0 };
	int error = 0;

	for (size_t i = 0; i < world->count && error == 0; i++) {
		const struct world_file *f = &world->files[i];

		/* those with one key are in sequence */
		if (f->special != special || f->key.device >= WORLD_NO_DEVICE ||
		    (f->key.device == last.device &&
			f->key.inode == last.inode))
			continue;
		last = f->key;
		error = append(source, world, f->key, f->key.inode, holders);
	}
	return error;
}

/* sock_diag(7) has only 32 bits of the inode and of the device. */
static int
find_bound(struct source *source, const struct world *world,
    const struct world_key *file, struct holders *holders)
{
	const struct sockets *sockets;
	int error = source_sockets(source, 0, &sockets);

	for (size_t i = 0; error == 0 && sockets != NULL && i < sockets->count;
	     i++) {
		const struct sock *sock = &sockets->list[i];

		if (sock->file_inode == (uint32_t)file->inode &&
		    sock->file_device == (uint32_t)file->device &&
		    sock->file_inode != 0 && sock->inode != 0)
			error = append(source, world,
			    world_key_socket(sock->inode), sock->inode,
			    holders);
	}
	return error;
}

int
paths_find(struct source *source, const struct world *world, const char *path,
    struct holders *holders)
{
	struct world_key key;
	struct filestat file;
	int error = filestat(AT_FDCWD, path, &file);

	*holders = (struct holders){ .list = NULL };
	if (error != 0)
		return error;
	key = (struct world_key){ file.device, file.inode };
	if (S_ISSOCK(file.mode))
		return find_bound(source, world, &key, holders);
	if (S_ISCHR(file.mode) || S_ISBLK(file.mode))
		return find_device(source, world, file.special, holders);
	return append(source, world, key, key.inode, holders);
}
