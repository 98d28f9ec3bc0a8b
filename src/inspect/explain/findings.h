/* SPDX-License-Identifier: ISC */
/*
 * findings.h - what is wrong, or may be, on the chains of a snapshot.
 */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/buffer.h"
#include "inspect/explain/chain.h"

enum severity {
	SEVERITY_FAULT, /* it cannot go on without help */
	SEVERITY_SUSPECT, /* it may be meant so */
	SEVERITY_NOTE
};

enum finding_code {
#define FINDING(code, name, severity) FINDING_##code,
#include "inspect/explain/findings.def"
#undef FINDING
	FINDINGS
};

extern const char severity_names[SEVERITY_NOTE + 1][8];
extern const char finding_names[FINDINGS][32];

struct finding {
	enum finding_code code;
	enum severity severity;
	pid_t pid;
	/* escaped; the details are lines, each with a newline behind it */
	struct buffer where, sentence, details;
	/*
	 * Two snapshots have one finding, and nothing has moved, if it is the
	 * same.
	 */
	uint64_t signature;
	bool is_of_two; /* it was found by comparing two snapshots */
	size_t place; /* in the order in which they were found */
};

struct findings {
	struct finding *list;
	size_t count;
};

/* One judgement. */
struct judge {
	struct chain *chain;
	/* the one before, or NULL */
	struct snapshot *before;
	struct snapshot_process
	    *root; /* the one process that was named, or NULL */
	int64_t elapsed; /* ns since that began, at least */
	bool all; /* notes, too */
	struct findings *findings;
};

/* Add what is found to JUDGE->findings.  Returns 0 or -ENOMEM. */
int findings_judge(struct judge *judge);

/*
 * Whether a thread of PROCESS has not slept since the snapshot before, and may
 * go round a wait: it makes system calls, or an entry is ready all the time.
 */
bool findings_may_spin(const struct judge *judge,
    const struct snapshot_process *process);

/* Whether the entry of W makes every wait of its epoll instance return now. */
bool findings_makes_return(const struct waited *w);

/*
 * Keep of AFTER what BEFORE has, too, the faults first; the two may be one.
 * Returns 0 or -ENOMEM.
 */
int findings_confirm(struct findings *after, const struct findings *before);

void findings_free(struct findings *findings);

/*
 * For the files that judge: a new finding about PROCESS, WHERE being its
 * descriptor NUMBER, or entry NUMBER of epoll EPOLL, or -1; or NULL.
 */
struct finding *findings_add(struct judge *judge, enum finding_code code,
    const struct snapshot_process *process, int epoll, int number);

/* Mix VALUE into the signature. */
void findings_mix(struct finding *finding, uint64_t value);

/*
 * Whether a process that may not be examined is of the session of PROCESS, so
 * that it may have inherited an end of the same pipe or socket.
 */
bool judge_hidden_relative(struct snapshot *snapshot,
    const struct snapshot_process *process);

/* The parts of findings_judge: of one wait, a process, those that are stuck. */
int judge_wait(struct judge *judge, const struct waited *wait);
int judge_watches(struct judge *judge, const struct waited *wait);
int judge_registration(struct judge *judge, const struct waited *wait);
int judge_process(struct judge *judge, struct snapshot_process *process);
int judge_stuck(struct judge *judge);
int judge_spinning(struct judge *judge);

#endif
