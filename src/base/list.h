/* SPDX-License-Identifier: ISC */
/*
 * list.h - arrays that grow by one member at a time.
 */
#ifndef LIST_H
#define LIST_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/*
 * Room for one more in LIST, which has COUNT members of SIZE bytes and was only
 * grown so; members may have been dropped since.  Returns the list, which may
 * have moved, or NULL without memory; LIST is unchanged then.  The sizes are
 * powers of two, from 8 on.
 */
static inline void *
list_room(void *list, size_t count, size_t size)
{
	if (count != 0 && (count < 8 || (count & (count - 1)) != 0))
		return list;
	return realloc(list, (count < 8 ? 8 : 2 * count) * size);
}

/*
 * Append the SIZE bytes at MEMBER to the list at LIST, a pointer to its first
 * member, which has *COUNT.  Returns 0 or -ENOMEM; the list is unchanged then.
 */
static inline int
list_append(void *list, size_t *count, const void *member, size_t size)
{
	void *grown;

	memcpy(&grown, list, sizeof grown);
	if ((grown = list_room(grown, *count, size)) == NULL)
		return -ENOMEM;
	memcpy((char *)grown + (*count)++ * size, member, size);
	memcpy(list, &grown, sizeof grown);
	return 0;
}

#endif
