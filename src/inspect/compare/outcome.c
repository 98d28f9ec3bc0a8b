/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>

#include "compat.h"
#include "inspect/compare/outcome.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

/* The states of TCP that matter here (include/net/tcp_states.h). */
enum {
	ESTABLISHED = 1,
	FIN_WAIT1 = 4,
	FIN_WAIT2 = 5,
	CLOSE = 7,
	CLOSE_WAIT = 8,
	LISTEN = 10
};

static const struct state states[] = {
#define STATE(id, as, read, write, reason) { id, read, write, reason },
#include "inspect/compare/states.def"
#undef STATE
};

static const struct state *
named(const char *id)
{
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (strcmp(states[i].id, id) == 0)
			return &states[i];
	return NULL;
}

/* Whether poll(2) reported one of EVENTS. */
static bool
has(const struct answers *a, int events)
{
	return (a->poll.bits & (uint32_t)events) != 0;
}

/*
 * The functions from here on return the id of a state of their kind of
 * descriptor, or NULL.
 */

static const char *
pipe_read_end(const struct descriptor *d, const struct answers *a)
{
	if (has(a, POLLHUP))
		return has(a, POLLIN) ? "pipe.r.writer-gone-data" :
					"pipe.r.writer-gone-drained";
	if (!has(a, POLLIN))
		return "pipe.r.empty";
	return d->capacity > 0 && d->unread >= d->capacity ? "pipe.r.full" :
							     "pipe.r.data";
}

static const char *
pipe_write_end(const struct descriptor *d, const struct answers *a)
{
	if (has(a, POLLERR))
		return has(a, POLLOUT) ? "pipe.w.reader-gone" :
					 "pipe.w.reader-gone-full";
	if (has(a, POLLOUT))
		return d->unread == 0 ? "pipe.w.empty" : "pipe.w.data";
	return d->capacity > 0 && d->unread >= d->capacity ?
	    "pipe.w.full" :
	    "pipe.w.full-but-one-byte";
}

static const char *
fifo_read_end(const struct answers *a)
{
	if (has(a, POLLHUP))
		return has(a, POLLIN) ? "fifo.r.writer-gone-data" :
					"fifo.r.writer-gone-drained";
	if (has(a, POLLIN))
		return "fifo.r.writer-data";
	if (a->writer == -1)
		return NULL;
	return a->writer == 0 ? "fifo.r.never-a-writer" :
				"fifo.r.writer-no-data";
}

static const char *
fifo_write_end(const struct answers *a)
{
	if (has(a, POLLERR))
		return has(a, POLLOUT) ? "fifo.w.reader-gone-empty" :
					 "fifo.w.reader-gone-full";
	return has(a, POLLOUT) ? "fifo.w.empty" : "fifo.w.full";
}

/* A pipe that was opened for both by way of /proc is like a FIFO, too. */
static const char *
pipe_state(const struct descriptor *d, const struct answers *a)
{
	bool fifo = d->kind == KIND_FIFO;

	if (d->readable && d->writable && !has(a, POLLIN))
		return "fifo.rw.empty";
	if (d->readable && d->writable)
		return has(a, POLLOUT) ? "fifo.rw.data" : "fifo.rw.full";
	if (d->readable)
		return fifo ? fifo_read_end(a) : pipe_read_end(d, a);
	return fifo ? fifo_write_end(a) : pipe_write_end(d, a);
}

static const char *
unix_stream(const struct descriptor *d, const struct answers *a)
{
	bool data = d->unread > 0;

	if (a->socket.listens)
		return has(a, POLLIN) ? "unix-listen.one-waits" :
					"unix-listen.listening";
	if (has(a, POLLERR))
		return "unix-stream-closed.our-data-unread";
	if (has(a, POLLHUP) && !has(a, POLLRDHUP))
		return a->socket.bound ? "unix-listen.bound" :
					 "unix-listen.fresh";
	if (has(a, POLLHUP))
		return data ? "unix-stream-closed.data" :
			      "unix-stream.peer-closed";
	if (has(a, POLLRDHUP))
		return data ? "unix-stream.peer-half-closed-data" :
			      "unix-stream.peer-half-closed";
	if (has(a, POLLIN))
		return "unix-stream.data";
	if (a->write.eof)
		return "unix-stream.itself-half-closed";
	return has(a, POLLOUT) ? "unix-stream.idle" : "unix-stream.full";
}

/* sock_diag(7) has no inode of a peer that was closed. */
static bool
is_peer_gone(const struct descriptor *d, const struct answers *a)
{
	return a->socket.connected && d->sock.inode != 0 && !d->asked_copy &&
	    d->sock.peer == 0;
}

static const char *
unix_dgram(const struct descriptor *d, const struct answers *a)
{
	if (has(a, POLLERR | POLLHUP | POLLRDHUP))
		return NULL;
	if (has(a, POLLIN))
		return d->unread > 0 ? "unix-dgram.data" :
				       "unix-dgram.empty-datagram";
	if (is_peer_gone(d, a))
		return "unix-dgram.peer-closed";
	return has(a, POLLOUT) ? "unix-dgram.idle" : "unix-dgram.full";
}

/*
 * A connection that failed.  Of one that was reset it cannot be known whether
 * the peer's end had come before, on which depends what read(2) does.
 */
static const char *
tcp_failed(const struct answers *a)
{
	return a->socket.tcp_state == CLOSE && a->read.error == ECONNREFUSED ?
	    "tcp-closed.refused" :
	    NULL;
}

static const char *
tcp_state(const struct descriptor *d, const struct answers *a)
{
	int state = a->socket.tcp_state;

	if (a->socket.listens || state == LISTEN)
		return !has(a, POLLIN) ? "tcp-listen.listening" :
		    a->read.data > 1   ? "tcp-listen.two-wait" :
					 "tcp-listen.one-waits";
	if (has(a, POLLERR))
		return tcp_failed(a);
	if (has(a, POLLHUP) && !has(a, POLLRDHUP))
		return a->socket.bound ? "tcp-listen.bound" : "tcp.fresh";
	if (has(a, POLLHUP))
		return "tcp-closed.both-half-closed";
	if (has(a, POLLRDHUP))
		return d->unread > 0 ? "tcp-closed.peer-half-closed-data" :
				       "tcp-closed.peer-half-closed";
	if (has(a, POLLPRI))
		return has(a, POLLIN) ? "tcp.oob-and-data" : "tcp.oob";
	if (state == FIN_WAIT1 || state == FIN_WAIT2)
		return "tcp-closed.itself-half-closed";
	if (state != ESTABLISHED)
		return NULL;
	if (has(a, POLLIN))
		return "tcp.data";
	return has(a, POLLOUT) ? "tcp.connected" : "tcp.full";
}

static const char *
udp_state(const struct descriptor *d, const struct answers *a)
{
	if (has(a, POLLERR))
		return "udp.refused";
	if (has(a, POLLIN))
		return d->unread > 0 ? "udp.data" : "udp.empty-datagram";
	return a->socket.bound ? "udp.bound" : "udp.fresh";
}

static const char *
socket_state(const struct descriptor *d, const struct answers *a)
{
	switch (d->kind) {
	case KIND_TCP:
		return tcp_state(d, a);
	case KIND_UDP:
		return udp_state(d, a);
	case KIND_UNIX:
		if (a->socket.type == SOCK_STREAM)
			return unix_stream(d, a);
		return a->socket.type == SOCK_DGRAM ? unix_dgram(d, a) : NULL;
	default:
		return NULL;
	}
}

static const char *
terminal_state(const struct descriptor *d, const struct answers *a)
{
	bool hup = has(a, POLLHUP), in = has(a, POLLIN);

	if (d->terminal.master)
		return hup && !in ? "pty.master.slave-closed" :
		    in		  ? "pty.master.data" :
				    "pty.master.idle";
	return hup ? "pty.slave.master-closed" :
	    in	   ? "pty.slave.line" :
		     "pty.slave.idle";
}

static bool
is_memfd(const struct descriptor *d)
{
	return d->name != NULL && strncmp(d->name, "/memfd:", 7) == 0;
}

static const char *
file_state(const struct descriptor *d, const struct answers *a)
{
	if (a->why != NULL || a->poll.bits != (POLLIN | POLLOUT) ||
	    a->epoll.refused != EPERM)
		return NULL;
	if (a->size == -1)
		return "linux.proc-file";
	if (is_memfd(d))
		return a->position < a->size ? "linux.memfd-data" :
					       "linux.memfd-empty";
	if (!d->readable)
		return "file.wronly";
	if (a->size == 0 && a->position == 0)
		return "file.empty";
	if (a->position >= a->size)
		return a->position == a->size ? "file.at-end" :
						"file.15-past-end";
	if (!d->writable)
		return "file.rdonly";
	return a->position == 0 ? "file.start" : "file.at-4-of-10";
}

/* The numbers of devices.txt of Linux. */
static const char *
device_state(const struct descriptor *d)
{
	switch (d->special) {
	case 1 << 20 | 3:
		return d->writable ? "dev.null" : "dev.null-rdonly";
	case 1 << 20 | 5:
		return "dev.zero";
	case 1 << 20 | 7:
		return "linux.dev-full";
	case 1 << 20 | 9:
		return "linux.dev-urandom";
	default:
		return NULL;
	}
}

static const char *
eventfd_state(const struct descriptor *d, const struct answers *a)
{
	if (has(a, POLLIN))
		return has(a, POLLOUT) ? "eventfd.5" : "eventfd.max";
	return d->info.semaphore ? "eventfd.semaphore-0" : "eventfd.0";
}

static const char *
timerfd_state(const struct descriptor *d, const struct answers *a)
{
	if (has(a, POLLIN))
		return "timerfd.expired";
	return d->info.value > 0 ? "timerfd.armed" : "timerfd.disarmed";
}

static const char *
pidfd_state(const struct answers *a)
{
	if (has(a, POLLHUP))
		return "pidfd.reaped";
	return has(a, POLLIN) ? "pidfd.zombie" : "pidfd.alive";
}

/* Of another process it is not asked about but computed (descriptor.h). */
static const char *
signalfd_state(const struct descriptor *d, const struct answers *a)
{
	if (a->why != NULL && d->unknown[FACT_READY] != NULL)
		return NULL;
	if (a->why != NULL)
		return (d->ready & POLLIN) != 0 ? "signalfd.pending" :
						  "signalfd.none";
	return has(a, POLLIN) ? "signalfd.pending" : "signalfd.none";
}

static const char *
epoll_state(const struct descriptor *d, const struct answers *a)
{
	if (has(a, POLLIN))
		return "epoll.one-ready";
	return d->info.entry_count == 0 ? "epoll.empty" : "epoll.none-ready";
}

static const char *
inotify_state(const struct descriptor *d, const struct answers *a)
{
	if (has(a, POLLIN))
		return "inotify.pending";
	return d->info.watch_count == 0 ? "inotify.no-watch" : "inotify.none";
}

static const char *
other_state(const struct descriptor *d, const struct answers *a)
{
	switch (d->kind) {
	case KIND_EVENTFD:
		return eventfd_state(d, a);
	case KIND_TIMERFD:
		return timerfd_state(d, a);
	case KIND_INOTIFY:
		return inotify_state(d, a);
	case KIND_PIDFD:
		return pidfd_state(a);
	case KIND_EPOLL:
		return epoll_state(d, a);
	case KIND_FILE:
		return file_state(d, a);
	case KIND_DIRECTORY:
		return "directory.open";
	case KIND_DEVICE:
		return device_state(d);
	case KIND_TERMINAL:
		return terminal_state(d, a);
	default:
		return NULL;
	}
}

static bool
is_mounts(const struct descriptor *d)
{
	const char *slash = d->name == NULL ? NULL : strrchr(d->name, '/');

	return d->kind == KIND_FILE && slash != NULL &&
	    strncmp(d->name, "/proc/", 6) == 0 &&
	    (strcmp(slash, "/mounts") == 0 ||
		strcmp(slash, "/mountinfo") == 0 ||
		strcmp(slash, "/mountstats") == 0);
}

/* NULL: it cannot be known. */
static const char *
state_of(const struct descriptor *d, const struct answers *a)
{
	if (d == NULL)
		return "number.closed";
	if (d->unknown[FACT_ACCESS] != NULL)
		return NULL;
	if (!d->readable && !d->writable)
		return d->kind == KIND_FIFO || d->kind == KIND_PIPE ?
		    "linux.o_path-fifo" :
		    "linux.o_path-file";
	if (d->kind == KIND_SIGNALFD)
		return signalfd_state(d, a);
	if (is_mounts(d))
		return "linux.proc-mounts";
	if (a->why != NULL)
		return NULL;
	if (d->kind == KIND_PIPE || d->kind == KIND_FIFO)
		return pipe_state(d, a);
	return a->socket.type != 0 ? socket_state(d, a) : other_state(d, a);
}

const struct state *
state_find(const struct descriptor *d, const struct answers *a)
{
	const char *id = state_of(d, a);

	return id == NULL ? NULL : named(id);
}

/* ---- what the calls would do ---- */

static bool
is(const char *word, const char *other)
{
	return strcmp(word, other) == 0;
}

static bool
is_error(const char *word)
{
	return *word == 'E' || is(word, "?");
}

static bool
is_access_known(const struct descriptor *d)
{
	return d->unknown[FACT_ACCESS] == NULL;
}

static const char *
read_would(const struct state *s, const struct descriptor *d)
{
	if (d == NULL || (!d->readable && is_access_known(d)))
		return "EBADF";
	if (s == NULL)
		return d->kind == KIND_EPOLL ? "EINVAL" : "?";
	return is(s->read, "sleep") && d->nonblock ? "EAGAIN" : s->read;
}

/*
 * A socket whose directions are in two states has the row of what it can read.
 * The other direction is found from what decides a write: a shutdown, the
 * address, and the room in its buffer.
 */
static const char *
socket_write(const char *word, const struct answers *a)
{
	if (is_error(word) && !is(word, "EDESTADDRREQ"))
		return word;
	if (a->write.eof)
		return "EPIPE";
	if (a->socket.type == SOCK_DGRAM && !a->socket.connected)
		return is(word, "EDESTADDRREQ") ? word : "ENOTCONN";
	return has(a, POLLOUT) || a->socket.room ? "done" : "sleep";
}

static const char *
write_would(const struct state *s, const struct descriptor *d,
    const struct answers *a)
{
	const char *word;

	if (d == NULL || (!d->writable && is_access_known(d)))
		return "EBADF";
	if (s == NULL)
		return d->kind == KIND_EPOLL ? "EINVAL" : "?";
	word = s->write;
	if (a->socket.type != 0)
		word = socket_write(word, a);
	else if (d->kind == KIND_TERMINAL && is(word, "done") &&
	    !has(a, POLLOUT))
		word = "sleep";
	return is(word, "sleep") && d->nonblock ? "EAGAIN" : word;
}

/* Whether A is the same as poll(2)'s in its own words IN and OUT. */
static bool
agrees(const struct answer *a, const struct answers *all, uint32_t in,
    uint32_t out)
{
	return !a->asked ||
	    (a->refused == 0 &&
		a->bits ==
		    ((has(all, POLLIN) ? in : 0) |
			(has(all, POLLOUT) ? out : 0)));
}

static bool
kevent_agrees(const struct kevent_answer *k, bool ready)
{
	return !k->asked ||
	    (k->refused == 0 && !k->eof && k->returned == ready);
}

/* Whether a call that would do WORD would wait, as READY says, or not. */
static bool
call_agrees(const char *word, bool ready)
{
	if (is(word, "?"))
		return true;
	if (is(word, "sleep") || is(word, "EAGAIN"))
		return !ready;
	return *word == 'E' ? !ready : ready;
}

static bool
all_agree(const struct answers *a, const struct outcome *o)
{
	bool in = has(a, POLLIN), out = has(a, POLLOUT);

	/* the bits of select are read, write, except */
	return (a->poll.bits & ~(uint32_t)(POLLIN | POLLOUT)) == 0 &&
	    agrees(&a->select, a, 1, 2) &&
	    agrees(&a->epoll, a, POLLIN, POLLOUT) &&
	    agrees(&a->edge[0], a, POLLIN, POLLOUT) && a->edge[1].bits == 0 &&
	    kevent_agrees(&a->read, in) && kevent_agrees(&a->write, out) &&
	    call_agrees(o->read, in) && call_agrees(o->write, out);
}

static bool
is_failed_tcp(const struct state *s, const struct descriptor *d,
    const struct answers *a)
{
	return s == NULL && d != NULL && d->kind == KIND_TCP && has(a, POLLERR);
}

static const char *
reason_of(const struct state *s, const struct descriptor *d,
    const struct answers *a, const struct outcome *o)
{
	if (a->socket.type != 0 && !has(a, POLLOUT) && is(o->write, "done"))
		return "poll and the others want a good part of the send "
		       "buffer to be free before they call it writable; a "
		       "byte would be taken";
	if (a->socket.type == SOCK_DGRAM && is(o->write, "ENOTCONN"))
		return "it is not connected: it can be sent to an address, but "
		       "write has none";
	if (is_failed_tcp(s, d, a))
		return "the connection has failed: poll and epoll report err "
		       "and hup, kevent eof; read fails with the error, or "
		       "returns 0 if the end of the peer had come before";
	if (s != NULL && *s->reason == '\0' && is(o->write, "EPIPE"))
		s = named("unix-stream.itself-half-closed");
	if (s != NULL && *s->reason != '\0')
		return s->reason;
	return d != NULL && s != NULL && (!d->readable || !d->writable) ?
	    "it is ready in a direction in which it was not opened" :
	    NULL;
}

struct outcome
state_outcome(const struct state *state, const struct descriptor *d,
    const struct answers *a)
{
	struct outcome o = { .read = read_would(state, d),
		.write = write_would(state, d, a) };

	o.differs = a->why == NULL && !all_agree(a, &o);
	if (o.differs)
		o.reason = reason_of(state, d, a, &o);
	return o;
}
