/*
 * event.h - the control loop: mailboxes, timers and signals on libevent.
 *
 * Layer: 1.  May include: base.  Thread: control (main), but for hd_loop_mailbox() posts.
 */
#ifndef HOTDESK_EVENT_H
#define HOTDESK_EVENT_H

#include <stdint.h>

#include "hotdesk/base/error.h"
#include "hotdesk/base/mailbox.h"

struct event_base;
struct hd_loop;
struct hd_timer;

/** @return 0, HD_ENOMEM or HD_ESYSTEM */
HD_MUSTCHECK int hd_loop_new(struct hd_loop **lp);
void hd_loop_free(struct hd_loop *loop);
/** Runs until hd_loop_stop(). @return 0 or HD_ESYSTEM */
HD_MUSTCHECK int hd_loop_run(struct hd_loop *loop);
void hd_loop_stop(struct hd_loop *loop);
/** Drained by the loop. Borrowed; lives as long as the loop. */
struct hd_mailbox *hd_loop_mailbox(struct hd_loop *loop);
/** For http/ only, which runs evhttp on it. Borrowed. */
struct event_base *hd_loop_base(struct hd_loop *loop);

typedef void hd_timer_fn(void *arg);
/** A stopped timer. @return 0 or HD_ENOMEM */
HD_MUSTCHECK int hd_timer_new(struct hd_timer **tp, struct hd_loop *loop, hd_timer_fn *fn,
			      void *arg);
/** Runs fn once after in_ms; a running timer is set anew. @return 0 or HD_ESYSTEM */
HD_MUSTCHECK int hd_timer_set(struct hd_timer *timer, int64_t in_ms);
void hd_timer_cancel(struct hd_timer *timer);
void hd_timer_free(struct hd_timer *timer);

typedef void hd_signal_fn(void *arg, int signo);
/** Delivers a signal to the loop. At most 8. @return 0, HD_ELIMIT or HD_ESYSTEM */
HD_MUSTCHECK int hd_loop_signal(struct hd_loop *loop, int signo, hd_signal_fn *fn, void *arg);

#endif
