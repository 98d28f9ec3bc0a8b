/* SPDX-License-Identifier: ISC */
/*
 * words.c - changes and events as text, and the functions that compare them.
 */
#include "config.h"
#include "kq.h"

#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS 2048 /* characters in a text */

struct word {
	const char *name;
	long long value;
	int filter; /* 0: any */
};

enum relation {
	EQUAL,
	MORE,
	LESS,
	ANY
};

/* One expected event. */
struct pattern {
	struct kevent event;
	unsigned maybe; /* notes that may be missing */
	enum relation data;
	int any_udata;
};

static const struct word filters[] = {
	{ "READ", EVFILT_READ, 0 },
	{ "WRITE", EVFILT_WRITE, 0 },
	{ "VNODE", EVFILT_VNODE, 0 },
	{ "PROC", EVFILT_PROC, 0 },
	{ "SIGNAL", EVFILT_SIGNAL, 0 },
	{ "TIMER", EVFILT_TIMER, 0 },
#ifdef EVFILT_USER
	{ "USER", EVFILT_USER, 0 },
#endif
#ifdef EVFILT_AIO
	{ "AIO", EVFILT_AIO, 0 },
#endif
#ifdef EVFILT_NETDEV
	{ "NETDEV", EVFILT_NETDEV, 0 },
#endif
};

static const struct word flags[] = {
	{ "ADD", EV_ADD, 0 },
	{ "DELETE", EV_DELETE, 0 },
	{ "ENABLE", EV_ENABLE, 0 },
	{ "DISABLE", EV_DISABLE, 0 },
	{ "ONESHOT", EV_ONESHOT, 0 },
	{ "CLEAR", EV_CLEAR, 0 },
#ifdef EV_RECEIPT
	{ "RECEIPT", EV_RECEIPT, 0 },
#endif
#ifdef EV_DISPATCH
	{ "DISPATCH", EV_DISPATCH, 0 },
#endif
	{ "ERROR", EV_ERROR, 0 },
	{ "EOF", EV_EOF, 0 },
};

static const struct word notes[] = {
	{ "LOWAT", NOTE_LOWAT, EVFILT_READ },
	{ "LOWAT", NOTE_LOWAT, EVFILT_WRITE },
#ifdef NOTE_NODATA
	{ "NODATA", NOTE_NODATA, EVFILT_READ },
	{ "NODATA", NOTE_NODATA, EVFILT_WRITE },
#endif
	{ "NOTE_DELETE", NOTE_DELETE, EVFILT_VNODE },
	{ "WRITE", NOTE_WRITE, EVFILT_VNODE },
	{ "EXTEND", NOTE_EXTEND, EVFILT_VNODE },
	{ "ATTRIB", NOTE_ATTRIB, EVFILT_VNODE },
	{ "LINK", NOTE_LINK, EVFILT_VNODE },
	{ "RENAME", NOTE_RENAME, EVFILT_VNODE },
#ifdef NOTE_REVOKE
	{ "REVOKE", NOTE_REVOKE, EVFILT_VNODE },
#endif
	{ "ALL",
	    NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_LINK |
		NOTE_RENAME,
	    EVFILT_VNODE },
	{ "EXIT", NOTE_EXIT, EVFILT_PROC },
	{ "FORK", NOTE_FORK, EVFILT_PROC },
	{ "EXEC", NOTE_EXEC, EVFILT_PROC },
#ifdef NOTE_TRACK
	{ "TRACK", NOTE_TRACK, EVFILT_PROC },
	{ "TRACKERR", NOTE_TRACKERR, EVFILT_PROC },
	{ "CHILD", NOTE_CHILD, EVFILT_PROC },
#endif
#ifdef NOTE_SECONDS
	{ "SECONDS", NOTE_SECONDS, EVFILT_TIMER },
#endif
#ifdef NOTE_MSECONDS
	{ "MSECONDS", NOTE_MSECONDS, EVFILT_TIMER },
#endif
#ifdef NOTE_USECONDS
	{ "USECONDS", NOTE_USECONDS, EVFILT_TIMER },
#endif
#ifdef NOTE_NSECONDS
	{ "NSECONDS", NOTE_NSECONDS, EVFILT_TIMER },
#endif
#ifdef NOTE_ABSTIME
	{ "ABSTIME", NOTE_ABSTIME, EVFILT_TIMER },
#endif
#ifdef EVFILT_USER
	{ "TRIGGER", NOTE_TRIGGER, EVFILT_USER },
	{ "FFNOP", NOTE_FFNOP, EVFILT_USER },
	{ "FFAND", NOTE_FFAND, EVFILT_USER },
	{ "FFOR", NOTE_FFOR, EVFILT_USER },
	{ "FFCOPY", NOTE_FFCOPY, EVFILT_USER },
#endif
#ifdef EVFILT_NETDEV
	{ "LINKUP", NOTE_LINKUP, EVFILT_NETDEV },
	{ "LINKDOWN", NOTE_LINKDOWN, EVFILT_NETDEV },
	{ "LINKINV", NOTE_LINKINV, EVFILT_NETDEV },
#endif
};

static const struct word errors[] = {
	{ "EPERM", EPERM, 0 },
	{ "ENOENT", ENOENT, 0 },
	{ "ESRCH", ESRCH, 0 },
	{ "EINTR", EINTR, 0 },
	{ "ENXIO", ENXIO, 0 },
	{ "EBADF", EBADF, 0 },
	{ "EACCES", EACCES, 0 },
	{ "EFAULT", EFAULT, 0 },
	{ "ENODEV", ENODEV, 0 },
	{ "EINVAL", EINVAL, 0 },
	{ "EMFILE", EMFILE, 0 },
	{ "ENOMEM", ENOMEM, 0 },
	{ "ENOSPC", ENOSPC, 0 },
	{ "ENOSYS", ENOSYS, 0 },
	{ "EPIPE", EPIPE, 0 },
	{ "EOPNOTSUPP", EOPNOTSUPP, 0 },
	{ "ECONNRESET", ECONNRESET, 0 },
	{ "ECONNREFUSED", ECONNREFUSED, 0 },
};

static const struct word signals[] = {
	{ "USR1", SIGUSR1, 0 },
	{ "USR2", SIGUSR2, 0 },
	{ "CHLD", SIGCHLD, 0 },
	{ "TERM", SIGTERM, 0 },
	{ "KILL", SIGKILL, 0 },
	{ "STOP", SIGSTOP, 0 },
	{ "CONT", SIGCONT, 0 },
	{ "WINCH", SIGWINCH, 0 },
};

/* The names that a test has given; the latest counts. */
static struct {
	char name[24];
	uintptr_t ident;
} names[64];
static size_t nnames;

void
name_ident(const char *name, uintptr_t ident)
{
	size_t i;

	for (i = 0; i < nnames; i++)
		if (strcmp(names[i].name, name) == 0)
			break;
	if (i == nnames && nnames++ == COUNT(names))
		abort();
	snprintf(names[i].name, sizeof names[i].name, "%s", name);
	names[i].ident = ident;
}

static const struct word *
find_word(const struct word *w, size_t n, const char *name, int filter)
{
	for (; n > 0; n--, w++)
		if ((w->filter == 0 || w->filter == filter) &&
		    strcmp(w->name, name) == 0)
			return w;
	return NULL;
}

static const char *
word_of(const struct word *w, size_t n, long long value)
{
	for (; n > 0; n--, w++)
		if (w->value == value)
			return w->name;
	return NULL;
}

static void
unknown(const char *word)
{
	fprintf(stderr, "the test has an unknown word: %s\n", word);
	exit(1);
}

static uintptr_t
parse_ident(const char *s)
{
	const struct word *w = find_word(signals, COUNT(signals), s, 0);
	size_t i;

	if (*s == '#')
		return (uintptr_t)strtoll(s + 1, NULL, 0);
	for (i = 0; i < nnames; i++)
		if (strcmp(names[i].name, s) == 0)
			return names[i].ident;
	if (w == NULL)
		unknown(s);
	return w == NULL ? 0 : (uintptr_t)w->value;
}

static int64_t
parse_number(const char *s)
{
	const struct word *w = find_word(errors, COUNT(errors), s, 0);
	char *end;
	long long n = strtoll(s, &end, 0);

	if (w != NULL)
		return w->value;
	if (end == s || *end != '\0')
		unknown(s);
	return n;
}

/* Parse S if it begins with a sign or has an equals sign.  Returns whether. */
static int
parse_value(struct pattern *p, const char *s)
{
	struct kevent *e = &p->event;

	p->any_udata |= strcmp(s, "@*") == 0;
	if (strcmp(s, "=*") == 0)
		p->data = ANY;
	else if (strcmp(s, ">0") == 0)
		p->data = MORE;
	else if (strcmp(s, "<0") == 0)
		p->data = LESS;
	else if (*s == '=')
		e->data = parse_number(s + 1);
	else if (*s == '@' && s[1] != '*')
		set_udata(e, (uintptr_t)strtoull(s + 1, NULL, 0));
	else if (strncmp(s, "0x", 2) == 0)
		e->fflags |= (unsigned)strtoul(s, NULL, 0);
	else if (strncmp(s, "err=", 4) == 0)
		e->fflags |= (unsigned)parse_number(s + 4);
	else if (strncmp(s, "exit=", 5) == 0)
		e->data = parse_number(s + 5) << 8;
	else if (strncmp(s, "signal=", 7) == 0)
		e->data = (int64_t)parse_ident(s + 7);
	else
		return *s == '@';
	return 1;
}

static void
parse_name(struct pattern *p, char *s)
{
	const struct word *w;
	size_t n = strlen(s);
	int maybe = n > 0 && s[n - 1] == '?';

	if (maybe)
		s[n - 1] = '\0';
	w = find_word(flags, COUNT(flags), s, 0);
	if (w != NULL) {
		p->event.flags |= (unsigned short)w->value;
		return;
	}
	w = find_word(notes, COUNT(notes), s, (int)p->event.filter);
	if (w == NULL)
		unknown(s);
	else if (maybe)
		p->maybe |= (unsigned)w->value;
	else
		p->event.fflags |= (unsigned)w->value;
}

/* One event: identifier, filter, then flags, notes and values. */
static void
parse_one(struct pattern *p, char *text)
{
	char *rest = NULL, *s = strtok_r(text, " ", &rest);
	const struct word *w;
	uintptr_t ident;

	memset(p, 0, sizeof *p);
	ident = parse_ident(s);
	if ((s = strtok_r(NULL, " ", &rest)) == NULL) {
		unknown("no filter");
		return;
	}
	w = find_word(filters, COUNT(filters), s, 0);
	if (w == NULL && *s != '#')
		unknown(s);
	p->event = event(ident, w == NULL ? atoi(s + 1) : (int)w->value, 0, 0,
	    0, 0);
	while ((s = strtok_r(NULL, " ", &rest)) != NULL)
		if (!parse_value(p, s))
			parse_name(p, s);
}

static int
is_blank(const char *s)
{
	return s[strspn(s, " ")] == '\0';
}

static int
parse_all(struct pattern *p, const char *text)
{
	char copy[WORDS], *rest = NULL, *s;
	int n = 0;

	snprintf(copy, sizeof copy, "%s", text);
	for (s = strtok_r(copy, ",", &rest); s != NULL;
	     s = strtok_r(NULL, ",", &rest))
		if (!is_blank(s) && n < ROOM)
			parse_one(&p[n++], s);
	return n;
}

int
parse_changes(struct kevent *changes, const char *text)
{
	struct pattern p[ROOM];
	int i, n = parse_all(p, text);

	for (i = 0; i < n; i++)
		changes[i] = p[i].event;
	return n;
}

/* ---- out ---- */

uintptr_t
udata_of(const struct kevent *e)
{
	uintptr_t u;

	memcpy(&u, &e->udata, sizeof u); /* a pointer or an integer */
	return u;
}

void
set_udata(struct kevent *e, uintptr_t u)
{
	memcpy(&e->udata, &u, sizeof u);
}

struct kevent
event(uintptr_t ident, int filter, unsigned fl, unsigned fflags, int64_t data,
    uintptr_t udata)
{
	struct kevent e;

	memset(&e, 0, sizeof e);
	EV_SET(&e, ident, (short)filter, (unsigned short)fl, fflags, data, 0);
	set_udata(&e, udata);
	return e;
}

static void add_text(char *, size_t, const char *, ...) PRINTF(3, 4);

static void
add_text(char *out, size_t size, const char *fmt, ...)
{
	size_t len = strlen(out);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + len, size - len, fmt, ap);
	va_end(ap);
}

static int
is_number(const struct kevent *e)
{
	switch ((int)e->filter) {
	case (int)EVFILT_READ:
	case (int)EVFILT_WRITE:
	case (int)EVFILT_VNODE:
	case (int)EVFILT_PROC:
		return 0;
	default:
		return 1;
	}
}

static void
ident_text(char *out, size_t size, const struct kevent *e)
{
	const char *s = NULL;
	size_t i;

	if ((int)e->filter == (int)EVFILT_SIGNAL)
		s = word_of(signals, COUNT(signals), (long long)e->ident);
	for (i = nnames; s == NULL && !is_number(e) && i-- > 0;)
		if (names[i].ident == e->ident)
			s = names[i].name;
	if (s != NULL)
		snprintf(out, size, "%s", s);
	else
		snprintf(out, size, "#%lld", (long long)e->ident);
}

static void
notes_text(char *out, size_t size, const struct kevent *e)
{
	unsigned left = (unsigned)e->fflags;
	size_t i;

	if ((e->flags & EV_EOF) != 0 && left != 0 &&
	    word_of(errors, COUNT(errors), (long long)left) != NULL &&
	    (int)e->filter != (int)EVFILT_PROC) {
		add_text(out, size, " err=%s",
		    word_of(errors, COUNT(errors), (long long)left));
		return;
	}
	for (i = 0; i < COUNT(notes); i++)
		if (notes[i].filter == (int)e->filter &&
		    (left & (unsigned)notes[i].value) != 0 &&
		    strcmp(notes[i].name, "ALL") != 0) {
			add_text(out, size, " %s", notes[i].name);
			left &= ~(unsigned)notes[i].value;
		}
	if (left != 0)
		add_text(out, size, " 0x%x", left);
}

void
event_text(char *out, size_t size, const struct kevent *e)
{
	const char *s = word_of(filters, COUNT(filters), (int)e->filter);
	const char *error = NULL;
	size_t i;

	ident_text(out, size, e);
	if (s != NULL)
		add_text(out, size, " %s", s);
	else
		add_text(out, size, " #%d", (int)e->filter);
	for (i = 0; i < COUNT(flags); i++)
		if ((e->flags & (unsigned)flags[i].value) != 0)
			add_text(out, size, " %s", flags[i].name);
	notes_text(out, size, e);
	if ((e->flags & EV_ERROR) != 0)
		error = word_of(errors, COUNT(errors), (long long)e->data);
	if (error != NULL)
		add_text(out, size, " =%s", error);
	else
		add_text(out, size, " =%lld", (long long)e->data);
	if (udata_of(e) != 0)
		add_text(out, size, " @%#llx", (unsigned long long)udata_of(e));
}

static void
list_text(char *out, size_t size, const struct kevent *e, int n)
{
	char one[256];
	int i;

	out[0] = '\0';
	if (n < 0) {
		snprintf(out, size, "-1, %s", strerror(errno));
		return;
	}
	for (i = 0; i < n; i++) {
		event_text(one, sizeof one, &e[i]);
		add_text(out, size, "%s%s", i > 0 ? ", " : "", one);
	}
}

/* ---- comparing ---- */

static int
data_matches(const struct pattern *p, int64_t data)
{
	switch (p->data) {
	case MORE:
		return data > 0;
	case LESS:
		return data < 0;
	case ANY:
		return 1;
	case EQUAL:
	default:
		return data == p->event.data;
	}
}

static int
matches(const struct pattern *p, const struct kevent *e)
{
	/* NetBSD returns what was set, also once it is enabled again */
	const unsigned ignored = EV_ADD | EV_ENABLE |
	    (REFERENCE ? 0 : EV_DISABLE);
	unsigned differ = (unsigned)e->flags ^ (unsigned)p->event.flags;

	return e->ident == p->event.ident && e->filter == p->event.filter &&
	    (differ & ~ignored) == 0 &&
	    ((unsigned)e->fflags & ~p->maybe) == (unsigned)p->event.fflags &&
	    data_matches(p, (int64_t)e->data) &&
	    (p->any_udata || udata_of(e) == udata_of(&p->event));
}

static int
same_set(const struct pattern *p, int np, const struct kevent *e, int ne)
{
	char used[ROOM] = { 0 };
	int i, j;

	for (i = 0; i < np && np == ne; i++) {
		for (j = 0; j < ne; j++)
			if (!used[j] && matches(&p[i], &e[j]))
				break;
		if (j == ne)
			return 0;
		used[j] = 1;
	}
	return np == ne;
}

/* Compare with each of the answers between bars. */
static int
is_expected(const char *text, const struct kevent *e, int n)
{
	struct pattern p[ROOM];
	char copy[WORDS], *s = copy, *bar;

	if (n < 0)
		return 0;
	snprintf(copy, sizeof copy, "%s", text);
	for (;;) {
		bar = strchr(s, '|');
		if (bar != NULL)
			*bar = '\0';
		if (same_set(p, parse_all(p, s), e, n))
			return 1;
		if (bar == NULL)
			return 0;
		s = bar + 1;
	}
}

/* ---- the verbs ---- */

void
kq_fail(const char *file, int line, const char *fmt, ...)
{
	const char *slash = strrchr(file, '/');
	va_list ap;

	fprintf(stderr, "%s:%d: ", slash == NULL ? file : slash + 1, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	fflush(NULL);
	_exit(1);
}

int
kq_must(const char *file, int line, long result, const char *what)
{
	if (result == -1)
		kq_fail(file, line, "%s: %s", what, strerror(errno));
	return (int)result;
}

void
skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	fflush(NULL);
	_exit(77);
}

int
call_kevent(int q, const struct kevent *changes, int nchanges,
    struct kevent *events, int nevents, int ms)
{
	struct timespec t;

	t.tv_sec = ms / 1000;
	t.tv_nsec = ms % 1000 * 1000000L;
	return kevent(q, changes, (KEVENT_COUNT)nchanges, events,
	    (KEVENT_COUNT)nevents, ms == -1 ? NULL : &t);
}

#define FORMAT(buf, fmt)                             \
	do {                                         \
		va_list ap;                          \
		va_start(ap, fmt);                   \
		vsnprintf(buf, sizeof buf, fmt, ap); \
		va_end(ap);                          \
	} while (0)

void
kq_change(const char *file, int line, int q, const char *fmt, ...)
{
	struct kevent c[ROOM];
	char text[WORDS];
	int r;

	FORMAT(text, fmt);
	r = call_kevent(q, c, parse_changes(c, text), NULL, 0, 0);
	if (r != 0)
		kq_fail(file, line, "%s: expected 0, got %d %s", text, r,
		    r == -1 ? strerror(errno) : "");
}

int
try_change(int q, const char *fmt, ...)
{
	struct kevent c[ROOM];
	char text[WORDS];

	FORMAT(text, fmt);
	if (call_kevent(q, c, parse_changes(c, text), NULL, 0, 0) == -1)
		return errno;
	return 0;
}

void
kq_refuse(const char *file, int line, int q, int error, const char *fmt, ...)
{
	struct kevent c[ROOM], e[ROOM];
	char text[WORDS], got[WORDS];
	int r, n;

	FORMAT(text, fmt);
	n = parse_changes(c, text);
	r = call_kevent(q, c, n, NULL, 0, 0);
	if (r != -1 || errno != error)
		kq_fail(file, line, "%s: expected %s, got %d %s", text,
		    strerror(error), r, r == -1 ? strerror(errno) : "");
	r = call_kevent(q, c, n, e, 1, 0);
	list_text(got, sizeof got, e, r);
	if (r != 1 || (e[0].flags & EV_ERROR) == 0 || (int)e[0].data != error ||
	    e[0].ident != c[0].ident || e[0].filter != c[0].filter ||
	    udata_of(&e[0]) != udata_of(&c[0]))
		kq_fail(file, line, "%s: expected ERROR =%s, got %s", text,
		    strerror(error), got);
}

void
kq_answer(const char *file, int line, int q, const char *changes,
    const char *events)
{
	struct kevent c[ROOM], e[ROOM];
	char got[WORDS];
	int r = call_kevent(q, c, parse_changes(c, changes), e, ROOM, 0);

	list_text(got, sizeof got, e, r);
	if (!is_expected(events, e, r))
		kq_fail(file, line, "%s: expected [%s], got [%s]", changes,
		    events, got);
}

void
kq_expect(const char *file, int line, int q, int ms, const char *fmt, ...)
{
	struct kevent e[ROOM];
	char text[WORDS], got[WORDS];
	int r;

	FORMAT(text, fmt);
	r = call_kevent(q, NULL, 0, e, ROOM, ms);
	list_text(got, sizeof got, e, r);
	if (!is_expected(text, e, r))
		kq_fail(file, line, "expected [%s], got [%s]", text, got);
}

void
kq_eventually(const char *file, int line, int q, const char *fmt, ...)
{
	double until = now() + PATIENCE / 1e3;
	struct kevent e[ROOM];
	char text[WORDS], got[WORDS];
	int r;

	FORMAT(text, fmt);
	do {
		r = call_kevent(q, NULL, 0, e, ROOM, 0);
		if (is_expected(text, e, r))
			return;
		nap(1);
	} while (now() < until);
	list_text(got, sizeof got, e, r);
	kq_fail(file, line, "expected in time [%s], got at last [%s]", text,
	    got);
}

void
kq_quiet(const char *file, int line, int q, int ms)
{
	struct kevent e[ROOM];
	char got[WORDS];
	double since = now();
	int r = call_kevent(q, NULL, 0, e, ROOM, ms);

	list_text(got, sizeof got, e, r);
	if (r != 0)
		kq_fail(file, line, "expected nothing for %d ms, got [%s]", ms,
		    got);
	if (now() - since < ms / 1e3 - EARLY)
		kq_fail(file, line, "returned after %.6f s, before %d ms",
		    now() - since, ms);
}
