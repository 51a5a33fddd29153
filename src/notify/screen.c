/* screen.c - what a phone shows while it is idle, and that it forgets calls; see notify.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "notify_priv.h"

/* One NOTIFY each, in this order. */
enum { FORGET, STATUS, LAMP, DOCUMENTS };
static const char *const names[DOCUMENTS] = { "forget calls", "status", "lamp" };

struct screen {
	struct hd_notify *notify;
	char phone[HD_PHONE_ID_SIZE];
	char text[HD_NOTIFY_TEXT_SIZE];
	unsigned wanted; /* 1 << document, or'ed */
	unsigned sent;	 /* the one under way */
	struct hd_orq *orq;
	struct hd_uac_auth *auth;
	char call_id[40], from_tag[9];
	uint32_t cseq;
	UT_hash_handle hh;
};

static void answered(struct screen *s)
{
	hd_orq_free(s->orq);
	hd_uac_auth_free(s->auth);
	s->orq = NULL;
	s->auth = NULL;
}

static void screen_free(struct screen *s)
{
	answered(s);
	free(s);
}

void screen_end_all(struct hd_notify *notify)
{
	struct screen *s = notify->screens, *next;

	HASH_CLEAR(hh, notify->screens);
	for (; s; s = next) {
		next = s->hh.next;
		screen_free(s);
	}
}

/* ---- sending --------------------------------------------------------------------------------- */

/* @return false: the vendor has no such document */
static bool fill(struct notify_document *d, const struct screen *s, const struct hd_vendor *v)
{
	d->text = d->end = "";
	if (!v->screen_event)
		return false;
	if (s->sent == FORGET)
		d->begin = v->forget_calls;
	if (s->sent == STATUS) {
		d->begin = v->status_begin;
		d->text = s->text;
		d->end = v->status_end;
	}
	if (s->sent == LAMP)
		d->begin = s->text[0] ? v->lamp_on : v->lamp_off;
	return d->begin != NULL;
}

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response);

/* @return 0; HD_EUNSUPPORTED: the vendor has no such document; HD_EGONE: not registered; ... */
static int send(struct screen *s, const struct resync_phone *phone)
{
	const struct hd_binding *b = &phone->binding;
	const struct hd_way way = { b->flow, b->contact_uri, b->path, b->reg_id != 0 };
	struct notify_document d = {
		.phone = s->phone,
		.vendor = phone->vendor,
		.binding = b,
		.call_id = s->call_id,
		.from_tag = s->from_tag,
		.cseq = s->cseq,
	};
	struct hd_agent *agent = s->notify->options.agent;
	struct hd_target target;
	struct hd_msg *msg;
	int err;

	if (!fill(&d, s, phone->vendor))
		return HD_EUNSUPPORTED;
	err = notify_document(s->notify, &d, &msg);
	if (err)
		return err;
	if (s->auth)
		err = hd_uac_auth_add(s->auth, msg);
	if (!err)
		err = hd_msg_route_to(agent, msg, &way, &target);
	if (err) {
		hd_msg_free(msg);
		return err;
	}
	return hd_orq_new(&s->orq, agent, msg, &target, on_response, s);
}

/* The next that is wanted. @return what became of it */
static int send_next(struct screen *s, const struct resync_phone *phone)
{
	int err;

	s->sent = 0;
	while (!(s->wanted & 1U << s->sent))
		s->sent++;
	s->wanted &= ~(1U << s->sent);
	snprintf(s->call_id, sizeof(s->call_id), "%08x%08x%08x%08x", hd_random_u32(UINT32_MAX),
		 hd_random_u32(UINT32_MAX), hd_random_u32(UINT32_MAX), hd_random_u32(UINT32_MAX));
	snprintf(s->from_tag, sizeof(s->from_tag), "%08x", hd_random_u32(UINT32_MAX));
	s->cseq = 1;
	err = send(s, phone);
	if (err && err != HD_EUNSUPPORTED)
		hd_info("notify", "%s: %s: not sent: %s", s->phone, names[s->sent],
			hd_strerror(err));
	return err;
}

/* Does what is to be done; s may be gone afterwards. */
static void look(struct screen *s)
{
	struct hd_notify *notify = s->notify;
	struct resync_phone phone;
	int err;

	if (s->orq)
		return;
	err = ask_read(notify, s->phone, 0, &phone);
	if (!err) {
		while (s->wanted && !s->orq)
			(void)send_next(s, &phone);
	}
	hd_wipe(&phone, sizeof(phone));
	/* One that is not there is told when it registers. */
	if (s->orq || (err == HD_EGONE && s->wanted))
		return;
	if (err && err != HD_EGONE && err != HD_ENOENT)
		hd_info("notify", "%s: its screen is left alone: %s", s->phone, hd_strerror(err));
	HASH_DEL(notify->screens, s);
	screen_free(s);
}

/* @return 0: sent again, with credentials */
static int answer_challenge(struct screen *s, struct hd_msg *response)
{
	struct resync_phone phone;
	int err;

	err = s->auth ? 0 : hd_uac_auth_new(&s->auth);
	if (!err)
		err = ask_read(s->notify, s->phone, 0, &phone);
	if (err)
		return err;
	err = hd_uac_auth_take(s->auth, response, ask_credentials, &phone);
	s->cseq++;
	if (!err)
		err = send(s, &phone);
	hd_wipe(&phone, sizeof(phone));
	return err;
}

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct screen *s = arg;

	if (status < 200)
		return;
	hd_orq_free(orq);
	s->orq = NULL;
	hd_debug("notify", "%s: %s: answered %d", s->phone, names[s->sent], status);
	if (response && (status == 401 || status == 407) && !answer_challenge(s, response))
		return;
	answered(s);
	if (response) {
		look(s); /* what it refuses is not asked for again */
		return;
	}
	/* It is not there: the same again, when it is. */
	s->wanted |= 1U << s->sent;
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static int want(struct hd_notify *notify, const char *phone, const char *text, unsigned documents)
{
	struct screen *s;

	HASH_FIND_STR(notify->screens, phone, s);
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return HD_ENOMEM;
		s->notify = notify;
		if (hd_str_set(s->phone, sizeof(s->phone), phone)) {
			free(s);
			return HD_ELIMIT;
		}
		HASH_ADD_STR(notify->screens, phone, s);
	}
	if (text && hd_str_set(s->text, sizeof(s->text), text))
		s->text[0] = '\0';
	s->wanted |= documents;
	look(s);
	return 0;
}

int hd_notify_status(struct hd_notify *notify, const char *phone, const char *text)
{
	return want(notify, phone, text, 1U << STATUS | 1U << LAMP);
}

int hd_notify_forget_calls(struct hd_notify *notify, const char *phone)
{
	return want(notify, phone, NULL, 1U << FORGET);
}

void screen_bound(struct hd_notify *notify, const char *phone)
{
	struct screen *s;

	HASH_FIND_STR(notify->screens, phone, s);
	if (s)
		look(s);
}
