/* SPDX-License-Identifier: ISC */
#include "connector.h"

#include <sys/socket.h>

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "filter_proc.h"
#include "member.h"

/* Room for a burst of some thousand forks. */
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

/* The next event: 1, 0 if there is none, -1 if some were lost. */
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
		/* other processes may send here too */
		if (from.nl_pid != 0 || (size_t)n <= before)
			continue;
		memset(event, 0, sizeof *event);
		n -= (ssize_t)before;
		memcpy(event, buffer + before,
		    (size_t)n < sizeof *event ? (size_t)n : sizeof *event);
		return 1;
	}
}

/* The order was carried out before its send returned: what was the answer? */
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
		/* another network namespace has no connector */
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

/* Threads have a process_pid of their own. */
static void
connector_handle_event(struct queue *q, const struct proc_event *event)
{
	if (event->what == PROC_EVENT_FORK &&
	    event->event_data.fork.child_pid ==
		event->event_data.fork.child_tgid)
		proc_forked(q, event->event_data.fork.parent_tgid,
		    event->event_data.fork.child_tgid);
	else if (event->what == PROC_EVENT_EXEC)
		proc_executed(q, event->event_data.exec.process_tgid);
	else if (event->what == PROC_EVENT_EXIT)
		proc_ended(q, event->event_data.exit.process_tgid,
		    event->event_data.exit.process_pid ==
			event->event_data.exit.process_tgid,
		    (int)event->event_data.exit.exit_code);
}

void
connector_handle(struct queue *q)
{
	struct proc_event event;
	int n;

	while (q->sources[SOURCE_PROCESSES] != -1 &&
	    (n = next_event(q->sources[SOURCE_PROCESSES], &event)) != 0)
		if (n == -1)
			proc_events_lost(q);
		else
			connector_handle_event(q, &event);
}
