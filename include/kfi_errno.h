/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Error numbers of the kernel fabric interface.
 */

#ifndef KFI_ERRNO_H
#define KFI_ERRNO_H

#include <linux/errno.h>

/**
 * DOC: error numbers
 *
 * Every kfi call returns 0 or a count on success and a negative errno on
 * failure. Where the kernel has a number for the error, that number is used.
 * The values below exist only in libfabric; they lie in the gap between the
 * kernel's user-visible numbers and its internal ones (512 and up), so that
 * ERR_PTR() and IS_ERR() work on all of them.
 *
 * The meaning of an error is the same for every provider:
 *
 * ==================  ========================================================
 * -EINVAL             an argument is wrong: a pointer that must not be NULL, an
 *                     unknown flag bit, a vector of type 0, flags that exclude
 *                     each other
 * -EOPNOTSUPP         the arguments are right, this object cannot do it
 * -EMSGSIZE           longer than max_msg_size, or than inject_size
 * -E2BIG              more segments or page-list entries than the limit
 * -EAGAIN             no room now; nothing was posted
 * -EBUSY              the object still has children or bindings; nothing changed
 * -ENODEV             the device behind the object is gone
 * -ENODATA            kfi_getinfo(): nothing matches the hints; which of them does not
 *                     match what is there says dynamic debug of kfabric
 * -ENOTCONN           the endpoint is not connected yet
 * -ESHUTDOWN          the endpoint was shut down, or is in error
 * -KFI_EOPBADSTATE    not allowed in the object's present state
 * -KFI_EAVAIL         the queue's next entry is an error: call readerr
 * ==================  ========================================================
 */

/**
 * enum kfi_errno - errors that the kernel has no number for
 * @KFI_EOTHER: unspecified error
 * @KFI_ETOOSMALL: the caller's buffer is too small; nothing was consumed
 * @KFI_EOPBADSTATE: not allowed in the object's present state
 * @KFI_EAVAIL: the next entry of the queue is an error entry
 * @KFI_EBADFLAGS: flags not supported
 * @KFI_ENOEQ: no event queue is bound
 * @KFI_EDOMAIN: the objects belong to different domains
 * @KFI_ENOCQ: no completion queue is bound
 * @KFI_ECRC: checksum error
 * @KFI_ETRUNC: a message was longer than the receive buffer
 * @KFI_ENOKEY: the memory key is not available
 * @KFI_ENOAV: no address vector is bound
 * @KFI_EOVERRUN: a queue has been overrun
 * @KFI_ERRNO_MAX: one more than the last
 */
enum kfi_errno {
	KFI_EOTHER	= 256,
	KFI_ETOOSMALL	= 257,
	KFI_EOPBADSTATE	= 258,
	KFI_EAVAIL	= 259,
	KFI_EBADFLAGS	= 260,
	KFI_ENOEQ	= 261,
	KFI_EDOMAIN	= 262,
	KFI_ENOCQ	= 263,
	KFI_ECRC	= 264,
	KFI_ETRUNC	= 265,
	KFI_ENOKEY	= 266,
	KFI_ENOAV	= 267,
	KFI_EOVERRUN	= 268,
	KFI_ERRNO_MAX
};

const char *kfi_strerror(int errnum);

#endif /* KFI_ERRNO_H */
