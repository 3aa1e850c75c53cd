# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# For scripts about remote block devices, with target and client in one guest: an
# export on a simulator, and the disk that a client has of it.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$KFABRIC_TOP/tests/vm/lib.sh"

blk_sims=/sys/kernel/config/pmemsim
blk_target=/sys/kernel/config/kfi_blk_target
blk_client=/sys/kernel/config/kfi_blk
blk_debug=/sys/kernel/debug/kfabric/pmemsim
blk_addr=
blk_provider=

# check NAME COMMAND...: passes if the command succeeds
check() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		ok "$blk_provider: $name"
	else
		not_ok "$blk_provider: $name: $said"
	fi
}

# fails NAME COMMAND...: passes if the command fails
fails() {
	local name=$1
	shift
	if "$@" >/dev/null 2>&1; then
		not_ok "$blk_provider: $name: it did not fail"
	else
		ok "$blk_provider: $name"
	fi
}

# blk_until SECONDS COMMAND...: until the command succeeds
blk_until() {
	local tries
	for ((tries = $1 * 10; tries > 0; tries--)); do
		! "${@:2}" || return 0
		sleep 0.1
	done
	echo "not after $1 s: ${*:2}"
	return 1
}

# blk_set FOLDER ATTRIBUTE=VALUE...: says which one was refused
blk_set() {
	local dir=$1 setting
	shift
	for setting; do
		echo "${setting#*=}" >"$dir/${setting%%=*}" || {
			echo "$dir: $setting"
			return 1
		}
	done
}

# blk_setup PROVIDER: modules, an address, a port
blk_setup() {
	blk_provider=$1
	load_kfabric kfabric "kfi_$1" kfi_pmemsim kfi_blk_target kfi_blk || return
	blk_addr=127.0.0.1
	if [ "$1" = verbs ]; then
		setup_rxe || return
		blk_addr=10.9.0.1
	fi
	mkdir "$blk_target/ports/p"
	blk_set "$blk_target/ports/p" "provider=$1" addr="$blk_addr" service=7473
}

# sim NAME SIZE [ATTRIBUTE=VALUE...]: a simulator
sim() {
	mkdir "$blk_sims/$1" && blk_set "$blk_sims/$1" "size=$2" "${@:3}" enable=1
}

# blk_export NAME [ATTRIBUTE=VALUE...]: the simulator of that name
blk_export() {
	local dir=$blk_target/exports/$1
	mkdir "$dir" &&
		blk_set "$dir" "device=pmemsim:$1" allow_any_client=1 "${@:2}" enable=1 &&
		ln -s "$dir" "$blk_target/ports/p/exports/$1"
}

# blk_unexport NAME
blk_unexport() {
	rm "$blk_target/ports/p/exports/$1" &&
		blk_set "$blk_target/exports/$1" enable=0 &&
		rmdir "$blk_target/exports/$1"
}

# blk_disk NAME: the name of a device's disk
blk_disk() {
	cat "$blk_client/$1/disk"
}

# blk_attach NAME EXPORT [ATTRIBUTE=VALUE...]
blk_attach() {
	local dir=$blk_client/$1
	mkdir "$dir" &&
		blk_set "$dir" "provider=$blk_provider" addr="$blk_addr" service=7473 \
			"export=$2" "${@:3}" enable=1 &&
		blk_until 5 test -b "/dev/$(blk_disk "$1")"
}

# blk_detach NAME
blk_detach() {
	blk_set "$blk_client/$1" enable=0 && rmdir "$blk_client/$1"
}

blk_state() {
	grep -qx "$2" "$blk_client/$1/state"
}

# blk_mark: from here on, for blk_said; the caller's variable mark
blk_mark() {
	mark="blk: $RANDOM$RANDOM"
	echo "$mark" >/dev/kmsg
}

# blk_said MARK WHAT: the client has, in the kernel's log
blk_said() {
	kernel_log_since "$1" | grep -q "^kfi_blk: $2"
}

# blk_written DISK: whether anything has been, since it is there
blk_written() {
	grep -qv '^0$' "/sys/block/$1"/kfi/queue*/writes
}

# blk_reboot NAME [FILE]: the target loses its power, by that file of the simulator,
# and comes back
blk_reboot() {
	echo 1 >"$blk_debug/$1/${2:-cut}"
	blk_set "$blk_target/exports/$1" enable=0 enable=1
}

blk_mib=$(mktemp)
head -c 1M /dev/urandom >"$blk_mib"

# blk_write DISK [dd's options...]: a MiB at its beginning, not flushed unless they say so
blk_write() {
	dd if="$blk_mib" of="/dev/$1" bs=64K oflag=direct conv=notrunc status=none "${@:2}"
}

# blk_zero DISK: the same with zeroes, flushed
blk_zero() {
	dd if=/dev/zero of="/dev/$1" bs=1M count=1 oflag=direct conv=notrunc,fsync status=none
}

# blk_flush DISK
blk_flush() {
	dd if=/dev/zero of="/dev/$1" count=0 conv=notrunc,fsync status=none
}

# blk_same DISK, blk_none DISK: what is there
blk_same() {
	cmp -n 1048576 "$blk_mib" "/dev/$1"
}

blk_none() {
	cmp -n 1048576 /dev/zero "/dev/$1"
}

# blk_cut DEVICE SIMULATOR: a power cut, and the device is there again
blk_cut() {
	blk_reboot "$2" && blk_until 30 blk_state "$1" live
}

# What a flush promises. Each of these prints what is violated, and fails then; other
# failures have no such word.

# blk_keeps_flushed DEVICE SIMULATOR
blk_keeps_flushed() {
	local disk
	disk=$(blk_disk "$1")
	blk_zero "$disk" && blk_write "$disk" conv=notrunc,fsync && blk_cut "$1" "$2" || return
	blk_same "$disk" || {
		echo "violated: what was flushed is lost"
		return 1
	}
}

# blk_keeps_other_queue DEVICE SIMULATOR: written on one processor's queue, and
# flushed on the other's
blk_keeps_other_queue() {
	local disk
	disk=$(blk_disk "$1")
	blk_zero "$disk" || return
	(
		taskset -p -c 0 $BASHPID >/dev/null
		blk_write "$disk"
	) || return
	(
		taskset -p -c 1 $BASHPID >/dev/null
		blk_flush "$disk"
	) || return
	blk_cut "$1" "$2" || return
	blk_same "$disk" || {
		echo "violated: what another queue wrote is lost by a flush"
		return 1
	}
}

# blk_keeps_failed DEVICE SIMULATOR: what a flush could not commit the next one does
blk_keeps_failed() {
	local disk
	disk=$(blk_disk "$1")
	blk_zero "$disk" && blk_write "$disk" || return
	echo 1 >"$blk_debug/$2/fail"
	if blk_flush "$disk" 2>/dev/null; then
		echo "violated: nobody is told that a commit failed"
		return 1
	fi
	blk_flush "$disk" && blk_cut "$1" "$2" || return
	blk_same "$disk" || {
		echo "violated: what a flush could not commit is forgotten"
		return 1
	}
}

# blk_tells_loss DEVICE SIMULATOR
blk_tells_loss() {
	local disk
	disk=$(blk_disk "$1")
	blk_zero "$disk" && blk_write "$disk" && blk_cut "$1" "$2" || return
	if blk_flush "$disk" 2>/dev/null; then
		echo "violated: nobody is told of the loss"
		return 1
	fi
	blk_flush "$disk" || {
		echo "violated: the loss is told more than once"
		return 1
	}
	blk_none "$disk"
}

blk_sleeps() {
	grep -q '^State:.*D' "/proc/$1/status"
}

# blk_tells_all DEVICE SIMULATOR: every flush that waits when the loss becomes known,
# two on each processor's queue, and none that comes later
blk_tells_all() {
	local disk cpu pid pids=() told=0
	disk=$(blk_disk "$1")
	blk_zero "$disk" && blk_write "$disk" || return
	echo 1 >"$blk_debug/$2/cut"
	blk_set "$blk_target/exports/$2" enable=0 || return
	blk_until 5 blk_state "$1" reconnecting || return
	for cpu in 0 0 1 1; do
		taskset -c "$cpu" dd if=/dev/zero of="/dev/$disk" count=0 conv=notrunc,fsync \
			status=none 2>/dev/null &
		pids+=($!)
		blk_until 5 blk_sleeps $! || return
	done
	blk_set "$blk_target/exports/$2" enable=1 || return
	for pid in "${pids[@]}"; do
		wait "$pid" || told=$((told + 1))
	done
	[ "$told" = 4 ] || {
		echo "violated: of 4 who flushed, $told are told of the loss"
		return 1
	}
	blk_flush "$disk" || {
		echo "violated: the loss is told again"
		return 1
	}
	blk_none "$disk"
}

blk_mnt=$(mktemp -d)

# blk_tells_mounted DEVICE SIMULATOR: a file system, when somebody else has flushed first
blk_tells_mounted() {
	local disk told=
	disk=$(blk_disk "$1")
	mkfs.ext4 -qF "/dev/$disk" && mount -o commit=300 "/dev/$disk" "$blk_mnt" &&
		dd if="$blk_mib" of="$blk_mnt/file" bs=64K oflag=direct status=none conv=fsync &&
		sync -f "$blk_mnt" &&
		dd if=/dev/zero of="$blk_mnt/file" bs=64K count=16 oflag=direct conv=notrunc \
			status=none &&
		blk_cut "$1" "$2" || return
	blk_flush "$disk" 2>/dev/null
	dd if=/dev/zero of="$blk_mnt/file" count=0 conv=notrunc,fsync status=none 2>/dev/null ||
		told=1
	umount "$blk_mnt" || return
	[ -n "$told" ] || {
		echo "violated: a file system is not told of the loss"
		return 1
	}
	mount "/dev/$disk" "$blk_mnt" && umount "$blk_mnt" &&
		fsck.ext4 -fn "/dev/$disk"
}

# blk_spares_mounted DEVICE SIMULATOR: a file system that has lost nothing goes on, on
# the next partition to one that has
blk_spares_mounted() {
	local disk part kept
	disk=$(blk_disk "$1")
	printf 'size=14M\nsize=14M\n' | sfdisk -q "/dev/$disk" &&
		blk_until 5 test -b "/dev/${disk}p2" || return
	for part in 1 2; do
		mkdir -p "$blk_mnt/$part"
		mkfs.ext4 -qF -E lazy_itable_init=0 "/dev/${disk}p$part" &&
			mount -o commit=300 "/dev/${disk}p$part" "$blk_mnt/$part" &&
			dd if="$blk_mib" of="$blk_mnt/$part/file" bs=64K oflag=direct \
				status=none conv=fsync && sync -f "$blk_mnt/$part" || return
	done
	blk_flush "$disk" && dd if=/dev/zero of="$blk_mnt/1/file" bs=64K count=16 oflag=direct \
		conv=notrunc status=none && blk_cut "$1" "$2" || return
	blk_until 10 blk_flush "$disk" 2>/dev/null || return
	kept=$(dd if="$blk_mib" of="$blk_mnt/2/other" bs=64K status=none conv=fsync 2>&1)
	! dd if=/dev/zero of="$blk_mnt/1/file" count=0 conv=notrunc,fsync status=none 2>/dev/null ||
		kept="the one that has is not told"
	umount "$blk_mnt/1" "$blk_mnt/2" && wipefs -aq "/dev/$disk" || return
	[ -z "$kept" ] || {
		echo "violated: a file system that has lost nothing: $kept"
		return 1
	}
}
