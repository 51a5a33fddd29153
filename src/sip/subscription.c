/* subscription.c - one subscription: its dialog, its time, its end; see notifier_priv.h. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "hotdesk/base/metric.h"
#include "hotdesk/sip/uac_auth.h"
#include "notifier_priv.h"
#include "sip_priv.h"

static struct hd_metric subscribed =
	HD_GAUGE("hotdeskd_subscriptions", NULL, "subscriptions to events");

static void id_of(uint8_t id[SUBSCRIPTION_ID_SIZE], const char *call_id, const char *tag)
{
	struct hd_slice parts[] = { hd_slice_of(call_id), hd_slice_of("\n"), hd_slice_of(tag) };

	hd_sha256(id, parts, sizeof(parts) / sizeof(parts[0]));
}

struct hd_subscription *subscription_find(struct hd_notifier *n, struct hd_msg *msg)
{
	uint8_t id[SUBSCRIPTION_ID_SIZE];
	struct hd_subscription *s;

	id_of(id, hd_msg_call_id(msg), hd_msg_to_tag(msg));
	HASH_FIND(hh, n->subscriptions, id, SUBSCRIPTION_ID_SIZE, s);
	return s && strcmp(s->remote_tag, hd_msg_from_tag(msg)) == 0 ? s : NULL;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void leave_topic(struct hd_subscription *s)
{
	struct topic *t = s->topic;

	if (!t)
		return;
	DL_DELETE2(t->subscriptions, s, t_prev, t_next);
	if (t->subscriptions)
		return;
	HASH_DEL(s->notifier->topics, t);
	free(t->key);
	free(t);
}

static void leave_watcher(struct hd_subscription *s)
{
	struct watcher *w = s->watcher;

	if (!w)
		return;
	DL_DELETE(w->subscriptions, s);
	w->n--;
	if (w->n)
		return;
	HASH_DEL(s->notifier->watchers, w);
	hd_sip_timer_free(w->timer);
	free(w->phone);
	free(w);
}

static void free_texts(struct hd_subscription *s)
{
	free(s->call_id);
	free(s->local_tag);
	free(s->remote_tag);
	free(s->local_uri);
	free(s->remote_uri);
	free(s->target);
	free(s->contact);
	free(s->routes);
	free(s->parameters);
}

void subscription_free(struct hd_subscription *s)
{
	if (s->package->p.ended)
		s->package->p.ended(s->package->p.arg, s);
	notifier_dequeue(s);
	if (s->hh.tbl) {
		HASH_DEL(s->notifier->subscriptions, s);
		hd_metric_add(&subscribed, -1);
	}
	leave_topic(s);
	leave_watcher(s);
	hd_orq_free(s->notify);
	hd_sip_timer_free(s->expiry);
	hd_uac_auth_free(s->auth);
	free_texts(s);
	free(s);
}

/* ---- its time ------------------------------------------------------------------------------- */

void hd_subscription_end(struct hd_subscription *s, const char *reason)
{
	if (s->state == SUBSCRIPTION_TERMINATED)
		return;
	s->state = SUBSCRIPTION_TERMINATED;
	s->reason = reason;
	subscription_notify(s);
}

static void on_expiry(void *arg)
{
	hd_subscription_end(arg, "timeout");
}

void subscription_extend(struct hd_subscription *s, uint32_t expires_s)
{
	s->until_ms = hd_clock_mono_ms(s->notifier->options.clock) + (int64_t)expires_s * 1000;
	s->since_ms = hd_clock_wall_ms(s->notifier->options.clock);
	if (expires_s) {
		hd_sip_timer_set(s->expiry, (int64_t)expires_s * 1000);
		return;
	}
	hd_sip_timer_cancel(s->expiry);
	s->state = SUBSCRIPTION_TERMINATED;
	s->reason = "timeout"; /* RFC 6665 4.2.1.4 */
}

/* ---- its beginning -------------------------------------------------------------------------- */

static char *text_of(const char *text)
{
	return strdup(text ? text : "");
}

/* Of a sips: subscription the Contact is one, too (RFC 3261 12.1.1). */
static int keep_contact(struct hd_subscription *s, struct hd_msg *msg)
{
	struct hd_buf contact = { 0 };
	struct hd_flow flow;
	struct hd_uri uri;
	char local[160];
	int err;

	err = hd_flow_parse(&flow, s->flow);
	if (!err)
		err = hd_flow_local_uri(s->notifier->options.agent, &flow, local, sizeof(local));
	if (err)
		return err;
	hd_msg_ruri(msg, &uri);
	hd_buf_adds(&contact, uri.scheme == HD_URI_SIPS ? "sips:" : "sip:");
	if (uri.user.len) {
		hd_buf_add(&contact, uri.user);
		hd_buf_adds(&contact, "@");
	}
	hd_buf_adds(&contact, local + strlen("sip:"));
	s->contact = hd_buf_take(&contact);
	return s->contact ? 0 : HD_ENOMEM;
}

int subscription_retarget(struct hd_subscription *s, struct hd_msg *msg, const char *flow)
{
	const struct hd_notifier_options *o = &s->notifier->options;
	struct hd_contact contact;
	char *target;
	size_t n = 1;
	bool star;

	hd_msg_contacts(msg, &contact, &n, &star);
	if (n != 1 || star || contact.uri.scheme > HD_URI_SIPS)
		return HD_EPARSE;
	target = strdup(contact.uri_text);
	if (!target)
		return HD_ENOMEM;
	free(s->target);
	s->target = target;
	s->held = false;
	s->bound = o->is_bound && o->is_bound(o->arg, s->watcher->phone, flow);
	return hd_str_set(s->flow, sizeof(s->flow), flow);
}

static int join_watcher(struct hd_subscription *s, const char *phone)
{
	struct watcher *w;

	HASH_FIND_STR(s->notifier->watchers, phone, w);
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return HD_ENOMEM;
		w->notifier = s->notifier;
		w->phone = strdup(phone);
		if (!w->phone) {
			free(w);
			return HD_ENOMEM;
		}
		HASH_ADD_KEYPTR(hh, s->notifier->watchers, w->phone, strlen(w->phone), w);
	}
	DL_APPEND(w->subscriptions, s);
	w->n++;
	s->watcher = w;
	return 0;
}

static int join_topic(struct hd_subscription *s, const char *resource)
{
	struct hd_buf key = { 0 };
	struct topic *t;

	hd_buf_addf(&key, "%s %s", s->package->p.event, resource);
	HASH_FIND_STR(s->notifier->topics, hd_buf_text(&key), t);
	if (!t) {
		t = calloc(1, sizeof(*t));
		if (t)
			t->key = hd_buf_take(&key);
		if (!t || !t->key) {
			free(t);
			hd_buf_fini(&key);
			return HD_ENOMEM;
		}
		HASH_ADD_KEYPTR(hh, s->notifier->topics, t->key, strlen(t->key), t);
	}
	hd_buf_fini(&key);
	DL_APPEND2(t->subscriptions, s, t_prev, t_next);
	s->topic = t;
	return 0;
}

static int keep_dialog(struct hd_subscription *s, struct hd_irq *irq)
{
	struct hd_msg *msg = hd_irq_msg(irq);
	int err;

	s->call_id = text_of(hd_msg_call_id(msg));
	s->local_tag = text_of(hd_irq_tag(irq));
	s->remote_tag = text_of(hd_msg_from_tag(msg));
	s->local_uri = text_of(hd_msg_to_text(msg));
	s->remote_uri = text_of(hd_msg_from_text(msg));
	s->parameters = text_of(event_parameters(msg));
	s->remote_cseq = hd_msg_cseq(msg);
	if (!s->call_id || !s->local_tag || !s->remote_tag || !s->local_uri || !s->remote_uri ||
	    !s->parameters)
		return HD_ENOMEM;
	id_of(s->id, s->call_id, s->local_tag);
	err = subscription_retarget(s, msg, hd_irq_flow(irq));
	if (!err)
		err = keep_contact(s, msg);
	return err ? err : hd_msg_route_set(msg, &s->routes);
}

int subscription_new(struct hd_subscription **sp, struct hd_notifier *n, struct package *package,
		     struct hd_irq *irq, const struct hd_subscribe *ask, const char *resource)
{
	struct hd_subscription *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return HD_ENOMEM;
	hd_metric_register(&subscribed);
	s->notifier = n;
	s->package = package;
	s->state = SUBSCRIPTION_ACTIVE;
	err = join_watcher(s, ask->phone);
	if (!err)
		err = join_topic(s, resource);
	if (!err)
		err = keep_dialog(s, irq);
	if (!err)
		err = hd_sip_timer_new(&s->expiry, n->options.agent, on_expiry, s);
	if (err) {
		subscription_free(s);
		return err;
	}
	HASH_ADD(hh, n->subscriptions, id, SUBSCRIPTION_ID_SIZE, s);
	hd_metric_add(&subscribed, 1);
	*sp = s;
	return 0;
}

/* ---- for its package ------------------------------------------------------------------------ */

const char *hd_subscription_phone(const struct hd_subscription *s)
{
	return s->watcher->phone;
}

const char *hd_subscription_resource(const struct hd_subscription *s)
{
	return s->topic->key + strlen(s->package->p.event) + 1;
}

const char *hd_subscription_uri(const struct hd_subscription *s)
{
	return s->local_uri;
}

uint32_t hd_subscription_version(const struct hd_subscription *s)
{
	return s->made;
}

uint32_t hd_subscription_left_s(const struct hd_subscription *s)
{
	int64_t left_ms = s->until_ms - hd_clock_mono_ms(s->notifier->options.clock);

	return left_ms > 0 ? (uint32_t)((left_ms + 999) / 1000) : 0;
}

void hd_subscription_addresses(const struct hd_subscription *s, char *local, char *remote,
			       size_t size)
{
	struct hd_flow flow;

	local[0] = remote[0] = '\0';
	if (!hd_flow_parse(&flow, s->flow))
		hd_flow_addresses(s->notifier->options.agent, &flow, local, remote, size);
}

void hd_subscription_set_data(struct hd_subscription *s, void *data)
{
	s->data = data;
}

void *hd_subscription_data(const struct hd_subscription *s)
{
	return s->data;
}

void hd_subscription_push(struct hd_subscription *s)
{
	subscription_notify(s);
}

void hd_subscription_approve(struct hd_subscription *s)
{
	if (s->state != SUBSCRIPTION_PENDING)
		return;
	s->state = SUBSCRIPTION_ACTIVE;
	subscription_notify(s);
}
