# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Of the lines that tests/vm/blk-bench leaves, "test contender round IOPS p50 p99
# packets", the medians: with -v plain=1 as lines without the round, and otherwise as a
# table, in which "times" is how often kfi-blk does what another one does once.

function sorted(key, column, v,    n, i, j, x) {
	n = count[key]
	for (i = 1; i <= n; i++) {
		x = value[key, column, i]
		for (j = i - 1; j > 0 && v[j] > x; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
	return n
}

function median(test, who, column,    n, v) {
	n = sorted(test SUBSEP who, column, v)
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function title(test,    f) {
	split(test, f, "-")
	return sprintf("%s, %s, depth %s", words[f[1]], sizes[f[2]], f[3])
}

# the latency that fio tells is that of the write alone
function latency(test, who, column) {
	return test ~ /^flush/ ? "-" : sprintf("%d", median(test, who, column))
}

function row(test, who,    iops) {
	iops = median(test, who, 4)
	printf "    %-42s %8d %8s %8s %8.1f %8.2f\n", who in label ? label[who] : who,
		iops, latency(test, who, 5), latency(test, who, 6),
		median(test, who, 7), median(test, "kfi-blk", 4) / iops
}

BEGIN {
	FS = OFS = "\t"
	words["read"] = "read"
	words["write"] = "write"
	words["fua"] = "durable write (FUA)"
	words["flush"] = "write and flush"
	sizes["4k"] = "4 KiB random"
	sizes["128k"] = "128 KiB sequential"
	label["nvme-rdma-global"] = "nvme-rdma, register_always=N"
	label["rnbd"] = "RNBD"
	label["rnbd-trusting"] = "RNBD, always_invalidate=N"
}

{
	if (!tested[$1]++)
		tests[++nr_tests] = $1
	if (!known[$2]++)
		contenders[++nr_contenders] = $2
	count[$1, $2]++
	for (i = 4; i <= 7; i++)
		value[$1, $2, i, count[$1, $2]] = $i + 0
}

END {
	for (t = 1; t <= nr_tests; t++) {
		test = tests[t]
		if (!plain)
			printf "\n  %-44s %8s %8s %8s %8s %8s\n", title(test), "IOPS",
				"p50 us", "p99 us", "packets", "times"
		for (c = 1; c <= nr_contenders; c++) {
			who = contenders[c]
			if (!count[test, who])
				continue
			if (plain)
				print test, who, median(test, who, 4), median(test, who, 5),
					median(test, who, 6), median(test, who, 7)
			else
				row(test, who)
		}
	}
}
