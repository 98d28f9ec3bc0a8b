/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "await/await.h"
#include "backend/backend.h"
#include "backend/over.h"
#include "base/deadline.h"
#include "base/duration.h"
#include "base/flags.h"
#include "base/pmux.h"
#include "cli/check.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/nearest.h"
#include "cli/option.h"
#include "output/diag.h"
#include "output/output.h"
#include "run/once.h"
#include "run/request.h"
#include "run/stream.h"
#include "session/session.h"
#include "sys/caller.h"
#include "sys/foreign.h"
#include "sys/launch.h"
#include "target/target.h"

static const struct backend *const wait_streams[] = { &backend_epoll,
	&backend_kqueue_poll, &backend_devpoll, NULL };

const struct command commands[] = {
#define COMMAND(...) { __VA_ARGS__ },
#include "cli/commands.def"
#undef COMMAND
	{ .name = NULL }
};

const struct command *
command_find(const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

int
command_unknown(const char *name)
{
	const struct command *nearest = NULL;
	unsigned best = NEAREST_FAR, d;

	for (const struct command *c = commands; c->name != NULL; c++)
		if ((d = nearest_beginning(name, c->name)) < best) {
			best = d;
			nearest = c;
		}
	if (nearest == NULL)
		return diag_usage("%s: unknown command (see 'pmux help')",
		    name);
	return diag_usage("%s: unknown command (did you mean '%s'?)", name,
	    nearest->name);
}

static int
unavailable(const struct command *command, const char *why)
{
	char here[64] = "";
	const char *ignored;

	for (const struct backend *const *b = backends; *b != NULL; b++)
		if ((*b)->probe(&ignored) >= 0) {
			strcat(here, *here == '\0' ? "" : ", ");
			strcat(here, (*b)->name);
		}
	return diag_unavailable("%s is not available: %s; here there is: %s",
	    command->name, why, *here == '\0' ? "nothing" : here);
}

/* --help works for a command that is not available here, too. */
static bool
wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static bool
sleeps_for_a_time(const struct request *r)
{
	return r->session || r->stream.idle != DURATION_FOREVER ||
	    (r->wait.deadline != DEADLINE_NEVER &&
		r->wait.deadline != DEADLINE_PASSED);
}

/* Before a target is opened, which may get that number. */
static int
check_ready_fd(int fd)
{
	if (fd == -1 || !foreign_is_closed(fd))
		return 0;
	return diag_system(EBADF, target_why_closed(fd), "--ready-fd %d", fd);
}

static bool
all_conditions(const struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		if (targets->list[i].fd != AWAIT_NO_FD)
			return false;
	return true;
}

static int
resolve(const struct command *command, struct request *request)
{
	const struct backend *backend = request->targets.backend;
	bool program = request->program.arguments != NULL;
	uint32_t defaults;
	const char *word;
	size_t length;
	int status;

	/* PROGRAM's output is its own affair, and it has all of a kevent */
	request->wait.output = !request->print.quiet && !program &&
	    !request->variable;
	request->wait.data = program ||
	    print_wants_data(&request->print, request->stream.lines);
	/* the command's own words, which its table knows */
	(void)flags_parse(backend->flags, backend->limit, command->events,
	    strlen(command->events), &defaults, &word, &length);
	request->targets.copied = request->stream.lines;
	request->targets.late = request->stream.reopen &&
	    (request->stream.lines || backend->requests != NULL);
	status = targets_resolve(&request->targets, command->twice, defaults,
	    request->print.null);
	if (request->targets.process_count > 0 && !request->stream.lines)
		request->targets.backend = backend_over(backend, false);
	request->targets.backend = await_over(request->targets.backend,
	    !request->follow && all_conditions(&request->targets));
	await_until(request->wait.deadline);
	if (program)
		await_keep();
	else if (pmux->await != NULL && !print_wants_status(&request->print))
		await_no_status();
	if (status == 0 && request->wait.ready_fd != -1 &&
	    targets_name(&request->targets, request->wait.ready_fd))
		status = diag_usage("--ready-fd %d: it is also a target, and"
				    " would be closed",
		    request->wait.ready_fd);
	return status;
}

bool
command_apart(int *status)
{
	struct pmux_host *host = pmux->host;

	return host->apart != NULL && host->apart(host, status);
}

bool
command_begin(const struct command *command, int argc, char **argv, int *status)
{
	struct request *request = pmux->request;

	*status = options_parse(command, NULL, argc, argv, request);
	if (*status != 0 || !request->help)
		return *status == 0;
	help_print(command);
	*status = EXIT_EVENT;
	return false;
}

int
command_wait_run(const struct command *command, int argc, char **argv)
{
	struct request *request = pmux->request;
	const struct backend *backend = command->backend;
	const char *detail, *other;
	int status;

	if (backend->probe(&detail) < 0) {
		if (wants_help(argc, argv)) {
			help_print(command);
			return EXIT_EVENT;
		}
		backend = command->instead;
		if (backend == NULL || backend->probe(&other) < 0)
			return unavailable(command, detail);
	}
	status = options_parse(command, backend, argc, argv, request);
	if (status == 0 && request->help) {
		help_print(command);
		return EXIT_EVENT;
	}
	if (status == 0)
		status = check_options(request);
	if (status == 0)
		status = check_ready_fd(request->wait.ready_fd);
	if (status == 0 && request->program.arguments != NULL) {
		if (command_apart(&status))
			return status;
		launch_remember();
	}
	if (status == 0 && sleeps_for_a_time(request))
		caller_count_stops();
	if (status == 0 && request->session)
		return session_run(request);
	if (status == 0)
		status = resolve(command, request);
	if (status != 0)
		return status;
	return request->follow ? stream_run(request) : once_run(request);
}
