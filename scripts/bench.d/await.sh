# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: the conditions of pmux wait, beside a C program with
# pidfd_open(2) and poll(2), and inotifywait; a log whose lines are read until
# one matches, beside a C program and grep; and a log that grows, beside tail.

program await
if [ "$(uname -s)" = Linux ]; then
	await=$dir/await
	for count in 1 1000; do
		row "--exit of $count, to its line" wall exit-$count bare C 1.2
		row '  with the status, as C' wall exit-$count pmux status 1.2
		row "--exit of $count, CPU" cpu exit-$count bare C 1.2
		row '  with the status, as C' cpu exit-$count pmux status 1.2
		row '  with the status, C without' cpu exit-$count pmux C ''
		say "--exit of $count: $stream_rounds rounds"
		"$await" exit $count "$stream_rounds" C "$await" wait \
		    // again "$await" wait \
		    // status "$await" status \
		    // bare "$pmux" wait -a --format 'exit\t%t' --exit= \
		    // pmux "$pmux" wait -a --exit= >>"$scratch/results" ||
		    say 'a program failed: its rows will be missing'
	done
	row '--exists, rename to line' wall exists pmux inotifywait 1.2
	row '--exists, CPU' cpu exists pmux inotifywait ''
	if inotifywait=$(command -v inotifywait); then
		say "--exists: $run_rounds rounds"
		mkdir "$scratch/watched"
		file=$scratch/watched/file
		set -- "$inotifywait" -q -e moved_to "$scratch/watched"
		"$await" exists "$file" "$scratch/other" "$run_rounds" \
		    inotifywait "$@" // again "$@" \
		    // pmux "$pmux" wait --exists "$file" \
		    >>"$scratch/results" ||
		    say 'a program failed: its rows will be missing'
	else
		say '--exists: there is no inotifywait to compare with'
	fi
	row '--lines --reopen, to the last line' wall grow pmux tail 1.0
	row '--lines --reopen, CPU' cpu grow pmux tail 1.0
	if tail --version 2>/dev/null | grep -q GNU; then
		say "--lines --reopen: $stream_rounds rounds"
		file=$scratch/grows
		set -- tail -n +1 -F "$file"
		"$await" grow "$file" "$grow_lines" "$stream_rounds" \
		    tail "$@" // again "$@" \
		    // pmux "$pmux" wait --lines --reopen "$file" \
		    >>"$scratch/results" ||
		    say 'a program failed: its rows will be missing'
	else
		say '--lines --reopen: there is no tail -F of GNU to compare with'
	fi
	# 125 ms are half of the longest pause between two attempts
	row '--connect, after listen(2)' wall connect pmux '' 300000
	say "--connect: $stream_rounds rounds"
	"$await" connect "$stream_rounds" "$pmux" wait --connect \
	    >>"$scratch/results" ||
	    say 'a program failed: its rows will be missing'
fi

log=$scratch/log
awk -v mib="$log_mib" 'BEGIN {
	for (n = 0; n < mib * 1048576; n += length(line) + 1) {
		line = "2026-01-02T03:04:05 server[" ++i % 977 \
		    "]: request " i " from 192.0.2.7 answered in 12 ms, OK"
		print line
	}
	print "server: READY 1"
}' >"$log"
expression='READY [0-9]+$'
say "--lines --until: $log_mib MiB, $few_rounds rounds"
for quiet in '' -q; do
	kind=until$quiet
	row "--lines --until${quiet:+ $quiet}, CPU" cpu "$kind" pmux C 1.2
	row "  grep -m 1${quiet:+ $quiet}, CPU" cpu "$kind" grep C ''
	# shellcheck disable=SC2086 # nothing is no word
	measure "$kind" -r "$few_rounds" \
	    -- C "$dir/await" until $quiet "$expression" "$log" \
	    -- again "$dir/await" until $quiet "$expression" "$log" \
	    -- pmux "$pmux" wait --lines $quiet --until "$expression" "$log" \
	    -- grep "$(command -v grep)" -m 1 -E $quiet "$expression" "$log"
done
