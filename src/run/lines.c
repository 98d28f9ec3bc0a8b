/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "base/deadline.h"
#include "base/flags.h"
#include "base/pmux.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/lines.h"
#include "run/pattern.h"
#include "run/stream.h"
#include "run/tail.h"
#include "sys/fileid.h"
#include "sys/foreign.h"
#include "sys/kernel.h"
#include "sys/read.h"
#include "sys/sigdefer.h"
#include "sys/turn.h"
#include "target/target.h"

/* The default of --max-line. */
#define USUAL_LONGEST ((size_t)1 << 20)

/*
 * A turn: as much as a pipe holds by default (pipe(7)).  A message is read
 * whole: those of local sockets may be as long as the buffer for sending,
 * 208 KiB (socket(7), wmem_max).
 */
#define TURN 65536
#define LARGEST 262144

/* A turn where one byte is read at a time. */
#define SINGLE_BYTES 256

/* A buffer of that size stays with its source when the line is finished. */
#define KEPT 16384

/*
 * A socket does not report that its sender has no room left to finish a line:
 * pmux assumes it if STUCK_BYTES or more are unread and none was added for
 * STUCK_TIME (ns).  Linux counts at least 768 bytes of 208 KiB for what one
 * send(2) adds to a local socket.
 */
#define STUCK_BYTES 256
#define STUCK_TIME (INT64_C(1000) * 1000000)

/* The most records that are printed before they are consumed. */
#define BATCH 32768

/*
 * How long to wait for a process that has the turn at a pipe, and neither gives
 * it back nor reads; tries that are more than TURN_GAP apart are not one wait
 * (ns).
 */
#define TURN_TIME (INT64_C(1000) * 1000000)
#define TURN_GAP (INT64_C(500) * 1000000)

/* Longer than a record's head with any name that a kernel takes. */
#define HEAD_SIZE 32768

struct source {
	char *held; /* the beginning of a line */
	size_t length, capacity;
	size_t unread; /* bytes that a peek found */
	int64_t since; /* when it first did */
	uint32_t same; /* whose HELD it is: index */
	int fd; /* the descriptor of HOW */
	struct reader how;
	bool cut; /* HELD goes on a line that was cut */
	bool empty; /* there was nothing the last time */
	/* of the one whose HELD it is, where lines are counted */
	int own; /* pmux's own descriptor of the pipe; or -1 */
	bool tried; /* to have that */
	bool turn; /* it is ours */
	bool alone; /* we go on without, as was said */
	int64_t asked, asked_last; /* when for the turn, in vain; or 0 */
	int64_t left; /* bytes that were unread then */
};

struct lines {
	struct source *sources;
	const struct targets *targets;
	const struct print_options *print;
	bool serving;
	size_t longest;
	uint64_t records, most; /* --count; UINT64_MAX: no limit */
	bool counted; /* --count or --until: nothing is read past the goal */
	struct pattern *until; /* or NULL */
	bool partial; /* an unfinished line may match, too */
	bool last; /* an unfinished line will not be continued */
	bool found; /* UNTIL matches the last of the records that are wanted */
	bool measured; /* UNTIL was tried on those that are being put */
	bool matched; /* UNTIL has matched a record that was printed */
	char *joined; /* what was held of a line, and the bytes behind it */
	/* of files that are followed; else NULL */
	struct read_text *texts;
	struct tail *tail; /* of those that --reopen follows; or NULL */
	/* where the records of a batch end in BYTES, and in the output */
	struct {
		uint32_t in;
		uint32_t out;
	} batch[BATCH];
	size_t batched;
	uint64_t batch_start; /* output_appended then */
	uint64_t produced; /* bytes of output since */
	bool blocked; /* nothing was read since nothing can be written */
	size_t head_length;
	char head[HEAD_SIZE]; /* of the records of one turn */
	/*
	 * the bytes just read, with room in front of them for read_on, and
	 * behind them for pattern_match
	 */
	char space[READ_LAST + LARGEST + 1];
	char *bytes; /* past that room */
};

/* ---- before the first ---- */

static int
refuse(const struct target *t, const char *why)
{
	return diag_usage("--lines: '%.*s' %s", (int)t->length, t->name, why);
}

static int
check_kevent(const struct target *t, const struct kevent_request *kevent)
{
	uint32_t unfit = flags_bit(kqueue_flags, "oneshot") |
	    flags_bit(kqueue_flags, "clear") |
	    flags_bit(kqueue_flags, "dispatch") |
	    flags_bit(kqueue_flags, "disable") |
	    flags_bit(kqueue_flags, "delete");

	if (kevent->filter != KQUEUE_READ)
		return refuse(t, "has another filter than read");
	if ((kevent->flags & unfit) != 0)
		return refuse(t, "would not report all there is to read");
	return 0;
}

static int
check(const struct target *t)
{
	const struct targets *targets = pmux->lines->targets;
	const struct kevent_request *kevent = target_kevent(targets, t);
	const struct backend *backend = targets->backend;
	uint32_t unfit = flags_bit(backend->flags, "et") |
	    flags_bit(backend->flags, "oneshot");

	if (kevent != NULL)
		return check_kevent(t, kevent);
	if ((t->bits & backend->mask_write) != 0)
		return refuse(t, "asks to write");
	if ((t->bits & backend->mask_read) == 0)
		return refuse(t, "does not ask to read");
	if ((t->bits & unfit) != 0)
		return refuse(t, "would not report all there is to read");
	return 0;
}

/* A file that several targets may be reading, each a part of its lines. */
struct file {
	struct file_id id;
	uint32_t index;
};

static int
compare(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int order = file_id_compare(&x->id, &y->id);

	if (order != 0)
		return order;
	return x->index < y->index ? -1 : 1;
}

/* Whether others may take from the same bytes as T; or -errno. */
static int
is_shared(const struct target *t, struct file *file)
{
	struct stat st;

	/* one that is not open is reported when it is read */
	if (fstat(t->fd, &st) == -1)
		return errno == EBADF ? false : -errno;
	file->id = file_id(&st);
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
	    S_ISCHR(st.st_mode);
}

/* Give those of the COUNT FILES that are the same one SOURCE. */
static void
join_files(struct file *files, size_t count)
{
	struct lines *l = pmux->lines;

	qsort(files, count, sizeof *files, compare);
	for (size_t i = 1; i < count; i++)
		if (file_id_compare(&files[i].id, &files[i - 1].id) == 0)
			l->sources[files[i].index]
			    .same = l->sources[files[i - 1].index].same;
}

/*
 * Two ends of one pipe, and copies of one descriptor, take from the same bytes:
 * the other must continue the line that one holds.  Two that have opened a
 * regular file have an offset each.  Returns 0 or an exit status.
 */
static int
join_same(const struct targets *targets)
{
	struct lines *l = pmux->lines;
	struct file *files = malloc(targets->count * sizeof *files);
	size_t count = 0;
	int answer;

	if (files == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	for (uint32_t i = 0; i < targets->count; i++) {
		const struct target *t = &targets->list[i];

		l->sources[i].same = i;
		answer = is_shared(t, &files[count]);
		if (answer < 0) {
			free(files);
			return diag_system(-answer, NULL, "%.*s",
			    (int)t->length, t->name);
		}
		files[count].index = i;
		count += (size_t)answer;
	}
	join_files(files, count);
	free(files);
	return 0;
}

/* A signal is about to end pmux. */
static void
put_last(void)
{
	lines_close();
	(void)output_flush();
}

int
lines_open(const struct targets *targets, const struct print_options *print,
    const struct stream_options *options)
{
	struct lines *l = calloc(1, sizeof *l);
	size_t count = targets->count;
	int status;

	if (l == NULL)
		return diag_system(ENOMEM, NULL, "--lines");
	pmux->lines = l;
	l->targets = targets;
	l->print = print;
	l->most = options->count == 0 ? UINT64_MAX : (uint64_t)options->count;
	l->until = options->until;
	l->partial = options->partial;
	l->counted = options->count != 0 || options->until != NULL;
	l->bytes = l->space + READ_LAST;
	for (size_t i = 0; i < count; i++)
		if ((status = check(&targets->list[i])) != 0)
			return status;
	l->longest = options->longest == 0 ? USUAL_LONGEST :
					     (size_t)options->longest;
	if (count == 0)
		return 0;
	l->sources = calloc(count, sizeof *l->sources);
	if (l->sources == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	if ((status = join_same(targets)) != 0)
		return status;
	if (targets->kevents != NULL || options->reopen)
		l->texts = calloc(count, sizeof *l->texts);
	if ((targets->kevents != NULL || options->reopen) && l->texts == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	if (options->reopen && tail_open(&l->tail, count) != 0)
		return diag_system(ENOMEM, NULL, "targets");
	for (size_t i = 0; i < count; i++)
		l->sources[i].fd = l->sources[i].own = -1;
	l->serving = true;
	sigdefer_signals(put_last);
	return 0;
}

/* ---- records ---- */

/*
 * The text before every line of this turn.  A name that is longer than any
 * kernel takes is cut.
 */
static void
make_head(const struct target *t)
{
	struct lines *l = pmux->lines;

	output_divert(l->head, sizeof l->head);
	print_source(l->print, t);
	l->head_length = output_restore();
}

/* Whether a record ends with the line itself. */
static bool
is_plain(const struct print_options *print)
{
	return !print->json && print->format == NULL;
}

/* FIRST was read before, and may be empty. */
static void
put_plain(const char *first, size_t first_length, const char *line,
    size_t length)
{
	struct lines *l = pmux->lines;
	size_t needed = l->head_length + first_length + length + 1;

	l->produced += needed;
	if (needed <= OUTPUT_SIZE)
		(void)output_room(needed);
	output_bytes(l->head, l->head_length);
	output_bytes(first, first_length);
	output_bytes(line, length);
	output_character(l->print->null ? '\0' : '\n');
}

/* The same for a line that is followed by the byte that ends its record. */
static void
put_line(const char *line, size_t length)
{
	struct lines *l = pmux->lines;
	size_t needed = l->head_length + length + 1;
	char *to;

	l->produced += needed;
	if (needed > OUTPUT_SIZE) {
		output_bytes(l->head, l->head_length);
		output_bytes(line, length + 1);
		return;
	}
	to = output_room(needed);
	memcpy(to, l->head, l->head_length);
	memcpy(to + l->head_length, line, length + 1);
	output_filled(needed);
}

static void
put_other(const struct target *t, const char *line, size_t length)
{
	struct lines *l = pmux->lines;

	output_bytes(l->head, l->head_length);
	print_line(l->print, t, line, length);
	output_character(l->print->null ? '\0' : '\n');
	l->produced = output_appended() - l->batch_start;
}

/* Add LENGTH bytes to the line that SOURCE holds.  Returns 0 or -ENOMEM. */
static int
hold(struct source *source, const char *more, size_t length)
{
	size_t wanted = source->length + length, capacity;
	char *grown;

	if (length == 0)
		return 0;
	if (wanted >= source->capacity) {
		capacity = wanted + wanted / 4 + 64;
		grown = realloc(source->held, capacity);
		if (grown == NULL)
			return -ENOMEM;
		source->held = grown;
		source->capacity = capacity;
	}
	memcpy(source->held + source->length, more, length);
	source->length = wanted;
	return 0;
}

/* Not in a signal handler. */
static void
let_go(struct source *source)
{
	source->length = 0;
	if (source->capacity > KEPT) {
		free(source->held);
		source->held = NULL;
		source->capacity = 0;
	}
}

/*
 * Whether --until matches the record that begins with the bytes that SOURCE
 * holds and ends with LENGTH bytes of LINE: 1 or 0, or -ENOMEM.
 */
static int
matches(const struct source *source, char *line, size_t length)
{
	struct lines *l = pmux->lines;
	char *joined;

	if (l->until == NULL || l->matched)
		return 0;
	if (source->length == 0)
		return pattern_match(l->until, line, length);
	joined = realloc(l->joined, source->length + length + 1);
	if (joined == NULL)
		return -ENOMEM;
	l->joined = joined;
	memcpy(joined, source->held, source->length);
	memcpy(joined + source->length, line, length);
	return pattern_match(l->until, joined, source->length + length);
}

/*
 * Put the record that begins with the bytes that SOURCE holds and ends with
 * LENGTH bytes of LINE.  Returns 0 or -ENOMEM.
 */
static int
put_joined(const struct target *t, struct source *source, const char *line,
    size_t length)
{
	struct lines *l = pmux->lines;

	if (!l->print->quiet && is_plain(l->print))
		put_plain(source->held, source->length, line, length);
	else if (!l->print->quiet) {
		if (hold(source, line, length) != 0)
			return -ENOMEM;
		put_other(t, source->held, source->length);
	}
	l->records++;
	let_go(source);
	return 0;
}

static void
put_record(const struct target *t, const char *line, size_t length, bool ended)
{
	struct lines *l = pmux->lines;

	l->records++;
	if (l->print->quiet)
		return;
	if (!is_plain(l->print))
		put_other(t, line, length);
	else if (ended && !l->print->null)
		put_line(line, length);
	else
		put_plain("", 0, line, length);
}

/* ---- bytes to records ---- */

/*
 * Where the next record of the SIZE bytes at P ends, HELD bytes of it having
 * come before.  Returns whether it does there, with *LENGTH and *ENDED set: a
 * newline follows, or it was cut.
 */
static inline bool
next_record(size_t held, const char *p, size_t size, size_t *length,
    bool *ended)
{
	struct lines *l = pmux->lines;
	size_t room = l->longest - held;
	const char *newline = memchr(p, '\n', size > room ? room + 1 : size);

	*ended = newline != NULL;
	*length = newline != NULL ? (size_t)(newline - p) : room;
	return newline != NULL || size > room;
}

/*
 * How many bytes of the SIZE at P are the next COUNT records, or all there are,
 * of which SOURCE holds the beginning; or -ENOMEM.  The record that --until
 * matches is the last.
 */
static ssize_t
measure(const struct source *source, char *p, size_t size, uint64_t count)
{
	struct lines *l = pmux->lines;
	const struct source none = { .length = 0 };
	size_t done = 0, length;
	int answer = 0;
	bool ended;

	while (count-- > 0 && answer == 0 &&
	    next_record(source->length, p + done, size - done, &length,
		&ended)) {
		answer = matches(source, p + done, length);
		if (answer < 0)
			return answer;
		done += length + ended;
		source = &none;
	}
	l->found = answer != 0;
	return (ssize_t)done;
}

/* Once a line, however often it is cut. */
static void
say_cut(const struct target *t, struct source *source, bool ended)
{
	struct lines *l = pmux->lines;

	if (!ended && !source->cut)
		diag_remark("%.*s: a line of more than %zu bytes is cut"
			    " (--max-line)",
		    (int)t->length, t->name, l->longest);
	source->cut = !ended;
}

/* A record ends at END of bytes. */
static void
mark(const char *end)
{
	struct lines *l = pmux->lines;

	if (l->batched == BATCH)
		return;
	l->batch[l->batched].in = (uint32_t)(end - l->bytes);
	l->batch[l->batched++].out = (uint32_t)l->produced;
}

/* As matches, for a record that is about to be put.  Returns 0 or -ENOMEM. */
static int
match(const struct source *source, char *line, size_t length)
{
	int answer = matches(source, line, length);

	pmux->lines->matched |= answer > 0;
	return answer < 0 ? answer : 0;
}

/*
 * Put the records of the SIZE bytes at P, which were read from T; hold the
 * bytes behind the last.  Returns 0 or -ENOMEM.
 */
static int
digest(const struct target *t, struct source *source, char *p, size_t size)
{
	struct lines *l = pmux->lines;
	size_t length;
	bool ended;
	int error;

	while (
	    size > 0 && next_record(source->length, p, size, &length, &ended)) {
		if (!l->measured && (error = match(source, p, length)) != 0)
			return error;
		if (source->length == 0)
			put_record(t, p, length, ended);
		else if (put_joined(t, source, p, length) != 0)
			return -ENOMEM;
		if (!ended || source->cut)
			say_cut(t, source, ended);
		p += length + ended;
		size -= length + ended;
		if (l->counted)
			mark(p);
		/* the others of one message, or of a device, are lost */
		if (l->matched)
			return 0;
	}
	return hold(source, p, size);
}

/* A line that will not be continued.  Async-signal-safe. */
static void
put_unfinished(const struct target *t, struct source *source)
{
	if (source->length > 0)
		put_record(t, source->held, source->length, false);
	source->length = 0;
	source->cut = false;
}

/* ---- reading ---- */

static bool
is_message(const struct source *source)
{
	return source->how.kind == READ_DATAGRAMS ||
	    source->how.kind == READ_PACKETS;
}

/*
 * For a source that cannot be peeked at: read up to the end of the line, byte
 * by byte.  One that does not return single bytes is read as it is.
 */
static ssize_t
read_single_bytes(int fd, struct source *source)
{
	struct lines *l = pmux->lines;
	size_t done = 0;
	ssize_t n = 1;

	if (source->how.kind == READ_OTHER)
		return read_now(fd, &source->how, l->bytes, TURN);
	while (n == 1 && done < SINGLE_BYTES) {
		n = read_now(fd, &source->how, l->bytes + done, 1);
		if (n == 1 && l->bytes[done++] == '\n')
			break;
	}
	return done > 0 ? (ssize_t)done : n;
}

/* To kevent(2) no file has an end, and with --reopen neither. */
static struct read_text *
text_of(const struct source *source)
{
	struct lines *l = pmux->lines;

	return l->texts != NULL && source->how.kind == READ_FILE ?
	    &l->texts[source - l->sources] :
	    NULL;
}

/* Whether T, whose end was read, may be followed by another file. */
static bool
is_named(const struct target *t)
{
	return pmux->lines->tail != NULL && (t->flags & TARGET_PATH) != 0;
}

/*
 * Whether the unfinished line of LENGTH bytes has to be read to be finished, or
 * -errno; *LAST: nothing comes after it.
 */
static int
is_stuck(const struct target *t, struct source *source, size_t length,
    bool *last)
{
	struct lines *l = pmux->lines;
	int64_t now;
	int answer;

	*last = false;
	if (length == LARGEST)
		return true;
	/* no more comes if another file has its name */
	if (text_of(source) != NULL)
		return *last = is_named(t) &&
		    tail_ended(l->tail, t, (size_t)(source - l->sources));
	answer = read_is_last(t->fd, &source->how, length);
	*last = answer == 1;
	if (answer != 0 || read_is_full(&source->how, length))
		return answer != 0 ? answer : true;
	now = clock_now();
	if (source->how.kind != READ_STREAM || length != source->unread) {
		source->unread = length;
		source->since = now;
		return false;
	}
	return length >= STUCK_BYTES && now - source->since >= STUCK_TIME;
}

static ssize_t
peek(int fd, struct source *source, size_t size)
{
	struct lines *l = pmux->lines;
	struct read_text *text = text_of(source);

	return text != NULL ? read_on(fd, text, l->bytes, size) :
			      read_peek(fd, &source->how, l->bytes, size);
}

/* Put the bytes that HOLDER has as a record.  Returns -EINTR or -ENOMEM. */
static ssize_t
put_cut(struct source *source, struct source *holder)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[source - l->sources];
	int error;

	error = match(holder, l->bytes, 0);
	if (error != 0)
		return error;
	put_record(t, holder->held, l->longest, false);
	holder->length = 0;
	say_cut(t, holder, false);
	return -EINTR;
}

/*
 * Peek at the unread bytes; *WANTED is set to the length of the records in them
 * that --count and --until want.  Returns as read_peek, or -ENOMEM.
 */
static ssize_t
peek_records(int fd, struct source *source, struct source *holder,
    size_t *wanted)
{
	struct lines *l = pmux->lines;
	uint64_t count = l->most - l->records;
	ssize_t n = 0, length = 0;

	*wanted = 0;
	l->found = false;
	for (size_t size = TURN; length == 0; size = LARGEST) {
		n = peek(fd, source, size);
		if (n <= 0)
			return n;
		if (is_message(source))
			length = n;
		/* the bytes held are a record if the line continues */
		else if (holder->length == l->longest && l->bytes[0] != '\n')
			return put_cut(source, holder);
		else
			length = measure(holder, l->bytes, (size_t)n,
			    count < BATCH ? count : BATCH);
		if ((size_t)n < size || size == LARGEST)
			break;
	}
	*wanted = length > 0 ? (size_t)length : 0;
	return length < 0 ? length : n;
}

/* What was printed has to be read, or it would be printed again. */
static ssize_t
read_printed(int fd, struct reader *how, char *buffer, size_t size)
{
	ssize_t n;

	while ((n = read_now(fd, how, buffer, size)) == -EINTR)
		;
	return n;
}

/* Read the first LENGTH of bytes, which were peeked at. */
static ssize_t
consume(int fd, struct source *source, size_t length)
{
	struct lines *l = pmux->lines;
	struct read_text *text = text_of(source);
	size_t done = 0;
	ssize_t n = 0;

	if (text != NULL)
		n = read_pass(fd, text, l->bytes, length);
	else if (source->how.kind == READ_FILE)
		n = read_skip(fd, (off_t)length);
	else if (is_message(source))
		n = read_printed(fd, &source->how, l->bytes, LARGEST);
	else
		while (done < length &&
		    (n = read_printed(fd, &source->how, l->bytes,
			 length - done)) > 0)
			done += (size_t)n;
	return n < 0 ? n : (ssize_t)length;
}

/*
 * How many bytes of the LENGTH that became records have been printed; only
 * those records count, and BEFORE earlier ones.
 */
static size_t
printed(const struct source *source, size_t length, uint64_t before)
{
	struct lines *l = pmux->lines;
	size_t n = l->batched;
	uint64_t out;

	if (output_flush() == 0)
		return length;
	out = output_written() - l->batch_start;
	while (n > 0 && l->batch[n - 1].out > out)
		n--;
	l->records = before + n;
	return n == 0 || is_message(source) ? 0 : l->batch[n - 1].in;
}

/*
 * Print the records that the first WANTED of bytes are, LAST being whether they
 * end without a newline, and then consume those that were printed: the others
 * stay unread, so that they are not lost.  Returns as read_now.
 */
static ssize_t
print_and_consume(int fd, struct source *source, struct source *holder,
    size_t wanted, bool last)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[source - l->sources];
	uint64_t before = l->records;
	size_t length = wanted;
	int error;

	l->batched = 0;
	l->batch_start = output_appended();
	l->produced = 0;
	l->measured = !is_message(source);
	error = digest(t, holder, l->bytes, wanted);
	l->measured = false;
	if (error != 0)
		return error;
	if (last && holder->length > 0) {
		if (!l->found && match(holder, l->bytes, 0) != 0)
			return -ENOMEM;
		put_unfinished(t, holder);
		mark(l->bytes + wanted);
	}
	if (!l->print->quiet)
		length = printed(source, wanted, before);
	/* what was not printed stays unread, and will match again */
	l->matched = length == wanted && (l->matched || l->found);
	return length == 0 ? -EINTR : consume(fd, source, length);
}

/* Take records from a source that cannot be peeked at.  Returns as read_now. */
static ssize_t
take_unpeeked(int fd, struct source *source, struct source *holder)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[source - l->sources];
	ssize_t n = read_single_bytes(fd, source);
	int error = n <= 0 ? 0 : digest(t, holder, l->bytes, (size_t)n);

	if (error == 0 && n > 0 && l->partial && holder->length > 0) {
		error = match(holder, l->bytes, 0);
		if (l->matched)
			put_unfinished(t, holder);
	}
	return error != 0 ? error : n;
}

/* As is_stuck; or it is to be printed as it is. */
static int
wants_unfinished(struct source *source, struct source *holder, size_t length,
    bool *last)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[source - l->sources];
	int answer = 0;

	if (l->partial || l->last)
		answer = matches(holder, l->bytes, length);
	if (answer < 0)
		return answer;
	l->found = answer > 0;
	if (!l->found && !l->last)
		return is_stuck(t, source, length, last);
	*last = true;
	return true;
}

/*
 * Take at most the records that --count and --until want.  Returns as read_now;
 * -EINPROGRESS if only an unfinished line is unread.
 */
static ssize_t
take_counted(int fd, struct source *source, struct source *holder)
{
	struct lines *l = pmux->lines;
	bool last = is_message(source);
	size_t wanted;
	ssize_t n = peek_records(fd, source, holder, &wanted);
	int stuck;

	if (n == -EOPNOTSUPP)
		return take_unpeeked(fd, source, holder);
	if (n == 0 && text_of(source) == NULL)
		/* the end of file, or an empty message */
		return read_now(fd, &source->how, l->bytes, 0);
	if (n <= 0)
		return n;
	if (wanted == 0) {
		stuck = wants_unfinished(source, holder, (size_t)n, &last);
		if (stuck <= 0)
			return stuck < 0 ? stuck : -EINPROGRESS;
		wanted = (size_t)n;
	}
	return print_and_consume(fd, source, holder, wanted, last);
}

/* Take all unread bytes, at most a turn.  Returns as read_now. */
static ssize_t
take_all(struct source *source, struct source *holder)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[source - l->sources];
	struct read_text *text = text_of(source);
	ssize_t n;
	int error = 0;

	if (text != NULL)
		n = read_on(t->fd, text, l->bytes, TURN);
	else
		n = read_now(t->fd, &source->how, l->bytes,
		    is_message(source) ? LARGEST : TURN);
	if (n <= 0)
		return n;
	if (text != NULL)
		error = read_pass(t->fd, text, l->bytes, (size_t)n);
	if (error == 0)
		error = digest(t, holder, l->bytes, (size_t)n);
	if (is_message(source))
		put_unfinished(t, holder);
	return error != 0 ? error : n;
}

/* ---- one reader at a time ---- */

/* The descriptor to read SOURCE by: pmux's own description if possible. */
static int
reading_end(struct source *source, struct source *holder)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[source - l->sources];
	const struct target *first = &l->targets->list[holder - l->sources];

	if (source->how.kind != READ_PIPE && source->how.kind != READ_FIFO)
		return t->fd;
	if (!holder->tried) {
		holder->tried = true;
		holder->own = (first->flags & TARGET_PATH) != 0 ?
		    first->fd :
		    turn_open(first->fd);
	}
	if (holder->own < 0)
		return t->fd;
	source->how.own = true;
	return holder->own;
}

/* Returns whether to go on: it is our turn, or there are none here. */
static bool
take_turn(const struct target *t, struct source *holder)
{
	int64_t now, left;
	int answer;

	if (holder->own < 0 || holder->turn)
		return true;
	answer = turn_take(holder->own,
	    (t->flags & TARGET_PATH) != 0 ? -1 : t->fd);
	holder->turn = answer == 1;
	if (answer != 0 || holder->alone) {
		holder->asked = 0;
		return true;
	}
	now = clock_now();
	left = kernel_unread(holder->own);
	if (holder->asked == 0 || now - holder->asked_last > TURN_GAP ||
	    left < holder->left)
		holder->asked = now;
	holder->asked_last = now;
	holder->left = left;
	if (now - holder->asked < TURN_TIME)
		return false;
	holder->alone = true;
	diag_remark(
	    "%.*s: another process has held the lock for a second: reading without it",
	    (int)t->length, t->name);
	return true;
}

/* Unless it has begun to take a line that is not whole. */
static void
give_turn(struct source *holder)
{
	if (!holder->turn || holder->length > 0 || holder->cut)
		return;
	holder->turn = false;
	turn_give(holder->own);
}

static ssize_t
take_in_turn(struct source *source, struct source *holder)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[source - l->sources];
	int fd = reading_end(source, holder);
	ssize_t n;

	if (!take_turn(t, holder))
		return -EBUSY;
	n = take_counted(fd, source, holder);
	give_turn(holder);
	return n;
}

/* read(2) fails with EBADF also for a descriptor that is only for writing. */
static enum lines_answer
failed(const struct target *t, int error)
{
	if (error == -EBADF && foreign_is_closed(t->fd))
		(void)target_closed(pmux->lines->targets, t);
	else
		(void)diag_system(-error, NULL, "%.*s", (int)t->length,
		    t->name);
	return LINES_FAILED;
}

/* ---- the result ---- */

/* The file of T was truncated or overwritten before the place reached. */
static enum lines_answer
start_again(size_t index)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[index];
	int error = read_from_start(t->fd);

	put_unfinished(t, &l->sources[index]);
	if (error != 0) {
		return failed(t, error);
	}
	diag_remark(
	    "%.*s: it was truncated or overwritten: reading it from its start",
	    (int)t->length, t->name);
	return LINES_WAIT;
}

/* There was nothing, though it was said to be ready. */
static enum lines_answer
take_empty(struct source *source)
{
	bool again = source->empty;

	/* said twice: that must not be a loop */
	source->empty = true;
	return again ? LINES_LEFT : LINES_WAIT;
}

/* Nothing could be read, ERROR being 0 at end of file or a -errno. */
static enum lines_answer
take_nothing(size_t index, int error)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[index];
	struct source *source = &l->sources[index];
	struct source *holder = &l->sources[source->same];

	if (error == -EINPROGRESS)
		return LINES_LEFT;
	if (error == -EBUSY)
		return LINES_TURN;
	if (error == -ESTALE && text_of(source) != NULL)
		return start_again(index);
	if (error == -EINTR ||
	    (error == 0 && source->how.kind == READ_DATAGRAMS))
		return LINES_WAIT;
	if (error == 0 && text_of(source) != NULL && is_named(t) &&
	    tail_ended(l->tail, t, index))
		return LINES_CHANGE;
	if (error == -EAGAIN || (error == 0 && text_of(source) != NULL))
		return take_empty(source);
	put_unfinished(t, holder);
	give_turn(holder);
	/* so a terminal ends whose other end was closed (tty_io.c) */
	if (error == 0 ||
	    (error == -EIO && source->how.kind == READ_DEVICE &&
		read_has_hung_up(t->fd)))
		return LINES_END;
	return failed(t, error);
}

static enum lines_answer
take(size_t index)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[index];
	struct source *source = &l->sources[index];
	struct source *holder = &l->sources[source->same];
	ssize_t n;
	int error;

	if (source->fd != t->fd) {
		error = read_how(t->fd, (t->flags & TARGET_PATH) != 0,
		    &source->how);
		if (error != 0)
			return failed(t, error);
		source->fd = t->fd;
	}
	if (!l->print->quiet)
		make_head(t);
	n = l->counted ? take_in_turn(source, holder) :
			 take_all(source, holder);
	if (n <= 0)
		return take_nothing(index, (int)n);
	source->empty = false;
	source->unread = 0;
	return LINES_WAIT;
}

enum lines_answer
lines_take(size_t index)
{
	struct lines *l = pmux->lines;
	enum lines_answer answer = LINES_WAIT;

	if (lines_done())
		return answer;
	/* a process that cannot print must not keep the turn from others */
	if (l->counted && !l->print->quiet && !output_is_ready()) {
		l->blocked = true;
		return answer;
	}
	sigdefer_begin();
	/* do not consume input that can no longer be printed */
	if (output_failed() == 0 && !sigdefer_pending())
		answer = take(index);
	sigdefer_end();
	return answer;
}

int
lines_change(size_t index)
{
	struct lines *l = pmux->lines;
	const struct target *t = &l->targets->list[index];
	struct source *source = &l->sources[index];
	int error;

	sigdefer_begin();
	if (!l->print->quiet)
		make_head(t);
	if (source->length > 0)
		(void)match(source, l->bytes, 0);
	put_unfinished(t, source);
	l->texts[index] = (struct read_text){ .length = 0 };
	source->fd = -1;
	source->empty = false;
	error = tail_change(l->tail, t, index);
	sigdefer_end();
	return error == 0 ?
	    0 :
	    diag_system(-error, NULL, "%.*s", (int)t->length, t->name);
}

bool
lines_follows(size_t index)
{
	const struct target *t = &pmux->lines->targets->list[index];
	const struct source *source = &pmux->lines->sources[index];

	return is_named(t) && t->fd >= 0 &&
	    (source->fd != t->fd || source->how.kind == READ_FILE);
}

int
lines_files(void)
{
	return pmux->lines->tail == NULL ? -1 :
					   tail_descriptor(pmux->lines->tail);
}

void
lines_read_files(void)
{
	tail_read(pmux->lines->tail);
}

bool
lines_take_last(size_t index)
{
	struct lines *l = pmux->lines;
	struct source *holder = &l->sources[l->sources[index].same];
	uint64_t before = l->records;

	if (l->targets->list[index].fd < 0)
		return false;
	l->last = true;
	(void)lines_take(index);
	l->last = false;
	if (holder->length > 0 && !lines_done()) {
		sigdefer_begin();
		(void)match(holder, l->bytes, 0);
		put_unfinished(&l->targets->list[index], holder);
		sigdefer_end();
	}
	return l->records != before;
}

void
lines_await_output(void)
{
	struct lines *l = pmux->lines;

	if (l->blocked)
		output_await();
	l->blocked = false;
}

uint64_t
lines_count(void)
{
	return pmux->lines->records;
}

bool
lines_done(void)
{
	const struct lines *l = pmux->lines;

	return l->matched || l->records >= l->most;
}

void
lines_close(void)
{
	struct lines *l = pmux->lines;
	const struct target *t;

	if (l == NULL || !l->serving)
		return;
	sigdefer_begin();
	l->serving = false;
	for (size_t i = 0; i < l->targets->count; i++) {
		t = &l->targets->list[i];
		if (l->sources[i].length > 0 &&
		    (!l->counted || l->sources[i].how.kind != READ_FILE ||
			read_skip(t->fd, -(off_t)l->sources[i].length) != 0)) {
			if (!l->print->quiet)
				make_head(t);
			put_unfinished(t, &l->sources[i]);
		}
		if (l->sources[i].turn)
			turn_give(l->sources[i].own);
		if (l->sources[i].own >= 0 && l->sources[i].own != t->fd)
			(void)close(l->sources[i].own);
	}
	sigdefer_end();
}

void
lines_end(struct lines *l, size_t count)
{
	if (l == NULL)
		return;
	for (size_t i = 0; l->sources != NULL && i < count; i++)
		free(l->sources[i].held);
	free(l->sources);
	free(l->texts);
	free(l->joined);
	tail_close(l->tail);
	free(l);
}
