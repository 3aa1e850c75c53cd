# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# For scripts that cut the power of the target of a remote block device, c, under a file
# system. Its journal has to recover then, the file system to be found clean, and every
# file that was synchronised to be there, before the cut or after it.

# shellcheck source-path=SCRIPTDIR source=blk.sh
. "$KFABRIC_TOP/tests/vm/blk.sh"

cuts_list=$(mktemp)
cuts_writer=$KFABRIC_TOP/tests/vm/blk-writer

# make_fs FILE-SYSTEM DISK: in place of whatever is there
make_fs() {
	case $1 in
	ext4) mkfs.ext4 -qF "$2" ;;
	xfs) mkfs.xfs -qf "$2" ;;
	esac
}

# Where an error was recorded, as that of a flush is, a mount leaves orphans alone, and says
# that e2fsck is to be run: it has to find nothing that it would ask about, as at a boot.
ext4_is_clean() {
	local rc=0
	! fsck.ext4 -fn "$1" || return 0
	dumpe2fs -h "$1" 2>/dev/null | grep -q '^Filesystem state:.*with errors' || return
	fsck.ext4 -p "$1" || rc=$?
	[ "$rc" -le 1 ] && fsck.ext4 -fn "$1"
}

# Whether the file system is clean, after its journal was replayed by a mount
is_clean() {
	case $1 in
	ext4) ext4_is_clean "$2" ;;
	xfs) xfs_repair -n "$2" ;;
	esac
}

# Writes files while the target loses its power, and for a while afterwards
cut_under_writer() {
	local pid
	: >"$cuts_list"
	mount -t "$1" "$2" "$blk_mnt" || return
	rm -rf "$blk_mnt/files" && mkdir "$blk_mnt/files" && sync -f "$blk_mnt" || return
	python3 "$cuts_writer" write "$blk_mnt/files" "$cuts_list" "$RANDOM" &
	pid=$!
	# a machine that has other work takes long to begin
	blk_until 30 test -s "$cuts_list" || return
	sleep 0.$((100 + RANDOM % 700))
	blk_reboot c || return
	blk_until 30 blk_state c live || return
	sleep 0.$((100 + RANDOM % 300))
	kill "$pid" 2>/dev/null
	wait "$pid"
	umount "$blk_mnt"
}

# What is violated it says so; other failures have no such word.
find_damage() {
	local lost='' said
	mount -t "$1" "$2" "$blk_mnt" || {
		echo "violated: the file system cannot be mounted"
		return 1
	}
	python3 "$cuts_writer" verify "$blk_mnt/files" "$cuts_list" || lost=1
	umount "$blk_mnt" || return
	[ -z "$lost" ] || {
		echo "violated: files are lost that were acknowledged"
		return 1
	}
	said=$(is_clean "$1" "$2" 2>&1) || {
		echo "violated: the file system is damaged: $said"
		return 1
	}
	[[ $said != *[Oo]rphan* ]] || echo "orphans were left: $said"
}

# one_cut FILE-SYSTEM DISK: says what is wrong
one_cut() {
	cut_under_writer "$@" && find_damage "$@"
}
