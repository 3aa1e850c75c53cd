// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What can go wrong with an operation or a connection, and how it is reported.
 */

#include <linux/kernel.h>

#include <kfi_errno.h>

#include "loopback.h"

/*
 * The same failure is the same errno with every provider. What a device that
 * speaks InfiniBand's protocol says is, in these terms:
 *
 *	WR_FLUSH			LO_FLUSHED
 *	REM_ACCESS			LO_REM_ACCESS
 *	REM_INV_REQ, REM_OP		LO_REM_INVALID
 *	LOC_LEN, of a receive		LO_TRUNCATED
 *	RNR_RETRY_EXC			LO_RNR
 */
static const struct {
	int		err;
	const char	*text;
} lo_errors[LO_ERROR_LAST] = {
	[LO_OK] = { 0, "no error" },
	[LO_FLUSHED] = { ECANCELED, "flushed: the connection ended" },
	[LO_REM_ACCESS] = { EACCES, "remote access error" },
	[LO_REM_INVALID] = { EREMOTEIO, "invalid request at the peer" },
	[LO_TRUNCATED] = { KFI_ETRUNC, "message longer than the receive" },
	[LO_RNR] = { ENOBUFS, "the peer had no receive posted" },
	[LO_COMMIT_RANGE] = { EACCES, "commit of memory that is not persistent" },
	[LO_PERSIST] = { EIO, "the target could not persist the data" },
	[LO_COMMIT_BROKEN] = { ECANCELED, "an earlier commit failed" },
	[LO_COMMIT_TIMEOUT] = { ETIMEDOUT, "the target did not answer a commit" },
	[LO_NOBODY] = { ECONNREFUSED, "nobody listens there" },
	[LO_REJECTED] = { ECONNREFUSED, "rejected by the listener" },
	[LO_CONNECT_TIMEOUT] = { ETIMEDOUT, "no answer from the listener" },
	[LO_OTHER_KIND] = { EPROTONOSUPPORT, "the listener has another kind" },
	[LO_NO_METHOD] = { EOPNOTSUPP, "the peer does not commit in this way" },
	[LO_RESET] = { ECONNRESET, "the other side went away" },
};

int lo_errno(enum lo_error error)
{
	return lo_errors[error].err;
}

/* Whether it is an error of a commit alone, after which the connection goes on. */
bool lo_error_of_commit(enum lo_error error)
{
	return error == LO_COMMIT_RANGE || error == LO_PERSIST ||
	       error == LO_COMMIT_BROKEN;
}

const char *lo_strerror(int prov_errno)
{
	if (prov_errno < 0 || prov_errno >= LO_ERROR_LAST)
		return "unknown error";
	return lo_errors[prov_errno].text;
}
