/* SPDX-License-Identifier: ISC */
/*
 * target.h - targets: parsing, merging and opening them.
 */
#ifndef TARGET_H
#define TARGET_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backend;
struct kevent_request;
struct text;

/* The meaning of a descriptor that is named twice. */
enum target_twice {
	TWICE_LAST, /* the last mask stands */
	TWICE_JOINED, /* the masks are joined */
	TWICE_IN_LIST, /* one entry in each list */
	TWICE_REFUSED /* the primitive refuses it */
};

enum {
	TARGET_FILE = 1, /* a word that names a file of targets */
	TARGET_MASKED = 2, /* BITS is from -e, or a list of select */
	TARGET_PATH = 4, /* to be opened, or opened */
	TARGET_FIFO = 8,
	TARGET_LITERAL = 16, /* a colon at its end was taken off */
	TARGET_ASKED = 32, /* --all: an event that was asked for */
	TARGET_SETTLED = 64, /* --all: has reported */
	TARGET_EVENTS = 128, /* its word had events */
	TARGET_SHARED = 256, /* FD is an earlier target's */
	TARGET_CONDITION = 512, /* await/await.h */
	TARGET_LATE = 1024 /* a path that need not be there yet */
};

/* The FD of a target without descriptor: a process, a timer. */
#define TARGET_NO_FD (-2)

/* Small, since there may be very many. */
struct target {
	char *name; /* as written, without its events */
	uint32_t length; /* of name; more bytes follow */
	int fd; /* -1 while a FIFO has no reader; of
					   another process its handle, see
					   sys/foreign.h */
	int number; /* in its owner; negative: no FD */
	uint32_t bits; /* the requested events, native bits */
	uint32_t process; /* its owner's index plus 1; 0: pmux */
	uint16_t flags;
};

struct targets {
	const struct backend *backend; /* whose words their bits are */
	struct target *list;
	size_t count, capacity;
	size_t words; /* on the command line */
	struct kevent_request *kevents; /* kqueue: one for each of LIST */
	char **defaults; /* kqueue: the words of each --events */
	uint32_t default_count;
	pid_t *processes; /* named with --pid */
	uint32_t process_count;
	int *pidfds; /* of those, or NULL; -1: not open */
	struct text *texts; /* of files of targets */
	uint32_t process; /* index plus 1 of the last, or 0 */
	uint32_t bits; /* of the last --events; kqueue:
					   its index in DEFAULTS plus 1 */
	bool masked; /* there was an --events */
	bool unsorted; /* not ascending numbers alone */
	bool awaited; /* a FIFO's reader is missing */
	bool late; /* a path that is not there yet is waited for */
	bool copied; /* --pid: FD is a copy, no handle */
};

/* Index plus 1 of each target that is a number; open addressing. */
struct target_table {
	uint32_t *slots;
	uint32_t mask;
};

/* Up to this many, comparing with each is cheaper than a table. */
#define TARGETS_FEW 16

struct target_names {
	struct target_table table; /* of them, once it is needed */
	bool numbers; /* see kevent_numbers */
	bool conditions; /* the command has them: a hint names one */
	char why[320]; /* see target_why_closed */
	struct target few[TARGETS_FEW]; /* enough for most calls */
};

/* Release what TARGETS has, and close what pmux opened for them. */
void targets_release(struct targets *targets);

/*
 * Add the word WORD, which stays where it is and may be written to, with the
 * process and events named before it; or, if LIST is not 0, with those bits.
 * Returns 0 or an exit status, a message having been printed.
 */
int targets_add(struct targets *targets, char *word, uint32_t list);

/*
 * Add a condition: the argument WORD, which stays where it is, of OPTION.
 * Returns as targets_add.
 */
int targets_add_condition(struct targets *targets, const char *option,
    char *word);

/* Name process PID for the words to come.  Returns as targets_add. */
int targets_add_process(struct targets *targets, pid_t pid);

/*
 * --events: take EVENTS, which stays where it is, for the words to come that
 * have none.  Returns 0 or an exit status, a message having been printed.
 */
int targets_events(struct targets *targets, char *events);

/* The kevent of T, one of TARGETS; NULL if it is none. */
const struct kevent_request *target_kevent(const struct targets *targets,
    const struct target *t);

/*
 * Parse EVENTS, LENGTH bytes, as BACKEND knows them; messages are about
 * SUBJECT.  Returns 0 with *BITS set, or an exit status, a message having been
 * printed.
 */
int targets_parse_events(const struct backend *backend, const char *subject,
    const char *events, size_t length, uint32_t *bits);

/*
 * Read the files of targets, in which NULL_SEPARATED says what ends a target,
 * parse every word, merge the same descriptor as TWICE says, take those of
 * other processes and open the paths.  DEFAULTS is for those without a mask.
 * TARGETS stays where it is from then on: targets_name reads it.  Returns 0 or
 * an exit status, a message having been printed.
 */
int targets_resolve(struct targets *targets, enum target_twice twice,
    uint32_t defaults, bool null_separated);

/*
 * Only read the files of targets and parse every word, which is a descriptor or
 * a path and has no events; of each the name, number, process and flags are set
 * then.  TARGETS stays where it is from then on.  Returns as targets_resolve.
 */
int targets_parse_names(struct targets *targets, bool null_separated);

/* Whether a word that was parsed is about PROCESS, its index plus 1. */
bool targets_name_any(const struct targets *targets, uint32_t process);

/*
 * Try again to open TARGET, a FIFO that had no reader or a path that was not
 * there.  Returns 0, also if that is still so (its descriptor is -1 then), or an
 * exit status, a message having been printed.
 */
int target_reopen(struct target *target, const struct backend *backend);

/*
 * Parse the word that is the name of TARGET, LENGTH bytes with a NUL behind
 * them, which stays where it is and is written to.  Returns 0 with name,
 * length, bits (DEFAULTS, if the word has no events), flags and the number set,
 * or an exit status, a message having been printed.
 */
int target_parse(struct target *target, const struct backend *backend,
    uint32_t defaults);

/* The same for a name that is a descriptor or a path and nothing else. */
int target_parse_name(struct target *target);

/*
 * Open TARGET, a path, which has to stay where it is.  Returns 0 with its
 * descriptor and flags set, or an exit status, a message having been printed:
 * ENXIO too, for a FIFO to be written that has no reader.
 */
int target_open(struct target *target, const struct backend *backend);

/*
 * Why NUMBER, which pmux should have inherited, may not be open: a text to
 * append to a message, valid until the next call.
 */
const char *target_why_closed(int number);

/*
 * Report that the number of T, one of TARGETS, is not open, and a possible
 * reason.  Returns the exit status.
 */
int target_closed(const struct targets *targets, const struct target *t);

/* Report WHY T, of another process, is not inspected.  Returns the status. */
int target_refused(const struct targets *targets, const struct target *t,
    const char *why);

/*
 * Whether number FD, open or not, is one that NAMES, a struct targets, has from
 * the user: for fdplace_avoid.
 */
bool targets_name(void *names, int fd);

#endif
