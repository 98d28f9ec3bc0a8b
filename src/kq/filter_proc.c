#include "knote.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connector.h"
#include "filter.h"
#include "item.h"
#include "process.h"

/* Newer than some headers: Linux 5.4, 5.3. */
#ifndef P_PIDFD
#define P_PIDFD	3
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434
#endif

/* Linux 6.15 (include/uapi/linux/pidfd.h): what a process was. */
struct pidfd_information {
	uint64_t	mask, cgroup;
	uint32_t	ids[11];
	int32_t		status;
};
#define INFORMATION_EXIT	(UINT64_C(1) << 3)
#define GET_INFORMATION		_IOWR(0xff, 11, struct pidfd_information)

/* How often to look again while it is reaped, which takes microseconds. */
#define REAPING		200

/* What the connector is needed for. */
#define FOLLOWED	(NOTE_FORK | NOTE_EXEC | NOTE_TRACK)

static int
open_process(uintptr_t ident)
{
	int fd;

	if (ident == 0 || ident > INT32_MAX)
		return -ESRCH;
	fd = private_descriptor((int)syscall(SYS_pidfd_open, (pid_t)ident,
	    0u));
	/* the number of a thread is none of a process */
	if (fd == -EINVAL || fd == -ENOENT)
		return -ESRCH;
	return fd == -ENOSYS ? -EOPNOTSUPP : fd;
}

/* ---- how it ended ---- */

/* Field 52 of /proc/PID/stat of a zombie (proc(5)). */
static bool
status_of_zombie(pid_t pid, int *status)
{
	char path[32], text[1024], *field;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* the name, in parentheses, may hold anything */
	field = strrchr(text, ')');
	if (field == NULL || strncmp(field, ") Z", 3) != 0)
		return false;
	field = strrchr(field, ' ');
	*status = atoi(field + 1);
	return true;
}

/* A child is left to be waited for. */
static bool
status_of_child(int fd, int *status)
{
	const int flags = WEXITED | WNOWAIT | WNOHANG;
	siginfo_t child;

	memset(&child, 0, sizeof child);
	if (waitid((idtype_t)P_PIDFD, (id_t)fd, &child, flags) == -1 ||
	    child.si_pid == 0)
		return false;
	*status = child.si_status;
	if (child.si_code == CLD_EXITED)
		*status = (child.si_status & 0xff) << 8;
	else if (child.si_code == CLD_DUMPED)
		*status |= 0x80;
	return true;
}

/* A process that was reaped: 1, 0 if it was not yet, or -1 if nobody tells. */
static int
status_of_reaped(int fd, int *status)
{
	struct pidfd_information information;

	memset(&information, 0, sizeof information);
	information.mask = INFORMATION_EXIT;
	/* C libraries differ in the type of ioctl's request */
	if (syscall(SYS_ioctl, fd, GET_INFORMATION, &information) == -1)
		return errno == ESRCH ? 0 : -1;
	if ((information.mask & INFORMATION_EXIT) == 0)
		return 0;
	*status = information.status;
	return 1;
}

/* While the parent is just reaping it, it is neither zombie nor reaped. */
static bool
status_of(const struct knote *k, int *status)
{
	int fd = k->process.descriptor, told = 0;

	if (status_of_child(fd, status))
		return true;
	for (int i = 0; i < REAPING && told == 0; i++) {
		if (status_of_zombie((pid_t)k->event.ident, status) ||
		    (told = status_of_reaped(fd, status)) == 1)
			return true;
		(void)sched_yield();
	}
	return false;
}

static bool
has_ended(const struct knote *k)
{
	struct pollfd p = { k->process.descriptor, POLLIN, 0 };

	return k->process.ended || (p.fd != -1 && poll(&p, 1, 0) == 1);
}

/* ---- the knote ---- */

static int
arm(struct knote *k)
{
	if (k->process.descriptor == -1 || k->process.ended)
		return 0;
	return item_arm(k, k->process.descriptor, EPOLLIN, false);
}

static void
disarm(struct knote *k)
{
	item_mute(k, k->process.descriptor);
}

static int
follow(struct knote *k, unsigned fflags)
{
	if ((k->fflags & FOLLOWED) != 0 || (fflags & FOLLOWED) == 0)
		return 0;
	return connector_use(k->queue);
}

static void
follow_no_more(const struct knote *k)
{
	if ((k->fflags & FOLLOWED) != 0)
		connector_leave(k->queue);
}

static int
proc_attach(struct knote *k)
{
	unsigned wanted = k->fflags;
	int error, fd = open_process(k->event.ident);

	if (fd < 0)
		return fd;
	k->process.descriptor = fd;
	k->event.flags |= EV_CLEAR;
	k->fflags = 0;
	error = follow(k, wanted);
	if (error == 0) {
		k->fflags = wanted;
		error = arm(k);
		if (error != 0)
			follow_no_more(k);
	}
	if (error != 0)
		(void)close(fd);
	else if ((k->status & KNOTE_DISABLED) != 0)
		disarm(k);
	return error;
}

static int
proc_change(struct knote *k, const struct kevent *change)
{
	int error;

	connector_told(k->queue);
	error = follow(k, change->fflags);
	if (error != 0)
		return error;
	if ((change->fflags & FOLLOWED) == 0)
		follow_no_more(k);
	k->fflags = change->fflags;
	k->data = change->data;
	return 0;
}

static void
proc_detach(struct knote *k)
{
	(void)item_disarm(k, k->process.descriptor);
	if (k->process.descriptor != -1)
		(void)close(k->process.descriptor);
	follow_no_more(k);
}

static void
end(struct knote *k)
{
	/* what came before the end belongs to it */
	connector_told(k->queue);
	if (!k->process.known)
		k->process.known = status_of(k, &k->process.status);
	k->process.ended = true;
	(void)item_disarm(k, k->process.descriptor);
	if ((k->fflags & NOTE_EXIT) != 0)
		k->event.fflags |= NOTE_EXIT;
}

static int
proc_event(struct knote *k)
{
	if (!k->process.ended && has_ended(k))
		end(k);
	k->event.data = 0;
	if (k->process.ended) {
		k->event.flags |= EV_EOF | EV_ONESHOT;
		k->event.data = k->process.status;
		return k->event.fflags != 0 ? 1 : -1;
	}
	return k->event.fflags != 0;
}

/* ---- the first report of a child that is followed ---- */

static int
child_event(struct knote *k)
{
	const struct knote *child = knote_find(k->queue, EVFILT_PROC,
	    k->event.ident);

	k->event.fflags = NOTE_CHILD;
	k->event.data = k->data;
	if (child != NULL ? has_ended(child) :
	    kill((pid_t)k->event.ident, 0) == -1)
		k->event.flags |= EV_EOF;
	return 1;
}

static const struct filter filter_child = {
	.number = EVFILT_PROC,
	.event = child_event,
};

static void
announce(const struct knote *parent, const struct kevent *child)
{
	struct knote *k;

	k = knote_new(parent->queue, &filter_child, child, false);
	if (k == NULL)
		return;
	k->event.flags |= EV_CLEAR | EV_ONESHOT;
	k->data = (int64_t)parent->event.ident;
	knote_activate(k);
}

/* A child that ended and was reaped meanwhile is told by the connector. */
static int
track(const struct knote *parent, pid_t pid)
{
	struct kevent child = parent->event;
	struct knote *k;
	int fd, error;

	child.ident = (uintptr_t)pid;
	child.fflags = parent->fflags;
	if (knote_find(parent->queue, EVFILT_PROC, child.ident) != NULL)
		return 0;
	fd = open_process(child.ident);
	if (fd < 0 && fd != -ESRCH)
		return fd;
	k = knote_new(parent->queue, parent->filter, &child, true);
	if (k == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return -ENOMEM;
	}
	k->process.descriptor = fd < 0 ? -1 : fd;
	k->queue->followers++;		/* as parent has it */
	error = arm(k);
	if (error != 0) {
		knote_drop(k);
		return error;
	}
	announce(parent, &child);
	return 0;
}

static void
post(struct knote *k, unsigned note)
{
	if ((k->fflags & note) == 0)
		return;
	k->event.fflags |= note;
	knote_activate(k);
}

static void
post_error(struct knote *k)
{
	k->event.fflags |= NOTE_TRACKERR;
	knote_activate(k);
}

/* ---- what the connector tells ---- */

static struct knote *
find(struct queue *q, pid_t pid)
{
	return knote_find(q, EVFILT_PROC, (uintptr_t)pid);
}

void
process_forked(struct queue *q, pid_t parent, pid_t child)
{
	struct knote *k = find(q, parent);

	if (k == NULL || k->process.ended)
		return;
	post(k, NOTE_FORK);
	if ((k->fflags & NOTE_TRACK) != 0 && track(k, child) != 0)
		post_error(k);
}

void
process_executed(struct queue *q, pid_t pid)
{
	struct knote *k = find(q, pid);

	if (k != NULL)
		post(k, NOTE_EXEC);
}

void
process_ended(struct queue *q, pid_t pid, int status)
{
	struct knote *k = find(q, pid);

	if (k == NULL)
		return;
	k->process.status = status;
	k->process.known = true;
	if (k->process.descriptor != -1)
		return;			/* its pidfd says when all has ended */
	k->process.ended = true;
	if ((k->fflags & NOTE_EXIT) != 0)
		k->event.fflags |= NOTE_EXIT;
	knote_activate(k);
}

static void
lost(struct link *l, void *argument)
{
	struct knote *k = (struct knote *)l;

	(void)argument;
	if (k->event.filter != EVFILT_PROC)
		return;
	if ((k->fflags & NOTE_TRACK) != 0)
		post_error(k);
	/* its end may have been among that */
	if (k->process.descriptor == -1 &&
	    kill((pid_t)k->event.ident, 0) == -1 && errno == ESRCH) {
		k->process.ended = true;
		post(k, NOTE_EXIT);
	}
}

void
processes_lost(struct queue *q)
{
	table_each(&q->knotes, lost, NULL);
}

const struct filter filter_proc = {
	.number = EVFILT_PROC,
	.attach = proc_attach,
	.change = proc_change,
	.detach = proc_detach,
	.event = proc_event,
	.disarm = disarm,
	.arm = arm,
};
