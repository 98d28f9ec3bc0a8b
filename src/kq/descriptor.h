/* SPDX-License-Identifier: ISC */
/*
 * descriptor.h - common parts of READ and WRITE: knotes on descriptors, watched
 * by epoll(7), or by inotify(7) for ordinary files, which epoll refuses.
 */
#ifndef KQ_DESCRIPTOR_H
#define KQ_DESCRIPTOR_H

#include "filter.h"
#include "member.h"

enum kind {
	KIND_UNKNOWN,
	KIND_PIPE, /* unnamed */
	KIND_FIFO,
	KIND_TCP,
	KIND_LOCAL_STREAM,
	KIND_SOCKET, /* any other */
	KIND_TERMINAL,
	KIND_QUEUE,
	KIND_FILE, /* regular file or directory: epoll refuses it */
	KIND_OTHER /* eventfd, timerfd, pidfd, and others */
};

/* The kind of KNOTE's descriptor, or -errno.  Probed once per knote. */
int descriptor_kind(struct knote *knote);

/* Functions of struct filter, for both filters. */
filter_attach_fn descriptor_attach;
filter_same_fn descriptor_same;
filter_detach_fn descriptor_detach;
filter_disarm_fn descriptor_disarm;
filter_arm_fn descriptor_arm;

/*
 * Decide from REVENTS (in epoll's bits) whether KNOTE has an event.  Returns as
 * filter_event_fn.
 */
typedef int judge_fn(struct knote *knote, uint32_t revents);

/* The event of KNOTE, of a KIND_FILE.  Returns as filter_event_fn. */
int descriptor_file_event(struct knote *knote);

/*
 * Rearm the member of KNOTE if ACTIVE, the result of a judge_fn, needs that.
 * Returns ACTIVE or -errno.
 */
int descriptor_settle(struct knote *knote, int active);

/*
 * Get the kernel's state of KNOTE's descriptor and have JUDGE decide.  Returns
 * as filter_event_fn.
 */
static inline int
descriptor_event(struct knote *knote, judge_fn *judge)
{
	const struct member *m = &knote->member;
	uint32_t revents;
	int active, error;

	if (m->place == MEMBER_NOWHERE && knote->descriptor.kind == KIND_FILE)
		return descriptor_file_event(knote);
	error = member_events(knote, (int)knote->event.ident, &revents);
	if (error != 0)
		return error;
	knote->event.flags &= (unsigned short)~EV_EOF;
	knote->event.fflags = 0;
	knote->event.data = 0;
	active = judge(knote, revents);
	if (active == 1 && !m->edge && m->place != MEMBER_MAIN)
		return active;
	return descriptor_settle(knote, active);
}

#endif
