/* talk.c - a dialogue's keys from the wire, its prompts to it, its questions to the desk. */
#include <string.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"

/* ---- prompts -------------------------------------------------------------------------------- */

static void say(void *arg, const enum prompt *prompts, size_t n)
{
	const struct hd_sound *sounds[HD_MEDIA_PLAY_MAX];
	struct dialog *d = arg;

	if (!d->session.stream) {
		dialogue_said(&d->dialogue);
		return;
	}
	for (size_t i = 0; i < n; i++)
		sounds[i] = prompts_get(d->prompts, d->language, prompts[i]);
	hd_stream_play(d->session.stream, sounds, n);
}

static void hush(void *arg)
{
	struct dialog *d = arg;

	if (d->session.stream)
		hd_stream_stop(d->session.stream);
}

static void set_timer(void *arg, uint32_t in_ms)
{
	struct dialog *d = arg;

	if (in_ms)
		hd_sip_timer_set(d->talking, in_ms);
	else
		hd_sip_timer_cancel(d->talking);
}

static void end(void *arg, bool refused)
{
	dialog_close(arg, refused ? refusal_reason : "");
}

/* ---- the desk ------------------------------------------------------------------------------- */

static void on_decided(void *arg, const struct hd_operation_result *result)
{
	struct dialog *d = arg;

	d->asking = NULL;
	if (d->state != OPEN)
		return;
	/* Not before: a language must not tell whose number was typed. */
	if (hd_operation_is_success(result) && result->language[0])
		memcpy(d->language, result->language, sizeof(d->language));
	dialogue_decided(&d->dialogue, result);
}

static void make_opid(uint8_t opid[HD_OPID_BYTES], struct dialog *d)
{
	uint8_t digest[HD_SHA256_BYTES];
	struct hd_slice parts[] = {
		{ (const char *)d->id, sizeof(d->id) },
		{ (const char *)&d->asked, sizeof(d->asked) },
	};

	d->asked++;
	hd_sha256(digest, parts, 2);
	memcpy(opid, digest, HD_OPID_BYTES);
}

static void ask(void *arg, const char *number, struct hd_slice pin)
{
	struct hd_operation_result failed = { 0 };
	struct dialog *d = arg;
	struct hd_desk_ask a = {
		.event = d->event,
		.way = HD_DESK_WAY_DIALOGUE,
		.phone = d->phone,
		.user = number,
		.pin = pin,
		.call_id = d->call_id,
		.local_address = d->local_address,
		.remote_address = d->remote_address,
	};

	make_opid(a.opid, d);
	failed.err =
		hd_operation_begin(&d->asking, d->features->options.operations, &a, on_decided, d);
	if (failed.err)
		dialogue_decided(&d->dialogue, &failed);
}

static const struct dialogue_acts acts = {
	.say = say,
	.hush = hush,
	.set_timer = set_timer,
	.ask = ask,
	.end = end,
};

/* ---- the stream ----------------------------------------------------------------------------- */

void talk_key(struct dialog *d, char key, enum key_way way)
{
	if (d->kind != DIALOG_LOGIN || d->operation)
		return;
	if (d->state == WAITING_ACK && d->session.stream && d->n_early < EARLY_KEYS)
		d->early[d->n_early++] = key;
	else if (d->state == OPEN)
		dialogue_key(&d->dialogue, key, way, hd_clock_mono_ms(d->features->options.clock));
}

static void on_digit(void *arg, char digit)
{
	talk_key(arg, digit, KEY_BY_RTP);
}

static void on_played(void *arg)
{
	struct dialog *d = arg;

	if (d->state != OPEN)
		return;
	if (d->kind == DIALOG_RESULT)
		dialog_close(d, "");
	else
		dialogue_said(&d->dialogue);
}

const struct hd_stream_events talk_stream_events = { .digit = on_digit, .played = on_played };

/* ---- life ----------------------------------------------------------------------------------- */

static void begin_dialogue(struct dialog *d)
{
	char early[EARLY_KEYS];
	size_t n = d->n_early;

	memcpy(early, d->early, sizeof(early));
	hd_wipe(d->early, sizeof(d->early));
	d->n_early = 0;
	dialogue_begin(&d->dialogue, &d->features->options.dialogue, &acts, d);
	/* There is a stream: whatever they lead to is said before it ends. */
	for (size_t i = 0; i < n; i++)
		talk_key(d, early[i], KEY_BY_RTP);
	hd_wipe(early, sizeof(early));
}

void talk_begin(struct dialog *d)
{
	hd_sip_timer_set(d->limit, (int64_t)d->features->options.dialogue_s * 1000);
	if (d->kind == DIALOG_RESULT)
		say(d, d->result, d->n_result);
	else
		begin_dialogue(d);
}

void talk_end(struct dialog *d)
{
	/* What was asked for goes on: it may be committed already. */
	hd_operation_leave(d->asking);
	d->asking = NULL;
	hd_sip_timer_cancel(d->talking);
	dialogue_wipe(&d->dialogue);
	hd_wipe(d->early, sizeof(d->early));
}

/* A phone that had sent sound and sends none any more has gone without a BYE. */
static bool is_gone(const struct dialog *d)
{
	uint32_t silent_s = d->features->options.dialogue.silent_s;

	return d->session.stream && silent_s > 0 && hd_stream_is_latched(d->session.stream) &&
	       hd_stream_silent_ms(d->session.stream) > (int64_t)silent_s * 1000;
}

void talk_on_timer(void *arg)
{
	struct dialog *d = arg;

	if (d->state != OPEN || d->operation)
		return;
	if (is_gone(d)) {
		hd_log_call(HD_LOG_INFO, "feature", d->call_id, "%s: nothing is heard any more",
			    d->phone);
		dialogue_give_up(&d->dialogue);
	} else {
		dialogue_time_out(&d->dialogue);
	}
}

/* ---- language ------------------------------------------------------------------------------- */

/* Of the owner, who alone uses the phone. */
static bool take_owners(struct dialog *d)
{
	struct hd_features_options *o = &d->features->options;
	struct hd_phone phone;
	struct hd_user user;
	struct hd_txn *txn;
	bool found = false;

	if (!o->dir || hd_store_begin_read(o->store, &txn))
		return false;
	if (!hd_phone_get(o->dir, txn, d->phone, &phone) && phone.owner[0] &&
	    !hd_user_get(o->dir, txn, phone.owner, &user) && user.language[0]) {
		memcpy(d->language, user.language, sizeof(d->language));
		found = true;
		hd_wipe(&user, sizeof(user));
	}
	hd_store_end_read(txn);
	hd_wipe(&phone, sizeof(phone));
	return found;
}

/* The first of Accept-Language (RFC 3261 20.3) that is spoken here; phones list the best first. */
static void take_phones(struct dialog *d, struct hd_msg *invite)
{
	char tag[HD_LANGUAGE_SIZE];
	const char *value;

	for (unsigned i = 0; d->prompts && (value = hd_msg_header(invite, "Accept-Language", i));
	     i++) {
		struct hd_slice s = { value, strcspn(value, ";, ") };

		if (!hd_str_copy(tag, sizeof(tag), s) && prompts_has(d->prompts, tag)) {
			memcpy(d->language, tag, sizeof(tag));
			return;
		}
	}
}

void talk_set_language(struct dialog *d, struct hd_msg *invite)
{
	const char *configured = d->features->options.dialogue.language;

	if (take_owners(d))
		return;
	if (configured[0])
		memcpy(d->language, configured, sizeof(d->language));
	else
		take_phones(d, invite);
}
