# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: the conditions of pmux wait, beside a C program with
# pidfd_open(2) and poll(2).

if [ "$(uname -s)" = Linux ]; then
	program await
	await=$dir/await
	for count in 1 1000; do
		row "--exit of $count, to its line" wall exit-$count pmux C 1.2
		row "--exit of $count, CPU" cpu exit-$count pmux C 1.2
		say "--exit of $count: $stream_rounds rounds"
		"$await" exit $count "$stream_rounds" C "$await" wait \
		    // again "$await" wait \
		    // pmux "$pmux" wait -a --exit= >>"$scratch/results" ||
		    say 'a program failed: its rows will be missing'
	done
	# 125 ms are half of the longest pause between two attempts
	row '--connect, after listen(2)' wall connect pmux '' 300000
	say "--connect: $stream_rounds rounds"
	"$await" connect "$stream_rounds" "$pmux" wait --connect \
	    >>"$scratch/results" ||
	    say 'a program failed: its rows will be missing'
fi
