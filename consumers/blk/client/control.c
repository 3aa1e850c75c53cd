// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The control connection: what the target says, and what it is told. Nothing that
 * it says is taken on trust, see wire.c.
 */

#include <linux/jiffies.h>
#include <linux/string.h>

#include <kfi_cm.h>

#include "blk.h"

static void *kfb_control_buffer(struct kfb_dev *dev, unsigned int index)
{
	return dev->messages + index * KFB_WIRE_MAX;
}

/* Receives for all that the target has to say; they are not posted again. */
int kfb_control_listen(struct kfb_dev *dev)
{
	unsigned int i;
	void *buf;
	int err;

	for (i = 0; i < KFB_RECEIVES; i++) {
		buf = kfb_control_buffer(dev, i);
		err = kfi_recv(dev->session.ep, buf, KFB_WIRE_MAX, NULL,
			       KFI_ADDR_UNSPEC, buf);
		if (err)
			return err;
	}
	return 0;
}

int kfb_control_hello(struct kfb_dev *dev)
{
	const struct kfb_config *config = dev->config;
	struct kfb_session *session = &dev->session;
	struct kfb_hello hello = {
		.keep_alive_ms = READ_ONCE(config->keep_alive_ms),
		.nr_queues = dev->nr_queues,
		.read_only = config->read_only,
	};

	uuid_copy(&hello.instance, &dev->instance);
	memcpy(hello.export, config->export, KFB_NAME_LEN);
	memcpy(hello.client, config->client, KFB_NAME_LEN);
	kfb_wire_put_hello(&session->hello, &hello);
	return kfi_send(session->ep, &session->hello, sizeof(session->hello),
			NULL, KFI_ADDR_UNSPEC, &session->hello);
}

/*
 * What it says
 */

static enum kfb_status kfb_control_welcome(struct kfb_dev *dev, const void *msg,
					   size_t len)
{
	struct kfb_session *session = &dev->session;
	enum kfb_status status;

	status = kfb_wire_parse_welcome(msg, len, &session->welcome);
	if (status)
		return status;
	if (session->welcome.nr_queues > dev->nr_queues)
		return KFB_MALFORMED;
	session->phase = KFB_PHASE_REGIONS;
	return KFB_OK;
}

static enum kfb_status kfb_control_regions(struct kfb_dev *dev, const void *msg,
					   size_t len)
{
	struct kfb_session *session = &dev->session;
	enum kfb_status status;
	u32 count;

	status = kfb_wire_parse_regions(msg, len, &session->welcome,
					session->nr_regions, dev->regions,
					&count);
	if (status)
		return status;
	session->nr_regions += count;
	if (session->nr_regions < session->welcome.nr_regions)
		return KFB_OK;
	/* pairs with kfb_session_ready() */
	smp_store_release(&session->phase, KFB_PHASE_READY);
	wake_up(&dev->wait);
	return KFB_OK;
}

static void kfb_control_message(struct kfb_dev *dev, const void *msg, size_t len)
{
	enum kfb_status status, said = KFB_OK;
	enum kfb_type type;

	status = kfb_wire_type(msg, len, &type, &said);
	if (!status && type == KFB_BYE) {
		kfb_dev_fail(dev, said ? kfb_status_errno(said) : -ECONNRESET,
			     said);
		return;
	}
	if (dev->session.phase == KFB_PHASE_WELCOME)
		status = kfb_control_welcome(dev, msg, len);
	else if (dev->session.phase == KFB_PHASE_REGIONS)
		status = kfb_control_regions(dev, msg, len);
	else
		status = KFB_MALFORMED;
	if (!status)
		return;
	/* or it is what the target says, and need not be told */
	if (status != said)
		WRITE_ONCE(dev->session.complaint, status);
	kfb_dev_fail(dev, kfb_status_errno(status), status);
}

/* Receives of a connection that was not made are flushed; why is told by an event. */
static void kfb_control_failed(struct kfb_dev *dev, int err)
{
	if (err != ECANCELED || READ_ONCE(dev->session.connected))
		kfb_dev_fail(dev, -err, KFB_OK);
}

/* Process context. */
void kfb_control_complete(struct kfid_cq *cq, void *context)
{
	struct kfi_cq_err_entry failure;
	struct kfi_cq_msg_entry entry;
	struct kfb_dev *dev = context;
	ssize_t nr;

	while ((nr = kfi_cq_read(cq, &entry, 1)) != -EAGAIN) {
		if (nr == -KFI_EAVAIL) {
			kfi_cq_readerr(cq, &failure, 0);
			kfb_control_failed(dev, failure.err);
		} else if (entry.flags & KFI_RECV) {
			kfb_control_message(dev, entry.op_context, entry.len);
		} else if (entry.op_context == &dev->session.bye) {
			WRITE_ONCE(dev->session.said_bye, true);
			wake_up(&dev->wait);
		}
	}
}

/*
 * Events, of queues too. An endpoint may be closed while one of its own is on its way
 * here, so nothing is looked for in it.
 */

static void kfb_control_connected(struct kfb_dev *dev, const struct kfid *fid)
{
	struct kfb_session *session = &dev->session;

	if (fid == &READ_ONCE(session->ep)->fid)
		WRITE_ONCE(session->connected, true);
	else
		WRITE_ONCE(session->nr_connected, session->nr_connected + 1);
	wake_up(&dev->wait);
}

/* Somebody who rejects a queue says why. */
static void kfb_control_refused(struct kfb_dev *dev,
				const struct kfi_eq_err_entry *failure)
{
	enum kfb_status said = KFB_OK;
	enum kfb_type type;

	if (failure->err == ECONNREFUSED &&
	    kfb_wire_type(failure->err_data, failure->err_data_size, &type,
			  &said) != KFB_MALFORMED && type == KFB_REFUSAL && said)
		kfb_dev_fail(dev, kfb_status_errno(said), said);
	else
		kfb_dev_fail(dev, -failure->err, KFB_OK);
}

void kfb_control_event(struct kfid_eq *eq, void *context)
{
	struct kfi_eq_err_entry failure;
	struct kfb_wire_header body;
	struct kfi_eq_cm_entry entry;
	struct kfb_dev *dev = context;
	u32 event;
	ssize_t ret;

	while ((ret = kfi_eq_read(eq, &event, &entry, sizeof(entry), 0)) !=
	       -EAGAIN) {
		if (ret == -KFI_EAVAIL) {
			failure = (struct kfi_eq_err_entry) {
				.err_data = &body,
				.err_data_size = sizeof(body),
			};
			kfi_eq_readerr(eq, &failure, 0);
			kfb_control_refused(dev, &failure);
		} else if (event == KFI_CONNECTED) {
			kfb_control_connected(dev, entry.fid);
		} else {
			kfb_dev_fail(dev, -ECONNRESET, KFB_OK);
		}
	}
}

/*
 * Tells the target that this client is there, three times in the time that it has. When
 * there is no room, the last ones have not got there: what the transport has to say of
 * that may come late, or never, as from soft-RoCE, to which 7 retries are no limit.
 */
void kfb_control_alive(struct work_struct *work)
{
	struct kfb_dev *dev = container_of(to_delayed_work(work),
					   struct kfb_dev, alive_work);
	unsigned int ms = dev->session.welcome.keep_alive_ms / 3;
	struct kfb_wire_header alive;
	int err;

	kfb_wire_put_header(&alive, KFB_KEEP_ALIVE, KFB_OK);
	err = kfi_inject(dev->session.ep, &alive, sizeof(alive),
			 KFI_ADDR_UNSPEC);
	if (err)
		kfb_dev_fail(dev, err == -EAGAIN ? -ETIMEDOUT : err, KFB_OK);
	else
		queue_delayed_work(kfb_wq, &dev->alive_work,
				   msecs_to_jiffies(ms));
}
