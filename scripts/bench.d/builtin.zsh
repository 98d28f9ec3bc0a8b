# SPDX-License-Identifier: ISC
# scripts/bench.d/builtin.zsh DIR TURNS CALLS
#
# As builtin.bash, in one zsh, with the module in DIR.

module_path+=($1)
turns=$2 calls=$3
zmodload zsh/zselect zsh/datetime || exit
exec 4</dev/zero

# load: a subshell that has not loaded it yet does so.
load() {
	local -F begin=$EPOCHREALTIME

	zmodload pmux
	print $(((EPOCHREALTIME - begin) * 1000000000))
}
float fastest took
for ((i = 0; i < 20; i++)); do
	took=$(load)
	((i > 0 && took >= fastest)) || fastest=$took
done
printf 'zsh-load\tpmux\t%.0f\t\n' $fastest
zmodload pmux || exit

# loop KIND NAME COUNT COMMAND: one turn.
typeset -A wall cpu
loop() {
	local key=$1$'\t'$2 before after
	local -i i took used
	local -F begin=$EPOCHREALTIME

	read -r before _ </proc/self/schedstat
	eval "for ((i = 0; i < $3; i++)); do $4; done"
	read -r after _ </proc/self/schedstat
	((took = (EPOCHREALTIME - begin) * 1000000000 / $3))
	((used = (after - before) / $3))
	[[ $wall[$key] && $wall[$key] -le $took ]] || wall[$key]=$took
	[[ $cpu[$key] && $cpu[$key] -le $used ]] || cpu[$key]=$used
}

# next COMMAND: as in builtin.bash.
n=0 fds=()
directory=$(mktemp -d)
for ((i = 0; i < 100; i++)); do
	mkfifo $directory/f
	exec {fd}<>$directory/f
	rm $directory/f
	fds+=($fd)
done
rmdir $directory
next() {
	n=$(((n + 37) % 100))
	print line >&$fds[n+1]
	$1
	[[ $1 == robin ]] || read -r line <&$ready
}
module_() { pmux poll -v ready --format %f $fds }
zselect_() { zselect $fds; ready=$reply[2] }
# read -t 0 reads the line, too
robin() { for ready in $fds; do ! read -r -t 0 -u $ready line || break; done }

for ((turn = 0; turn < turns; turn++)); do
	loop call zselect $calls 'zselect -t 0 -r 4'
	loop call pmux $calls 'pmux poll -q -t 0 4:in'
	loop call again $calls 'zselect -t 0 -r 4'
	loop var zselect $calls 'zselect -t 0 -r 4'
	loop var pmux $calls 'pmux poll -v got -t 0 4:in'
	loop var again $calls 'zselect -t 0 -r 4'
	loop pipes zselect $((calls / 10)) 'next zselect_'
	loop pipes pmux $((calls / 10)) 'next module_'
	loop pipes read $((calls / 10)) 'next robin'
	loop pipes again $((calls / 10)) 'next zselect_'
done
for key in ${(k)wall}; do
	printf 'zsh-%s\t%s\t%s\n' $key $wall[$key] $cpu[$key]
done
