# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154,SC2034
# A part of scripts/bench: the shells and languages that can wait as well, each
# asked once whether its input is ready.

build_static
set -- -- "static C" "$dir/glibc" -- pmux "$pmux" poll -t 0 0:in \
    -- "pmux static" "$static" poll -t 0 0:in
if path=$(command -v bash); then
	set -- "$@" -- "bash read -t 0" "$path" -c 'read -t 0'
fi
if path=$(command -v zsh); then
	set -- "$@" -- "zsh zselect" "$path" -fc \
	    'zmodload zsh/zselect; zselect -t 0 -r 0'
fi
if path=$(command -v perl); then
	# shellcheck disable=SC2016 # the variables are perl's
	set -- "$@" -- "perl select" "$path" -e \
	    'vec($r, 0, 1) = 1; select($r, undef, undef, 0)' \
	    -- "perl IO::Select" "$path" -MIO::Select -e \
	    'IO::Select->new(\*STDIN)->can_read(0)'
fi
if [ -n "$python" ]; then
	set -- "$@" -- "python3 select" "$python" -c \
	    'import select; select.select([0], [], [], 0)' \
	    -- "python3 selectors" "$python" -c 'import selectors
s = selectors.DefaultSelector()
s.register(0, selectors.EVENT_READ)
s.select(0)'
fi
say "the peers: $peer_rounds rounds"
measure peers -r "$peer_rounds" "$@"
