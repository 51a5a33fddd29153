/* call.c - calls in progress, from the INVITE to the end; see hotdesk/call.h. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "call_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"

static struct hd_metric in_progress = HD_GAUGE("hotdeskd_calls", NULL, "calls in progress");
static struct hd_metric answered =
	HD_COUNTER("hotdeskd_calls_answered", NULL, "calls that were answered");
static struct hd_metric lost =
	HD_COUNTER("hotdeskd_calls_lost", NULL, "calls that ended without a BYE");

void calls_init(struct hd_proxy *proxy)
{
	hd_metric_register(&in_progress);
	hd_metric_register(&answered);
	hd_metric_register(&lost);
	hd_metric_set(&in_progress, (int64_t)proxy->calls.n);
}

const char *hd_call_state_name(enum hd_call_state state)
{
	static const char *const names[] = { "trying", "early", "confirmed", "terminated" };

	return names[state];
}

static void tell(struct call *call)
{
	const struct hd_proxy_options *o = &call->proxy->options;

	if (o->call)
		o->call(o->arg, &call->call);
}

static int64_t now_ms(const struct hd_proxy *proxy)
{
	return hd_clock_wall_ms(proxy->options.clock);
}

static void set_text(char *dst, size_t size, const char *src)
{
	if (hd_str_set(dst, size, src))
		dst[0] = '\0';
}

/* ---- the table ------------------------------------------------------------------------------ */

static void call_id_format(char key[HD_CALL_ID_SIZE], const char *call_id)
{
	size_t n = strnlen(call_id, HD_CALL_ID_SIZE - 1);

	memcpy(key, call_id, n);
	key[n] = '\0';
}

static struct call *find_first(struct hd_proxy *proxy, const struct hd_msg *msg)
{
	char key[HD_CALL_ID_SIZE];
	struct call *call;

	call_id_format(key, hd_msg_call_id(msg));
	HASH_FIND_STR(proxy->calls.by_call_id, key, call);
	return call;
}

static void add(struct call *call)
{
	struct call_table *table = &call->proxy->calls;
	struct call *first;

	HASH_FIND_STR(table->by_call_id, call->call.call_id, first);
	if (first) {
		call->same = first->same;
		first->same = call;
	} else {
		HASH_ADD_KEYPTR(hh, table->by_call_id, call->call.call_id,
				strlen(call->call.call_id), call);
	}
	DL_APPEND(table->all, call);
	call_index_set(call, CALL_CALLER);
	call_index_set(call, CALL_CALLEE);
	table->n++;
	hd_metric_set(&in_progress, (int64_t)table->n);
	call_watch_start(call->proxy);
}

static void remove_same(struct call_table *table, struct call *call)
{
	struct call *first;

	HASH_FIND_STR(table->by_call_id, call->call.call_id, first);
	if (first == call) {
		HASH_DEL(table->by_call_id, call);
		if (call->same)
			HASH_ADD_KEYPTR(hh, table->by_call_id, call->same->call.call_id,
					strlen(call->same->call.call_id), call->same);
		return;
	}
	while (first && first->same != call)
		first = first->same;
	if (first)
		first->same = call->same;
}

static void forget(struct call *call)
{
	struct call_table *table = &call->proxy->calls;

	if (call->holder)
		*call->holder = NULL;
	if (table->at == call)
		table->at = call->next;
	call_index_clear(call);
	remove_same(table, call);
	DL_DELETE(table->all, call);
	table->n--;
	hd_metric_set(&in_progress, (int64_t)table->n);
	free(call);
}

void call_end(struct call *call, enum hd_call_end end)
{
	call->call.state = HD_CALL_TERMINATED;
	call->call.end = end;
	call->call.ended_ms = now_ms(call->proxy);
	if (end == HD_CALL_LOST)
		hd_metric_add(&lost, 1);
	/* Who is told and asks for the calls of its phones finds those that are left. */
	call_index_clear(call);
	tell(call);
	forget(call);
}

void calls_fini(struct hd_proxy *proxy)
{
	struct call *call, *next;

	/* They go on without us, and are learned again. */
	DL_FOREACH_SAFE(proxy->calls.all, call, next)
	forget(call);
	call_index_fini(&proxy->calls);
	hd_sip_timer_free(proxy->calls.timer);
}

/* ---- the INVITE ----------------------------------------------------------------------------- */

void hd_call_describe(struct hd_call *c, struct hd_msg *msg)
{
	call_id_format(c->call_id, hd_msg_call_id(msg));
	set_text(c->from_tag, sizeof(c->from_tag), hd_msg_from_tag(msg));
	hd_msg_party_uri(msg, false, c->caller.uri, sizeof(c->caller.uri));
	hd_msg_name(msg, false, c->caller.name, sizeof(c->caller.name));
	hd_msg_party_uri(msg, true, c->callee.uri, sizeof(c->callee.uri));
	hd_msg_name(msg, true, c->callee.name, sizeof(c->callee.name));
	hd_msg_ruri_bare(msg, c->dialled, sizeof(c->dialled));
	c->withheld = hd_msg_is_withheld(msg);
}

static struct call *call_new(struct hd_proxy *proxy, struct hd_msg *msg)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call) {
		hd_log_call(HD_LOG_WARNING, "proxy", hd_msg_call_id(msg), "call not counted: %s",
			    hd_strerror(HD_ENOMEM));
		return NULL;
	}
	call->proxy = proxy;
	call->call.id = ++proxy->calls.id;
	call_id_format(call->call.call_id, hd_msg_call_id(msg));
	return call;
}

static void set_callee(struct call *call, const struct hd_proxy_target *target,
		       const struct route_token *token)
{
	set_text(call->call.callee.phone, HD_PHONE_ID_SIZE, target->phone);
	set_text(call->call.callee.user, HD_NUMBER_SIZE, target->callee_user);
	call->flow[CALL_CALLEE] = token->callee;
}

/* "Ben" <sip:202@example.org>;reason=unconditional */
static void set_diverted(struct hd_call *c, const char *value)
{
	const char *begin = value ? strchr(value, '<') : NULL;
	const char *end = begin ? strchr(begin, '>') : NULL;
	struct hd_slice uri = { begin ? begin + 1 : NULL, end ? (size_t)(end - begin - 1) : 0 };

	if (hd_str_copy(c->diverted_by, sizeof(c->diverted_by), uri))
		c->diverted_by[0] = '\0';
}

/* A phone may forward by itself, and say so. */
static bool is_of_itself(const struct hd_call *c)
{
	char name[HD_PHONE_ID_SIZE];
	struct hd_uri uri;

	return !hd_uri_parse(&uri, hd_slice_of(c->diverted_by)) &&
	       !hd_uri_unescape(name, sizeof(name), uri.user) && name[0] &&
	       (strcmp(name, c->caller.phone) == 0 || strcmp(name, c->caller.user) == 0);
}

void call_begin(struct call **holder, struct hd_proxy *proxy, struct hd_msg *msg,
		const struct forward *fwd)
{
	const struct hd_proxy_target *target = fwd->initial;
	const struct route_token *token = &fwd->record.token;
	struct call *call = call_new(proxy, msg);
	struct hd_call *c;

	if (!call)
		return;
	c = &call->call;
	hd_call_describe(c, msg);
	set_text(c->caller.phone, sizeof(c->caller.phone), target->caller);
	set_text(c->caller.user, sizeof(c->caller.user), target->caller_user);
	set_diverted(c, target->diversion ? target->diversion : hd_msg_header(msg, "Diversion", 0));
	if (!target->diversion && !identity_is_believed(proxy, msg, target) && !is_of_itself(c))
		c->diverted_by[0] = '\0';
	set_callee(call, target, token);
	c->to_user = target->called;
	c->started_ms = token->since_ms ? token->since_ms : now_ms(proxy);
	call->caller_tag = token->caller_tag;
	call->flow[CALL_CALLER] = token->caller;
	call->holder = holder;
	*holder = call;
	call_watch_alive(call, 0);
	add(call);
	tell(call);
}

static void tell_moved(struct call *call, const char *phone)
{
	struct hd_call *c = &call->call;

	memcpy(c->moved_from, c->callee.phone, sizeof(c->moved_from));
	set_text(c->callee.phone, sizeof(c->callee.phone), phone);
	call->registration[CALL_CALLEE] = 0;
	call_index_set(call, CALL_CALLEE);
	tell(call);
	c->moved_from[0] = '\0';
}

void call_moved(struct call *call, const struct forward *fwd, bool divert)
{
	if (divert) {
		set_text(call->call.callee.user, HD_NUMBER_SIZE, fwd->initial->callee_user);
		call->call.to_user = fwd->initial->called;
		call->call.ringing_ms = 0;
		if (fwd->initial->diversion)
			set_diverted(&call->call, fwd->initial->diversion);
	}
	call->call.state = HD_CALL_TRYING;
	call->call.to_tag[0] = '\0';
	call->flow[CALL_CALLEE] = fwd->record.token.callee;
	tell_moved(call, fwd->initial->phone);
}

void call_provisional(struct call *call, int status, const struct hd_msg *response)
{
	struct hd_call *c = &call->call;
	bool changed = c->state == HD_CALL_TRYING;

	if (c->state > HD_CALL_EARLY)
		return;
	c->state = HD_CALL_EARLY;
	c->status = status;
	if (!c->to_tag[0] && hd_msg_to_tag(response)[0]) {
		set_text(c->to_tag, sizeof(c->to_tag), hd_msg_to_tag(response));
		changed = true;
	}
	if (!c->ringing_ms && status == 180) {
		c->ringing_ms = now_ms(call->proxy);
		changed = true;
	}
	if (changed)
		tell(call);
}

void call_answered(struct call *call, struct hd_msg *response, const struct route_token *token)
{
	struct hd_call *c = &call->call;

	c->state = HD_CALL_CONFIRMED;
	c->status = hd_msg_status(response);
	c->answered_ms = now_ms(call->proxy);
	set_text(c->to_tag, sizeof(c->to_tag), hd_msg_to_tag(response));
	call->flow[CALL_CALLEE] = token->callee;
	*call->holder = NULL;
	call->holder = NULL;
	call_watch_alive(call, hd_msg_session_expires(response));
	hd_metric_add(&answered, 1);
	/* The phone that the call has left was faster. */
	if (token->callee_phone[0] && strcmp(c->callee.phone, token->callee_phone) != 0)
		tell_moved(call, token->callee_phone);
	else
		tell(call);
}

void call_cancelled(struct call *call, struct hd_msg *cancel)
{
	call->call.end = HD_CALL_CANCELLED;
	call->call.cause = cancel ? hd_msg_reason_cause(cancel, "Q.850") : 0;
	call->call.elsewhere = cancel && hd_msg_reason_cause(cancel, "SIP") == 200;
}

void call_refused(struct call *call, int status, struct hd_msg *response)
{
	bool cancelled = call->call.end == HD_CALL_CANCELLED;

	call->call.status = status;
	if (response && !cancelled)
		call->call.cause = hd_msg_reason_cause(response, "Q.850");
	call_end(call, cancelled ? HD_CALL_CANCELLED : HD_CALL_REFUSED);
}

/* ---- inside the dialog ---------------------------------------------------------------------- */

/* Of several with that Call-ID, the one that this token was made for. */
static struct call *find_by_token(struct hd_proxy *proxy, const struct hd_msg *msg,
				  const struct route_token *token)
{
	struct call *best = NULL;

	for (struct call *call = find_first(proxy, msg); call; call = call->same) {
		if (call->caller_tag != token->caller_tag)
			continue;
		if (!best || strcmp(call->call.callee.phone, token->callee_phone) == 0)
			best = call;
	}
	return best;
}

/* Methods that stand in no other dialog than that of an INVITE. */
static bool shows_call(enum hd_method method)
{
	return method == HD_METHOD_INVITE || method == HD_METHOD_UPDATE ||
	       method == HD_METHOD_PRACK || method == HD_METHOD_INFO || method == HD_METHOD_BYE;
}

static struct call *learn(struct hd_proxy *proxy, struct hd_msg *msg,
			  const struct route_token *token, bool from_caller)
{
	struct call *call = call_new(proxy, msg);
	struct hd_call *c;

	if (!call)
		return NULL;
	c = &call->call;
	c->learned = true;
	c->state = HD_CALL_CONFIRMED;
	c->status = 200;
	c->started_ms = token->since_ms;
	set_text(c->from_tag, sizeof(c->from_tag),
		 from_caller ? hd_msg_from_tag(msg) : hd_msg_to_tag(msg));
	set_text(c->to_tag, sizeof(c->to_tag),
		 from_caller ? hd_msg_to_tag(msg) : hd_msg_from_tag(msg));
	set_text(c->caller.phone, sizeof(c->caller.phone), token->caller_phone);
	set_text(c->callee.phone, sizeof(c->callee.phone), token->callee_phone);
	call->caller_tag = token->caller_tag;
	call->flow[CALL_CALLER] = token->caller;
	call->flow[CALL_CALLEE] = token->callee;
	add(call);
	return call;
}

void calls_note_request(struct hd_proxy *proxy, struct hd_msg *msg, const struct route_token *token)
{
	bool from_caller = route_tag_hash(hd_msg_from_tag(msg)) == token->caller_tag;
	enum hd_method method = hd_msg_method(msg);
	struct call *call = find_by_token(proxy, msg, token);
	bool refresh = method == HD_METHOD_INVITE || method == HD_METHOD_UPDATE;

	if (!call && shows_call(method)) {
		call = learn(proxy, msg, token, from_caller);
		if (call && method != HD_METHOD_BYE)
			tell(call);
	}
	if (!call)
		return;
	if (method == HD_METHOD_BYE) {
		call->call.cause = hd_msg_reason_cause(msg, "Q.850");
		call_end(call, from_caller ? HD_CALL_CALLER_LEFT : HD_CALL_CALLEE_LEFT);
		return;
	}
	call_watch_alive(call, refresh ? hd_msg_session_expires(msg) : 0);
}

void calls_note_response(struct hd_proxy *proxy, struct hd_msg *request, struct hd_msg *response,
			 int status)
{
	const struct hd_msg *msg = response ? response : request;
	uint32_t from = route_tag_hash(hd_msg_from_tag(msg)), to;
	enum hd_method method = hd_msg_cseq_method(msg);
	struct call *call;

	if ((method != HD_METHOD_INVITE && method != HD_METHOD_UPDATE) || !hd_msg_to_tag(msg)[0])
		return;
	to = route_tag_hash(hd_msg_to_tag(msg));
	for (call = find_first(proxy, msg); call; call = call->same)
		if (call->caller_tag == from || call->caller_tag == to)
			break;
	if (!call || call->call.state != HD_CALL_CONFIRMED)
		return;
	if (status < 300)
		call_watch_alive(call, response ? hd_msg_session_expires(response) : 0);
	else if (status == 481 || status == 408) /* RFC 3261 12.2.1.2 */
		call_end(call, HD_CALL_LOST);
}
