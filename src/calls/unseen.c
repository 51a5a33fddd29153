/* unseen.c - missed calls that their owner has not looked at, counted by phone; see calls.h. */
#include <string.h>

#include "calls_priv.h"

enum { VERSION = 1, KEY_MAX = 2 * HD_CALLS_OWNER_SIZE, LOOKS_MAX = 20000 };

/* owner NUL phone. @return its length; 0: no owner */
static size_t make_key(char key[KEY_MAX], const char *owner, const char *phone)
{
	size_t n = strnlen(owner, HD_CALLS_OWNER_SIZE - 1);
	size_t m = strnlen(phone, HD_CALLS_OWNER_SIZE - 1);

	if (n == 0)
		return 0;
	memcpy(key, owner, n);
	key[n] = '\0';
	memcpy(key + n + 1, phone, m);
	return n + 1 + m;
}

/* In front of the first of an owner. @return false: there is no such owner */
static bool begin(char key[KEY_MAX], size_t *lenp, const char *owner)
{
	if (!*owner || strlen(owner) >= HD_CALLS_OWNER_SIZE)
		return false;
	*lenp = make_key(key, owner, "") - 1;
	return true;
}

/* The next of an owner. @return 0, HD_ENOENT at the end, the store's error */
static int next_of(struct hd_calls *calls, struct hd_txn *txn, const char *owner, char key[KEY_MAX],
		   size_t *lenp, uint32_t *np)
{
	size_t prefix = strlen(owner) + 1;
	struct hd_slice found, value;
	struct hd_decoder d;
	int err;

	err = hd_txn_next(txn, calls->unseen, (struct hd_slice){ key, *lenp }, &found, &value);
	if (err && err != HD_ECORRUPT)
		return err;
	if (found.len < prefix || found.len > KEY_MAX || memcmp(found.ptr, owner, prefix) != 0)
		return HD_ENOENT;
	memcpy(key, found.ptr, found.len);
	*lenp = found.len;
	*np = 0;
	if (err)
		return 0; /* none is counted of what cannot be read */
	hd_decoder_init(&d, value, VERSION);
	*np = hd_decode_u32(&d);
	if (hd_decoder_finish(&d))
		*np = 0;
	return 0;
}

static bool is_phone(const char *key, size_t len, const char *owner, const char *phone)
{
	size_t n = strlen(owner) + 1;

	return !phone || (strlen(phone) == len - n && memcmp(key + n, phone, len - n) == 0);
}

int calls_unseen_add(struct hd_calls *calls, struct hd_txn *txn, const char *owner,
		     const char *phone, int more)
{
	char key[KEY_MAX];
	uint8_t bytes[8];
	struct hd_slice name = { key, make_key(key, owner, phone) }, value;
	struct hd_decoder d;
	struct hd_encoder e;
	uint32_t n = 0;
	int err;

	if (name.len == 0)
		return 0;
	err = hd_txn_get(txn, calls->unseen, name, &value);
	if (!err) {
		hd_decoder_init(&d, value, VERSION);
		n = hd_decode_u32(&d);
		if (hd_decoder_finish(&d))
			n = 0;
	} else if (err != HD_ENOENT && err != HD_ECORRUPT) {
		return err;
	}
	if (more < 0 && n == 0)
		return 0; /* looked at meanwhile */
	n = more < 0 ? n - 1 : n < UINT32_MAX ? n + 1 : n;
	hd_encoder_init(&e, bytes, sizeof(bytes), VERSION);
	hd_encode_u32(&e, n);
	err = hd_encoder_finish(&e, &value);
	return err ? err : hd_txn_put(txn, calls->unseen, name, value);
}

int calls_unseen_forget(struct hd_calls *calls, struct hd_txn *txn, const char *owner,
			const char *phone)
{
	char key[KEY_MAX];
	uint32_t n;
	size_t len;
	int err;

	if (!begin(key, &len, owner))
		return 0;
	while (!(err = next_of(calls, txn, owner, key, &len, &n))) {
		if (!is_phone(key, len, owner, phone))
			continue;
		err = hd_txn_del(txn, calls->unseen, (struct hd_slice){ key, len });
		if (err)
			return err;
	}
	return err == HD_ENOENT ? 0 : err;
}

int hd_calls_seen(struct hd_txn *txn, void *arg)
{
	const struct hd_calls_seen *seen = arg;

	return calls_unseen_forget(seen->calls, txn, seen->owner,
				   seen->phone[0] ? seen->phone : NULL);
}

int hd_calls_unseen(struct hd_calls *calls, struct hd_txn *txn, const char *owner,
		    const char *phone, uint32_t *np)
{
	const struct hd_calls_query query = {
		.owner = owner,
		.phone = phone,
		.kinds = 1U << HD_CALL_MISSED,
		.shown = true,
		.looks = LOOKS_MAX, /* the newest: a list of millions must not be walked */
	};
	uint64_t sum = 0;
	char key[KEY_MAX];
	uint32_t n;
	size_t len;
	int err;

	*np = 0;
	if (!begin(key, &len, owner))
		return 0;
	while (!(err = next_of(calls, txn, owner, key, &len, &n)))
		if (is_phone(key, len, owner, phone))
			sum += n;
	if (err != HD_ENOENT || sum == 0)
		return err == HD_ENOENT ? 0 : err;
	*np = sum > HD_CALLS_UNSEEN_MAX ? HD_CALLS_UNSEEN_MAX : (uint32_t)sum;
	/* Retention may have taken some of them. */
	return calls_count(calls, txn, &query, np);
}
