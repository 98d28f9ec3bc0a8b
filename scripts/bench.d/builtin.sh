# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: the builtin of bash, beside the smallest one that
# makes the same call, and beside the program.

built=$dir/default/pmux.so
if [ -f "$built" ]; then
	flags=$(sed -n 's/^BASH_CPPFLAGS = //p' "$dir/default/Makefile")
	# shellcheck disable=SC2086 # a list of words
	compile -shared -fPIC $flags -o "$dir/least.so" "$src/builtin.c"
	row 'builtin: a poll, to its status' cpu builtin-call pmux C 1.5
	row 'builtin: a poll, read -t 0' cpu builtin-call read pmux
	row 'builtin: a poll, the program' wall builtin-call program pmux
	row 'builtin: one record by -v' cpu builtin-var pmux C 2.0
	row 'builtin: a line of 100 pipes' wall builtin-pipes pmux program 0.05
	row 'builtin: a line of 100 pipes, read -t 0' wall builtin-pipes read pmux
	say "the builtin: $few_rounds rounds"
	bash "$src/builtin.bash" "$built" "$dir/least.so" "$pmux" \
	    "$few_rounds" 20000 >>"$scratch/results" ||
	    say 'a program failed: its rows will be missing'
fi
