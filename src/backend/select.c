/* SPDX-License-Identifier: ISC */
/*
 * select.c - select(2), by way of pselect(2) for its nanoseconds.
 *
 * A set is an array of fd_set, so that it holds any descriptor and keeps the
 * system's own layout of bits.  Linux, the BSDs and macOS take a set of any
 * size; where libc does not, pselect says EINVAL.
 */
#define _DARWIN_UNLIMITED_SELECT /* macOS: nfds past FD_SETSIZE */
#include "config.h"

#include <sys/select.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/pmux.h"
#include "sys/timeout.h"

#define LISTS 3

enum {
	LIST_READ = 1,
	LIST_WRITE = 2,
	LIST_EXCEPT = 4
};

_Static_assert(sizeof(fd_set) * 8 == FD_SETSIZE, "fd_set has no padding");

/* One token: a descriptor in one of the lists. */
struct handle {
	int fd; /* -1: none */
	uint32_t list;
};

struct backend_state {
	fd_set *asked[LISTS];
	fd_set *answered[LISTS];
	size_t blocks; /* fd_sets in each of them */
	int highest; /* the highest descriptor, or -1 */
	uint32_t lists; /* those that have something in them */
	struct handle *entries;
	size_t capacity;
	size_t count;
	size_t cursor;
	int left;
};

static const struct flag select_flags[] = { { "read", LIST_READ },
	{ "write", LIST_WRITE }, { "except", LIST_EXCEPT }, { "", 0 } };

static int
select_probe(const char **detail)
{
#ifdef ENABLE_SELECT
	*detail = "pselect(2), timeouts in nanoseconds";
	return BACKEND_NATIVE;
#else
	*detail = BACKEND_LEFT_OUT;
	return -ENOSYS;
#endif
}

static fd_set *
block(fd_set *set, int fd)
{
	return &set[fd / FD_SETSIZE];
}

/*
 * Not FD_SET and its kind on fd itself: they end at FD_SETSIZE.  Some of them
 * take an int or a long, and some count in unsigned long.
 */
static unsigned short
bit(int fd)
{
	return (unsigned short)((unsigned)fd % FD_SETSIZE);
}

static int
reserve_entries(struct backend_state *state, size_t capacity)
{
	struct handle *entries;

	if (capacity <= state->capacity)
		return 0;
	entries = realloc(state->entries, capacity * sizeof *entries);
	if (entries == NULL)
		return -ENOMEM;
	state->entries = entries;
	state->capacity = capacity;
	return 0;
}

/* Room for FD in every set. */
static int
reserve_bits(struct backend_state *state, int fd)
{
	size_t wanted = (size_t)fd / FD_SETSIZE + 1;
	fd_set *grown;

	if (wanted <= state->blocks)
		return 0;
	/*
	 * A closed number may be of any height.  Linux ignores numbers past the
	 * highest descriptor that the process ever had, instead of failing with
	 * EBADF, so this checks them.
	 */
	if (fcntl(fd, F_GETFD) == -1)
		return -errno;
	wanted += wanted / 2;
	for (int i = 0; i < LISTS; i++) {
		grown = realloc(state->asked[i], wanted * sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		memset(grown + state->blocks, 0,
		    (wanted - state->blocks) * sizeof *grown);
		state->asked[i] = grown;
		grown = realloc(state->answered[i], wanted * sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		state->answered[i] = grown;
	}
	state->blocks = wanted;
	return 0;
}

static void
select_close(struct backend_state *state)
{
	if (state == NULL)
		return;
	for (int i = 0; i < LISTS; i++) {
		free(state->asked[i]);
		free(state->answered[i]);
	}
	free(state->entries);
	free(state);
}

static int
select_open(struct backend_state **state, size_t capacity)
{
	struct backend_state *s = calloc(1, sizeof *s);

	if (s == NULL || reserve_entries(s, capacity) != 0) {
		free(s);
		return -ENOMEM;
	}
	s->highest = -1;
	*state = s;
	return 0;
}

static bool
is_asked(const struct backend_state *state, int fd)
{
	for (int i = 0; i < LISTS; i++)
		if (FD_ISSET(bit(fd), &state->asked[i][fd / FD_SETSIZE]))
			return true;
	return false;
}

static int
select_remove(struct backend_state *state, uint32_t token, int fd)
{
	struct handle *e = &state->entries[token];

	if (token >= state->count || e->fd == -1)
		return -ENOENT;
	fd = e->fd;
	for (int i = 0; i < LISTS; i++)
		if ((e->list & 1u << i) != 0)
			FD_CLR(bit(fd), block(state->asked[i], fd));
	e->fd = -1;
	while (state->count > 0 && state->entries[state->count - 1].fd == -1)
		state->count--;
	if (state->count == 0)
		state->lists = 0;
	/* it may be closed now */
	while (state->highest >= 0 && !is_asked(state, state->highest))
		state->highest--;
	return 0;
}

static int
select_add(struct backend_state *state, uint32_t token, int fd, uint32_t bits)
{
	size_t wanted = (size_t)token + 1;
	int error;

	if (wanted > state->capacity)
		error = reserve_entries(state, wanted + wanted / 2);
	else
		error = 0;
	if (error == 0)
		error = reserve_bits(state, fd);
	if (error != 0)
		return error;
	for (; state->count < wanted; state->count++)
		state->entries[state->count].fd = -1;
	state->entries[token].fd = fd;
	state->entries[token].list = bits;
	for (int i = 0; i < LISTS; i++)
		if ((bits & 1u << i) != 0)
			FD_SET(bit(fd), block(state->asked[i], fd));
	state->lists |= bits;
	if (fd > state->highest)
		state->highest = fd;
	return 0;
}

static int
select_wait(struct backend_state *state, size_t max, int64_t timeout)
{
	size_t blocks = (size_t)(state->highest + FD_SETSIZE) / FD_SETSIZE;
	struct timespec space;
	fd_set *sets[LISTS];
	int n;

	(void)max;
	state->left = 0;
	state->cursor = 0;
	/* the kernel checks them all only if the highest is open */
	if (state->highest != -1 && fcntl(state->highest, F_GETFD) == -1)
		return -errno;
	for (int i = 0; i < LISTS; i++) {
		sets[i] = NULL;
		if ((state->lists & 1u << i) == 0)
			continue;
		sets[i] = state->answered[i];
		memcpy(sets[i], state->asked[i], blocks * sizeof *sets[i]);
	}
	n = pselect(state->highest + 1, sets[0], sets[1], sets[2],
	    timeout_timespec(timeout, &space), pmux->host->mask);
	if (n == -1)
		return -errno;
	return state->left = n;
}

static int
select_next(struct backend_state *state, struct event *event)
{
	const struct handle *e;
	uint32_t bits;

	while (state->left > 0 && state->cursor < state->count) {
		e = &state->entries[state->cursor++];
		bits = 0;
		for (int i = 0; e->fd != -1 && i < LISTS; i++) {
			const fd_set *set = state->answered[i];

			if ((e->list & 1u << i) == 0 ||
			    !FD_ISSET(bit(e->fd), &set[e->fd / FD_SETSIZE]))
				continue;
			bits |= 1u << i;
			state->left--;
		}
		if (bits == 0)
			continue;
		*event = (struct event){
			.token = (uint32_t)(state->cursor - 1),
			.bits = bits,
		};
		return 1;
	}
	return 0;
}

const struct backend backend_select = {
	.name = "select",
	.flags = select_flags,
	.limit = LIST_READ | LIST_WRITE | LIST_EXCEPT,
	.mask_read = LIST_READ | LIST_EXCEPT,
	.mask_write = LIST_WRITE,
	.mask_broken = 0,
	/* a pipe's write end is readable once it has no reader (Linux) */
	.mask_watch = LIST_READ,
	.probe = select_probe,
	.open = select_open,
	.add = select_add,
	.remove = select_remove,
	.wait = select_wait,
	.next = select_next,
	.close = select_close,
};
