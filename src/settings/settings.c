/* settings.c - see hotdesk/settings.h. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/record.h"
#include "hotdesk/settings.h"

#include "settings_priv.h"

enum { SETTINGS_VERSION = 1, RECORD_MAX = 512 };
enum { FLAG_DND = 1, FLAG_HOTELING = 2, FLAG_PIN = 4, FLAG_FORWARD = 8 /* and the next three */ };

/* The PIN is sealed at its largest size, so that the record does not tell its length. */
enum { PIN_TEXT = HD_PIN_SIZE - 1, PIN_SEALED = PIN_TEXT + HD_SEAL_BYTES };

struct record {
	struct hd_settings settings;
	uint8_t sealed[PIN_SEALED];
};

int hd_settings_new(struct hd_settings_store **sp, struct hd_store *store,
		    const struct hd_key *master)
{
	struct hd_settings_store *s;
	int err;

	if (!sp || !store || !master)
		return HD_EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return HD_ENOMEM;
	err = hd_store_table(store, "user_settings", &s->table);
	if (!err)
		err = hd_store_table(store, "message_summaries", &s->summaries);
	if (err) {
		free(s);
		return err;
	}
	hd_key_derive(&s->seal, master, "user pin");
	*sp = s;
	return 0;
}

void hd_settings_free(struct hd_settings_store *s)
{
	if (!s)
		return;
	hd_wipe(&s->seal, sizeof(s->seal));
	free(s);
}

const char *hd_forward_name(enum hd_forward_when when)
{
	static const char *const names[] = { "always", "busy", "no-answer", "not-logged-in" };

	return names[when];
}

const char *hd_forward_reason(enum hd_forward_when when)
{
	static const char *const reasons[] = { "unconditional", "user-busy", "no-answer",
					       "unavailable" };

	return reasons[when];
}

bool hd_forward_to_is_valid(struct hd_slice to)
{
	return to.len > 0 && hd_phone_id_is_valid(to);
}

void hd_settings_standard(struct hd_settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->rings = HD_RINGS_STANDARD;
}

/* ---- records -------------------------------------------------------------------------------- */

static int decode(struct record *r, struct hd_slice value)
{
	struct hd_settings *st = &r->settings;
	struct hd_decoder d;
	uint8_t flags;

	hd_decoder_init(&d, value, SETTINGS_VERSION);
	flags = hd_decode_u8(&d);
	st->dnd = (flags & FLAG_DND) != 0;
	st->hoteling = (flags & FLAG_HOTELING) != 0;
	st->has_pin = (flags & FLAG_PIN) != 0;
	st->rings = hd_decode_u8(&d);
	for (unsigned i = 0; i < HD_FORWARD_COUNT; i++)
		st->forward[i].active = (flags & (FLAG_FORWARD << i)) != 0;
	for (unsigned i = 0; i < HD_FORWARD_NOT_LOGGED_IN; i++)
		hd_decode_str(&d, st->forward[i].to, sizeof(st->forward[i].to));
	if (st->has_pin && hd_decoder_at_end(&d))
		return HD_ECORRUPT;
	if (st->has_pin)
		hd_decode_bytes(&d, r->sealed, sizeof(r->sealed));
	hd_decode_str(&d, st->forward[HD_FORWARD_NOT_LOGGED_IN].to, HD_FORWARD_TO_SIZE);
	return hd_decoder_finish(&d);
}

static int get(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
	       struct record *r)
{
	struct hd_slice value;
	int err;

	memset(r, 0, sizeof(*r));
	hd_settings_standard(&r->settings);
	if (!hd_number_is_valid(hd_slice_of(number)))
		return HD_EINVAL;
	err = hd_txn_get(txn, s->table, hd_slice_of(number), &value);
	if (err)
		return err == HD_ENOENT ? 0 : err;
	return decode(r, value);
}

static bool is_standard(const struct hd_settings *st)
{
	bool set = st->dnd || st->hoteling || st->rings != HD_RINGS_STANDARD;

	for (unsigned i = 0; i < HD_FORWARD_COUNT; i++)
		set = set || st->forward[i].active || st->forward[i].to[0];
	return !set;
}

static int put(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
	       const struct record *r)
{
	const struct hd_settings *st = &r->settings;
	unsigned flags = (st->dnd ? FLAG_DND : 0) | (st->hoteling ? FLAG_HOTELING : 0) |
			 (st->has_pin ? FLAG_PIN : 0);
	uint8_t buf[RECORD_MAX];
	struct hd_slice value;
	struct hd_encoder e;
	int err;

	if (is_standard(st)) {
		err = hd_txn_del(txn, s->table, hd_slice_of(number));
		return err == HD_ENOENT ? 0 : err;
	}
	for (unsigned i = 0; i < HD_FORWARD_COUNT; i++)
		flags |= st->forward[i].active ? (unsigned)FLAG_FORWARD << i : 0;
	hd_encoder_init(&e, buf, sizeof(buf), SETTINGS_VERSION);
	hd_encode_u8(&e, (uint8_t)flags);
	hd_encode_u8(&e, st->rings);
	for (unsigned i = 0; i < HD_FORWARD_NOT_LOGGED_IN; i++)
		hd_encode_str(&e, st->forward[i].to);
	if (st->has_pin)
		hd_encode_bytes(&e, r->sealed, sizeof(r->sealed));
	hd_encode_str(&e, st->forward[HD_FORWARD_NOT_LOGGED_IN].to);
	err = hd_encoder_finish(&e, &value);
	return err ? err : hd_txn_put(txn, s->table, hd_slice_of(number), value);
}

int hd_settings_get(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
		    struct hd_settings *settings)
{
	struct record r;
	int err;

	if (!s || !txn || !settings)
		return HD_EINVAL;
	err = get(s, txn, number, &r);
	*settings = r.settings;
	return err == HD_EINVAL ? 0 : err;
}

static bool is_valid(const char *number, const struct hd_settings *st)
{
	if (st->rings < 1 || st->rings > HD_RINGS_MAX)
		return false;
	for (unsigned i = 0; i < HD_FORWARD_COUNT; i++) {
		const struct hd_forward *f = &st->forward[i];

		if (f->to[0] ? !hd_forward_to_is_valid(hd_slice_of(f->to)) : f->active)
			return false;
		if (f->active && strcmp(f->to, number) == 0)
			return false;
	}
	return true;
}

/* A record that cannot be read is written anew: its PIN is lost, and must be set again. */
static int get_to_write(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
			struct record *r)
{
	int err = get(s, txn, number, r);

	if (err != HD_ECORRUPT)
		return err;
	memset(r, 0, sizeof(*r));
	hd_settings_standard(&r->settings);
	return 0;
}

int hd_settings_put(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
		    const struct hd_settings *settings)
{
	struct record r;
	bool hoteling, has_pin;
	int err;

	if (!s || !txn || !settings || !is_valid(number, settings))
		return HD_EINVAL;
	err = get_to_write(s, txn, number, &r);
	if (err)
		return err;
	hoteling = r.settings.hoteling;
	has_pin = r.settings.has_pin;
	r.settings = *settings;
	r.settings.hoteling = hoteling;
	r.settings.has_pin = has_pin;
	return put(s, txn, number, &r);
}

/* ---- the PIN -------------------------------------------------------------------------------- */

int hd_settings_put_hoteling(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
			     bool hoteling, struct hd_slice pin)
{
	char text[PIN_TEXT] = { 0 };
	struct record r;
	int err;

	if (!s || !txn || pin.len > sizeof(text))
		return HD_EINVAL;
	err = get_to_write(s, txn, number, &r);
	if (err)
		return err;
	r.settings.hoteling = hoteling;
	if (!hoteling)
		r.settings.has_pin = false;
	if (hoteling && pin.len) {
		memcpy(text, pin.ptr, pin.len);
		hd_seal(r.sealed, &s->seal, (struct hd_slice){ text, sizeof(text) },
			hd_slice_of(number));
		hd_wipe(text, sizeof(text));
		r.settings.has_pin = true;
	}
	return put(s, txn, number, &r);
}

int hd_settings_get_pin(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
			char pin[HD_PIN_SIZE])
{
	struct record r;
	int err;

	if (!s || !txn || !pin)
		return HD_EINVAL;
	memset(pin, 0, HD_PIN_SIZE);
	err = get(s, txn, number, &r);
	if (err)
		return err == HD_EINVAL ? HD_ENOENT : err;
	if (!r.settings.has_pin)
		return HD_ENOENT;
	return hd_unseal((uint8_t *)pin, &s->seal,
			 (struct hd_slice){ (const char *)r.sealed, sizeof(r.sealed) },
			 hd_slice_of(number))
		       ? HD_ECORRUPT
		       : 0;
}

int hd_settings_forget(struct hd_settings_store *s, struct hd_txn *txn, const char *number)
{
	int err;

	if (!s || !txn)
		return HD_EINVAL;
	if (!hd_number_is_valid(hd_slice_of(number)))
		return 0;
	err = hd_txn_del(txn, s->summaries, hd_slice_of(number));
	if (err && err != HD_ENOENT)
		return err;
	err = hd_txn_del(txn, s->table, hd_slice_of(number));
	return err == HD_ENOENT ? 0 : err;
}
