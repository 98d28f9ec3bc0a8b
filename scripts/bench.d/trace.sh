# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: pmux trace, and what --calls costs the program beside
# strace(1).

if [ "$(uname -s)" = Linux ]; then
	program traced
	"$dir/traced" >"$scratch/traced" &
	traced=$!
	# its number is there once all of its pipes are
	until [ -s "$scratch/traced" ]; do
		sleep 0.01
	done
	# of one processor in two seconds 5 % are 100 ms
	row 'trace, 200 looks a second of 10' cpu look pmux '' 100000
	say "looks: $few_rounds rounds of 2 seconds"
	measure look -r "$few_rounds" -- pmux "$pmux" trace -t 2 -p "$traced" \
	    10 11 12 13 14 15 16 17 18 19
	kill "$traced"
	# the message of a shell that is told of the signal
	wait "$traced" 2>/dev/null || :

	# a shell, since the runner has `--' for itself
	sh=$(command -v sh)
	# shellcheck disable=SC2016 # the variables are the shell's
	set -- -- C "$sh" -c 'exec "$0" 5000' "$dir/traced" \
	    -- again "$sh" -c 'exec "$0" 5000' "$dir/traced" \
	    -- pmux "$sh" -c 'exec "$0" trace --calls -n 1000000 -- "$1" 5000' \
	    "$pmux" "$dir/traced"
	reference=
	if command -v strace >/dev/null; then
		reference=strace
		# shellcheck disable=SC2016
		set -- "$@" -- strace "$sh" -c \
		    'exec strace -f -o "$0" -e trace=%desc "$1" 5000' \
		    "$scratch/strace" "$dir/traced"
	fi
	row 'trace --calls, the program' wall calls pmux "$reference" \
	    ${reference:+1.20}
	row '  not traced' wall calls pmux C ''
	say "calls: $stream_rounds rounds"
	measure calls -r "$stream_rounds" "$@"
fi
