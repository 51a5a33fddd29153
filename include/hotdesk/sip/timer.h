/*
 * timer.h - timers on the SIP thread.
 *
 * Layer: 3.  May include: base, sofia-sip.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_TIMER_H
#define HOTDESK_SIP_TIMER_H

#include <stdint.h>

#include "hotdesk/base/error.h"

struct hd_agent;
struct hd_sip_timer;

typedef void hd_sip_timer_fn(void *arg);
HD_MUSTCHECK int hd_sip_timer_new(struct hd_sip_timer **tp, struct hd_agent *agent,
				  hd_sip_timer_fn *fn, void *arg);
/** Once, after in_ms; a running one is set anew. */
void hd_sip_timer_set(struct hd_sip_timer *timer, int64_t in_ms);
void hd_sip_timer_cancel(struct hd_sip_timer *timer);
void hd_sip_timer_free(struct hd_sip_timer *timer);

#endif
