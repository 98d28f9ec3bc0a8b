/* SPDX-License-Identifier: ISC */
/*
 * print_json.c - pmux inspect --json: an object for each descriptor, in which
 * every key is there.
 */
#include "config.h"

#include <string.h>

#include "inspect/state.h"
#include "inspect/subject.h"
#include "output/escape.h"
#include "output/output.h"

static void
put_word(const char *key, const char *word)
{
	output_string(",\"");
	output_string(key);
	output_string("\":");
	if (word == NULL)
		output_string("null");
	else
		output_json(word, strlen(word));
}

static void
put_bytes(const char *key, const char *bytes)
{
	output_string(",\"");
	output_string(key);
	output_string("\":");
	output_json_bytes(key, bytes, strlen(bytes));
}

/* VALUE -1: null. */
static void
put_number(const char *key, int64_t value)
{
	output_string(",\"");
	output_string(key);
	output_string("\":");
	if (value == -1)
		output_string("null");
	else
		output_number(value);
}

static void
put_bool(const char *key, bool known, bool value)
{
	output_string(",\"");
	output_string(key);
	output_string(known ? value ? "\":true" : "\":false" : "\":null");
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

void
subject_print_json(const struct subject *s)
{
	const struct descriptor *d = &s->d;
	bool known = d->unknown[FACT_ACCESS] == NULL;

	output_string("{\"pid\":");
	output_number(d->pid);
	put_bytes("comm", s->comm);
	put_number("fd", d->number);
	put_word("kind", kind_name(d->kind));
	put_bytes("name", d->name);
	put_word("access", access_of(d));
	put_bool("nonblock", known, d->nonblock);
	put_bool("cloexec", known, d->cloexec);
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
	output_string(",\"same\":null,\"peers\":null,\"hidden_peers\":null");
	output_string(",\"waiters\":null,\"registrations\":null");
	put_unknown(d);
	output_string("}\n");
}
