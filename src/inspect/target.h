/* SPDX-License-Identifier: ISC */
/*
 * target.h - what inspect and explain are asked about.
 */
#ifndef INSPECT_TARGET_H
#define INSPECT_TARGET_H

#include <sys/types.h>

/* A descriptor of a process, all of its descriptors, or those of a path. */
struct inspect_target {
	const char *path; /* or NULL */
	pid_t pid;
	int number; /* -1: all */
};

#endif
