/* SPDX-License-Identifier: ISC */
/*
 * descriptor.h - what READ and WRITE share: knotes on descriptors, by epoll(7)
 * where that takes them, by inotify(7) on ordinary files.
 */
#ifndef KQ_DESCRIPTOR_H
#define KQ_DESCRIPTOR_H

#include "filter.h"

enum kind {
	KIND_UNKNOWN,
	KIND_PIPE, /* without a name */
	KIND_FIFO,
	KIND_TCP,
	KIND_LOCAL_STREAM,
	KIND_SOCKET, /* any other */
	KIND_TERMINAL,
	KIND_QUEUE,
	KIND_FILE, /* what epoll refuses */
	KIND_OTHER /* eventfd, timerfd, pidfd and the like */
};

/*
 * What kind of descriptor KNOTE is about, or -errno; it is looked at once.
 */
int descriptor_kind(struct knote *knote);

/* The slots of struct filter for both. */
filter_attach_fn descriptor_attach;
filter_same_fn descriptor_same;
filter_detach_fn descriptor_detach;
filter_disarm_fn descriptor_disarm;
filter_arm_fn descriptor_arm;

/*
 * Judge of REVENTS (epoll's bits) whether KNOTE has something to report.
 * Returns as the event of struct filter.
 */
typedef int judge_fn(struct knote *knote, uint32_t revents);

/* What JUDGE says of what the kernel says. */
int descriptor_event(struct knote *knote, judge_fn *judge);

#endif
