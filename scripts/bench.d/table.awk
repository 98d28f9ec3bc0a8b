# SPDX-License-Identifier: ISC
#
# The table of scripts/bench.  Input: a line for each program measured, KIND,
# NAME, NUMBER and perhaps a SECOND one, separated by tabs; then the rows
# wanted: WHAT, METRIC, KIND, NAME, REFERENCE or nothing, LIMIT or nothing,
# separated by |.

function get(metric, kind, name) {
	return number[metric ~ /^(cpu|cpu-ns|p99)$/ ? 2 : 1, kind, name]
}

# How far two runs of one program are apart, in percent.
function apart(metric, kind, name, a, b) {
	a = get(metric, kind, name)
	b = get(metric, kind, "again")
	if (!a || !b)
		return 0
	return (a > b ? a / b - 1 : b / a - 1) * 100
}

function noise(metric, kind, name, a, b) {
	name = kind ~ /^kq-/ ? "raw" : kind == "many" ? "poll" : \
	    kind ~ /^explain-/ ? "lsfd" : \
	    kind == "exists" ? "inotifywait" : kind == "grow" ? "tail" : \
	    kind == "one" || kind == "memory" ? "dynamic" : "C"
	if (metric !~ /^(wall|cpu)$/)
		return apart(metric, kind, name)
	a = apart("wall", kind, name)
	b = apart("cpu", kind, name)
	return a > b ? a : b
}

# Some are counted, some are fractions.
function digits(metric, value) {
	return sprintf(metric == "growth" || (value > 0 && value < 10) ? \
	    "%.2f" : "%.0f", value)
}

FS != "|" {
	number[1, $1, $2] = $3
	number[2, $1, $2] = $4
	if ($1 == "peers")
		peer[++peers] = $2
	next
}

FNR == 1 {
	unit["wall"] = unit["cpu"] = unit["median"] = unit["p99"] = " us"
	unit["memory"] = " KiB"
	label["wall-ns"] = "wall ns"
	label["cpu-ns"] = "cpu ns"
	against["dynamic"] = against["poll"] = against["epoll"] = "dynamic C"
	against["glibc"] = against["musl"] = "static C"
	against["true"] = "/bin/true"
	against["raw"] = "epoll(7)"
	against["count"] = "epoll(7), FIONREAD"
	against["kevent"] = against["kqueue"] = "dynamic C"
	against["kevent-libc"] = "static C"
	against["all"] = "lsfd, all"
	form = "%-34s%-10s %7s %9s %5s %5s  %s\n"
	printf form, "", "", "median", "reference", "ratio", "limit", ""
}

{
	metric = $2
	named = metric in label ? label[metric] : metric unit[metric]
	mine = get(metric, $3, $4)
	theirs = $5 == "" ? "" : get(metric, $3, $5)
	if (mine == "" || ($5 != "" && !theirs)) {
		printf form, $1, named, "", "", "", $6, "not measured"
		failed = 1
		next
	}
	measured = $5 == "" ? mine : mine / theirs
	apart_by = noise(metric, $3)
	verdict = $6 == "" ? "--" : measured <= $6 ? "ok" : \
	    apart_by > 5 ? "noisy" : "over"
	if (verdict == "over")
		over = 1
	if (verdict == "noisy")
		failed = 1
	if ($6 != "" && $5 != "" && apart_by > worst) {
		worst = apart_by
		where = $1 ", " named
	}
	if ($5 == "")
		printf form, $1, named, digits(metric, mine), "", "", $6, \
		    verdict
	else
		printf form, $1, named, digits(metric, mine),
		    digits(metric, theirs), sprintf("%.2f", measured), $6,
		    verdict " (" ($5 in against ? against[$5] : $5) ")"
}

END {
	for (i = 1; i <= peers; i++) {
		wall = get("wall", "peers", peer[i])
		if (i == 1)
			base = wall
		printf form, peer[i], "wall us", digits("wall", wall),
		    digits("wall", base), sprintf("%.2f", wall / base), "",
		    i == 1 ? "the peers, each asked once" : ""
	}
	printf "\none program measured twice: at most %.1f %% apart%s%s\n",
	    worst, (worst > 0 ? " (" where ")" : ""),
	    (worst > 5 ? ": too noisy there to compare" : "")
	exit over ? 1 : failed ? 2 : 0
}
