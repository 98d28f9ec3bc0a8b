/* SPDX-License-Identifier: ISC */
/*
 * internal.h - a session while it serves: what the files of it share.
 *
 * session.c has the protocol and the waits, polled.c what is registered with
 * poll, devpoll and epoll or named to select, control.c the kevents.
 */
#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "base/deadline.h"
#include "output/diag.h"
#include "session/handles.h"
#include "session/tokenize.h"
#include "target/request.h"

/* What a request's function returns beside 0 and an exit status. */
#define SERVE_PENDING (-1) /* its answer comes later */

/* Kinds of entries. */
enum {
	KIND_NUMBER = 1, /* a descriptor, of --pid's process if there is
				   one */
	KIND_OWN, /* the caller's own beside those */
	KIND_PATH, /* and, of kqueue, one more for each way of
				   opening it */
	KIND_KEVENT = 16 /* and the filter */
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

/* Tokens of poll, devpoll and select; the others follow. */
enum {
	TOKEN_INPUT,
	TOKEN_OUTPUT,
	TOKEN_FIRST
};

/* Tokens of epoll: a number, or an entry's index with this. */
#define TOKEN_HANDLE UINT32_C(0x80000000)
#define OWN_INPUT (UINT32_MAX - 1)
#define OWN_OUTPUT UINT32_MAX

/* One T in one list of the select under way. */
struct selected {
	uint32_t index;
	uint32_t list;
	int fd; /* in the wait, or -1 */
};

struct pending {
	bool active;
	deadline_t deadline;
	size_t max;
	char *tag; /* of its request */
	size_t tag_length, tag_capacity;
};

struct session {
	struct request *request;
	const struct backend *backend;
	const struct backend *object; /* the same, for --pid over it */
	struct backend_state *state; /* NULL: closed */
	struct handles registry;
	struct diag_message message; /* why a request failed */
	struct pending wait;
	int process; /* --pid's, or -1 */
	pid_t pid;
	bool adopted; /* the object is another's */
	bool dropped; /* entries that the pending
						   wait may tell of */
	bool stale; /* the backend lacks
						   changes */
	bool quit;
	bool ended; /* the end of the input */
	bool input_ready;
	bool watches_output;
	int output_error; /* -errno, or 0 */
	int own[2]; /* epoll: copies of the input
						   and output; 0: not yet */
	int *placed; /* poll: by index, what is in
						   the backend; -1: nothing */
	uint32_t placed_count;
	struct selected *selected;
	size_t selected_count, selected_capacity;
	struct kevent_request *kevents; /* by index, of KIND_KEVENT */
	uint32_t kevents_count;
	/* the answer to be given */
	const char *text; /* or NULL, and this: */
	int64_t value; /* -1: none */
	/* requests not served yet */
	char *input;
	size_t capacity, begin, end, scanned;
	bool skipping; /* one that is too long */
};

/* Refuse a request: NAME and TEXT are constant.  Returns an exit status. */
int session_refuse(struct session *s, const char *name, const char *text);

/* The same for what ERROR, a -errno, means for T. */
int session_failed(const struct session *s, const struct target *t, int error);

/*
 * Take T, which is parsed: the index of its entry, which is made, and opened
 * for BITS, if there is none.  MODE is added to KIND_PATH.  Returns 0 or an
 * exit status, a message having been printed.
 */
int session_resolve(struct session *s, struct target *t, uint32_t mode,
    uint32_t *index);

/* The index of T's entry, or HANDLES_NONE. */
uint32_t session_find(const struct session *s, const struct target *t,
    uint32_t mode);

/*
 * Whether T may be named: not 0 to 2, nor what pmux has opened.  Returns 0 or
 * an exit status, a message having been printed.
 */
int session_check_number(struct session *s, const struct target *t);

/*
 * Whether E, a descriptor of --pid's process, can be looked at, or is not open
 * there, which the primitive says itself.  Returns 0 or an exit status, a
 * message having been printed.
 */
int session_check_kind(const struct session *s, const struct handle *e);

/* Give up entry INDEX, and its file unless that is a FIFO, which is held. */
void session_drop(struct session *s, uint32_t index);

/* The entry of which an event of the object tells, as a target. */
void session_target(const struct session *s, const struct event *event,
    struct target *t, char space[24]);

/* Before and after each wait.  Returns 0 or an exit status as above. */
int session_prepare(struct session *s);
void session_release(struct session *s);

/*
 * Begin a wait of at most NS nanoseconds for MAX events.  Returns as a
 * request's function.
 */
int session_wait(struct session *s, int64_t ns, size_t max);

/* Print EVENT for the wait under way. */
void session_event(struct session *s, const struct target *t,
    const struct event *event, const struct kevent_request *kevent);

/*
 * Words to numbers.  Each returns 0 or an exit status, a message having been
 * printed.  TIMEOUT: nanoseconds, -1 for ever; negative ones only if FOREVER.
 */
int session_timeout(const char *word, bool forever, int64_t *ns);
int session_count(const char *what, const char *word, int64_t least,
    size_t *count);
int session_end(struct tokenizer *words); /* no word is left */

/* A request of one primitive: WORDS has what follows its name. */
typedef int session_fn(struct session *s, struct tokenizer *words);

session_fn session_register, session_modify, session_unregister, session_select,
    session_control;

/* An event of the kqueue: print it.  Returns false if it is nobody's. */
bool session_kevent(struct session *s, const struct event *event);

/* Give up what control.c has. */
void session_forget_kevents(struct session *s);

#endif
