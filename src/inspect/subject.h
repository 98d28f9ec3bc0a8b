/* SPDX-License-Identifier: ISC */
/*
 * subject.h - a descriptor of a process, with all that is found about it, and
 * how it is printed.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "inspect/columns.h"
#include "inspect/descriptor.h"
#include "inspect/procfs.h"

struct subject {
	struct descriptor d;
	char comm[COMM_SIZE]; /* of its process */
};

/* NAMED: with their processes, as comm[pid]/7. */
void subjects_print_text(const struct subject *list, size_t count, bool named,
    struct columns *columns);
void subject_print_json(const struct subject *subject);

#endif
