# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: a program for each event, beside C programs and
# shells that wait for it and run one.  It is a small static one, so that what
# starting it costs hides little.

program spawn
compile -static -o "$dir/eat" "$src/eat.c"

# A reader of lines runs the program without its byte.
# shellcheck disable=SC2016 # the variables are the shell's
loop='while IFS= read -r line; do "$1" -; done </dev/fd/10'
mkdir "$scratch/run"
set -- // C "$dir/spawn" vfork "$dir/eat" \
    // again "$dir/spawn" vfork "$dir/eat" \
    // C-64 "$dir/spawn" -m 64 vfork "$dir/eat" \
    // fork "$dir/spawn" fork "$dir/eat" \
    // fork-64 "$dir/spawn" -m 64 fork "$dir/eat" \
    // posix_spawn "$dir/spawn" posix_spawn "$dir/eat" \
    // pmux "$pmux" epoll --follow 10:in -- "$dir/eat"
row '--follow -- PROGRAM' wall run pmux C 1.10
row '--follow -- PROGRAM' cpu run pmux C 1.10
row '  not run for a byte' events run-lost pmux '' 0
row '  C with 64 MiB' wall run pmux C-64 1.10
row '  C with 64 MiB' cpu run pmux C-64 1.10
row '  C, fork' wall run fork C ''
row '  C, fork with 64 MiB' wall run fork-64 C ''
row '  C, posix_spawn' wall run posix_spawn C ''
for shell in dash bash; do
	if path=$(command -v "$shell"); then
		set -- "$@" // "$shell" "$path" -c "$loop" "$shell" "$dir/eat"
		row "  $shell, read in a loop" wall run "$shell" C ''
	fi
done
if command -v inotifywait >/dev/null; then
	# shellcheck disable=SC2016 # the variables are the shell's
	set -- "$@" // inotifywait sh -c 'inotifywait -mqe modify "$2" |
		while read -r line; do "$1" -; done' sh "$dir/eat" \
	    "$scratch/run/inotifywait"
	row '  inotifywait and a loop' wall run inotifywait C ''
fi
say "a program for each event: $run_rounds rounds"
drive run run -r "$run_rounds" -d "$scratch/run" "$@"

# Four workers on one pipe, a job a line: for each job a worker starts a pmux
# that takes the line, and the program.
jobs=$((run_rounds * 4)) sh=$(command -v sh)
# shellcheck disable=SC2016 # the variables are sh's
set -- -r "$stream_rounds" \
    -- xargs "$sh" -c 'seq "$2" | xargs -n 1 -P 4 "$1"' sh "$dir/eat" "$jobs" \
    -- pmux "$sh" -c '
	work() {
		while job=$("$3" wait --lines --count 1 --format %l 3); do
			"$1" "$job"
		done
	}
	seq "$2" | {
		exec 3<&0
		work "$@" & work "$@" & work "$@" & work "$@" & wait
	}' sh "$dir/eat" "$jobs" "$pmux"
row "$jobs jobs, 4 workers" wall workers pmux xargs ''
row "$jobs jobs, 4 workers" cpu workers pmux xargs ''
say "workers: $stream_rounds rounds of $jobs jobs"
measure workers "$@"
