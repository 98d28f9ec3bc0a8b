/* SPDX-License-Identifier: ISC */
/*
 * netdev.c - network interfaces that come up and go down.
 */
#include "kq.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef EVFILT_NETDEV

static unsigned
loopback(void)
{
	unsigned i = if_nametoindex("lo");

	if (i == 0)
		i = if_nametoindex("lo0");
	if (i == 0)
		skip("no loopback interface");
	return i;
}

static void
added_and_deleted(void)
{
	unsigned i = loopback();

	change(kq, "#%u NETDEV ADD CLEAR LINKUP LINKDOWN LINKINV", i);
	change(kq, "#%u NETDEV ADD CLEAR LINKDOWN", i);
	expect(kq, " ");
	change(kq, "#%u NETDEV DISABLE LINKDOWN", i);
	change(kq, "#%u NETDEV ENABLE LINKDOWN", i);
	change(kq, "#%u NETDEV DELETE", i);
	refuse(kq, ENOENT, "#%u NETDEV DELETE", i);
	expect(kq, " ");
}

static void
missing(void)
{
	int error = try_change(kq, "#999999 NETDEV ADD LINKUP");

	check(error == ENXIO || error == EINVAL, "errno %d", error);
	error = try_change(kq, "#0 NETDEV ADD LINKUP");
	check(error == ENXIO || error == EINVAL, "errno %d", error);
	error = try_change(kq, "#-1 NETDEV ADD LINKUP");
	check(error == ENXIO || error == EINVAL, "errno %d", error);
	refuse(kq, ENOENT, "#999999 NETDEV DELETE");
}

#ifdef __linux__
static unsigned kqa, kqb;

/* Two interfaces joined by a cable, in a network of this test's own. */
static void
new_cable(void)
{
	if (unshare(CLONE_NEWNET) == -1)
		skip("a network of its own needs more permissions");
	/* an earlier queue may watch the earlier network */
	close(kq);
	kq = new_queue("kq");
	if (system("ip link add kqa type veth peer name kqb") != 0)
		skip("ip(8) makes no veth");
	kqa = if_nametoindex("kqa");
	kqb = if_nametoindex("kqb");
	check(kqa != 0 && kqb != 0, "the interfaces");
}

static void
ip(const char *command)
{
	check(system(command) == 0, "%s", command);
}

static void
up_and_down(void)
{
	new_cable();
	change(kq, "#%u NETDEV ADD CLEAR LINKUP LINKDOWN LINKINV @1", kqa);
	expect(kq, " ");
	ip("ip link set kqa up");
	ip("ip link set kqb up");
	await(kq, "#%u NETDEV CLEAR LINKUP LINKDOWN? =* @1", kqa);
	ip("ip link set kqb down");
	await(kq, "#%u NETDEV CLEAR LINKDOWN =* @1", kqa);
	ip("ip link set kqb up");
	await(kq, "#%u NETDEV CLEAR LINKUP =* @1", kqa);
	expect(kq, " ");
}

/* The carrier is reported some time after both ends are up. */
static void
await_running(const char *name)
{
	struct ifreq request;
	int s = must(socket(AF_UNIX, SOCK_DGRAM, 0));

	memset(&request, 0, sizeof request);
	memcpy(request.ifr_name, name, strlen(name));
	do
		must(ioctl(s, SIOCGIFFLAGS, &request));
	while ((request.ifr_flags & IFF_RUNNING) == 0 && sched_yield() == 0);
	close(s);
}

static void
only_what_is_asked_for(void)
{
	new_cable();
	ip("ip link set kqa up");
	ip("ip link set kqb up");
	await_running("kqa");
	await_running("kqb");
	change(kq, "#%u NETDEV ADD CLEAR LINKDOWN", kqa);
	change(kq, "#%u NETDEV ADD CLEAR LINKUP", kqb);
	ip("ip link set kqb down");
	await(kq, "#%u NETDEV CLEAR LINKDOWN =*", kqa);
	ip("ip link set kqb up");
	await(kq, "#%u NETDEV CLEAR LINKUP =*", kqb);
	expect(kq, " ");
}

static void
taken_away(void)
{
	new_cable();
	ip("ip link set kqa up");
	ip("ip link set kqb up");
	change(kq, "#%u NETDEV ADD CLEAR LINKINV", kqa);
	ip("ip link del kqa");
	await(kq,
	    "#%u NETDEV CLEAR LINKINV =* |"
	    "#%u NETDEV CLEAR EOF LINKINV =* |"
	    "#%u NETDEV CLEAR EOF ONESHOT LINKINV =*",
	    kqa, kqa, kqa);
	expect(kq, " ");
}
#endif

#endif

const struct test netdev_tests[] = {
#ifdef EVFILT_NETDEV
	{ "netdev_added_and_deleted", added_and_deleted },
	{ "netdev_missing", missing },
#ifdef __linux__
	{ "netdev_up_and_down", up_and_down },
	{ "netdev_only_what_is_asked_for", only_what_is_asked_for },
	{ "netdev_taken_away", taken_away },
#endif
#endif
	{ NULL, NULL },
};
