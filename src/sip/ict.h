/*
 * ict.h - an INVITE client transaction after its first provisional response, kept by ourselves.
 *
 * The library holds a completed INVITE transaction for 32 s with both messages, 20 KB and more,
 * also when a 2xx has ended it. So once a provisional response has come, when nothing is
 * retransmitted any more, we let it go there and keep what RFC 3261 17.1.1.2 still wants: matching
 * by branch, the ACK for a final response other than 2xx and for its repetitions (Timer D), the
 * CANCEL. 2xx and their repetitions go up (RFC 6026).
 *
 * Layer: 3, inside sip/.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_ICT_H
#define HOTDESK_SIP_ICT_H

#include "sip_priv.h"

struct ict;
struct ict_table;

typedef void ict_fn(void *arg, int status, msg_t *response);

/** NULL without memory. */
struct ict_table *ict_table_new(struct hd_agent *agent);
/** Lets all of them go. NULL-safe. */
void ict_table_free(struct ict_table *table);

/**
 * Goes on with a transaction that the library has just been told to forget.
 * @param request as it was sent, our Via on top; moved
 * @param tport, url where it was sent; tport is borrowed, a reference is taken
 * @return NULL without memory; request is released then too
 */
struct ict *ict_new(struct ict_table *table, msg_t *request, tport_t *tport, const char *url,
		    ict_fn *fn, void *arg);
/** Sends the CANCEL, once, before a final response. reason: header value or NULL. */
void ict_cancel(struct ict *ict, const char *reason);
/** The owner lets go: no calls to fn any more. Acknowledging goes on for Timer D. */
void ict_free(struct ict *ict);

/** @return true when the response belonged to one of them; the message is still the caller's */
bool ict_receive(struct ict_table *table, msg_t *msg, const sip_t *sip);
/** Timer D; once a second. */
void ict_sweep(struct ict_table *table, int64_t mono_ms);

#endif
