# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: the builtin of bash, beside the smallest one that
# makes the same call, and beside the program; that of zsh beside zselect.

built=$dir/default/pmux.so
if [ -f "$built" ]; then
	flags=$(sed -n 's/^BASH_CPPFLAGS = //p' "$dir/default/Makefile")
	# shellcheck disable=SC2086 # a list of words
	compile -shared -fPIC $flags -o "$dir/least.so" "$src/builtin.c"
	row 'builtin: a poll, to its status' cpu-ns builtin-call pmux C 1.5
	row '  read -t 0' cpu-ns builtin-call read pmux
	for name in program perl python; do
		row "  $name" wall-ns builtin-call "$name" pmux
	done
	row 'builtin: one record by -v' cpu-ns builtin-var pmux C 2.0
	row 'builtin: a line of 100 pipes' wall-ns builtin-pipes pmux program 0.05
	for name in session read; do
		row "  $name" wall-ns builtin-pipes "$name" pmux
	done
	row 'builtin: loading it' wall-ns builtin-load pmux '' 2000000
	say "the builtin: $few_rounds rounds"
	PERL=$(command -v perl) PYTHON=$python bash "$src/builtin.bash" "$built" "$dir/least.so" "$pmux" \
	    "$few_rounds" 20000 >>"$scratch/results" ||
	    say 'a program failed: its rows will be missing'
fi

built=$dir/default/zsh/pmux.so
if [ -f "$built" ]; then
	row 'zsh: a poll, to its status' cpu-ns zsh-call pmux zselect 1.3
	row 'zsh: one record by -v' cpu-ns zsh-var pmux zselect
	row 'zsh: a line of 100 pipes' cpu-ns zsh-pipes pmux zselect
	row '  read -t 0' cpu-ns zsh-pipes read pmux
	row 'zsh: loading it' wall-ns zsh-load pmux '' 2000000
	say "the module of zsh: $few_rounds rounds"
	zsh -f "$src/builtin.zsh" "${built%/*}" "$few_rounds" 20000 \
	    >>"$scratch/results" ||
	    say 'a program failed: its rows will be missing'
fi
