/* SPDX-License-Identifier: ISC */
/*
 * compat.h - what some C library lacks, under one name everywhere.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include "config.h"

/*
 * The name of an errno value, as "ENOENT"; "E?" for one that nobody knows.
 * glibc 2.32 has strerrorname_np for this; a table serves elsewhere.
 */
const char *errno_name(int error);

/*
 * Close the descriptors FIRST to LAST, those that are open among them.
 * close_range(2) is in Linux 5.9 and FreeBSD 12.2; closefrom(3) where
 * LAST is the highest, or a loop up to the limit of open files, elsewhere.
 */
void close_between(unsigned first, unsigned last);

#endif
