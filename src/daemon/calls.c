/* calls.c - calls in progress: who is told of them, and what the admin API says. */
#include <stdlib.h>
#include <string.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"
#include "recorder.h"

enum { SHOWN_DEFAULT = 100, SHOWN_MAX = 1000 };

/* What waits for the end of a phone's calls goes now. */
static void tell_idle(struct daemon *d, const char *phone)
{
	if (d->notify && phone[0] && !hd_proxy_calls_of_phone(d->proxy, phone))
		hd_notify_idle(d->notify, phone);
}

bool daemon_is_busy(void *arg, const char *phone)
{
	const struct daemon *d = arg;

	return (d->proxy && hd_proxy_calls_of_phone(d->proxy, phone) > 0) ||
	       (d->lamps && hd_lamps_in_dialogue(d->lamps, phone));
}

void daemon_on_call(void *arg, const struct hd_call *call)
{
	struct daemon *d = arg;

	daemon_call_changed(arg, call);
	daemon_divert_note(d, call);
	daemon_record_call(d, call);
	hd_log_call(HD_LOG_DEBUG, "call", call->call_id, "%s to %s: %s, %d", call->caller.phone,
		    call->callee.phone, hd_call_state_name(call->state), call->status);
	if (call->moved_from[0])
		tell_idle(d, call->moved_from);
	if (call->state == HD_CALL_TERMINATED) {
		tell_idle(d, call->caller.phone);
		tell_idle(d, call->callee.phone);
	}
}

/* ---- GET /v1/calls/active ------------------------------------------------------------------- */

struct asked {
	struct hd_calls_question question;
	struct hd_http_request *req;
};

static void show_party(struct hd_json *j, const char *key, const struct hd_call_party *party)
{
	hd_json_object(j, key);
	hd_json_str(j, "phone", party->phone[0] ? party->phone : NULL);
	hd_json_str(j, "user", party->user[0] ? party->user : NULL);
	hd_json_str(j, "uri", party->uri[0] ? party->uri : NULL);
	hd_json_str(j, "name", party->name[0] ? party->name : NULL);
	hd_json_object_end(j);
}

static void show_call(struct hd_json *j, const struct hd_call *call)
{
	hd_json_object(j, NULL);
	hd_json_str(j, "call_id", call->call_id);
	hd_json_str(j, "state", hd_call_state_name(call->state));
	show_party(j, "caller", &call->caller);
	show_party(j, "callee", &call->callee);
	hd_json_str(j, "dialled", call->dialled[0] ? call->dialled : NULL);
	hd_json_bool(j, "withheld", call->withheld);
	hd_json_bool(j, "learned", call->learned);
	hd_json_time(j, "started", call->started_ms);
	hd_json_time(j, "ringing", call->ringing_ms);
	hd_json_time(j, "answered", call->answered_ms);
	hd_json_object_end(j);
}

static void on_answer(struct hd_calls_question *question)
{
	struct asked *asked = (struct asked *)question;
	struct hd_buf b = { 0 };
	struct hd_json j;

	if (question->err) {
		hd_http_answer_error(asked->req, question->err, "calls: %s",
				     hd_strerror(question->err));
	} else {
		hd_json_init(&j, &b);
		hd_json_object(&j, NULL);
		hd_json_uint(&j, "total", question->calls_total);
		hd_json_array(&j, "calls");
		for (size_t i = 0; i < question->n_calls; i++)
			show_call(&j, &question->calls[i]);
		hd_json_array_end(&j);
		hd_json_object_end(&j);
		hd_http_answer_json(asked->req, 200, &b);
	}
	free(question->calls);
	free(asked);
}

static void active_get(struct hd_http_request *req, void *arg)
{
	struct daemon *d = arg;
	const char *user = hd_http_query(req, "user");
	uint64_t limit = SHOWN_DEFAULT;
	struct asked *asked;

	if (hd_http_query_u64(req, "limit", SHOWN_MAX, &limit) || limit == 0) {
		hd_http_answer_error(req, HD_EPARSE, "limit: expected 1 to %d", SHOWN_MAX);
		return;
	}
	if (user && (!*user || !hd_number_is_valid(hd_slice_of(user)))) {
		hd_http_answer_error(req, HD_EPARSE, "user: expected a number");
		return;
	}
	asked = calloc(1, sizeof(*asked));
	if (!asked || hd_str_set(asked->question.user, HD_NUMBER_SIZE, user)) {
		free(asked);
		hd_http_answer_error(req, HD_ENOMEM, "out of memory");
		return;
	}
	asked->req = req;
	asked->question.reply_to = hd_loop_mailbox(d->loop);
	asked->question.done = on_answer;
	asked->question.calls_max = limit;
	hd_calls_ask(hd_agent_mailbox(d->agent), &d->proxy, &asked->question);
}

int daemon_mount_calls(struct daemon *d)
{
	static const struct hd_http_route routes[] = {
		{ HD_HTTP_GET, "/v1/calls/active", active_get },
	};

	return hd_http_add_routes(d->http, routes, sizeof(routes) / sizeof(routes[0]), d);
}
