/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "base/pmux.h"
#include "fifo/fifo.h"
#include "fifo/successor.h"
#include "output/debug.h"
#include "output/diag.h"
#include "sys/title.h"

/* What the socket brings first; then the ends, the numbers and the paths. */
struct head {
	char version[24]; /* both must be of one */
	uint32_t size; /* of struct fifo */
	uint32_t count, capacity;
	int watch, debug;
	deadline_t deadline;
};

static bool
send_all(int fd, const void *bytes, size_t length)
{
	const char *from = bytes;
	ssize_t n;

	while (length > 0) {
		n = write(fd, from, length);
		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0) {
			from += n;
			length -= (size_t)n;
		}
	}
	return true;
}

static bool
receive_all(int fd, void *bytes, size_t length)
{
	char *to = bytes;
	ssize_t n;

	while (length > 0) {
		n = read(fd, to, length);
		if (n == 0 || (n == -1 && errno != EINTR))
			return false;
		if (n > 0) {
			to += n;
			length -= (size_t)n;
		}
	}
	return true;
}

/* ---- the process that leaves ---- */

static bool
send_set(int fd, const struct fifo_set *set, deadline_t deadline)
{
	struct head head;
	uint32_t length;

	memset(&head, 0, sizeof head);
	strncpy(head.version, PACKAGE_VERSION, sizeof head.version - 1);
	head.size = sizeof *set->fifos;
	head.count = set->count;
	head.capacity = set->capacity;
	head.watch = set->watch;
	head.debug = debug_file();
	head.deadline = deadline;
	if (!send_all(fd, &head, sizeof head) ||
	    !send_all(fd, set->fifos, set->count * sizeof *set->fifos) ||
	    !send_all(fd, set->numbers,
		(set->capacity + 1) * sizeof *set->numbers))
		return false;
	for (uint32_t i = 0; i < set->count; i++) {
		length = (uint32_t)strlen(set->fifos[i].path);
		if (!send_all(fd, &length, sizeof length) ||
		    !send_all(fd, set->fifos[i].path, length))
			return false;
	}
	return true;
}

static void
inherit(int fd)
{
	if (fd != -1)
		(void)fcntl(fd, F_SETFD, 0);
}

/* FD in decimal digits, for an argument. */
static char *
to_digits(int fd, char space[16])
{
	char *p = space + 15;

	*p = '\0';
	do
		*--p = (char)('0' + fd % 10);
	while ((fd /= 10) != 0);
	return p;
}

/* The environment is only room for the title (sys/title.h). */
static _Noreturn void
execute(const char *program, const struct fifo_set *set, int fd)
{
	char space[16], room[TITLE_SIZE], name[] = "pmux";
	char word[] = SUCCESSOR_WORD;
	char *arguments[] = { name, word, to_digits(fd, space), NULL };
	char *environment[] = { room, NULL };
	int error;

	memset(room, ' ', sizeof room - 1);
	memcpy(room, "_=", 2);
	room[sizeof room - 1] = '\0';
	for (uint32_t i = 0; i < set->count; i++)
		inherit(set->fifos[i].fd);
	inherit(set->watch);
	inherit(debug_file());
	inherit(fd);
	(void)execve(program, arguments, environment);
	error = errno;
	(void)!write(fd, &error, sizeof error);
	_exit(1);
}

int
successor_start(const char *program, const struct fifo_set *set,
    deadline_t deadline)
{
	int ends[2], error = EAGAIN;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		return errno;
	child = fork();
	if (child == 0) {
		(void)close(ends[0]);
		execute(program, set, ends[1]);
	}
	if (child == -1)
		return errno;
	(void)close(ends[1]);
	/* it answers once it has all of it */
	if (!send_set(ends[0], set, deadline) ||
	    !receive_all(ends[0], &error, sizeof error))
		return error == 0 ? EAGAIN : error;
	return error;
}

/* ---- the program ---- */

static char *
receive_path(int fd)
{
	uint32_t length;
	char *path;

	if (!receive_all(fd, &length, sizeof length) || length > INT_MAX ||
	    (path = malloc(length + 1)) == NULL)
		return NULL;
	if (!receive_all(fd, path, length)) {
		free(path);
		return NULL;
	}
	path[length] = '\0';
	return path;
}

/* Into SET, of which COUNT and CAPACITY are known. */
static bool
receive_set(int fd, struct fifo_set *set)
{
	set->fifos = calloc(set->capacity, sizeof *set->fifos);
	set->numbers = calloc(set->capacity + 1, sizeof *set->numbers);
	if (set->fifos == NULL || set->numbers == NULL ||
	    !receive_all(fd, set->fifos, set->count * sizeof *set->fifos) ||
	    !receive_all(fd, set->numbers,
		(set->capacity + 1) * sizeof *set->numbers))
		return false;
	for (uint32_t i = 0; i < set->count; i++)
		if ((set->fifos[i].path = receive_path(fd)) == NULL)
			return false;
	return true;
}

static bool
receive(int fd, struct fifo_set *set, deadline_t *deadline)
{
	struct head head;

	if (!receive_all(fd, &head, sizeof head) ||
	    head.version[sizeof head.version - 1] != '\0' ||
	    strcmp(head.version, PACKAGE_VERSION) != 0 ||
	    head.size != sizeof *set->fifos || head.count > head.capacity)
		return false;
	set->count = head.count;
	set->capacity = head.capacity;
	set->watch = head.watch;
	*deadline = head.deadline;
	debug_inherit(head.debug);
	return receive_set(fd, set);
}

int
successor_run(const char *number)
{
	struct fifo_set *set = &pmux->fifos->set;
	deadline_t deadline = DEADLINE_NEVER;
	uint64_t fd;
	int error = 0;

	if (number_parse(number, strlen(number), 10, INT_MAX, &fd) != 0 ||
	    !receive((int)fd, set, &deadline))
		return diag_usage(SUCCESSOR_WORD
		    ": for the builtin of a shell, of the same version");
	if (!send_all((int)fd, &error, sizeof error))
		return EXIT_SYSTEM;
	holder_run(set, deadline);
}
