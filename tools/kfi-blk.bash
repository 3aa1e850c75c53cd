# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# Completion of kfi-blk(8) for bash

_kfi_blk_names() {
	local folder=/sys/kernel/config/$1
	[ ! -d "$folder" ] || ls "$folder"
}

_kfi_blk() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
	local address="--addr --service --provider"
	case $before in
	--provider) words="verbs loopback" ;;
	--cache) words="writeback writethrough" ;;
	--block-size) words="512 4096" ;;
	unexport) words=$(_kfi_blk_names kfi_blk_target/exports) ;;
	disconnect | stats) words="$(_kfi_blk_names kfi_blk) --json" ;;
	list) words="--json" ;;
	kfi-blk) words="export unexport connect disconnect list stats" ;;
	*)
		case ${COMP_WORDS[1]} in
		export) words="$address --read-only --block-size --client" ;;
		connect)
			words="$address --export --client --queues --poll-queues"
			words+=" --queue-depth --cache --read-only --keep-alive"
			words+=" --reconnect-delay --fast-io-fail --ctrl-loss" ;;
		esac ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _kfi_blk kfi-blk
