/* hoteling.c - the package x-broadworks-hoteling; see hotdesk/hoteling.h. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hoteling_priv.h"

#define EVENT "x-broadworks-hoteling"
#define TYPE "application/x-broadworks-hoteling+xml"

#define HELP "SetHoteling bodies of phones"
static struct hd_metric asked = HD_COUNTER("hotdeskd_hoteling", "result=\"asked\"", HELP);
static struct hd_metric malformed = HD_COUNTER("hotdeskd_hoteling", "result=\"malformed\"", HELP);
static struct hd_metric stale = HD_COUNTER("hotdeskd_hoteling", "result=\"stale\"", HELP);
static struct hd_metric wrong = HD_COUNTER("hotdeskd_hoteling", "result=\"wrong\"", HELP);
static struct hd_metric right = HD_COUNTER("hotdeskd_hoteling", "result=\"right\"", HELP);

/* A subscription of a phone. */
struct guest {
	struct hd_hoteling *hoteling;
	struct hd_subscription *subscription;
	struct hd_operation *operation; /* under way */
	char nonce[NONCE_SIZE];		/* "" : none is open */
	bool tell;		   /* it has not been told: phones take a repetition for a no */
	int64_t until_ms;	   /* mono: of the nonce */
	char user[HD_NUMBER_SIZE]; /* for whom it was made */
};

static struct guest *guest_of(struct hd_hoteling *h, struct hd_subscription *s)
{
	struct guest *g = hd_subscription_data(s);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->hoteling = h;
	g->subscription = s;
	hd_subscription_set_data(s, g);
	return g;
}

static void ended(void *arg, struct hd_subscription *s)
{
	struct guest *g = hd_subscription_data(s);

	(void)arg;
	if (!g)
		return;
	hd_operation_leave(g->operation);
	hd_wipe(g, sizeof(*g));
	free(g);
}

/* ---- the state ------------------------------------------------------------------------------ */

/* @return 0 (user "" for nobody), or the store's error */
static int find_session(struct hd_hoteling *h, const char *phone, struct hd_desk_session *session)
{
	struct hd_txn *txn;
	int err;

	memset(session, 0, sizeof(*session));
	err = hd_store_begin_read(h->options.store, &txn);
	if (err)
		return err;
	err = hd_desk_get_by_phone(h->options.desk, txn, phone, session);
	hd_store_end_read(txn);
	if (err)
		memset(session, 0, sizeof(*session));
	return err == HD_ENOENT ? 0 : err;
}

static int body(void *arg, struct hd_subscription *s, struct hd_buf *out, struct hd_buf *type)
{
	const char *phone = hd_subscription_phone(s);
	struct guest *g = hd_subscription_data(s);
	struct hd_desk_session session;
	struct hoteling_event event = { 0 };
	struct hd_hoteling *h = arg;
	int err;

	(void)type;
	err = find_session(h, phone, &session);
	if (err)
		return err;
	association_note(h, phone, session.user[0] ? &session : NULL);
	event.guest = session.user;
	event.left_s = association_left_s(h, phone);
	event.nonce = g && g->tell ? g->nonce : NULL;
	if (g)
		g->tell = false;
	hoteling_event_write(out, &event);
	return 0;
}

/* ---- what a phone asks ---------------------------------------------------------------------- */

static void on_done(void *arg, const struct hd_operation_result *result)
{
	struct guest *g = arg;

	g->operation = NULL;
	/* A change pushes to everybody who watches the phone. */
	if (result->err || result->result > HD_DESK_RESULT_LOGGED_OUT)
		hd_subscription_push(g->subscription);
}

static void make_opid(uint8_t opid[HD_OPID_BYTES], struct hd_msg *msg)
{
	uint32_t cseq = hd_msg_cseq(msg);
	struct hd_slice parts[] = {
		hd_slice_of(hd_msg_call_id(msg)),
		hd_slice_of(hd_msg_from_tag(msg)),
		hd_slice_of(EVENT),
		{ (const char *)&cseq, sizeof(cseq) },
	};
	uint8_t digest[HD_SHA256_BYTES];

	hd_sha256(digest, parts, sizeof(parts) / sizeof(parts[0]));
	memcpy(opid, digest, HD_OPID_BYTES);
}

static int ask_desk(struct guest *g, struct hd_msg *msg, const char *user, enum hd_desk_proof proof)
{
	char local[96], remote[96];
	struct hd_desk_ask ask = {
		.event = *user ? HD_DESK_EVENT_LOGIN : HD_DESK_EVENT_LOGOUT,
		.way = HD_DESK_WAY_HOTELING,
		.phone = hd_subscription_phone(g->subscription),
		.user = user,
		.proof = proof,
		.call_id = hd_msg_call_id(msg),
		.local_address = local,
		.remote_address = remote,
	};

	if (!hd_operations_admit(g->hoteling->options.operations, false))
		return 503;
	make_opid(ask.opid, msg);
	hd_subscription_addresses(g->subscription, local, remote, sizeof(local));
	return hd_operation_begin(&g->operation, g->hoteling->options.operations, &ask, on_done, g)
		       ? 503
		       : HD_NOTIFY_LATER;
}

static int challenge(struct guest *g, const char *user)
{
	const struct hd_hoteling_options *o = &g->hoteling->options;
	struct hd_desk_session session;
	uint8_t bytes[NONCE_BYTES];

	if (find_session(g->hoteling, hd_subscription_phone(g->subscription), &session))
		return 500;
	if (strcmp(session.user, user) == 0) /* is the guest already */
		return 200;
	hd_random_bytes(bytes, sizeof(bytes));
	hd_hex_format(g->nonce, bytes, sizeof(bytes));
	memcpy(g->user, user, sizeof(g->user));
	g->until_ms = hd_clock_mono_ms(o->clock) + (int64_t)o->nonce_s * 1000;
	g->tell = true;
	return 200;
}

/* The nonce is used up, whatever comes of it. */
static bool take_nonce(struct guest *g, const struct set_hoteling *set)
{
	bool good = g->nonce[0] && strcmp(g->nonce, set->nonce) == 0 &&
		    strcmp(g->user, set->guest) == 0 &&
		    hd_clock_mono_ms(g->hoteling->options.clock) < g->until_ms;

	hd_wipe(g->nonce, sizeof(g->nonce));
	g->tell = false;
	return good;
}

/* @return 0, with proof set, or the store's error */
static int prove(struct guest *g, const struct set_hoteling *set, enum hd_desk_proof *proofp)
{
	const struct hd_hoteling_options *o = &g->hoteling->options;
	char pin[HD_PIN_SIZE];
	struct hd_txn *txn;
	bool proved;
	int err;

	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_settings_get_pin(o->settings, txn, set->guest, pin);
	hd_store_end_read(txn);
	if (err == HD_ECORRUPT)
		hd_error("hoteling", "%s: the PIN that is kept cannot be read: set it again",
			 set->guest);
	proved = set_hoteling_proves(set, pin) && !err;
	hd_wipe(pin, sizeof(pin));
	*proofp = proved ? HD_DESK_PROOF_GOOD : HD_DESK_PROOF_BAD;
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}

static int authenticate(struct guest *g, struct hd_msg *msg, const struct set_hoteling *set)
{
	enum hd_desk_proof proof;

	if (!take_nonce(g, set)) {
		hd_metric_add(&stale, 1);
		hd_log_call(HD_LOG_NOTICE, "hoteling", hd_msg_call_id(msg),
			    "%s: a nonce that is not open", hd_subscription_phone(g->subscription));
		return 200; /* and a NOTIFY that nobody has come */
	}
	if (prove(g, set, &proof))
		return 500;
	hd_metric_add(proof == HD_DESK_PROOF_GOOD ? &right : &wrong, 1);
	return ask_desk(g, msg, set->guest, proof);
}

static int refuse_body(struct hd_subscription *s, struct hd_msg *msg, int err)
{
	hd_metric_add(&malformed, 1);
	hd_log_call(HD_LOG_INFO, "hoteling", hd_msg_call_id(msg), "%s: body refused: %s",
		    hd_subscription_phone(s), hd_strerror(err));
	return err == HD_ENOMEM ? 500 : err == HD_ELIMIT ? 413 : 400;
}

static bool is_type(struct hd_msg *msg)
{
	const char *value = hd_msg_header(msg, "Content-Type", 0);
	struct hd_slice type = { value, value ? strcspn(value, ";") : 0 };

	return hd_slice_caseis(hd_slice_trim(type), TYPE);
}

static int receive(void *arg, struct hd_subscription *s, struct hd_msg *msg)
{
	struct guest *g = guest_of(arg, s);
	struct set_hoteling set;
	int status, err;

	if (!is_type(msg))
		return 415;
	if (!g)
		return 500;
	err = set_hoteling_read(&set, hd_msg_body(msg));
	if (err)
		return refuse_body(s, msg, err);
	if (g->operation)
		status = 491;
	else if (set.guest[0] && set.authenticated)
		status = authenticate(g, msg, &set);
	else if (set.guest[0])
		status = challenge(g, set.guest);
	else
		status = ask_desk(g, msg, "", HD_DESK_PROOF_PIN);
	hd_metric_add(&asked, 1);
	hd_wipe(&set, sizeof(set));
	return status;
}

/* ---- life ----------------------------------------------------------------------------------- */

void hd_hoteling_phone_changed(struct hd_hoteling *h, const char *phone)
{
	struct hd_desk_session session;

	if (!find_session(h, phone, &session))
		association_note(h, phone, session.user[0] ? &session : NULL);
	hd_notifier_push(h->options.notifier, EVENT, phone);
}

void hd_hoteling_start(struct hd_hoteling *h)
{
	char after[HD_NUMBER_SIZE] = "";
	struct hd_desk_session session;
	struct hd_txn *txn;

	if (!h->options.association_s || hd_store_begin_read(h->options.store, &txn))
		return;
	while (!hd_desk_next(h->options.desk, txn, after, &session)) {
		memcpy(after, session.user, sizeof(after));
		association_note(h, session.phone, &session);
	}
	hd_store_end_read(txn);
}

void hd_hoteling_set_limits(struct hd_hoteling *h, uint32_t nonce_s, uint32_t association_s)
{
	h->options.nonce_s = nonce_s;
	h->options.association_s = association_s;
}

int hd_hoteling_new(struct hd_hoteling **hp, const struct hd_hoteling_options *options)
{
	static struct hd_metric *const metrics[] = { &asked, &malformed, &stale, &wrong, &right };
	struct hd_package package = {
		.event = EVENT,
		.content_type = TYPE,
		.may = hd_subscribe_may_self,
		.body = body,
		.receive = receive,
		.ended = ended,
	};
	struct hd_hoteling *h;
	int err;

	if (!options || !options->agent || !options->notifier || !options->store ||
	    !options->desk || !options->settings || !options->operations || !options->clock)
		return HD_EINVAL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return HD_ENOMEM;
	h->options = *options;
	package.arg = h;
	err = hd_notifier_add(options->notifier, &package);
	if (err) {
		free(h);
		return err;
	}
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		hd_metric_register(metrics[i]);
	*hp = h;
	return 0;
}

void hd_hoteling_free(struct hd_hoteling *h)
{
	struct association *a, *next;

	if (!h)
		return;
	HASH_ITER (hh, h->associations, a, next)
		association_free(a);
	free(h);
}
