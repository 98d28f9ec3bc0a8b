/* SPDX-License-Identifier: ISC */
/*
 * world.c - the objects that are watched, and the operations on them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "fuzz.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The range of the numbers, below those of the library. */
#define FIRST_NUMBER 900
#define PIPE_SIZE 16384
#define MOST_UNREAD 40 /* so that there is always room */

struct slot slots[SLOTS];
struct file files[FILES];

static struct object objects[OBJECTS];
static unsigned nobjects;
static int nqueues;

struct slot *
queue_slot(int queue)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (slots[i].object != NULL && slots[i].object->kind == QUEUE &&
		    slots[i].object->queue == queue)
			return &slots[i];
	return NULL;
}

/* ---- opening and closing ---- */

static struct object *
new_object(enum kind kind)
{
	struct object *o = &objects[nobjects++];

	memset(o, 0, sizeof *o);
	o->kind = kind;
	return o;
}

/* The last number of O is gone. */
static void
gone(struct object *o)
{
	switch (o->kind) {
	case QUEUE:
		model_queue_gone(o->queue);
		break;
	case SOCKET:
	case PIPE_READ:
	case PIPE_WRITE:
		if (o->kind == SOCKET)
			o->peer->reset = o->bytes > 0;
		model_deed(o->peer, ENDED);
		break;
	default:
		break;
	}
}

static void
close_slot(struct slot *s)
{
	struct object *o = s->object;

	if (o == NULL)
		return;
	model_close(s->fd, o);
	must(close(s->fd), "close");
	s->object = NULL;
	if (--o->numbers == 0)
		gone(o);
}

/* Put FD, just opened, into S, and move it to its number unless STAY. */
static void
fill_slot(struct slot *s, int fd, struct object *o, bool stay)
{
	int number = FIRST_NUMBER + (int)(s - slots);

	close_slot(s);
	if (!stay) {
		must(dup2(fd, number), "dup2");
		must(close(fd), "close");
		fd = number;
	}
	s->fd = fd;
	s->object = o;
	o->numbers++;
	model_open(fd, o);
}

static void
open_pipe(const struct op *op)
{
	struct object *r, *w;
	int p[2];

	if (nobjects + 2 > OBJECTS || op->slot == op->slot2)
		return;
	must(pipe2(p, O_NONBLOCK | O_CLOEXEC), "pipe2");
	must(fcntl(p[1], F_SETPIPE_SZ, PIPE_SIZE), "F_SETPIPE_SZ");
	r = new_object(PIPE_READ);
	w = new_object(PIPE_WRITE);
	r->peer = w;
	w->peer = r;
	/* both are there before a number is closed for them */
	r->numbers++;
	w->numbers++;
	fill_slot(&slots[op->slot], p[0], r, false);
	fill_slot(&slots[op->slot2], p[1], w, false);
	r->numbers--;
	w->numbers--;
	trace("pipe: %d to %d", slots[op->slot2].fd, slots[op->slot].fd);
}

static void
open_pair(const struct op *op)
{
	const int flags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	struct object *a, *b;
	int p[2];

	if (nobjects + 2 > OBJECTS || op->slot == op->slot2)
		return;
	must(socketpair(AF_UNIX, flags, 0, p), "socketpair");
	a = new_object(SOCKET);
	b = new_object(SOCKET);
	a->peer = b;
	b->peer = a;
	a->numbers++;
	b->numbers++;
	fill_slot(&slots[op->slot], p[0], a, false);
	fill_slot(&slots[op->slot2], p[1], b, false);
	a->numbers--;
	b->numbers--;
	trace("socketpair: %d, %d", slots[op->slot].fd, slots[op->slot2].fd);
}

static void
open_file(const struct op *op)
{
	struct file *f = &files[op->amount % FILES];
	char path[64];
	struct object *o;

	if (nobjects == OBJECTS)
		return;
	snprintf(path, sizeof path, "%s%s", f->name, f->renamed ? ".new" : "");
	o = new_object(PLAIN);
	o->file = f;
	fill_slot(&slots[op->slot],
	    must(open(path, O_RDWR | O_CLOEXEC), "open"), o, false);
	trace("open %s: %d", path, slots[op->slot].fd);
}

static void
open_queue(const struct op *op)
{
	struct object *o;

	if (nobjects == OBJECTS || nqueues == QUEUES)
		return;
	o = new_object(QUEUE);
	o->queue = nqueues++;
	fill_slot(&slots[op->slot], must(kqueue(), "kqueue"), o,
	    op->amount % 2 != 0);
	trace("kqueue %d: %d", o->queue, slots[op->slot].fd);
}

static void
duplicate(const struct op *op)
{
	struct slot *from = &slots[op->slot], *to = &slots[op->slot2];
	int fd;

	if (from == to || from->object == NULL || from->object == to->object)
		return;
	fd = must(fcntl(from->fd, F_DUPFD_CLOEXEC, 0), "F_DUPFD");
	fill_slot(to, fd, from->object, false);
	trace("dup %d: %d", from->fd, to->fd);
}

/* ---- using ---- */

static void
write_file(const struct slot *s, unsigned amount)
{
	struct object *o = s->object;
	bool grows;

	must((int)write(s->fd, "abcdefg", amount), "write");
	o->offset += amount;
	grows = o->offset > o->file->size;
	if (grows)
		o->file->size = o->offset;
	model_note(o->file, NOTE_WRITE | (grows ? NOTE_EXTEND : 0), 0);
}

static void
write_some(const struct slot *s, unsigned amount)
{
	struct object *o = s->object;
	ssize_t n;

	if (o->kind == PLAIN) {
		write_file(s, amount);
		return;
	}
	if ((o->kind != PIPE_WRITE && o->kind != SOCKET) ||
	    (o->kind == SOCKET && o->peer->bytes > MOST_UNREAD))
		return;
	n = write(s->fd, "abcdefg", amount);
	/* on Linux a write that fails causes an edge, too */
	model_deed(o->peer, TOUCHED);
	if (n <= 0)
		return;
	o->peer->bytes += (int)n;
	model_deed(o->peer, ARRIVED);
	model_deed(o, TOUCHED);
}

static void
after_read(struct object *o)
{
	if (o->kind == PIPE_READ && o->bytes == 0)
		o->peer->full = NO;
	else if (o->kind == PIPE_READ && o->peer->full == YES)
		o->peer->full = MAYBE;
	model_deed(o, TOUCHED);
	model_deed(o->peer, ROOMY);
}

static void
read_some(const struct slot *s, size_t amount)
{
	char buffer[PIPE_SIZE];
	struct object *o = s->object;
	ssize_t n;

	if (o->kind != PIPE_READ && o->kind != SOCKET && o->kind != PLAIN)
		return;
	n = read(s->fd, buffer, amount);
	if (n == -1 && o->kind == SOCKET && errno == ECONNRESET)
		return;
	if (o->kind == PLAIN) {
		o->offset += must((int)n, "read");
		model_deed(o, TOUCHED);
		return;
	}
	if (n > 0)
		o->bytes -= (int)n;
	after_read(o);
}

static void
fill_pipe(const struct slot *s)
{
	char buffer[4096] = "";
	struct object *o = s->object;
	ssize_t n;

	if (o->kind != PIPE_WRITE || o->peer->numbers == 0)
		return;
	while ((n = write(s->fd, buffer, sizeof buffer)) > 0)
		o->peer->bytes += (int)n;
	o->full = YES;
	model_deed(o->peer, ARRIVED);
	model_deed(o, TOUCHED);
}

static void
shut(const struct slot *s)
{
	struct object *o = s->object;

	if (o->kind != SOCKET || o->shut || o->peer->numbers == 0)
		return;
	must(shutdown(s->fd, SHUT_WR), "shutdown");
	o->shut = true;
	model_deed(o, ENDED);
	model_deed(o->peer, ENDED);
}

static void
seek(const struct slot *s, unsigned amount)
{
	if (s->object->kind != PLAIN)
		return;
	s->object->offset = (int64_t)(amount % 12);
	must((int)lseek(s->fd, s->object->offset, SEEK_SET), "lseek");
	model_deed(s->object, TOUCHED);
}

/* ---- the names and attributes of files ---- */

static void
change_mode(const struct slot *s)
{
	struct file *f = s->object->file;

	if (s->object->kind != PLAIN)
		return;
	f->mode = 0600 + (f->mode + 1) % 0100;
	must(fchmod(s->fd, f->mode), "fchmod");
	model_note(f, NOTE_ATTRIB, 0);
}

/* A later check finds two of these in a row as one change, or none. */
static void
change_links(struct file *f, bool link_it)
{
	char path[64], other[64];

	if (f->linked == link_it)
		return;
	snprintf(path, sizeof path, "%s%s", f->name, f->renamed ? ".new" : "");
	snprintf(other, sizeof other, "%s.link", f->name);
	if (link_it)
		must(link(path, other), "link");
	else
		must(unlink(other), "unlink");
	f->linked = link_it;
	model_note(f, 0, NOTE_LINK | NOTE_DELETE | NOTE_ATTRIB);
}

static void
change_name(struct file *f)
{
	char path[64];

	snprintf(path, sizeof path, "%s.new", f->name);
	if (f->renamed)
		must(rename(path, f->name), "rename");
	else
		must(rename(f->name, path), "rename");
	f->renamed = !f->renamed;
	model_note(f, NOTE_RENAME, 0);
}

/* ---- all of it ---- */

static void
use(const struct op *op)
{
	static const char *const verbs[VERBS] = { [WRITE] = "write",
		[READ] = "read",
		[FILL] = "fill",
		[EMPTY] = "empty",
		[SEEK] = "seek",
		[SHUT] = "shut",
		[CHMOD] = "chmod" };
	const struct slot *s = &slots[op->slot];

	if (s->object == NULL)
		return;
	trace("%s %d, %u", verbs[op->verb], s->fd, op->amount);
	switch (op->verb) {
	case WRITE:
		write_some(s, op->amount % 3 + 1);
		break;
	case READ:
		read_some(s, op->amount % 3 + 1);
		break;
	case FILL:
		fill_pipe(s);
		break;
	case EMPTY:
		read_some(s, PIPE_SIZE);
		break;
	case SEEK:
		seek(s, op->amount);
		break;
	case SHUT:
		shut(s);
		break;
	default:
		change_mode(s);
		break;
	}
}

void
world_do(const struct op *op)
{
	struct file *f = &files[op->amount % FILES];

	switch (op->verb) {
	case OPEN_PIPE:
		open_pipe(op);
		break;
	case OPEN_PAIR:
		open_pair(op);
		break;
	case OPEN_FILE:
		open_file(op);
		break;
	case OPEN_QUEUE:
		open_queue(op);
		break;
	case DUP:
		duplicate(op);
		break;
	case CLOSE:
		if (slots[op->slot].object != NULL)
			trace("close %d", slots[op->slot].fd);
		close_slot(&slots[op->slot]);
		break;
	case LINK:
	case UNLINK:
		trace("%s %s", op->verb == LINK ? "link" : "unlink", f->name);
		change_links(f, op->verb == LINK);
		break;
	case RENAME:
		trace("rename %s", f->name);
		change_name(f);
		break;
	case RAISE:
		trace("raise %u", op->amount % 2);
		raise(op->amount % 2 != 0 ? SIGUSR1 : SIGUSR2);
		model_signal(op->amount % 2 != 0 ? SIGUSR1 : SIGUSR2);
		break;
	case CALL:
		model_call(op);
		break;
	default:
		use(op);
		break;
	}
}

void
world_start(void)
{
	const int flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
	int fd;

	world_clean();
	nobjects = 0;
	nqueues = 0;
	memset(slots, 0, sizeof slots);
	memset(files, 0, sizeof files);
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(files[i].name, sizeof files[i].name, "file%u", i);
		fd = must(open(files[i].name, flags, 0600), "open");
		must((int)write(fd, "0123456789", 8), "write");
		must(close(fd), "close");
		files[i].size = 8;
	}
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	model_start();
}

void
world_end(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		close_slot(&slots[i]);
	world_clean();
}

void
world_clean(void)
{
	static const char *const endings[] = { "", ".link", ".new" };
	char path[32];

	for (unsigned i = 0; i < FILES; i++)
		for (unsigned j = 0; j < COUNT(endings); j++) {
			snprintf(path, sizeof path, "file%u%s", i, endings[j]);
			(void)unlink(path);
		}
}
