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
TIMEFORMAT='%U %S'

# loop KIND NAME COUNT COMMAND: one turn.
declare -A wall cpu
loop() {
	local real user system i begin

	read -r -d '' user system real < <(
		begin=${EPOCHREALTIME/[.,]/}
		{ time {
			eval "for ((i = 0; i < $3; i++)); do $4; done"
		} 2>/dev/null; } 2>&1
		echo "$((${EPOCHREALTIME/[.,]/} - begin))"
	)
	real=$((real * 1000 / $3))
	user=$(((10#${user//[.,]/} + 10#${system//[.,]/}) * 1000000 / $3))
	[[ ${wall[$1$'\t'$2]-} && ${wall[$1$'\t'$2]} -le $real ]] ||
	    wall[$1$'\t'$2]=$real
	[[ ${cpu[$1$'\t'$2]-} && ${cpu[$1$'\t'$2]} -le $user ]] ||
	    cpu[$1$'\t'$2]=$user
}

# A hundred pipes, each with an end to read and one to write, and their targets,
# which a file gives cheaper than words: bash takes longer to expand those than
# the wait takes.
n=0 fds=() ends=() scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
for ((i = 0; i < 100; i++)); do
	mkfifo "$scratch/f"
	# shellcheck disable=SC2094 # its two ends are meant
	exec {both}<>"$scratch/f" {fd}<"$scratch/f" {end}>"$scratch/f" {both}>&-
	rm "$scratch/f"
	fds+=("$fd") ends+=("$end")
done
targets=$scratch/targets
printf '%s\n' "${fds[@]}" >"$targets"
# To write a line to one of them, and to read it; between these stands the wait,
# which sets `ready'.
put='n=$(((n + 37) % 100)); echo line >&"${ends[n]}"'
get='read -r -u "$ready" line'
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
	# short: on a busy machine a long one is never undisturbed
	for ((short = 0; short < 20; short++)); do
		loop pipes program "$((calls / 2000))" \
		    "$put"'; ready=$("$program" poll --format %f "@$targets"); '"$get"
		loop pipes pmux "$((calls / 100))" \
		    "$put"'; pmux poll -v ready --format %f "@$targets"; '"$get"
		loop pipes session "$((calls / 100))" "$put; ask poll; $get"
		loop pipes read "$((calls / 2000))" "$put; robin; $get"
	done
done
for key in "${!wall[@]}"; do
	printf 'builtin-%s\t%s\t%s\n' "$key" "${wall[$key]}" "${cpu[$key]}"
done
