/*
 * multicast.h - requests to a multicast group over UDP (RFC 3261 18.1.1), as phones send them that
 * look for their configuration.
 *
 * A socket of its own, bound to the group, that receives and answers; what is sent to who asked
 * goes by the agent. The group is joined on the interfaces that are named, or on all that can; one
 * that comes up later is joined within a minute.
 *
 * Layer: 3.  May include: base, sofia-sip.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_MULTICAST_H
#define HOTDESK_SIP_MULTICAST_H

#include "hotdesk/base/source.h"
#include "hotdesk/sip/agent.h"

struct hd_multicast;

/** A request as it came; borrowed for the call. */
struct hd_multicast_request {
	struct hd_msg *msg;	/* has Via, From, To, Call-ID and CSeq */
	const char *source;	/* "192.0.2.1" */
	struct hd_address from; /* the same */
	const char *uri;	/* "sip:192.0.2.1:1053": where it came from */
};
typedef void hd_multicast_fn(void *arg, const struct hd_multicast_request *request);

struct hd_multicast_options {
	struct hd_agent *agent; /* borrowed; its limits of a source hold here, too */
	const char *group;	/* IPv4 address */
	uint16_t port;
	const char *const *interfaces; /* names, copied; none: all */
	size_t n_interfaces;
	hd_multicast_fn *receive;
	void *arg;
};
/** @return 0; HD_EINVAL, HD_ENOMEM, HD_ESYSTEM (logged) */
HD_MUSTCHECK int hd_multicast_new(struct hd_multicast **mp,
				  const struct hd_multicast_options *options);
/** NULL-safe. */
void hd_multicast_free(struct hd_multicast *multicast);
/** Whether it is for these interfaces. */
bool hd_multicast_is_for(const struct hd_multicast *multicast, const char *const *interfaces,
			 size_t n);
/**
 * Answers to where it came from.
 * @param tag   of To
 * @param lines further header lines, each with CRLF, or NULL
 */
void hd_multicast_reply(struct hd_multicast *multicast, const struct hd_multicast_request *request,
			int status, const char *tag, const char *lines);

#endif
