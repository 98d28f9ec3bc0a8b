# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154,SC2034
# A part of scripts/bench: libkq and libkqueue, each beside epoll(7) in its own
# run of the same program.

if [ -n "$kq" ] && with_kq -o "$dir/kq" "$src/kq.c" "$kq"; then
	libraries=libkq
	cp "$dir/kq" "$dir/kq-libkq"
	if [ -n "${LIBKQUEUE-}" ] &&
	    compile -I"$LIBKQUEUE/include" -o "$dir/kq-libkqueue" \
		"$src/kq.c" "$LIBKQUEUE/libkqueue.a" -pthread; then
		libraries='libkq libkqueue'
	fi
	for library in $libraries; do
		say "$library: $kq_turns turns"
		if "$dir/kq-$library" "$kq_turns" >"$scratch/out"; then
			sed "s/^kq-/kq-$library-/" "$scratch/out" \
			    >>"$scratch/results"
		else
			say 'a program failed: its rows will be missing'
		fi
	done
	# libkq_row WHAT KIND WAY LIMIT [REFERENCE]: a row for each library; LIMIT
	# is libkq's.
	libkq_row() {
		row "$1" ns "kq-libkq-$2" "$3" "${5-raw}" "$4"
		[ "$libraries" = libkq ] ||
		    row '  libkqueue' ns "kq-libkqueue-$2" "$3" "${5-raw}" ''
	}
	libkq_row 'libkq: add one of 10000 knotes' add data 2.00
	libkq_row 'libkq: in one call' add at-once ''
	for same in same other; do
		# FIONREAD for each event costs more than the wait itself
		libkq_row "libkq: collect $same 100" "$same-wait" data ''
		libkq_row '  beside the same count' "$same-wait" data 1.20 count
		libkq_row '  without the byte count' "$same-wait" no-data 2.00
	done
fi
