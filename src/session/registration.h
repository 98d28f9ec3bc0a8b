/* SPDX-License-Identifier: ISC */
/*
 * registration.h - the requests that poll, devpoll and epoll share: registered
 * targets stay in the object from one wait to the next.
 *
 * They call the slots add, modify and remove of the object.  Of these, remove
 * also gives up the handle, unless something may still be reported of it.
 */
#ifndef REGISTRATION_H
#define REGISTRATION_H

#include "session/internal.h"

session_fn registration_register, registration_modify, registration_unregister;

/* poll [TIMEOUT], and with MAXEVENTS behind it. */
session_fn registration_poll, registration_poll_max;

/* T is not registered.  Returns an exit status. */
int registration_unknown(struct session *s, const struct target *t);

#endif
