# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2034 # variables are for those who source this
#
# Shared by every script in this folder: where things are cached, how progress
# is shown, how the newest kernel's source is found.

set -euo pipefail
shopt -s inherit_errexit

# depmod and modprobe: users other than root have no such folders on Debian
PATH=$PATH:/usr/sbin:/sbin

KFABRIC_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KFABRIC_CACHE=${KFABRIC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kfabric}
KFABRIC_JOBS=${KFABRIC_JOBS:-$(nproc)}
export KFABRIC_TOP KFABRIC_CACHE KFABRIC_JOBS

# Two checkouts on one machine share kernels and nothing else.
KFABRIC_WORK=$KFABRIC_CACHE/work/$(printf '%s' "$KFABRIC_TOP" | sha256sum | cut -c1-12)
KFABRIC_LOG=$KFABRIC_WORK/log

KFABRIC_KERNELS="uml-lockdep uml-kasan uml-plain 6.1 6.12 x86-gcc x86-clang"
KFABRIC_KERNELS+=" uml-patched-lockdep uml-patched-kasan patched"

mkdir -p "$KFABRIC_LOG"
printf '%s\n' "$KFABRIC_TOP" >"$KFABRIC_WORK/checkout"

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "error: $*"
	exit 1
}

# sudo only where it is needed, so that a root shell without sudo works too
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# last_line FILE...: of the first that has one
last_line() {
	local file
	for file; do
		[ ! -s "$file" ] || { tail -n 1 "$file" | tr -d '\r'; return; }
	done
}

# attend LABEL LOG COMMAND...: run COMMAND with its output in LOG, and tell every
# half minute that it is alive, by the last line of $ATTEND or of LOG. A function
# has to hand on its errors itself: where a status is asked for, the shell does
# not end at the first that fails.
attend() {
	local label=$1 log=$2 watch=${ATTEND:-} start=$SECONDS pid next=30
	shift 2
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		if [ $((SECONDS - start)) -ge "$next" ]; then
			next=$((next + 30))
			say "    $label: $((SECONDS - start)) s:" \
				"$(last_line "$watch" "$log" | cut -c1-64)"
		fi
	done
	wait "$pid"
}

# progress LABEL COMMAND...: the same, with the end of the log when it fails
progress() {
	local label=$1 log start=$SECONDS rc=0
	shift
	log=$KFABRIC_LOG/${label//[^A-Za-z0-9._-]/_}.log
	say "  $label ..."
	attend "$label" "$log" "$@" || rc=$?
	if [ "$rc" -ne 0 ]; then
		tail -n 40 "$log" >&2
		say "  $label: failed after $((SECONDS - start)) s, whole log in $log"
		return "$rc"
	fi
	say "  $label: done in $((SECONDS - start)) s"
}

# every file of the checkout that is, or is going to be, in git
source_files() {
	git -c safe.directory="$KFABRIC_TOP" -C "$KFABRIC_TOP" \
		ls-files -z --cached --others --exclude-standard
}

# the patches for the kernel itself, one a line, in the order in which they apply
patch_files() {
	printf '%s\n' "$KFABRIC_TOP"/patches/*/*.patch
}

# kernel_tree KERNEL: sets kernel_tree, where modules for it are compiled, and
# kernel_flags, what make has to be told for that.
kernel_tree() {
	local kernel=$KFABRIC_TOP/scripts/kernel
	kernel_flags=()
	case $1 in
	uml-*)
		kernel_tree=$("$kernel" uml "${1#uml-}") || return
		kernel_flags=(ARCH=um) ;;
	x86-gcc | x86-clang)
		kernel_tree=$("$kernel" x86 "${1#x86-}") || return
		# modules_prepare leaves no Module.symvers
		kernel_flags=(ARCH=x86_64 KBUILD_MODPOST_WARN=1)
		[ "$1" = x86-gcc ] || kernel_flags+=(LLVM=-19) ;;
	patched)
		kernel_tree=$("$kernel" patched) || return
		kernel_flags=(ARCH=x86_64) ;;
	6.*)
		kernel_tree=$("$kernel" headers "$1") || return
		# a quarter of the compiler's time, and nothing here reads it
		kernel_flags=(CONFIG_DEBUG_INFO= CONFIG_DEBUG_INFO_BTF_MODULES=) ;;
	*)
		die "no such kernel: $1, one of: $KFABRIC_KERNELS" ;;
	esac
}
