/* SPDX-License-Identifier: ISC */
/*
 * kind.h - the kinds of descriptors, and which of them may be polled by a
 * process that does not own them.
 */
#ifndef KIND_H
#define KIND_H

#include <sys/types.h>

#include <stdint.h>

/* What poll(2) of a copy does. */
enum polling {
	POLLING_HARMLESS, /* it answers, and has no effect */
	POLLING_ANSWERS_CALLER, /* it answers for the process that polls */
	POLLING_NESTED, /* epoll: it polls what is in the instance */
	POLLING_ALWAYS_READY, /* no poll function, if epoll(7) refuses it */
	POLLING_UNKNOWN /* the driver decides, and may have effects */
};

enum kind {
#define KIND(name, text, link, polling) KIND_##name,
#include "sys/kinds.def"
#undef KIND
	KINDS
};

/* The name of KIND in the output. */
const char *kind_name(enum kind kind);

enum polling kind_polling(enum kind kind);

/*
 * The kind that LINK, the text of a link in /proc/PID/fd, names; KINDS if that
 * depends on the type of the file.  KIND_SOCKET: which is for the socket to
 * say.
 */
enum kind kind_of_link(const char *link);

/*
 * The kind of a file by what stat(2) says, which is MODE, and of a device
 * SPECIAL, its major number above 20 bits of the minor; LINK is the text of its
 * link, or "".
 */
enum kind kind_of_file(mode_t mode, uint64_t special, const char *link);

/*
 * The devices on which all pipes are, all sockets, and all other files without
 * a name, in the form of fdinfo: the major number above 20 bits of the minor.
 * UINT64_MAX: sockets are denied here.
 */
struct kind_devices {
	uint64_t pipes, sockets, anonymous;
};

/* Returns 0, or -errno: -EMFILE, -ENFILE; -ENOSYS. */
int kind_devices(struct kind_devices *devices);

#endif
