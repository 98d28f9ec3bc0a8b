#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# The builtin of bash, or with PMUX_SHELL=zsh that of zsh (zsh.test): what only a
# builtin does.  The other files are run with that of bash a second time.

# shellcheck disable=SC2030,SC2031,SC2154	# run and the helpers set them
# shellcheck disable=SC2016	# scripts, which another shell expands
# shellcheck disable=SC2034	# the preambles, which script takes by name
load helper

shell=${PMUX_SHELL:-bash}

prepare() {
	local object=${PMUX_SO-}

	[[ $shell == bash ]] || object=${PMUX_ZSH-}
	[[ -r $object ]] || skip "the builtin was not built"
	command -v "$shell" >/dev/null || skip "no $shell"
	mkfifo ready
}

# only SHELL: skip a test that is about the other one.
only() {
	[[ $shell == "$1" ]] || skip "is about $1"
}

# What each script begins with.  `later COMMAND' runs it once pmux has written to
# descriptor 9, which is before it sleeps; `now' sets now to the time, in
# microseconds; `self' sets self to the process.
preamble_bash='
enable -f "$PMUX_SO" pmux || exit 99
now() { now=${EPOCHREALTIME/[.,]/}; }
drop() { enable -d pmux; }
loaded() { type -t pmux; }
'
preamble_zsh='
module_path=("${PMUX_ZSH%/*}" $module_path)
zmodload pmux && zmodload zsh/datetime || exit 99
now() { now=${$((EPOCHREALTIME * 1000000))%.*}; }
drop() { zmodload -u pmux; }
loaded() { whence -w pmux | sed "s/.*: //; s/command/file/"; }
'
preamble='
pmux poll -t 0 0:in </dev/null >/dev/null || exit 98
later() { { read -r _ <ready; eval "$1"; } & }
self() { read -r self _ </proc/self/stat; }
'

# script TEXT [ARG]...: run it in another shell.
script() {
	local -n before=preamble_$shell
	local -a command=(bash)

	[[ $shell == bash ]] || command=(zsh -f)
	run --separate-stderr timeout -k 5 "${limit:-60}" "${command[@]}" \
	    -c "$before$preamble$1" script "${@:2}" 3>&-
}

# on COMMAND N: how the command is told to wait for descriptor N to be readable.
on() {
	echo "$1 $(reads "$1" "$2")"
}

# ---- loading ----

@test "it is a builtin, can be loaded twice and removed" {
	only bash
	script 'loaded; enable -f "$PMUX_SO" pmux 2>/dev/null; pmux -V
		help pmux | head -n 1; drop; loaded'
	assert_success
	assert_equal "$stderr" ''
	assert_line --index 0 builtin
	assert_line --index 1 --regexp '^pmux [0-9]'
	assert_line --index 2 --partial 'pmux command'
	assert_line --index 3 file
}

@test "zsh: it can be loaded twice, removed, and loaded again" {
	only zsh
	script 'loaded; zmodload pmux; zmodload -F pmux b:pmux; pmux -V
		drop; loaded; zmodload pmux; loaded; drop; zmodload pmux
		pmux poll -t 0 0:in </dev/null; zmodload -lF pmux'
	assert_success
	assert_equal "$stderr" ''
	assert_line --index 0 builtin
	assert_line --index 1 --regexp '^pmux [0-9]'
	assert_equal "${lines[*]:2}" $'file builtin in\t0 +b:pmux'
}

@test "zsh: another version refuses it" {
	only zsh
	run --separate-stderr zsh -fc 'module_path=("${PMUX_ZSH%/*}")
		ZSH_VERSION=4.3; zmodload pmux; echo $?; zmodload pmux
		whence -w pmux' 3>&-
	assert_line --index 0 1
	assert_equal "${lines[-1]}" 'pmux: command'
	[[ $stderr == *'for zsh '*', not for zsh 4.3'* ]]
}

@test "a loaded builtin in a restricted shell" {
	script 'set -r; pmux poll -t 0 0:in </dev/null'
	expect 0 $'in\t0'
}

@test "it removes itself in a trap, and the call goes on" {
	script 'exec 8<>ready.8
		trap "drop; echo x >&8" USR1
		later "kill -USR1 $$"
		pmux poll -t 60 --ready-fd 9 8:in 9>ready; echo $?; loaded' \
	    "$(mkfifo ready.8)"
	expect 0 $'in\t8' 0 file
}

# ---- nothing stays ----

# calls: one of each kind, errors among them.
calls='
mkfifo empty
exec 4</dev/zero 5<>empty
calls() {
	pmux poll -q -t 0 4:in
	pmux select -t 0 -r 4 >/dev/null
	pmux epoll -t 0 5:in
	pmux wait -t 1us 5
	pmux kqueue -t 0 read:5
	pmux poll -v got -t 0 4:in 5:in
	pmux poll -t 0 4:in >&-
	pmux poll -t 0 77:in >/dev/null
	pmux poll ./none:in
	pmux poll --nonsense 4:in
	pmux
} 2>/dev/null
# without a process, of which there would be traces
state() {
	local name value fd
	for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done
	while read -r name value; do
		[[ $name != Sig[!Q]* && $name != Threads: ]] ||
		    echo "$name $value"
	done </proc/$$/status
	ulimit -n; umask; echo "$PWD"; trap; jobs; echo "$!"
	# bash 5.1 starts a process for $(<file)
	value= && read -r value </proc/$$/task/$$/children; echo "$value"
}
memory() {
	local name
	while read -r name memory _; do
		[[ $name != VmRSS: ]] || break
	done </proc/$$/status
}
compare() {
	state >after; diff before after || exit 1
	local before=$memory; memory
	((memory - before < 128)) || echo "memory $before $memory"
}
'

@test "nothing of a call stays in the shell" {
	local limit=500

	need_linux
	script "$calls"'
		for ((i = 0; i < 200; i++)); do calls; done
		state >after; state >before; memory
		for ((i = 0; i < $1; i++)); do calls; done
		compare' \
	    $((${TEST_ROUNDS:-10} >= 100 ? 90000 : 300))
	expect 0
}

@test "nothing of a named pipe, a program or a trap stays in the shell" {
	need_linux
	rounds 300
	script "$calls"'
		trap ": trap" USR1
		rare() {
			pmux poll -t 0 ./empty:in
			pmux wait -t 0 4 -- true
			kill -USR1 $$
			pmux wait -t 1us 5
			pmux poll -t 0 4:in -- ./none 2>/dev/null
		}
		for ((i = 0; i < 20; i++)); do rare; done
		state >after; state >before; memory
		for ((i = 0; i < $1; i++)); do rare; done
		compare' "$rounds"
	expect 0
}

@test "a holder and a program are no jobs, and a child of the shell is left to it" {
	script 'sleep 0 & child=$!
		mkfifo f; exec 7<>f; echo line >&7
		pmux poll -q -t 5 ./f:in; exec 7>&-
		pmux poll -t 5 0:in -- true </dev/null
		[[ $! == "$child" ]] || echo "another \$!"
		wait "$child" || echo lost
		jobs; wait; read -r line <f; echo "$line"'
	expect 0 line
}

# ---- signals ----

each_trap() {
	# shellcheck disable=SC2086	# words
	script 'mkfifo '"$1"'; exec 8<>'"$1"'
		trap "echo trap; echo x >&8" USR1
		later "kill -USR1 $$"
		pmux '"$(on "$1" 8)"' -q -t 60 --ready-fd 9 9>ready; echo $?'
	expect 0 trap 0
}

@test "a trap runs at once, and the wait goes on" {
	each each_trap
}

@test "after a trap the time that is left counts" {
	script 'mkfifo f; exec 8<>f
		trap "echo trap" USR1
		later "kill -USR1 $$"
		now; begin=$now
		pmux poll -t 300ms --ready-fd 9 8:in 9>ready; echo $?
		now; ((now - begin >= 300000)) || echo early'
	expect 0 trap 124
}

each_exit() {
	script 'mkfifo '"$1"'; exec 8<>'"$1"'
		trap "exit 7" USR1; trap "echo bye" EXIT
		later "kill -USR1 $$"
		pmux '"$(on "$1" 8)"' -t 60 --ready-fd 9 9>ready; echo not here'
	expect 7 bye
}

@test "a trap exits" {
	each each_exit
}

@test "a trap returns, breaks, continues" {
	mkfifo f
	script 'exec 8<>f
		f() { trap "return 5" USR1; later "kill -USR1 $$"
			pmux epoll -t 60 --ready-fd 9 8:in 9>ready; echo not here; }
		f; echo $?
		trap break USR1
		for i in 1 2; do later "kill -USR1 $$"
			pmux poll -t 60 --ready-fd 9 8:in 9>ready; echo not here; done
		echo "$i"; trap continue USR1
		for i in 1 2; do later "kill -USR1 $$"
			pmux kqueue -t 60 --ready-fd 9 read:8 9>ready; echo not here
		done; echo "$i"; ls -l /proc/$$/fd | grep -c eventpoll'
	expect 1 5 1 2 0
}

@test "a trap calls pmux, sets a trap, opens, and closes the target" {
	mkfifo f
	script 'exec 8<>f
		trap "pmux poll -t 1ms 8:in; echo \$?; trap \"echo second\" USR2
			exec 5>other; kill -USR2 $$; exec 6</dev/null" USR1
		later "kill -USR1 $$"
		pmux poll -t 300ms --ready-fd 9 8:in 9>ready; echo $?
		trap "exec 8<&-" USR1
		later "kill -USR1 $$"
		pmux poll -t 60 --ready-fd 9 8:in 9>ready
		trap | grep second'
	assert_success
	assert_equal "${lines[*]:0:4}" $'124 second 124 nval\t8'
	[[ ${lines[4]} == "trap -- 'echo second' "*USR2 ]]
}

@test "set -e in a trap ends the shell" {
	local bye=bye

	# of itself, zsh does not run the trap for EXIT then
	[[ $shell == bash ]] || bye=
	mkfifo f
	script 'set -e; exec 8<>f; trap false USR1; trap "echo bye" EXIT
		later "kill -USR1 $$"
		pmux poll -t 60 --ready-fd 9 8:in 9>ready; echo not here'
	expect 1 $bye
}

@test "a trap runs while a file of targets is read, and may exit" {
	mkfifo f list
	script 'exec 8<>f; echo x >&8; trap "echo >ready" USR1
		{ exec 9>list; kill -USR1 $$; read -r _ <ready; echo 8:in >&9; } &
		pmux poll @list; wait
		trap "exit 9" USR1
		{ exec 9>list; kill -USR1 $$; while kill -0 $$; do sleep 0.01; done
		} 2>/dev/null &
		pmux poll @- <list; echo not here'
	expect 9 $'in\t8'
}

@test "an ignored signal is ignored" {
	mkfifo f
	script 'exec 8<>f; trap "" INT TERM
		later "kill -INT $$; kill -TERM $$; echo x >&8"
		pmux poll -t 60 --ready-fd 9 8:in 9>ready'
	expect 0 $'in\t8'
}


@test "a signal at its default ends the shell, after the FIFO was left" {
	local signal ended

	for signal in TERM INT HUP USR1; do
		ended=$((128 + $(kill -l $signal)))
		# zsh calls exit(3) with the number
		[[ $shell$signal != zshHUP ]] || ended=1
		rm -f f
		mkfifo f
		script '{ read -r _ <ready; echo line >f; kill -'"$signal"' $$; } &
			pmux poll --follow -q --ready-fd 9 ./f:in 9>ready' 
		assert_equal "$signal $status" "$signal $ended"
		read -r -t 10 line <f
		assert_equal "$line" line
	done
}

@test "a signal before a wait for room in the output: its trap runs" {
	local shim=$PMUX_TOOLS/signalled.so

	need_linux
	[[ -s $shim ]] || skip "no $shim"
	mkfifo f
	LD_PRELOAD=$shim script 'exec 8<>f
		dd if=/dev/zero bs=4096 count=16 >&8 2>/dev/null
		trap "echo trapped >&2; exit 3" USR1
		pmux poll 0:in </dev/null >&8'
	assert_equal "$status $stderr" '3 trapped'
}

@test "SIGTERM with a trap for EXIT: the trap runs, the FIFO is held" {
	only bash
	mkfifo f
	script 'trap "echo bye" EXIT
		{ read -r _ <ready; echo line >f; kill -TERM $$; } &
		pmux poll --follow -q --ready-fd 9 ./f:in 9>ready'
	expect 143 bye
	read -r -t 10 line <f
	assert_equal "$line" line
}

# ended_in_trap TRAP WORDS: SIGTERM comes while TRAP sleeps, which says in 7 that
# it is about to.  Between two commands bash 5.2 may forget the trap for EXIT.
ended_in_trap() {
	mkfifo f g silent
	exec 6<>silent 7<>g
	script "$(declare -f state)"'
		'"trap '$1' USR1; $2"'
		{ read -r _ <ready; echo line >f; kill -USR1 $$; read -r _ <g
		until [[ $(state $$) == S ]]; do sleep 0.01; done
		kill -TERM $$; } &
		pmux poll --follow -q --ready-fd 9 ./f:in 9>ready'
	exec 6>&- 7>&-
	read -r -t 10 line <f
	assert_equal "$line" line
}

@test "SIGTERM while a trap runs: the FIFO is held" {
	ended_in_trap 'echo >&7; read -r _ <&6' :
	expect 143
}

@test "the same with a trap for EXIT" {
	ended_in_trap 'echo >&7; read -r _ <&6' 'trap "echo bye" EXIT'
	if [[ $shell == bash ]]; then
		expect 143 bye
	else
		assert_equal "$status" 143
	fi
}

@test "the same while a call in the trap waits" {
	mkfifo other
	ended_in_trap 'pmux poll -q --ready-fd 9 ./other:in 9>&7' \
	    'trap "echo bye" EXIT'
	assert_equal "$status" 143
	[[ $shell != bash ]] || assert_output bye
}

@test "a trap that ran while a FIFO was open leaves dispositions as they were" {
	need_proc
	mkfifo f
	script 'signals() { grep -E "^Sig(Ign|Cgt)" /proc/$$/status; }
		trap "trap \"echo term\" TERM; echo >&8" USR1; exec 8<>f
		signals >before
		{ read -r _ <ready; kill -USR1 $$; } &
		pmux poll -q --ready-fd 9 ./f:in 9>ready; echo $?
		kill -TERM $$; trap - TERM
		signals >after; cmp before after; kill -USR2 $$; echo never'
	expect 140 0 term
}

@test "a trap exits while a FIFO is open: it is held" {
	mkfifo f
	script 'trap "exit 3" USR1
		{ read -r _ <ready; echo line >f; kill -USR1 $$; } &
		pmux poll --follow -q --ready-fd 9 ./f:in 9>ready'
	expect 3
	read -r -t 10 line <f
	assert_equal "$line" line
}

@test "a trap for CHLD, in bash with job control" {
	mkfifo f
	script '[[ $ZSH_VERSION ]] || set -m; exec 8<>f; trap "echo child; echo x >&8" CHLD
		{ read -r _ <ready; } &
		pmux poll -q -t 60 --ready-fd 9 8:in 9>ready; echo $?'
	assert_line --index 0 child
	assert_equal "${lines[-1]}" 0
}

@test "in a function, a subshell, a substitution, a pipeline, sourced" {
	mkfifo f
	echo 'pmux poll -t 0 8:out' >file
	script 'exec 8<>f; f() { pmux poll -t 0 8:out; }
		f; (f); echo "$(f)"; f | cat; . ./file; f & wait $!'
	expect 0 $'out\t8' $'out\t8' $'out\t8' $'out\t8' $'out\t8' $'out\t8'
}

@test "stopped and continued: the time counts" {
	mkfifo f
	script 'exec 8<>f
		later "kill -STOP $$; sleep 0.3; kill -CONT $$"
		now; begin=$now
		pmux poll -t 200ms --ready-fd 9 8:in 9>ready; echo $?
		now; ((now - begin >= 200000)) || echo early'
	expect 0 124
}

@test "zsh: functions as traps, and what they return" {
	only zsh
	mkfifo f
	script 'exec 8<>f
		TRAPUSR1() { echo "trap $1"; echo x >&8; }
		later "kill -USR1 $$"
		pmux poll -q -t 60 --ready-fd 9 8:in 9>ready; echo $?
		TRAPUSR1() { return 6; }
		f() { later "kill -USR1 $$"
			pmux poll -t 60 --ready-fd 9 8:pri 9>ready; echo not here; }
		f || echo not here'
	assert_equal "$status ${lines[*]}" "6 trap $(kill -l USR1) 0"
}

@test "zsh: a trap for WINCH" {
	only zsh
	mkfifo f
	script 'exec 8<>f; trap "echo trap; echo x >&8" WINCH
		later "kill -WINCH $$"
		pmux poll -q -t 60 --ready-fd 9 8:in 9>ready; echo $?'
	expect 0 trap 0
}

@test "a trap opens descriptors while pmux has some" {
	mkfifo f
	script 'exec 8<>f
		trap "exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null
			exec 7</dev/null; echo x >&8" USR1
		later "kill -USR1 $$"
		pmux epoll -q -t 60 --ready-fd 9 8:in 9>ready; echo $?'
	expect 0 0
}

@test "a subshell of a trap has nothing of the call that sleeps" {
	need_linux
	mkfifo f g
	script 'exec 8<>g
		trap "( self; ls -l /proc/\$self/fd | grep -c -e eventpoll -e /f\$ )
			echo x >&8" USR1
		later "kill -USR1 $$"
		pmux epoll -q -t 60 --ready-fd 9 8:in ./f:in 9>ready; echo $?'
	expect 0 0 0
}

@test "a subshell of a trap does not print the line that was begun" {
	mkfifo f go
	script 'trap "(:); echo >go" USR1
		{ head -c 300000 /dev/zero | tr "\0" a; kill -USR1 $$
			read -r _ <go; echo; } >f &
		pmux poll --lines --format %l 5:in 5<f >out; echo $?; wc -c <out'
	assert_success
	assert_equal "${lines[*]}" '0 300001'
}

@test "a subshell of a trap leaves processes watched" {
	mkfifo f go
	script 'exec 8<>f; trap "(:); echo >go" USR1
		sh -c "read -r _ <go" & process=$!
		later "kill -USR1 $$"
		pmux wait -f -c 1 -t 60 --format %e --ready-fd 9 --exit $process 9>ready
		echo $?
		sh -c "read -r _ <go" & process=$!
		later "kill -USR1 $$"
		pmux wait --lines -t 60 --ready-fd 9 --while $process 8 9>ready
		echo $?'
	assert_equal "${lines[*]}" 'exit=0 0 1'
}

@test "Ctrl-C in an interactive shell, and the prompt is back" {
	local -a pane command
	local before=preamble_$shell

	command -v tmux >/dev/null || skip "no tmux"
	mkfifo f
	command=(bash --rcfile rc -i)
	if [[ $shell == zsh ]]; then
		ln -s rc .zshrc
		command=(env ZDOTDIR=. zsh -d -i)
	fi
	{ echo "${!before}"; cat; } >rc <<-'END'
	exec 8<>f
	PS1='ready> '
	END
	pane=(tmux -f /dev/null -S ./socket)
	"${pane[@]}" new-session -d -x 80 -y 24 \
	    "${command[@]}" 3>&-
	"${pane[@]}" send-keys 'pmux poll --debug=log 8:in; echo "status $?"' Enter
	until grep -q 'wait, max' log 2>/dev/null; do sleep 0.01; done
	"${pane[@]}" send-keys C-c
	"${pane[@]}" send-keys 'echo "st""atus $?"' Enter
	until "${pane[@]}" capture-pane -p | grep -q '^status '; do
		sleep 0.01
	done
	run "${pane[@]}" capture-pane -p
	"${pane[@]}" kill-server
	assert_line --regexp '^status 130$'
}

# ---- a process of its own ----

@test "PROGRAM: status, environment, input, and no job" {
	script 'echo hello >file; exec 4<file; export WORD=word
		pmux poll 4:in -- sh -c "read -r l; echo \$l \$WORD \$PMUX_FD; exit 6"
		echo $?; pmux poll 4:in -- ./none; echo $?
		pmux poll 4:in -- sh -c "kill -TERM \$\$"; echo $?; jobs'
	assert_success
	assert_line --index 0 'hello word 4'
	assert_equal "${lines[*]:1}" '6 127 143'
}

@test "PROGRAM: a trap runs meanwhile, and may exit" {
	mkfifo f
	script 'exec 8<>f; trap "echo trap; echo x >f" USR1
		{ read -r _ <ready; kill -USR1 $$; } &
		pmux poll -t 60 0:in -- sh -c "echo x >ready; read -r _ <f" </dev/null
		echo $?; wait
		trap "exit 9" USR1
		{ read -r _ <ready; kill -USR1 $$; } &
		pmux poll -t 60 0:in -- sh -c "echo x >ready; exec sleep 60" </dev/null
		echo not here'
	expect 9 trap 0
}

@test "PROGRAM: a subshell of a trap does not end it" {
	mkfifo f
	script 'exec 8<>f; trap "(:); echo x >f" USR1
		{ read -r _ <ready; kill -USR1 $$; } &
		pmux poll -t 60 0:in -- sh -c "echo x >ready; read -r _ <f; exit 5" \
		    </dev/null
		echo $?'
	expect 0 5
}

@test "PROGRAM: its status, if it outlives Ctrl-C" {
	# its parent, the process of the call, gets the signals as well
	script 'pmux poll -t 60 0:in -- sh -c "trap \"\" INT QUIT
			kill -INT \$PPID; kill -QUIT \$PPID; exit 5" </dev/null
		echo $?'
	expect 0 5
}

@test "PROGRAM: the named pipe is its alone, and is closed when it has ended" {
	mkfifo f ended
	script '{ cat f; echo x >ended; } &
		pmux poll -t 60 f:out -- sh -c \
		    "echo text; exec >&-; read -r _ <ended"
		echo $?; cat f & pmux poll -t 60 f:out -- echo more; wait'
	expect 0 text 0 more
}

@test "zsh: PROGRAM has what a command has" {
	only zsh
	need_linux
	echo 'ls /proc/$$/fd; grep Sig[IC] /proc/$$/status' >list
	# Ctrl-Z is ignored
	script 'coproc cat; exec 4</dev/null {fd}</dev/null; trap : USR1
		trap "" USR2; sh list >as; pmux poll 4:in -- sh list >is
		sed s/080800/000800/ is | diff as -'
	expect 0
}

# ---- output ----

@test "standard output that is closed, full, or has no reader" {
	script 'pmux poll -t 0 0:in >&- </dev/null; echo $?
		pmux poll -t 0 0:in >/dev/full </dev/null; echo $?
		mkfifo gone; true <gone & exec 7>gone; wait $!
		pmux poll -t 0 0:in </dev/null >&7; echo $?
		(pmux poll -t 0 0:in </dev/null >&7); echo $?'
	[[ ! -w /dev/full ]] || assert_equal "$status ${lines[*]}" '0 3 3 3 141'
	[[ $stderr == *EBADF*ENOSPC*EPIPE* ]] || fail "$stderr"
}

# What prints the elements of an array, and sets another one.
array='
show() { local i; for i; do printf "<%s>" "$i"; done; echo; }
t() { pmux poll -t 0 -v "$1" 4:in 0:in; eval "show \"\${$1[@]}\""; }
'

@test "--var: new, scalar, local and integer variables" {
	script "$array"'exec 4</dev/null
		t new; scalar=x; t scalar; declare -i number=1; t number
		declare -ia integer 2>/dev/null; t integer
		f() { local l=1; pmux poll -v l 4:in; show "${l[@]}"; }; f
		f() { local -a l; pmux poll -v l 4:in; show "${l[@]}"; }; f
		echo "${l-no}"; pmux poll -t 0 -v new 4:pri; echo "$? ${#new[@]}"
	' </dev/null
	expect 0 $'<in\t4><in\t0>' $'<in\t4><in\t0>' $'<in\t4><in\t0>' \
	    $'<in\t4><in\t0>' $'<in\t4>' $'<in\t4>' no '124 0'
}

@test "bash --var: namerefs" {
	only bash
	script "$array"'exec 4</dev/null
		declare -n ref=new2; pmux poll -v ref 4:in; declare -p new2'
	expect 0 $'declare -a new2=([0]=$\'in\\t4\')'
}

@test "zsh --var: tied, unique and multibyte names, NUL, options" {
	only zsh
	export LC_ALL=C.UTF-8
	script "$array"'exec 4</dev/null; setopt extendedglob nounset ksharrays
		typeset -T TIED tied; t tied; echo "$TIED" | tr "\t" -
		typeset -U unique; pmux poll --format %e -v unique 4:in 4:out
		show "${unique[@]}"; t "größe"
		printf "a\0b\n" >file; pmux kqueue --lines -t 0 -v nul --format %l read:5 5<file
		[[ "${nul[0]}" == $'\''a\0b'\'' ]] || echo "no NUL"
		f() { typeset -gr RO2=1; typeset -h path=x; t path; }; f; echo "${#path}"
	' </dev/null
	assert_success
	assert_equal "${lines[*]:0:2}" $'<in\t4><in\t0> in-4:in-0'
	assert_equal "${lines[*]:3:2}" $'<in\t4><in\t0> <in\t4><in\t0>'
}

@test "--var: names that are refused before the wait" {
	local name
	local -a names=(BASH_VERSION FUNCNAME)

	[[ $shell == bash ]] || names=(path argv TIED commands options status)
	for name in '' 1z 1 'a[0]' a.b RO ASSOC PATH RANDOM IFS 'é' "${names[@]}"; do
		script 'readonly RO=1; declare -A ASSOC
			[[ ! $ZSH_VERSION ]] || typeset -T TIED tied
			pmux poll -v "$1" -t 60 0:out' "$name" </dev/null
		expect_error 2 "--var: '"
	done
	usage_error 'only the builtin' poll -v name -t 0 0:in
	script 'pmux poll -v name -t 0 0:in -- true'
	expect_error 2 '--var: not with'
}

@test "--var: records that end in NUL, lines, and a stream" {
	script 'exec 4< <(printf "a\tb\nc\n")
		pmux poll --lines -v got --format %l 4:in; echo "$?"
		printf "<%s>" "${got[@]}"; echo
		: >"$(printf "x\ny")"; pmux wait -0 -v got -t 0 "$(printf "x\ny")"
		printf "<%s>" "${got[@]}"'
	expect 0 0 $'<a\tb><c>' $'<in\tx' 'y>'
}

# ---- the rest ----

@test "descriptors that the shell keeps from its commands" {
	script 'coproc cat
		if [[ $ZSH_VERSION ]]; then
			print -p hi; exec {fd}<&p
		else
			echo hi >&"${COPROC[1]}"; fd=${COPROC[0]}
		fi
		pmux wait -t 60 --format %e "$fd"'
	expect 0 in
}

@test "--session is the program's, as a coprocess" {
	script 'pmux poll --session; echo $?; PATH=${PMUX%/*}:$PATH
		coproc env pmux poll --session
		[[ $ZSH_VERSION ]] && fd=p || fd=${COPROC[0]}
		read -r -u "$fd" line; echo "${line%% *}"'
	expect 0 2 ready
	[[ $stderr == *'coproc env pmux'* ]]
}

@test "a kevent of a signal that has a trap" {
	need kqueue
	script 'trap : USR1; pmux kqueue -t 0 signal:USR1; echo $?
		pmux kqueue -q -t 0 signal:USR2; echo $?; trap -p'
	assert_line --index 0 2
	assert_line --index 1 124
	[[ $stderr == *'has a trap'* ]]
}

@test "FIFOs by name keep their promise, and --hold" {
	mkfifo f g
	script 'echo line >f & pmux poll -q -t 60 ./f:in && read -r l <f && echo "$l"
		cat g >out & pmux poll -q -t 60 ./g:out && echo job >g; wait
		cat out
		(echo lost >f) & pmux poll -q -t 60 --hold 0 ./f:in; echo $?'
	expect 0 line job 0
}

@test "a holder is the program" {
	need_linux
	mkfifo f
	script 'echo line >f & pmux poll -q -t 60 ./f:in
		until ps -eo args | grep -o "^pmux: holds ./f\>"; do sleep 0.01; done
		read -r _ <f'
	expect 0 'pmux: holds ./f'
}

@test "without the program no FIFO is opened" {
	mkfifo f
	cp "$PMUX_SO" copy.so
	# not beside it: the installed one, which is not there
	run --separate-stderr timeout 60 bash -c 'enable -f ./copy.so pmux
		pmux poll -t 0 ./f:in'
	[[ $status == 3 || -x /usr/local/bin/pmux ]] || fail "$status $stderr"
}

@test "exec after it, and low limits" {
	script 'ulimit -n 20; exec 8</dev/null; pmux epoll -t 0 ./ready:in
		pmux poll -q -t 0 8:in; echo $?; ulimit -n; exec echo done'
	expect 0 0 20 'done'
}
