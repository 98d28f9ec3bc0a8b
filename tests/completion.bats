#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What the completions offer, asked of real shells, against what pmux takes.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

completions=$BATS_TEST_DIRNAME/../completions
commands=(wait select poll devpoll epoll kqueue explain inspect compare trace info help)
# whose options, and which, the shells describe
described=('pmux poll -' 'pmux ')
events=(in pri out err hup nval rdhup rdnorm rdband wrnorm wrband msg et
    oneshot exclusive wakeup)
# The lines that a test completes; what was offered for each, sorted, one a line,
# without what stands before the last colon or = of the word, since bash cuts
# there; and its number among the lines that the shell was asked for.
declare -ga lines
declare -gA offered number

# ---- the shells ----

# alone PROGRAM [ARG]...: run it where there is no terminal to quarrel about.
alone() {
	if command -v setsid >/dev/null; then
		setsid "$@"
	else
		perl -MPOSIX=setsid -e 'setsid() or die; exec @ARGV' "$@"
	fi
}

need_bash() {
	command -v setsid >/dev/null || perl -MPOSIX -e 1 2>/dev/null ||
	    skip "no setsid and no perl to keep bash off the terminal"
}

# Readline inserts all that is offered, and the line runs: its words are
# written down instead.
bash_offers() {
	local line n=0
	local -a words

	cat >../rc <<-'EOF'
		PS1= HISTFILE=
		[[ -z ${PACKAGE-} ]] || . "$PACKAGE"
		. "$COMPLETIONS/pmux.bash"
		pmux() {
			local last=${typed[${#typed[@]} - 1]} word
			shift $((${#typed[@]} - 2))
			for word; do
				[[ $word == "$last" ]] || printf '%s\n' "$word"
			done >../offers.$n
		}
		bind '"\t": insert-completions'
	EOF
	for line; do
		eval "words=($line)"
		[[ $line != *[[:blank:]] ]] || words+=('')
		printf 'n=%d typed=(' $((n += 1))
		printf ' %q' "${words[@]}"
		printf ')\n'
		printf '%s\t\n' "$line"
	done >../typed
	COMPLETIONS=$completions TERM=dumb alone bash --noprofile --rcfile ../rc \
	    -i <../typed >../screen 2>&1 3>&-
}

need_zsh() {
	command -v zsh >/dev/null || skip "no zsh"
	zsh -fc 'zmodload zsh/zpty && autoload -Uz compinit && compinit -u -D' ||
	    skip "a zsh without zpty or without its functions"
}

# On a pseudo-terminal; whatever is given to compadd is written down.
zsh_offers() {
	cat >../inner.zsh <<-'EOF'
		unset zle_bracketed_paste
		unsetopt prompt_cr prompt_sp
		PS1= LISTMAX=10000 n=0
		path=($PMUX:h $path) fpath=($COMPLETIONS $fpath)
		stty -echo cols 200 rows 100
		autoload -Uz compinit
		compinit -u -D
		capture() {
			: >../offers.$((n += 1))
			compadd() {
				local -a matches
				if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
					builtin compadd -O matches "$@"
					print -rl -- $IPREFIX$^matches >>../offers.$n
				fi
				builtin compadd "$@"
			}
			_main_complete
			unfunction compadd
			compstate[insert]= compstate[list]=
			# zpty takes long to read a list
			[[ $'\n'$LISTED$'\n' != *$'\n'$BUFFER$'\n'* ]] ||
				compstate[list]=list\ force
		}
		zle -C capture complete-word capture
		bindkey '^I' capture
		# Not before: the terminal itself would take the ^U.
		zle-line-init() {
			print -n READY
		}
		zle -N zle-line-init
	EOF
	cat >../outer.zsh <<-'EOF'
		zmodload zsh/zpty
		zpty shell 'zsh -f -i'
		zpty -w shell '. ../inner.zsh'
		zpty -r shell screen '*READY*'
		for line; do
			zpty -w -n shell "$line"$'\t\C-u\n'
			zpty -r shell screen '*READY*'
			print -r -- $screen >../screen.$((n += 1))
		done
	EOF
	COMPLETIONS=$completions LISTED=$(printf '%s\n' "${described[@]}") \
	    zsh -f ../outer.zsh "$@" 3>&-
}

# It makes its directories even then.
bare_fish() {
	HOME=$BATS_TEST_TMPDIR XDG_CONFIG_HOME=$BATS_TEST_TMPDIR \
	    XDG_DATA_HOME=$BATS_TEST_TMPDIR fish --no-config "$@"
}

need_fish() {
	command -v fish >/dev/null || skip "no fish"
	bare_fish -c true || skip "a fish without --no-config"
}

fish_offers() {
	cat >../lines.fish <<-'EOF'
		source $COMPLETIONS/pmux.fish
		set n 0
		for line in $argv
			set n (math $n + 1)
			complete -C $line >../described.$n
			string replace -r '\t.*' '' <../described.$n >../offers.$n
		end
	EOF
	COMPLETIONS=$completions bare_fish ../lines.fish "$@" 3>&- || :
}

# scene: files in the directory in which the shell stands, and two processes:
# `owner' has descriptor 33 and not 34, `sleeper' is another.
scene() {
	touch jobs.fifo jobs.list 7 'a b' 'odd:one'
	mkdir jobs.d
	mkfifo ../ready
	peer owner ../ready 33</dev/null 34<&- 3>&- &
	read -r owner <../ready
	rm ../ready
	sleep 600 3>&- &
	sleeper=$!
	printf '%s\n' "$owner" "$sleeper" >../processes
}

# ask SHELL GROUP: what it offers at the end of each line of these promises, into
# `answers', once a file: a shell takes longer to start than to answer. Only the
# group "files" has files by chance.
ask() {
	local name

	answers=$BATS_FILE_TMPDIR/$1-$2
	if [[ ! -e $answers ]]; then
		"need_$1"
		mkdir here
		cd here || return
		[[ $2 != files ]] || scene
		for name in ${promises[$2]}; do
			"lines_for_$name"
		done
		printf '%s\n' "${lines[@]}" >../lines
		"$1_offers" "${lines[@]}" 7<&- 33<&- 34</dev/null
		cd .. || return
		rm -rf here
		mkdir "$answers"
		mv -- * "$answers"
	fi
	[[ $2 != files ]] || {
		read -r owner
		read -r sleeper
	} <"$answers/processes"
}

# offers LINE...: what was offered for each, from `answers'.
offers() {
	local line last word n=0

	while IFS= read -r line; do
		number[$line]=$((n += 1))
	done <"$answers/lines"
	for line; do
		last=${line##*[[:blank:]]}
		last=${last%"${last##*[:=]}"}
		n=$answers/offers.${number[$line]}
		[[ -e $n ]] || {
			cat "$answers"/screen* 2>/dev/null || :
			fail "no answer to '$line'"
		}
		# some put a / behind a directory
		offered[$line]=$(while IFS= read -r word; do
			word=${word%/}
			[[ -z ${word#"$last"} ]] ||
			    printf '%s\n' "${word#"$last"}"
		done <"$n" | sort -u)
	done
}

# completes PROMISE SHELL
completes() {
	local group

	for group in "${!promises[@]}"; do
		[[ " ${promises[$group]} " != *" $1 "* ]] || break
	done
	ask "$2" "$group"
	lines=()
	"lines_for_$1"
	offers "${lines[@]}"
	"completes_$1" "$2"
}

# offers_just LINE WORD...: these and no others.
offers_just() {
	local line=$1 wanted

	shift
	wanted=$([[ $# == 0 ]] || printf '%s\n' "$@" | sort -u)
	[[ ${offered[$line]} == "$wanted" ]] ||
	    differs 'not what is to be offered' line "$line" \
	        offered "${offered[$line]}" wanted "$wanted"
}

is_offered() {
	[[ $'\n'${offered[$1]}$'\n' == *$'\n'"$2"$'\n'* ]]
}

offers_among() {
	is_offered "$1" "$2" ||
	    fail "'$1': '$2' is not among: ${offered[$1]//$'\n'/ }"
}

offers_never() {
	! is_offered "$1" "$2" || fail "'$1': '$2' is among what is offered"
}

# ---- what pmux takes ----

# The rows of the help: letter or nothing, long name, what it does.
rows() {
	pmux help "$1" | sed -nE \
	    's/^ +(-(.), )? *--([a-z-]+)( [A-Z]+|\[=[A-Z]+\])?  *([^ ].*)$/\2|\3|\5/p'
}

# once FUNCTION [ARG]...: what it prints, which it does once a file.
once() {
	local file="$BATS_FILE_TMPDIR/$*"

	[[ -e $file ]] || {
		"$@" >"$file.new"
		mv "$file.new" "$file"
	}
	cat "$file"
}

# taken COMMAND: the events that it takes.
taken() {
	local event result

	for event in "${events[@]}"; do
		result=0
		pmux "$1" -t 0 -e "$event" 2>/dev/null || result=$?
		[[ $result == 2 ]] || echo "$event"
	done
}

declare -gA idents=([read]=0 [write]=0 [vnode]=. [proc]=1 [signal]=USR1
    [timer]=1s [netdev]=lo [aio]=0 [user]=1)
kevents=(lowat=1 delete write extend attrib link rename revoke open close
    close_write read exit fork exec track seconds mseconds useconds nseconds
    abstime linkup linkdown linkinv bytes=1 offset=1 trigger ffnop ffand ffor
    ffcopy fflags=1 add enable disable oneshot clear dispatch receipt data=1
    udata=a)

# kevent_words FILTER: the words that it takes, as they are offered.
kevent_words() {
	local word result

	for word in "${kevents[@]}"; do
		result=0
		pmux kqueue -q -t 0 "$1:${idents[$1]}:$word" 2>message ||
		    result=$?
		[[ $result == 2 && $(<message) == *' has no '* ]] ||
		    echo "${word%=*}"
	done
}

# ---- the promises ----

declare -gA promises=([bare]='commands options events kevents durations'
    [files]='idents programs files descriptors conditions' [package]=package)

lines_for_commands() {
	lines+=('pmux ' 'pmux ep' 'pmux xyzzy' 'pmux -' 'pmux help '
	    'pmux help d')
}

completes_commands() {
	local -a found

	mapfile -t found < <(pmux help | sed -nE 's/^  ([a-z]+) .*/\1/p')
	assert_equal "${found[*]}" "${commands[*]}"
	offers_just 'pmux ' "${found[@]}"
	offers_just 'pmux ep' epoll
	offers_just 'pmux xyzzy'
	offers_just 'pmux -' -h --help -V --version
	offers_just 'pmux help ' "${found[@]}"
	offers_just 'pmux help d' devpoll
}

lines_for_options() {
	local command

	for command in "${commands[@]}"; do
		lines+=("pmux $command -" "pmux $command --")
	done
}

completes_options() {
	local command letter long text
	local -a short all

	for command in "${commands[@]}"; do
		all=() short=()
		while IFS='|' read -r letter long text; do
			all+=("--$long")
			[[ -z $letter ]] || short+=("-$letter")
		done < <(once rows "$command")
		((${#all[@]} > 0))
		offers_just "pmux $command -" "${all[@]}" "${short[@]}"
		offers_just "pmux $command --" "${all[@]}"
	done
}

lines_for_events() {
	local command

	for command in wait poll devpoll epoll; do
		lines+=("pmux $command 0:" "pmux $command -e "
		    "pmux $command --events=" "pmux $command 0:in,"
		    "pmux $command jobs.fifo:in,pri,h" "pmux $command -q -e rdn")
	done
	lines+=('pmux select 0:')
}

completes_events() {
	local command
	local -a names rest

	for command in wait poll devpoll epoll; do
		has "$command" || continue
		mapfile -t names < <(once taken "$command")
		((${#names[@]} > 10))
		offers_just "pmux $command 0:" "${names[@]}"
		offers_just "pmux $command -e " "${names[@]}"
		offers_just "pmux $command --events=" "${names[@]}"
		assert_equal "${names[0]}" in
		rest=("${names[@]:1}")
		offers_just "pmux $command 0:in," "${rest[@]/#/in,}"
		offers_just "pmux $command jobs.fifo:in,pri,h" in,pri,hup
		offers_just "pmux $command -q -e rdn" rdnorm
	done
	offers_just 'pmux select 0:'
}

lines_for_kevents() {
	local filter

	for filter in "${!idents[@]}"; do
		lines+=("pmux kqueue $filter:${idents[$filter]}:")
	done
	lines+=('pmux kqueue ' 'pmux kqueue v' 'pmux kqueue -e '
	    'pmux kqueue -e one' 'pmux kqueue --events=one'
	    'pmux kqueue -q vnode:x:write,ren' 'pmux kqueue timer:1:clear,abs'
	    'pmux kqueue read:0:xyzzy')
}

# Whether the shells put the = or the : behind a word is their own affair.
completes_kevents() {
	local filter line
	local -a taken

	need kqueue
	offered['pmux kqueue ']=${offered['pmux kqueue ']//:/}
	offers_just 'pmux kqueue ' "${!idents[@]}"
	offered['pmux kqueue v']=${offered['pmux kqueue v']//:/}
	offers_just 'pmux kqueue v' vnode
	for filter in "${!idents[@]}"; do
		mapfile -t taken < <(once kevent_words "$filter")
		((${#taken[@]} > 8))
		line="pmux kqueue $filter:${idents[$filter]}:"
		offered[$line]=${offered[$line]//=/}
		offers_just "$line" "${taken[@]}"
	done
	offered['pmux kqueue -e ']=${offered['pmux kqueue -e ']//=/}
	offers_just 'pmux kqueue -e ' "${kevents[@]%=*}"
	offers_just 'pmux kqueue -e one' oneshot
	offers_just 'pmux kqueue --events=one' oneshot
	offers_just 'pmux kqueue -q vnode:x:write,ren' write,rename
	offers_just 'pmux kqueue timer:1:clear,abs' clear,abstime
	offers_just 'pmux kqueue read:0:xyzzy'
}

lines_for_idents() {
	lines+=('pmux kqueue vnode:jobs' 'pmux kqueue @jobs'
	    'pmux kqueue read:' 'pmux kqueue aio:jobs.l' 'pmux kqueue proc:'
	    'pmux kqueue signal:' 'pmux kqueue timer:' 'pmux kqueue timer:5'
	    'pmux kqueue netdev:' 'pmux kqueue user:' 'pmux kqueue vnode:odd')
}

completes_idents() {
	local word line

	offers_just 'pmux kqueue vnode:jobs' jobs.{d,fifo,list}
	offers_just 'pmux kqueue @jobs' @jobs.{d,fifo,list}
	offers_just 'pmux kqueue aio:jobs.l' jobs.list
	offers_among 'pmux kqueue proc:' "$sleeper"
	offers_among 'pmux kqueue signal:' USR1
	offers_among 'pmux kqueue signal:' HUP
	offers_never 'pmux kqueue signal:' KILL
	for word in ${offered['pmux kqueue timer:']}; do
		pm kqueue -t 1us "timer:$word"
		[[ $status != 2 ]] || fail "timer:$word: $stderr"
	done
	offers_just 'pmux kqueue timer:5' 5ns 5us 5ms 5s 5m 5h 5d
	if [[ -e /sys/class/net/lo ]]; then
		offers_among 'pmux kqueue netdev:' lo
	fi
	offers_just 'pmux kqueue user:'
	line=${offered['pmux kqueue vnode:odd']//\\/}
	assert_equal "${line##*:}" one
	need_proc
	offers_among 'pmux kqueue read:' 34
	offers_never 'pmux kqueue read:' 33
}

lines_for_durations() {
	lines+=('pmux poll -t ' 'pmux poll --timeout=' 'pmux select -t 5'
	    'pmux wait --hold=1.5' 'pmux poll -n ' 'pmux poll --format '
	    'pmux poll --idle ' 'pmux poll -fc ' 'pmux poll --count='
	    'pmux poll -j ' 'pmux poll --jobs ' 'pmux poll --max-line='
	    'pmux poll -v PMUX_TOO')
}

completes_durations() {
	local word

	[[ -n ${offered['pmux poll -t ']} ]]
	for word in ${offered['pmux poll -t ']}; do
		pm poll --hold "$word" -t 0
		expect 124
	done
	assert_equal "${offered['pmux poll --timeout=']}" \
	    "${offered['pmux poll -t ']}"
	offers_just 'pmux select -t 5' 5ns 5us 5ms 5s 5m 5h 5d
	offers_just 'pmux wait --hold=1.5' 1.5{ns,us,ms,s,m,h,d}
	# fish has no builtin
	[[ $1 == fish ]] || offers_just 'pmux poll -v PMUX_TOO' PMUX_TOOLS
	offers_just 'pmux poll -n '
	offers_just 'pmux poll --format '
	assert_equal "${offered['pmux poll --idle ']}" \
	    "${offered['pmux poll -t ']}"
	offers_just 'pmux poll -fc '
	offers_just 'pmux poll --count='
	offers_just 'pmux poll -j '
	offers_just 'pmux poll --jobs '
	offers_just 'pmux poll --max-line='
}

lines_for_programs() {
	lines+=('pmux poll -fj 2 0:in -- mkfif' 'pmux poll -e in 0 -- cat jobs'
	    'pmux kqueue timer:1s -- cat jobs.l' 'pmux poll 0 -- cat --json -t '
	    'pmux poll 0 --')
}

# Behind -- a command, and behind it what it takes.
completes_programs() {
	offers_just 'pmux poll -fj 2 0:in -- mkfif' mkfifo
	offers_just 'pmux poll -e in 0 -- cat jobs' jobs.{d,fifo,list}
	offers_just 'pmux kqueue timer:1s -- cat jobs.l' jobs.list
	offers_never 'pmux poll 0 -- cat --json -t ' 100ms
	offers_among 'pmux poll 0 -- cat --json -t ' jobs.list
	offers_among 'pmux poll 0 --' --follow
}

lines_for_files() {
	lines+=('pmux poll jobs' 'pmux poll @jobs' 'pmux select -r jobs'
	    'pmux select --write=jobs' 'pmux poll @a' 'pmux poll a'
	    'pmux poll a\ b:h' 'pmux poll -q 0 jobs.f' 'pmux info '
	    'pmux compare jobs' 'pmux poll -t jobs' 'pmux poll ' 'pmux poll --debug=jobs.l'
	    'pmux poll --debug jobs.l')
}

completes_files() {
	offers_just 'pmux poll jobs' jobs.{d,fifo,list}
	offers_just 'pmux poll @jobs' @jobs.{d,fifo,list}
	offers_just 'pmux select -r jobs' jobs.{d,fifo,list}
	offers_just 'pmux select --write=jobs' jobs.{d,fifo,list}
	offers_just 'pmux poll -q 0 jobs.f' jobs.fifo
	offered['pmux poll @a']=${offered['pmux poll @a']//\\/}
	offers_just 'pmux poll @a' '@a b'
	offered['pmux poll a']=${offered['pmux poll a']//\\/}
	offers_just 'pmux poll a' 'a b'
	[[ ${offered['pmux poll a\ b:h']} =~ ^(a\\?\ b:)?hup$ ]] ||
	    fail "${offered['pmux poll a\ b:h']}"
	# It would be taken for a descriptor; fish adds every file itself.
	[[ $1 == fish ]] || offers_never 'pmux poll ' 7
	offers_never 'pmux info ' jobs.fifo
	offers_never 'pmux compare jobs' jobs.fifo
	offers_just 'pmux poll -t jobs'
	offers_just 'pmux poll --debug=jobs.l' jobs.list
	# as a target
	offers_just 'pmux poll --debug jobs.l' jobs.list
}

lines_for_conditions() {
	lines+=('pmux wait --exit ' 'pmux wait --exists jobs'
	    'pmux wait --absent=jobs.l' 'pmux wait --connect '
	    'pmux wait --lines --until ' 'pmux wait --while '
	    'pmux poll --settle ')
}

completes_conditions() {
	local word

	offers_just 'pmux wait --exists jobs' jobs.{d,fifo,list}
	offers_just 'pmux wait --absent=jobs.l' jobs.list
	offers_just 'pmux wait --lines --until '
	for word in ${offered['pmux poll --settle ']}; do
		[[ $word != inf ]] || continue
		pm poll -f --settle "$word" -t 0
		expect 124
	done
	[[ ${offered['pmux poll --settle ']} ]]
	need_proc
	offers_among 'pmux wait --exit ' "$sleeper"
	offers_among 'pmux wait --while ' "$sleeper"
}

lines_for_descriptors() {
	lines+=('pmux poll ' 'pmux select -r ' 'pmux poll --ready-fd '
	    'pmux poll --ready-fd=' "pmux poll -p $owner "
	    "pmux poll -qp$owner 0 " "pmux poll --pid=$owner -e in "
	    "pmux compare -p $owner " 'pmux compare '
	    "pmux trace -p $owner " "pmux explain -p $owner "
	    "pmux inspect -p $owner "
	    "pmux select --pid $owner -r " 'pmux poll -p ')
}

completes_descriptors() {
	local line

	need_proc
	for line in 'pmux poll ' 'pmux select -r ' 'pmux poll --ready-fd ' \
	    'pmux poll --ready-fd='; do
		offers_among "$line" 34
		offers_never "$line" 33
	done
	offers_among 'pmux compare ' 34
	for line in compare trace explain inspect; do
		offers_among "pmux $line -p $owner " 33
	done
	offers_among 'pmux poll ' 0
	offers_never 'pmux poll --ready-fd ' 0
	offers_never 'pmux poll --ready-fd=' 2
	for line in "pmux poll -p $owner " "pmux poll -qp$owner 0 " \
	    "pmux poll --pid=$owner -e in " "pmux select --pid $owner -r "; do
		offers_among "$line" 33
		offers_never "$line" 34
	done
	offers_among 'pmux poll -p ' "$owner"
}

@test "bash completes the commands" {
	completes commands bash
}

@test "bash completes every option of a command, and no other" {
	completes options bash
}

@test "bash completes the events that a command takes, and no others" {
	completes events bash
}

@test "bash completes the words of kevents" {
	completes kevents bash
}

@test "bash completes what kevents are about" {
	completes idents bash
}

@test "bash completes durations" {
	completes durations bash
}

@test "bash completes files, and files of targets" {
	completes files bash
}

@test "bash completes PROGRAM and what it takes" {
	completes programs bash
}

@test "bash completes what conditions and streams wait for" {
	completes conditions bash
}

@test "bash completes open descriptors and processes" {
	completes descriptors bash
}

lines_for_package() {
	lines+=('pmux poll -e in 0 -- pmux dev'
	    'pmux poll 0:in -- pmux poll --ma' 'pmux poll -q 0 -- mkfif')
}

@test "bash completes PROGRAM's own options, with the bash-completion package" {
	export PACKAGE=/usr/share/bash-completion/bash_completion

	[[ -r $PACKAGE ]] || skip "no $PACKAGE"
	ask bash package
	offers "${lines[@]}"
	offers_just 'pmux poll -e in 0 -- pmux dev' devpoll
	offers_just 'pmux poll 0:in -- pmux poll --ma' --max-events --max-line
	offers_just 'pmux poll -q 0 -- mkfif' mkfifo
}

@test "zsh completes the commands" {
	completes commands zsh
}

@test "zsh completes every option of a command, and no other" {
	completes options zsh
}

@test "zsh completes the events that a command takes, and no others" {
	completes events zsh
}

@test "zsh completes the words of kevents" {
	completes kevents zsh
}

@test "zsh completes what kevents are about" {
	completes idents zsh
}

@test "zsh completes durations" {
	completes durations zsh
}

@test "zsh completes files, and files of targets" {
	completes files zsh
}

@test "zsh completes PROGRAM and what it takes" {
	completes programs zsh
}

@test "zsh completes what conditions and streams wait for" {
	completes conditions zsh
}

@test "zsh completes open descriptors and processes" {
	completes descriptors zsh
}

@test "zsh says what an option does" {
	local letter long text

	ask zsh bare
	offers "${described[@]}"
	while IFS='|' read -r letter long text; do
		grep -qF -e "-- $text" \
		    "$answers/screen.${number['pmux poll -']}" ||
		    fail "$long: no '$text'"
	done < <(once rows poll)
	grep -qF -e '-- wait with poll(2)' \
	    "$answers/screen.${number['pmux ']}"
}

@test "fish completes the commands" {
	completes commands fish
}

@test "fish completes every option of a command, and no other" {
	completes options fish
}

@test "fish completes the events that a command takes, and no others" {
	completes events fish
}

@test "fish completes the words of kevents" {
	completes kevents fish
}

@test "fish completes what kevents are about" {
	completes idents fish
}

@test "fish completes durations" {
	completes durations fish
}

@test "fish completes files, and files of targets" {
	completes files fish
}

@test "fish completes PROGRAM and what it takes" {
	completes programs fish
}

@test "fish completes what conditions and streams wait for" {
	completes conditions fish
}

@test "fish completes open descriptors and processes" {
	completes descriptors fish
}

@test "fish says what an option does" {
	local letter long text

	ask fish bare
	offers "${described[@]}"
	while IFS='|' read -r letter long text; do
		grep -qxF -e "--$long"$'\t'"$text" \
		    "$answers/described.${number['pmux poll -']}" ||
		    fail "$long: no '$text'"
	done < <(once rows poll)
	grep -qxF -e $'poll\twait with poll(2)' \
	    "$answers/described.${number['pmux ']}"
}
