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
#include "run/request.h"
#include "sys/caller.h"
#include "sys/fdplace.h"
#include "sys/foreign.h"
#include "sys/foreign_table.h"
#include "sys/launch.h"
#include "sys/read.h"
#include "sys/sigdefer.h"
#include "target/target.h"

/*
 * The state of a call.  Each page that is touched costs a fault: the members
 * that a one-shot call needs come first and take less than a page, large ones
 * come last.
 */
struct pmux_call {
	struct pmux pmux;
	struct diag diag;
	struct scratch scratch;
	struct foreign_table foreign;
	struct fifos fifos;
	struct fdplace fdplace;
	struct once once;
	struct request request;
	struct first_object first;
	struct target_names names;
	struct sigdefer sigdefer;
	struct caller caller;
	struct launching launching;
	struct backend over;
	struct output output;
	/* not to be zero: each is set before it is read */
	struct sigaction actions[NSIG], replaced[NSIG], own[NSIG];
};

/*
 * Begin a call by HOST in CALL, which is all zero, and end the innermost call;
 * pmux_run does both around a command.
 */
void pmux_enter(struct pmux_call *call, struct pmux_host *host);
void pmux_leave(void);

/*
 * Run the command line ARGV, ARGC words with a NULL behind them, ARGV[0] being
 * pmux's name.  They may be written to.  They and HOST must stay until the call
 * has ended or was abandoned.  Returns the exit status; a message has been
 * printed if it is an error.  HOST->signal is set if the process must end by a
 * signal instead.
 */
int pmux_run(struct pmux_host *host, int argc, char **argv);

/*
 * The host has left calls by longjmp(3) while they slept: give up the innermost
 * COUNT of them, as if each had ended there.
 */
void pmux_abandon(unsigned count);

/*
 * In a child of fork(2), made while calls sleep in the parent: release what the
 * child has of them, which changes nothing for the parent.
 */
void pmux_forget(void);

#endif
