#include "config.h"

#include "diag.h"
#include "follow.h"

int
follow_run(struct request *request)
{
	(void)request;
	return diag_unavailable("--follow is not available");
}
