/* SPDX-License-Identifier: ISC */
/*
 * filter_netdev.h - the state of network interfaces, from rtnetlink(7).
 */
#ifndef KQ_FILTER_NETDEV_H
#define KQ_FILTER_NETDEV_H

#include "knote.h"

/* Read rtnetlink and update the NETDEV knotes of QUEUE. */
void netdev_handle(struct queue *queue);

#endif
