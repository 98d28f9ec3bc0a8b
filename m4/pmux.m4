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

# PMUX_SHELL_BUILTINS: set shell_builtin to why there are no builtins of shells.  An
# object of another C library, of the sanitizers or of gcov cannot be loaded into
# the shell of the system.
AC_DEFUN([PMUX_SHELL_BUILTINS], [
shell_builtin=
AS_IF([test "x$enable_static_binary" = xyes], [shell_builtin="no (static binary)"],
	[test "x$enable_sanitizers" = xyes], [shell_builtin="no (sanitizers)"],
	[test "x$enable_coverage" = xyes], [shell_builtin="no (coverage)"])
])

# PMUX_HEADERS_OF(SHELL, VARIABLE, CPPFLAGS, INCLUDES, VERSION): set VARIABLE to what
# the macro VERSION is in the headers INCLUDES, or to none if they do not compile.
AC_DEFUN([PMUX_HEADERS_OF], [
AC_CACHE_CHECK([for the version of the headers of $1], [$2], [
	pmux_cppflags=$CPPFLAGS CPPFLAGS="$CPPFLAGS $3"
	AC_COMPILE_IFELSE([AC_LANG_SOURCE([$4
const char *version = $5;])],
		[$2=$(printf '%s\n' '$4' '$5' | $CPP $CPPFLAGS - 2>/dev/null |
			tail -n 1 | sed -n 's/^"\(.*\)"$/\1/p')],
		[$2=none])
	CPPFLAGS=$pmux_cppflags])
])

# PMUX_BASH_BUILTIN: whether to build the builtin of bash, by with_bash_builtin;
# bash_builtin says so in the summary.
AC_DEFUN([PMUX_BASH_BUILTIN], [
AC_REQUIRE([PMUX_SHELL_BUILTINS])
AC_PATH_TOOL([PKG_CONFIG], [pkg-config], [no])
bash_builtin=$shell_builtin
AS_IF([test "x$with_bash_builtin" = xno], [bash_builtin=no])
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
	[PMUX_HEADERS_OF([bash], [pmux_cv_bash_headers], [$BASH_CPPFLAGS],
[#include <stdio.h>
#include <builtins.h>
#include <shell.h>
#include <common.h>
#include <version.h>], [DISTVERSION])
	AS_CASE([$pmux_cv_bash_headers],
		[none|''], [bash_builtin="no (bash.pc and the headers of bash are missing: bash-builtins in Debian)"
			AS_IF([test "x$with_bash_builtin" = xyes],
				[AC_MSG_ERROR([--with-bash-builtin: the headers of bash are missing])])],
		[bash_builtin="yes, for bash $pmux_cv_bash_headers"])])
AM_CONDITIONAL([BASH_BUILTIN], [AS_CASE([$bash_builtin], [yes*], [:], [false])])
])

# PMUX_ZSH_MODULE: whether to build the module of zsh, by with_zsh_module; zsh_module
# says so in the summary.
AC_DEFUN([PMUX_ZSH_MODULE], [
AC_REQUIRE([PMUX_SHELL_BUILTINS])
zsh_module=$shell_builtin
AS_IF([test "x$with_zsh_module" = xno], [zsh_module=no])
ZSH_CPPFLAGS=$(AS_ECHO(["$ZSH_CPPFLAGS"]) | sed 's/-I */-isystem /g')
AS_IF([test -z "$zsh_module"],
	[PMUX_HEADERS_OF([zsh], [pmux_cv_zsh_headers],
		[$ZSH_CPPFLAGS -idirafter $srcdir/compat/zsh],
[#define HAVE_CONFIG_H 1
#define MODULE 1
#include <zsh/zsh.mdh>
#include <zsh/version.h>], [ZSH_VERSION])
	AS_CASE([$pmux_cv_zsh_headers],
		[none|''], [zsh_module="no (the headers of zsh are missing: zsh-dev in Debian)"
			AS_IF([test "x$with_zsh_module" = xyes],
				[AC_MSG_ERROR([--with-zsh-module: the headers of zsh are missing])])],
		[zsh_module="yes, for zsh $pmux_cv_zsh_headers"])])
AS_IF([test "x$with_zsh_module_dir" = xdefault],
	[with_zsh_module_dir="\${libdir}/zsh/$pmux_cv_zsh_headers"])
AM_CONDITIONAL([ZSH_MODULE], [AS_CASE([$zsh_module], [yes*], [:], [false])])
])

# PMUX_BUILTIN_FLAGS: how to build what one of them needs.
AC_DEFUN([PMUX_BUILTIN_FLAGS], [
AS_CASE(["$bash_builtin $zsh_module"], [*yes*], [shell_builtin=yes],
	[shell_builtin=no])
AS_IF([test "x$shell_builtin" = xyes],
	[PMUX_FLAGS([BUILTIN_CFLAGS], [compile], [-fPIC -fvisibility=hidden
		-fstack-protector-strong -fstack-clash-protection
		-fcf-protection -D_FORTIFY_SOURCE=2 -fno-semantic-interposition])
	PMUX_FLAGS([BUILTIN_LDFLAGS], [link], [-Wl,-z,relro -Wl,-z,now
		-Wl,-z,nodelete -Wl,-z,noexecstack -Wl,--gc-sections
		-Wl,--exclude-libs,ALL
		-Wl,--as-needed])
	BUILTIN_LDFLAGS="-shared $BUILTIN_LDFLAGS"])
AM_CONDITIONAL([SHELL_BUILTIN], [test "x$shell_builtin" = xyes])
AC_SUBST([BUILTIN_CFLAGS])
AC_SUBST([BUILTIN_LDFLAGS])
])
