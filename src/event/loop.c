/* loop.c - the control loop, its mailbox and its signals; see event.h. */
#include <stdlib.h>

#include "hotdesk/base/log.h"

#include "event_priv.h"

static void on_libevent_log(int severity, const char *text)
{
	static const enum hd_log_level levels[] = {
		[EVENT_LOG_DEBUG] = HD_LOG_DEBUG,
		[EVENT_LOG_MSG] = HD_LOG_INFO,
		[EVENT_LOG_WARN] = HD_LOG_WARNING,
		[EVENT_LOG_ERR] = HD_LOG_ERROR,
	};

	if (severity < EVENT_LOG_DEBUG || severity > EVENT_LOG_ERR)
		severity = EVENT_LOG_ERR;
	hd_log(levels[severity], "event", "libevent: %s", text);
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
	struct hd_loop *loop = arg;

	(void)fd;
	(void)what;
	(void)hd_mailbox_drain(loop->mailbox);
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
	const struct hd_loop_signal *sig = arg;

	(void)what;
	sig->fn(sig->arg, (int)signo);
}

/*
 * Timers are set from callbacks that may have run for a while: with libevent's cached or coarse
 * time they would go off early.
 */
static struct event_base *base_new(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base = NULL;

	if (!cfg)
		return NULL;
	if (!event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER |
						EVENT_BASE_FLAG_NO_CACHE_TIME |
						EVENT_BASE_FLAG_IGNORE_ENV))
		base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

int hd_loop_new(struct hd_loop **lp)
{
	struct hd_loop *loop;
	int err;

	if (!lp)
		return HD_EINVAL;
	event_set_log_callback(on_libevent_log);
	loop = calloc(1, sizeof(*loop));
	if (!loop)
		return HD_ENOMEM;
	err = hd_mailbox_new(&loop->mailbox);
	if (err)
		goto out;
	err = HD_ESYSTEM;
	loop->base = base_new();
	if (!loop->base)
		goto out;
	loop->mail = event_new(loop->base, hd_mailbox_fd(loop->mailbox), EV_READ | EV_PERSIST,
			       on_mail, loop);
	if (!loop->mail) {
		err = HD_ENOMEM;
		goto out;
	}
	if (event_add(loop->mail, NULL))
		goto out;
	*lp = loop;
	return 0;

out:
	hd_loop_free(loop);
	return err;
}

void hd_loop_free(struct hd_loop *loop)
{
	if (!loop)
		return;
	for (int i = 0; i < loop->signal_count; i++)
		event_free(loop->signals[i].event);
	if (loop->mail)
		event_free(loop->mail);
	if (loop->base)
		event_base_free(loop->base);
	hd_mailbox_free(loop->mailbox);
	free(loop);
}

int hd_loop_run(struct hd_loop *loop)
{
	if (!loop)
		return HD_ESYSTEM;
	/* A stop that came before the run counts too. */
	while (!loop->stopping)
		if (event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
			return HD_ESYSTEM;
	loop->stopping = 0;
	return 0;
}

void hd_loop_stop(struct hd_loop *loop)
{
	if (!loop)
		return;
	loop->stopping = 1;
	(void)event_base_loopbreak(loop->base); /* fails without a base only */
}

struct hd_mailbox *hd_loop_mailbox(struct hd_loop *loop)
{
	return loop->mailbox;
}

struct event_base *hd_loop_base(struct hd_loop *loop)
{
	return loop->base;
}

int hd_loop_signal(struct hd_loop *loop, int signo, hd_signal_fn *fn, void *arg)
{
	struct hd_loop_signal *sig;

	if (!loop || !fn)
		return HD_ESYSTEM;
	if (loop->signal_count == HD_LOOP_SIGNALS_MAX)
		return HD_ELIMIT;
	sig = &loop->signals[loop->signal_count];
	sig->event = event_new(loop->base, signo, EV_SIGNAL | EV_PERSIST, on_signal, sig);
	if (!sig->event)
		return HD_ESYSTEM;
	sig->fn = fn;
	sig->arg = arg;
	if (event_add(sig->event, NULL)) {
		event_free(sig->event);
		return HD_ESYSTEM;
	}
	loop->signal_count++;
	return 0;
}
