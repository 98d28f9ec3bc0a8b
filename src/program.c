#include "config.h"

#include "diag.h"
#include "program.h"

int
program_become(const struct request *request, const struct target *t,
    const struct event *event)
{
	(void)request;
	(void)t;
	(void)event;
	return diag_unavailable("PROGRAM is not available");
}

int
program_open(const struct request *request, int *wake)
{
	(void)request;
	*wake = -1;
	return diag_unavailable("PROGRAM is not available");
}

bool
program_has_room(void)
{
	return false;
}

size_t
program_running(void)
{
	return 0;
}

int
program_start(const struct request *request, size_t index,
    const struct event *event)
{
	(void)request;
	(void)index;
	(void)event;
	return 0;
}

int
program_take(const struct request *request, size_t *index)
{
	(void)request;
	(void)index;
	return 0;
}

int
program_signal(void)
{
	return 0;
}

void
program_close(const struct request *request)
{
	(void)request;
}
