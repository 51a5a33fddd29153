/*
 * flow.h - where a message came from and which of our addresses it came to, and its text form.
 *
 * Layer: 3.  May include: base, sip.  Thread: any, but for hd_flow_local_uri(): the SIP thread.
 */
#ifndef HOTDESK_SIP_FLOW_H
#define HOTDESK_SIP_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/sip/message.h"

struct hd_agent;

enum { HD_LISTENERS_MAX = 16, HD_FLOW_TEXT_SIZE = 96 };

/**
 * Parts of a flow text: "udp/0/192.0.2.1:5060", with a final '~' for a sender behind a NAT. Of a
 * listener on every address it also says which one: "udp/0@198.51.100.7/192.0.2.1:5060".
 */
struct hd_flow {
	bool nat;	   /* its Via named another address: only the flow leads back */
	uint8_t transport; /* 0 udp, 1 tcp, 2 tls */
	uint8_t listener;  /* index of ours */
	uint8_t family;	   /* 4 or 6 */
	uint8_t address[16];
	uint16_t port;
	uint8_t local[16]; /* ours, of the same family; zero: that of the listener, or not known */
};
HD_MUSTCHECK int hd_flow_parse(struct hd_flow *flow, const char *text);
/** dst has room for HD_FLOW_TEXT_SIZE. */
void hd_flow_format(char *dst, size_t size, const struct hd_flow *flow);
/** The URI by which the listener of a flow can be reached, "sip:192.0.2.1:5060;transport=tcp". */
HD_MUSTCHECK int hd_flow_local_uri(struct hd_agent *agent, const struct hd_flow *flow, char *dst,
				   size_t size);
bool hd_flow_eq(const char *one, const char *other); /* address, port and transport are */
/** True when both begin at the same listener and address of ours. */
bool hd_flow_is_beside(const struct hd_flow *one, const struct hd_flow *other);
/** True when a URI's host (a literal) and port are the flow's address. */
bool hd_flow_is_at(const struct hd_flow *flow, const struct hd_uri *uri);

#endif
