/* SPDX-License-Identifier: ISC */
#include "filter.h"

static const struct filter *const filters[] = {
#define FILTER(id) &filter_##id,
#include "filters.def"
#undef FILTER
};

const struct filter *
filter_find(int number)
{
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		if (filters[i]->number == number)
			return filters[i];
	return NULL;
}
