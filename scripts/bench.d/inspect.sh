# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: pmux explain and pmux inspect, beside lsfd(1) and
# lsof(8): one process, all processes, and an epoll instance.

# crowd ARGUMENT...: start it; the variable first is what it prints.
crowd() {
	: >"$scratch/crowd"
	"$dir/crowd" "$@" >"$scratch/crowd" &
	crowd=$!
	until [ -s "$scratch/crowd" ]; do
		kill -0 "$crowd" 2>/dev/null || return 1
		sleep 0.01
	done
	first=$(cat "$scratch/crowd")
}

# disperse PID...: end them.
disperse() {
	kill "$@"
	# the message of a shell that is told of the signal
	wait "$@" 2>/dev/null || :
}

# growth KIND FEW MANY: how KINDMANY has grown from KINDFEW, 1 being linear.
growth() {
	awk -F'\t' -v kind="$1" -v few="$2" -v many="$3" '
	    $2 == "pmux" { cpu[$1] = $4 }
	    END {
		if (cpu[kind few] > 0)
			print kind "\tgrowth\t" \
			    cpu[kind many] / cpu[kind few] / (many / few)
	    }' "$scratch/results" >"$scratch/growth"
	cat "$scratch/growth" >>"$scratch/results"
}

# inspect_one HOW KIND: explain one process of 100 descriptors among 200 others.
inspect_one() {
	crowd -p 200 10 || return 1
	others=$crowd
	crowd "$1" 1 100 || {
		disperse "$others"
		return 1
	}
	set -- "$2" -- pmux "$pmux" explain -p "$first"
	if [ -n "$lsfd" ]; then
		set -- "$@" -- lsfd "$(command -v lsfd)" -p "$first" \
		    -- again "$(command -v lsfd)" -p "$first" \
		    -- all "$(command -v lsfd)" -Q "PID == $first"
	fi
	say "one process among 200: $stream_rounds rounds"
	kind=$1
	shift
	measure "$kind" -r "$stream_rounds" "$@"
	disperse "$others" "$crowd"
}

# inspect_all PROCESSES [NAME COMMAND...]: beside these.
inspect_all() {
	processes=$1
	shift
	say "$processes processes: $few_rounds rounds"
	crowd -p "$processes" 100 || return 1
	# nothing but this shell has it open
	exec 8<"$scratch/rows"
	measure "all-$processes" -r "$few_rounds" "$@" \
	    -- pmux "$pmux" inspect "$scratch/rows" \
	    -- explain "$pmux" explain "$scratch/rows"
	exec 8<&-
	disperse "$crowd"
}

inspect_epoll() {
	say "$1 registrations: $stream_rounds rounds"
	crowd -e "$1" || return 1
	measure "epoll-$1" -r "$stream_rounds" \
	    -- pmux "$pmux" inspect -p "$first" 10
	disperse "$crowd"
}

if [ "$(uname -s)" = Linux ]; then
	program crowd
	lsfd=lsfd lsof=lsof
	for tool in lsfd lsof; do
		command -v "$tool" >/dev/null && continue
		say "no $tool(1): nothing is compared with it"
		eval "$tool="
	done
	if ! inspect_one -a explain-alone || ! inspect_one -p explain-peer; then
		say 'no 200 processes: rows will be missing'
	fi
	for metric in wall cpu; do
		row 'explain, of 100 descriptors' "$metric" explain-alone pmux \
		    "$lsfd" ${lsfd:+1.50}
	done
	# all must be searched for this: lsfd -p has no other ends
	row '  with the other end of one' cpu explain-peer pmux \
	    ${lsfd:+all} ${lsfd:+0.50}
	row '  with the other end of one' cpu explain-peer pmux "$lsfd" ''

	set --
	[ -z "$lsfd" ] || set -- "$@" -- lsfd "$(command -v lsfd)"
	[ -z "$lsof" ] || set -- "$@" -- lsof "$(command -v lsof)" +E
	for processes in 250 500 1000; do
		if [ "$processes" = 1000 ]; then
			inspect_all 1000 "$@"
		else
			inspect_all "$processes"
		fi || say 'not so many processes: a row will be missing'
		row "inspect PATH, $processes processes" cpu \
		    "all-$processes" pmux '' ''
	done
	growth all- 250 1000
	row '  from 250 on (linear: 1)' growth all- growth '' 1.25
	for tool in $lsfd $lsof; do
		for metric in wall cpu; do
			row 'inspect PATH, 1000 processes' "$metric" all-1000 \
			    pmux "$tool" 0.50
			row 'explain PATH, 1000 processes' "$metric" all-1000 \
			    explain "$tool" 0.50
		done
	done

	most=100000
	if [ "$hard" != unlimited ] && [ "$hard" -lt $((most + 100)) ]; then
		most=$((hard - 100))
	fi
	for registrations in 10000 "$most"; do
		inspect_epoll "$registrations" ||
		    say "no $registrations registrations: a row will be missing"
	done
	row 'inspect, 10000 registrations' cpu epoll-10000 pmux '' 100000
	row "inspect, $most registrations" cpu "epoll-$most" pmux '' ''
	growth epoll- 10000 "$most"
	row '  from 10000 on (linear: 1)' growth epoll- growth '' 1.25
fi
