/* SPDX-License-Identifier: ISC */
/*
 * print_json.c - pmux inspect --json: an object for each descriptor, in which
 * every key is there.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inspect/facts/comm.h"
#include "inspect/facts/state.h"
#include "inspect/inspect/subject.h"
#include "inspect/member.h"
#include "output/escape.h"
#include "output/output.h"

/* VALUE -1: null. */
static void
put_number(const char *key, int64_t value)
{
	member_number(key, value, value != -1);
}

static const char *
access_of(const struct descriptor *d)
{
	if (d->unknown[FACT_ACCESS] != NULL)
		return NULL;
	return d->readable ? d->writable ? "rw" : "r" :
	    d->writable	   ? "w" :
			     "path";
}

static void
put_unknown(const struct descriptor *d)
{
	const char *separator = "";

	output_string(",\"unknown\":{");
	for (int i = 0; i < FACTS; i++) {
		if (d->unknown[i] == NULL)
			continue;
		output_string(separator);
		separator = ",";
		output_character('"');
		output_string(fact_names[i]);
		output_string("\":");
		output_json(d->unknown[i], strlen(d->unknown[i]));
	}
	output_character('}');
}

/* ---- those that have to do with it ---- */

static void
put_descriptor(struct inspection *in, pid_t pid, int number)
{
	const char *comm = comm_of(&in->source, pid);

	output_string("{\"pid\":");
	output_number(pid);
	member_bytes("comm", comm);
	put_number("fd", number);
}

static void
put_holders(struct inspection *in, const char *key,
    const struct holders *holders, const char *why)
{
	member_key(key);
	if (why != NULL) {
		output_string("null");
		return;
	}
	output_character('[');
	for (size_t i = 0; i < holders->count; i++) {
		const struct holder *h = &holders->list[i];

		if (i > 0)
			output_character(',');
		put_descriptor(in, h->pid, h->number);
		member_word("access",
		    h->readable	    ? h->writable ? "rw" : "r" :
			h->writable ? "w" :
				      "path");
		output_character('}');
	}
	output_character(']');
}

/* Those that are found, though there may be others; none: null. */
static void
put_waiters(const struct waiters *waiters, int number)
{
	size_t count;
	const struct waiter *w = waiters_of(waiters, number, &count);

	output_string(",\"waiters\":");
	if (count == 0 && waiters->why != NULL) {
		output_string("null");
		return;
	}
	output_character('[');
	for (size_t i = 0; i < count; i++) {
		bool thread = w[i].epoll < 0;

		output_string(i == 0 ? "{\"thread\":" : ",{\"thread\":");
		if (thread)
			output_number(w[i].thread);
		else
			output_string("null");
		member_word("call", thread ? w[i].call : NULL);
		put_number("epoll", w[i].epoll);
		output_string(",\"events\":");
		if (thread)
			state_json_events(w[i].events);
		else
			state_json_mask(w[i].events);
		output_character('}');
	}
	output_character(']');
}

/* data is a number of 64 bits, which many parsers round: hexadecimal. */
static void
put_entry(struct inspection *in, const struct registration *r)
{
	char data[24];

	output_string("{\"fd\":");
	output_number(r->entry.number);
	member_word("kind", r->kind == KINDS ? NULL : kind_name(r->kind));
	output_string(",\"events\":");
	state_json_mask(r->entry.events);
	(void)snprintf(data, sizeof data, "0x%" PRIx64, r->entry.data);
	member_word("data", data);
	put_number("inode", r->entry.inode == 0 ? -1 : (int64_t)r->entry.inode);
	output_string(",\"ready\":");
	if (r->is_ready_known)
		state_json_events(r->ready);
	else
		output_string("null");
	member_bool("armed", r->armed, true);
	member_bool("stale", r->registered == REGISTERED_STALE,
	    r->registered != REGISTERED_UNKNOWN);
	put_holders(in, "owners", &r->owners, NULL);
	member_word("why", r->why);
	output_character('}');
}

/* Of an epoll instance; null for any other kind. */
static void
put_entries(struct inspection *in, const struct subject *s)
{
	const struct instance *instance = s->d.kind != KIND_EPOLL ?
	    NULL :
	    waiters_instance(subject_waiters(in, s), s->d.number);

	output_string(",\"registrations\":");
	if (instance == NULL || instance->why != NULL) {
		output_string("null");
		return;
	}
	output_character('[');
	for (size_t i = 0; i < instance->entries.count; i++) {
		if (i > 0)
			output_character(',');
		put_entry(in, &instance->entries.list[i]);
	}
	output_character(']');
}

/* ---- the record ---- */

static void
put_facts(const struct descriptor *d)
{
	bool known = d->unknown[FACT_ACCESS] == NULL;

	put_number("fd", d->number);
	member_word("kind", kind_name(d->kind));
	member_bytes("name", d->name);
	member_word("access", access_of(d));
	member_bool("nonblock", d->nonblock, known);
	member_bool("cloexec", d->cloexec, known);
	put_number("inode", d->inode == 0 ? -1 : (int64_t)d->inode);
	put_number("position", d->position);
	output_string(",\"ready\":");
	if (d->unknown[FACT_READY] == NULL)
		state_json_events(d->ready);
	else
		output_string("null");
	put_number("unread", d->unread);
	put_number("capacity", d->capacity);
	output_string(",\"state\":");
	state_json(d);
}

void
subject_print_json(struct inspection *in, const struct subject *s)
{
	const struct descriptor *d = &s->d;

	output_string("{\"pid\":");
	output_number(d->pid);
	member_bytes("comm", comm_of(&in->source, d->pid));
	put_facts(d);
	put_holders(in, "same", &s->peers.same, d->unknown[FACT_SAME]);
	put_holders(in, "peers", &s->peers.other, d->unknown[FACT_PEERS]);
	put_number("hidden_peers",
	    in->world.veiled ? -1 : (int64_t)in->world.hidden);
	put_waiters(subject_waiters(in, s), d->number);
	put_entries(in, s);
	put_unknown(d);
	output_string("}\n");
}
