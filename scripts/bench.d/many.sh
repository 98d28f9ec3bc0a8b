# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154,SC2034
# A part of scripts/bench: one call for many descriptors.

numbers "$n" >"$scratch/many"
numbers 1000 >"$scratch/few"

many() {
	last=$(($1 + 9)) file=$2
	shift 2
	set -- "$@" -n "$last" -- poll "$dir/many" poll "$file" \
	    -- again "$dir/many" poll "$file" \
	    -- epoll "$dir/many" epoll "$file" \
	    -- pmux-poll "$pmux" poll -e in "@$file" \
	    -- pmux-epoll "$pmux" epoll -e in "@$file"
	if [ -n "$kqueue" ]; then
		sed 's/^/read:/' "$file" >"$file.read"
		set -- "$@" -- kqueue "$dir/many" kqueue "$file" \
		    -- pmux-kqueue "$pmux" kqueue "@$file.read"
	fi
	measure "$@"
}
if [ -n "$kqueue" ]; then
	with_kq -o "$dir/many" "$src/many.c" "$kq"
	commands='poll epoll kqueue'
else
	compile -o "$dir/many" "$src/many.c" 2>/dev/null || rm -f "$dir/many"
	commands='poll epoll'
fi
if [ -x "$dir/many" ]; then
	say "$n descriptors: $many_rounds rounds"
	many "$n" "$scratch/many" many -f -r "$many_rounds"
	many "$n" "$scratch/many" most -m -r 1
	many 1000 "$scratch/few" least -m -r 1
	bytes=$(($(wc -c <"$scratch/many") - $(wc -c <"$scratch/few")))
	awk -F'\t' -v n="$((n - 1000))" -v bytes="$bytes" '
	    $1 == "most" { kib[$2] += $3 }
	    $1 == "least" { kib[$2] -= $3 }
	    END {
		for (p in kib)
			print "target\t" p "\t" (kib[p] * 1024 - bytes) / n - \
			    (p == "pmux-kqueue" ? length("read:") : 0)
	    }' "$scratch/results" >"$scratch/target"
	cat "$scratch/target" >>"$scratch/results"
	for command in $commands; do
		row "$command, $n targets" wall many "pmux-$command" \
		    "$command" 1.20
		row "$command, $n targets" cpu many "pmux-$command" \
		    "$command" 1.20
		# A knote is larger than pmux's own part.
		what="$command, each target more"
		if [ "$command" = kqueue ]; then
			row "$what" bytes target pmux-kqueue kqueue 1.50
		else
			row "$what" bytes target "pmux-$command" '' 64
		fi
	done
fi
