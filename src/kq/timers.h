/*
 * timers.h - any number of timers on two timerfds, one for each clock.
 */
#ifndef KQ_TIMERS_H
#define KQ_TIMERS_H

#include "knote.h"

/* The timerfd has expired: CLOCK, that of the time of day. */
void	timers_told(struct queue *queue, bool clock);

/* Set the timerfds to the next deadlines. */
void	timers_settle(struct queue *queue);

#endif
