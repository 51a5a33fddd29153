/* dialog.c - the INVITE dialogs of feature codes, we being the UAS (RFC 3261 12, 13.3, 15). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"

static const struct hd_slice no_body = { NULL, 0 };

static void id_of(uint8_t id[DIALOG_ID_SIZE], const char *call_id, const char *tag)
{
	struct hd_slice parts[] = { hd_slice_of(call_id), hd_slice_of(tag) };

	hd_sha256(id, parts, 2);
}

struct dialog *dialog_find(struct hd_features *f, struct hd_msg *msg)
{
	uint8_t id[DIALOG_ID_SIZE];
	struct dialog *d;

	id_of(id, hd_msg_call_id(msg), hd_msg_to_tag(msg));
	HASH_FIND(hh, f->dialogs, id, DIALOG_ID_SIZE, d);
	return d && strcmp(d->remote_tag, hd_msg_from_tag(msg)) == 0 ? d : NULL;
}

static bool has_other_login(const struct dialog *d)
{
	struct dialog *other, *next;

	HASH_ITER (hh, d->features->dialogs, other, next)
		if (other != d && other->kind == DIALOG_LOGIN &&
		    strcmp(other->phone, d->phone) == 0)
			return true;
	return false;
}

static void tell_running(const struct dialog *d, bool running)
{
	const struct hd_features_options *o = &d->features->options;

	if (d->kind == DIALOG_LOGIN && o->running && !has_other_login(d))
		o->running(o->arg, d->phone, running);
}

void dialog_free(struct dialog *d)
{
	void (*ended)(void *arg) = d->ended;
	void *arg = d->arg;

	HASH_DEL(d->features->dialogs, d);
	if (d->opened_ms)
		tell_running(d, false);
	if (d->operation)
		d->operation->dialog = NULL;
	talk_end(d);
	session_close(&d->session);
	hd_irq_free(d->irq);
	hd_orq_free(d->bye);
	hd_sip_timer_free(d->timer);
	hd_sip_timer_free(d->limit);
	hd_sip_timer_free(d->talking);
	hd_prompts_unref(d->prompts);
	free(d->routes);
	free(d);
	if (ended)
		ended(arg);
}

void dialogs_make_room(struct hd_features *f, const char *phone)
{
	struct dialog *d, *next, *oldest;
	uint32_t n;

	do {
		oldest = NULL;
		n = 0;
		HASH_ITER (hh, f->dialogs, d, next) {
			if (d->kind != DIALOG_LOGIN || d->state != OPEN ||
			    strcmp(d->phone, phone) != 0)
				continue;
			n++;
			if (!oldest || d->opened_ms < oldest->opened_ms)
				oldest = d;
		}
		if (n >= f->options.dialogue.per_phone && oldest) {
			hd_log_call(HD_LOG_INFO, "feature", oldest->call_id,
				    "%s: ended by a newer dialogue of the phone", phone);
			dialog_close(oldest, "");
		}
	} while (n > f->options.dialogue.per_phone);
}

/* ---- opening -------------------------------------------------------------------------------- */

static int uri_text(char *dst, size_t size, const struct hd_uri *uri)
{
	int n = snprintf(dst, size, "%s:%.*s@%.*s%s%.*s",
			 uri->scheme == HD_URI_SIPS ? "sips" : "sip", (int)uri->user.len,
			 uri->user.ptr, (int)uri->host.len, uri->host.ptr, uri->port.len ? ":" : "",
			 (int)uri->port.len, uri->port.ptr);

	return n < 0 || (size_t)n >= size ? HD_ELIMIT : 0;
}

/* The code without number and PIN: what our Contact says is seen on screens and in logs. */
static const char *code_of(const struct hd_features *f, enum hd_desk_event event)
{
	return event == HD_DESK_EVENT_LOGIN    ? f->options.codes.login
	       : event == HD_DESK_EVENT_LOGOUT ? f->options.codes.logout
					       : f->options.codes.toggle;
}

static int fill(struct dialog *d, struct hd_irq *irq, const struct dialog_plan *plan)
{
	struct hd_msg *msg = hd_irq_msg(irq);
	struct hd_contact contact;
	struct hd_buf user = { 0 };
	struct hd_uri uri;
	struct hd_flow flow;
	char local[160];
	size_t n = 1;
	bool star;
	int err;

	hd_msg_contacts(msg, &contact, &n, &star);
	if (n != 1 || star)
		return HD_EPARSE;
	err = hd_flow_parse(&flow, hd_irq_flow(irq));
	if (!err)
		err = hd_flow_local_uri(d->features->options.agent, &flow, local, sizeof(local));
	if (!err)
		err = hd_str_set(d->remote_contact, sizeof(d->remote_contact), contact.uri_text);
	if (!err)
		err = hd_str_set(d->phone, sizeof(d->phone), plan->phone);
	if (!err)
		err = hd_str_set(d->call_id, sizeof(d->call_id), hd_msg_call_id(msg));
	if (!err)
		err = hd_str_set(d->local_tag, sizeof(d->local_tag), hd_irq_tag(irq));
	if (!err)
		err = hd_str_set(d->remote_tag, sizeof(d->remote_tag), hd_msg_from_tag(msg));
	if (!err)
		err = hd_str_set(d->flow, sizeof(d->flow), hd_irq_flow(irq));
	hd_msg_to_uri(msg, &uri);
	if (!err)
		err = uri_text(d->local_uri, sizeof(d->local_uri), &uri);
	hd_msg_from_uri(msg, &uri);
	if (!err)
		err = uri_text(d->remote_uri, sizeof(d->remote_uri), &uri);
	hd_uri_escape_user(&user,
			   hd_slice_of(plan->code ? plan->code : code_of(d->features, d->event)));
	snprintf(d->local_contact, sizeof(d->local_contact), "sip:%s@%s", hd_buf_text(&user),
		 local + strlen("sip:"));
	hd_buf_fini(&user);
	if (!err)
		err = hd_msg_route_set(msg, &d->routes);
	hd_irq_addresses(irq, d->local_address, d->remote_address, sizeof(d->local_address));
	return err;
}

static int make_timers(struct dialog *d)
{
	struct hd_agent *agent = d->features->options.agent;
	int err;

	err = hd_sip_timer_new(&d->timer, agent, dialog_on_timer, d);
	if (!err)
		err = hd_sip_timer_new(&d->limit, agent, dialog_on_limit, d);
	if (!err)
		err = hd_sip_timer_new(&d->talking, agent, talk_on_timer, d);
	return err;
}

/* What was done is done, with sound or without; only who has to be asked must be able to hear. */
static int open_session(struct dialog *d)
{
	struct hd_slice offer = hd_msg_body(hd_irq_msg(d->irq));
	int err;

	if (d->kind == DIALOG_SILENT || !d->features->options.media)
		return session_open_silent(d, offer);
	err = session_open(d, offer);
	if (!err || d->kind == DIALOG_LOGIN)
		return err;
	d->kind = DIALOG_SILENT;
	d->close_on_ack = true;
	return session_open_silent(d, offer);
}

static void refuse(struct dialog *d, int err)
{
	hd_log_call(HD_LOG_INFO, "feature", d->call_id, "%s: INVITE not answered: %s", d->phone,
		    hd_strerror(err));
	if (hd_shed_is(err))
		hd_irq_shed(d->irq, err == HD_ENOMEM ? HD_SHED_MEMORY : HD_SHED_TRANSACTIONS);
	else
		hd_irq_reply(d->irq, status_of(err), NULL, NULL, no_body);
	dialog_free(d);
}

static struct dialog *create(struct hd_features *f, struct hd_irq *irq,
			     const struct dialog_plan *plan)
{
	struct dialog *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->features = f;
	d->event = plan->event;
	d->kind = plan->kind;
	d->close_on_ack = plan->kind == DIALOG_SILENT;
	d->irq = irq;
	d->interval_ms = f->options.t1_ms;
	d->invite_cseq = d->remote_cseq = hd_msg_cseq(hd_irq_msg(irq));
	if (f->options.prompts)
		d->prompts = prompts_ref(f->options.prompts);
	if (plan->result) {
		d->n_result = prompts_of_result(d->result, plan->result);
		d->result[d->n_result++] = PROMPT_GOODBYE;
	}
	return d;
}

bool dialog_open(struct hd_features *f, struct hd_irq *irq, const struct dialog_plan *plan)
{
	struct dialog *d = create(f, irq, plan);
	int err;

	if (!d) {
		hd_irq_reply(irq, 500, NULL, NULL, no_body);
		hd_irq_free(irq);
		return false;
	}
	hd_irq_bind(irq, dialog_on_irq, d);
	err = fill(d, irq, plan);
	id_of(d->id, d->call_id, d->local_tag);
	HASH_ADD(hh, f->dialogs, id, DIALOG_ID_SIZE, d);
	if (!err)
		err = make_timers(d);
	if (!err)
		err = open_session(d);
	if (err) {
		refuse(d, err);
		return false;
	}
	talk_set_language(d, hd_irq_msg(irq));
	if (plan->result && plan->result->language[0])
		memcpy(d->language, plan->result->language, sizeof(d->language));
	tell_running(d, true);
	d->opened_ms = hd_clock_mono_ms(f->options.clock);
	d->ended = plan->ended;
	d->arg = plan->arg;
	dialog_send_ok(d);
	hd_sip_timer_set(d->timer, d->interval_ms);
	return true;
}
