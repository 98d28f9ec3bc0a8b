/* SPDX-License-Identifier: ISC */
/*
 * faults.h - the parts of inject: the calls, the faults, the scene and the run.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Systems that trace.c supports. */
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#define HAVE_INJECT 1
#endif

#define ENDS_MAX 8 /* pipes, FIFOs and files of a form */
#define FORM_FIRST 7 /* descriptors of a form */
#define FORM_LAST 9
#define TEXT_SIZE 4096
#define OUTPUT_SIZE 65536
#define PROCESSES_MAX 64

/* ---- calls.c: the system calls ---- */

/* The name of call NUMBER; a buffer of its own for one that is unknown. */
const char *call_name(long number);
long call_number(const char *name);

/*
 * The errors that call NUMBER may have, names separated by spaces; NULL for one
 * that cannot fail.  FIRST and SECOND are its arguments.
 */
const char *call_errors(long number, uint64_t first, uint64_t second);

/* Whether the call is made nevertheless: close(2) closes even if it fails. */
bool call_happens(long number);

/* The errno value of NAME, or 0. */
int error_number(const char *name);

/* ---- allocations, by failmalloc.so ---- */

#define FAILMALLOC "PMUX_FAILMALLOC"

/* Shared with every process of the command. */
struct allocations {
	int first; /* process id of the first */
	long counts[2]; /* of the first process, and of all others */
	long at; /* the one that fails, from 1; 0: none */
	int of; /* index in counts */
	bool from; /* and all after it */
	long failed;
};

/* ---- a fault ---- */

enum fault_kind {
	FAULT_NONE,
	FAULT_CALL,
	FAULT_EVERY,
	FAULT_MALLOC
};

struct fault {
	enum fault_kind kind;
	int process; /* 0: the first, 1: the first that was forked */
	long at; /* FAULT_CALL, FAULT_MALLOC: its place, from 1 */
	long number; /* of the call; -1: any */
	int error;
	bool from; /* FAULT_MALLOC: and all after it */
};

/* ---- scene.c: the environment of the command, and what it leaves ---- */

enum end_kind {
	END_PIPE,
	END_OPEN,
	END_OUT,
	END_FIFO,
	END_READER,
	END_FILE
};

struct end {
	enum end_kind kind;
	int number; /* of the descriptor; -1 if it has a name */
	const char *name;
	char text[TEXT_SIZE];
	size_t length;
	int fds[2]; /* ours: to read, to write; -1 */
	int alive[2]; /* the peer has the other end */
	pid_t peer; /* the process that writes or reads the FIFO, or 0 */
	bool died; /* by SIGPIPE */
};

struct form {
	const char *name;
	char **command;
	char input[TEXT_SIZE];
	size_t input_length;
	struct end ends[ENDS_MAX];
	int count;
	int status[2]; /* without a fault: one or the other */
	bool owner; /* a process with descriptor 7 for -p */
	bool held; /* its FIFOs have a holder already */
	bool late; /* a writer waits a while before it writes */
	bool absent; /* a name may be: the output varies with ENOENT */
	bool varies; /* the output does */
	bool consumes; /* what is printed is not left */
	bool lossy; /* what cannot be printed is not left */
	bool program; /* another program is run */
};

/* Results, written by the processes of the scene. */
struct found {
	char left[ENDS_MAX][TEXT_SIZE];
	char output[OUTPUT_SIZE];
	char errors[OUTPUT_SIZE];
	char complaint[256];
	bool kept; /* standard output is still open in some process */
};

struct scene {
	struct form *form;
	struct found *found; /* shared */
	struct allocations *allocations; /* the same */
	int memory; /* a descriptor of that, or -1 */
	int input[2], output[2]; /* pipes */
	int messages; /* a file */
	int go[2]; /* a byte lets the command begin */
	int begun[2]; /* closed by its execve(2) */
	pid_t owner, command, collector; /* 0: has ended */
};

/* Make the scene and the process of the command, which waits for a byte. */
void scene_open(struct scene *scene, bool allocations);

/* The command has ended: start the process that reads what it left. */
void scene_collect(struct scene *scene);

/* Close the ends of the scene, and remove its files. */
void scene_close(struct scene *scene);

/* PID, a child, has ended with STATUS: true if it was one of the scene. */
bool scene_reap(struct scene *scene, pid_t pid, int status);

/* ---- trace.c: the run itself ---- */

struct call {
	long number;
	uint64_t first, second;
};

struct log {
	struct call *calls[PROCESSES_MAX];
	long counts[PROCESSES_MAX];
	int processes;
};

struct outcome {
	int status; /* of the command, as wait(2) has it */
	int fatal; /* the signal of a fault that ended a process */
	bool reached; /* the fault was made */
	bool hung; /* the command did not end */
	bool stayed; /* another process did not end */
	bool spun; /* more calls or CPU time than the limits */
	struct call call; /* the call that failed */
};

/* One run of the scene with FAULT.  LOG may be NULL.  LIMIT is in ns. */
void trace_run(struct scene *scene, const struct fault *fault, struct log *log,
    int64_t limit, struct outcome *outcome);

/* Why no process can be traced here, or NULL. */
const char *trace_unavailable(void);

_Noreturn void die(const char *what);

#endif
