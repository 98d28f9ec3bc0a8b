/* SPDX-License-Identifier: ISC */
/*
 * sys/event.h - kqueue(2) and kevent(2) for a system that lacks them, with the
 * names, types and values of FreeBSD.
 *
 * It is on the include path only where the system has no such header.
 * kq(3) lists the differences from FreeBSD.
 */
#ifndef KQ_SYS_EVENT_H
#define KQ_SYS_EVENT_H

#include <sys/types.h>

#include <aio.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_AIO (-3) /* added by aio_read(2), aio_write(2) */
#define EVFILT_VNODE (-4)
#define EVFILT_PROC (-5)
#define EVFILT_SIGNAL (-6)
#define EVFILT_TIMER (-7)
#define EVFILT_NETDEV (-8) /* FreeBSD 4 to 9 */
#define EVFILT_USER (-11)

struct kevent {
	uintptr_t ident; /* the watched object */
	short filter;
	unsigned short flags;
	unsigned int fflags; /* of the filter */
	int64_t data; /* of the filter */
	void *udata; /* returned unchanged */
};

#define EV_SET(event, a, b, c, d, e, f)              \
	do {                                         \
		struct kevent *ev_set = (event);     \
		ev_set->ident = (uintptr_t)(a);      \
		ev_set->filter = (short)(b);         \
		ev_set->flags = (unsigned short)(c); \
		ev_set->fflags = (unsigned int)(d);  \
		ev_set->data = (int64_t)(e);         \
		ev_set->udata = (void *)(f);         \
	} while (0)

/* actions */
#define EV_ADD 0x0001 /* add, or change the existing knote */
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008

/* flags */
#define EV_ONESHOT 0x0010 /* deleted after a report */
#define EV_CLEAR 0x0020 /* reset after a report */
#define EV_RECEIPT 0x0040 /* report success too: EV_ERROR, data 0 */
#define EV_DISPATCH 0x0080 /* disabled after a report */

/* only in returned events */
#define EV_ERROR 0x4000 /* data is an errno value */
#define EV_EOF 0x8000 /* end of file, or of the watched object */

/* EVFILT_READ, EVFILT_WRITE */
#define NOTE_LOWAT 0x0001 /* data: bytes required to be ready */
/* Of this library only: data may be 0, which saves a system call. */
#define NOTE_NODATA 0x80000000u

/* EVFILT_VNODE */
#define NOTE_DELETE 0x0001
#define NOTE_WRITE 0x0002
#define NOTE_EXTEND 0x0004
#define NOTE_ATTRIB 0x0008
#define NOTE_LINK 0x0010
#define NOTE_RENAME 0x0020
#define NOTE_REVOKE 0x0040
#define NOTE_OPEN 0x0080
#define NOTE_CLOSE 0x0100 /* of a read-only descriptor */
#define NOTE_CLOSE_WRITE 0x0200
#define NOTE_READ 0x0400

/*
 * EVFILT_PROC; data of NOTE_EXIT is the wait status, or -1 if it is unknown,
 * which is neither WIFEXITED nor WIFSIGNALED.  A BSD always knows it.
 */
#define NOTE_EXIT 0x80000000u
#define NOTE_FORK 0x40000000u
#define NOTE_EXEC 0x20000000u
#define NOTE_PCTRLMASK 0xf0000000u
#define NOTE_PDATAMASK 0x000fffffu
#define NOTE_TRACK 0x0001 /* also watch its children */
#define NOTE_TRACKERR 0x0002 /* a child could not be watched */
#define NOTE_CHILD 0x0004 /* it is a child of a watched process */

/* EVFILT_TIMER; the unit is milliseconds by default */
#define NOTE_SECONDS 0x0001
#define NOTE_MSECONDS 0x0002
#define NOTE_USECONDS 0x0004
#define NOTE_NSECONDS 0x0008
#define NOTE_ABSTIME 0x0010 /* data is a time since the Epoch */

/* EVFILT_NETDEV; the identifier is the interface's index */
#define NOTE_LINKUP 0x0001
#define NOTE_LINKDOWN 0x0002
#define NOTE_LINKINV 0x0004 /* unknown, or the interface is gone */

/* EVFILT_USER */
#define NOTE_FFNOP 0x00000000u
#define NOTE_FFAND 0x40000000u
#define NOTE_FFOR 0x80000000u
#define NOTE_FFCOPY 0xc0000000u
#define NOTE_FFCTRLMASK 0xc0000000u
#define NOTE_FFLAGSMASK 0x00ffffffu
#define NOTE_TRIGGER 0x01000000u

/*
 * Create a queue.  Its descriptor works with poll(2), select(2), epoll(7) and
 * other queues; a child of fork(2) does not inherit it.  FLAGS, as in NetBSD's
 * kqueue1: O_CLOEXEC; O_NONBLOCK, which has no effect.  Returns -1 with errno:
 * EINVAL (other flags), EMFILE, ENFILE, ENOMEM, EDEADLK (see kevent).
 */
int kqueue(void);
int kqueue1(int flags);

/*
 * Apply NCHANGES changes, then wait for and return at most NEVENTS events, for
 * at most TIMEOUT (for ever if it is NULL).  Both arrays may be the same one.
 * Returns the number of EVENTS filled in, or -1 with errno.  A cancellation
 * point.
 *
 * A failed change is returned as an event with EV_ERROR while there is room,
 * and the call does not wait.  Without room the call returns -1 with its errno:
 * EBADF, ENOENT (no such knote), EINVAL, EPERM, ESRCH, ENODEV, EPIPE, EACCES,
 * EOPNOTSUPP and ENOSYS (no kernel mechanism), EMFILE, ENOMEM, ENOSPC (inotify
 * watches).
 *
 * Other errors: EBADF: QUEUE is not a queue, or another thread closed it, which
 * also ends a wait; EINVAL: TIMEOUT is invalid; EINTR: a
 * signal was handled and there was no event; EDEADLK: the caller is a signal
 * handler that interrupted kevent().
 *
 * If the system fails while it checks for an event, a change fails with that
 * errno.  A knote added earlier reports EV_ERROR and EV_ONESHOT with the errno
 * as data, and is deleted.
 */
int kevent(int queue, const struct kevent *changes, int nchanges,
    struct kevent *events, int nevents, const struct timespec *timeout);

/*
 * Asynchronous reads and writes that report completion as an event.  Set
 * sigev_notify to SIGEV_KEVENT, sigev_notify_kqueue to a queue and
 * sigev_value.sival_ptr to the udata.  The event's identifier is the address of
 * the struct aiocb.  The event is reported until aio_return is called; until
 * then the program must not change aio_sigevent.  Otherwise as the C library's
 * aio(7).
 */
#define SIGEV_KEVENT 3
#if defined(__GLIBC__)
#define sigev_notify_kqueue _sigev_un._pad[0]
#else
#define sigev_notify_kqueue sigev_notify_thread_id
#endif

/* Call a function of the library, which exports only those above. */
#define KQ_AIO (-0x4b51) /* in place of the queue */
#define KQ_AIO_READ 1u
#define KQ_AIO_WRITE 2u
#define KQ_AIO_FETCH 3u

static __inline int
kq_aio(struct aiocb *request, unsigned int function)
{
	struct kevent call;

	EV_SET(&call, request, EVFILT_AIO, 0, function, 0, 0);
	return kevent(KQ_AIO, &call, 1, 0, 0, 0);
}

static __inline int
kq_aio_read(struct aiocb *request)
{
	return kq_aio(request, KQ_AIO_READ);
}

static __inline int
kq_aio_write(struct aiocb *request)
{
	return kq_aio(request, KQ_AIO_WRITE);
}

static __inline ssize_t
kq_aio_return(struct aiocb *request)
{
	(void)kq_aio(request, KQ_AIO_FETCH);
	return aio_return(request);
}

#define aio_read kq_aio_read
#define aio_write kq_aio_write
#define aio_return kq_aio_return

#ifdef __cplusplus
}
#endif

#endif
