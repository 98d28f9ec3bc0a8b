/* SPDX-License-Identifier: ISC */
/*
 * links.h - the state of network interfaces, from rtnetlink(7).
 */
#ifndef KQ_LINKS_H
#define KQ_LINKS_H

#include "knote.h"

/* rtnetlink may have something: tell the NETDEV knotes of QUEUE. */
void links_told(struct queue *queue);

#endif
