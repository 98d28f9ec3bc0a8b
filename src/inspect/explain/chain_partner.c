/* SPDX-License-Identifier: ISC */
/*
 * chain_partner.c - which other ends a wait for a descriptor is about.
 */
#include "config.h"

#include <sys/socket.h>

#include <poll.h>
#include <string.h>

#include "inspect/explain/chain_parts.h"

const char *
chain_role(const struct descriptor *d, unsigned events)
{
	if (d->kind == KIND_PIPE || d->kind == KIND_FIFO)
		return (events & POLLIN) != 0 ||
			(!d->writable && (events & POLLOUT) == 0) ?
		    "writer" :
		    "reader";
	return "other end";
}

bool
chain_is_partner(const struct descriptor *d, unsigned events,
    const struct holder *h)
{
	if (d->kind != KIND_PIPE && d->kind != KIND_FIFO)
		return true;
	return strcmp(chain_role(d, events), "writer") == 0 ? h->writable :
							      h->readable;
}

/* Whether the thread would not sleep if what it waits for was ready. */
static bool
is_direct(const struct snapshot_thread *thread)
{
	switch (thread->wait.call) {
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_READ:
	case WAIT_WRITE:
		return true;
	default:
		return false;
	}
}

bool
chain_is_closed(const struct snapshot_thread *thread,
    const struct descriptor *d, unsigned events)
{
	bool is_known = d->unknown[FACT_READY] == NULL;

	if (thread == NULL || d->unknown[FACT_PEERS] != NULL ||
	    (!is_known && !is_direct(thread)))
		return false;
	/* it is ready: the wait ends at once */
	if (is_known &&
	    (d->ready & (events | POLLERR | POLLHUP | POLLNVAL)) != 0)
		return false;
	if (d->kind == KIND_PIPE)
		return true;
	/* whoever knows the name may open it, and write */
	if (d->kind == KIND_FIFO)
		return events == POLLOUT;
	return d->kind == KIND_UNIX && d->sock.state == SOCK_ESTABLISHED &&
	    d->sock.type != SOCK_DGRAM;
}

static bool
is_socket(enum kind kind)
{
	return kind == KIND_TCP || kind == KIND_UDP || kind == KIND_UNIX;
}

bool
chain_has_partners(const struct descriptor *d)
{
	return d->kind == KIND_PIPE || d->kind == KIND_FIFO ||
	    (is_socket(d->kind) && d->sock.state != SOCK_LISTEN) ||
	    (d->kind == KIND_TERMINAL && d->terminal.index >= 0);
}
