/* SPDX-License-Identifier: ISC */
/*
 * internal.h - a session while it serves requests: shared by its files.
 *
 *   session.c       the loop
 *   verbs.c         one request to the function that serves it
 *   object_*.c      one kind of object each, behind struct session_object
 *   registration.c  the requests that poll, devpoll and epoll share
 *   pending.c       the wait under way
 *   input.c         standard input to requests
 *   resolve.c       a target to its handle
 *   core.c          answers, and words to numbers
 *   handles.c, tokenize.c
 *
 * Each calls only those below it; upward only the slots of
 * struct session_object are called.
 */
#ifndef INTERNAL_H
#define INTERNAL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/deadline.h"
#include "output/diag.h"
#include "run/request.h"
#include "session/handles.h"
#include "session/tokenize.h"

struct session;

/* The state of a kind of object beside its backend; each has its own. */
struct object_state;

/* A result of a request's function beside 0 and an exit status. */
#define SESSION_PENDING (-1) /* its answer comes later */

/*
 * A request: WORDS has the text behind its name.  Returns 0 with the value of
 * the answer in S, an exit status, the message being captured by then, or
 * SESSION_PENDING.
 */
typedef int session_fn(struct session *s, struct tokenizer *words);

struct session_verb {
	char name[12];
	bool closed; /* served after close, too */
	session_fn *serve;
	const char *usage;
};

/*
 * Before a wait: put its targets into the object.  Returns 0; or an exit
 * status, the object being unchanged.  release: after it, however it ended.
 */
typedef int session_prepare_fn(struct session *s);
typedef void session_release_fn(struct session *s);

/*
 * Sleep until the pending wait may have its answer, which is then given, or
 * there is input.  Returns false if the object cannot report the input now.
 */
typedef bool session_sleep_fn(struct session *s);

/* An event of the object.  Returns whether one was printed. */
typedef bool session_event_fn(struct session *s, const struct event *event);

/*
 * Forget handle INDEX, whose number is about to be closed.  forget_all: those
 * of the whole object, which is closed or replaced next.
 */
typedef void session_forget_fn(struct session *s, uint32_t index);
typedef void session_forget_all_fn(struct session *s);

/*
 * Add handle INDEX to the object for the events in its BITS, or replace those
 * that it is there for, or remove it.  Each returns 0 or -errno.
 */
typedef int session_change_fn(struct session *s, uint32_t index);

/* T cannot be unregistered: it is not registered.  Returns an exit status. */
typedef int session_unknown_fn(struct session *s, const struct target *t);

/* The name of the descriptor for which the wait failed with EBADF, or NULL. */
typedef const char *session_closed_fn(const struct session *s);

/* Free OWN and all that it holds; its object is closed, or never was open. */
typedef void session_close_fn(struct object_state *own);

/* A kind of object.  A slot that does not apply is NULL. */
struct session_object {
	const struct backend *backend;
	size_t size; /* of its struct object_state */
	const struct session_verb *verbs; /* its own; an empty name ends them */
	/* why it refuses an epoll instance of another process, or NULL */
	const char *no_nesting;
	bool in_kernel; /* the kernel alone knows what is registered, by
			   number and file, and takes --pid's too */
	session_event_fn *event; /* never NULL */
	session_prepare_fn *prepare;
	session_release_fn *release;
	session_sleep_fn *sleep; /* NULL: its descriptor is polled */
	session_closed_fn *closed;
	session_forget_fn *forget;
	session_forget_all_fn *forget_all;
	session_change_fn *add, *modify, *remove; /* see registration.h */
	session_close_fn *close;
	session_unknown_fn *unknown; /* NULL: nothing to refuse */
};

extern const struct session_object object_select, object_poll, object_devpoll,
    object_epoll, object_kqueue;

/* Kinds of handles. */
enum {
	KIND_NUMBER = 1, /* a descriptor, with --pid of that process */
	KIND_OWN, /* with --pid, one that the session inherited */
	KIND_PATH, /* of kqueue one more for each way of opening */
	KIND_KEVENT = 16 /* plus the filter */
};

/* Their flags. */
enum {
	HANDLE_PATH = 1,
	HANDLE_FIFO = 2,
	HANDLE_FOREIGN = 4, /* of --pid's process */
	HANDLE_REGISTERED = 8,
	HANDLE_READS = 16, /* the path is open to read */
	HANDLE_WRITES = 32
};

/* The wait under way. */
struct pending {
	bool active;
	deadline_t deadline;
	size_t max; /* events */
	char *tag; /* of its request; no NUL behind it */
	size_t tag_length, tag_capacity;
};

/* The input that was read and not served yet. */
struct input {
	char *bytes; /* CAPACITY, and one more for a NUL */
	size_t capacity;
	size_t begin, end; /* of the bytes left */
	size_t scanned; /* there is no newline before this */
	bool skipping; /* the request is too long, and refused */
	bool ended;
};

struct session {
	struct request *request;
	const struct backend *backend; /* its flags and masks */
	const struct backend *object; /* its functions: --pid's go over it */
	struct backend_state *state; /* of OBJECT; NULL: closed */
	const struct session_object *slots;
	struct object_state *own; /* of SLOTS */
	struct handles handles;
	struct pending pending;
	struct input input;
	int process; /* --pid's, or -1 */
	pid_t pid;
	bool adopted; /* fromfd: others may have the object */
	bool quit;
	bool input_ready;
	bool watches_output;
	short output_events; /* by which poll(2) wakes when its reader goes */
	int output_error; /* -errno, or 0 */
	/* the answer of the request that is served */
	const char *text; /* or NULL, and this: */
	int64_t value; /* -1: none */
	struct diag_message message; /* why it failed */
};

#endif
