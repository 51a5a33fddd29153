/* timer.c - timers on the SIP thread; see hotdesk/sip/agent.h. */
#include <stdlib.h>

#include "sip_priv.h"

struct hd_sip_timer {
	su_timer_t *su;
	hd_sip_timer_fn *fn;
	void *arg;
};

int hd_sip_timer_new(struct hd_sip_timer **tp, struct hd_agent *agent, hd_sip_timer_fn *fn,
		     void *arg)
{
	struct hd_sip_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return HD_ENOMEM;
	t->su = su_timer_create(su_root_task(agent->root), 0);
	if (!t->su) {
		free(t);
		return HD_ENOMEM;
	}
	t->fn = fn;
	t->arg = arg;
	*tp = t;
	return 0;
}

static void expired(struct hd_agent *agent, su_timer_t *su, void *arg)
{
	struct hd_sip_timer *t = arg;

	(void)agent;
	(void)su;
	t->fn(t->arg);
}

void hd_sip_timer_set(struct hd_sip_timer *t, int64_t in_ms)
{
	su_timer_set_interval(t->su, expired, t, (su_duration_t)(in_ms > 0 ? in_ms : 1));
}

void hd_sip_timer_cancel(struct hd_sip_timer *t)
{
	if (t)
		su_timer_reset(t->su);
}

void hd_sip_timer_free(struct hd_sip_timer *t)
{
	if (!t)
		return;
	su_timer_destroy(t->su);
	free(t);
}
