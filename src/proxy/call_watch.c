/* call_watch.c - calls that have ended without a BYE; see hotdesk/call.h. */
#include <string.h>

#include "call_priv.h"
#include "hotdesk/base/log.h"

enum {
	EVERY_MS = 1000,
	LOOKS = 64, /* calls that are looked at each time: bounded whatever their number */
	CALL_MAX_S = 43200,
	SESSION_SLACK_S = 32, /* who does not refresh sends BYE that long before: RFC 4028 10 */
	DOUBT_S = 60,
};

static int64_t mono_ms(const struct hd_proxy *proxy)
{
	return hd_clock_mono_ms(proxy->options.clock);
}

void call_watch_alive(struct call *call, uint32_t session_s)
{
	uint32_t max_s = call->proxy->options.call_max_s;
	int64_t in_s = max_s ? max_s : CALL_MAX_S;

	if (session_s)
		call->session_s = session_s;
	if (call->session_s && (int64_t)call->session_s + SESSION_SLACK_S < in_s)
		in_s = (int64_t)call->session_s + SESSION_SLACK_S;
	call->until_mono_ms = mono_ms(call->proxy) + in_s * 1000;
	call->doubtful_mono_ms = 0;
}

/* ---- phones --------------------------------------------------------------------------------- */

static uint32_t hash_of(const struct hd_binding *binding)
{
	uint32_t hash = hd_crc32c(binding->call_id, strlen(binding->call_id));

	return hash ? hash : 1;
}

static bool is_at(const struct hd_binding *binding, const struct hd_flow *flow)
{
	struct hd_flow at;

	return !hd_flow_parse(&at, binding->flow) && moved_is_same(&at, flow);
}

/*
 * A phone registers with one Call-ID as long as it is up (RFC 3261 10.2.4): when no binding has it
 * any more, it has gone or booted, and the dialog most likely with it.
 */
static bool is_up(struct call *call, enum call_side side)
{
	const struct hd_call_party *party =
		side == CALL_CALLER ? &call->call.caller : &call->call.callee;
	struct hd_binding bindings[HD_BINDINGS_MAX];
	size_t n;

	if (!party->phone[0] || !call->proxy->options.location)
		return true;
	n = moved_read(call->proxy, party->phone, bindings);
	for (size_t i = 0; i < n && !call->registration[side]; i++)
		if (is_at(&bindings[i], &call->flow[side]))
			call->registration[side] = hash_of(&bindings[i]);
	/* A caller that is not registered: it was authenticated, and moves nowhere. */
	if (!call->registration[side])
		return true;
	for (size_t i = 0; i < n; i++)
		if (hash_of(&bindings[i]) == call->registration[side])
			return true;
	return false;
}

/* ---- once a second -------------------------------------------------------------------------- */

static void look(struct call *call, int64_t now)
{
	const char *why = NULL;

	if (call->call.state == HD_CALL_CONFIRMED) {
		if (is_up(call, CALL_CALLER) && is_up(call, CALL_CALLEE))
			call->doubtful_mono_ms = 0;
		else if (!call->doubtful_mono_ms)
			call->doubtful_mono_ms = now + (int64_t)DOUBT_S * 1000;
	}
	if (call->doubtful_mono_ms && now >= call->doubtful_mono_ms)
		why = "a phone has gone or booted";
	else if (now >= call->until_mono_ms)
		why = call->session_s ? "session timer ran out" : "too long without a sign";
	if (!why || call->holder) /* Timer C watches over one that is not answered */
		return;
	hd_log_call(HD_LOG_NOTICE, "proxy", call->call.call_id, "%s: call taken for lost: %s",
		    call->call.callee.phone, why);
	call_end(call, HD_CALL_LOST);
}

void call_watch_look(struct hd_proxy *proxy)
{
	struct call_table *table = &proxy->calls;
	int64_t now = mono_ms(proxy);

	for (size_t i = 0; i < LOOKS; i++) {
		struct call *call = table->at ? table->at : i == 0 ? table->all : NULL;

		if (!call)
			break;
		table->at = call->next;
		look(call, now);
	}
}

static void on_timer(void *arg)
{
	struct hd_proxy *proxy = arg;
	struct call_table *table = &proxy->calls;

	call_watch_look(proxy);
	if (table->n > 0)
		hd_sip_timer_set(table->timer, EVERY_MS);
	else
		hd_sip_timer_cancel(table->timer);
	table->ticking = table->n > 0;
}

void call_watch_start(struct hd_proxy *proxy)
{
	struct call_table *table = &proxy->calls;

	if (table->ticking)
		return;
	if (!table->timer &&
	    hd_sip_timer_new(&table->timer, proxy->options.agent, on_timer, proxy)) {
		hd_warn("proxy", "calls are not watched: %s", hd_strerror(HD_ENOMEM));
		return;
	}
	hd_sip_timer_set(table->timer, EVERY_MS);
	table->ticking = true;
}
