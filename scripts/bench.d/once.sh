# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154,SC2034
# A part of scripts/bench: one call and its answer, beside a C program that
# makes the same.

compile -o "$dir/dynamic" "$src/ref.c"
cp "$dir/dynamic" "$dir/again"
build_static
if [ "$libc" = musl ]; then
	musl-gcc -O2 -static -o "$dir/musl" "$src/ref.c"
fi
if [ -n "$kqueue" ]; then
	with_kq -o "$dir/kevent" "$src/kevent.c" "$kq"
	[ "$libc" = glibc ] || cc=musl-gcc
	with_kq -static -o "$dir/kevent-static" "$src/kevent.c" "$kq_static"
	cc=
fi
true=$(PATH=/bin:/usr/bin sh -c 'for t in /bin/true /usr/bin/true; do
	[ ! -x $t ] || { echo $t; break; }; done')

single() {
	set -- "$@" -- dynamic "$dir/dynamic" -- again "$dir/again" \
	    -- glibc "$dir/glibc" -- "$libc" "$dir/$libc" -- true "$true" \
	    -- pmux "$pmux" poll -t 0 0:in -- static "$static" poll -t 0 0:in
	[ -z "$kqueue" ] ||
	    set -- "$@" -- kevent "$dir/kevent" \
		-- kevent-libc "$dir/kevent-static" \
		-- pmux-kqueue "$pmux" kqueue -t 0 read:0 \
		-- static-kqueue "$static" kqueue -t 0 read:0
	measure "$@"
}
say "one call: $rounds rounds"
single one -r "$rounds"
single memory -m -r "$memory_rounds"

row 'poll -t 0 0:in' wall one pmux dynamic 1.06
row 'poll -t 0 0:in' cpu one pmux dynamic 1.06
row 'poll -t 0 0:in' memory memory pmux dynamic 1.20
row 'static poll -t 0 0:in' wall one static "$libc" 1.12
row 'static poll -t 0 0:in' wall one static true 1.00
[ "$libc" != musl ] ||
    row 'static poll -t 0 0:in' memory memory static '' 300
if [ -n "$kqueue" ]; then
	row 'kqueue -t 0 read:0' wall one pmux-kqueue kevent 1.10
	row 'kqueue -t 0 read:0' cpu one pmux-kqueue kevent 1.10
	row 'kqueue -t 0 read:0' memory memory pmux-kqueue kevent 1.20
	row 'static kqueue -t 0 read:0' wall one static-kqueue kevent-libc 1.25
	[ "$libc" != musl ] ||
	    row 'static kqueue -t 0 read:0' memory memory static-kqueue '' 300
fi
