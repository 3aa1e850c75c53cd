// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Commits: what a target's provider does for an initiator, in a work item of its
 * own that may sleep while the engine goes on with later operations.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <trace/events/kfi.h>

#include "commit.h"
#include "conn.h"
#include "ep.h"
#include "loopback.h"

/**
 * struct lo_commit - a commit whose data has arrived, or travels with it
 * @desc: what it is
 * @error: what is wrong with it, or LO_OK
 * @start: jiffies of its arrival
 * @mrs: the regions of its ranges, held
 * @spans: its ranges
 * @inject: payload of KFI_INJECT
 */
struct lo_commit {
	struct lo_desc		desc;
	enum lo_error		error;
	unsigned long		start;
	struct lo_mr		*mrs[LO_RMA_IOV_LIMIT];
	struct kfi_pmem_span	spans[LO_RMA_IOV_LIMIT];
	u8			inject[LO_INJECT_SIZE];
};

/**
 * struct lo_commits - commits of an endpoint that are under way at its peer
 * @ep: the endpoint. A commit that was added holds a reference to the peer, and
 *	@work one to the memory of the endpoint
 * @work: makes them persistent, batch by batch
 * @timer: looks at the oldest one
 * @lock: protects what follows up to @busy
 * @head: the oldest
 * @tail: where the next one goes
 * @pending: those that are not complete
 * @oldest: of @pending, the number of the first, or of one that is complete by now
 * @busy: @work is completing a batch
 * @abandoned: the connection has ended; the engine completed them all, and @work
 *	has but to release them
 * @timed_out: the connection ended because of the oldest one
 * @slots: ring of commits; those from @head to @tail are @work's
 * @spans: of one batch
 */
struct lo_commits {
	struct lo_ep		*ep;
	struct work_struct	work;
	struct delayed_work	timer;
	/* protects what follows up to @busy; process context */
	spinlock_t		lock;
	u32			head;
	u32			tail;
	u32			pending;
	u64			oldest;
	bool			busy;
	bool			abandoned;
	bool			timed_out;
	struct lo_commit	slots[LO_COMMIT_SLOTS];
	struct kfi_pmem_span	spans[LO_COMMIT_SLOTS * LO_RMA_IOV_LIMIT];
};

static struct lo_commit *lo_commit_at(struct lo_commits *commits, u32 index)
{
	return &commits->slots[index % LO_COMMIT_SLOTS];
}

/* Its payload comes with the request, and is stored when it is its turn. */
static bool lo_commit_carries(const struct lo_commit *commit)
{
	return commit->desc.flags & KFI_INJECT && commit->desc.len;
}

/* An endpoint that is waited for by a batch can be closed, but not freed. */
static void lo_commits_kick(struct lo_commits *commits)
{
	kref_get(&commits->ep->kref);
	if (!queue_work(lo_wq, &commits->work))
		lo_ep_put(commits->ep);
}

/*
 * The way in, for the engine
 */

static void lo_commit_release(struct lo_commit *commit)
{
	u32 i;

	for (i = 0; i < commit->desc.nr_ranges; i++)
		if (commit->mrs[i])
			lo_mr_put(commit->mrs[i]);
}

/* Every range is looked at here: a peer can say anything. */
static void lo_commit_resolve(struct lo_commit *commit,
			      struct lo_domain *domain,
			      const struct kfi_rma_iov *ranges)
{
	struct lo_mr *mr;
	u32 i;

	commit->error = LO_OK;
	for (i = 0; i < commit->desc.nr_ranges; i++) {
		mr = lo_mr_hold(domain, &ranges[i]);
		commit->mrs[i] = mr;
		if (!mr) {
			commit->error = LO_COMMIT_RANGE;
			continue;
		}
		commit->spans[i] = (struct kfi_pmem_span) {
			.region = &mr->region,
			.offset = ranges[i].addr - mr->mr.iova,
			.len = ranges[i].len,
		};
	}
}

/*
 * A commit goes on to the target, and @peer's reference with it: -EINPROGRESS.
 * Posting made sure that there is a slot.
 */
int lo_commit_add(struct lo_ep *ep, struct lo_ep *peer, const struct lo_op *op)
{
	struct lo_commits *commits = ep->commits;
	struct lo_commit *commit = lo_commit_at(commits, commits->tail);

	commit->desc = op->desc;
	commit->start = jiffies;
	if (lo_commit_carries(commit))
		memcpy(commit->inject, op->inject, op->desc.len);
	lo_commit_resolve(commit, peer->domain, op->ranges);

	spin_lock(&commits->lock);
	commits->tail++;
	if (!commits->pending++)
		commits->oldest = commit->desc.nr;
	spin_unlock(&commits->lock);
	lo_commits_kick(commits);
	queue_delayed_work(lo_wq, &commits->timer,
			   msecs_to_jiffies(READ_ONCE(ep->commit_timeout)));
	return -EINPROGRESS;
}

/*
 * The target
 */

/*
 * A marker that is injected says that what was committed before it is there. If
 * something failed between its post and its turn, it must not be stored.
 */
static bool lo_commit_broken(struct lo_ep *ep, const struct lo_commit *commit)
{
	bool broken;

	spin_lock_irq(&ep->tx.lock);
	broken = commit->desc.nr <= ep->tx.broken_nr;
	spin_unlock_irq(&ep->tx.lock);
	return broken;
}

static void lo_commit_store(struct lo_ep *ep, struct lo_commit *commit)
{
	const u8 *from = commit->inject;
	u32 i;

	if (lo_commit_broken(ep, commit))
		commit->error = LO_COMMIT_BROKEN;
	for (i = 0; i < commit->desc.nr_ranges && !commit->error; i++) {
		const struct kfi_pmem_span *span = &commit->spans[i];

		if (kfi_pmem_store(span->region, span->offset, from, span->len))
			commit->error = LO_COMMIT_RANGE;
		from += span->len;
	}
}

/*
 * Those that wait, but none whose payload has to be stored after the ones
 * before it are persistent.
 */
static u32 lo_batch_size(struct lo_commits *commits)
{
	u32 waiting, nr;

	spin_lock(&commits->lock);
	waiting = commits->abandoned ? 0 : commits->tail - commits->head;
	for (nr = min(waiting, 1U); nr < waiting; nr++)
		if (lo_commit_carries(lo_commit_at(commits,
						   commits->head + nr)))
			break;
	spin_unlock(&commits->lock);
	return nr;
}

/* The target, which a commit that was added holds a reference to. */
static struct lo_ep *lo_commits_peer(const struct lo_commits *commits)
{
	return commits->ep->conn->ends[!commits->ep->side];
}

static int lo_batch_persist(struct lo_commits *commits, u32 nr)
{
	struct lo_commit *commit = lo_commit_at(commits, commits->head);
	struct lo_ep *peer = lo_commits_peer(commits);
	u32 nr_spans = 0;
	u64 ns;
	u32 i;
	int ret;

	if (lo_commit_carries(commit))
		lo_commit_store(commits->ep, commit);
	for (i = 0; i < nr; i++) {
		commit = lo_commit_at(commits, commits->head + i);
		if (commit->error)
			continue;
		memcpy(&commits->spans[nr_spans], commit->spans,
		       commit->desc.nr_ranges * sizeof(*commit->spans));
		nr_spans += commit->desc.nr_ranges;
	}
	if (!nr_spans)
		return 0;
	ret = kfi_prov_persist(&peer->ep, commits->spans, nr_spans, &ns);
	lo_rx_persisted(peer, ns);
	return ret;
}

/* The slot is free before the entry is made: who reads that may post at once. */
void lo_commit_free_slot(struct lo_ep *ep, bool failed)
{
	struct lo_tx *tx = &ep->tx;

	spin_lock_irq(&tx->lock);
	tx->commits--;
	if (failed)
		tx->broken_nr = tx->nr;
	if (tx->want_commit) {
		tx->want_commit = false;
		queue_work(lo_wq, &tx->room);
	}
	spin_unlock_irq(&tx->lock);
}

static size_t lo_commit_reach(const struct lo_commit *commit)
{
	size_t len = 0;
	u32 i;

	for (i = 0; i < commit->desc.nr_ranges; i++)
		len += commit->spans[i].len;
	return len;
}

/* The oldest commit completes, first at the target. */
static void lo_commit_finish(struct lo_commits *commits, enum lo_error error)
{
	struct lo_commit *commit = lo_commit_at(commits, commits->head);
	const struct lo_desc desc = commit->desc;
	size_t reach = lo_commit_reach(commit);
	struct lo_ep *peer = lo_commits_peer(commits);
	struct lo_ep *ep = commits->ep;

	if (commit->error)
		error = commit->error;
	lo_rx_served(peer, error);
	if (error) {
		kfi_ep_serve_failed(&peer->track, lo_errno(error));
		pr_warn_ratelimited("commit %llu of %pISpc failed: %s\n",
				    desc.nr, &ep->conn->addrs[ep->side],
				    lo_strerror(error));
	}
	trace_kfi_commit_reply(&peer->ep, desc.nr, lo_errno(error));
	lo_commit_release(commit);
	spin_lock(&commits->lock);
	commits->head++;
	spin_unlock(&commits->lock);

	lo_commit_free_slot(ep, error);
	if (desc.flags & KFI_REMOTE_CQ_DATA) {
		if (error)
			lo_rx_untake(peer);
		else
			lo_rx_data(peer, desc.data, reach, NULL);
	}
	lo_peer_put(peer);
	lo_tx_complete(ep, &desc, error);
}

/* Nobody waits for these any more. */
static void lo_commits_drop(struct lo_commits *commits)
{
	struct lo_ep *peer = lo_commits_peer(commits);
	u32 head = commits->head, tail = commits->tail;
	struct lo_commit *commit;

	spin_lock(&commits->lock);
	commits->head = tail;
	spin_unlock(&commits->lock);
	for (; head != tail; head++) {
		commit = lo_commit_at(commits, head);
		lo_commit_release(commit);
		if (commit->desc.flags & KFI_REMOTE_CQ_DATA)
			lo_rx_untake(peer);
		lo_peer_put(peer);
	}
}

/*
 * A batch shares one flush, and its failure: that a second try succeeds would not
 * say that what the first one lost was written again.
 */
static bool lo_commits_batch(struct lo_commits *commits)
{
	u32 nr = lo_batch_size(commits);
	enum lo_error error;
	bool abandoned;

	error = nr && lo_batch_persist(commits, nr) ? LO_PERSIST : LO_OK;

	spin_lock(&commits->lock);
	abandoned = commits->abandoned;
	commits->busy = nr && !abandoned;
	spin_unlock(&commits->lock);
	if (abandoned)
		lo_commits_drop(commits);
	if (abandoned || !nr)
		return false;

	for (; nr; nr--)
		lo_commit_finish(commits, error);
	return true;
}

/*
 * The engine may wait for the end of a batch, and the endpoint may be closed as
 * soon as it has seen it.
 */
static void lo_commits_settle(struct lo_commits *commits)
{
	spin_lock(&commits->lock);
	commits->busy = false;
	commits->pending = commits->tail - commits->head;
	if (commits->pending)
		commits->oldest = lo_commit_at(commits,
					       commits->head)->desc.nr;
	queue_work(lo_wq, &commits->ep->work);
	spin_unlock(&commits->lock);
}

static void lo_commits_work(struct work_struct *work)
{
	struct lo_commits *commits =
		container_of(work, struct lo_commits, work);

	while (lo_commits_batch(commits)) {
		lo_commits_settle(commits);
		cond_resched();
	}
	lo_ep_put(commits->ep);
}

/*
 * The end
 */

/* A target that does not answer is as good as dead. */
static void lo_commits_timeout(struct work_struct *work)
{
	struct lo_commits *commits = container_of(to_delayed_work(work),
						  struct lo_commits, timer);
	unsigned int ms = READ_ONCE(commits->ep->commit_timeout);
	/* it started somewhere within a tick */
	unsigned long limit = msecs_to_jiffies(ms) + 1;
	unsigned long start;
	bool late = false;

	spin_lock(&commits->lock);
	if (commits->pending && !commits->busy) {
		start = lo_commit_at(commits, commits->head)->start;
		late = time_after_eq(jiffies, start + limit);
		commits->timed_out = late;
		if (!late)
			limit -= jiffies - start;
	}
	if (commits->pending && !late)
		queue_delayed_work(lo_wq, &commits->timer, limit);
	spin_unlock(&commits->lock);
	if (late)
		lo_conn_time_out(commits->ep);
}

/* The limit has changed, for commits under way too. */
void lo_commits_look(struct lo_commits *commits)
{
	if (commits)
		mod_delayed_work(lo_wq, &commits->timer, 0);
}

/* Whether one that was posted before the operation @before is not complete. */
bool lo_commits_pending(struct lo_commits *commits, u64 before)
{
	bool pending;

	if (!commits)
		return false;
	spin_lock(&commits->lock);
	pending = commits->pending && commits->oldest < before;
	spin_unlock(&commits->lock);
	return pending;
}

/*
 * Completes all commits at once, whether the target answers or not; for the
 * engine, when the connection has ended. False while some are being completed
 * anyway: the engine will be called again.
 */
bool lo_commits_abandon(struct lo_commits *commits)
{
	enum lo_error error;
	bool busy, first, released;
	u32 i, tail;

	if (!commits)
		return true;
	spin_lock(&commits->lock);
	busy = commits->busy;
	first = !commits->abandoned && !busy;
	if (first)
		commits->abandoned = true;
	i = commits->head;
	tail = commits->tail;
	error = commits->timed_out ? LO_COMMIT_TIMEOUT : LO_FLUSHED;
	spin_unlock(&commits->lock);
	if (!first)
		return !busy;

	for (; i != tail; i++, error = LO_FLUSHED)
		lo_tx_complete(commits->ep, &lo_commit_at(commits, i)->desc,
			       error);
	spin_lock(&commits->lock);
	released = commits->head == commits->tail;
	commits->pending = 0;
	spin_unlock(&commits->lock);
	if (!released)
		lo_commits_kick(commits);
	return true;
}

/* What the target said of its memory when the connection was made. */
void lo_commit_info(struct lo_ep *ep, struct kfi_commit_info *info)
{
	const struct lo_memory *memory;

	*info = (struct kfi_commit_info) { .method = KFI_COMMIT_NONE };
	if (!ep->limits.commit || !ep->conn || !lo_conn_was_up(ep->conn))
		return;
	memory = &ep->conn->memory[!ep->side];
	info->method = ep->tx.method;
	info->domain = memory->domain;
	info->sync = memory->sync;
	info->max_ranges = LO_RMA_IOV_LIMIT;
	info->slots = LO_COMMIT_SLOTS;
}

int lo_commits_init(struct lo_ep *ep)
{
	struct lo_commits *commits = kvzalloc(sizeof(*commits), GFP_KERNEL);

	if (!commits)
		return -ENOMEM;
	commits->ep = ep;
	spin_lock_init(&commits->lock);
	INIT_WORK(&commits->work, lo_commits_work);
	INIT_DELAYED_WORK(&commits->timer, lo_commits_timeout);
	ep->commits = commits;
	return 0;
}

void lo_commits_free(struct lo_commits *commits)
{
	kvfree(commits);
}

/* The endpoint is drained: there is nothing to be late any more. */
void lo_commits_stop(struct lo_commits *commits)
{
	if (commits)
		cancel_delayed_work_sync(&commits->timer);
}
