# SPDX-License-Identifier: ISC
# Macros of configure.ac.

# PMUX_PRIMITIVE(NAME): a switch for the primitive NAME; a pmux without it
# answers "not available".
AC_DEFUN([PMUX_PRIMITIVE], [
AC_ARG_ENABLE([$1], [AS_HELP_STRING([--disable-$1], [leave $1 out])],
	[], [enable_$1=yes])
AS_IF([test "x$enable_$1" != xno],
	[AC_DEFINE([ENABLE_]m4_toupper([$1]), [1], [Define to offer $1.])])
])

# PMUX_FLAGS(VARIABLE, compile|link, FLAG...): add the flags that CC takes.
AC_DEFUN([PMUX_FLAGS], [
m4_foreach_w([flag], [$3], [
AS_VAR_PUSHDEF([cache], [pmux_cv_$2_[]flag])
AC_CACHE_CHECK([whether $CC takes flag], [cache], [
	pmux_cflags=$CFLAGS pmux_ldflags=$LDFLAGS
	m4_if([$2], [link], [LDFLAGS="$LDFLAGS flag"], [CFLAGS="$CFLAGS -Werror flag"])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]],
			[[char b[64]; return snprintf(b, sizeof b, "%d", 1);]])],
		[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
	CFLAGS=$pmux_cflags LDFLAGS=$pmux_ldflags])
AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" flag"])])
AS_VAR_POPDEF([cache])
])])
