/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "filter_netdev.h"
#include "member.h"

static int
subscribe(struct queue *q)
{
	const int type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	struct sockaddr_nl address;
	struct sockaddr *a;
	int fd, error;

	if (q->interfaces > 0)
		return 0;
	fd = socket(AF_NETLINK, type, NETLINK_ROUTE);
	memset(&address, 0, sizeof address);
	address.nl_family = AF_NETLINK;
	address.nl_groups = RTMGRP_LINK;
	a = (struct sockaddr *)&address;
	if (fd == -1 || bind(fd, a, sizeof address) == 0)
		return source_add(q, SOURCE_LINKS, fd, false);
	error = -errno;
	(void)close(fd);
	return error;
}

/* The note for interface flags FLAGS: up with a carrier, or down. */
static unsigned
state_of(unsigned flags)
{
	const unsigned up = IFF_UP | IFF_RUNNING;

	return (flags & up) == up ? NOTE_LINKUP : NOTE_LINKDOWN;
}

/* The note for the current state of NAME; NOTE_LINKINV if it is unknown. */
static unsigned
state_now(const char *name)
{
	struct ifreq request;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned state = NOTE_LINKINV;

	memset(&request, 0, sizeof request);
	memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (fd == -1)
		return state;
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0)
		state = state_of((unsigned short)request.ifr_flags);
	(void)close(fd);
	return state;
}

static int
netdev_attach(struct knote *k)
{
	char name[IF_NAMESIZE];
	int error;

	if (k->event.ident > UINT32_MAX ||
	    if_indextoname((unsigned)k->event.ident, name) == NULL)
		return -ENXIO;
	if ((error = subscribe(k->queue)) != 0)
		return error;
	k->queue->interfaces++;
	k->event.flags |= EV_CLEAR;
	k->state = state_now(name);
	return 0;
}

static void
netdev_detach(struct knote *k)
{
	struct queue *q = k->queue;

	if (--q->interfaces > 0)
		return;
	private_close(q->sources[SOURCE_LINKS]);
	q->sources[SOURCE_LINKS] = -1;
}

static int
netdev_event(struct knote *k)
{
	return k->event.fflags != 0;
}

static void
netdev_post(struct knote *k, unsigned state)
{
	if (k->state == state)
		return;
	k->state = state;
	if ((k->fflags & state) == 0)
		return;
	k->event.fflags |= state;
	knote_activate(k);
}

/* As FreeBSD did when a device was detached. */
static void
netdev_gone(struct knote *k)
{
	k->event.flags |= EV_EOF | EV_ONESHOT;
	k->event.fflags |= NOTE_LINKINV;
	knote_activate(k);
}

static void
handle_message(struct queue *q, struct nlmsghdr *header)
{
	const struct ifinfomsg *link = NLMSG_DATA(header);
	struct knote *k;

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof *link) ||
	    link->ifi_family != AF_UNSPEC)
		return;
	k = knote_find(q, EVFILT_NETDEV, (uintptr_t)link->ifi_index);
	if (k == NULL)
		return;
	if (header->nlmsg_type == RTM_DELLINK)
		netdev_gone(k);
	else if (header->nlmsg_type == RTM_NEWLINK)
		netdev_post(k, state_of(link->ifi_flags));
}

/* Query the interface of a knote, after messages were lost. */
static void
check_interface(struct link *l, void *argument)
{
	struct knote *k = knote_of(l);
	char name[IF_NAMESIZE];

	(void)argument;
	if (k->event.filter != EVFILT_NETDEV)
		return;
	if (if_indextoname((unsigned)k->event.ident, name) == NULL)
		netdev_gone(k);
	else
		netdev_post(k, state_now(name));
}

void
netdev_handle(struct queue *q)
{
	_Alignas(struct nlmsghdr) char buffer[8192];
	struct nlmsghdr *header;
	ssize_t n;

	for (;;) {
		n = recv(q->sources[SOURCE_LINKS], buffer, sizeof buffer, 0);
		if (n == -1 && errno == ENOBUFS) {
			table_each(&q->knotes, check_interface, NULL);
			continue;
		}
		if (n <= 0)
			return;
		for (size_t at = 0; at < (size_t)n;
		     at += NLMSG_ALIGN(header->nlmsg_len)) {
			header = (void *)(buffer + at);
			if (!NLMSG_OK(header, (size_t)n - at))
				break;
			handle_message(q, header);
		}
	}
}

const struct filter filter_netdev = {
	.number = EVFILT_NETDEV,
	.attach = netdev_attach,
	.detach = netdev_detach,
	.event = netdev_event,
};
