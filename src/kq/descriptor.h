/* SPDX-License-Identifier: ISC */
/*
 * descriptor.h - common parts of READ and WRITE: knotes on descriptors, watched
 * by epoll(7), or by inotify(7) for ordinary files, which epoll refuses.
 */
#ifndef KQ_DESCRIPTOR_H
#define KQ_DESCRIPTOR_H

#include "filter.h"

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

/*
 * Get the kernel's state of KNOTE's descriptor and have JUDGE decide.  Returns
 * as filter_event_fn.
 */
int descriptor_event(struct knote *knote, judge_fn *judge);

#endif
