# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Turns the KTAP of one test module, as the kernel log shows it, into one line
# for each test case: "ok NAME", "not ok NAME" or "ok NAME # SKIP WHY". A line
# that sums up a group is no case of its own, unless it fails without a failing
# case. What a failing case printed follows it, behind "#".
#
#   awk -v module=NAME -f ktap.awk LOG

function path(depth, name,   i, text) {
	text = module
	for (i = 1; i <= depth; i++)
		if (group[i] != "")
			text = text "." group[i]
	return text "." name
}

function report(verdict, name,   i) {
	print verdict " " name
	if (verdict == "not ok")
		for (i = 1; i <= said; i++)
			print "# " saying[i]
}

# A group is complete: every planned case ran, or the missing ones failed.
function close_group(depth) {
	if (depth in planned && ran[depth] < planned[depth]) {
		report("not ok", path(depth, "ran " ran[depth] + 0 " of " planned[depth] " cases"))
		failed[depth]++
	}
	delete planned[depth]
	delete ran[depth]
	delete failed[depth]
	delete group[depth]
}

function result(depth, verdict, name,   sub_failed, is_sum, d) {
	is_sum = depth + 1 in ran || depth + 1 in planned
	for (d = deepest; d > depth; d--) {
		close_failures = failed[d]
		if (d in planned && ran[d] < planned[d])
			close_failures++
		sub_failed += close_failures
		close_group(d)
	}
	deepest = depth
	ran[depth]++
	if (verdict == "not ok")
		failed[depth]++
	if (!is_sum || (verdict == "not ok" && !sub_failed))
		report(verdict, path(depth, name))
	said = 0
}

{
	sub(/\r$/, "")
	sub(/^\[ *[0-9.]+\]( *\[ *[TC][0-9]+\])? ?/, "")
	sub(/^kfi_[a-z0-9_]+: /, "")
	match($0, /^ */)
	depth = int(RLENGTH / 4)
	text = substr($0, RLENGTH + 1)
}

text ~ /^# Subtest: / {
	group[depth] = substr(text, 12)
	deepest = depth > deepest ? depth : deepest
	next
}

text ~ /^1\.\.[0-9]+/ {
	planned[depth] = substr(text, 4) + 0
	ran[depth] += 0
	deepest = depth > deepest ? depth : deepest
	next
}

text ~ /^(not )?ok [0-9]+/ {
	verdict = text ~ /^not/ ? "not ok" : "ok"
	sub(/^(not )?ok [0-9]+ *(- )?/, "", text)
	result(depth, verdict, text)
	results++
	next
}

# soft-RoCE on a dummy says so for every connection
text ~ /speed is unknown, defaulting to/ {
	next
}

text !~ /^(KTAP|TAP) version/ && said < 40 {
	sub(/^# */, "", text)
	saying[++said] = text
}

END {
	for (d = deepest; d >= 0; d--)
		close_group(d)
	if (!results)
		report("not ok", module ".printed no results")
}
