/* SPDX-License-Identifier: ISC */
/*
 * fileid.h - which file a descriptor or a path is.
 */
#ifndef FILEID_H
#define FILEID_H

#include <sys/types.h>
#include <sys/stat.h>

#include <limits.h>

/* Higher than any descriptor can be, so closed in every process. */
#define CLOSED_FD INT_MAX

/* Two that are equal are one file. */
struct file_id {
	dev_t device;
	ino_t inode;
};

struct file_id file_id(const struct stat *st);

/* Below, at or above 0 as A sorts before, with or after B. */
int file_id_compare(const struct file_id *a, const struct file_id *b);

/* 0 if A and B are the same file, -ENOENT if they are not, or -errno. */
int file_same(int a, int b);

/*
 * 1 if PATH names the file that FD is open for, 0 with the status of another
 * one in *NAMED, in which st_mode is 0 if nothing has the name, or -errno.
 */
int file_has_name(int fd, const char *path, struct stat *named);

/*
 * Clear O_NONBLOCK of FD, which belongs to the open file description.  Returns
 * 0 or -errno.
 */
int file_set_blocking(int fd);

#endif
