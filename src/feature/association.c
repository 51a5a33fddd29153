/* association.c - guests whose time at a phone is limited; see hoteling_priv.h. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hoteling_priv.h"

enum { AGAIN_MS = 10000 }; /* while the phone has a call, or the desk no time */

static int64_t now_ms(const struct hd_hoteling *h)
{
	return hd_clock_wall_ms(h->options.clock);
}

void association_free(struct association *a)
{
	HASH_DEL(a->hoteling->associations, a);
	hd_operation_leave(a->operation);
	hd_sip_timer_free(a->timer);
	free(a);
}

static void on_done(void *arg, const struct hd_operation_result *result)
{
	struct association *a = arg;

	a->operation = NULL;
	if (result->err) {
		hd_sip_timer_set(a->timer, AGAIN_MS);
		return;
	}
	/* Whoever sits there now is noted by the change. */
	association_free(a);
}

static void on_time(void *arg)
{
	struct association *a = arg;
	const struct hd_hoteling_options *o = &a->hoteling->options;
	struct hd_desk_ask ask = {
		.event = HD_DESK_EVENT_LOGOUT,
		.way = HD_DESK_WAY_POLICY,
		.phone = a->phone,
		.user = a->user,
	};
	bool busy = o->busy && o->busy(o->arg, a->phone);

	if (now_ms(a->hoteling) < a->until_ms && !a->operation) { /* the clock was set back */
		hd_sip_timer_set(a->timer, a->until_ms - now_ms(a->hoteling));
		return;
	}
	if (busy || hd_operation_begin(&a->operation, o->operations, &ask, on_done, a)) {
		hd_sip_timer_set(a->timer, AGAIN_MS);
		return;
	}
	hd_info("hoteling", "%s: time of %s is over", a->phone, a->user);
}

static struct association *find(const struct hd_hoteling *h, const char *phone)
{
	struct association *a;

	HASH_FIND_STR(h->associations, phone, a);
	return a;
}

static void begin(struct hd_hoteling *h, const struct hd_desk_session *session)
{
	struct association *a = calloc(1, sizeof(*a));
	int64_t in_ms;

	if (!a || hd_sip_timer_new(&a->timer, h->options.agent, on_time, a)) {
		hd_error("hoteling", "%s: no memory to limit the time of %s", session->phone,
			 session->user);
		free(a);
		return;
	}
	a->hoteling = h;
	memcpy(a->phone, session->phone, sizeof(a->phone));
	memcpy(a->user, session->user, sizeof(a->user));
	a->epoch = session->epoch;
	a->until_ms = session->since_ms + (int64_t)h->options.association_s * 1000;
	HASH_ADD_STR(h->associations, phone, a);
	in_ms = a->until_ms - now_ms(h);
	hd_sip_timer_set(a->timer, in_ms > 0 ? in_ms : 0);
}

void association_note(struct hd_hoteling *h, const char *phone,
		      const struct hd_desk_session *session)
{
	struct association *a = find(h, phone);
	bool limited = session && session->way == HD_DESK_WAY_HOTELING && h->options.association_s;

	if (a && limited && a->epoch == session->epoch)
		return;
	if (a)
		association_free(a);
	if (limited)
		begin(h, session);
}

int64_t association_left_s(const struct hd_hoteling *h, const char *phone)
{
	const struct association *a = find(h, phone);
	int64_t left_ms;

	if (!a)
		return -1;
	left_ms = a->until_ms - now_ms(h);
	return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}
