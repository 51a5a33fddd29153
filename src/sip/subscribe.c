/* subscribe.c - SUBSCRIBE: taken or refused (RFC 6665 4.2.1); see notifier_priv.h. */
#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/sip/overload.h"
#include "notifier_priv.h"

/* RFC 6665 4.2.1.1: an hour or more is never too brief. */
enum { NEVER_BRIEF_S = 3600, LINE_SIZE = 128 };

static const struct hd_slice no_body = { NULL, 0 };

static struct hd_metric refused =
	HD_COUNTER("hotdeskd_subscribes", "result=\"refused\"", "SUBSCRIBEs to events of ours");
static struct hd_metric taken =
	HD_COUNTER("hotdeskd_subscribes", "result=\"accepted\"", "SUBSCRIBEs to events of ours");

/** What a refusal says; lines "" for none. */
struct verdict {
	int status; /* 0: none */
	char lines[LINE_SIZE];
};

static bool refuse(struct verdict *v, int status, const char *name, const char *value)
{
	v->status = status;
	if (name)
		snprintf(v->lines, sizeof(v->lines), "%s: %s\r\n", name, value);
	return false;
}

/* ---- what every SUBSCRIBE must say ---------------------------------------------------------- */

static bool takes(struct hd_slice range, const char *type)
{
	struct hd_slice main_type = { type, strcspn(type, "/") + 1 };

	range = hd_slice_trim((struct hd_slice){ range.ptr, strcspn(range.ptr, ";") });
	if (hd_slice_is(range, "*/*") || hd_slice_caseis(range, type))
		return true;
	return range.len == main_type.len + 1 && range.ptr[range.len - 1] == '*' &&
	       hd_slice_caseeq((struct hd_slice){ range.ptr, main_type.len }, main_type);
}

static bool check_accept(struct hd_msg *msg, const char *type, struct verdict *v)
{
	const char *value = hd_msg_header(msg, "Accept", 0);

	if (!value)
		return true;
	for (unsigned i = 0; (value = hd_msg_header(msg, "Accept", i)); i++)
		if (takes(hd_slice_of(value), type))
			return true;
	return refuse(v, 406, "Accept", type);
}

static bool check_require(struct hd_msg *msg, struct verdict *v)
{
	const char *value = hd_msg_header(msg, "Require", 0);

	return value && *value ? refuse(v, 420, "Unsupported", value) : true;
}

static bool check_expires(const struct hd_notifier *n, struct hd_msg *msg, uint32_t *expires_sp,
			  struct verdict *v)
{
	const struct hd_notifier_limits *l = &n->options.limits;
	int64_t asked_s = hd_msg_expires(msg);
	char least[16];

	if (asked_s < 0)
		asked_s = l->expires_default_s;
	if (asked_s > 0 && asked_s < l->expires_min_s && asked_s < NEVER_BRIEF_S) {
		snprintf(least, sizeof(least), "%u", l->expires_min_s);
		return refuse(v, 423, "Min-Expires", least);
	}
	*expires_sp = asked_s < l->expires_max_s ? (uint32_t)asked_s : l->expires_max_s;
	return true;
}

static bool check(const struct hd_notifier *n, struct hd_msg *msg, const struct package *p,
		  uint32_t *expires_sp, struct verdict *v)
{
	if (!check_require(msg, v) || !check_accept(msg, p->p.content_type, v) ||
	    !check_expires(n, msg, expires_sp, v))
		return false;
	if (hd_msg_body(msg).len && !p->p.receive)
		return refuse(v, 415, NULL, NULL);
	return true;
}

static void log_refusal(const char *phone, struct hd_msg *msg, int status)
{
	const char *event = hd_msg_header(msg, "Event", 0);

	hd_metric_register(&refused);
	hd_metric_add(&refused, 1);
	hd_log_call(HD_LOG_INFO, "notifier", hd_msg_call_id(msg), "%s: SUBSCRIBE to %s refused: %d",
		    phone, event ? event : "no event", status);
}

static void reply_refusal(struct hd_request *req, const char *phone, const struct verdict *v)
{
	log_refusal(phone, hd_request_msg(req), v->status);
	hd_request_reply(req, v->status, NULL, v->lines);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void reply_taken(struct hd_irq *irq, const struct hd_subscription *s, uint32_t expires_s)
{
	struct hd_msg *msg = hd_irq_msg(irq);
	struct hd_buf lines = { 0 };
	const char *route;

	hd_metric_register(&taken);
	hd_metric_add(&taken, 1);
	hd_buf_addf(&lines, "Expires: %u\r\nContact: <%s>\r\nAllow-Events: %s\r\n", expires_s,
		    s->contact, hd_notifier_events(s->notifier));
	for (unsigned i = 0; (route = hd_msg_header(msg, "Record-Route", i)); i++)
		hd_buf_addf(&lines, "Record-Route: %s\r\n", route); /* RFC 3261 12.1.1 */
	hd_irq_reply(irq, 200, NULL, hd_buf_text(&lines), no_body);
	hd_buf_fini(&lines);
}

static int status_of(int err)
{
	return err == HD_EPARSE || err == HD_ELIMIT ? 400 : 500;
}

/* @return 200, HD_NOTIFY_LATER or the status of a refusal */
static int read_body(struct hd_subscription *s, struct hd_msg *msg)
{
	const struct hd_package *p = &s->package->p;

	return hd_msg_body(msg).len ? p->receive(p->arg, s, msg) : 200;
}

static void on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	(void)arg;
	(void)irq;
	(void)event;
	(void)msg;
}

/* ---- a new subscription --------------------------------------------------------------------- */

/* RFC 3261 8.2.2.2: the same request by another way. Or the phone has forgotten what it had. */
static bool check_twin(struct hd_notifier *n, struct hd_msg *msg, const char *phone,
		       struct verdict *v)
{
	struct hd_subscription *s, *next;
	struct watcher *w;

	HASH_FIND_STR(n->watchers, phone, w);
	if (!w || !hd_msg_from_tag(msg)[0])
		return true;
	for (s = w->subscriptions; s; s = next) {
		next = s->next;
		if (strcmp(s->call_id, hd_msg_call_id(msg)) != 0 ||
		    strcmp(s->remote_tag, hd_msg_from_tag(msg)) != 0)
			continue;
		if (s->remote_cseq == hd_msg_cseq(msg))
			return refuse(v, 482, NULL, NULL);
		if (w->n == 1) { /* w goes with it */
			subscription_free(s);
			return true;
		}
		subscription_free(s);
	}
	return true;
}

static bool has_room(const struct hd_notifier *n, const char *phone)
{
	struct watcher *w;

	HASH_FIND_STR(n->watchers, phone, w);
	return HASH_COUNT(n->subscriptions) < n->options.limits.subscriptions_max &&
	       (!w || w->n < n->options.limits.phone_max);
}

/* A phone that was switched off says 481 to what it subscribed to before; so ask it. */
static void probe_others(const struct hd_subscription *s)
{
	struct hd_subscription *other;

	for (other = s->topic->subscriptions; other; other = other->t_next)
		if (other != s && other->watcher == s->watcher)
			notifier_enqueue(other);
}

static void begin(struct hd_subscription *s, struct hd_irq *irq, uint32_t expires_s, int taken_as)
{
	hd_log_call(HD_LOG_INFO, "notifier", s->call_id, "%s: subscribed to %s of %s for %u s",
		    s->watcher->phone, s->package->p.event, hd_subscription_resource(s), expires_s);
	subscription_extend(s, expires_s);
	reply_taken(irq, s, expires_s);
	if (expires_s)
		probe_others(s);
	if (taken_as == 200 || !expires_s)
		subscription_notify(s);
}

static void open_subscription(struct hd_notifier *n, struct hd_irq *irq, struct package *p,
			      const struct hd_subscribe *ask, uint32_t expires_s)
{
	struct hd_msg *msg = hd_irq_msg(irq);
	struct hd_subscription *s = NULL;
	char resource[HD_RESOURCE_SIZE] = "";
	int status, err;

	status = p->p.may(p->p.arg, ask, resource);
	if (status / 100 == 2) {
		err = subscription_new(&s, n, p, irq, ask, resource);
		if (!err && status == 202)
			s->state = SUBSCRIPTION_PENDING;
		status = err ? status_of(err) : read_body(s, msg);
	}
	if (s && (status == 200 || status == HD_NOTIFY_LATER)) {
		begin(s, irq, expires_s, status);
		return;
	}
	if (s)
		subscription_free(s);
	log_refusal(ask->phone, msg, status);
	hd_irq_reply(irq, status, NULL, NULL, no_body);
}

void hd_notifier_receive(struct hd_notifier *n, struct hd_request *req, const char *phone)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct package *p = notifier_package(n, msg);
	struct hd_subscribe ask = { .phone = phone };
	struct verdict v = { 0 };
	uint32_t expires_s = 0;
	struct hd_irq *irq;
	struct hd_uri uri;

	if (!p) {
		log_refusal(phone, msg, 489);
		hd_notifier_refuse_event(n, req);
		return;
	}
	if (!check(n, msg, p, &expires_s, &v) || !check_twin(n, msg, phone, &v)) {
		reply_refusal(req, phone, &v);
		return;
	}
	if (!has_room(n, phone)) {
		log_refusal(phone, msg, 503);
		hd_request_shed(req, HD_SHED_SUBSCRIPTIONS);
		return;
	}
	if (hd_irq_new(&irq, req, on_irq, n))
		return;
	msg = hd_irq_msg(irq);
	hd_msg_ruri(msg, &uri);
	ask.user = uri.user;
	ask.parameters = event_parameters(msg);
	open_subscription(n, irq, p, &ask, expires_s);
	hd_irq_free(irq);
}

/* ---- inside its dialog ---------------------------------------------------------------------- */

static bool check_dialog(const struct hd_subscription *s, struct hd_msg *msg, const char *phone,
			 struct verdict *v)
{
	if (strcmp(s->watcher->phone, phone) != 0)
		return refuse(v, 403, NULL, NULL);
	if (hd_msg_cseq(msg) <= s->remote_cseq)
		return refuse(v, 500, NULL, NULL); /* RFC 3261 12.2.2 */
	if (s->state == SUBSCRIPTION_TERMINATED)
		return refuse(v, 481, NULL, NULL);
	/* One dialog holds one subscription here (RFC 6665 4.5.2 wants it so). */
	if (notifier_package(s->notifier, msg) != s->package ||
	    strcmp(event_parameters(msg), s->parameters) != 0)
		return refuse(v, 403, NULL, NULL);
	return true;
}

static void refresh(struct hd_subscription *s, struct hd_irq *irq, uint32_t expires_s)
{
	struct hd_msg *msg = hd_irq_msg(irq);
	int status, err;

	s->remote_cseq = hd_msg_cseq(msg);
	err = hd_msg_header(msg, "Contact", 0) ? subscription_retarget(s, msg, hd_irq_flow(irq))
					       : 0;
	status = err ? status_of(err) : read_body(s, msg);
	if (status != 200 && status != HD_NOTIFY_LATER) {
		log_refusal(s->watcher->phone, msg, status);
		hd_irq_reply(irq, status, NULL, NULL, no_body);
		return;
	}
	subscription_extend(s, expires_s);
	reply_taken(irq, s, expires_s);
	if (!expires_s)
		hd_log_call(HD_LOG_INFO, "notifier", s->call_id, "%s: %s of %s ended by the phone",
			    s->watcher->phone, s->package->p.event, hd_subscription_resource(s));
	if (status == 200 || !expires_s)
		subscription_notify(s);
}

static void receive_subscribe(struct hd_subscription *s, struct hd_request *req, const char *phone)
{
	struct hd_notifier *n = s->notifier;
	struct hd_msg *msg = hd_request_msg(req);
	struct verdict v = { 0 };
	uint32_t expires_s = 0;
	struct hd_irq *irq;

	if (!check_dialog(s, msg, phone, &v) || !check(n, msg, s->package, &expires_s, &v)) {
		reply_refusal(req, phone, &v);
		return;
	}
	if (hd_irq_new(&irq, req, on_irq, n))
		return;
	refresh(s, irq, expires_s);
	hd_irq_free(irq);
}

bool hd_notifier_receive_in_dialog(struct hd_notifier *n, struct hd_request *req, const char *phone)
{
	struct hd_subscription *s = subscription_find(n, hd_request_msg(req));

	if (!s)
		return false;
	if (hd_msg_method(hd_request_msg(req)) == HD_METHOD_SUBSCRIBE)
		receive_subscribe(s, req, phone);
	else if (strcmp(s->watcher->phone, phone) == 0)
		hd_request_reply(req, 405, NULL, "Allow: SUBSCRIBE\r\n");
	else
		hd_request_reply(req, 403, NULL, NULL);
	return true;
}
