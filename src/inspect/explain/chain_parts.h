/* SPDX-License-Identifier: ISC */
/*
 * chain_parts.h - for the files that make a chain, in the order in which they
 * may call each other.
 */
#ifndef CHAIN_PARTS_H
#define CHAIN_PARTS_H

#include "inspect/explain/chain.h"

/* Of more than MOST_ENTRIES, at most MOST_NAMED are named. */
#define MOST_NAMED 3
#define MOST_ENTRIES 8

/* chain_words.c: append what FOUND is, and its state. */
void chain_put_descriptor(struct buffer *buffer,
    const struct snapshot_descriptor *found);

/* chain.c: add a copy of it.  Return 0 or -ENOMEM. */
int chain_add_wait(struct chain *chain, const struct waited *wait);
int chain_add_edge(struct chain *chain, const struct edge *edge);

/*
 * chain_partner.c: what the other end of D is to whom EVENTS of D are reported,
 * and whether H is such an end.
 */
const char *chain_role(const struct descriptor *d, unsigned events);
bool chain_is_partner(const struct descriptor *d, unsigned events,
    const struct holder *h);
bool chain_has_partners(const struct descriptor *d);

/* Whether all who may end THREAD's wait for EVENTS of D are among those found. */
bool chain_is_closed(const struct snapshot_thread *thread,
    const struct descriptor *d, unsigned events);

/*
 * chain_thread.c: find the child that PROCESS calls *WANTED, among COUNT in
 * LIST: in another pid namespace it has another number (pid_namespaces(7)).
 * Returns 0 with its number here in *WANTED, or 0 there if it is not known; or
 * -ENOMEM.
 */
int chain_find_child(const struct chain *chain,
    const struct snapshot_process *process, const pid_t *list, int count,
    pid_t *wanted);

/* How many threads from INDEX on do the same; 0 if an earlier one does. */
size_t chain_count_alike(const struct snapshot_process *process, size_t index);

/*
 * The line about thread INDEX, and ALIKE threads in all that do the same; about
 * a process that cannot be examined; about pmux.  Return 0 or -ENOMEM.
 */
int chain_describe_thread(struct chain *chain,
    const struct snapshot_process *process, size_t index, size_t alike,
    unsigned depth);
int chain_describe_missing(struct chain *chain,
    const struct snapshot_process *process, unsigned depth);
int chain_describe_pmux(struct chain *chain,
    const struct snapshot_process *process, unsigned depth);

#endif
