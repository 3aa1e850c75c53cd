# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# For scripts that run inside a guest (scripts/uml, scripts/qemu): load modules,
# make an RDMA device, run test modules, keep count.

vm_results=$KFABRIC_OUT/results
vm_log=$KFABRIC_OUT
touch "$vm_results"
vm_count=$(wc -l <"$vm_results")

# where the build left each module, by name
declare -A vm_modules
while IFS= read -r vm_file; do
	vm_name=${vm_file##*/}
	vm_modules[${vm_name%.ko}]=$vm_file
done < <(find "$KFABRIC_OBJ" -name '*.ko')

# tap VERDICT NAME [# SKIP why]: one result line, shown and kept. No process is
# started for it: with a debug kernel, a hundred of them take half a minute.
tap() {
	vm_count=$((vm_count + 1))
	echo "$1 $vm_count ${2//$'\n'/; }" >>"$vm_results"
	echo "$1 $vm_count ${2//$'\n'/; }"
}

ok() { tap ok "$*"; }
not_ok() { tap "not ok" "$*"; }
skip() { tap ok "$1 # SKIP $2"; }

# the last line of every scenario: fails if any of its tests did
finish() {
	! grep -q '^not ok' "$vm_results"
	exit
}

vm_modprobe() {
	modprobe -d "$KFABRIC_MODROOT" "$@"
}

module_loaded() {
	[ -d "/sys/module/${1//-/_}" ]
}

# kfi_insmod NAME [parameter...]: with everything it needs, ours and the kernel's
kfi_insmod() {
	local name=$1 ko=${vm_modules[$1]:-} dep
	shift
	if [ -z "$ko" ]; then
		echo "$name.ko was not built"
		return 1
	fi
	for dep in $(modinfo "$ko" | tr ',' ' ' |
		sed -n 's/^depends: *//p; s/^softdep: *pre: //p'); do
		module_loaded "$dep" && continue
		if [ -n "${vm_modules[$dep]:-}" ]; then
			kfi_insmod "$dep" || return
		else
			vm_modprobe "$dep" || return
		fi
	done
	insmod "$ko" "$@"
}

# load_kfabric [NAME...]: the core and providers, or just what is named
load_kfabric() {
	local name
	[ $# -gt 0 ] || set -- kfabric kfi_loopback kfi_verbs
	for name; do
		module_loaded "$name" || kfi_insmod "$name" || return
	done
}

# KASAN in UML leaves the red zones of an unloaded module's data behind and
# blames whoever gets that memory next, so nothing is unloaded there.
vm_rmmod() {
	[[ $KFABRIC_KERNEL == *-kasan ]] || rmmod "$@"
}

# abi_compare DESCRIBED FILES [OTHERS]: says which of FILES, one a line, have no What: in the
# files DESCRIBED of Documentation/ABI, and what has one and is not there, as a file or
# as one of OTHERS
abi_compare() {
	local described pattern rc=0
	# shellcheck disable=SC2086 # several
	described=$(cd "$KFABRIC_TOP/Documentation/ABI/testing" &&
		sed -n 's/^What:[[:space:]]*//p' $1 | sed 's/<[a-z]*>/[^\/]*/g')
	! grep -vxE "$described" <<<"$2" || {
		echo "which are not described"
		rc=1
	}
	while IFS= read -r pattern; do
		grep -qxE "$pattern" <<<"$2"$'\n'"${3:-}" || {
			echo "$pattern is not there"
			rc=1
		}
	done <<<"$described"
	return "$rc"
}

# unload_kfabric: every module of ours, those that use others first
unload_kfabric() {
	local name
	for name in $(lsmod | awk 'NR > 1 { print $1 }'); do
		[ -z "${vm_modules[$name]:-}" ] || vm_rmmod "$name" || return
	done
}

# shellcheck disable=SC2120 # scripts that have an eth0 pass it
# setup_rxe [NETDEV]: soft-RoCE device rxe0 on NETDEV, by default on a dummy
# that has the addresses 10.9.0.1 and fd00:9::1
setup_rxe() {
	local dev=${1:-d0} tries
	if [ $# -eq 0 ]; then
		vm_modprobe -q dummy numdummies=0
		ip link add d0 type dummy
		ip addr add 10.9.0.1/24 dev d0
		ip addr add fd00:9::1/64 dev d0 nodad
		ip link set d0 up
	fi
	vm_modprobe rdma_rxe && rdma link add rxe0 type rxe netdev "$dev" || return
	for tries in {1..50}; do
		rdma link show rxe0/1 | grep -q 'state ACTIVE' && return
		sleep 0.1
	done
	echo "rxe0 is not active after $((tries / 10)) s"
	return 1
}

# teardown_rxe: without setup_rxe's device, and its dummy. Not where allocations were
# made to fail: an xarray keeps nodes without entries then (xas_create()), and the
# kernel warns of those that the device has of its resources.
teardown_rxe() {
	[ ! -d /sys/kernel/debug/failslab ] || return 0
	rdma link delete rxe0 && ip link delete d0
}

# setup_eth HOST: under scripts/qemu --net, eth0 as 10.9.0.HOST and fd00:9::HOST
setup_eth() {
	vm_modprobe virtio_net
	ip addr add "10.9.0.$1/24" dev eth0
	ip addr add "fd00:9::$1/64" dev eth0 nodad
	ip link set eth0 up
}

# setup_nvdimm: under scripts/qemu --nvdimm, /dev/pmem0 that has DAX. A new one
# is a raw namespace, which has not; what is done here stays in the file.
setup_nvdimm() {
	local pfn tries
	vm_modprobe nfit && vm_modprobe nd_pmem || return
	for tries in {1..50}; do
		[ ! -b /dev/pmem0 ] || break
		sleep 0.1
	done
	[ "$(cat /sys/block/pmem0/queue/dax)" = 0 ] || return 0
	echo namespace0.0 >/sys/bus/nd/drivers/nd_pmem/unbind
	for pfn in /sys/bus/nd/devices/pfn0.*; do
		[ -z "$(cat "$pfn/namespace")" ] && break
	done
	echo pmem >"$pfn/mode"
	cat /proc/sys/kernel/random/uuid >"$pfn/uuid"
	echo 2097152 >"$pfn/align"
	echo namespace0.0 >"$pfn/namespace"
	echo "${pfn##*/}" >/sys/bus/nd/drivers/nd_pmem/bind
	[ "$(cat /sys/block/pmem0/queue/dax)" = 1 ]
}

# Fault injection, where the kernel has it, leaves out allocations that may
# reclaim, and those are all of ours; nor does each failure need a stack trace.
count_all_allocations() {
	local fail=/sys/kernel/debug/${1:-failslab}
	[ -d "$fail" ] || return 0
	echo N >"$fail/ignore-gfp-wait"
	echo 0 >"$fail/verbose"
}

# And for tests that let more than one fail: a share of those of the tasks that
# they mark, pages among them.
fail_some_allocations() {
	local fail
	count_all_allocations fail_page_alloc
	for fail in /sys/kernel/debug/{failslab,fail_page_alloc}; do
		[ -d "$fail" ] || return 0
		echo Y >"$fail/task-filter"
		echo -1 >"$fail/times"
		echo 10 >"$fail/probability"
	done
	echo 0 >"$fail/min-order"
	echo N >"$fail/ignore-gfp-highmem"
}

kernel_log_since() {
	dmesg -t | awk -v mark="$1" 'found; index($0, mark) { found = 1 }'
}

# load_test_module NAME [parameter...]: a module whose tests run as it is loaded.
# Its KTAP in the kernel log becomes result lines, named NAME.case; LABEL
# replaces NAME there. Fails if it is not loaded.
load_test_module() {
	local label=${LABEL:-$1} log mark said line
	log=$vm_log/$label.log
	mark="kfabric-test: $label: $RANDOM$RANDOM"
	echo "$mark" >/dev/kmsg
	if ! said=$(kfi_insmod "$@" 2>&1); then
		not_ok "$label: ${said:-insmod failed}"
		kernel_log_since "$mark" >"$log"
		return 1
	fi
	kernel_log_since "$mark" >"$log"
	while IFS= read -r line; do
		case $line in
		"ok "*) tap ok "${line#ok }" ;;
		"not ok "*) tap "not ok" "${line#not ok }" ;;
		*) echo "$line" ;;
		esac
	done < <(awk -v module="$label" -f "$KFABRIC_TOP/tests/vm/ktap.awk" "$log")
}

# run_test_module NAME [parameter...]: the same, and it is unloaded
run_test_module() {
	local said
	load_test_module "$@" || return 0
	said=$(vm_rmmod "$1" 2>&1) || not_ok "${LABEL:-$1}: rmmod: $said"
}

# wait_ready PID MARK: the suite, as process PID, says after MARK that it waits for
# the script, or gives up
wait_ready() {
	while kill -0 "$1" 2>/dev/null; do
		! kernel_log_since "$2" | grep -q 'waiting for' || return 0
		sleep 0.2
	done
	return 1
}

# verdict NAME TEST MARK LOG: what the suite said of its one TEST after MARK
verdict() {
	kernel_log_since "$3" >"$4"
	if grep -q "ok 1 $2\$" "$4" && ! grep -q 'not ok' "$4"; then
		ok "$1"
	else
		not_ok "$1"
		grep kfi_suite "$4"
	fi
}
