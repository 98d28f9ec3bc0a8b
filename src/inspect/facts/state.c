/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "backend/pollflags.h"
#include "base/flags.h"
#include "inspect/facts/state.h"
#include "output/escape.h"
#include "output/output.h"
#include "sys/signals.h"

static void
put_name(struct buffer *buffer, const char *separator, const char *name)
{
	buffer_bytes(buffer, separator, strlen(separator));
	buffer_bytes(buffer, name, strlen(name));
}

static void
put_names(struct buffer *buffer, const struct flag *flags, uint32_t bits)
{
	const char *separator = "", *name;
	uint32_t number = 0;

	if (bits == 0)
		buffer_put(buffer, "-");
	for (; (name = flags_next(flags, &bits, &number)) != NULL;
	     separator = ",")
		if (*name != '\0')
			put_name(buffer, separator, name);
		else
			buffer_put(buffer, "%s0x%" PRIx32, separator, number);
}

static void
json_names(const struct flag *flags, uint32_t bits)
{
	uint32_t number = 0;
	bool first = true;
	const char *name;

	output_character('[');
	while ((name = flags_next(flags, &bits, &number)) != NULL) {
		output_string(first ? "\"" : ",\"");
		first = false;
		if (*name != '\0')
			output_string(name);
		else
			output_hex(number);
		output_character('"');
	}
	output_character(']');
}

/* Where pmux has no epoll(7) its bits are numbers. */
static const struct flag *
mask_flags(void)
{
	static const struct flag none[] = { { "", 0 } };

	return backend_epoll.flags == NULL ? none : backend_epoll.flags;
}

void
state_events(struct buffer *buffer, unsigned bits)
{
	put_names(buffer, poll_flags, bits);
}

void
state_mask(struct buffer *buffer, uint32_t bits)
{
	put_names(buffer, mask_flags(), bits);
}

void
state_json_events(unsigned bits)
{
	json_names(poll_flags, bits);
}

void
state_json_mask(uint32_t bits)
{
	json_names(mask_flags(), bits);
}

static bool
is_mapped(const struct sock_address *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

	return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

void
state_address(struct buffer *buffer, const struct sock_address *address)
{
	bool four = is_mapped(address);
	char text[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(four ? AF_INET : AF_INET6,
	    address->bytes + (four ? 12 : 0), text, sizeof text);
	buffer_put(buffer, four ? "%s:%u" : "[%s]:%u", text, address->port);
}

/* ---- text ---- */

static void
put_path(struct buffer *b, const struct descriptor *d)
{
	if (b->used > 0)
		buffer_put(b, ", ");
	buffer_name(b, d->name, strlen(d->name));
}

static void
put_unread(struct buffer *b, const struct descriptor *d)
{
	if (d->unread >= 0)
		buffer_put(b, "%" PRId64 " unread", d->unread);
	else
		buffer_put(b, "unread unknown");
}

static void
put_pipe(struct buffer *b, const struct descriptor *d)
{
	if (d->unread >= 0)
		buffer_put(b, "%" PRId64 " of %" PRId64 " bytes", d->unread,
		    d->capacity);
	else
		buffer_put(b, "unread unknown");
	if (d->kind == KIND_FIFO)
		put_path(b, d);
}

/* An abstract name begins with a NUL, which is written @ as by ss(8). */
static void
put_socket_name(struct buffer *b, const struct sock *sock)
{
	size_t skip = sock->name[0] == '\0';

	if (sock->name_length == 0) {
		buffer_put(b, "no name");
		return;
	}
	if (skip != 0)
		buffer_put(b, "@");
	buffer_name(b, sock->name + skip, sock->name_length - skip);
}

/* A copy of a local socket does not say how many wait. */
static bool
knows_queue(const struct descriptor *d)
{
	return !d->asked_copy || d->sock.protocol != SOCK_UNIX;
}

static void
put_listener(struct buffer *b, const struct descriptor *d)
{
	const struct sock *sock = &d->sock;

	if (knows_queue(d))
		buffer_put(b, "listens, %" PRIu32 " of %" PRIu32 " wait at ",
		    sock->receive, sock->send);
	else
		buffer_put(b, "listens at ");
	if (sock->protocol == SOCK_UNIX)
		put_socket_name(b, sock);
	else
		state_address(b, &sock->local);
}

static const char *
type_name(int type)
{
	return type == SOCK_STREAM ? "stream" :
	    type == SOCK_DGRAM	   ? "datagrams" :
	    type == SOCK_SEQPACKET ? "packets" :
				     "?";
}

/*
 * Whether the peer of a local socket has closed: it has shut down both
 * directions then, and is in no table (net/unix/af_unix.c, unix_release_sock).
 */
static bool
is_left(const struct descriptor *d)
{
	const struct sock *sock = &d->sock;

	return !d->asked_copy && sock->type != SOCK_DGRAM && sock->peer == 0 &&
	    sock->listener == 0 && sock->shut == 3;
}

static void
put_shut(struct buffer *b, const struct sock *sock)
{
	if (sock->shut != 0)
		buffer_put(b, ", shut for %s",
		    sock->shut == 1	? "reading" :
			sock->shut == 2 ? "writing" :
					  "both");
}

static void
put_unix(struct buffer *b, const struct descriptor *d)
{
	const struct sock *sock = &d->sock;

	if (sock->state == SOCK_LISTEN) {
		put_listener(b, d);
		return;
	}
	buffer_put(b, "%s, ", type_name(sock->type));
	if (sock->state == SOCK_ESTABLISHED)
		buffer_put(b, is_left(d) ? "peer closed, " : "connected, ");
	else if (sock->type != SOCK_DGRAM)
		buffer_put(b, "not connected, ");
	put_unread(b, d);
	if (sock->listener != 0)
		buffer_put(b, ", not accepted yet");
	if (!is_left(d))
		put_shut(b, sock);
	if (sock->name_length > 0) {
		buffer_put(b, " at ");
		put_socket_name(b, sock);
	}
}

static void
put_inet(struct buffer *b, const struct descriptor *d)
{
	const struct sock *sock = &d->sock;

	if (d->kind == KIND_TCP && sock->state == SOCK_LISTEN) {
		put_listener(b, d);
		return;
	}
	if (d->kind == KIND_TCP)
		buffer_put(b, "%s ", sock_state_name(sock->state));
	state_address(b, &sock->local);
	if (sock->remote.port != 0) {
		buffer_put(b, " to ");
		state_address(b, &sock->remote);
	}
	buffer_put(b, ", ");
	put_unread(b, d);
	if (d->kind == KIND_UDP)
		return;
	if (sock->send > 0 && sock->state != SOCK_CLOSE)
		buffer_put(b, ", %" PRIu32 " not acknowledged", sock->send);
	if (sock->timer == SOCK_TIMER_PERSIST)
		buffer_put(b, ", the peer has no room");
}

static void
put_terminal(struct buffer *b, const struct descriptor *d)
{
	if (d->unknown[FACT_STATE] != NULL)
		buffer_put(b, "unread unknown");
	else if (d->terminal.hung_up)
		buffer_put(b, "hung up");
	else {
		put_unread(b, d);
		if (!d->terminal.master)
			buffer_put(b,
			    d->terminal.lines ? ", by lines" : ", by bytes");
	}
	put_path(b, d);
	if (d->terminal.master && d->terminal.index >= 0)
		buffer_put(b, ", master of %d", d->terminal.index);
}

static void
put_seconds(struct buffer *b, int64_t ns)
{
	buffer_put(b, "%" PRId64 ".%03" PRId64 " s", ns / 1000000000,
	    ns / 1000000 % 1000);
}

static void
put_timer(struct buffer *b, const struct fdinfo *info)
{
	if (info->value == 0)
		buffer_put(b, "disarmed");
	else {
		buffer_put(b, "in ");
		put_seconds(b, info->value);
	}
	if (info->interval != 0) {
		buffer_put(b, ", every ");
		put_seconds(b, info->interval);
	}
	if (info->ticks != 0)
		buffer_put(b, ", expired %" PRIu64, info->ticks);
}

static void
put_signals(struct buffer *b, uint64_t set)
{
	char space[SIGNALS_SPACE];
	const char *separator = "";

	for (int i = 1; i <= 64; i++)
		if ((set >> (i - 1) & 1) != 0) {
			buffer_put(b, "%s%s", separator,
			    signals_name(i, space));
			separator = ",";
		}
}

static void
put_signalfd(struct buffer *b, const struct descriptor *d)
{
	put_signals(b, d->info.signals);
	if (d->pending != 0) {
		buffer_put(b, ", pending ");
		put_signals(b, d->pending);
	}
}

static void
put_count(struct buffer *b, size_t count, const char *one, const char *many)
{
	buffer_put(b, "%zu %s", count, count == 1 ? one : many);
}

static void
put_file(struct buffer *b, const struct descriptor *d)
{
	if (d->length >= 0 && d->position >= 0)
		buffer_put(b, "at %" PRId64 " of %" PRId64 " bytes",
		    d->position, d->length);
	put_path(b, d);
}

static void
put_other(struct buffer *b, const struct descriptor *d)
{
	const struct fdinfo *info = &d->info;

	switch (d->kind) {
	case KIND_EVENTFD:
		if (info->count != UINT64_MAX)
			buffer_put(b, "count %" PRIu64, info->count);
		break;
	case KIND_TIMERFD:
		put_timer(b, info);
		break;
	case KIND_SIGNALFD:
		put_signalfd(b, d);
		break;
	case KIND_INOTIFY:
	case KIND_FANOTIFY:
		put_count(b, info->watch_count, "watch", "watches");
		if (d->unread > 0)
			buffer_put(b, ", %" PRId64 " unread", d->unread);
		break;
	case KIND_PIDFD:
		if (info->process == -1)
			buffer_put(b, "the process was waited for");
		else
			buffer_put(b, "process %ld", (long)info->process);
		break;
	case KIND_EPOLL:
		put_count(b, info->entry_count, "registration",
		    "registrations");
		break;
	case KIND_IO_URING:
		buffer_put(b, "%" PRIu64 " completions wait",
		    info->completions);
		break;
	case KIND_FILE:
		put_file(b, d);
		break;
	default:
		put_path(b, d);
		break;
	}
}

/* Of a socket only its kind is known. */
static bool
is_unknown(const struct descriptor *d)
{
	return (d->kind == KIND_UNIX || d->kind == KIND_TCP ||
		   d->kind == KIND_UDP) &&
	    d->sock.inode == 0;
}

void
state_text(struct buffer *b, const struct descriptor *d)
{
	if (is_unknown(d)) {
		buffer_put(b, "unknown");
		return;
	}
	switch (d->kind) {
	case KIND_PIPE:
	case KIND_FIFO:
		put_pipe(b, d);
		break;
	case KIND_UNIX:
		put_unix(b, d);
		break;
	case KIND_TCP:
	case KIND_UDP:
		put_inet(b, d);
		break;
	case KIND_TERMINAL:
		put_terminal(b, d);
		break;
	default:
		put_other(b, d);
		break;
	}
}

/* ---- JSON ---- */

/* Members are separated by a comma, before all but the first. */
static void
json_key(bool *first, const char *key)
{
	output_string(*first ? "\"" : ",\"");
	*first = false;
	output_string(key);
	output_string("\":");
}

static void
json_number(bool *first, const char *key, uint64_t value)
{
	json_key(first, key);
	output_number((int64_t)value);
}

static void
json_word(bool *first, const char *key, const char *word)
{
	json_key(first, key);
	if (word == NULL)
		output_string("null");
	else
		output_json(word, strlen(word));
}

static void
json_bool(bool *first, const char *key, bool value)
{
	json_key(first, key);
	output_string(value ? "true" : "false");
}

static void
json_null(bool *first, const char *key)
{
	json_word(first, key, NULL);
}

static void
json_address(bool *first, const char *key, const struct sock_address *address)
{
	struct buffer b = { .bytes = NULL };

	state_address(&b, address);
	json_word(first, key, address->port == 0 || b.failed ? NULL : b.bytes);
	buffer_free(&b);
}

/* Of a listener: those that wait, and how many may; else null. */
static void
json_waiting(bool *first, const struct descriptor *d)
{
	const struct sock *sock = &d->sock;

	if (sock->state == SOCK_LISTEN && knows_queue(d)) {
		json_number(first, "waiting", sock->receive);
		json_number(first, "limit", sock->send);
	} else {
		json_null(first, "waiting");
		json_null(first, "limit");
	}
}

static void
json_socket(bool *first, const struct descriptor *d)
{
	static const char *const shut[4] = { "", "r", "w", "rw" };
	const struct sock *sock = &d->sock;

	json_word(first, "state", sock_state_name(sock->state));
	json_waiting(first, d);
	json_word(first, "shut", d->asked_copy ? NULL : shut[sock->shut & 3]);
	if (d->asked_copy)
		json_null(first, "send_memory");
	else
		json_number(first, "send_memory", sock->send_memory);
}

static void
json_unix(bool *first, const struct descriptor *d)
{
	const struct sock *sock = &d->sock;

	json_socket(first, d);
	json_word(first, "type", type_name(sock->type));
	json_bool(first, "abstract",
	    sock->name_length > 0 && sock->name[0] == '\0');
	json_key(first, "address");
	if (sock->name_length == 0)
		output_string("null");
	else if (sock->name[0] == '\0')
		output_json_bytes("address", sock->name + 1,
		    sock->name_length - 1u);
	else
		output_json_bytes("address", sock->name, sock->name_length);
	json_bool(first, "accepted", sock->listener == 0);
}

static void
json_inet(bool *first, const struct descriptor *d)
{
	const struct sock *sock = &d->sock;

	json_socket(first, d);
	json_address(first, "local", &sock->local);
	json_address(first, "remote", &sock->remote);
	if (d->kind == KIND_UDP)
		return;
	if (sock->state == SOCK_LISTEN)
		json_null(first, "unacknowledged");
	else
		json_number(first, "unacknowledged", sock->send);
	if (d->asked_copy)
		json_null(first, "unsent");
	else
		json_number(first, "unsent", sock->unsent);
	json_bool(first, "persist", sock->timer == SOCK_TIMER_PERSIST);
	json_number(first, "sent_ago_ms", sock->sent_ago);
	json_number(first, "received_ago_ms", sock->received_ago);
}

static void
json_terminal(bool *first, const struct descriptor *d)
{
	bool known = d->unknown[FACT_STATE] == NULL;

	json_bool(first, "master", d->terminal.master);
	if (d->terminal.index >= 0)
		json_number(first, "index", (uint64_t)d->terminal.index);
	else
		json_null(first, "index");
	if (known) {
		json_bool(first, "hung_up", d->terminal.hung_up);
		json_bool(first, "lines", d->terminal.lines);
	} else {
		json_null(first, "hung_up");
		json_null(first, "lines");
	}
}

static void
json_signals(bool *first, const char *key, uint64_t set)
{
	char space[SIGNALS_SPACE];
	bool none = true;

	json_key(first, key);
	output_character('[');
	for (int i = 1; i <= 64; i++)
		if ((set >> (i - 1) & 1) != 0) {
			output_string(none ? "\"" : ",\"");
			output_string(signals_name(i, space));
			output_character('"');
			none = false;
		}
	output_character(']');
}

static void
json_watches(bool *first, const struct fdinfo *info)
{
	bool inner;

	json_key(first, "watches");
	output_character('[');
	for (size_t i = 0; i < info->watch_count; i++) {
		const struct fdinfo_watch *watch = &info->watches[i];

		output_string(i == 0 ? "{" : ",{");
		inner = true;
		if (watch->descriptor >= 0)
			json_number(&inner, "wd", (uint64_t)watch->descriptor);
		else
			json_null(&inner, "wd");
		json_number(&inner, "inode", watch->inode);
		json_number(&inner, "device", watch->device);
		json_number(&inner, "mask", watch->mask);
		output_character('}');
	}
	output_character(']');
}

static void
json_timer(bool *first, const struct fdinfo *info)
{
	json_number(first, "clock", (uint64_t)(int64_t)info->clock);
	json_number(first, "ticks", info->ticks);
	json_number(first, "value_ns", (uint64_t)info->value);
	json_number(first, "interval_ns", (uint64_t)info->interval);
}

static void
json_other(bool *first, const struct descriptor *d)
{
	const struct fdinfo *info = &d->info;

	switch (d->kind) {
	case KIND_EVENTFD:
		/* 2^64-2 is more than an int64_t holds */
		json_key(first, "count");
		if (info->count > INT64_MAX)
			output_string("null");
		else
			output_number((int64_t)info->count);
		json_bool(first, "semaphore", info->semaphore);
		break;
	case KIND_TIMERFD:
		json_timer(first, info);
		break;
	case KIND_SIGNALFD:
		json_signals(first, "signals", info->signals);
		json_signals(first, "pending", d->pending);
		break;
	case KIND_INOTIFY:
	case KIND_FANOTIFY:
		json_watches(first, info);
		break;
	case KIND_PIDFD:
		json_number(first, "process", (uint64_t)(int64_t)info->process);
		break;
	case KIND_IO_URING:
		json_number(first, "submissions", info->submissions);
		json_number(first, "completions", info->completions);
		break;
	case KIND_FILE:
		if (d->length >= 0)
			json_number(first, "length", (uint64_t)d->length);
		else
			json_null(first, "length");
		json_number(first, "locks", (uint64_t)info->locks);
		break;
	case KIND_DEVICE:
		json_number(first, "major", d->special >> 20);
		json_number(first, "minor", d->special & 0xfffff);
		break;
	default:
		break;
	}
}

void
state_json(const struct descriptor *d)
{
	bool first = true;

	if (is_unknown(d)) {
		output_string("null");
		return;
	}
	output_character('{');
	switch (d->kind) {
	case KIND_UNIX:
		json_unix(&first, d);
		break;
	case KIND_TCP:
	case KIND_UDP:
		json_inet(&first, d);
		break;
	case KIND_TERMINAL:
		json_terminal(&first, d);
		break;
	default:
		json_other(&first, d);
		break;
	}
	output_character('}');
}
