# The table of scripts/bench.  Input: a line for each program measured, KIND,
# NAME, NUMBER and perhaps PROCESSOR TIME, separated by tabs; then the rows
# wanted: WHAT, METRIC, KIND, NAME, REFERENCE or nothing, LIMIT or nothing,
# separated by |.

# How far two runs of one program are apart, in percent.
function apart(metric, kind, name, a, b) {
	a = number[metric, kind, name]
	b = number[metric, kind, "again"]
	if (!a || !b)
		return 0
	return (a > b ? a / b - 1 : b / a - 1) * 100
}

function noise(kind, a, b) {
	if (kind ~ /^kq-/)
		return apart("ns", kind, "raw")
	a = apart("wall", kind, kind == "many" ? "poll" : "dynamic")
	b = apart("cpu", kind, kind == "many" ? "poll" : "dynamic")
	return a > b ? a : b
}

FS != "|" {
	number["wall", $1, $2] = $3
	number["cpu", $1, $2] = $4
	number["memory", $1, $2] = number["bytes", $1, $2] = $3
	number["ns", $1, $2] = $3
	if ($1 == "peers")
		peer[++peers] = $2
	next
}

FNR == 1 {
	unit["wall"] = unit["cpu"] = " us"
	unit["memory"] = " KiB"
	against["dynamic"] = against["poll"] = against["epoll"] = "dynamic C"
	against["glibc"] = against["musl"] = "static C"
	against["true"] = "/bin/true"
	against["raw"] = "epoll(7)"
	against["kevent"] = against["kqueue"] = "dynamic C"
	against["kevent-libc"] = "static C"
	form = "%-27s%-10s %7s %9s %5s %5s  %s\n"
	printf form, "", "", "median", "reference", "ratio", "limit", ""
}

{
	metric = $2
	mine = number[metric, $3, $4]
	theirs = $5 == "" ? "" : number[metric, $3, $5]
	if (mine == "" || ($5 != "" && !theirs)) {
		printf form, $1, metric, "", "", "", $6, "not measured"
		failed = 1
		next
	}
	measured = $5 == "" ? mine : mine / theirs
	verdict = $6 == "" ? "--" : measured <= $6 ? "ok" : noise($3) > 5 ? "noisy" : "over"
	if (verdict == "over")
		over = 1
	if (verdict == "noisy")
		failed = 1
	if ($5 == "")
		printf form, $1, metric unit[metric], sprintf("%.0f", mine),
		    "", "", $6, verdict
	else
		printf form, $1, metric unit[metric], sprintf("%.0f", mine),
		    sprintf("%.0f", theirs), sprintf("%.2f", measured), $6,
		    verdict " (" against[$5] ")"
}

END {
	for (i = 1; i <= peers; i++) {
		wall = number["wall", "peers", peer[i]]
		if (i == 1)
			base = wall
		printf form, peer[i], "wall us", sprintf("%.0f", wall),
		    sprintf("%.0f", base), sprintf("%.2f", wall / base), "",
		    i == 1 ? "the peers, each asked once" : ""
	}
	noisy = noise("one") > 5 || noise("many") > 5 ||
	    noise("kq-same-event") > 5
	printf "\none program measured twice: %.1f %% apart, with many " \
	    "targets %.1f %%, epoll(7) %.1f %%%s\n", noise("one"),
	    noise("many"), noise("kq-same-event"),
	    (noisy ? ": too noisy to tell" : "")
	exit over ? 1 : failed ? 2 : 0
}
