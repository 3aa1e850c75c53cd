# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# For scripts about remote block devices between two hosts (scripts/blk-hosts): each of
# them does what it is told, word by word. Told NAME it calls a function phase_NAME and
# says when that has returned.

# shellcheck source-path=SCRIPTDIR source=blk.sh
. "$KFABRIC_TOP/tests/vm/blk.sh"

# shellcheck disable=SC2034 # for blk.sh
blk_provider=verbs
# shellcheck disable=SC2034
blk_addr=10.9.0.2

# say_word WORD: for the script that looks after the hosts
say_word() {
	touch "$KFABRIC_OUT/$1"
}

# host_up NUMBER MODULE...: an address, soft-RoCE, modules
host_up() {
	setup_eth "$1" && setup_rxe eth0 && load_kfabric "${@:2}"
}

# obey: until it is told to stop
obey() {
	local word
	until [ -e "$KFABRIC_OUT/stop" ]; do
		for word in "$KFABRIC_OUT"/do-*; do
			[ -e "$word" ] || continue
			rm "$word"
			word=${word##*/do-}
			"phase_$word"
			say_word "did-$word"
		done
		sleep 0.2
	done
}
