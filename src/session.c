#include "config.h"

#include "diag.h"
#include "session.h"

int
session_run(struct request *request)
{
	(void)request;
	return diag_unavailable("--session is not available");
}
