# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2016,SC2034
# scripts/bench.d/builtin.bash PMUX.SO LEAST.SO PMUX TURNS CALLS
#
# Loops in one bash, which take turns; of each the fastest turn is printed: KIND,
# NAME, wall and CPU time of a call, in ns.

# load: a subshell that has not loaded it yet does so.
load() {
	local begin=${EPOCHREALTIME/[.,]/}

	enable -f "$1" pmux
	echo "$(((${EPOCHREALTIME/[.,]/} - begin) * 1000))"
}
for ((i = 0; i < 20; i++)); do
	took=$(load "$1")
	((i > 0 && took >= fastest)) || fastest=$took
done
printf 'builtin-load\tpmux\t%s\t\n' "$fastest"

enable -f "$1" pmux || exit
enable -f "$2" least || exit
program=$3 turns=$4 calls=$5
exec 4</dev/zero
TIMEFORMAT='%R %U %S'

# loop KIND NAME COUNT COMMAND: one turn.
declare -A wall cpu
loop() {
	local real user system i

	read -r real user system < <({ time {
		eval "for ((i = 0; i < $3; i++)); do $4; done"
	} 2>/dev/null; } 2>&1)
	real=$((10#${real//[.,]/} * 1000000 / $3))
	user=$(((10#${user//[.,]/} + 10#${system//[.,]/}) * 1000000 / $3))
	[[ ${wall[$1$'\t'$2]-} && ${wall[$1$'\t'$2]} -le $real ]] ||
	    wall[$1$'\t'$2]=$real
	[[ ${cpu[$1$'\t'$2]-} && ${cpu[$1$'\t'$2]} -le $user ]] ||
	    cpu[$1$'\t'$2]=$user
}

# next COMMAND: write a line to one of a hundred pipes, wait with COMMAND, which
# sets `ready', and read it.
n=0 fds=()
for ((i = 0; i < 100; i++)); do
	coproc_dir=${coproc_dir-$(mktemp -d)}
	[[ -p $coproc_dir/f ]] || mkfifo "$coproc_dir/f"
	exec {fd}<>"$coproc_dir/f"
	rm "$coproc_dir/f"
	fds+=("$fd")
done
rmdir "$coproc_dir"
next() {
	n=$(((n + 37) % 100))
	echo line >&"${fds[n]}"
	"$1"
	read -r line <&"$ready"
}
builtin_() { pmux poll -v ready --format %f "${fds[@]}"; }
coproc "$program" epoll --session
session_fds=("${COPROC[@]}")
# ask REQUEST: set `ready' to the last event, or to nothing.
ask() {
	local line

	echo "$1" >&"${session_fds[1]}"
	ready=
	while read -r line <&"${session_fds[0]}" && [[ $line != ok* ]]; do
		ready=${line##*$'\t'}
	done
}
read -r line <&"${session_fds[0]}"
for fd in "${fds[@]}"; do ask "register $fd:in"; done
session_() { ask poll; }
program_() { ready=$("$program" poll --format %f "${fds[@]}"); }
robin() { for ready in "${fds[@]}"; do ! read -r -t 0 -u "$ready" || break; done; }

in_perl='vec($r, 0, 1) = 1; select($r, undef, undef, 0)'
in_python='import select; select.select([0], [], [], 0)'
for ((turn = 0; turn < turns; turn++)); do
	loop call C "$calls" 'least poll -q -t 0 4:in'
	loop call pmux "$calls" 'pmux poll -q -t 0 4:in'
	loop call again "$calls" 'least poll -q -t 0 4:in'
	loop call read "$calls" 'read -r -t 0 -u 4'
	loop call program "$((calls / 100))" '"$program" poll -q -t 0 4:in'
	[[ -z ${PERL-} ]] || loop call perl "$((calls / 200))" '"$PERL" -e "$in_perl" <&4'
	[[ -z ${PYTHON-} ]] ||
	    loop call python "$((calls / 1000))" '"$PYTHON" -c "$in_python" <&4'
	loop var C "$calls" 'least poll -v got -t 0 4:in'
	loop var pmux "$calls" 'pmux poll -v got -t 0 4:in'
	loop var again "$calls" 'least poll -v got -t 0 4:in'
	loop pipes program "$((calls / 100))" 'next program_'
	loop pipes pmux "$((calls / 10))" 'next builtin_'
	loop pipes session "$((calls / 10))" 'next session_'
	loop pipes read "$((calls / 100))" 'next robin'
done
for key in "${!wall[@]}"; do
	printf 'builtin-%s\t%s\t%s\n' "$key" "${wall[$key]}" "${cpu[$key]}"
done
