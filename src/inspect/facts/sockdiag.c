/* SPDX-License-Identifier: ISC */
/*
 * sockdiag.c - sock_diag(7) for local sockets, TCP and UDP.
 *
 * What the numbers mean was seen on Linux 6.18 and is in net/unix/diag.c,
 * net/ipv4/tcp_diag.c and net/ipv4/udp_diag.c.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "inspect/facts/sockdiag.h"

const char *
sock_state_name(enum sock_state state)
{
	static const char *const names[SOCK_STATES] = { "?", "established",
		"syn-sent", "syn-received", "fin-wait-1", "fin-wait-2",
		"time-wait", "closed", "close-wait", "last-ack", "listens",
		"closing" };

	return names[state < SOCK_STATES ? state : 0];
}

static int
compare_inodes(const void *a, const void *b)
{
	const struct sock *one = a, *other = b;

	return (one->inode > other->inode) - (one->inode < other->inode);
}

static int
compare_ends(const struct sock_address *a, const struct sock_address *b)
{
	int order = memcmp(a->bytes, b->bytes, sizeof a->bytes);

	return order != 0 ? order : (int)a->port - (int)b->port;
}

static int
compare_addresses(const void *a, const void *b)
{
	const struct sock *const *one = a, *const *other = b;
	int order = (int)(*one)->protocol - (int)(*other)->protocol;

	if (order == 0)
		order = compare_ends(&(*one)->local, &(*other)->local);
	return order != 0 ? order :
			    compare_ends(&(*one)->remote, &(*other)->remote);
}

const struct sock *
sockets_find(const struct sockets *sockets, uint64_t inode)
{
	struct sock wanted = { .inode = inode };

	if (inode == 0 || sockets->count == 0)
		return NULL;
	return bsearch(&wanted, sockets->list, sockets->count,
	    sizeof *sockets->list, compare_inodes);
}

const struct sock *
sockets_other(const struct sockets *sockets, const struct sock *sock)
{
	struct sock wanted = { .protocol = sock->protocol,
		.local = sock->remote,
		.remote = sock->local };
	const struct sock *key = &wanted;
	struct sock **found;

	if (sock->protocol == SOCK_UNIX || sock->remote.port == 0 ||
	    sockets->address_count == 0)
		return NULL;
	found = bsearch(&key, sockets->by_address, sockets->address_count,
	    sizeof *sockets->by_address, compare_addresses);
	return found == NULL ? NULL : *found;
}

static void
note_listeners(struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->waiting_count; i++) {
		struct sock wanted = { .inode = sockets->waiting[i].client };
		struct sock *client = bsearch(&wanted, sockets->list,
		    sockets->count, sizeof *sockets->list, compare_inodes);

		if (client != NULL)
			client->listener = sockets->waiting[i].listener;
	}
}

int
sockets_index(struct sockets *sockets)
{
	if (sockets->count == 0)
		return 0;
	qsort(sockets->list, sockets->count, sizeof *sockets->list,
	    compare_inodes);
	note_listeners(sockets);
	free(sockets->by_address);
	sockets->address_count = 0;
	sockets->by_address = malloc(
	    sockets->count * sizeof *sockets->by_address);
	if (sockets->by_address == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->list[i].protocol != SOCK_UNIX)
			sockets->by_address
			    [sockets->address_count++] = &sockets->list[i];
	if (sockets->address_count > 0)
		qsort(sockets->by_address, sockets->address_count,
		    sizeof *sockets->by_address, compare_addresses);
	return 0;
}

void
sockets_free(struct sockets *sockets)
{
	free(sockets->list);
	free(sockets->by_address);
	free(sockets->waiting);
	memset(sockets, 0, sizeof *sockets);
}

#if defined(__linux__) && defined(HAVE_LINUX_UNIX_DIAG_H)

#include <sys/socket.h>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <unistd.h>

#include "sys/fdplace.h"

/* Of netlink(7): a dump comes in pieces of at most this many bytes. */
#define REPLY_SIZE 32768

static int
add(struct sockets *sockets, const struct sock *sock)
{
	struct sock *grown = list_room(sockets->list, sockets->count,
	    sizeof *sock);

	if (grown == NULL)
		return -ENOMEM;
	sockets->list = grown;
	sockets->list[sockets->count++] = *sock;
	return 0;
}

static int
add_waiting(struct sockets *sockets, uint64_t client, uint64_t listener)
{
	struct sock_pair *grown = list_room(sockets->waiting,
	    sockets->waiting_count, sizeof *grown);

	if (grown == NULL)
		return -ENOMEM;
	sockets->waiting = grown;
	sockets->waiting[sockets->waiting_count++] = (struct sock_pair){ client,
		listener };
	return 0;
}

/* The attributes of a message, as yet to be taken. */
struct attributes {
	const char *at;
	size_t left;
};

/* What follows SIZE bytes of HEADER's message, which has them. */
static struct attributes
attributes_of(const struct nlmsghdr *header, size_t size)
{
	size_t before = NLMSG_SPACE(size);

	if (header->nlmsg_len <= before)
		return (struct attributes){ NULL, 0 };
	return (struct attributes){ (const char *)header + before,
		header->nlmsg_len - before };
}

/* The next one, whole; NULL after the last. */
static const struct rtattr *
next_attribute(struct attributes *list)
{
	const struct rtattr *a = (const void *)list->at;
	size_t size;

	if (list->left < sizeof *a || a->rta_len < sizeof *a ||
	    a->rta_len > list->left)
		return NULL;
	size = RTA_ALIGN(a->rta_len);
	if (size > list->left)
		size = list->left;
	list->at += size;
	list->left -= size;
	return a;
}

/* As RTA_DATA and NLMSG_DATA, whose casts drop const. */
static const void *
data_of(const struct rtattr *a)
{
	return (const char *)a + RTA_LENGTH(0);
}

static const void *
body_of(const struct nlmsghdr *header)
{
	return (const char *)header + NLMSG_HDRLEN;
}

/* Number INDEX of those in an attribute, 0 if it is too short. */
static uint32_t
word_of(const struct rtattr *a, size_t index)
{
	uint32_t word = 0;

	if (RTA_PAYLOAD(a) >= (index + 1) * sizeof word)
		memcpy(&word, (const char *)data_of(a) + index * sizeof word,
		    sizeof word);
	return word;
}

/* SK_MEMINFO_* of sock_diag(7). */
static void
take_memory(struct sock *sock, const struct rtattr *a)
{
	sock->receive_memory = word_of(a, 0);
	sock->receive_limit = word_of(a, 1);
	sock->send_memory = word_of(a, 2);
	sock->send_limit = word_of(a, 3);
}

static uint8_t
byte_of(const struct rtattr *a)
{
	return RTA_PAYLOAD(a) > 0 ? *(const uint8_t *)data_of(a) : 0;
}

static int
take_clients(struct sockets *sockets, const struct sock *sock,
    const struct rtattr *a)
{
	size_t count = RTA_PAYLOAD(a) / sizeof(uint32_t);
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = add_waiting(sockets, word_of(a, i), sock->inode);
	return error;
}

static int
take_unix_attribute(struct sockets *sockets, struct sock *sock,
    const struct rtattr *a)
{
	size_t length = RTA_PAYLOAD(a);

	switch (a->rta_type) {
	case UNIX_DIAG_NAME:
		if (length > sizeof sock->name)
			length = sizeof sock->name;
		memcpy(sock->name, data_of(a), length);
		/* a path may have its NUL, an abstract name begins with one */
		if (length > 0 && sock->name[0] != '\0')
			length = strnlen(sock->name, length);
		sock->name_length = (uint8_t)length;
		break;
	case UNIX_DIAG_VFS:
		sock->file_inode = word_of(a, 0);
		sock->file_device = word_of(a, 1);
		break;
	case UNIX_DIAG_PEER:
		sock->peer = word_of(a, 0);
		break;
	case UNIX_DIAG_ICONS:
		return take_clients(sockets, sock, a);
	case UNIX_DIAG_RQLEN:
		sock->receive = word_of(a, 0);
		sock->send = word_of(a, 1);
		break;
	case UNIX_DIAG_MEMINFO:
		take_memory(sock, a);
		break;
	case UNIX_DIAG_SHUTDOWN:
		sock->shut = byte_of(a);
		break;
	default:
		break;
	}
	return 0;
}

static int
parse_unix(struct sockets *sockets, const struct nlmsghdr *header)
{
	const struct unix_diag_msg *message = body_of(header);
	struct sock sock = { .protocol = SOCK_UNIX };
	struct attributes list = attributes_of(header, sizeof *message);
	const struct rtattr *a;
	int error = 0;

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof *message))
		return -EINVAL;
	sock.inode = message->udiag_ino;
	sock.type = message->udiag_type;
	sock.state = message->udiag_state;
	while (error == 0 && (a = next_attribute(&list)) != NULL)
		error = take_unix_attribute(sockets, &sock, a);
	return error != 0 ? error : add(sockets, &sock);
}

static void
take_address(struct sock_address *to, uint8_t family, const uint32_t *words,
    uint16_t port)
{
	if (family == AF_INET) {
		to->bytes[10] = to->bytes[11] = 0xff;
		memcpy(to->bytes + 12, words, 4);
	} else
		memcpy(to->bytes, words, 16);
	to->port = ntohs(port);
}

/* An older kernel's structure is shorter. */
static void
take_tcp_info(struct sock *sock, const struct rtattr *a)
{
	size_t length = RTA_PAYLOAD(a);
	struct tcp_info info;

	memset(&info, 0, sizeof info);
	memcpy(&info, data_of(a), length < sizeof info ? length : sizeof info);
	sock->unsent = info.tcpi_notsent_bytes;
	sock->sent_ago = info.tcpi_last_data_sent;
	sock->received_ago = info.tcpi_last_data_recv;
}

static void
take_inet_attribute(struct sock *sock, const struct rtattr *a)
{
	switch (a->rta_type) {
	case INET_DIAG_INFO:
		if (sock->protocol == SOCK_TCP)
			take_tcp_info(sock, a);
		break;
	case INET_DIAG_SKMEMINFO:
		take_memory(sock, a);
		break;
	case INET_DIAG_SHUTDOWN:
		sock->shut = byte_of(a);
		break;
	default:
		break;
	}
}

static int
parse_inet(struct sockets *sockets, enum sock_protocol protocol,
    const struct nlmsghdr *header)
{
	const struct inet_diag_msg *message = body_of(header);
	struct sock sock = { .protocol = protocol };
	struct attributes list = attributes_of(header, sizeof *message);
	const struct rtattr *a;

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof *message))
		return -EINVAL;
	sock.inode = message->idiag_inode;
	sock.state = message->idiag_state;
	sock.receive = message->idiag_rqueue;
	sock.send = message->idiag_wqueue;
	sock.timer = message->idiag_timer;
	sock.retransmits = message->idiag_retrans;
	take_address(&sock.local, message->idiag_family, message->id.idiag_src,
	    message->id.idiag_sport);
	take_address(&sock.remote, message->idiag_family, message->id.idiag_dst,
	    message->id.idiag_dport);
	while ((a = next_attribute(&list)) != NULL)
		take_inet_attribute(&sock, a);
	return add(sockets, &sock);
}

static int
error_of(const struct nlmsghdr *header)
{
	const struct nlmsgerr *error = body_of(header);

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof *error) ||
	    error->error >= 0)
		return -EINVAL;
	return error->error;
}

int
sockets_parse(struct sockets *sockets, enum sock_protocol protocol,
    const char *reply, size_t length)
{
	const struct nlmsghdr *header = (const void *)reply;
	size_t size;
	int error;

	while (length >= sizeof *header) {
		if (header->nlmsg_len < sizeof *header ||
		    header->nlmsg_len > length)
			return -EINVAL;
		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		if (header->nlmsg_type == NLMSG_ERROR)
			return error_of(header);
		if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
			error = protocol == SOCK_UNIX ?
			    parse_unix(sockets, header) :
			    parse_inet(sockets, protocol, header);
			if (error != 0)
				return error;
		}
		size = NLMSG_ALIGN(header->nlmsg_len);
		if (size >= length)
			break;
		header = (const void *)((const char *)header + size);
		length -= size;
	}
	return 1;
}

static int
ask(int fd, const void *request, size_t length)
{
	static const uint16_t dump = NLM_F_REQUEST | NLM_F_DUMP;
	struct {
		struct nlmsghdr header;
		char request[sizeof(struct inet_diag_req_v2)];
	} message;

	memset(&message, 0, sizeof message);
	message.header.nlmsg_len = (uint32_t)NLMSG_LENGTH(length);
	message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message.header.nlmsg_flags = dump;
	memcpy(message.request, request, length);
	return send(fd, &message, message.header.nlmsg_len, 0) == -1 ? -errno :
								       0;
}

/* Send REQUEST and take what comes.  Returns 0 or -errno. */
static int
dump(struct sockets *sockets, int fd, enum sock_protocol protocol,
    const void *request, size_t length, char *reply)
{
	int error = ask(fd, request, length);
	ssize_t n;

	while (error == 0) {
		n = recv(fd, reply, REPLY_SIZE, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -EIO : -errno;
		error = sockets_parse(sockets, protocol, reply, (size_t)n);
		if (error == 0)
			return 0;
		error = error > 0 ? 0 : error;
	}
	return error;
}

static int
dump_unix(struct sockets *sockets, int fd, char *reply)
{
	struct unix_diag_req request;

	memset(&request, 0, sizeof request);
	request.sdiag_family = AF_UNIX;
	request.udiag_states = UINT32_MAX;
	request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS |
	    UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN |
	    UDIAG_SHOW_MEMINFO;
	return dump(sockets, fd, SOCK_UNIX, &request, sizeof request, reply);
}

static int
dump_inet(struct sockets *sockets, int fd, enum sock_protocol protocol,
    uint8_t family, char *reply)
{
	struct inet_diag_req_v2 request;

	memset(&request, 0, sizeof request);
	request.sdiag_family = family;
	request.sdiag_protocol = protocol == SOCK_TCP ? IPPROTO_TCP :
							IPPROTO_UDP;
	request.idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1) |
	    1 << (INET_DIAG_SHUTDOWN - 1);
	if (protocol == SOCK_TCP)
		request.idiag_ext |= 1 << (INET_DIAG_INFO - 1);
	request.idiag_states = UINT32_MAX;
	return dump(sockets, fd, protocol, &request, sizeof request, reply);
}

/* A kernel without IPv6, or without the module: -ENOENT. */
static int
dump_both(struct sockets *sockets, int fd, enum sock_protocol protocol,
    char *reply)
{
	int four = dump_inet(sockets, fd, protocol, AF_INET, reply);
	int six = dump_inet(sockets, fd, protocol, AF_INET6, reply);

	return four != 0 ? four : six == -ENOENT ? 0 : six;
}

/* Ask by FD about PROTOCOL. */
static void
dump_protocol(struct sockets *sockets, int fd, enum sock_protocol protocol,
    char *reply)
{
	sockets->errors[protocol] = fd < 0 ? fd :
	    protocol == SOCK_UNIX	   ? dump_unix(sockets, fd, reply) :
				    dump_both(sockets, fd, protocol, reply);
}

/* Ask for the protocols from FIRST to LAST. */
static int
read_protocols(struct sockets *sockets, enum sock_protocol first,
    enum sock_protocol last)
{
	char *reply = malloc(REPLY_SIZE);
	int fd;

	if (reply == NULL)
		return -ENOMEM;
	fd = fdplace(
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
	for (int i = (int)first; i <= (int)last; i++)
		dump_protocol(sockets, fd, (enum sock_protocol)i, reply);
	if (fd >= 0)
		(void)close(fd);
	free(reply);
	for (int i = (int)first; i <= (int)last; i++)
		if (sockets->errors[i] == -ENOMEM)
			return -ENOMEM;
	return sockets_index(sockets);
}

int
sockets_read_local(struct sockets *sockets)
{
	memset(sockets, 0, sizeof *sockets);
	return read_protocols(sockets, SOCK_UNIX, SOCK_UNIX);
}

int
sockets_read_inet(struct sockets *sockets)
{
	return read_protocols(sockets, SOCK_TCP, SOCK_UDP);
}

#else

int
sockets_parse(struct sockets *sockets, enum sock_protocol protocol,
    const char *reply, size_t length)
{
	(void)sockets;
	(void)protocol;
	(void)reply;
	(void)length;
	return -ENOSYS;
}

int
sockets_read_local(struct sockets *sockets)
{
	memset(sockets, 0, sizeof *sockets);
	for (int i = SOCK_UNIX; i <= SOCK_UDP; i++)
		sockets->errors[i] = -ENOSYS;
	return 0;
}

int
sockets_read_inet(struct sockets *sockets)
{
	(void)sockets;
	return 0;
}

#endif
