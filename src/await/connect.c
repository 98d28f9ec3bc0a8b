/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "await/internal.h"
#include "base/number.h"
#include "base/pmux.h"
#include "compat.h"
#include "output/debug.h"
#include "output/diag.h"
#include "sys/fdplace.h"
#include "sys/fileid.h"

/* The pauses between two attempts, in ns. */
#define FIRST_PAUSE INT64_C(10000000)
#define LAST_PAUSE INT64_C(250000000)

/*
 * An attempt that is not answered is made again after so long: the kernel would
 * do that after 1, 3, 7 and more seconds (tcp(7), tcp_syn_retries).
 */
#define PATIENCE INT64_C(2000000000)

/* A name is looked up again when no address has answered for so long, in ns. */
#define FRESH INT64_C(5000000000)

/* One address. */
struct attempt {
	struct address address;
	int fd; /* -1: none is under way */
	uint32_t slot;
	int64_t pause;
	deadline_t next; /* the next attempt, or the end of this one */
};

struct connect {
	struct attempt attempts[MOST_ADDRESSES];
	unsigned count;
	int type; /* of socket(2) */
	bool is_path;
	bool reported; /* a message has said what fails */
	int resolver; /* reads addresses, or -1 */
	uint32_t slot; /* of RESOLVER */
	struct address found[MOST_ADDRESSES];
	size_t bytes; /* of FOUND */
	deadline_t lookup; /* the next one, or DEADLINE_NEVER */
	char *port; /* behind the host */
	char host[]; /* or empty */
};

/* ---- addresses ---- */

static int
bad_address(const struct condition *c)
{
	return diag_usage("--connect: '%s' is not HOST:PORT, [V6]:PORT or the"
			  " path of a socket, which has a slash",
	    c->word);
}

static void
add_address(struct connect *k, const void *address, size_t length)
{
	struct attempt *a = &k->attempts[k->count++];

	memset(a, 0, sizeof *a);
	memcpy(&a->address.of, address, length);
	a->address.length = (socklen_t)length;
	a->fd = -1;
	a->next = DEADLINE_PASSED;
}

/* Whether the host is a number, and the port too: then that is the address. */
static bool
is_numeric(struct connect *k)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	uint64_t port;

	if (number_parse(k->port, strlen(k->port), 10, 65535, &port) != 0)
		return false;
	memset(&in, 0, sizeof in);
	memset(&in6, 0, sizeof in6);
	in.sin_family = AF_INET;
	in6.sin6_family = AF_INET6;
	in.sin_port = in6.sin6_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, k->host, &in.sin_addr) == 1)
		add_address(k, &in, sizeof in);
	else if (inet_pton(AF_INET6, k->host, &in6.sin6_addr) == 1)
		add_address(k, &in6, sizeof in6);
	return k->count == 1;
}

/* Cut the host and the port out of HOST:PORT.  Returns success. */
static bool
split(struct connect *k)
{
	char *colon = strrchr(k->host, ':');
	size_t length;

	if (colon == NULL || colon == k->host || colon[1] == '\0')
		return false;
	*colon = '\0';
	k->port = colon + 1;
	length = strlen(k->host);
	if (*k->host == '[' && k->host[length - 1] == ']' && length > 2) {
		k->host[length - 1] = '\0';
		memmove(k->host, k->host + 1, length - 1);
		return true;
	}
	return strchr(k->host, ':') == NULL && strchr(k->host, '[') == NULL;
}

static int
path_address(struct connect *k, const struct condition *c)
{
	struct sockaddr_un un;

	if (strlen(c->word) >= sizeof un.sun_path)
		return diag_system(ENAMETOOLONG, NULL, "%s", c->word);
	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	strcpy(un.sun_path, c->word);
	add_address(k, &un, sizeof un);
	k->is_path = true;
	return 0;
}

static int
connect_parse(struct condition *c)
{
	struct connect *k = calloc(1, sizeof *k + strlen(c->word) + 1);
	uint64_t port;

	if (k == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	c->of.connect = k;
	c->connection = k->resolver = -1;
	k->type = SOCK_STREAM;
	k->lookup = DEADLINE_NEVER;
	if (strchr(c->word, '/') != NULL)
		return path_address(k, c);
	strcpy(k->host, c->word);
	if (!split(k))
		return bad_address(c);
	if (number_is(k->port, strlen(k->port), 10) &&
	    (number_parse(k->port, strlen(k->port), 10, 65535, &port) != 0 ||
		port == 0))
		return diag_usage("--connect: '%s': a port is a number from 1"
				  " to 65535",
		    c->word);
	if (!is_numeric(k))
		k->lookup = DEADLINE_PASSED;
	return 0;
}

/* ---- looking up ---- */

static void
end_lookup(struct backend_state *s, struct connect *k)
{
	if (k->resolver == -1)
		return;
	condition_unwatch(s, k->slot);
	(void)close(k->resolver);
	k->resolver = -1;
}

static void
end_attempt(struct backend_state *s, struct attempt *a)
{
	if (a->fd == -1)
		return;
	condition_unwatch(s, a->slot);
	(void)close(a->fd);
	a->fd = -1;
}

/* The addresses that were found replace the others, if they differ. */
static void
take_addresses(struct backend_state *s, struct condition *c)
{
	struct connect *k = c->of.connect;
	unsigned count = (unsigned)(k->bytes / sizeof *k->found), same = 0;

	DEBUG("await", "%s: addresses: %d", c->word, (int)count);
	k->lookup = deadline_in(FRESH);
	if (count == 0) {
		condition_back_off(c, FIRST_PAUSE, LAST_PAUSE);
		k->lookup = k->count == 0 ? c->next : k->lookup;
		return;
	}
	while (same < count && count == k->count &&
	    k->found[same].length == k->attempts[same].address.length &&
	    memcmp(&k->found[same].of, &k->attempts[same].address.of,
		k->found[same].length) == 0)
		same++;
	if (same == count)
		return;
	for (unsigned i = 0; i < k->count; i++)
		end_attempt(s, &k->attempts[i]);
	k->count = 0;
	for (unsigned i = 0; i < count; i++)
		add_address(k, &k->found[i].of, k->found[i].length);
}

static int
begin_lookup(struct backend_state *s, struct condition *c)
{
	struct connect *k = c->of.connect;
	int fd = resolve_start(k->host, k->port), error;

	k->lookup = DEADLINE_NEVER;
	if (fd < 0)
		return fd;
	k->bytes = 0;
	k->resolver = fd;
	error = condition_watch(s, c, fd, POLLIN, &k->slot);
	if (error != 0) {
		(void)close(fd);
		k->resolver = -1;
	}
	return error;
}

/* Read what the resolver has found so far.  Returns 0 or -errno. */
static int
look_up(struct backend_state *s, struct condition *c)
{
	struct connect *k = c->of.connect;
	ssize_t n = 1;

	if (k->resolver == -1)
		return k->lookup != DEADLINE_NEVER &&
			deadline_left(k->lookup) == 0 ?
		    begin_lookup(s, c) :
		    0;
	while (n > 0 && k->bytes < sizeof k->found) {
		n = read(k->resolver, (char *)k->found + k->bytes,
		    sizeof k->found - k->bytes);
		if (n > 0)
			k->bytes += (size_t)n;
	}
	if (n == -1)
		return 0;
	end_lookup(s, k);
	take_addresses(s, c);
	return 0;
}

/* ---- attempts ---- */

static void
set_pause(struct attempt *a)
{
	a->pause = deadline_back_off(a->pause, FIRST_PAUSE, LAST_PAUSE);
	a->next = deadline_in(a->pause);
}

/* What may be over soon needs no message. */
static void
failed(struct condition *c, struct attempt *a, int error)
{
	static const int expected[] = { ECONNREFUSED, ENOENT, ENOTDIR, EAGAIN,
		ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ETIMEDOUT, ECONNRESET,
		EAFNOSUPPORT, ECONNABORTED, ENETDOWN, EINTR, EPROTOTYPE };
	struct connect *k = c->of.connect;

	DEBUG("await", "%s: %s", c->word, errno_name(error));
	if (error == EPROTOTYPE && k->type == SOCK_STREAM)
		k->type = SOCK_SEQPACKET;
	set_pause(a);
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		if (expected[i] == error)
			return;
	if (!k->reported)
		(void)diag_system(error, "tried again until that is over", "%s",
		    c->word);
	k->reported = true;
}

/*
 * Whether FD is its own other end: a port of this machine that nobody listens
 * on may be the one that connect(2) chose for this end.
 */
static bool
is_itself(int fd)
{
	struct sockaddr_storage own, other;
	socklen_t own_size = sizeof own, other_size = sizeof other;

	memset(&own, 0, sizeof own);
	memset(&other, 0, sizeof other);
	return getsockname(fd, (struct sockaddr *)&own, &own_size) == 0 &&
	    getpeername(fd, (struct sockaddr *)&other, &other_size) == 0 &&
	    own.ss_family != AF_UNIX && own_size == other_size &&
	    memcmp(&own, &other, own_size) == 0;
}

/* FD is connected, if ERROR is 0.  Returns 1 if C is met. */
static int
finish(struct condition *c, struct attempt *a, int fd, int error)
{
	const struct linger reset = { 1, 0 };

	if (error == 0 && is_itself(fd)) {
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
		    sizeof reset);
		error = ECONNREFUSED;
	}
	if (error != 0) {
		(void)close(fd);
		failed(c, a, error);
		return 0;
	}
	DEBUG("await", "%s is connected", c->word);
	if (pmux->await->keeps && file_set_blocking(fd) == 0)
		c->connection = fd;
	else
		(void)close(fd);
	return 1;
}

static int
begin(struct backend_state *s, struct condition *c, struct attempt *a)
{
	const struct sockaddr *address = (struct sockaddr *)&a->address.of;
	int fd = socket(a->address.of.ss_family, c->of.connect->type, 0), error;

	if (fd == -1) {
		failed(c, a, errno);
		return 0;
	}
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	fd = fdplace(fd);
	if (fd < 0) {
		failed(c, a, -fd);
		return 0;
	}
	if (connect(fd, address, a->address.length) == 0)
		return finish(c, a, fd, 0);
	error = errno;
	if (error != EINPROGRESS)
		return finish(c, a, fd, error);
	error = condition_watch(s, c, fd, POLLOUT, &a->slot);
	if (error != 0)
		return finish(c, a, fd, -error);
	a->fd = fd;
	a->next = deadline_in(PATIENCE);
	return 0;
}

/* Returns 1 if C is met. */
static int
go_on(struct backend_state *s, struct condition *c, struct attempt *a)
{
	struct pollfd p = { a->fd, POLLOUT, 0 };
	int error = 0, fd = a->fd;
	socklen_t size = sizeof error;

	if (fd != -1 && poll(&p, 1, 0) == 1) {
		condition_unwatch(s, a->slot);
		a->fd = -1;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
			error = errno;
		return finish(c, a, fd, error);
	}
	if (deadline_left(a->next) != 0)
		return 0;
	end_attempt(s, a);
	return begin(s, c, a);
}

/* ---- the slots of the kind ---- */

static int
connect_start(struct backend_state *s, struct condition *c)
{
	condition_due(c);
	return c->of.connect->is_path ? path_start(s, c) : 0;
}

static void
connect_end(struct backend_state *s, struct condition *c)
{
	struct connect *k = c->of.connect;

	end_lookup(s, k);
	for (unsigned i = 0; i < k->count; i++)
		end_attempt(s, &k->attempts[i]);
	path_end(s, c);
}

static int
connect_ask(struct backend_state *s, struct condition *c)
{
	struct connect *k = c->of.connect;
	int error = look_up(s, c);

	if (error != 0)
		return error;
	if (k->is_path && path_changed(c)) {
		k->attempts[0].pause = 0;
		k->attempts[0].next = DEADLINE_PASSED;
	}
	c->next = DEADLINE_NEVER;
	for (unsigned i = 0; i < k->count; i++) {
		if (go_on(s, c, &k->attempts[i]) == 1)
			return 1;
		c->next = deadline_sooner(c->next, k->attempts[i].next);
	}
	if (k->resolver == -1)
		c->next = deadline_sooner(c->next, k->lookup);
	return 0;
}

static void
connect_release(struct condition *c)
{
	free(c->of.connect);
	c->of.connect = NULL;
}

const struct condition_kind condition_connect = {
	.option = "connect",
	.bit = AWAIT_CONNECT,
	.descriptors = MOST_ADDRESSES + 3,
	.parse = connect_parse,
	.start = connect_start,
	.ask = connect_ask,
	.end = connect_end,
	.release = connect_release,
};
