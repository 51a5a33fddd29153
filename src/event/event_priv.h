/* event_priv.h - what loop.c shows to timer.c. */
#ifndef EVENT_PRIV_H
#define EVENT_PRIV_H

#include <event2/event.h>

#include "hotdesk/event.h"

enum { HD_LOOP_SIGNALS_MAX = 8 };

struct hd_loop_signal {
	struct event *event;
	hd_signal_fn *fn;
	void *arg;
};

struct hd_loop {
	struct event_base *base;
	struct hd_mailbox *mailbox;
	struct event *mail; /* the mailbox is readable */
	int stopping;
	int signal_count;
	struct hd_loop_signal signals[HD_LOOP_SIGNALS_MAX];
};

#endif
