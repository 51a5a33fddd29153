/* emergency.c - calls for help: where they go, what they carry, and who is called back. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "caller.h"
#include "dialling.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "upstream_priv.h"

static struct hd_metric calls =
	HD_COUNTER("hotdeskd_emergency_calls", NULL, "calls to emergency numbers");
static struct hd_metric lost = HD_COUNTER("hotdeskd_emergency_calls_lost", NULL,
					  "calls to emergency numbers that led nowhere");

void daemon_emergency_register_metrics(void)
{
	hd_metric_register(&calls);
	hd_metric_register(&lost);
}

/* One call. */
struct sos {
	struct daemon *d;
	const char *phone; /* that calls */
	struct daemon_caller caller;
	struct hd_phone record;
	struct hd_buf lines;
	struct hd_plan *plans;			    /* of the numbers and phones it goes to */
	char (*accounts)[HD_UPSTREAM_ACCOUNT_SIZE]; /* at the peers among them */
	struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX];
	size_t n;
};

/* ---- who is called back --------------------------------------------------------------------- */

struct keep {
	struct hd_command command; /* first */
	struct hd_callback callback;
};

static void on_kept(struct hd_command *command)
{
	struct keep *keep = (struct keep *)command;

	if (command->err)
		hd_warn("emergency", "%s: a call back to %s is not kept: %s", keep->callback.phone,
			keep->callback.number, hd_strerror(command->err));
	else
		hd_info("emergency", "%s: a call back to %s reaches it", keep->callback.phone,
			keep->callback.number);
	free(keep);
}

/* The call does not wait for it. */
static void keep_callback(const struct sos *sos)
{
	struct daemon *d = sos->d;
	struct keep *keep;
	int err;

	if (!sos->caller.user[0]) /* the phone is called under its own name, always */
		return;
	keep = calloc(1, sizeof(*keep));
	if (!keep)
		return;
	keep->callback.callbacks = d->callbacks;
	keep->callback.now_ms = hd_clock_wall_ms(d->clock);
	keep->callback.until_ms = keep->callback.now_ms + d->callback_ms;
	memcpy(keep->callback.number, sos->caller.user, sizeof(keep->callback.number));
	err = hd_str_set(keep->callback.phone, sizeof(keep->callback.phone), sos->phone);
	keep->command.run = hd_callback_put;
	keep->command.arg = &keep->callback;
	keep->command.reply_to = hd_agent_mailbox(d->agent);
	keep->command.done = on_kept;
	if (!err)
		err = hd_store_submit(d->store, &keep->command);
	if (err) {
		hd_warn("emergency", "%s: a call back to %s is not kept: %s", sos->phone,
			sos->caller.user, hd_strerror(err));
		free(keep);
	}
}

/* ---- what it carries ------------------------------------------------------------------------ */

static bool is_uri(const char *text)
{
	static const char *const schemes[] = { "http:", "https:", "sip:", "sips:",
					       "pres:", "geo:",	  "cid:" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			return !strpbrk(text, " <>\"");
	return false;
}

/* Where the phone stands is ours to say: what it says itself goes. */
static void add_location(struct sos *sos, struct hd_msg *msg)
{
	const char *header = sos->d->location_header, *text = sos->record.location;

	if (!text[0])
		return;
	if (header[0]) {
		(void)hd_msg_remove(msg, header);
		hd_buf_addf(&sos->lines, "%s: %s\r\n", header, text);
	} else if (is_uri(text)) {
		(void)hd_msg_remove(msg, "Geolocation");
		(void)hd_msg_remove(msg, "Geolocation-Routing");
		hd_buf_addf(&sos->lines, "Geolocation: <%s>\r\nGeolocation-Routing: yes\r\n", text);
	} else {
		(void)hd_msg_remove(msg, "P-Access-Network-Info");
		hd_buf_adds(&sos->lines, "P-Access-Network-Info: IEEE-802.3;eth-location=");
		hd_buf_add_quoted(&sos->lines, hd_slice_of(text));
		hd_buf_adds(&sos->lines, "\r\n");
	}
}

static int read_caller(struct sos *sos, struct hd_txn *txn)
{
	/* Without its record it has no location, and calls all the same. */
	if (hd_phone_get(sos->d->dir, txn, sos->phone, &sos->record))
		sos->record.location[0] = '\0';
	return daemon_caller_read(&sos->caller, sos->d, txn, sos->phone);
}

/* ---- where it goes -------------------------------------------------------------------------- */

/* All bindings of one at once; the next one when these have failed. */
static void add_target(struct sos *sos, struct hd_proxy_target *target, size_t rank)
{
	if (sos->n == HD_PROXY_TARGETS_MAX)
		return;
	target->q_permille = (unsigned)(1000 - rank);
	target->called = false; /* what users have set for calls that fail does not count */
	target->caller = sos->phone;
	target->caller_user = sos->caller.user;
	target->identity = daemon_caller_identity(&sos->caller);
	target->emergency = true;
	target->answer_ms = sos->d->upstream_answer_ms;
	sos->targets[sos->n++] = *target;
}

static void add_named(struct sos *sos, struct hd_txn *txn, struct hd_slice name, size_t rank)
{
	struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX];
	struct hd_plan *plan = &sos->plans[rank];
	struct daemon *d = sos->d;
	size_t n;

	if (hd_plan_route(&d->planner, txn, name, hd_clock_wall_ms(d->clock), plan))
		return;
	hd_feature_wipe(&plan->feature);
	if (plan->verdict != HD_PLAN_PHONE)
		return;
	n = daemon_targets(targets, plan, NULL);
	for (size_t i = 0; i < n; i++) {
		targets[i].callee_user = plan->user;
		add_target(sos, &targets[i], rank);
	}
}

static void add_all(struct sos *sos, struct hd_txn *txn, struct hd_slice dialled)
{
	struct hd_proxy_target target;
	struct hd_uri uri;

	for (size_t i = 0; i < sos->d->n_emergency_targets; i++) {
		const char *text = sos->d->emergency_targets[i];

		if (hd_uri_parse(&uri, hd_slice_of(text)) || uri.scheme > HD_URI_SIPS) {
			add_named(sos, txn, hd_slice_of(text), i);
			continue;
		}
		target = (struct hd_proxy_target){ .contact_uri = text, .user = text, .phone = "" };
		if (daemon_upstream_account(sos->d, &uri, sos->caller.user, sos->accounts[i]))
			target.account = sos->accounts[i];
		add_target(sos, &target, i);
	}
	if (sos->d->n_emergency_targets == 0)
		add_named(sos, txn, dialled, 0);
}

static int prepare(struct sos *sos, struct hd_slice dialled)
{
	struct hd_txn *txn;
	int err;

	sos->plans = calloc(sos->d->n_emergency_targets + 1, sizeof(*sos->plans));
	sos->accounts = calloc(sos->d->n_emergency_targets + 1, sizeof(*sos->accounts));
	if (!sos->plans || !sos->accounts)
		return HD_ENOMEM;
	err = hd_store_begin_read(sos->d->store, &txn);
	if (err)
		return err;
	err = read_caller(sos, txn);
	if (!err)
		add_all(sos, txn, dialled);
	hd_store_end_read(txn);
	return err;
}

static void forward(struct sos *sos, struct hd_request *req)
{
	add_location(sos, hd_request_msg(req));
	for (size_t i = 0; i < sos->n && sos->lines.len && !hd_buf_error(&sos->lines); i++)
		sos->targets[i].diversion = hd_buf_text(&sos->lines);
	keep_callback(sos);
	hd_proxy_forward(sos->d->proxy, req, sos->targets, sos->n);
}

/* Only where nothing else is configured. */
static bool to_upstream(struct sos *sos, struct hd_request *req, struct hd_slice dialled)
{
	if (sos->d->n_emergency_targets)
		return false;
	add_location(sos, hd_request_msg(req));
	keep_callback(sos);
	return !hd_buf_error(&sos->lines) &&
	       daemon_upstream_emergency(sos->d, req, sos->phone, dialled,
					 sos->lines.len ? hd_buf_text(&sos->lines) : NULL);
}

void daemon_emergency(struct daemon *d, struct hd_request *req, const char *phone)
{
	struct sos sos = { .d = d, .phone = phone };
	struct hd_msg *msg = hd_request_msg(req);
	const struct hd_number_plan *numbers = &d->dialling->numbers;
	struct hd_slice dialled;
	struct hd_uri uri;
	int err;

	hd_msg_ruri(msg, &uri);
	dialled = uri.scheme <= HD_URI_SIPS ? uri.user : (struct hd_slice){ NULL, 0 };
	if (!dialled.len && numbers->n_emergency)
		dialled = hd_slice_of(numbers->emergency[0]);
	hd_metric_add(&calls, 1);
	err = prepare(&sos, dialled);
	hd_log_call(HD_LOG_NOTICE, "emergency", hd_msg_call_id(msg), "%s: %s calls %.*s", phone,
		    sos.caller.user[0] ? sos.caller.user : "nobody logged in", (int)dialled.len,
		    dialled.len ? dialled.ptr : "");
	if (sos.n > 0) {
		forward(&sos, req);
	} else if (!err && to_upstream(&sos, req, dialled)) {
		hd_log_call(HD_LOG_NOTICE, "emergency", hd_msg_call_id(msg), "%s: goes upstream",
			    phone);
	} else {
		hd_metric_add(&lost, 1);
		hd_log_call(HD_LOG_ERROR, "emergency", hd_msg_call_id(msg),
			    "%s: the call leads nowhere: %s", phone,
			    err ? hd_strerror(err) : "none of emergency.targets can be reached");
		hd_request_reply(req, err ? 500 : 480, NULL, NULL);
	}
	hd_wipe(&sos.record, sizeof(sos.record));
	daemon_caller_fini(&sos.caller);
	hd_buf_fini(&sos.lines);
	free(sos.plans);
	free(sos.accounts);
}

void daemon_emergency_take(struct daemon *d, const struct hd_conf *conf)
{
	d->emergency_targets = (const char *const *)conf->emergency.targets;
	d->n_emergency_targets = conf->emergency.n_targets;
	d->location_header = conf->emergency.location_header ? conf->emergency.location_header : "";
	d->callback_ms = (int64_t)conf->emergency.callback_s * 1000;
}
