/* SPDX-License-Identifier: ISC */
#include "connector.h"

#include <sys/socket.h>

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "member.h"

/* Holds a burst of a few thousand forks. */
#define RECEIVE_BUFFER (1024 * 1024)

struct order {
	struct nlmsghdr header;
	char message[sizeof(struct cn_msg) + sizeof(enum proc_cn_mcast_op)];
};

static bool
connector_subscribe(int fd)
{
	struct sockaddr_nl address;
	enum proc_cn_mcast_op operation = PROC_CN_MCAST_LISTEN;
	struct cn_msg message;
	struct order order;

	memset(&address, 0, sizeof address);
	address.nl_family = AF_NETLINK;
	address.nl_groups = CN_IDX_PROC;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == -1)
		return false;
	memset(&message, 0, sizeof message);
	message.id.idx = CN_IDX_PROC;
	message.id.val = CN_VAL_PROC;
	message.len = sizeof operation;
	memset(&order, 0, sizeof order);
	order.header.nlmsg_len = NLMSG_LENGTH(sizeof order.message);
	order.header.nlmsg_type = NLMSG_DONE;
	memcpy(order.message, &message, sizeof message);
	memcpy(order.message + sizeof message, &operation, sizeof operation);
	return send(fd, &order, sizeof order, 0) == sizeof order;
}

/* Read the next event.  Returns 1, 0 if there is none, -1 if some were lost. */
static int
next_event(int fd, struct proc_event *event)
{
	_Alignas(struct nlmsghdr) char buffer[1024];
	struct sockaddr_nl from = { .nl_pid = 0 };
	socklen_t length = sizeof from;
	const size_t before = NLMSG_HDRLEN + sizeof(struct cn_msg);
	ssize_t n;

	for (;;) {
		n = recvfrom(fd, buffer, sizeof buffer, MSG_DONTWAIT,
		    (struct sockaddr *)&from, &length);
		if (n == -1 && errno == ENOBUFS)
			return -1;
		if (n == -1)
			return 0;
		/* pid 0 is the kernel; any process may send here */
		if (from.nl_pid != 0 || (size_t)n <= before)
			continue;
		memset(event, 0, sizeof *event);
		n -= (ssize_t)before;
		memcpy(event, buffer + before,
		    (size_t)n < sizeof *event ? (size_t)n : sizeof *event);
		return 1;
	}
}

/* Read the answer to the order, which is queued before its send returns. */
static int
read_answer(int fd)
{
	struct proc_event event;
	int got;

	while ((got = next_event(fd, &event)) != 0)
		if (got == 1 && event.what == PROC_EVENT_NONE)
			return -(int)event.event_data.ack.err;
	return -EOPNOTSUPP;
}

int
connector_use(struct queue *q)
{
	const int type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd, error, size = RECEIVE_BUFFER;

	if (q->followers > 0) {
		q->followers++;
		return 0;
	}
	fd = private_descriptor(socket(AF_NETLINK, type, NETLINK_CONNECTOR));
	if (fd == -EPROTONOSUPPORT || fd == -EAFNOSUPPORT || fd == -ENOSYS)
		return -EOPNOTSUPP;
	if (fd < 0)
		return fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	error = connector_subscribe(fd) ? read_answer(fd) : -errno;
	if (error != 0) {
		(void)close(fd);
		/* only the initial network namespace has a connector */
		return error == -ECONNREFUSED ? -EOPNOTSUPP : error;
	}
	error = source_add(q, SOURCE_PROCESSES, fd, false);
	if (error == 0)
		q->followers = 1;
	return error;
}

void
connector_leave(struct queue *q)
{
	if (--q->followers > 0)
		return;
	private_close(q->sources[SOURCE_PROCESSES]);
	q->sources[SOURCE_PROCESSES] = -1;
}

/* Convert FROM to TO.  Returns false for an event of no interest. */
static bool
translate(const struct proc_event *from, struct connector_event *to)
{
	switch (from->what) {
	case PROC_EVENT_FORK:
		to->what = CONNECTOR_FORK;
		to->pid = from->event_data.fork.parent_tgid;
		to->child = from->event_data.fork.child_tgid;
		/* a new thread has a child_pid of its own */
		return from->event_data.fork.child_pid == to->child;
	case PROC_EVENT_EXEC:
		to->what = CONNECTOR_EXEC;
		to->pid = from->event_data.exec.process_tgid;
		return true;
	case PROC_EVENT_EXIT:
		to->what = CONNECTOR_EXIT;
		to->pid = from->event_data.exit.process_tgid;
		to->leader = from->event_data.exit.process_pid == to->pid;
		to->status = (int)from->event_data.exit.exit_code;
		return true;
	default:
		return false;
	}
}

int
connector_next(struct queue *q, struct connector_event *event)
{
	struct proc_event received;
	int n;

	while (q->sources[SOURCE_PROCESSES] != -1 &&
	    (n = next_event(q->sources[SOURCE_PROCESSES], &received)) != 0)
		if (n == -1 || translate(&received, event))
			return n;
	return 0;
}
