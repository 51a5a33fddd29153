/* probe.c - OPTIONS to each peer: is it up?  See hotdesk/upstream.h. */
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/base/secret.h"
#include "upstream_priv.h"

static struct hd_metric went_down =
	HD_COUNTER("hotdeskd_upstream_changes", "to=\"down\"", "peers that went down or came up");
static struct hd_metric came_up =
	HD_COUNTER("hotdeskd_upstream_changes", "to=\"up\"", "peers that went down or came up");

void probe_metrics(void)
{
	hd_metric_register(&went_down);
	hd_metric_register(&came_up);
}

/* Not all at the same moment. */
static void set_next(struct upstream_peer *p)
{
	const int64_t ms = (int64_t)p->peer.probe_s * 1000;

	hd_sip_timer_set(p->timer, ms * 9 / 10 + hd_random_u32((uint32_t)(ms / 5) + 1));
}

static void note(struct upstream_peer *p, int status)
{
	bool up = status != 408 && status != 503;

	p->status = status;
	if (up == p->up)
		return;
	p->up = up;
	p->changed_ms = hd_clock_wall_ms(p->u->o.clock);
	hd_metric_add(up ? &came_up : &went_down, 1);
	if (up)
		hd_notice("upstream", "%s: up again (%d)", p->peer.name, status);
	else
		hd_warn("upstream", "%s: down: OPTIONS %s", p->peer.name,
			status == 408 ? "not answered" : "cannot be sent, or answered 503");
}

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct upstream_peer *p = arg;

	(void)response;
	if (status < 200)
		return;
	hd_orq_free(orq);
	p->orq = NULL;
	note(p, status);
	set_next(p);
}

static void send(struct upstream_peer *p)
{
	const struct hd_target target = { .uri = p->peer.uri };
	struct hd_buf from = { 0 }, to = { 0 };
	struct hd_new_request request = { .method = "OPTIONS", .ruri = p->peer.uri, .cseq = 1 };
	uint8_t tag[8];
	char text[2 * sizeof(tag) + 1];
	struct hd_msg *msg;
	int err;

	hd_random_bytes(tag, sizeof(tag));
	hd_hex_format(text, tag, sizeof(tag));
	hd_buf_addf(&from, "<sip:%s>;tag=%s", p->u->o.domain, text);
	hd_buf_addf(&to, "<%s>", p->peer.uri);
	request.from = hd_buf_text(&from);
	request.to = hd_buf_text(&to);
	err = hd_buf_error(&from) ? HD_ENOMEM : hd_buf_error(&to);
	if (!err)
		err = hd_msg_new_request(&msg, &request);
	if (!err)
		err = hd_orq_new(&p->orq, p->u->o.agent, msg, &target, on_response, p);
	hd_buf_fini(&from);
	hd_buf_fini(&to);
	if (!err)
		return;
	p->orq = NULL;
	if (err != HD_ENOMEM)
		note(p, 503);
	set_next(p);
}

static void on_timer(void *arg)
{
	struct upstream_peer *p = arg;

	if (!p->orq)
		send(p);
}

void probe_start(struct upstream_peer *p)
{
	if (!p->peer.probe_s)
		return;
	if (hd_sip_timer_new(&p->timer, p->u->o.agent, on_timer, p)) {
		hd_error("upstream", "%s: no memory: not probed", p->peer.name);
		return;
	}
	hd_sip_timer_set(p->timer, 0);
}

void probe_stop(struct upstream_peer *p)
{
	hd_orq_free(p->orq);
	hd_sip_timer_free(p->timer);
	p->orq = NULL;
	p->timer = NULL;
}
