// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tracepoints: the core's, which providers use too.
 */

#define CREATE_TRACE_POINTS
#include <trace/events/kfi.h>

EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_connect);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_accept);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_shutdown);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_post);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_tx_full);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_tx_room);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_mr_reg);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_mr_close);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_commit_request);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_commit_done);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_commit_reply);
EXPORT_TRACEPOINT_SYMBOL_GPL(kfi_device_remove);
