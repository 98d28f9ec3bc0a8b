/* SPDX-License-Identifier: ISC */
/*
 * pmux.h - one call of pmux, and the program that makes it.
 *
 * A process may make any number of calls, one after another, and one while
 * another sleeps.  No module has variables of its own: each has a structure,
 * which is made when a call begins, hangs off struct pmux and is released when
 * the call ends.
 */
#ifndef PMUX_H
#define PMUX_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct launch;

/* Where the words of the process are, which a list of processes shows. */
struct pmux_title {
	char *start, *end; /* of the arguments, each with its NUL */
	char **environment;
};

/* The program that makes a call.  All zero: it ends with the call. */
struct pmux_host {
	/* the process goes on after the call: it must find nothing changed */
	bool stays;
	/* the host's own; not read here */
	void *data;
	/* room for the calls, all zero; or NULL: it is allocated */
	struct pmux_call *room;
	/*
	 * WAIT blocks; call it once, with ARGUMENT.  Before and
	 * after that the host may run what it likes, other calls of pmux_run
	 * with it, and it may leave by longjmp(3) if pmux_abandon is called
	 * then.  Returns what WAIT returns.  NULL: WAIT is called.
	 */
	int (*sleep)(struct pmux_host *host, int (*wait)(void *argument),
	    void *argument);
	/* the signal mask while WAIT blocks, as in ppoll(2); NULL: unchanged */
	const sigset_t *mask;
	/*
	 * PROGRAM of a wait runs as CHILD of the process, every signal being
	 * blocked: wait until it ends.  Returns the status of the call.  NULL:
	 * the process becomes PROGRAM.
	 */
	int (*attend)(struct pmux_host *host, pid_t child);
	/*
	 * Start that program, every signal being blocked, as a child of the
	 * process, which waitpid(2) reports to nothing else.  Returns as
	 * launch_start, which is called where this is NULL.
	 */
	pid_t (*start)(struct pmux_host *host, const struct launch *launch,
	    int *error);
	/* as fork(2); a holder is a child of the child.  NULL: fork(2) */
	pid_t (*fork)(struct pmux_host *host);
	/* the program pmux, which a holder executes; NULL: it does not */
	const char *program;
	/*
	 * Go on with the call in a process of its own, where STAYS is false.
	 * Returns true in the process of the host, with the status of the call,
	 * once that process has ended; false in the new one.  NULL: it is not
	 * wanted.
	 */
	bool (*apart)(struct pmux_host *host, int *status);
	/* the host is a shell, of which the call is a builtin */
	bool shell;
	/* without a reader of standard output the process does not end */
	bool survives;
	/* whether the shell has a trap for signal NUMBER */
	bool (*trapped)(struct pmux_host *host, int number);
	/*
	 * The variable NAME of the shell takes the records of the call, and PUT
	 * is set.  Returns NULL, or why it cannot.
	 */
	const char *(*variable)(struct pmux_host *host, const char *name);
	/* take output in place of standard output: 0 or -ENOMEM; NULL: no */
	int (*put)(struct pmux_host *host, const char *bytes, size_t length);
	/* see title_remember; all NULL: a holder has the host's title */
	struct pmux_title title;
	/* set at the end: the signal that must end the process, or 0 */
	int signal;
};

/* The structures of the modules; each is described in its header. */
struct pmux {
	struct pmux *outer; /* the call that sleeps meanwhile, or NULL */
	struct pmux_host *host;
	struct caller *caller; /* sys/caller.h */
	struct fdplace *fdplace;
	struct launching *launching;
	struct scratch *scratch; /* sys/read.h */
	struct sigdefer *sigdefer;
	struct foreign_table *foreign;
	struct first_object *first; /* backend/backend.h */
	struct backend *over;
	struct await *await; /* await/internal.h, or NULL */
	struct output *output;
	struct diag *diag;
	struct debug *debug; /* NULL: no --debug was given */
	struct fifos *fifos;
	struct request *request;
	struct target_names *names; /* target/target.h */
	struct once *once;
	struct lines *lines;
	struct programs *programs;
	struct ending *ending; /* sys/ending.h, or NULL */
	struct sigwatch *sigwatch; /* sys/sigwatch.h, with handlers; or NULL */
	/* see pmux_at_end */
	void (*close)(void *argument);
	void *argument;
};

/* The call under way.  It is set as long as there is one. */
extern struct pmux *pmux;

/*
 * Call CLOSE with ARGUMENT, to release something made in the call, when
 * pmux_close is called, or else at the end of the call.  It must not lie on the
 * stack: the host may leave the call by longjmp(3).
 */
void pmux_at_end(void (*close)(void *argument), void *argument);
void pmux_close(void);

/* Let the host sleep: WAIT blocks.  Returns what WAIT does. */
static inline int
pmux_sleep(int (*wait)(void *argument), void *argument)
{
	struct pmux_host *host = pmux->host;

	return host->sleep == NULL ? wait(argument) :
				     host->sleep(host, wait, argument);
}

#endif
