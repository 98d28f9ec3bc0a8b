# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# Bash completion for pmux. Commands, options and what they take are read from
# `pmux help`; only the names of the events, and the filters and words of kqueue,
# are written down here. Bash 3.2 or later, with the bash-completion package or
# without.
#
# In all functions `cur` is the word to be completed, as far as the cursor, and
# `cut` the part of it that readline keeps.

# The words of the command line, and where in COMP_WORDS each begins; bash cuts
# them at the colon, = and @ too.
_pmux_words()
{
	local line=${COMP_LINE:0:COMP_POINT} rest i cuts='^[:=@]|/[:=@]'

	words=() places=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		rest=${line#"${line%%[![:blank:]]*}"}
		cur=${COMP_WORDS[i]}
		((i < COMP_CWORD)) || cur=$rest
		if [[ $i != 0 && $rest == "$line" &&
		    ${COMP_WORDS[i - 1]}/$cur =~ $cuts ]]; then
			words[${#words[@]} - 1]+=$cur
		else
			words+=("$cur")
			places+=("$i")
		fi
		line=${rest#"$cur"}
	done
	cur=${words[${#words[@]} - 1]}
}

# _pmux_offer PREFIX WORD...: each PREFIXWORD that goes on from what is typed.
_pmux_offer()
{
	local prefix=$1 word

	shift
	for word; do
		word=$prefix$word
		[[ $word != "$cur"* ]] || COMPREPLY+=("${word:${#cut}}")
	done
}

# What is no file must not be completed as one.
_pmux_no_files()
{
	compopt +o default 2>/dev/null
}

# _pmux_commands PREFIX
_pmux_commands()
{
	local line row='^  ([a-z]+)  +[^ ]'

	while IFS= read -r line; do
		[[ ! $line =~ $row ]] ||
		    _pmux_offer "$1" "${BASH_REMATCH[1]}"
	done <<<"$(command pmux help 2>/dev/null </dev/null)"
}

# Options of `command`: letters, longs, kinds (of arguments; = before one that
# may be left out), and its usage.
_pmux_table()
{
	local line row='^  (-.)?,? +--([a-z-]+)( |\[)?(=?[A-Z]+)?\]? +[^ ]'

	usage='' letters=() longs=() kinds=()
	while IFS= read -r line; do
		if [[ $line =~ $row ]]; then
			letters+=("${BASH_REMATCH[1]}")
			longs+=("--${BASH_REMATCH[2]}")
			kinds+=("${BASH_REMATCH[4]}")
		elif [[ $line == usage:* ]]; then
			usage=$line
		fi
	done <<<"$(command pmux help "$command" 2>/dev/null </dev/null)"
}

# _pmux_option WORD: if it is an option that takes an argument, its name is in
# `option` and what it takes in `kind`; `glued` is what stands before the
# argument when that is in WORD.
_pmux_option()
{
	local i j

	option='' kind='' glued=''
	for ((i = 0; i < ${#longs[@]}; i++)); do
		[[ $1 == --?* && ${longs[i]} == "${1%%=*}"* ]] || continue
		option=${longs[i]} kind=${kinds[i]}
		[[ $1 != *=* ]] || glued=${1%%=*}=
		[[ -n $glued || $kind != =* ]] || kind=''
		kind=${kind#=}
		return
	done
	[[ $1 == -[!-]* ]] || return
	for ((j = 1; j < ${#1} && ${#kind} == 0; j++)); do
		for ((i = 0; i < ${#letters[@]}; i++)); do
			[[ ${letters[i]} != "-${1:j:1}" ]] || break
		done
		((i < ${#letters[@]})) || return
		option=${longs[i]} kind=${kinds[i]}
	done
	((j == ${#1})) || glued=${1:0:j}
}

# _pmux_kevent_words [FILTER]: the words that it takes, without FILTER all.
_pmux_kevent_words()
{
	local filter own=''
	local all='add delete enable disable oneshot clear dispatch receipt udata='

	if [[ -z ${1-} ]]; then
		for filter in read vnode proc timer netdev aio user; do
			own+=" $(_pmux_kevent_words "$filter")"
		done
		tr ' ' '\n' <<<"$own" | sort -u
		return
	fi
	case $1 in
	read | write)
		own=lowat=
		;;
	vnode)
		own='write extend attrib link rename revoke open close close_write read'
		;;
	proc)
		own='exit fork exec track'
		;;
	timer)
		own='seconds mseconds useconds nseconds abstime'
		;;
	netdev)
		own='linkup linkdown linkinv'
		;;
	aio)
		own='bytes= offset='
		;;
	user)
		own='trigger ffnop ffand ffor ffcopy fflags='
		;;
	esac
	[[ $1 == aio ]] || own+=' data='
	echo "$own $all"
}

# _pmux_kevent: the filter, what it is about, its words.
_pmux_kevent()
{
	local filter=${cur%%:*} rest=${cur#*:} name

	if [[ $cur == @* ]]; then
		_pmux_list_files @
		return
	fi
	_pmux_no_files
	if [[ $cur != *:* ]]; then
		compopt -o nospace 2>/dev/null
		for name in read write vnode proc signal timer netdev aio user
		do
			_pmux_offer '' "$name:"
		done
		return
	fi
	[[ ${rest//\\:/} != *?:* ]] || _pmux_events "${cur%:*}:" "$filter"
	((${#COMPREPLY[@]} > 0)) || _pmux_ident "$filter"
}

# _pmux_ident FILTER: what a kevent may be about.
_pmux_ident()
{
	local names

	case $1 in
	read | write | vnode | aio)
		_pmux_descriptors "$1:" 0 "$pid"
		_pmux_files "$1:"
		;;
	proc)
		_pmux_pids "$1:"
		;;
	signal)
		# bash has names for numbers without a signal, with parentheses
		names=$(compgen -A signal SIG |
		    sed 's/^SIG//; /^KILL$/d; /^STOP$/d; /(/d')
		# shellcheck disable=SC2086	# one word a signal
		_pmux_offer "$1:" $names
		;;
	timer)
		_pmux_duration "$1:"
		;;
	netdev)
		names=$(ls /sys/class/net 2>/dev/null ||
		    ifconfig -l 2>/dev/null)
		# shellcheck disable=SC2086	# one word an interface
		_pmux_offer "$1:" $names
		;;
	esac
}

# _pmux_events PREFIX [FILTER]: a list after PREFIX, each event once.
_pmux_events()
{
	local list=${cur#"$1"} prefix name
	local names='in pri out err hup rdhup rdnorm rdband wrnorm wrband msg'

	case $command in
	kqueue)
		names=$(_pmux_kevent_words "${2-}")
		;;
	epoll)
		names+=' et oneshot exclusive wakeup'
		;;
	*)
		names+=' nval'
		;;
	esac
	prefix=$1${list%"${list##*,}"}
	for name in $names; do
		[[ ,$list == *",$name,"* ]] || _pmux_offer "$prefix" "$name"
	done
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
}

# _pmux_kinds PID: when readline lists several numbers, they have what they are
# behind them, which no number that is inserted has.  Paths lose their
# directories: of a file name readline lists what is behind the last slash.
_pmux_kinds()
{
	local fd kind state words i

	((${COMP_TYPE:-9} == 63 && ${#COMPREPLY[@]} > 1)) || return
	while IFS=$'\t' read -r fd kind _ _ state _; do
		IFS=' ' read -ra words <<<"$state"
		state="${words[*]##*/}"
		for ((i = 0; i < ${#COMPREPLY[@]}; i++)); do
			[[ ${COMPREPLY[i]} != "$fd" ]] ||
			    COMPREPLY[i]="$fd  $kind: ${state:0:50}"
		done
	done <<<"$(command pmux inspect -p "$1" 2>/dev/null </dev/null)"
}

# _pmux_descriptors PREFIX FIRST [PID]: those of PID, or of this shell, without
# the one that bash keeps for itself; none below FIRST.
_pmux_descriptors()
{
	local directory=/dev/fd fd

	[[ -z ${3-} ]] || directory=/proc/$3/fd
	for fd in $(compgen -f "$directory/"); do
		fd=${fd##*/}
		[[ -n ${3-} || $fd != 255 && -e /dev/fd/$fd ]] || continue
		((fd < $2)) || _pmux_offer "$1" "$fd"
	done
	[[ -z ${3-} || -n $1 ]] || _pmux_kinds "$3"
}

# _pmux_files PREFIX: those that could not be taken for a descriptor.
_pmux_files()
{
	local name

	compopt -o filenames 2>/dev/null
	while IFS= read -r name; do
		[[ ! $name =~ [^0-9] ]] || _pmux_offer "$1" "$name"
	done <<<"$(compgen -f -- "${cur#"$1"}")"
}

# _pmux_list_files PREFIX: quoted here, since readline would quote the @ too.
_pmux_list_files()
{
	local typed=${cur#"$1"} name

	_pmux_no_files
	while IFS= read -r name; do
		if [[ -d $name ]]; then
			compopt -o nospace 2>/dev/null
			name+=/
		fi
		[[ -z $name ]] || _pmux_offer "$1" "$(printf %q "$name")"
	done <<<"$(compgen -f -- "${typed//\\/}")"
}

# _pmux_target PREFIX: readline's own file names, unless there is more to say or
# a colon, at which it would cut them.
_pmux_target()
{
	local value=${cur#"$1"}

	if [[ $value == @* ]]; then
		_pmux_list_files "$1@"
	elif [[ ${value//\\:/} == *?:* ]]; then
		[[ $usage != *'TARGET[:EVENTS]'* ]] ||
		    _pmux_events "$1${value%:*}:"
		((${#COMPREPLY[@]} > 0)) || _pmux_files "$1"
		_pmux_no_files
	elif [[ ! $value =~ [^0-9] ]]; then
		_pmux_descriptors "$1" 0 "$pid"
		_pmux_files "$1"
	fi
}

# _pmux_duration PREFIX
_pmux_duration()
{
	local number=${cur#"$1"}

	number=${number%%[!0-9.]*}
	if [[ -n $number ]]; then
		_pmux_offer "$1$number" ns us ms s m h d
	else
		_pmux_offer "$1" 0 100ms 1s 10s 1m
		[[ $1 == timer: ]] || _pmux_offer "$1" inf
	fi
}

# _pmux_pids PREFIX
_pmux_pids()
{
	local pids

	pids=$(compgen -G '/proc/[0-9]*')
	# shellcheck disable=SC2086	# one word a process
	_pmux_offer "$1" ${pids//\/proc\//}
}

# _pmux_argument PREFIX: what `option` takes.
_pmux_argument()
{
	[[ $kind == TARGET || $kind == FILE || $kind == PATH ]] || _pmux_no_files
	case $kind in
	TARGET)
		_pmux_target "$1"
		;;
	EVENTS)
		_pmux_events "$1"
		;;
	PID)
		_pmux_pids "$1"
		;;
	DURATION)
		_pmux_duration "$1"
		;;
	NAME)
		# shellcheck disable=SC2046 # no name has a blank
		_pmux_offer "$1" $(compgen -v)
		;;
	N)
		[[ $option != --ready-fd ]] || _pmux_descriptors "$1" 3
		;;
	esac
}

# _pmux_word: an option, or what the command takes.
_pmux_word()
{
	if [[ $cur == -* ]]; then
		_pmux_no_files
		_pmux_offer '' "${letters[@]}" "${longs[@]}"
	elif [[ $usage == *TARGET* ]]; then
		_pmux_target ''
	elif [[ $usage == *NUMBER* && $cur == @* ]]; then
		_pmux_list_files @
	elif [[ $usage == *NUMBER* ]]; then
		_pmux_no_files
		_pmux_descriptors '' 0 "$pid"
	elif [[ $usage == *FILTER* ]]; then
		_pmux_kevent
	else
		_pmux_no_files
		[[ $usage != *COMMAND* ]] || _pmux_commands ''
	fi
}

# _pmux_program PLACE: a command, whose name is at PLACE in COMP_WORDS, as bash
# completes any.
_pmux_program()
{
	if declare -F _comp_command_offset >/dev/null; then
		_comp_command_offset "$1"
	elif declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	elif (($1 == COMP_CWORD)); then
		while IFS= read -r word; do
			COMPREPLY+=("$word")
		done <<<"$(compgen -c -- "$cur")"
	fi
}

_pmux()
{
	local cur cut words places command usage letters longs kinds word i
	local option='' kind='' glued='' awaited='' pid='' IFS=$' \t\n'

	COMPREPLY=()
	_pmux_words
	cut=${cur%"$2"}
	[[ ${words[${#words[@]} - 2]} != [\<\>]* ]] || return 0
	if ((${#words[@]} == 2)); then
		_pmux_no_files
		if [[ $cur == -* ]]; then
			_pmux_offer '' -h --help -V --version
		else
			_pmux_commands ''
		fi
		return 0
	fi
	command=${words[1]}
	_pmux_table
	for ((i = 2; i < ${#words[@]} - 1; i++)); do
		word=${words[i]}
		if [[ -n $awaited ]]; then
			[[ $option != --pid ]] || pid=$word
			awaited=''
			continue
		fi
		if [[ $word == -- ]]; then
			_pmux_program "${places[i + 1]}"
			return 0
		fi
		_pmux_option "$word"
		[[ -n $glued ]] || awaited=$kind
		[[ $option != --pid || -z $glued ]] || pid=${word#"$glued"}
	done
	[[ -n $awaited ]] || _pmux_option "$cur"
	if [[ -n $awaited || -n $kind && -n $glued ]]; then
		[[ -z $awaited ]] || glued=''
		_pmux_argument "$glued"
	else
		_pmux_word
	fi
	return 0
}

complete -o default -F _pmux pmux
