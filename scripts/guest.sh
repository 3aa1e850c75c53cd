# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2034 # variables are for those who source this
#
# What scripts/uml and scripts/qemu have in common: the folder shared with the
# guest, running it with a time limit, and the verdict on what it left behind.
#
# The guest's init (tests/vm/init) finds everything in the output folder:
#   .run       the command to run and its environment
#   .status    its exit status; absent when the guest died
#   results    one KTAP line for each test that ran (tests/vm/lib.sh)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

guest_out=
guest_name=
guest_kernel=
guest_timeout=600
guest_obj=
guest_script=

# any of these on the console, after the guest's init has started, fails the run
guest_splats='BUG:|WARNING:|KASAN|UBSAN|KCSAN|Oops|Kernel panic|Call Trace:'
guest_splats+='|possible circular|possible recursive|inconsistent lock state'
guest_splats+='|suspicious RCU usage|invalid wait context|INFO: task|INFO: rcu_'
guest_splats+='|sleeping function called|scheduling while atomic'
guest_splats+='|general protection|refcount_t:|list_(add|del) corruption'
guest_splats+='|soft lockup|hard LOCKUP|Segfault with'

# guest_option ARGUMENT...: takes one option that both runners know; sets
# guest_used to the number of arguments that it took, 0 if it was none.
guest_option() {
	guest_used=2
	case $1 in
	--name) guest_name=$2 ;;
	--out) guest_out=$2 ;;
	--timeout) guest_timeout=$2 ;;
	--obj) guest_obj=$2 ;;
	*) guest_used=0 ;;
	esac
}

# guest_command SCRIPT ARGUMENT...: what is to be run
guest_command() {
	[ -n "${1:-}" ] || die "no script to run"
	[ -f "$1" ] || die "no such script: $1"
	guest_script=$(realpath "$1")
	shift
	guest_args=("$@")
}

# guest_prepare KERNEL MODULE-ROOT
guest_prepare() {
	local kernel=$1 modroot=$2
	guest_kernel=$kernel
	: "${guest_name:=$kernel-$(basename "$guest_script")}"
	: "${guest_out:=$KFABRIC_WORK/out/$guest_name}"
	: "${guest_obj:=$KFABRIC_WORK/obj/$kernel}"
	mkdir -p "$guest_out" "$guest_obj"
	guest_out=$(realpath "$guest_out")
	guest_console=$guest_out/console.log
	rm -f "$guest_out/.status" "$guest_out/results" "$guest_console"
	{
		printf 'export KFABRIC_TOP=%q\n' "/run/host$KFABRIC_TOP"
		printf 'export KFABRIC_OBJ=%q\n' "/run/host$(realpath -m "$guest_obj")"
		printf 'export KFABRIC_MODROOT=%q\n' "/run/host$(realpath "$modroot")"
		printf 'export KFABRIC_OUT=/run/out\n'
		printf 'export KFABRIC_KERNEL=%q\n' "$kernel"
		printf 'export KFABRIC_PATIENCE=%q\n' $((guest_timeout * 8 / 10))
		printf 'guest_main() { /bin/bash %q' "/run/host$guest_script"
		[ "${#guest_args[@]}" -eq 0 ] || printf ' %q' "${guest_args[@]}"
		printf '; }\n'
	} >"$guest_out/.run"
}

# Kernel messages carry a time stamp and stay in the log; the rest is what the
# script prints.
guest_stream() {
	tail -n +1 -f --pid="$1" "$guest_console" 2>/dev/null |
		if [ -n "${KFABRIC_VERBOSE:-}" ]; then
			cat
		else
			sed -u -e '1,/kfabric: guest is up/d' -e 's/\r//g' -e '/^\[ *[0-9.]*\]/d'
		fi >&2
}

# A test that makes allocations fail says from where to where in the kernel log.
# What the kernel says there of those that fail - for vmalloc() one line and then
# a stack trace, whatever its caller can do about it - is no complaint; the same
# trace after any other line is one.
guest_unexpected() {
	awk '/allocations fail from here on/ { expected = 1 }
	     /allocations fail no more/ { expected = 0 }
	     expected && /: (vmalloc error: size|page allocation failure: order:)/ { traces++ }
	     traces && /Call Trace:/ { traces--; next }
	     { print }'
}

# A fault of soft-RoCE, which patches/rdma/0010 mends: a packet that arrives while its
# queue pair is being destroyed wakes the responder after it has given back the
# reference that it held. Drops that warning, and says on stderr how many there were; not
# on a kernel that has that patch.
guest_known() {
	[[ $guest_kernel != *patched* ]] || { cat; return; }
	awk 'function flush() {
		if (held == "")
			return
		if (held ~ /rxe_(resp_queue_pkt|udp_encap_recv|xmit_packet)\+/)
			known++
		else
			printf "%s", held
		held = ""
	}
	/WARNING: .*rxe_task\.c:.* rxe_sched_task\+/ { flush(); lines = 0; held = $0 "\n"; next }
	held != "" && ++lines < 60 { held = held $0 "\n"; if (/---\[ end trace/) flush(); next }
	{ flush(); print }
	END {
		flush()
		if (known)
			print "warnings that patches/rdma/0010 mends: " known >"/dev/stderr"
	}'
}

guest_splat_check() {
	! sed '1,/kfabric: guest is up/d' "$guest_console" | tr -d '\r' | guest_unexpected |
		guest_known | grep -a -E -A 30 -m 1 "$guest_splats" >&2
}

# guest_fail STATUS WHY: a guest that ended badly is one more failed test, after
# what its last test module got done before.
guest_fail() {
	local rc=$1 why=$2 mark label results=$guest_out/results
	say "$guest_name: $why; the whole console is in $guest_console"
	touch "$results"
	mark=$(grep -aoE 'kfabric-test: .*: [0-9]+' "$guest_console" | tail -n 1) || :
	label=${mark#kfabric-test: }
	label=${label%: *}
	if [ -n "$mark" ] && ! grep -qE "^(not )?ok [0-9]+ ${label}[.:]" "$results"; then
		sed "1,/$mark/d" "$guest_console" |
			awk -v module="$label" -f "$KFABRIC_TOP/tests/vm/ktap.awk" |
			sed -n 's/^\(ok\|not ok\) /\1 0 /p' >>"$results"
	fi
	echo "not ok 0 $guest_name: $why" >>"$results"
	return "$rc"
}

# guest_boot COMMAND...: boots and waits for the end
guest_boot() {
	local pid rc=0
	say "$guest_name: booting, console in $guest_console"
	: >"$guest_console"
	timeout -k 5 "$guest_timeout" "$@" >"$guest_console" 2>&1 </dev/null &
	pid=$!
	# shellcheck disable=SC2064 # the guest of this call
	trap "kill $pid 2>/dev/null || :" EXIT
	guest_stream "$pid" &
	# the shell's own word on a guest that aborts helps nobody
	{ wait "$pid"; } 2>/dev/null || rc=$?
	trap - EXIT
	wait
	return "$rc"
}

# guest_run COMMAND...: boots, waits, judges; its status is the script's. A kernel that
# dies before there is anything of ours in it, as emulated ones do now and then on a
# busy machine, has another try.
guest_run() {
	local rc=0 status
	guest_boot "$@" || rc=$?
	if [ "$rc" -ne 124 ] && [ "$rc" -ne 137 ] &&
	   ! grep -aq 'kfabric: guest is up' "$guest_console"; then
		cp "$guest_console" "$guest_console.first"
		say "$guest_name: did not come up, see $guest_console.first: once more"
		rc=0
		guest_boot "$@" || rc=$?
	fi

	if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
		tail -n 60 "$guest_console" | tr -d '\r' >&2
		guest_fail 124 "killed after $guest_timeout s"
		return
	fi
	guest_splat_check || {
		guest_fail 99 "the kernel complained"
		return
	}
	if [ ! -s "$guest_out/.status" ]; then
		tail -n 20 "$guest_console" | tr -d '\r' >&2
		guest_fail 98 "the guest died (status $rc)"
		return
	fi
	status=$(cat "$guest_out/.status")
	[ "$status" -eq 0 ] || say "$guest_name: the script returned $status"
	return "$status"
}
