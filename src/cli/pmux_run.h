/* SPDX-License-Identifier: ISC */
/*
 * pmux_run.h - pmux as a function.
 */
#ifndef PMUX_RUN_H
#define PMUX_RUN_H

#include "backend/backend.h"
#include "base/pmux.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "output/output.h"
#include "run/once.h"
#include "sys/caller.h"
#include "sys/fdplace.h"
#include "sys/foreign.h"
#include "sys/foreign_table.h"
#include "sys/launch.h"
#include "sys/read.h"
#include "sys/sigdefer.h"
#include "target/request.h"
#include "target/target.h"

/* All that a call has.  It is large, and mostly never touched. */
struct pmux_call {
	struct pmux pmux;
	struct caller caller;
	struct fdplace fdplace;
	struct launching launching;
	struct scratch scratch;
	struct sigdefer sigdefer;
	struct foreign_table foreign;
	struct backend over;
	struct diag diag;
	struct fifos fifos;
	struct request request;
	struct target_names names;
	struct once once;
	struct first_object first;
	struct output output;
};

/*
 * Begin a call by HOST in CALL, all zero, and end the innermost one: what
 * pmux_run does around a command.
 */
void pmux_enter(struct pmux_call *call, struct pmux_host *host);
void pmux_leave(void);

/*
 * Run the command line ARGV, ARGC words with a NULL behind them, ARGV[0] being
 * pmux's name; they may be permuted and written to.  Returns the exit status; a
 * message has been printed if it is an error.  HOST->signal says whether the
 * process is to end by a signal instead.
 */
int pmux_run(struct pmux_host *host, int argc, char **argv);

/*
 * HOST has left calls by longjmp(3) while they slept: give up the innermost
 * COUNT of them, as if each had ended there.
 */
void pmux_abandon(struct pmux_host *host, unsigned count);

#endif
