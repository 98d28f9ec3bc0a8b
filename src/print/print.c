/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "base/flags.h"
#include "compat.h"
#include "base/pmux.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/format.h"
#include "print/print.h"
#include "print/record.h"
#include "sys/kernel.h"
#include "target/target.h"

bool
print_wants_data(const struct print_options *options, bool lines)
{
	const char *s = options->format;

	if (options->quiet || s == NULL || options->json)
		return !options->quiet && !lines;
	return format_has(s, 'd');
}

bool
print_wants_status(const struct print_options *options)
{
	const char *s = options->format;

	return !options->quiet &&
	    (s == NULL || options->json || format_has(s, 'e') ||
		format_has(s, 's'));
}

static void
put_record(const struct record *record)
{
	if (record->options->timestamps) {
		text_time();
		output_character('\t');
	}
	if (record->options->format != NULL)
		format_record(record);
	else if (record->kevent != NULL)
		kevent_put_text(record);
	else
		text_event(record);
}

static struct record
make_record(const struct print_options *options, const struct target *target,
    const struct event *event)
{
	return (struct record){ options, target, event,
		target_kevent(options->targets, target), "", 0 };
}

void
print_event(const struct print_options *options, const struct target *target,
    const struct event *event)
{
	struct record record = make_record(options, target, event);

	if (!options->json)
		put_record(&record);
	else if (record.kevent != NULL)
		json_kevent(&record);
	else
		json_event(&record);
	output_character(options->null ? '\0' : '\n');
}

void
print_source(const struct print_options *options, const struct target *target)
{
	struct record record = make_record(options, target, NULL);

	if (options->json) {
		json_head(&record);
		return;
	}
	if (options->timestamps) {
		text_time();
		output_character('\t');
	}
	if (options->format == NULL) {
		text_target(&record);
		output_character('\t');
	}
}

void
print_line(const struct print_options *options, const struct target *target,
    const char *line, size_t length)
{
	struct event event = { .bits = target->bits &
		    options->targets->backend->mask_read,
		.ident = (uint64_t)target->number };
	struct record record = make_record(options, target, &event);

	if (options->json) {
		json_line(line, length);
		return;
	}
	if (print_wants_data(options, true))
		event.data = kernel_available(target->fd);
	record.line = line;
	record.length = length;
	format_record(&record);
}

size_t
print_field(char *to, size_t size, const struct print_options *options,
    const struct target *target, const struct event *event, char field)
{
	struct record record = make_record(options, target, event);

	output_divert(to, size);
	format_field(&record, field);
	return output_restore();
}

void
print_answer(const struct print_options *options, const struct target *target,
    const struct event *event, const struct kevent_request *kevent)
{
	struct record record = {
		.options = options,
		.target = target,
		.event = event,
		.kevent = kevent,
	};

	if (kevent != NULL)
		kevent_put_text(&record);
	else
		text_event(&record);
	output_character('\n');
}

int
print_failed(int error)
{
	struct output *o = pmux->output;

	if (o->status != 0)
		return o->status;
	o->status = EXIT_SYSTEM;
	if (error == -EAGAIN) {
		diag_remark(
		    "standard output: the timeout passed before all output could be written");
		return o->status = EXIT_TIMED_OUT;
	}
	if (error != -EPIPE || pmux->host->survives)
		return diag_system(-error, NULL, "standard output");
	/* also where the caller ignores it */
	if (pmux->host->signal == 0)
		pmux->host->signal = SIGPIPE;
	return EXIT_SYSTEM;
}
