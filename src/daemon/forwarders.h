/*
 * forwarders.h - users whom a call leaves before it rings: they forward always, or are not there.
 * Each has an entry of the call; the recorder writes it. SIP thread.
 */
#ifndef HOTDESK_DAEMON_FORWARDERS_H
#define HOTDESK_DAEMON_FORWARDERS_H

#include "hotdesk/call.h"
#include "hotdesk/calls.h"
#include "hotdesk/plan.h"

struct forwarders {
	struct hd_plan_forward list[HD_PLAN_FORWARDS_MAX];
	unsigned blank[HD_PLAN_FORWARDS_MAX]; /* parts of their records that are told no more */
	size_t n;
};
/** Each user once; not the caller, whose own entry says enough. */
void forwarders_set(struct forwarders *forwarders, const struct hd_call *call,
		    const struct hd_plan_forward *forwards, size_t n);
bool forwarders_have(const struct forwarders *forwarders, const char *user);
/** Makes a record of the call that of the i-th. */
void forwarders_record(const struct forwarders *forwarders, size_t i, const struct hd_call *call,
		       struct hd_calls_record *record);
/** A number is told no more. @param record of the call, not blanked */
void forwarders_blank(struct forwarders *forwarders, const struct hd_call *call,
		      const struct hd_calls_record *record, const char *number);

/** What a plan has said of the call that is about to begin. Zero: nothing. */
struct forwarding {
	uint8_t hash[HD_CALLS_HASH_BYTES]; /* of the INVITE */
	struct hd_plan_forward list[HD_PLAN_FORWARDS_MAX];
	size_t n;
};
void forwarding_set(struct forwarding *forwarding, struct hd_msg *invite,
		    const struct hd_plan *plan);
/** @return NULL: of another call, of none, or out of memory; else to be released with free() */
struct forwarders *forwarding_take(struct forwarding *forwarding, const struct hd_call *call);

#endif
