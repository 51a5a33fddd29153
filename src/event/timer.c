/* timer.c - one-shot timers of the control loop; see event.h. */
#include <stdlib.h>

#include "event_priv.h"

struct hd_timer {
	struct event *event;
	hd_timer_fn *fn;
	void *arg;
};

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	const struct hd_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->fn(timer->arg); /* may free the timer */
}

int hd_timer_new(struct hd_timer **tp, struct hd_loop *loop, hd_timer_fn *fn, void *arg)
{
	struct hd_timer *timer;

	if (!tp || !loop || !fn)
		return HD_EINVAL;
	timer = calloc(1, sizeof(*timer));
	if (!timer)
		return HD_ENOMEM;
	timer->event = evtimer_new(loop->base, on_timeout, timer);
	if (!timer->event) {
		free(timer);
		return HD_ENOMEM;
	}
	timer->fn = fn;
	timer->arg = arg;
	*tp = timer;
	return 0;
}

int hd_timer_set(struct hd_timer *timer, int64_t in_ms)
{
	struct timeval tv;

	if (!timer)
		return HD_ESYSTEM;
	if (in_ms < 0)
		in_ms = 0;
	tv.tv_sec = (time_t)(in_ms / 1000);
	tv.tv_usec = (suseconds_t)(in_ms % 1000 * 1000);
	return evtimer_add(timer->event, &tv) ? HD_ESYSTEM : 0;
}

void hd_timer_cancel(struct hd_timer *timer)
{
	if (timer)
		(void)evtimer_del(timer->event); /* fails for a NULL event only */
}

void hd_timer_free(struct hd_timer *timer)
{
	if (!timer)
		return;
	event_free(timer->event); /* removes it first */
	free(timer);
}
