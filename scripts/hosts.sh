# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# Several emulated hosts at a time, in the background. Their files are in
# $hosts/NAME, a flag that one side sets for the other is a file there. What is claimed
# of them together is a line of KTAP each.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

hosts=
host_kernel=6.12
declare -A host_runner=()
claims=
claims_made=0
claims_failed=0

# Whatever happens, no emulated host is left behind.
hosts_kill() {
	local file
	for file in "$hosts"/*.pid; do
		[ ! -s "$file" ] || kill -KILL "$(cat "$file")" 2>/dev/null || :
	done
	[ "${#host_runner[@]}" -eq 0 ] || wait "${host_runner[@]}" 2>/dev/null || :
}

# hosts_begin DIR: where this script keeps its hosts; empties it
hosts_begin() {
	hosts=$1
	rm -rf "$hosts"
	mkdir -p "$hosts"
	trap hosts_kill EXIT
}

# claims_begin RESULTS: the file for them; empties it
claims_begin() {
	claims=$(realpath -m "$1")
	: >"$claims"
}

# claim NAME EXPRESSION...: a result, and what it was about
claim() {
	local name=$1 verdict=ok
	shift
	claims_made=$((claims_made + 1))
	[ "$@" ] || verdict="not ok" claims_failed=$((claims_failed + 1))
	echo "$verdict $claims_made $name" >>"$claims"
	say "$verdict $claims_made $name ($*)"
}

# whether there were any, and all of them hold
claims_hold() {
	[ "$claims_made" -gt 0 ] && [ "$claims_failed" -eq 0 ]
}

# host_boot NAME OPTION... -- SCRIPT...: options and script of scripts/qemu; with the
# kernel $host_kernel
host_boot() {
	local name=$1
	shift
	mkdir -p "$hosts/$name"
	"$KFABRIC_TOP/scripts/qemu" "$host_kernel" --name "host $name" --out "$hosts/$name" \
		--smp 1 --mem 1024 --pidfile "$hosts/$name.pid" \
		--monitor "$hosts/$name.monitor" "$@" \
		>"$hosts/$name.log" 2>&1 &
	host_runner[$name]=$!
}

# host_wait NAME FILE SECONDS: until the host has made FILE
host_wait() {
	local name=$1 file=$hosts/$1/$2 seconds=$3
	while [ ! -e "$file" ]; do
		if [ "$seconds" -eq 0 ] || ! kill -0 "${host_runner[$name]}" 2>/dev/null; then
			tail -n 30 "$hosts/$name/console.log" "$hosts/$name.log" >&2
			die "the $name host: no $2"
		fi
		seconds=$((seconds - 1))
		sleep 1
	done
}

# host_tell NAME FLAG
host_tell() {
	touch "$hosts/$1/$2"
}

# host_do NAME WORD SECONDS: tells a host that obeys (tests/vm/blk-host.sh), and waits
# until it has done so
host_do() {
	host_tell "$1" "do-$2"
	host_wait "$1" "did-$2" "$3"
	rm "$hosts/$1/did-$2"
}

# host_link NAME on|off: the cable that was plugged in by --net
host_link() {
	python3 - "$hosts/$1.monitor" "set_link n0 $2" <<-'END'
		import socket
		import sys

		monitor = socket.socket(socket.AF_UNIX)
		monitor.settimeout(10)
		monitor.connect(sys.argv[1])
		monitor.sendall(sys.argv[2].encode() + b"\n")
		monitor.shutdown(socket.SHUT_WR)
		said = b"".join(iter(lambda: monitor.recv(4096), b""))
		sys.exit(said if b"Error" in said else 0)
	END
}

# host_crash NAME: as if its power had failed, but for its CPU's caches
host_crash() {
	touch "$hosts/$1/crashed"
	kill -KILL "$(cat "$hosts/$1.pid")"
	rm "$hosts/$1.pid"
	wait "${host_runner[$1]}" 2>/dev/null || :
}
