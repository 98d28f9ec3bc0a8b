/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "backend/backend.h"

const struct backend *const backends[] = {
#define BACKEND(id) &backend_##id,
#include "backend/backends.def"
#undef BACKEND
	NULL
};
