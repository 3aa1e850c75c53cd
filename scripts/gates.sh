# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# The static gates of scripts/check. Each is a function that prints what is
# wrong and fails, or prints nothing; 77 says that it cannot run, and its last
# line says why.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# files PATTERN: our files whose path matches, one a line
files() {
	source_files | tr '\0' '\n' | grep -E "$1" | while IFS= read -r file; do
		[ ! -f "$KFABRIC_TOP/$file" ] || echo "$file"
	done
}

# our shell scripts, whatever their names
shell_files() {
	files '^(scripts|tests|bench|tools|\.ci)/' | while IFS= read -r file; do
		if [[ $file == *.sh ]] || head -n 1 "$file" | grep -q '^#!/bin/.*sh$'; then
			echo "$file"
		fi
	done
}

need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || {
			echo "$tool is not installed"
			return 77
		}
	done
}

# silent COMMAND...: it must succeed and print nothing
silent() {
	local said rc=0
	said=$("$@" 2>&1) || rc=$?
	[ -z "$said" ] || echo "$said"
	[ "$rc" -eq 0 ] && [ -z "$said" ]
}

newest_source() {
	"$KFABRIC_TOP/scripts/kernel" source || {
		echo "the newest kernel's source is not to be had" >&2
		return 77
	}
}

# What it was silent about in any checkout need not be read again: the same file by the
# same name, looked at by the same checkpatch.pl with the same word lists.
gate_checkpatch() {
	local source list tool seen=$KFABRIC_CACHE/checkpatch now=$KFABRIC_WORK/checkpatch
	need perl || return
	source=$(newest_source) || return
	tool=$(cat "$source"/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch} |
		sha256sum | cut -c1-64) || return
	# everything that was written here; patches are looked at as patches below
	mapfile -t list < <(files . | grep -vE '^(COPYING$|LICENSES/|patches/.*\.patch$)')
	touch "$seen"
	sha256sum "${list[@]}" | sed "s/^/$tool /" | { grep -vxFf "$seen" || :; } >"$now"
	[ -s "$now" ] || return 0
	# several at a time: xargs returns 123 when one of them complains
	cut -d' ' -f4- "$now" | silent xargs -d '\n' -P "$KFABRIC_JOBS" -n 8 \
		perl "$source/scripts/checkpatch.pl" -q --no-summary --strict \
		--no-tree --show-types -f || return
	cat "$now" >>"$seen"
}

# The patches for the kernel, as somebody gets them who applies them to what they
# were made for. checkpatch.pl takes what git knows here for C, so it is elsewhere;
# what "Fixes:" names is in a history that is not here.
gate_patches() {
	local source dir=$KFABRIC_WORK/patches list file
	need perl git || return
	source=$(newest_source) || return
	mapfile -t list < <(patch_files)
	rm -rf "$dir"
	mkdir -p "$dir"
	(
		cd "$dir"
		silent perl "$source/scripts/checkpatch.pl" -q --no-summary --strict \
			--no-tree --show-types --ignore UNKNOWN_COMMIT_ID "${list[@]}"
	) || return
	git -C "$dir" init -q -b patches
	git -C "$dir" apply --numstat "${list[@]}" | cut -f3 | sort -u |
		while IFS= read -r file; do
			mkdir -p "$dir/$(dirname "$file")"
			cp "$source/$file" "$dir/$file"
		done
	git -C "$dir" add .
	git -C "$dir" -c user.name=patches -c user.email= commit -q -m "before the patches"
	silent git -C "$dir" -c user.name=patches -c user.email= am -q "${list[@]}"
}

# All of them or none, because they read each other.
gate_shellcheck() {
	local list now seen=$KFABRIC_CACHE/shellcheck
	need shellcheck || return
	mapfile -t list < <(shell_files)
	now=$({ shellcheck --version && sha256sum "${list[@]}"; } | sha256sum) || return
	! grep -qxF "$now" "$seen" 2>/dev/null || return 0
	silent shellcheck -x "${list[@]}" || return
	echo "$now" >>"$seen"
}

gate_kernel_doc() {
	local source list
	need python3 || return
	source=$(newest_source) || return
	mapfile -t list < <(files '^(include|kfabric|providers|memdev|consumers|compat)/.*\.[ch]$' |
		xargs grep -l '^/\*\*')
	silent "$source/tools/docs/kernel-doc" -none -Wall "${list[@]}" &&
		silent "$source/tools/docs/get_abi.py" --dir Documentation/ABI validate
}

gate_sphinx() {
	local source
	need sphinx-build || return
	[ -f Documentation/conf.py ] || {
		echo "there is no Documentation/conf.py"
		return 77
	}
	source=$(newest_source) || return
	KFABRIC_KERNEL_SOURCE=$source silent sphinx-build -W --keep-going -q -b html \
		-d "$KFABRIC_WORK/doctrees" Documentation "$KFABRIC_WORK/html"
}

# What is generated of the specification of the netlink family is what would be now.
gate_ynl() {
	need python3 || return
	newest_source >/dev/null || return
	silent "$KFABRIC_TOP/scripts/ynl" --check
}

# build_tools: in the cache, so that the checkout stays free of objects; several lanes
# need them
build_tools() {
	need cc pkg-config || return
	pkg-config libmnl || {
		echo "libmnl-dev is not installed"
		return 77
	}
	mkdir -p "$KFABRIC_WORK/tools"
	(
		flock 9
		make -s -C "$KFABRIC_TOP/tools" O="$KFABRIC_WORK/tools" CFLAGS="-O2 -g -Werror"
	) 9>"$KFABRIC_WORK/tools.lock"
}

# completes FILE FUNCTION WORD...: the last word is completed to itself
completes() {
	local file=$1 function=$2
	shift 2
	# shellcheck disable=SC2016 # for the other shell
	bash -c '. "$1"; fn=$2; COMP_WORDS=("${@:3}"); COMP_CWORD=$(($# - 3)); "$fn"
		[[ " ${COMPREPLY[*]} " == *" ${*: -1} "* ]]' bash "$file" "$function" "$@" || {
		echo "$file does not complete: $*"
		return 1
	}
}

# What the tools say of their usage is completed: commands, and options.
check_completions() {
	local word command rc=0
	for word in $("$KFABRIC_WORK/tools/kfi_info" -h |
		grep -oE '^  (-[a-z], --[a-z_]+|[a-z]+)' | tr -d ,); do
		completes tools/kfi_info.bash _kfi_info kfi_info "$word" || rc=1
	done
	for command in $(python3 tools/kfi-blk -h | sed -n 's/^  {\(.*\)}$/\1/p' | tr , ' '); do
		completes tools/kfi-blk.bash _kfi_blk kfi-blk "$command" || rc=1
		for word in $(python3 tools/kfi-blk "$command" -h | grep -oE '^  --[a-z-]+'); do
			completes tools/kfi-blk.bash _kfi_blk kfi-blk "$command" "$word" || rc=1
		done
	done
	return "$rc"
}

# The tools compile without a warning, their manual pages are well-formed, and what they
# take is completed.
gate_tools() {
	local page said
	build_tools || return
	need man python3 || return
	check_completions || return
	for page in tools/*.[1-8]; do
		said=$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
		[ -z "$said" ] || {
			echo "$said"
			return 1
		}
	done
}

# Everything that Debian's checker knows to be wrong, as warnings too.
gate_package() {
	local dir=$KFABRIC_WORK/package
	need dpkg-buildpackage dh_dkms lintian || return
	"$KFABRIC_TOP/scripts/package" "$dir" || return
	silent lintian --allow-root --fail-on error,warning "$dir"/kfabric_*.changes
}

# kbuild_noise KERNEL: drops what a correct build prints
kbuild_noise() {
	local drop='^(warning: the compiler differs|  The kernel was built by:|  You are using:)'
	case $1 in
	x86-*)
		drop+='|^WARNING: .*Module.symvers is missing|^ +Modules may not have dependencies'
		drop+='|^ +You (may get many|can set KBUILD_MODPOST)|^ +if you want to proceed at'
		drop+="|^WARNING: modpost: [^ ]*: symbol '.*' undefined!\$"
		drop+='|^WARNING: modpost: suppressed [0-9]* unresolved symbol' ;;
	esac
	grep -vE "$drop" || :
}

# What sparse reads of a kernel: a hash of it.
sparse_kernel() {
	local source
	source=$(sed -n 's,^include \(/.*\)/Makefile$,\1,p' "$kernel_tree/Makefile")
	find -L {"$kernel_tree","${source:?}"}/{include,arch/x86/include} -name '*.h' -print0 |
		sort -z | xargs -0 cat | sha256sum
}

# A build that is silent because nothing was looked at proves nothing: the same
# command has to report a pointer to user space that is dereferenced, once.
sparse_works() {
	local dir=$KFABRIC_WORK/probe/$1 said
	mkdir -p "$dir"
	echo 'obj-m := sparse_probe.o' >"$dir/Kbuild"
	cat >"$dir/sparse_probe.c" <<END
#include <linux/module.h>
#include <rdma/rdma_cm.h>

int sparse_probe(const int __user *pointer);

int sparse_probe(const int __user *pointer)
{
	return *pointer;
}

MODULE_DESCRIPTION("a deliberate error");
MODULE_LICENSE("Dual BSD/GPL");
END
	said=$(make -s --no-print-directory -C "$kernel_tree" M="$dir" "${kernel_flags[@]}" \
		W=1 C=2 CHECK="$KFABRIC_TOP/scripts/sparse" modules 2>&1 | kbuild_noise "$1")
	if [ "$(grep -c 'sparse_probe.c:8:.*dereference of noderef' <<<"$said")" -ne 1 ] ||
	   [ "$(wc -l <<<"$said")" -ne 1 ]; then
		echo "sparse does not report exactly the deliberate error:"
		echo "$said"
		return 1
	fi
}

say_if_newer() {
	local version tested
	tested=$(cat "$KFABRIC_TOP/scripts/configs/newest")
	version=$(make -s -C "$(newest_source)" kernelversion)
	[ "$version" = "$tested" ] ||
		echo "Linux $version is newer than the last tested $tested and breaks the build."
}

# gate_compile KERNEL: W=1 and, where gcc compiles for a real machine, sparse
gate_compile() {
	local kernel=$1 obj=$KFABRIC_WORK/obj/$1 said check=() rc=0
	need make sparse || return
	(kernel_tree "$kernel") || {
		say_if_newer
		echo "there is no $kernel kernel to build against"
		return 77
	}
	kernel_tree "$kernel"
	if [[ $kernel != x86-clang && $kernel != uml-* ]]; then
		KFABRIC_SPARSE_KERNEL=$(sparse_kernel)
		export KFABRIC_SPARSE_KERNEL
		sparse_works "$kernel" || return
		check=(C=2 CHECK="$KFABRIC_TOP/scripts/sparse")
	fi
	# modpost complains only when it runs
	rm -f "$obj/Module.symvers"
	said=$("$KFABRIC_TOP/scripts/build" "$kernel" -s --no-print-directory \
		"${check[@]}" 2>&1 >/dev/null) || rc=$?
	said=$(kbuild_noise "$kernel" <<<"$said")
	if [ "$rc" -ne 0 ] || [ -n "$said" ]; then
		# so that the next build says it again
		find "$obj" -name '*.o' -delete
		echo "$said"
		case $kernel in
		uml-* | x86-* | patched) say_if_newer ;;
		esac
		return 1
	fi
}
