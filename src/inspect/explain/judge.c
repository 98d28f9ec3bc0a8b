/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "inspect/explain/findings.h"

int
findings_judge(struct judge *judge)
{
	struct chain *c = judge->chain;
	struct snapshot_process *p;
	int error = 0;

	chain_find_stuck(c);
	for (size_t i = 0; i < c->wait_count && error == 0; i++) {
		const struct waited *w = &c->waits[i];

		if (w->epoll != NULL)
			error = judge_registration(judge, w);
		if (error == 0 && w->found != NULL && w->found->error == 0)
			error = judge_wait(judge, w);
	}
	for (p = c->snapshot->processes; p != NULL && error == 0; p = p->next)
		if (p->is_walked && p->error == 0)
			error = judge_process(judge, p);
	if (error == 0)
		error = judge_stuck(judge);
	if (error == 0)
		error = judge_spinning(judge);
	return error;
}
