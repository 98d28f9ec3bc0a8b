# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154,SC2034
# A part of scripts/bench: kevent(2) and epoll(7) in one program.

if [ -n "$kq" ] && with_kq -o "$dir/kq" "$src/kq.c" "$kq"; then
	say "kevent: $kq_turns turns"
	"$dir/kq" "$kq_turns" >>"$scratch/results" ||
	    say 'a program failed: its rows will be missing'
	what='10000 knotes:'
	row "$what add one" ns kq-add data raw 2.00
	row "$what in one call" ns kq-add at-once raw ''
	for same in same other; do
		row "$what $same 100" ns "kq-$same-event" no-data raw 1.30
		row '  with the byte count' ns "kq-$same-event" data raw 2.00
		row '  without read(2)' ns "kq-$same-wait" no-data raw ''
		row '  with write(2)' ns "kq-$same-cycle" no-data raw ''
	done
fi
