# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: --lines, beside a C program that copies the same and
# what else is used to bring lines of many together.

program lines

# copy MIB SOURCES DRIVE-OPTION...
copy() {
	mib=$1 of=$2 file=$scratch/lines-$2
	shift 2
	numbers "$of" >"$file"
	drive lines "lines-$of" "$@" "$of" "$mib" // C "$dir/lines" "$file" \
	    // again "$dir/lines" "$file" \
	    // pmux "$pmux" epoll --lines "@$file"
}
say "lines: $stream_rounds rounds"
for of in 2 16 256; do
	copy "$relay_mib" "$of" -r "$stream_rounds"
	copy 32 "$of" -m -r 1
	row "--lines, $of sources" wall-ns "lines-$of" pmux C 1.10
	row "--lines, $of sources" cpu-ns "lines-$of" pmux C 1.20
	row '  1 to 20000 bytes: torn' lines "lines-$of-torn" pmux '' 0
done
# KiB that 128 kB are.
awk -F'\t' '
	$1 == "lines-2-held" { few[$2] = $3 }
	$1 == "lines-256-held" && few[$2] {
		print "held\t" $2 "\t" ($3 - few[$2]) / 254
	}' "$scratch/results" >"$scratch/held"
cat "$scratch/held" >>"$scratch/results"
row '  held for each source' memory held pmux '' 125
row '  held for each source by C' memory held C '' ''

# The peers, which take longer: 16 sources.
set -- // C "$dir/lines" "$scratch/lines-16" \
    // pmux "$pmux" epoll --lines "@$scratch/lines-16"
peer() {
	row "  $2" wall-ns relay "$1" C ''
	row "  $2" cpu-ns relay "$1" C ''
}
peer pmux 'pmux, with as few lines'
# shellcheck disable=SC2016 # the variables are perl's
read_perl='my ($s, %held) = IO::Select->new;
	sub by_line { print "$_[0]\t$_\n" for split /\n/, $_[1] }
	sub bulk { $_[1] =~ s/^/$_[0]\t/mg; print $_[1] }
	my $print = shift eq "bulk" ? \&bulk : \&by_line;
	for (@ARGV) { open my $f, "<&=", $_; $s->add($f) }
	$| = 1 if $print == \&by_line;
	while ($s->count) {
		for my $f ($s->can_read) {
			my $n = fileno $f;
			$held{$n} //= "";
			sysread $f, $held{$n}, 65536, length $held{$n}
			    or $s->remove($f), next;
			my $end = rindex($held{$n}, "\n") + 1 or next;
			$print->($n, substr $held{$n}, 0, $end, "");
		}
		STDOUT->flush;
	}'
read_python='import os, re, selectors, sys
bulk = sys.argv[1] == "bulk"
s = selectors.DefaultSelector()
for word in sys.argv[2:]:
    s.register(int(word), selectors.EVENT_READ, [b"", word.encode() + b"\t"])
out = sys.stdout.buffer
while s.get_map():
    for key, events in s.select():
        got = os.read(key.fd, 65536)
        if not got:
            s.unregister(key.fd)
            continue
        whole, newline, rest = (key.data[0] + got).rpartition(b"\n")
        key.data[0] = rest
        if not newline:
            continue
        if bulk:
            out.write(re.sub(rb"(?m)^", key.data[1], whole) + b"\n")
        else:
            for line in whole.split(b"\n"):
                out.write(key.data[1] + line + b"\n")
                out.flush()
    out.flush()'
numbers=$(numbers 16)
# shellcheck disable=SC2086 # a list of words
if path=$(command -v perl); then
	set -- "$@" \
	    // perl-bulk "$path" -MIO::Select -e "$read_perl" bulk $numbers \
	    // perl-line "$path" -MIO::Select -e "$read_perl" line $numbers
	peer perl-bulk 'perl, in bulk'
	peer perl-line 'perl, line by line'
fi
# shellcheck disable=SC2086 # a list of words
if [ -n "$python" ]; then
	set -- "$@" \
	    // python-bulk "$python" -c "$read_python" bulk $numbers \
	    // python-line "$python" -c "$read_python" line $numbers
	peer python-bulk 'python3, in bulk'
	peer python-line 'python3, line by line'
fi
# each_source NAME WHAT COMMAND: a process for each source, $n in COMMAND, all
# with one output, to which each writes a line at a time.
each_source() {
	peer "$1" "$2"
	# shellcheck disable=SC2016 # the variables are the shell's
	loop='for n in '$(echo "$numbers" | tr '\n' ' ')'; do
		'$3' </dev/fd/$n &
	done
	wait'
}
if echo | grep -H --label=x --line-buffered '' >/dev/null 2>&1; then
	# shellcheck disable=SC2016 # the variable is that of the loop
	each_source grep 'grep --line-buffered' \
	    'grep -H --label=$n --line-buffered ""'
	set -- "$@" // grep sh -c "$loop"
fi
if command -v gawk >/dev/null; then
	# shellcheck disable=SC2016 # the variable is that of the loop
	each_source gawk 'gawk and fflush' \
	    'gawk -v n=$n "{ print n \"\t\" \$0; fflush() }"'
	set -- "$@" // gawk sh -c "$loop"
fi
if path=$(command -v bash); then
	# shellcheck disable=SC2016 # the variables are those of the loop
	each_source bash 'bash read and printf' \
	    'while IFS= read -r l; do printf "%s\t%s\n" "$n" "$l"; done'
	set -- "$@" // bash "$path" -c "$loop"
fi
if parallel --version 2>/dev/null | grep -q '^GNU'; then
	# shellcheck disable=SC2086 # a list of words
	set -- "$@" // parallel parallel --will-cite -j 0 --line-buffer --tag \
	    'cat </dev/fd/{}' ::: $numbers
	peer parallel 'GNU parallel --tag'
fi
say 'lines: the peers'
drive lines relay -r "$few_rounds" 16 $((relay_mib / 8)) "$@"
