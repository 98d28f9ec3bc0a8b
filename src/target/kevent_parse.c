/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <net/if.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "base/duration.h"
#include "base/flags.h"
#include "base/number.h"
#include "base/pmux.h"
#include "output/diag.h"
#include "sys/signals.h"
#include "target/kevent_parse.h"
#include "target/target.h"

/* The bytes that an aio reads by default. */
#define USUAL_BYTES 65536

/* The state of parsing one kevent. */
struct parsing {
	struct kevent_request *request;
	const struct flag *words; /* of its filter */
	const char *word; /* all of it, for messages */
	int length;
	const char *data; /* the value of data=, or NULL */
	size_t data_length;
	bool named; /* it has a word of the filter */
	bool flagged; /* it has flags as a number */
};

/* Stores the VALUE of a word KEY=VALUE. */
typedef int take_fn(struct parsing *parsing, const char *value, size_t length);
static take_fn take_data, take_udata, take_lowat, take_bytes, take_offset,
    take_fflags, take_flags;

#define ALL ((1u << KQUEUE_FILTERS) - 1)
#define STREAMS (1u << KQUEUE_READ | 1u << KQUEUE_WRITE)

static const struct {
	char key[8];
	uint32_t filters; /* that have it */
	uint32_t numbered; /* those that also have it after kevent_numbers */
	take_fn *take;
} values[] = {
	{ "data", ALL & ~(1u << KQUEUE_AIO), 0, take_data },
	{ "udata", ALL, 0, take_udata },
	{ "lowat", STREAMS, 0, take_lowat },
	{ "bytes", 1u << KQUEUE_AIO, 0, take_bytes },
	{ "offset", 1u << KQUEUE_AIO, 0, take_offset },
	{ "fflags", 1u << KQUEUE_USER, ALL, take_fflags },
	{ "flags", 0, ALL, take_flags },
};

#define VALUES (sizeof values / sizeof *values)

void
kevent_numbers(void)
{
	pmux->names->numbers = true;
}

static const char *
filter_name(unsigned filter)
{
	return backend_kqueue.flags[filter].name;
}

static bool
is(const char *name, const char *s, size_t length)
{
	return strlen(name) == length && strncasecmp(name, s, length) == 0;
}

/* Without PREFIX, which the C constants have. */
static void
strip(const char *prefix, const char **s, size_t *length)
{
	size_t n = strlen(prefix);

	if (*length > n && strncasecmp(*s, prefix, n) == 0) {
		*s += n;
		*length -= n;
	}
}

/* The entry of TABLE with that name, or NULL. */
static const struct flag *
find(const struct flag *table, const char *prefix, const char *s, size_t length)
{
	strip(prefix, &s, &length);
	for (; table->name[0] != '\0'; table++)
		if (is(table->name, s, length))
			return table;
	return NULL;
}

bool
kevent_has(unsigned filter, const char *name, uint32_t fflags)
{
	return (flags_bit(kqueue_filters[filter].words, name) & fflags) != 0;
}

uint32_t
kevent_flag(const char *name)
{
	return flags_bit(kqueue_flags, name);
}

/* The filters that have that entry of values. */
static uint32_t
filters_with(size_t which)
{
	return values[which].filters |
	    (pmux->names->numbers ? values[which].numbered : 0);
}

/* The entry of values for KEY=..., or VALUES. */
static size_t
value_of(const char *s, size_t length)
{
	const char *equals = memchr(s, '=', length);
	size_t i;

	for (i = 0; i < VALUES; i++)
		if (equals != NULL && filters_with(i) != 0 &&
		    is(values[i].key, s, (size_t)(equals - s)))
			break;
	return i;
}

/* ---- numbers ---- */

/* With a sign; the kernel checks the value. */
static int
signed_number(const char *s, size_t length, int64_t *value)
{
	bool negative = length > 0 && *s == '-';
	uint64_t magnitude;
	int error = number_parse_0x(s + negative, length - negative, INT64_MAX,
	    &magnitude);

	*value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return error;
}

static int
bad_number(const struct parsing *p, int error, const char *s, size_t length)
{
	if (error == -ERANGE)
		return diag_range("%.*s: '%.*s' is out of range", p->length,
		    p->word, (int)length, s);
	return diag_usage("%.*s: '%.*s' is not a number", p->length, p->word,
	    (int)length, s);
}

/* In nanoseconds.  Returns 0 or an exit status. */
static int
duration(const struct parsing *p, const char *s, size_t length, int64_t *ns)
{
	char text[64] = "";
	int error = -EINVAL;

	*ns = 0;
	if (length < sizeof text) {
		memcpy(text, s, length);
		error = duration_parse(text, ns);
	}
	if (error == 0 && *ns != DURATION_FOREVER)
		return 0;
	if (error == -ERANGE)
		return diag_range("%.*s: '%.*s' is out of range (292 years)",
		    p->length, p->word, (int)length, s);
	return diag_usage(
	    "%.*s: '%.*s' is not a duration (examples: 1.5, 20ms, 2m)",
	    p->length, p->word, (int)length, s);
}

/* ---- words with a value ---- */

static int
take_signed(struct parsing *p, const char *value, size_t length, int64_t *to)
{
	int error = signed_number(value, length, to);

	return error == 0 ? 0 : bad_number(p, error, value, length);
}

/* For a timer the unit depends on later words. */
static int
take_data(struct parsing *p, const char *value, size_t length)
{
	p->data = value;
	p->data_length = length;
	return p->request->filter == KQUEUE_TIMER ?
	    0 :
	    take_signed(p, value, length, &p->request->data);
}

/* Any byte may be written as % and two hexadecimal digits. */
static int
take_udata(struct parsing *p, const char *value, size_t length)
{
	char *to = malloc(length + 1);
	unsigned high, low;

	if (to == NULL)
		return diag_system(ENOMEM, NULL, "udata");
	free(p->request->udata); /* of an earlier word */
	p->request->udata = to;
	for (size_t i = 0; i < length; i++) {
		if (value[i] != '%') {
			*to++ = value[i];
			continue;
		}
		high = i + 2 < length ? number_digit(value[i + 1]) : 16;
		low = i + 2 < length ? number_digit(value[i + 2]) : 16;
		if (high == 16 || low == 16 || high + low == 0)
			return diag_usage("%.*s: a %% in udata is written %%25",
			    p->length, p->word);
		*to++ = (char)(high << 4 | low);
		i += 2;
	}
	*to = '\0';
	return 0;
}

static int
take_lowat(struct parsing *p, const char *value, size_t length)
{
	p->request->fflags |= flags_bit(p->words, "lowat");
	return take_signed(p, value, length, &p->request->data);
}

static int
take_bytes(struct parsing *p, const char *value, size_t length)
{
	uint64_t bytes;
	int error = number_parse_0x(value, length, SSIZE_MAX / 2, &bytes);

	p->request->data = (int64_t)bytes;
	return error == 0 ? 0 : bad_number(p, error, value, length);
}

static int
take_offset(struct parsing *p, const char *value, size_t length)
{
	return take_signed(p, value, length, &p->request->offset);
}

static int
take_fflags(struct parsing *p, const char *value, size_t length)
{
	uint64_t fflags;
	int error = number_parse_0x(value, length, UINT32_MAX, &fflags);

	p->named = true;
	p->request->fflags |= (uint32_t)fflags;
	return error == 0 ? 0 : bad_number(p, error, value, length);
}

static int
take_flags(struct parsing *p, const char *value, size_t length)
{
	uint64_t flags;
	int error = number_parse_0x(value, length, UINT16_MAX, &flags);

	p->flagged = true;
	p->request->flags |= (uint32_t)flags;
	return error == 0 ? 0 : bad_number(p, error, value, length);
}

/* ---- words ---- */

/* NOTE_FFNOP is 0, so that no table can have it. */
static bool
is_ffnop(const char *s, size_t length)
{
	strip("NOTE_", &s, &length);
	return is("ffnop", s, length);
}

/* Whether any filter on any system has the word at S. */
static bool
is_word(const char *s, size_t length)
{
	uint64_t ignored;

	if (number_has_0x(s, length))
		return number_parse_0x(s, length, UINT64_MAX, &ignored) !=
		    -EINVAL;
	if (value_of(s, length) < VALUES || is_ffnop(s, length) ||
	    find(kqueue_flags, "EV_", s, length) != NULL)
		return true;
	for (unsigned i = 0; i < KQUEUE_FILTERS; i++)
		if (find(kqueue_filters[i].words, "NOTE_", s, length) != NULL)
			return true;
	return false;
}

/* The first unknown word, with its length in *N; NULL if there is none. */
static const char *
unknown_word(const char *s, size_t length, size_t *n)
{
	for (;; s += *n + 1, length -= *n + 1) {
		*n = flags_word(s, length);
		if (!is_word(s, *n))
			return s;
		if (*n == length)
			return NULL;
	}
}

int
kevent_check_words(const char *words)
{
	size_t n;
	const char *unknown = unknown_word(words, strlen(words), &n);

	return unknown == NULL ?
	    0 :
	    diag_usage("--events: unknown word '%.*s'", (int)n, unknown);
}

/* Add FLAG to *TO, unless it is unknown here or in RETURNED, only reported. */
static int
take_flag(struct parsing *p, const struct flag *flag, uint32_t returned,
    uint32_t *to)
{
	if (flag->bit == 0)
		return diag_unavailable("%.*s: this system has no '%s'",
		    p->length, p->word, flag->name);
	if ((flag->bit & returned) != 0)
		return diag_usage(
		    "%.*s: '%s' is only ever reported, it cannot be requested",
		    p->length, p->word, flag->name);
	*to |= flag->bit;
	return 0;
}

static int
take_value(struct parsing *p, size_t which, const char *s, size_t length)
{
	size_t key = strlen(values[which].key) + 1;

	if ((filters_with(which) >> p->request->filter & 1) == 0)
		return diag_usage("%.*s: %s has no '%s='", p->length, p->word,
		    filter_name(p->request->filter), values[which].key);
	return values[which].take(p, s + key, length - key);
}

/*
 * One word.  The filter's own come first: delete is NOTE_DELETE for vnode,
 * where EV_DELETE has to be given its full name.
 */
static int
take_word(struct parsing *p, const char *s, size_t length)
{
	const struct kqueue_filter
	    *filter = &kqueue_filters[p->request->filter];
	size_t which = value_of(s, length);
	const struct flag *flag;

	if (which < VALUES)
		return take_value(p, which, s, length);
	if (number_has_0x(s, length))
		return take_fflags(p, s, length);
	if ((flag = find(filter->words, "NOTE_", s, length)) != NULL) {
		p->named = true;
		return take_flag(p, flag, filter->returned,
		    &p->request->fflags);
	}
	if ((flag = find(kqueue_flags, "EV_", s, length)) != NULL)
		return take_flag(p, flag, kqueue_returned, &p->request->flags);
	if (p->request->filter == KQUEUE_USER && is_ffnop(s, length))
		return 0;
	return diag_usage(is_word(s, length) ?
		"%.*s: %s has no word '%.*s'" :
		"%.*s: unknown word of %s '%.*s'",
	    p->length, p->word, filter_name(p->request->filter), (int)length,
	    s);
}

static int
take_words(struct parsing *p, const char *s, size_t length)
{
	size_t n;
	int status;

	for (;; s += n + 1, length -= n + 1) {
		n = flags_word(s, length);
		status = take_word(p, s, n);
		if (status != 0 || n == length)
			return status;
	}
}

/* ---- identifiers ---- */

static bool
has_flag(const struct parsing *p, const char *name)
{
	return (p->request->flags & flags_bit(kqueue_flags, name)) != 0;
}

/*
 * Set the timer's period: TEXT is a plain number where a unit is among the words,
 * else a duration, in nanoseconds if the kernel takes those.
 */
static int
timer_data(struct parsing *p, const char *text, size_t length)
{
	struct kevent_request *request = p->request;
	uint32_t units = flags_bit(p->words, "seconds") |
	    flags_bit(p->words, "mseconds") | flags_bit(p->words, "useconds") |
	    flags_bit(p->words, "nseconds");
	int64_t ns = 0;
	int status;

	if ((request->fflags & units) != 0)
		return take_signed(p, text, length, &request->data);
	status = duration(p, text, length, &ns);
	if (status != 0)
		return status;
	request->fflags |= flags_bit(p->words, "nseconds");
	if (!kevent_has(KQUEUE_TIMER, "nseconds", request->fflags))
		ns = ns / 1000000 + (ns % 1000000 != 0);
	request->data = ns;
	return 0;
}

/* IDENT is a duration, and gets the next number, or a number beside data=. */
static int
timer_ident(struct parsing *p, const struct kevent_ident *ident,
    uint64_t *timers)
{
	int error;

	if (p->data == NULL && has_flag(p, "add")) {
		p->request->ident = ++*timers;
		return timer_data(p, ident->name, ident->length);
	}
	error = number_parse_0x(ident->name, ident->length, UINTPTR_MAX,
	    &p->request->ident);
	if (error != 0)
		return bad_number(p, error, ident->name, ident->length);
	return p->data == NULL ? 0 : timer_data(p, p->data, p->data_length);
}

static int
signal_ident(struct parsing *p, const struct kevent_ident *ident)
{
	int n = signals_number(ident->name, ident->length);

	if (n < 0)
		return diag_usage("%.*s: this system has no signal '%.*s'",
		    p->length, p->word, (int)ident->length, ident->name);
	p->request->ident = (uint64_t)n;
	return 0;
}

static int
netdev_ident(struct parsing *p, const struct kevent_ident *ident)
{
	char name[IF_NAMESIZE] = "";
	int error = ENXIO;

	if (ident->length < sizeof name) {
		memcpy(name, ident->name, ident->length);
		p->request->ident = if_nametoindex(name);
		/* systems differ in the errno for a missing interface */
		if (p->request->ident == 0 && errno != ENODEV)
			error = errno;
		/* --numeric prints its number, which is accepted too */
		if (p->request->ident == 0 && pmux->names->numbers)
			(void)number_parse_0x(name, ident->length, INT_MAX,
			    &p->request->ident);
	}
	return p->request->ident != 0 ?
	    0 :
	    diag_system(error,
		error == ENXIO ? "no such interface" :
				 "no socket for the lookup",
		"%.*s", (int)ident->length, ident->name);
}

static int
process_ident(struct parsing *p, const struct kevent_ident *ident)
{
	int error = number_parse_0x(ident->name, ident->length, INT_MAX,
	    &p->request->ident);

	return error == 0 && p->request->ident > 0 ?
	    0 :
	    diag_usage("%.*s: '%.*s' is not a process ID", p->length, p->word,
		(int)ident->length, ident->name);
}

static int
user_ident(struct parsing *p, const struct kevent_ident *ident)
{
	int error = number_parse_0x(ident->name, ident->length, UINTPTR_MAX,
	    &p->request->ident);

	return error == 0 ? 0 :
			    bad_number(p, error, ident->name, ident->length);
}

/* The shell would get it, and its trap would run, in place of pmux. */
static int
check_trap(const struct parsing *p, const struct kevent_ident *ident)
{
	struct pmux_host *host = pmux->host;

	if (host->trapped == NULL ||
	    !host->trapped(host, (int)p->request->ident))
		return 0;
	return diag_usage("%.*s: the shell has a trap for '%.*s'", p->length,
	    p->word, (int)ident->length, ident->name);
}

static int
find_ident(struct parsing *p, const struct kevent_ident *ident,
    uint64_t *timers)
{
	int status;

	switch (p->request->filter) {
	case KQUEUE_PROC:
		return process_ident(p, ident);
	case KQUEUE_SIGNAL:
		status = signal_ident(p, ident);
		return status == 0 ? check_trap(p, ident) : status;
	case KQUEUE_TIMER:
		return timer_ident(p, ident, timers);
	case KQUEUE_NETDEV:
		return netdev_ident(p, ident);
	case KQUEUE_USER:
		return user_ident(p, ident);
	default:
		return 0; /* a descriptor or a path */
	}
}

/* ---- the whole word ---- */

/* The filter whose system number is at S; KQUEUE_FILTERS: none. */
static unsigned
numbered_filter(const char *s, size_t length)
{
	unsigned filter = KQUEUE_FILTERS;
	int64_t value;

	if (pmux->names->numbers && signed_number(s, length, &value) == 0)
		for (filter = 0; filter < KQUEUE_FILTERS; filter++)
			if (kqueue_filters[filter].there &&
			    kqueue_number(filter) == value)
				break;
	return filter;
}

static int
find_filter(struct parsing *p, const char *s, size_t length)
{
	const struct flag *flag = find(backend_kqueue.flags, "EVFILT_", s,
	    length);
	unsigned filter = numbered_filter(s, length);

	if (filter < KQUEUE_FILTERS)
		flag = &backend_kqueue.flags[filter];
	if (flag == NULL)
		return diag_usage(
		    "%.*s: unknown filter '%.*s': there are read"
		    " write vnode proc signal timer netdev aio user",
		    p->length, p->word, (int)length, s);
	filter = (unsigned)(flag - backend_kqueue.flags);
	if (!kqueue_filters[filter].there)
		return diag_unavailable("%.*s: this system has no filter '%s'",
		    p->length, p->word, flag->name);
	p->request->filter = (uint8_t)filter;
	p->words = kqueue_filters[filter].words;
	return 0;
}

bool
kevent_wants_descriptor(const struct kevent_request *request)
{
	const struct backend *b = &backend_kqueue;
	uint32_t wanting = b->mask_read | b->mask_write | b->mask_file;

	return (wanting >> request->filter & 1) != 0;
}

/* Whether a colon can be part of IDENT. */
static bool
is_path(const struct parsing *p, const struct kevent_ident *ident)
{
	bool negative;

	if (p->request->filter != KQUEUE_NETDEV &&
	    !kevent_wants_descriptor(p->request))
		return false;
	/* a negative number is no path, see target_parse_name */
	negative = ident->length > 1 && *ident->name == '-';
	return !number_is(ident->name + negative, ident->length - negative, 10);
}

/*
 * Cut the words off IDENT, which is all behind the filter, and parse them; parse
 * DEFAULTS if there are none.
 */
static int
split(struct parsing *p, struct kevent_ident *ident, const char *defaults)
{
	size_t all = ident->length, n, ignored;
	const char *words;

	for (n = all; n > 0 && ident->name[n - 1] != ':'; n--)
		continue;
	words = ident->name + n;
	if (n > 0) {
		ident->length = n - 1;
		if (n < all && is_path(p, ident) &&
		    unknown_word(words, all - n, &ignored) != NULL)
			ident->length = all;
		else if (words == ident->name + all)
			ident->literal = true;
	}
	if (ident->length == 0)
		return diag_usage(
		    "%.*s: no identifier between the filter and the words",
		    p->length, p->word);
	if (ident->length < all && !ident->literal)
		return take_words(p, words,
		    (size_t)(ident->name + all - words));
	return defaults == NULL ? 0 : take_words(p, defaults, strlen(defaults));
}

/* Set the defaults. */
static void
complete(struct parsing *p)
{
	struct kevent_request *request = p->request;

	if (!p->flagged && !has_flag(p, "add") && !has_flag(p, "delete") &&
	    !has_flag(p, "enable") && !has_flag(p, "disable"))
		request->flags |= flags_bit(kqueue_flags, "add");
	if (!p->named)
		request->fflags |= kqueue_filters[request->filter].usual;
}

int
kevent_parse(char *word, size_t length, const char *defaults, uint64_t *timers,
    struct kevent_request *request, struct kevent_ident *ident)
{
	char *colon = memchr(word, ':', length);
	struct parsing p = {
		.request = request,
		.word = word,
		.length = (int)length,
	};
	int status;

	memset(request, 0, sizeof *request);
	memset(ident, 0, sizeof *ident);
	if (colon == NULL)
		return diag_usage("%.*s: a kevent is FILTER:IDENT[:WORD,...]",
		    (int)length, word);
	status = find_filter(&p, word, (size_t)(colon - word));
	if (status != 0)
		return status;
	if (request->filter == KQUEUE_AIO)
		request->data = USUAL_BYTES;
	ident->name = colon + 1;
	ident->length = length - (size_t)(colon + 1 - word);
	status = split(&p, ident, defaults);
	if (status != 0)
		return status;
	complete(&p);
	return find_ident(&p, ident, timers);
}

void
kevent_release(struct kevent_request *request)
{
	free(request->udata);
	request->udata = NULL;
}
