/*
 * overload.h - what is refused when there is more work than can be done, and what never is.
 *
 * New work is answered 503 with a Retry-After that differs from answer to answer, so that phones do
 * not all come back at once (RFC 3261 21.5.4). What keeps calls going is not refused: responses,
 * ACK and CANCEL, requests inside a dialog (with a reserve as large again as the limit), and
 * emergency calls. Refusals are stateless, so that a flood of them costs no memory. They are
 * counted in hotdeskd_shed by their reason, and told in one line of the log every few seconds.
 *
 * Layer: 3.  May include: base, sip.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_OVERLOAD_H
#define HOTDESK_SIP_OVERLOAD_H

#include "hotdesk/sip/agent.h"

/** What there is too much of; the names are labels of the metric. */
#define HD_SHED_LIST(X)                                                                            \
	X(SOURCE, "source") /* requests of one source: dropped, not answered */                    \
	X(TRANSACTIONS, "transactions")                                                            \
	X(HASH, "hash")	  /* PINs that wait for their check */                                     \
	X(STORE, "store") /* commands that wait for the disk, or the disk is full */               \
	X(DNS, "dns")	  /* look-ups that are open */                                             \
	X(SUBSCRIPTIONS, "subscriptions")                                                          \
	X(MEMORY, "memory")                                                                        \
	X(STOPPING, "stopping")

#define HD_SHED_ENUM(name, text) HD_SHED_##name,
enum hd_shed { HD_SHED_LIST(HD_SHED_ENUM) HD_SHED_COUNT };
#undef HD_SHED_ENUM

/** The reason behind an error of the store. */
enum hd_shed hd_shed_of(int err);
/** True for an error that says "not now": HD_EBUSY, HD_EFULL, HD_ESHUTDOWN, HD_ENOMEM. */
bool hd_shed_is(int err);

/** 503 with Retry-After, counted; ends the request. */
void hd_request_shed(struct hd_request *req, enum hd_shed why);
/** The same for a server transaction, which it does not let go. */
void hd_irq_shed(struct hd_irq *irq, enum hd_shed why);

#endif
