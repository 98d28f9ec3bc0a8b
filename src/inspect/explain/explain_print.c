/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "inspect/facts/comm.h"
#include "inspect/explain/explain.h"
#include "inspect/columns.h"
#include "inspect/member.h"
#include "output/escape.h"
#include "output/output.h"

static void
put(const struct buffer *buffer)
{
	output_bytes(buffer->used == 0 ? "" : buffer->bytes, buffer->used);
}

/* ---- text ---- */

static void
print_line(const struct line *line)
{
	for (unsigned i = 0; i < line->depth; i++)
		output_string("  ");
	put(&line->text);
	output_character('\n');
}

/* Each line of the details begins with a tab. */
static void
print_details(const struct buffer *details)
{
	const char *line = details->bytes, *end;

	for (; details->used > 0 && *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		output_character('\t');
		output_bytes(line, (size_t)(end + 1 - line));
	}
}

/* The fields before the sentence, and how wide they are on a terminal. */
enum {
	FIELD_SEVERITY,
	FIELD_CODE,
	FIELD_WHERE,
	FIELDS
};

struct fields {
	const char *text[FIELDS];
	size_t length[FIELDS];
};

static struct fields
fields_of(const struct finding *f)
{
	struct fields fields = {
		.text = { severity_names[f->severity], finding_names[f->code],
		    f->where.used == 0 ? "" : f->where.bytes },
	};

	fields.length[FIELD_SEVERITY] = strlen(severity_names[f->severity]);
	fields.length[FIELD_CODE] = strlen(finding_names[f->code]);
	fields.length[FIELD_WHERE] = f->where.used;
	return fields;
}

/* WIDTHS NULL: with tabs. */
static void
put_fields(const struct fields *fields, const size_t *widths)
{
	for (size_t i = 0; i < FIELDS; i++) {
		size_t width = columns_width(fields->text[i],
		    fields->length[i]);

		output_bytes(fields->text[i], fields->length[i]);
		if (widths == NULL)
			output_character('\t');
		else
			for (; width < widths[i] + 2; width++)
				output_character(' ');
	}
}

static void
print_finding(const struct finding *f, const size_t *widths)
{
	struct fields fields = fields_of(f);

	put_fields(&fields, widths);
	put(&f->sentence);
	output_character('\n');
	print_details(&f->details);
}

/* The heading, on a terminal; WIDTHS are set for the findings below. */
static void
print_heading(const struct findings *findings, size_t *widths)
{
	const struct fields heads = { { "SEVERITY", "CODE", "WHERE" },
		{ 8, 4, 5 } };

	for (size_t i = 0; i < FIELDS; i++)
		widths[i] = heads.length[i];
	for (size_t n = 0; n < findings->count; n++) {
		struct fields fields = fields_of(&findings->list[n]);

		for (size_t i = 0; i < FIELDS; i++) {
			size_t width = columns_width(fields.text[i],
			    fields.length[i]);

			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
	put_fields(&heads, widths);
	output_string("FINDING\n");
}

void
explain_print_text(const struct chain *chain, const struct findings *findings)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;
	size_t widths[FIELDS];

	for (size_t i = 0; i < chain->line_count; i++)
		print_line(&chain->lines[i]);
	if (findings->count > 0 && terminal)
		print_heading(findings, widths);
	for (size_t i = 0; i < findings->count; i++)
		print_finding(&findings->list[i], terminal ? widths : NULL);
}

/* ---- JSON ---- */

static void
put_text(const char *key, const struct buffer *text)
{
	member_key(key);
	output_json(text->used == 0 ? "" : text->bytes, text->used);
}

/* What both kinds of objects begin with. */
static void
begin(const struct chain *chain, const char *type, pid_t pid)
{
	output_string("{\"type\":\"");
	output_string(type);
	output_string("\"");
	member_number("pid", pid, true);
	member_bytes("comm", comm_of(chain->snapshot->source, pid));
}

static void
print_json_line(const struct chain *chain, const struct line *line)
{
	static const char *const types[] = { "process", "thread", "descriptor",
		"peer" };

	begin(chain, types[line->type], line->pid);
	member_number("tid", line->tid, line->tid != 0);
	member_number("fd", line->number, line->number != -1);
	member_number("depth", line->depth, true);
	member_word("severity", NULL);
	member_word("code", NULL);
	member_word("where", NULL);
	put_text("sentence", &line->text);
	output_string(",\"details\":[],\"unknown\":{");
	if (line->why != NULL) {
		output_string(line->type == LINE_DESCRIPTOR ? "\"ready\":" :
			line->type == LINE_PEER		    ? "\"peers\":" :
							      "\"wait\":");
		member_value(line->why);
	}
	output_string("}}\n");
}

static void
put_json_details(const struct buffer *details)
{
	const char *line = details->bytes, *end;

	member_key("details");
	output_character('[');
	for (; details->used > 0 && *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (line != details->bytes)
			output_character(',');
		output_json(line, (size_t)(end - line));
	}
	output_string("],\"unknown\":{}}\n");
}

static void
print_json_finding(const struct chain *chain, const struct finding *f)
{
	begin(chain, "finding", f->pid);
	member_word("tid", NULL);
	member_word("fd", NULL);
	member_word("depth", NULL);
	member_word("severity", severity_names[f->severity]);
	member_word("code", finding_names[f->code]);
	put_text("where", &f->where);
	put_text("sentence", &f->sentence);
	put_json_details(&f->details);
}

void
explain_print_json(const struct chain *chain, const struct findings *findings)
{
	for (size_t i = 0; i < chain->line_count; i++)
		print_json_line(chain, &chain->lines[i]);
	for (size_t i = 0; i < findings->count; i++)
		print_json_finding(chain, &findings->list[i]);
}
