#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What --enable-libkq installs, and that a program can use it.

# shellcheck disable=SC2154	# build: set by prepare
load helper

prepare() {
	build=${PMUX%/*}
	[[ -f $build/libkq.so.0 ]] || skip 'configured without --enable-libkq'
	export PKG_CONFIG_PATH
}

# install_libkq: into ./root.  The space is for the quotes in the Makefile.
install_libkq() {
	local file

	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
	    make -s -C "$build" install-libkq install-kqincludeHEADERS \
	    install-nodist_pkgconfigDATA install-man DESTDIR="$PWD/a root" \
	    prefix=/p >install.log 2>&1 3>&- || fail "$(cat install.log)"
	mv 'a root' root
	PKG_CONFIG_PATH=$PWD/root/p/lib/pkgconfig
	for file in lib/libkq.a lib/libkq.so include/kq/sys/event.h \
	    lib/pkgconfig/kq.pc share/man/man3/kq.3; do
		[[ -f root/p/$file ]] || fail "no $file"
	done
}

# compile FILE [ARGUMENT]...: prog, with what kq.pc says.
compile() {
	local flags

	command -v pkg-config >/dev/null || skip 'no pkg-config'
	flags=$(pkg-config --define-variable=prefix="$PWD/root/p" \
	    --cflags --libs kq)
	# shellcheck disable=SC2086	# words
	"${CC:-cc}" -Wall -Wextra -Wpedantic -Werror -o prog "$1" "${@:2}" \
	    $flags 3>&-
}

# A program for a BSD that has functions with names of src/kq.
write_program() {
	cat >prog.c <<'.'
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

#include <stdio.h>
#include <unistd.h>

int collect(void);
int change_apply(void);
int collect(void) { return 0; }
int change_apply(void) { return 0; }

int
main(void)
{
	struct timespec limit = { 60, 0 };
	struct kevent event;
	int p[2], queue = kqueue();

	if (queue == -1 || pipe(p) == -1)
		return 1;
	EV_SET(&event, p[0], EVFILT_READ, EV_ADD, 0, 0, 0);
	if (kevent(queue, &event, 1, 0, 0, 0) == -1 || write(p[1], "abc", 3) != 3)
		return 1;
	if (kevent(queue, 0, 0, &event, 1, &limit) != 1)
		return 1;
	printf("%d %d\n", (int)event.data, collect() + change_apply());
	return 0;
}
.
}

# public FILE [OPTION]: the global symbols that FILE defines.
public() {
	nm -g --defined-only "${@:2}" "$1" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }
	    NF == 3 && $2 !~ /[TA]/ { print }' | sort
}

@test "libkq is installed, and a program uses the shared library and the static one" {
	install_libkq
	write_program
	compile prog.c
	run env LD_LIBRARY_PATH=root/p/lib ./prog
	assert_equal "$status $output" '0 3 0'
	rm root/p/lib/libkq.so*
	compile prog.c -pthread
	run ./prog
	assert_equal "$status $output" '0 3 0'
}

@test "libkq has no global symbols but kevent, kqueue and kqueue1" {
	command -v nm >/dev/null || skip 'no nm'
	assert_equal "$(public "$build/libkq.so.0" -D)" $'kevent\nkqueue\nkqueue1'
	assert_equal "$(public "$build/libkq.a")" $'kevent\nkqueue\nkqueue1'
}

@test "<sys/event.h> of libkq is one for C++, C90 with inline, and C11" {
	local header=$BATS_TEST_DIRNAME/../src/kq/include/sys/event.h

	for language in 'c -std=gnu90' 'c -std=gnu11' 'c++ -std=gnu++17'; do
		# shellcheck disable=SC2086	# words
		echo "#include \"$header\"" |
		    "${CC:-cc}" -x $language -Wall -Wextra -Werror \
			-fsyntax-only - 3>&- || {
			[[ $language != c++* ]] || command -v c++ >/dev/null ||
			    continue
			fail "$language"
		}
	done
}

@test "uninstall removes libkq" {
	install_libkq
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
	    make -s -C "$build" uninstall-libkq uninstall-kqincludeHEADERS \
	    uninstall-nodist_pkgconfigDATA uninstall-man DESTDIR="$PWD/root" \
	    prefix=/p 3>&-
	assert_equal "$(find root ! -type d)" ''
}
