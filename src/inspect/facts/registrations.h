/* SPDX-License-Identifier: ISC */
/*
 * registrations.h - what is registered in an epoll instance.
 */
#ifndef REGISTRATIONS_H
#define REGISTRATIONS_H

#include "inspect/facts/descriptor.h"
#include "inspect/facts/peers.h"
#include "inspect/facts/world.h"

/*
 * The bits of an entry that are behaviour, no events (epoll_ctl(2)):
 * EPOLLEXCLUSIVE, EPOLLWAKEUP, EPOLLONESHOT, EPOLLET.
 */
#define REGISTRATION_BEHAVIOUR 0xf0000000u
#define REGISTRATION_ONESHOT 0x40000000u
#define REGISTRATION_EDGE 0x80000000u

enum registered {
	REGISTERED_HERE, /* the number is that file */
	REGISTERED_STALE, /* the number is closed, or another file */
	REGISTERED_UNKNOWN, /* which of the two: see WHY */
	REGISTERED_GONE /* meanwhile: not among the results */
};

struct registration {
	struct fdinfo_entry entry;
	enum registered registered;
	const char *why; /* a constant text or errno's name, or NULL */
	enum kind kind; /* of the file; KINDS: not known */
	bool armed; /* no one-shot that has fired */
	bool is_ready_known;
	unsigned
	    ready; /* bits of poll(2): what the instance would report now */
	struct holders
	    owners; /* of the file of a stale entry, as far as known */
};

struct registrations {
	struct registration *list; /* in the order of the kernel */
	size_t count;
};

/* What the links of a process said of a descriptor: pipe, socket, or another. */
struct seen {
	int number;
	enum kind kind; /* KIND_PIPE, KIND_SOCKET, or another */
	uint64_t inode;
};

struct sight {
	struct seen *list; /* by number */
	size_t count;
};

/*
 * Find out about the entries of D, an epoll instance, in linear time.  An entry
 * is called stale only if it still was there after its number was found to be
 * another file.  WORLD, which is scanned for the owners of stale entries, may be
 * NULL, and SIGHT, what the links of D's process said.  Returns 0; -EBADF if D
 * is another file by now; -ENOMEM; or another -errno of kind_devices.
 * registrations_free releases what ENTRIES has in any case.
 */
int registrations_find(struct source *source, struct world *world,
    const struct sight *sight, const struct descriptor *d,
    struct registrations *entries);
void registrations_free(struct registrations *entries);

#endif
