/* SPDX-License-Identifier: ISC */
/*
 * requests - random requests for "pmux COMMAND --session".
 *
 *	requests [-s SEED] [-t SECONDS]
 *
 * Each round makes some hundred requests from a seed, valid and invalid ones,
 * and writes them to a session, all at once or in pieces.  Each must be answered
 * by exactly one ok or error with its tag, all lines must have the form that
 * pmux-session(7) describes, standard error must be empty, and the session must
 * exit 0.  PMUX names the program.  Prints
 * TAP; a round that fails is printed with its seed, and "-s SEED -t 0" is that
 * round alone.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS 200
#define LONGEST 4096
#define COUNT(a) (sizeof(a) / sizeof *(a))

static uint64_t state;
static const char *program;
static char input[REQUESTS * LONGEST];
static size_t input_length;
static char output[1 << 24];
static size_t output_length;

static uint64_t
next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned
below(unsigned end)
{
	return (unsigned)(next() % end);
}

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "requests: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- requests ---- */

static const char *const commands[] = { "select", "poll", "devpoll", "epoll",
	"kqueue" };

static const char *const verbs[] = { "register", "modify", "unregister", "poll",
	"poll", "poll", "select", "select 0", "control", "control 0 0",
	"control 3 0", "fromfd", "fileno", "closed", "cancel", "cancel", "help",
	"frob", "" };

static const char *const words[] = { "0", "1", "2", "3", "5", "6", "7", "7:in",
	"6:out", "5:in,pri", "5:et,in", "6:oneshot,out", "9:in", "99", "99:hup",
	"file:in", "./file:in,out", "fifo:in", "fifo:out", "fifo", "nofile",
	"dir:in", "/dev/fd/7:in", "/dev/null", "-r", "-w", "-x", "1ms", "0.001",
	"-", "-1", "-3", "2", "1e-3", "nan", "1e400", "7:0x1", "7:0xfffff",
	"99999999999", "read:7", "read:7:delete", "write:6:clear",
	"read:5:oneshot,udata=a%2C", "user:1", "user:1:trigger,fflags=7,ffor",
	"user:1:delete", "user:1:disable", "user:1:enable,receipt", "timer:1ms",
	"timer:3:data=1ms,oneshot", "timer:3:delete", "vnode:file:write,attrib",
	"vnode:file:EV_DELETE", "read:file", "read:fifo", "write:fifo",
	"signal:USR1", "signal:USR1:delete", "signal:KILL", "proc:1",
	"proc:999999999", "aio:file", "-1:7:flags=1", "-11:2:flags=0x1",
	"netdev:nothing", "::", ":", "a:", "''", "'7'", "\"7:in\"", "$'7'",
	"\\7", "'", "\"", "$'\\", "\\", "$'\\0012'", "$'fi\\0154e:in'", "@7",
	"@", "@@" };

static void
put(const char *bytes, size_t length)
{
	if (length > sizeof input - input_length)
		length = sizeof input - input_length;
	memcpy(input + input_length, bytes, length);
	input_length += length;
}

static void
put_string(const char *s)
{
	put(s, strlen(s));
}

/* Anything but a newline. */
static void
put_garbage(void)
{
	unsigned length = below(100) == 0 ? LONGEST / 2 : below(20);
	char c;

	while (length-- > 0) {
		c = (char)next();
		if (c != '\n')
			put(&c, 1);
	}
}

/* Change some of the bytes from FROM on. */
static void
spoil(size_t from)
{
	static const char likely[] = "\\'\"$:,= \t@-0x\r\377";
	char c;

	for (unsigned n = below(4); n > 0 && input_length > from; n--) {
		c = below(2) == 0 ? (char)next() :
				    likely[below(sizeof likely - 1)];
		if (c != '\n')
			input[from +
			    below((unsigned)(input_length - from))] = c;
	}
}

/* Whether the request at FROM would end the round. */
static bool
is_quit(size_t from)
{
	for (; from + 4 <= input_length; from++)
		if (memcmp(input + from, "quit", 4) == 0)
			return true;
	return false;
}

static void
put_request(unsigned number)
{
	char tag[16];
	size_t from;

	(void)snprintf(tag, sizeof tag, "@%u ", number);
	put_string(tag);
	from = input_length;
	if (below(20) == 0)
		put_garbage();
	else {
		put_string(verbs[below(COUNT(verbs))]);
		for (unsigned n = below(4); n > 0; n--) {
			put_string(below(5) == 0 ? "\t" : " ");
			put_string(words[below(COUNT(words))]);
			if (below(30) == 0)
				put_garbage();
		}
	}
	if (below(6) == 0)
		spoil(from);
	if (is_quit(from))
		input_length = from;
	put_string("\n");
}

static void
make_requests(void)
{
	char last[24];

	input_length = 0;
	for (unsigned i = 0; i < REQUESTS - 1; i++)
		put_request(i);
	/* a wait of minutes may be pending */
	(void)snprintf(last, sizeof last, "@%d cancel\n", REQUESTS - 1);
	put_string(last);
	/* the last line needs no newline */
	if (below(2) == 0)
		input_length--;
}

/* ---- the session ---- */

static void
become(const char *command, int in, int out)
{
	int pair[2], null = open("/dev/null", O_RDWR);

	if (dup2(in, 0) == -1 || dup2(out, 1) == -1 ||
	    dup2(open("errors", O_WRONLY | O_CREAT | O_TRUNC, 0600), 2) == -1)
		_exit(126);
	for (int fd = 3; fd < 64; fd++)
		if (fd != null)
			(void)close(fd);
	if (null != 5) {
		(void)dup2(null, 5);
		(void)close(null);
	}
	if (pipe(pair) == -1 || write(pair[1], "hello", 5) != 5)
		_exit(126);
	(void)dup2(pair[0], 7);
	(void)dup2(pair[1], 6);
	if (pair[0] != 7 && pair[0] != 6)
		(void)close(pair[0]);
	if (pair[1] != 6 && pair[1] != 7)
		(void)close(pair[1]);
	(void)alarm(60);
	(void)execl(program, program, command, "--session", "--hold", "0",
	    (char *)NULL);
	_exit(127);
}

/* Write all requests, sometimes with a pause, and read the answers. */
static void
converse(int to, int from)
{
	size_t given = 0, piece;
	ssize_t n;

	output_length = 0;
	(void)fcntl(to, F_SETFL, O_NONBLOCK);
	for (;;) {
		struct pollfd p[2] = { { given < input_length ? to : -1,
					   POLLOUT, 0 },
			{ from, POLLIN, 0 } };

		if (poll(p, 2, -1) == -1 && errno != EINTR)
			die("poll");
		if ((p[0].revents & ~POLLOUT) != 0)
			given = input_length;
		else if (p[0].revents != 0) {
			piece = input_length - given;
			if (piece > 64 && below(2) == 0)
				piece = 1 + below(64);
			n = write(to, input + given, piece);
			given += n > 0 ? (size_t)n : 0;
		}
		if (given == input_length && to != -1) {
			(void)close(to);
			to = -1;
		}
		if (p[1].revents == 0)
			continue;
		n = read(from, output + output_length,
		    sizeof output - 1 - output_length);
		if (n <= 0)
			break;
		output_length += (size_t)n;
	}
	output[output_length] = '\0';
}

static int
run(const char *command)
{
	int in[2], out[2], status;
	pid_t pid;

	if (pipe(in) == -1 || pipe(out) == -1)
		die("pipe");
	pid = fork();
	if (pid == -1)
		die("fork");
	if (pid == 0)
		become(command, in[0], out[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	converse(in[1], out[0]);
	(void)close(out[0]);
	if (waitpid(pid, &status, 0) == -1)
		die("waitpid");
	return status;
}

/* ---- answers ---- */

/* The number of the tag at S, with the rest in *END; -1: there is none. */
static long
tag_at(const char *s, const char **end)
{
	char *after;
	long number;

	*end = s;
	if (s[0] != ' ' || s[1] != '@')
		return -1;
	number = strtol(s + 2, &after, 10);
	*end = after;
	return after == s + 2 ? -1 : number;
}

/* Whether LINE ends the answer to a request that had none yet. */
static const char *
check_line(const char *line, unsigned *answers)
{
	bool ok = strncmp(line, "ok ", 3) == 0,
	     error = strncmp(line, "error ", 6) == 0;
	const char *rest;
	long number;

	for (const char *c = line; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' && *c != '\t')
			return "a control character";
	if (!ok && !error && strncmp(line, "event ", 6) != 0)
		return "neither event, ok nor error";
	number = tag_at(strchr(line, ' '), &rest);
	if (number < 0 || number >= REQUESTS)
		return "no tag";
	if (!ok && !error)
		return *rest != '\t'	 ? "no tab" :
		    answers[number] != 0 ? "an event after the answer's end" :
					   NULL;
	if (error && (rest[0] != ' ' || rest[1] < 'A' || rest[1] > 'Z'))
		return "no name";
	return answers[number]++ != 0 ? "a second answer" : NULL;
}

static const char *
check(int status)
{
	static unsigned answers[REQUESTS];
	const char *wrong;
	struct stat st;
	char *line, *end;

	memset(answers, 0, sizeof answers);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return "it did not exit 0";
	if (stat("errors", &st) == -1 || st.st_size != 0)
		return "something on standard error";
	if (strncmp(output, "ready ", 6) != 0 ||
	    memchr(output, '\0', output_length) != NULL)
		return "not ready, or a NUL";
	line = strchr(output, '\n') + 1;
	for (; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (end == NULL)
			return "an unfinished line";
		*end = '\0';
		wrong = check_line(line, answers);
		if (wrong != NULL) {
			printf("# %s\n", line);
			return wrong;
		}
	}
	for (unsigned i = 0; i < REQUESTS; i++)
		if (answers[i] != 1) {
			printf("# request %u\n", i);
			return "no answer";
		}
	return NULL;
}

/* Returns whether the session behaved. */
static bool
one_round(uint64_t seed)
{
	const char *command, *wrong;
	int status;

	state = seed;
	command = commands[below(COUNT(commands))];
	make_requests();
	status = run(command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		return true; /* no such primitive here */
	wrong = check(status);
	if (wrong != NULL)
		printf("not ok - %s: %s (status %d, seed %llu)\n", command,
		    wrong, status, (unsigned long long)seed);
	return wrong == NULL;
}

int
main(int argc, char **argv)
{
	uint64_t seed = 1, rounds = 0;
	char directory[] = "/tmp/requests.XXXXXX", clean[64];
	time_t end, seconds = 2;
	bool well = true;
	int option;

	while ((option = getopt(argc, argv, "s:t:")) != -1) {
		if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (option == 't')
			seconds = (time_t)strtol(optarg, NULL, 10);
		else
			return 2;
	}
	program = getenv("PMUX");
	if (program == NULL || mkdtemp(directory) == NULL ||
	    chdir(directory) == -1 || mkfifo("fifo", 0600) == -1 ||
	    mkdir("dir", 0700) == -1 ||
	    close(open("file", O_WRONLY | O_CREAT, 0600)) == -1)
		die("PMUX, or a directory to work in");
	(void)signal(SIGPIPE, SIG_IGN);
	printf("1..1\n");
	end = time(NULL) + seconds;
	do {
		well = one_round(seed++);
		rounds++;
	} while (well && time(NULL) < end);
	if (well)
		printf("ok - sessions answer each of %llu requests once\n",
		    (unsigned long long)(rounds * REQUESTS));
	(void)snprintf(clean, sizeof clean, "rm -rf %s", directory);
	return chdir("/") == 0 && system(clean) == 0 && well ? 0 : 1;
}
