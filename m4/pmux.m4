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

# PMUX_BASH_BUILTIN: whether to build the builtin of bash, by with_bash_builtin;
# bash_builtin says so in the summary.  An object of another C library, of the
# sanitizers or of gcov cannot be loaded into the bash of the system.
AC_DEFUN([PMUX_BASH_BUILTIN], [
AC_PATH_TOOL([PKG_CONFIG], [pkg-config], [no])
bash_builtin=
AS_IF([test "x$with_bash_builtin" = xno], [bash_builtin=no],
	[test "x$enable_static_binary" = xyes], [bash_builtin="no (static binary)"],
	[test "x$enable_sanitizers" = xyes], [bash_builtin="no (sanitizers)"],
	[test "x$enable_coverage" = xyes], [bash_builtin="no (coverage)"])
AS_IF([test -z "$bash_builtin" && test -z "$BASH_CPPFLAGS" &&
	test "x$cross_compiling" != xyes && test "x$PKG_CONFIG" != xno],
	[BASH_CPPFLAGS=$("$PKG_CONFIG" --cflags-only-I bash 2>/dev/null)
	AS_IF([test "x$with_bash_loadables_dir" = xdefault],
		[with_bash_loadables_dir=$("$PKG_CONFIG" \
			--define-variable=prefix='${prefix}' \
			--variable=loadablesdir bash 2>/dev/null)])])
AS_CASE([$with_bash_loadables_dir], [default|''],
	[with_bash_loadables_dir='${prefix}/lib/bash'])
# their warnings are not ours
BASH_CPPFLAGS=$(AS_ECHO(["$BASH_CPPFLAGS"]) | sed 's/-I */-isystem /g')
AS_IF([test -z "$bash_builtin"],
	[AC_CACHE_CHECK([for the version of the headers of bash],
		[pmux_cv_bash_headers], [
		pmux_cppflags=$CPPFLAGS CPPFLAGS="$CPPFLAGS $BASH_CPPFLAGS"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>
#include <builtins.h>
#include <shell.h>
#include <common.h>]], [[return EXECUTION_SUCCESS;]])],
			[pmux_cv_bash_headers=$(printf '%s\n' '#include <version.h>' \
				'DISTVERSION' | $CPP $CPPFLAGS - 2>/dev/null |
				sed -n 's/^"\(.*\)"$/\1/p')],
			[pmux_cv_bash_headers=none])
		CPPFLAGS=$pmux_cppflags])
	AS_CASE([$pmux_cv_bash_headers],
		[none|''], [bash_builtin="no (bash.pc and the headers of bash are missing: bash-builtins in Debian)"
			AS_IF([test "x$with_bash_builtin" = xyes],
				[AC_MSG_ERROR([--with-bash-builtin: the headers of bash are missing])])],
		[bash_builtin="yes, for bash $pmux_cv_bash_headers"
		PMUX_FLAGS([BUILTIN_CFLAGS], [compile], [-fPIC -fvisibility=hidden
			-fstack-protector-strong -fstack-clash-protection
			-fcf-protection -D_FORTIFY_SOURCE=2 -fno-semantic-interposition])
		PMUX_FLAGS([BUILTIN_LDFLAGS], [link], [-Wl,-z,relro -Wl,-z,now
			-Wl,-z,nodelete -Wl,-z,noexecstack -Wl,--gc-sections
			-Wl,--as-needed])
		BUILTIN_LDFLAGS="-shared $BUILTIN_LDFLAGS"])])
AM_CONDITIONAL([BASH_BUILTIN], [AS_CASE([$bash_builtin], [yes*], [:], [false])])
AC_SUBST([BUILTIN_CFLAGS])
AC_SUBST([BUILTIN_LDFLAGS])
])
