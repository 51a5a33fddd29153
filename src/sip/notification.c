/* notification.c - NOTIFYs of a subscription, and what becomes of them; see notifier_priv.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/sip/uac_auth.h"
#include "notifier_priv.h"

enum { AGAIN_MS = 2000, RETRY_AFTER_MAX_S = 3600 };

#define HELP "NOTIFYs of subscriptions"
static struct hd_metric accepted = HD_COUNTER("hotdeskd_notifies", "result=\"accepted\"", HELP);
static struct hd_metric refused = HD_COUNTER("hotdeskd_notifies", "result=\"refused\"", HELP);
static struct hd_metric lost = HD_COUNTER("hotdeskd_notifies", "result=\"lost\"", HELP);

void notification_register_metrics(void)
{
	hd_metric_register(&accepted);
	hd_metric_register(&refused);
	hd_metric_register(&lost);
}

static void lose(struct hd_subscription *s, const char *why)
{
	hd_log_call(HD_LOG_INFO, "notifier", s->call_id, "%s: %s of %s ended: %s",
		    s->watcher->phone, s->package->p.event, hd_subscription_resource(s), why);
	subscription_free(s);
}

/* ---- NOTIFY: what it says ------------------------------------------------------------------- */

static void add_state(struct hd_buf *lines, const struct hd_subscription *s)
{
	hd_buf_addf(lines, "Contact: <%s>\r\nEvent: %s%s\r\n", s->contact, s->package->p.event,
		    s->parameters);
	if (s->state == SUBSCRIPTION_TERMINATED) {
		hd_buf_addf(lines, "Subscription-State: terminated;reason=%s", s->reason);
		if (s->retry_after_s)
			hd_buf_addf(lines, ";retry-after=%u", s->retry_after_s);
	} else {
		hd_buf_addf(lines, "Subscription-State: %s;expires=%u",
			    s->state == SUBSCRIPTION_PENDING ? "pending" : "active",
			    hd_subscription_left_s(s));
	}
	hd_buf_addf(lines, "\r\nAllow-Events: %s\r\n", hd_notifier_events(s->notifier));
	hd_buf_adds(lines, s->routes ? s->routes : "");
}

/* A pending subscription learns nothing of its resource (RFC 6665 4.1.3, 5.4.1). */
static int add_body(struct hd_buf *lines, struct hd_buf *body, struct hd_subscription *s)
{
	const struct hd_package *p = &s->package->p;
	struct hd_buf type = { 0 };
	int err = 0;

	if (s->state != SUBSCRIPTION_PENDING)
		err = p->body(p->arg, s, body, &type);
	if (err == HD_ENOENT && s->state != SUBSCRIPTION_TERMINATED) {
		s->state = SUBSCRIPTION_TERMINATED;
		s->reason = "noresource";
	}
	if (err == HD_ENOENT) {
		hd_buf_fini(body);
		err = 0;
	}
	if (!err)
		err = hd_buf_error(body) ? HD_ENOMEM : hd_buf_error(&type);
	if (!err && body->len)
		hd_buf_addf(lines, "Content-Type: %s\r\n",
			    type.len ? hd_buf_text(&type) : p->content_type);
	hd_buf_fini(&type);
	return err;
}

static int make(struct hd_msg **msgp, struct hd_subscription *s, bool with_body)
{
	struct hd_buf from = { 0 }, to = { 0 }, lines = { 0 }, body = { 0 };
	struct hd_new_request nr = { .method = "NOTIFY", .ruri = s->target, .call_id = s->call_id };
	struct hd_buf tail = { 0 };
	int err = 0;

	if (with_body)
		err = add_body(&tail, &body, s); /* before the state, which it may end */
	if (err)
		goto out;
	hd_buf_addf(&from, "<%s>;tag=%s", s->local_uri, s->local_tag);
	hd_buf_addf(&to, "<%s>%s%s", s->remote_uri, *s->remote_tag ? ";tag=" : "", s->remote_tag);
	add_state(&lines, s);
	hd_buf_adds(&lines, hd_buf_text(&tail));
	nr.from = hd_buf_text(&from);
	nr.to = hd_buf_text(&to);
	nr.cseq = ++s->cseq;
	nr.lines = hd_buf_text(&lines);
	nr.body = (struct hd_slice){ hd_buf_text(&body), body.len };
	err = hd_buf_error(&from) || hd_buf_error(&to) || hd_buf_error(&lines) ? HD_ENOMEM : 0;
	if (!err)
		err = hd_msg_new_request(msgp, &nr);
	if (!err)
		s->made++;
	if (!err && s->auth) {
		err = hd_uac_auth_add(s->auth, *msgp);
		if (err)
			hd_msg_free(*msgp);
	}
out:
	hd_buf_fini(&from);
	hd_buf_fini(&to);
	hd_buf_fini(&lines);
	hd_buf_fini(&body);
	hd_buf_fini(&tail);
	return err;
}

/* ---- NOTIFY: where it goes ------------------------------------------------------------------ */

/* A phone that has registered from elsewhere is there now, with another Contact. */
static void follow(struct hd_subscription *s)
{
	const struct hd_notifier_options *o = &s->notifier->options;
	struct hd_moved from, to;
	char *target;

	if (!s->bound || !o->moved || hd_str_set(from.flow, sizeof(from.flow), s->flow) ||
	    hd_str_set(from.contact_uri, sizeof(from.contact_uri), s->target) ||
	    !o->moved(o->arg, s->watcher->phone, &from, s->since_ms, &to))
		return;
	target = strdup(to.contact_uri);
	if (!target)
		return;
	hd_log_call(HD_LOG_INFO, "notifier", s->call_id, "%s: has moved, NOTIFYs go to %s",
		    s->watcher->phone, to.contact_uri);
	free(s->target);
	s->target = target;
	memcpy(s->flow, to.flow, sizeof(s->flow));
	free(s->routes);
	s->routes = NULL;
}

static void find_target(struct hd_subscription *s, struct hd_msg *msg, struct hd_target *target)
{
	const char *route = hd_msg_route_text(msg);

	hd_flow_target(s->notifier->options.agent, s->flow, route ? route : s->target, target);
}

/* ---- NOTIFY: sent, and what becomes of it ---------------------------------------------------- */

static void on_answer(void *arg, struct hd_orq *orq, int status, struct hd_msg *response);

static int send(struct hd_subscription *s)
{
	struct hd_target target;
	struct hd_msg *msg;
	int err;

	follow(s);
	err = make(&msg, s, true);
	if (err)
		return err;
	find_target(s, msg, &target);
	s->final = s->state == SUBSCRIPTION_TERMINATED;
	return hd_orq_new(&s->notify, s->notifier->options.agent, msg, &target, on_answer, s);
}

/* Its connection is closed. The phone registers again, or else the time runs out. */
static void hold(struct hd_subscription *s)
{
	if (s->state == SUBSCRIPTION_TERMINATED) {
		lose(s, "no way to the phone");
		return;
	}
	s->held = s->due = true;
}

void subscription_notify(struct hd_subscription *s)
{
	int err;

	notifier_dequeue(s);
	s->due = true;
	if (s->notify)
		return;
	if (s->held) {
		hold(s);
		return;
	}
	err = send(s);
	if (!err) {
		s->due = false;
		watcher_count(s->watcher);
	} else if (err == HD_EGONE || err == HD_ENOENT) {
		hold(s);
	} else if (err == HD_EBUSY && s->state != SUBSCRIPTION_TERMINATED) {
		notifier_wait(s, AGAIN_MS);
	} else if (s->state == SUBSCRIPTION_TERMINATED || err == HD_EPARSE || err == HD_EINVAL) {
		lose(s, hd_strerror(err));
	} else {
		hd_log_call(HD_LOG_WARNING, "notifier", s->call_id, "%s: NOTIFY of %s put off: %s",
			    s->watcher->phone, hd_subscription_resource(s), hd_strerror(err));
		notifier_wait(s, AGAIN_MS);
	}
}

/* RFC 5057 5.1, RFC 6665 4.2.2: the phone knows nothing of it, or never will. */
static bool is_end(int status)
{
	switch (status) {
	case 404:
	case 405:
	case 410:
	case 416:
	case 489:
	case 501:
	case 604:
		return true;
	default:
		return status >= 480 && status <= 485;
	}
}

/* @return true: it is going to be repeated with credentials */
static bool answer_challenge(struct hd_subscription *s, int status, struct hd_msg *response)
{
	const struct hd_notifier_options *o = &s->notifier->options;

	if ((status != 401 && status != 407) || !o->challenged)
		return false;
	if (!s->auth && hd_uac_auth_new(&s->auth))
		return false;
	return o->challenged(o->arg, s->watcher->phone, s->auth, response) == 0;
}

static uint32_t retry_after_s(struct hd_msg *response)
{
	const char *value = hd_msg_header(response, "Retry-After", 0);
	uint64_t in_s = 0;

	if (!value || hd_u64_parse(&in_s, (struct hd_slice){ value, strspn(value, "0123456789") },
				   UINT32_MAX))
		return 0;
	return in_s < RETRY_AFTER_MAX_S ? (uint32_t)in_s : RETRY_AFTER_MAX_S;
}

static void on_refusal(struct hd_subscription *s, int status, struct hd_msg *response)
{
	uint32_t in_s = retry_after_s(response);
	char why[64];

	hd_metric_add(&refused, 1);
	snprintf(why, sizeof(why), "NOTIFY answered %d", status);
	if (s->final || (is_end(status) && !in_s)) {
		lose(s, why);
		return;
	}
	hd_log_call(HD_LOG_INFO, "notifier", s->call_id, "%s: %s", s->watcher->phone, why);
	if (in_s) {
		s->due = true;
		notifier_wait(s, (int64_t)in_s * 1000);
	} else if (s->due) {
		notifier_enqueue(s);
	}
}

static void on_silence(struct hd_subscription *s, int status)
{
	hd_metric_add(&lost, 1);
	if (status == 503)
		hold(s);
	else
		lose(s, "NOTIFY not answered");
}

static void on_answer(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct hd_subscription *s = arg;

	if (status < 200)
		return;
	s->notify = NULL;
	if (!response) {
		on_silence(s, status);
	} else if (answer_challenge(s, status, response)) {
		subscription_notify(s);
	} else if (status >= 300) {
		on_refusal(s, status, response);
	} else {
		if (s->auth)
			hd_uac_auth_accepted(s->auth);
		hd_metric_add(&accepted, 1);
		if (s->final)
			subscription_free(s);
		else if (s->due)
			notifier_enqueue(s);
	}
	hd_orq_free(orq);
}

void subscription_say_goodbye(struct hd_subscription *s)
{
	const struct hd_notifier_limits *l = &s->notifier->options.limits;
	struct hd_target target;
	struct hd_msg *msg;

	if (s->held || s->state == SUBSCRIPTION_TERMINATED)
		return;
	s->state = SUBSCRIPTION_TERMINATED;
	s->reason = "probation";
	s->retry_after_s = l->retry_after_min_s;
	if (l->retry_after_max_s > l->retry_after_min_s)
		s->retry_after_s += hd_random_u32(l->retry_after_max_s - l->retry_after_min_s + 1);
	if (make(&msg, s, false))
		return;
	find_target(s, msg, &target);
	if (hd_agent_send(s->notifier->options.agent, msg, &target, NULL))
		hd_log_call(HD_LOG_DEBUG, "notifier", s->call_id, "%s: not told of the end",
			    s->watcher->phone);
}
