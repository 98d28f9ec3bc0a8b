/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "await/internal.h"
#include "base/list.h"
#include "base/pmux.h"
#include "output/debug.h"
#include "output/diag.h"

static const struct condition_kind *const kinds[] = { &condition_exit,
	&condition_exists, &condition_absent, &condition_connect };
#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- the list ---- */

/* Room for one more.  Returns it, or NULL. */
static struct condition *
append(void)
{
	struct await *await = pmux->await;
	struct condition *list;

	if (await == NULL)
		await = pmux->await = calloc(1, sizeof *await);
	if (await == NULL)
		return NULL;
	list = list_room(await->list, await->count, sizeof *list);
	if (list == NULL)
		return NULL;
	await->list = list;
	list += await->count;
	memset(list, 0, sizeof *list);
	list->first = (uint32_t)await->count++;
	return list;
}

int
await_add(const char *option, const char *word, uint32_t *index, uint32_t *bit)
{
	struct condition *c = append();
	size_t kind = 0;

	if (c == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	while (strcmp(kinds[kind]->option, option) != 0)
		kind++;
	c->kind = kinds[kind];
	c->word = word;
	c->connection = -1;
	*index = c->first;
	*bit = c->kind->bit;
	return c->kind->parse(c);
}

/* By kind, word and place. */
static int
compare(const void *left, const void *right)
{
	const struct condition *a = *(struct condition *const *)left,
			       *b = *(struct condition *const *)right;
	int order = (a->kind->bit > b->kind->bit) -
	    (a->kind->bit < b->kind->bit);

	if (order == 0)
		order = strcmp(a->word, b->word);
	return order != 0 ? order :
			    (a->first > b->first) - (a->first < b->first);
}

int
await_unify(void)
{
	struct await *await = pmux->await;
	struct condition **sorted;

	sorted = malloc(await->count * sizeof *sorted);
	if (sorted == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < await->count; i++)
		sorted[i] = &await->list[i];
	qsort(sorted, await->count, sizeof *sorted, compare);
	for (size_t i = 1; i < await->count; i++)
		if (sorted[i]->kind == sorted[i - 1]->kind &&
		    strcmp(sorted[i]->word, sorted[i - 1]->word) == 0)
			sorted[i]->first = sorted[i - 1]->first;
	free(sorted);
	return 0;
}

uint32_t
await_first(uint32_t index)
{
	return pmux->await->list[index].first;
}

void
await_place(uint32_t index, uint32_t token)
{
	pmux->await->list[index].token = token;
}

/* ---- conditions of a wait ---- */

/* The condition with TOKEN. */
static struct condition *
find(uint32_t token)
{
	struct condition *list = pmux->await->list;
	size_t low = 0, high = pmux->await->count, middle;

	/* those that are the same as an earlier one have no token */
	while (low + 1 < high) {
		middle = low + (high - low) / 2;
		if (list[list[middle].first].token <= token)
			low = middle;
		else
			high = middle;
	}
	return &list[list[low].first];
}

/* Ask C if it is due.  Returns 0 or -errno. */
static int
ask(struct backend_state *s, struct condition *c)
{
	int answer;

	if ((c->state & MET) != 0 ||
	    ((c->state & DUE) == 0 &&
		(c->next == DEADLINE_NEVER || c->next > pmux->await->now)))
		return 0;
	c->state &= (uint8_t)~DUE;
	answer = c->kind->ask(s, c);
	if (answer == 1) {
		c->kind->end(s, c);
		c->state |= MET;
	}
	return answer < 0 ? answer : 0;
}

/*
 * Ask all that are due.  Returns 0 with how many are met in *MET and the ns
 * until the next is due in *LEFT, or -errno.
 */
static int
ask_all(struct backend_state *s, size_t *met, int64_t *left)
{
	struct await *await = pmux->await;
	deadline_t next = DEADLINE_NEVER;
	size_t kept = 0;
	int error = 0;

	*met = 0;
	if (await->active_count > 0)
		await->now = clock_now();
	for (size_t i = 0; i < await->active_count; i++) {
		struct condition *c = &await->list[await->active[i]];

		if (error == 0 && (c->state & ADDED) != 0)
			error = ask(s, c);
		if ((c->state & ADDED) == 0 ||
		    ((c->state & (DUE | MET)) == 0 &&
			c->next == DEADLINE_NEVER)) {
			c->state &= (uint8_t)~ACTIVE;
			continue;
		}
		await->active[kept++] = await->active[i];
		if ((c->state & MET) != 0)
			++*met;
		else
			next = deadline_sooner(next, c->next);
	}
	await->active_count = kept;
	*left = deadline_left(next);
	return error;
}

/* Append a copy of EVENT to those of the wait.  Returns 0 or -ENOMEM. */
static int
add_event(struct backend_state *s, const struct event *event)
{
	size_t wanted = s->capacity + s->capacity / 2 + 16;
	struct event *grown;

	if (s->count == s->capacity) {
		grown = realloc(s->events, wanted * sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		s->events = grown;
		s->capacity = wanted;
	}
	s->events[s->count++] = *event;
	return 0;
}

/* The descriptor of SLOT is reported. */
static void
slot_ready(struct backend_state *s, uint32_t slot)
{
	const struct slot *of = &s->slots[slot];

	if (of->shared != NULL)
		of->shared(s, slot);
	else
		condition_due(&pmux->await->list[of->condition]);
}

/* Take the events of the own wait.  Returns 0 or -errno. */
static int
take_own(struct backend_state *s)
{
	struct event event;
	int error = 0;

	while (error == 0 && s->base->next(s->own, &event)) {
		if (event.token < s->first_slot)
			error = add_event(s, &event);
		else
			slot_ready(s, event.token - s->first_slot);
	}
	return error;
}

static int
add_met(struct backend_state *s)
{
	struct await *await = pmux->await;
	int error = 0;

	for (size_t i = 0; i < await->active_count && error == 0; i++) {
		const struct condition *c = &await->list[await->active[i]];
		const struct event event = { .token = c->token,
			.bits = c->kind->bit,
			.data = c->data };

		if ((c->state & (ADDED | MET)) == (ADDED | MET))
			error = add_event(s, &event);
	}
	return error;
}

static int
by_token(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	return (a->token > b->token) - (a->token < b->token);
}

/* ---- the functions of struct backend ---- */

static void
close_connection(struct condition *c)
{
	if (c->connection >= 0)
		(void)close(c->connection);
	c->connection = -1;
}

/* Wait for C no longer. */
static void
drop(struct backend_state *s, struct condition *c)
{
	if ((c->state & (ADDED | MET)) == ADDED)
		c->kind->end(s, c);
	c->state &= ACTIVE;
	close_connection(c);
}

static void
await_close(struct backend_state *s)
{
	if (s == NULL)
		return;
	/* a parent of fork(2) may have the same epoll instance: no remove */
	s->base->close(s->own);
	s->own = NULL;
	for (size_t i = 0; s->conditions && i < pmux->await->count; i++)
		drop(s, &pmux->await->list[i]);
	if (s->conditions)
		paths_close();
	free(s->slots);
	free(s->events);
	free(s);
}

static int
open_over(const struct backend *base, struct backend_state **state,
    size_t capacity)
{
	struct await *await = pmux->await;
	struct backend_state *s = calloc(1, sizeof *s);
	size_t slots = 0;
	int error = -ENOMEM;

	if (await->active == NULL)
		await->active = calloc(await->count, sizeof *await->active);
	for (size_t i = 0; i < await->count; i++)
		slots += await->list[i].kind->descriptors;
	if (s != NULL && await->active != NULL) {
		s->base = base;
		s->first_slot = (uint32_t)capacity;
		error = base->open(&s->own, capacity + slots);
	}
	if (error != 0) {
		free(s);
		return error;
	}
	*state = s;
	return 0;
}

/* One function for each: open has no argument that names its backend. */
static int
open_usual(struct backend_state **state, size_t capacity)
{
	return open_over(pmux->await->over[0].base, state, capacity);
}

static int
open_stream(struct backend_state **state, size_t capacity)
{
	return open_over(pmux->await->over[1].base, state, capacity);
}

static int
await_add_target(struct backend_state *s, uint32_t token, int fd, uint32_t bits)
{
	struct condition *c;
	int error;

	if ((bits & AWAIT_ANY) == 0)
		return s->base->add(s->own, token, fd, bits);
	c = find(token);
	c->state = ADDED | (c->state & ACTIVE);
	c->pause = 0;
	c->next = DEADLINE_NEVER;
	s->conditions = true;
	error = c->kind->start(s, c);
	if (error != 0)
		c->state &= ACTIVE;
	else if ((c->state & MET) != 0)
		condition_activate(c);
	return error;
}

static int
await_modify(struct backend_state *s, uint32_t token, int fd, uint32_t bits)
{
	return s->base->modify(s->own, token, fd, bits);
}

static int
await_remove(struct backend_state *s, uint32_t token, int fd)
{
	if (fd != AWAIT_NO_FD)
		return s->base->remove(s->own, token, fd);
	drop(s, find(token));
	return 0;
}

static int
await_wait(struct backend_state *s, size_t max, int64_t timeout)
{
	int64_t left;
	size_t met;
	int n, error;

	s->count = s->cursor = 0;
	error = ask_all(s, &met, &left);
	if (error != 0)
		return error;
	/* what reports edges must not report more than the caller takes */
	n = met >= max && s->base->flag_edge != 0 ?
	    0 :
	    s->base->wait(s->own, s->base->flag_edge != 0 ? max - met : max,
		met > 0 ? 0 : deadline_sooner(timeout, left));
	if (n < 0)
		return n;
	if (n > 0)
		error = take_own(s);
	if (error == 0)
		error = ask_all(s, &met, &left);
	if (error == 0)
		error = add_met(s);
	if (error != 0)
		return error;
	if (met > 0 && s->count > 1)
		qsort(s->events, s->count, sizeof *s->events, by_token);
	return s->count > INT_MAX ? INT_MAX : (int)s->count;
}

static int
await_next(struct backend_state *s, struct event *event)
{
	if (s->cursor == s->count)
		return 0;
	*event = s->events[s->cursor++];
	/* each is reported once */
	if ((event->bits & AWAIT_ANY) != 0)
		find(event->token)->state &= ACTIVE;
	return 1;
}

static int
await_number(struct backend_state *s)
{
	return s->base->number(s->own);
}

static const char *
await_hint(int error, uint32_t bits)
{
	const struct backend *base = pmux->await->over[0].base;

	if ((bits & AWAIT_EXIT) != 0 && (error == -EINVAL || error == -ENOENT))
		return "a thread's ID, not a process's";
	return base->hint == NULL ? NULL : base->hint(error, bits);
}

const struct backend *
await_over(const struct backend *base, bool alone)
{
	struct await *await = pmux->await;
	struct backend *over;
	const char *detail;
	size_t i, n = 0;

	if (await == NULL)
		return base;
	if (alone && await->count >= MANY && base == &backend_poll &&
	    backend_epoll.probe(&detail) >= 0)
		base = &backend_epoll;
	i = await->over[0].base == NULL ? 0 : 1;
	await->over[i].base = base;
	over = &await->over[i].backend;
	*over = *base;
	for (const struct flag *f = base->flags; *f->name != '\0'; f++)
		await->over[i].flags[n++] = *f;
	for (size_t k = 0; k < KINDS; k++, n++) {
		strcpy(await->over[i].flags[n].name, kinds[k]->option);
		await->over[i].flags[n].bit = kinds[k]->bit;
	}
	over->flags = await->over[i].flags;
	over->mask_other |= AWAIT_ANY;
	over->open = i == 0 ? open_usual : open_stream;
	over->add = await_add_target;
	over->modify = base->modify == NULL ? NULL : await_modify;
	over->remove = await_remove;
	over->wait = await_wait;
	over->next = await_next;
	over->close = await_close;
	over->hint = await_hint;
	over->number = base->number == NULL ? NULL : await_number;
	return over;
}

void
await_keep(void)
{
	if (pmux->await != NULL)
		pmux->await->keeps = true;
}

void
await_no_status(void)
{
	if (pmux->await != NULL)
		pmux->await->no_status = true;
}

int
await_connection(uint32_t token)
{
	return find(token)->connection;
}

void
await_let_go(void)
{
	struct await *await = pmux->await;

	for (size_t i = 0; await != NULL && i < await->count; i++)
		close_connection(&await->list[i]);
}

void
await_until(deadline_t deadline)
{
	if (pmux->await != NULL)
		pmux->await->until = deadline;
}

void
await_end(struct await *await)
{
	if (await == NULL)
		return;
	for (size_t i = 0; i < await->count; i++) {
		close_connection(&await->list[i]);
		if (await->list[i].kind->release != NULL)
			await->list[i].kind->release(&await->list[i]);
	}
	free(await->list);
	free(await->active);
	free(await);
}
