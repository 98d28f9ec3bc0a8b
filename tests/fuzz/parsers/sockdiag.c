/* SPDX-License-Identifier: ISC */
/* Replies of sock_diag(7): sockets_parse, with the protocol before them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/facts/sockdiag.h"
#include "parser.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockets sockets = { .list = NULL };
	char *reply;
	int answer;

	if (size == 0)
		return 0;
	reply = parser_input(data + 1, size - 1);
	answer = sockets_parse(&sockets, data[0] % (SOCK_UDP + 1), reply,
	    size - 1);
	parser_check(answer <= 1);
	parser_check(sockets_index(&sockets) == 0);
	for (size_t i = 0; i < sockets.count; i++) {
		const struct sock *sock = &sockets.list[i];
		const struct sock *found = sockets_find(&sockets, sock->inode);

		parser_check(sock->inode == 0 ||
		    (found != NULL && found->inode == sock->inode));
		parser_check(sock->name_length <= sizeof sock->name);
		(void)sockets_other(&sockets, sock);
		(void)sock_state_name(sock->state);
	}
	sockets_free(&sockets);
	free(reply);
	return 0;
}
