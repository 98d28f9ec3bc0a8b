# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: --follow, beside C programs that report the same and
# the shells and languages that can wait for a byte again and again.

program follow
echo 10 >"$scratch/10-1"

# The peers have no edges: each reads the byte that was reported.
set -- // C "$dir/follow" epoll "$scratch/10-1" \
    // again "$dir/follow" epoll "$scratch/10-1" \
    // pmux "$pmux" epoll --follow 10:in
row 'epoll --follow, waking up' median wake pmux C 1.10
row 'epoll --follow, waking up' p99 wake pmux C 1.50
if path=$(command -v zsh); then
	# shellcheck disable=SC2016 # the variables are zsh's
	set -- "$@" // zsh "$path" -fc 'zmodload zsh/zselect zsh/system
		while zselect -r 10; do
			sysread -i 10 byte
			print "in\t10"
		done'
	row '  zsh zselect' median wake zsh C ''
fi
if [ -n "$python" ]; then
	set -- "$@" // python "$python" -c 'import os, selectors
s = selectors.DefaultSelector()
s.register(10, selectors.EVENT_READ)
while True:
    for key, events in s.select():
        os.read(key.fd, 1)
        print("in\t%d" % key.fd, flush=True)'
	row '  python3 selectors' median wake python C ''
fi
if path=$(command -v tclsh); then
	# shellcheck disable=SC2016,SC2028 # the variables are Tcl's
	echo 'set f [open /dev/fd/10 r]
		fconfigure $f -blocking 0 -translation binary
		fileevent $f readable {
			read $f
			puts {in 10}
			flush stdout
		}
		vwait forever' >"$scratch/wake.tcl"
	set -- "$@" // tcl "$path" "$scratch/wake.tcl"
	row '  tcl fileevent' median wake tcl C ''
fi
if path=$(command -v perl); then
	# shellcheck disable=SC2016 # the variables are perl's
	set -- "$@" // perl "$path" -MIO::Select -e '$| = 1;
		open my $f, "<&=", 10;
		my $s = IO::Select->new($f);
		while (my @ready = $s->can_read) {
			sysread $_, my $byte, 1 for @ready;
			print "in\t10\n";
		}'
	row '  perl IO::Select' median wake perl C ''
fi
say "waking up: $rounds rounds"
drive wake wake -r "$rounds" "$@"

# each COMMAND N ROUNDS ACTIVE...: the cost of an event, where so many of N
# have one at a time.  With $sampling, that loops need which have no edges.
sampling=
each() {
	command=$1 of=$2 times=$3 file=$scratch/10-$2 reading=
	shift 3
	numbers "$of" >"$file"
	[ -z "$sampling" ] ||
	    reading="// read $dir/follow -r $command $file"
	# shellcheck disable=SC2086 # lists of words
	drive follow "$command-$of" -r "$times" $sampling "$of" "$@" \
	    // C "$dir/follow" "$command" "$file" \
	    // again "$dir/follow" "$command" "$file" \
	    // pmux "$pmux" "$command" --follow "@$file" $reading
	for active; do
		k=$command-$of-$active
		row "$command, $of FIFOs, $active active" ns "$k" pmux C 1.20
		[ -z "$reading" ] ||
		    row '  C, reading the byte' ns "$k" read C ''
	done
}
say "many events: $stream_rounds rounds"
each epoll 10 "$stream_rounds" 1 10
each epoll 1000 "$stream_rounds" 1 100 1000
each epoll "$n" $(((stream_rounds + 1) / 2)) 1 100 "$n"

# Two growths of one program differ so much.
awk -F'\t' -v few=epoll-10-1 -v many="epoll-$n-1" '
	$1 == few { cost[$2] = $3 }
	$1 == many && cost[$2] { print "growth\t" $2 "\t" $3 / cost[$2] }
    ' "$scratch/results" >"$scratch/growth"
cat "$scratch/growth" >>"$scratch/results"
row "epoll, from 10 to $n" growth growth pmux C 1.05

say "the same without edges: $few_rounds rounds"
sampling='-s -e 30'
for command in poll select; do
	each "$command" 10 "$few_rounds" 1 10
	each "$command" 1000 "$few_rounds" 1 100 1000
done
