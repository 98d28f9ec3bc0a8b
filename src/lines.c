#include "config.h"

#include "diag.h"
#include "lines.h"

int
lines_open(const struct request *request)
{
	(void)request;
	return diag_unavailable("--lines is not available");
}

enum lines_answer
lines_take(const struct request *request, size_t index)
{
	(void)request;
	(void)index;
	return LINES_FAILED;
}

uint64_t
lines_count(void)
{
	return 0;
}

void
lines_close(const struct request *request)
{
	(void)request;
}
