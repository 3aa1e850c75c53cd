# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# Completion for kfi_info, in bash.

_kfi_info()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words
	case $prev in
	-p | --provider)
		words=$(kfi_info -l 2>/dev/null | sed -n 's/^\([^ ].*\):$/\1/p') ;;
	-d | --domain)
		words=$(kfi_info 2>/dev/null | sed -n 's/^ *domain: //p') ;;
	-c | --caps)
		words="msg rma atomic read write recv send remote-read remote-write"
		words+=" rma-pmem local-comm remote-comm" ;;
	-t | --ep_type)
		words="msg dgram rdm" ;;
	*)
		words="endpoints stats queues regions memdevs monitor"
		[[ $cur != -* ]] ||
			words="-p -d -c -t -l -v -j -h --provider --domain --caps --ep_type
				--list --verbose --json --help" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _kfi_info kfi_info
