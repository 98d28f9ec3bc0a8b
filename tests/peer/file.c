/* SPDX-License-Identifier: ISC */
/* file.c - states of files and devices. */
#include "peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int
file_of(const char *bytes, off_t at)
{
	char name[] = "peer.XXXXXX";
	int f = move(mkstemp(name));

	put(f, bytes);
	lseek(f, at, SEEK_SET);
	unlink(name);
	return f;
}

static int
file_start(void)
{
	return file_of("0123456789", 0);
}

static int
file_middle(void)
{
	return file_of("0123456789", 4);
}

static int
file_end(void)
{
	return file_of("0123456789", 10);
}

static int
file_past_end(void)
{
	return file_of("0123456789", 25);
}

/* A file of ten bytes, opened again with FLAGS. */
static int
file_opened(int flags)
{
	char name[] = "peer.XXXXXX";
	int f = move(mkstemp(name)), again;

	put(f, "0123456789");
	close(f);
	again = move(open(name, flags));
	unlink(name);
	return again;
}

static int
file_rdonly(void)
{
	return file_opened(O_RDONLY);
}

static int
file_wronly(void)
{
	return file_opened(O_WRONLY);
}

static int
file_empty(void)
{
	return file_of("", 0);
}

static int
directory(void)
{
	return move(open(".", O_RDONLY));
}

static int
dev_null(void)
{
	return move(open("/dev/null", O_RDWR));
}

static int
dev_null_r(void)
{
	return move(open("/dev/null", O_RDONLY));
}

static int
dev_zero(void)
{
	return move(open("/dev/zero", O_RDWR));
}

static int
closed(void)
{
	return -1;
}

const struct state file_states[] = {
	{ "file.start", file_start },
	{ "file.middle", file_middle },
	{ "file.at-end", file_end },
	{ "file.past-end", file_past_end },
	{ "file.rdonly", file_rdonly },
	{ "file.wronly", file_wronly },
	{ "file.empty", file_empty },
	{ "directory.open", directory },
	{ "dev.null", dev_null },
	{ "dev.null-rdonly", dev_null_r },
	{ "dev.zero", dev_zero },
	{ "number.closed", closed },
	{ NULL, NULL },
};
