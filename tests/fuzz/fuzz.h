/* SPDX-License-Identifier: ISC */
/*
 * fuzz.h - kevent(2) against a model of it.
 *
 * A case is a list of operations, made up from a seed: things are opened, used,
 * duplicated and closed, knotes are changed at random and events collected.
 * The world (world.c) performs an operation and records its effect; the model
 * (model.c) has the knotes as FreeBSD would have them, and checks the answer of
 * each call.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <sys/types.h>
#include <sys/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

#define SLOTS 10 /* numbers that may be open */
#define OBJECTS 48 /* that a case opens at most */
#define FILES 2
#define QUEUES 3
#define KNOTES 256
#define CHANGES 4 /* in one call */
#define ROOM 64 /* more than can be ready, see collect() */
#define OPS 80

#define USERS 4 /* identifiers from 1 up */
#define TIMERS 4

/* ---- operations ---- */

enum verb {
	OPEN_PIPE,
	OPEN_PAIR,
	OPEN_FILE,
	OPEN_QUEUE,
	DUP, /* SLOT to SLOT2, which is closed first */
	CLOSE,
	WRITE,
	READ,
	FILL, /* a pipe, until it is full */
	EMPTY,
	SEEK,
	SHUT,
	CHMOD,
	LINK,
	UNLINK,
	RENAME,
	RAISE,
	CALL, /* kevent(2) */
	VERBS
};

/* A change, chosen by the random number among those possible at that point. */
struct wish {
	uint64_t random;
	uint16_t flags;
};

struct op {
	enum verb verb;
	unsigned slot, slot2;
	unsigned amount;
	unsigned nwishes;
	struct wish wishes[CHANGES];
	int room;
	bool same; /* one array for both */
};

/* ---- the world ---- */

enum kind {
	NOTHING,
	PIPE_READ,
	PIPE_WRITE,
	SOCKET,
	PLAIN, /* a regular file */
	QUEUE
};

enum truth {
	NO,
	YES,
	MAYBE
};

/* An open file description. */
struct object {
	enum kind kind;
	unsigned numbers; /* that refer to it */
	struct object *peer; /* the other end */
	int bytes; /* to be read here */
	enum truth full; /* PIPE_WRITE */
	bool shut; /* SOCKET: for writing */
	bool reset; /* SOCKET: the peer was closed with unread bytes */
	struct file *file;
	int64_t offset;
	int queue; /* QUEUE: from 0 up */
};

struct file {
	char name[16];
	int64_t size;
	unsigned mode;
	bool linked, renamed;
};

struct slot {
	int fd;
	struct object *object; /* NULL: closed */
};

extern struct slot slots[SLOTS];
extern struct file files[FILES];
extern bool verbose;

void world_start(void);
void world_end(void);
void world_clean(void); /* files that a case has left */
void world_do(const struct op *op);

/* A slot that refers to the queue, or NULL. */
struct slot *queue_slot(int queue);

/* ---- the model ---- */

/* A change of an object, for the knotes on it. */
enum deed {
	ARRIVED, /* there is more to read */
	ROOMY, /* there may be more room */
	ENDED, /* the other end has gone, or has been shut down */
	TOUCHED /* anything else */
};

void model_start(void);
/* The last number of the queue was closed. */
void model_queue_gone(int queue);
/* FD refers to OBJECT: it is about to be closed, or was just opened. */
void model_close(int fd, const struct object *object);
void model_open(int fd, const struct object *object);
void model_deed(const struct object *object, enum deed deed);
/* Knotes on FILE: NOTE_ bits that must, or may, be seen; -1: READ, WRITE. */
void model_note(const struct file *file, unsigned must, unsigned may);
void model_signal(int number);
/* Make the call of OP, and check its answer. */
void model_call(const struct op *op);

/* ---- common functions ---- */

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);
unsigned random_below(struct random *random, unsigned end);

/* Print a message and end the process with status 1. */
void fail(const char *format, ...)
    __attribute__((__format__(__printf__, 1, 2), __noreturn__));
void trace(const char *format, ...)
    __attribute__((__format__(__printf__, 1, 2)));
/* The call must not return -1. */
int must(int result, const char *what);

/* Random bytes as changes; several threads on one queue. */
void garbage_case(uint64_t seed);
void thread_case(uint64_t seed);

#endif
