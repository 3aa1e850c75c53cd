// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Waiting for events and completions. It always ends: what does not arrive is a
 * failure, not a hang.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "suite.h"

#define SUITE_CM_BUF	(sizeof(struct kfi_eq_cm_entry) + 256)

static bool suite_read_eq_error(struct suite *t, struct kfid_eq *eq,
				struct suite_event *ev)
{
	struct kfi_eq_err_entry err = {
		.err_data = ev->data, .err_data_size = sizeof(ev->data),
	};

	if (!EXPECT_EQ(t, kfi_eq_readerr(eq, &err, 0), sizeof(err)))
		return false;
	EXPECT(t, err.err > 0);
	EXPECT(t, err.context == err.fid->context);
	EXPECT(t, kfi_eq_strerror(eq, err.prov_errno, err.err_data, NULL, 0));
	ev->err = err.err;
	ev->prov_errno = err.prov_errno;
	ev->fid = err.fid;
	ev->len = err.err_data_size;
	return true;
}

/* The next event, of either kind; false when there is none in time. */
bool suite_read_event(struct suite *t, struct kfid_eq *eq,
		      struct suite_event *ev, int timeout_ms)
{
	u8 buf[SUITE_CM_BUF] __aligned(8);
	struct kfi_eq_cm_entry *entry = (void *)buf;
	ssize_t ret;

	memset(ev, 0, sizeof(*ev));
	ret = kfi_eq_sread(eq, &ev->event, entry, sizeof(buf), timeout_ms, 0);
	if (ret == -EAGAIN)
		return false;
	if (ret == -KFI_EAVAIL) {
		ev->event = 0;
		return suite_read_eq_error(t, eq, ev);
	}
	if (!EXPECT(t, ret >= (ssize_t)sizeof(*entry))) {
		COMPLAIN(t, "kfi_eq_sread returned %zd", ret);
		return false;
	}
	ev->fid = entry->fid;
	if (ev->event == KFI_CONNREQ)
		ev->info = entry->info;
	ev->len = ret - sizeof(*entry);
	memcpy(ev->data, entry->data, ev->len);
	return true;
}

static bool suite_next_event(struct suite *t, const char *file, int line,
			     struct kfid_eq *eq, u32 event, int err,
			     struct kfid *fid, struct suite_event *ev)
{
	if (!suite_read_event(t, eq, ev, SUITE_TIMEOUT_MS)) {
		suite_complain(t, file, line, "no event, expected %u, error %d",
			       event, err);
		return false;
	}
	if (ev->event == event && ev->err == err && (!fid || ev->fid == fid))
		return true;
	suite_complain(t, file, line,
		       "event %u, error %d, %s object; expected %u, error %d",
		       ev->event, ev->err,
		       !fid || ev->fid == fid ? "right" : "wrong", event, err);
	kfi_freeinfo(ev->info);
	ev->info = NULL;
	return false;
}

/* The next event is @event of @fid, or of any object when that is NULL. */
bool suite_wait_event(struct suite *t, const char *file, int line,
		      struct kfid_eq *eq, u32 event, struct kfid *fid,
		      struct suite_event *ev)
{
	return suite_next_event(t, file, line, eq, event, 0, fid, ev);
}

/* The next event is the error @err, positive, of @fid. */
bool suite_wait_error(struct suite *t, const char *file, int line,
		      struct kfid_eq *eq, int err, struct kfid *fid,
		      struct suite_event *ev)
{
	return suite_next_event(t, file, line, eq, 0, err, fid, ev);
}

static void suite_cq_arrived(struct kfid_cq *cq, void *context)
{
	struct suite_cq *scq = context;

	complete(&scq->arrived);
	if (scq->also)
		scq->also(cq, scq->context);
}

int suite_cq_open(struct suite_cq *scq, struct kfid_domain *domain,
		  const struct kfi_cq_attr *attr, bool polled)
{
	struct kfi_cq_attr a = *attr;

	init_completion(&scq->arrived);
	scq->polled = polled;
	scq->also = NULL;
	if (!a.format)
		a.format = KFI_CQ_FORMAT_DATA;
	return kfi_cq_open(domain, &a, &scq->cq,
			   polled ? NULL : suite_cq_arrived, scq);
}

void suite_cq_close(struct suite *t, struct suite_cq *scq)
{
	if (scq->cq)
		EXPECT_OK(t, kfi_close(&scq->cq->fid));
	scq->cq = NULL;
}

/* The provider has words for its number, and cuts them to what there is room for. */
static void suite_check_text(struct suite *t, struct kfid_cq *cq, int prov_errno)
{
	char buf[8] = { };
	const char *text;

	text = kfi_cq_strerror(cq, prov_errno, NULL, buf, sizeof(buf));
	if (!EXPECT(t, text))
		return;
	EXPECT(t, !strstr(text, "unknown") && !strstr(text, "unrecognized"));
	EXPECT(t, !strncmp(buf, text, sizeof(buf) - 1));
	EXPECT_EQ(t, strlen(buf), min(strlen(text), sizeof(buf) - 1));
}

static bool suite_read_cq_error(struct suite *t, struct suite_cq *scq,
				struct suite_comp *comp)
{
	struct kfi_cq_err_entry err = { };

	if (!EXPECT_EQ(t, kfi_cq_readerr(scq->cq, &err, 0), 1))
		return false;
	EXPECT(t, err.err > 0);
	EXPECT(t, err.prov_errno);
	EXPECT(t, !err.len && !err.buf && !err.data && !err.err_data);
	suite_check_text(t, scq->cq, err.prov_errno);
	comp->entry.op_context = err.op_context;
	comp->entry.flags = err.flags;
	comp->err = err.err;
	comp->prov_errno = err.prov_errno;
	return true;
}

static void suite_wait_arrival(struct suite_cq *scq, unsigned long deadline)
{
	long left = deadline - jiffies;

	if (scq->polled)
		usleep_range(20, 60);
	else if (left > 0)
		wait_for_completion_timeout(&scq->arrived, left);
}

/* The next completion, of either kind; false when there is none in time. */
bool suite_read_comp(struct suite *t, struct suite_cq *scq,
		     struct suite_comp *comp, int timeout_ms)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(timeout_ms);
	bool last = false;
	ssize_t ret;

	memset(comp, 0, sizeof(*comp));
	for (;;) {
		ret = kfi_cq_read(scq->cq, &comp->entry, 1);
		if (ret == 1)
			return true;
		if (ret == -KFI_EAVAIL)
			return suite_read_cq_error(t, scq, comp);
		if (!EXPECT_EQ(t, ret, -EAGAIN) || last)
			return false;
		last = time_after_eq(jiffies, deadline);
		if (!last)
			suite_wait_arrival(scq, deadline);
	}
}

static bool suite_next_comp(struct suite *t, const char *file, int line,
			    struct suite_cq *scq, void *context,
			    struct suite_comp *comp)
{
	if (!suite_read_comp(t, scq, comp, SUITE_TIMEOUT_MS)) {
		suite_complain(t, file, line, "no completion");
		return false;
	}
	if (comp->entry.op_context == context)
		return true;
	suite_complain(t, file, line,
		       "completion of context %#lx, error %d; expected %#lx",
		       (unsigned long)comp->entry.op_context, comp->err,
		       (unsigned long)context);
	return false;
}

/* The next completion is that of @context, and without error. */
bool suite_wait_comp(struct suite *t, const char *file, int line,
		     struct suite_cq *scq, void *context,
		     struct suite_comp *comp)
{
	struct suite_comp mine;

	if (!comp)
		comp = &mine;
	if (!suite_next_comp(t, file, line, scq, context, comp))
		return false;
	if (!comp->err)
		return true;
	suite_complain(t, file, line, "completed with error %d (%s), %d: %s",
		       comp->err, kfi_strerror(comp->err), comp->prov_errno,
		       kfi_cq_strerror(scq->cq, comp->prov_errno, NULL, NULL,
				       0));
	return false;
}

/*
 * The next completion is that of @context, and the error @err, or any if that is
 * 0; its flags say what it was, and of an error that is known, whether the
 * connection goes on.
 */
bool suite_wait_comp_err(struct suite *t, const char *file, int line,
			 struct suite_cq *scq, void *context, int err,
			 u64 flags)
{
	u64 mask = flags | (err ? KFI_COMMIT : 0);
	struct suite_comp comp;

	if (!suite_next_comp(t, file, line, scq, context, &comp))
		return false;
	if (comp.err && (!err || comp.err == err) &&
	    (comp.entry.flags & mask) == flags)
		return true;
	suite_complain(t, file, line,
		       "error %d (%s), flags %#llx; expected %d, %#llx",
		       comp.err, kfi_strerror(comp.err), comp.entry.flags, err,
		       flags);
	return false;
}

bool suite_no_comp(struct suite *t, const char *file, int line,
		   struct suite_cq *scq)
{
	struct suite_comp comp;

	if (!suite_read_comp(t, scq, &comp, SUITE_QUIET_MS))
		return true;
	suite_complain(t, file, line,
		       "completion of context %#lx, error %d; expected none",
		       (unsigned long)comp.entry.op_context, comp.err);
	return false;
}
