/* notifier.c - packages, and whose turn it is to be told; see hotdesk/sip/notifier.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <utlist.h>

#include "hotdesk/base/log.h"
#include "notifier_priv.h"

enum {
	TURN_MAX = 50, /* NOTIFYs in one go; then the thread sees to others */
	TURN_MS = 2,
	BURST_MS = 1000, /* of a phone's allowance */
	EVENTS_SHOWN = 512,
};

/* ---- packages ------------------------------------------------------------------------------- */

int hd_notifier_add(struct hd_notifier *n, const struct hd_package *package)
{
	struct package *p = &n->packages[n->n_packages];

	if (n->n_packages == HD_PACKAGES_MAX)
		return HD_ELIMIT;
	for (size_t i = 0; i < n->n_packages; i++)
		if (strcasecmp(n->packages[i].p.event, package->event) == 0)
			return HD_EEXIST;
	p->p = *package;
	hd_buf_addf(&n->events, "%s%s", n->events.len ? ", " : "", package->event);
	if (hd_buf_error(&n->events))
		return HD_ENOMEM;
	n->n_packages++;
	return 0;
}

const char *hd_notifier_events(const struct hd_notifier *n)
{
	return hd_buf_text(&n->events);
}

const char *event_parameters(struct hd_msg *msg)
{
	const char *value = hd_msg_header(msg, "Event", 0);

	return value ? value + strcspn(value, ";") : "";
}

struct package *notifier_package(const struct hd_notifier *n, struct hd_msg *msg)
{
	const char *value = hd_msg_header(msg, "Event", 0);
	struct hd_slice name;

	if (!value)
		return NULL;
	name = hd_slice_trim((struct hd_slice){ value, strcspn(value, ";") });
	for (size_t i = 0; i < n->n_packages; i++)
		if (hd_slice_caseis(name, n->packages[i].p.event))
			return (struct package *)&n->packages[i];
	return NULL;
}

bool hd_notifier_serves(const struct hd_notifier *n, struct hd_msg *msg)
{
	return notifier_package(n, msg) != NULL;
}

void hd_notifier_refuse_event(struct hd_notifier *n, struct hd_request *req)
{
	char line[EVENTS_SHOWN];

	snprintf(line, sizeof(line), "Allow-Events: %s\r\n", hd_notifier_events(n));
	hd_request_reply(req, 489, "Bad Event", line);
}

int hd_subscribe_may_self(void *arg, const struct hd_subscribe *subscribe,
			  char resource[HD_RESOURCE_SIZE])
{
	char name[HD_RESOURCE_SIZE];

	(void)arg;
	if (subscribe->user.len && (hd_uri_unescape(name, sizeof(name), subscribe->user) ||
				    strcmp(name, subscribe->phone) != 0))
		return 403;
	return hd_str_set(resource, HD_RESOURCE_SIZE, subscribe->phone) ? 403 : 200;
}

/* ---- whose turn it is ----------------------------------------------------------------------- */

static int64_t now_ms(const struct hd_notifier *n)
{
	return hd_clock_mono_ms(n->options.clock);
}

/* How long a phone has to be left alone yet. */
static int64_t allowance_ms(const struct watcher *w)
{
	int64_t in_ms;

	if (!w->notifier->options.limits.notify_rate)
		return 0;
	in_ms = w->paced_ms - BURST_MS - now_ms(w->notifier);
	return in_ms > 0 ? in_ms : 0;
}

void watcher_count(struct watcher *w)
{
	uint32_t rate = w->notifier->options.limits.notify_rate;
	int64_t now = now_ms(w->notifier);

	if (!rate)
		return;
	if (w->paced_ms < now)
		w->paced_ms = now;
	w->paced_ms += (1000 + rate - 1) / rate;
}

static void on_turn(void *arg);

/* Not at the start: the loop that timers need does not run then. */
static void schedule(struct hd_notifier *n)
{
	if (!n->queue || n->turning)
		return;
	if (!n->turn && hd_sip_timer_new(&n->turn, n->options.agent, on_turn, n)) {
		hd_error("notifier", "no memory for a timer: NOTIFYs wait for the next change");
		return;
	}
	hd_sip_timer_set(n->turn, TURN_MS);
	n->turning = true;
}

static void append(struct hd_subscription *s)
{
	DL_APPEND2(s->notifier->queue, s, q_prev, q_next);
	s->queued = true;
	schedule(s->notifier);
}

/* Those whose time has come, and sets the timer for the next one. */
static void on_wait_over(void *arg)
{
	struct watcher *w = arg;
	int64_t now = now_ms(w->notifier), next = INT64_MAX;
	struct hd_subscription *s;

	for (s = w->subscriptions; s; s = s->next) {
		if (!s->paced)
			continue;
		if (s->not_before_ms <= now) {
			s->paced = false;
			append(s);
		} else if (s->not_before_ms < next) {
			next = s->not_before_ms;
		}
	}
	if (next < INT64_MAX)
		hd_sip_timer_set(w->timer, next - now);
}

void notifier_wait(struct hd_subscription *s, int64_t in_ms)
{
	struct watcher *w = s->watcher;

	notifier_dequeue(s);
	if (!w->timer && hd_sip_timer_new(&w->timer, s->notifier->options.agent, on_wait_over, w)) {
		append(s); /* no memory for a timer: at the next turn */
		return;
	}
	s->not_before_ms = now_ms(s->notifier) + in_ms;
	s->paced = true;
	on_wait_over(w);
}

static void on_turn(void *arg)
{
	struct hd_notifier *n = arg;
	struct hd_subscription *s;
	int64_t in_ms;

	n->turning = false;
	for (unsigned i = 0; i < TURN_MAX && n->queue; i++) {
		s = n->queue;
		notifier_dequeue(s);
		in_ms = allowance_ms(s->watcher);
		if (in_ms)
			notifier_wait(s, in_ms);
		else
			subscription_notify(s);
	}
	schedule(n);
}

void notifier_dequeue(struct hd_subscription *s)
{
	if (s->queued && !s->q_next && s == s->notifier->queue)
		s->notifier->queue = NULL;
	else if (s->queued)
		DL_DELETE2(s->notifier->queue, s, q_prev, q_next);
	s->queued = s->paced = false;
}

void notifier_enqueue(struct hd_subscription *s)
{
	s->due = true;
	if (s->queued || s->paced || s->notify || s->held)
		return;
	append(s);
}

/* ---- what has changed ----------------------------------------------------------------------- */

void hd_notifier_push(struct hd_notifier *n, const char *event, const char *resource)
{
	char key[HD_RESOURCE_SIZE + 64];
	struct hd_subscription *s;
	struct topic *topic;

	if (!n->topics)
		return;
	snprintf(key, sizeof(key), "%s %s", event, resource);
	HASH_FIND_STR(n->topics, key, topic);
	if (!topic)
		return;
	for (s = topic->subscriptions; s; s = s->t_next)
		notifier_enqueue(s);
}

void hd_notifier_push_all(struct hd_notifier *n, const char *event)
{
	struct hd_subscription *s, *next;

	HASH_ITER (hh, n->subscriptions, s, next)
		if (!event || strcmp(event, s->package->p.event) == 0)
			notifier_enqueue(s);
}

void hd_notifier_bound(struct hd_notifier *n, const char *phone)
{
	struct hd_subscription *s;
	struct watcher *w;

	HASH_FIND_STR(n->watchers, phone, w);
	if (!w)
		return;
	for (s = w->subscriptions; s; s = s->next) {
		if (!s->held)
			continue;
		s->held = false;
		notifier_enqueue(s);
	}
}

size_t hd_notifier_count(const struct hd_notifier *n)
{
	return HASH_COUNT(n->subscriptions);
}

/* ---- life ----------------------------------------------------------------------------------- */

int hd_notifier_new(struct hd_notifier **np, const struct hd_notifier_options *options)
{
	struct hd_notifier *n;

	if (!options || !options->agent || !options->clock)
		return HD_EINVAL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return HD_ENOMEM;
	n->options = *options;
	notification_register_metrics();
	*np = n;
	return 0;
}

void hd_notifier_stop(struct hd_notifier *n)
{
	struct hd_subscription *s, *next;
	size_t told = n ? hd_notifier_count(n) : 0;

	if (!told)
		return;
	HASH_ITER (hh, n->subscriptions, s, next) {
		subscription_say_goodbye(s);
		subscription_free(s);
	}
	hd_info("notifier", "%zu subscriptions ended, their phones told", told);
}

void hd_notifier_free(struct hd_notifier *n)
{
	struct hd_subscription *s, *next;

	if (!n)
		return;
	HASH_ITER (hh, n->subscriptions, s, next)
		subscription_free(s);
	hd_sip_timer_free(n->turn);
	hd_buf_fini(&n->events);
	free(n);
}

void hd_notifier_set_limits(struct hd_notifier *n, const struct hd_notifier_limits *limits)
{
	n->options.limits = *limits;
}
