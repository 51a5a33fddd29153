/* merge.c - the keys of a phone and of the user who is there, in one row; see face.h. */
#include <string.h>

#include "device_priv.h"
#include "hotdesk/face.h"

struct row {
	struct hd_face_key *keys; /* keys[place - 1] */
	size_t n;
	size_t left;
	bool has_login;
};

static bool is_code(const struct hd_face_merge *m, const struct hd_phone_key *key)
{
	if (key->type != HD_PHONE_KEY_SPEED_DIAL && key->type != HD_PHONE_KEY_BLF)
		return false;
	for (size_t i = 0; i < sizeof(m->codes) / sizeof(m->codes[0]); i++)
		if (m->codes[i] && m->codes[i][0] && strcmp(m->codes[i], key->value) == 0)
			return true;
	return false;
}

static enum hd_face_key_kind kind_of(const struct hd_phone_key *key)
{
	static const enum hd_face_key_kind kinds[HD_PHONE_KEY_COUNT] = {
		[HD_PHONE_KEY_SPEED_DIAL] = HD_FACE_KEY_SPEED_DIAL,
		[HD_PHONE_KEY_BLF] = HD_FACE_KEY_BLF,
		[HD_PHONE_KEY_LINE] = HD_FACE_KEY_LINE,
		[HD_PHONE_KEY_URL] = HD_FACE_KEY_URL,
		[HD_PHONE_KEY_CALL_LIST] = HD_FACE_KEY_CALL_LIST,
	};

	return kinds[key->type];
}

static bool is_empty(const struct row *row, size_t place)
{
	return place >= 1 && place <= row->n && row->keys[place - 1].kind == HD_FACE_KEY_EMPTY;
}

static void put(struct row *row, size_t place, enum hd_face_key_kind kind,
		const struct hd_phone_key *key)
{
	struct hd_face_key *to = &row->keys[place - 1];

	to->kind = kind;
	to->label = key->label;
	to->value = kind == HD_FACE_KEY_LOGIN ? "" : key->value;
	row->has_login = row->has_login || kind == HD_FACE_KEY_LOGIN;
}

static void put_anywhere(struct row *row, enum hd_face_key_kind kind,
			 const struct hd_phone_key *key)
{
	size_t place = 1;

	while (place <= row->n && !is_empty(row, place))
		place++;
	if (place <= row->n)
		put(row, place, kind, key);
	else
		row->left++;
}

static void row_init(struct row *row, const struct hd_face_merge *m)
{
	row->n = m->places;
	for (size_t i = 0; i < m->n_phone; i++)
		if (m->phone[i].place > row->n)
			row->n = m->phone[i].place;
	if (m->login > row->n)
		row->n = m->login;
	if (m->calls > row->n)
		row->n = m->calls;
	if (row->n > HD_PHONE_KEYS_MAX)
		row->n = HD_PHONE_KEYS_MAX;
	for (size_t i = 0; i < row->n; i++)
		row->keys[i] =
			(struct hd_face_key){ .place = (uint8_t)(i + 1), .label = "", .value = "" };
}

static void login_put(struct row *row, const struct hd_face_merge *m)
{
	static const struct hd_phone_key login = { 0 };

	for (size_t i = 0; i < m->n_phone; i++)
		row->has_login = row->has_login || is_code(m, &m->phone[i]);
	if (!row->has_login && m->login)
		put(row, m->login, HD_FACE_KEY_LOGIN, &login);
}

/* Where the phone's own keys stand does not depend on who is there. */
static void phone_put(struct row *row, const struct hd_face_merge *m)
{
	bool later[HD_PHONE_KEYS_MAX] = { false };
	bool login = false;

	for (size_t i = 0; i < m->n_phone && i < HD_PHONE_KEYS_MAX; i++) {
		const struct hd_phone_key *key = &m->phone[i];

		later[i] = !is_empty(row, key->place);
		if (later[i])
			continue;
		/* A second key of a code is what it is. */
		put(row, key->place, is_code(m, key) && !login ? HD_FACE_KEY_LOGIN : kind_of(key),
		    key);
		login = login || is_code(m, key);
	}
	for (size_t place = 1; place <= m->lines && place <= row->n; place++)
		if (is_empty(row, place))
			row->keys[place - 1].kind = HD_FACE_KEY_LINE;
	for (size_t i = 0; i < m->n_phone && i < HD_PHONE_KEYS_MAX; i++) {
		if (!later[i])
			continue;
		put_anywhere(row,
			     is_code(m, &m->phone[i]) && !login ? HD_FACE_KEY_LOGIN
								: kind_of(&m->phone[i]),
			     &m->phone[i]);
		login = login || is_code(m, &m->phone[i]);
	}
}

static void calls_put(struct row *row, const struct hd_face_merge *m)
{
	static const struct hd_phone_key calls = { 0 };

	for (size_t i = 0; i < row->n; i++)
		if (row->keys[i].kind == HD_FACE_KEY_CALL_LIST)
			return;
	if (is_empty(row, m->calls))
		put(row, m->calls, HD_FACE_KEY_CALL_LIST, &calls);
}

static void user_put(struct row *row, const struct hd_face_merge *m)
{
	bool later[HD_PHONE_KEYS_MAX] = { false };

	for (size_t i = 0; i < m->n_user && i < HD_PHONE_KEYS_MAX; i++) {
		later[i] = !is_empty(row, m->user[i].place);
		if (!later[i])
			put(row, m->user[i].place, kind_of(&m->user[i]), &m->user[i]);
	}
	for (size_t i = 0; i < m->n_user && i < HD_PHONE_KEYS_MAX; i++)
		if (later[i])
			put_anywhere(row, kind_of(&m->user[i]), &m->user[i]);
}

size_t hd_face_keys(struct hd_face_key *keys, const struct hd_face_merge *merge, size_t *leftp)
{
	struct row row = { .keys = keys };

	row_init(&row, merge);
	login_put(&row, merge);
	phone_put(&row, merge);
	calls_put(&row, merge);
	user_put(&row, merge);
	if (leftp)
		*leftp = row.left;
	return row.n;
}
