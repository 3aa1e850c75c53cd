// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A wire that loses packets by what they are. It stands between the network stack
 * and soft-RoCE, as the function that takes what arrives at soft-RoCE's socket.
 */

#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/udp.h>
#include <net/net_namespace.h>
#include <net/udp.h>
#include <rdma/ib_verbs.h>

#include "patches.h"

#define WIRE_SEEN	64

static struct sock *wire_sk;
static int (*wire_deliver)(struct sock *sk, struct sk_buff *skb);

/* protects what follows */
static DEFINE_SPINLOCK(wire_lock);
static u8 wire_lost;
static unsigned int wire_to_lose;
static u8 wire_seen[WIRE_SEEN];
static unsigned int wire_nr_seen;

static bool wire_takes(u8 opcode)
{
	bool takes = true;

	spin_lock_bh(&wire_lock);
	if (wire_nr_seen < WIRE_SEEN)
		wire_seen[wire_nr_seen++] = opcode;
	if (wire_to_lose && opcode == wire_lost) {
		wire_to_lose--;
		takes = false;
	}
	spin_unlock_bh(&wire_lock);
	return takes;
}

static int wire_receive(struct sock *sk, struct sk_buff *skb)
{
	u8 *opcode, copy;

	opcode = skb_header_pointer(skb, skb_transport_offset(skb) +
				    sizeof(struct udphdr), sizeof(copy), &copy);
	if (opcode && !wire_takes(*opcode)) {
		kfree_skb(skb);
		return 0;
	}
	return wire_deliver(sk, skb);
}

/* The next @count packets with @opcode are lost. What was seen is forgotten. */
void wire_lose(u8 opcode, unsigned int count)
{
	spin_lock_bh(&wire_lock);
	wire_lost = opcode;
	wire_to_lose = count;
	wire_nr_seen = 0;
	spin_unlock_bh(&wire_lock);
}

/* Where among the packets that were seen the one with @opcode number @nr is. */
int wire_saw(u8 opcode, unsigned int nr)
{
	unsigned int i;
	int ret = -1;

	spin_lock_bh(&wire_lock);
	for (i = 0; i < wire_nr_seen && ret < 0; i++)
		if (wire_seen[i] == opcode && !nr--)
			ret = i;
	spin_unlock_bh(&wire_lock);
	return ret;
}

bool wire_open(void)
{
	rcu_read_lock();
	wire_sk = __udp4_lib_lookup(&init_net, htonl(INADDR_LOOPBACK), htons(1),
				    htonl(INADDR_LOOPBACK),
				    htons(ROCE_V2_UDP_DPORT),
				    init_net.loopback_dev->ifindex, 0, NULL);
	rcu_read_unlock();
	if (!EXPECT(wire_sk))
		return false;
	wire_lose(0, 0);
	wire_deliver = udp_sk(wire_sk)->encap_rcv;
	WRITE_ONCE(udp_sk(wire_sk)->encap_rcv, wire_receive);
	return true;
}

void wire_close(void)
{
	WRITE_ONCE(udp_sk(wire_sk)->encap_rcv, wire_deliver);
	synchronize_rcu();
}
