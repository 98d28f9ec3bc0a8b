/* SPDX-License-Identifier: ISC */
/*
 * paths.h - who has the file of a path open.
 */
#ifndef PATHS_H
#define PATHS_H

#include "inspect/facts/peers.h"
#include "inspect/facts/world.h"

/*
 * The descriptors of the file that PATH names, which is resolved and not
 * opened; of a device also those that were opened by another path; of a local
 * socket those that are bound to it.  WORLD was scanned with paths.  Returns 0
 * with *HOLDERS set, whose list the caller frees; or -errno of filestat, or
 * -ENOMEM.
 */
int paths_find(struct source *source, const struct world *world,
    const char *path, struct holders *holders);

#endif
