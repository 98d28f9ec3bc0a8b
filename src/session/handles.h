/* SPDX-License-Identifier: ISC */
/*
 * handles.h - the table of targets that a session knows by name or by number.
 */
#ifndef HANDLES_H
#define HANDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One descriptor, path or kevent. */
struct handle {
	char *name; /* as first written; NUL behind it */
	uint64_t number; /* 0 where the name is the key */
	uint32_t length; /* of name */
	uint32_t kind; /* the session's; 0: unused */
	uint32_t next; /* in its chain, index plus 1 */
	uint32_t bits; /* registered for */
	uint32_t uses; /* kqueue: kevents of this descriptor */
	int fd; /* here; -1: none */
	uint8_t flags; /* the session's */
	bool named; /* known by its name */
};

struct handles {
	struct handle *list; /* a handle keeps its index */
	uint32_t *chains; /* index plus 1 */
	uint32_t mask;
	uint32_t count; /* one past the last index in use */
	uint32_t capacity;
	uint32_t used;
	uint32_t unused; /* chain of those removed, index
						   plus 1 */
};

#define HANDLES_NONE UINT32_MAX

/*
 * The index of the handle with KIND and NAME, LENGTH bytes, or, if NAME is
 * NULL, with KIND and NUMBER; HANDLES_NONE if there is none.
 */
uint32_t handles_find(const struct handles *handles, uint32_t kind,
    const char *name, size_t length, uint64_t number);

/*
 * Add it; NAMED says that the name is the key, and it is copied in any case.
 * Returns 0 with *INDEX set, or -ENOMEM.  Pointers to handles are invalid then.
 */
int handles_add(struct handles *handles, uint32_t kind, const char *name,
    size_t length, uint64_t number, bool named, uint32_t *index);

/* Remove the handle; its name is freed. */
void handles_remove(struct handles *handles, uint32_t index);

/*
 * The same, but others refer to the name: it and the index are kept until
 * handles_close.
 */
void handles_forget(struct handles *handles, uint32_t index);

/* Free all of them, and every name. */
void handles_close(struct handles *handles);

#endif
