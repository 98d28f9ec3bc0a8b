/* SPDX-License-Identifier: ISC */
/*
 * memory.h - reading the memory of another process.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "inspect/facts/source.h"

/*
 * Copy SIZE bytes at ADDRESS of process PID to TO: by process_vm_readv(2) where
 * the source is live, else, and where that is denied or absent, from
 * /proc/PID/mem.  Both want the right to trace PID (ptrace(2),
 * PTRACE_MODE_ATTACH_REALCREDS and _FSCREDS).  Returns 0, or -errno: -EPERM,
 * -ESRCH, -EFAULT if not all of it is mapped.
 */
int memory_read(struct source *source, pid_t pid, uint64_t address, void *to,
    size_t size);

/*
 * Copy the string at ADDRESS, cut to SIZE - 1 bytes, to TO, and put a NUL behind
 * it.  Returns 0 or -errno as memory_read.
 */
int memory_string(struct source *source, pid_t pid, uint64_t address, char *to,
    size_t size);

#endif
