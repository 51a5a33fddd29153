/*
 * lockout.c - wrong PINs are counted, and many of them lock.
 *
 * Table "lockout": u:NUMBER (failures in a row of a user), x:NUMBER (the same of a number that
 * does not exist; unknown.c bounds them), p:PHONE (when the last failures at a phone were: a
 * sliding window). A number that exists and one that does not are counted and locked alike.
 */
#include <string.h>

#include "desk_priv.h"

int hd_lockout_encode(struct hd_encoder *e, const struct hd_lockout *lockout, struct hd_slice *out)
{
	hd_encode_u32(e, lockout->failures);
	hd_encode_i64(e, lockout->locked_until_ms);
	hd_encode_i64(e, lockout->last_ms);
	hd_encode_u8(e, (uint8_t)lockout->n_tries);
	for (size_t i = 0; i < lockout->n_tries; i++)
		hd_encode_i64(e, lockout->tries[i]);
	return hd_encoder_finish(e, out);
}

int hd_lockout_decode(struct hd_lockout *lockout, struct hd_slice record)
{
	struct hd_decoder d;
	size_t n;

	memset(lockout, 0, sizeof(*lockout));
	hd_decoder_init(&d, record, HD_LOCKOUT_VERSION);
	lockout->failures = hd_decode_u32(&d);
	lockout->locked_until_ms = hd_decode_i64(&d);
	lockout->last_ms = hd_decode_i64(&d);
	n = hd_decode_u8(&d);
	if (n > HD_DESK_TRIES_MAX)
		return HD_ECORRUPT;
	for (size_t i = 0; i < n; i++)
		lockout->tries[i] = hd_decode_i64(&d);
	lockout->n_tries = n;
	return hd_decoder_finish(&d);
}

void hd_lockout_key_set(struct hd_lockout_key *key, char kind, const char *name)
{
	size_t len = strnlen(name, HD_PHONE_ID_SIZE - 1);

	key->text[0] = kind;
	key->text[1] = ':';
	memcpy(key->text + 2, name, len);
	key->slice = (struct hd_slice){ key->text, 2 + len };
}

int hd_lockout_load(struct hd_desk *desk, struct hd_txn *txn, char kind, const char *name,
		    struct hd_lockout *lockout)
{
	struct hd_lockout_key key;
	struct hd_slice record;
	int err;

	memset(lockout, 0, sizeof(*lockout));
	hd_lockout_key_set(&key, kind, name);
	err = hd_txn_get(txn, desk->lockouts, key.slice, &record);
	if (!err)
		err = hd_lockout_decode(lockout, record);
	/* A damaged record stays an error: nobody gets new tries by it; unlocking removes it. */
	return err == HD_ENOENT ? 0 : err;
}

int hd_lockout_save(struct hd_desk *desk, struct hd_txn *txn, char kind, const char *name,
		    const struct hd_lockout *lockout)
{
	uint8_t buf[HD_DESK_RECORD_MAX];
	struct hd_lockout_key key;
	struct hd_encoder e;
	struct hd_slice record;
	int err;

	hd_encoder_init(&e, buf, sizeof(buf), HD_LOCKOUT_VERSION);
	err = hd_lockout_encode(&e, lockout, &record);
	if (err)
		return err;
	hd_lockout_key_set(&key, kind, name);
	return hd_txn_put(txn, desk->lockouts, key.slice, record);
}

int hd_lockout_clear(struct hd_desk *desk, struct hd_txn *txn, char kind, const char *name)
{
	struct hd_lockout_key key;

	hd_lockout_key_set(&key, kind, name);
	return hd_txn_del(txn, desk->lockouts, key.slice);
}

static bool is_locked(struct hd_desk_request *request, const struct hd_lockout *lockout)
{
	if (lockout->locked_until_ms <= request->now_ms)
		return false;
	if (lockout->locked_until_ms != INT64_MAX)
		request->retry_at_ms = lockout->locked_until_ms;
	return true;
}

int hd_lockout_check(struct hd_txn *txn, struct hd_desk_request *request, bool known)
{
	struct hd_lockout lockout;
	int err;

	err = hd_lockout_load(request->desk, txn, 'p', request->phone, &lockout);
	if (err)
		return err;
	if (is_locked(request, &lockout)) {
		request->result = HD_DESK_RESULT_PHONE_LOCKED;
		return 0;
	}

	err = hd_lockout_load(request->desk, txn, known ? 'u' : 'x', request->user, &lockout);
	if (!err && is_locked(request, &lockout))
		request->result = HD_DESK_RESULT_USER_LOCKED;
	return err;
}

/* The end of a lock of some seconds, never beyond what a time can hold. */
static int64_t lock_end(int64_t now_ms, uint64_t in_s)
{
	int64_t in_ms = in_s > INT64_MAX / 2000 ? INT64_MAX / 2 : (int64_t)in_s * 1000;

	return now_ms > INT64_MAX - 1 - in_ms ? INT64_MAX - 1 : now_ms + in_ms;
}

static void lock_until(struct hd_desk_request *request, struct hd_lockout *lockout,
		       int64_t until_ms)
{
	lockout->locked_until_ms = until_ms;
	request->locked_now = true;
	if (until_ms != INT64_MAX && until_ms > request->retry_at_ms)
		request->retry_at_ms = until_ms;
}

/* Each lock_after-th failure in a row locks, twice as long as the time before. */
static void count_number(struct hd_desk_request *request, struct hd_lockout *lockout)
{
	const struct hd_desk_policy *policy = &request->policy;
	uint64_t in_s = policy->lock_s;

	lockout->last_ms = request->now_ms;
	if (lockout->failures < UINT32_MAX)
		lockout->failures++;

	if (policy->hard_lock_after > 0 && lockout->failures >= policy->hard_lock_after) {
		lock_until(request, lockout, INT64_MAX);
		return;
	}
	if (policy->lock_after == 0 || lockout->failures % policy->lock_after != 0)
		return;

	for (uint32_t k = lockout->failures / policy->lock_after; k > 1; k--) {
		if (in_s >= policy->lock_max_s)
			break;
		in_s *= 2;
	}
	if (in_s > policy->lock_max_s)
		in_s = policy->lock_max_s;
	lock_until(request, lockout, lock_end(request->now_ms, in_s));
}

static int count_at_phone(struct hd_txn *txn, struct hd_desk_request *request)
{
	const struct hd_desk_policy *policy = &request->policy;
	int64_t since_ms = request->now_ms - (int64_t)policy->phone_window_s * 1000;
	struct hd_lockout lockout;
	size_t n = 0;
	int err;

	if (policy->phone_tries == 0)
		return 0;
	err = hd_lockout_load(request->desk, txn, 'p', request->phone, &lockout);
	if (err)
		return err;

	for (size_t i = 0; i < lockout.n_tries; i++)
		if (lockout.tries[i] > since_ms)
			lockout.tries[n++] = lockout.tries[i];
	if (n == HD_DESK_TRIES_MAX) {
		n--;
		memmove(&lockout.tries[0], &lockout.tries[1], n * sizeof(lockout.tries[0]));
	}
	lockout.tries[n++] = request->now_ms;
	lockout.n_tries = n;
	lockout.last_ms = request->now_ms;
	if (n >= policy->phone_tries || n >= HD_DESK_TRIES_MAX) {
		/* After the lock they count from the beginning. */
		lockout.n_tries = 0;
		lock_until(request, &lockout, lock_end(request->now_ms, policy->phone_lock_s));
	}
	return hd_lockout_save(request->desk, txn, 'p', request->phone, &lockout);
}

int hd_lockout_count(struct hd_txn *txn, struct hd_desk_request *request, bool known)
{
	struct hd_lockout old, lockout;
	int err;

	/* What cannot be anybody's number needs no counter; the phone's stands for it. */
	if (hd_number_is_valid(hd_slice_of(request->user))) {
		err = hd_lockout_load(request->desk, txn, known ? 'u' : 'x', request->user, &old);
		if (err)
			return err;
		lockout = old;
		count_number(request, &lockout);
		err = known ? hd_lockout_save(request->desk, txn, 'u', request->user, &lockout)
			    : hd_unknown_save(txn, request, &old, &lockout);
		if (err)
			return err;
	}
	return count_at_phone(txn, request);
}

int hd_desk_unlock_user(struct hd_desk *desk, struct hd_txn *txn, const char *number)
{
	int err, other;

	if (!desk || !txn)
		return HD_EINVAL;
	if (!hd_number_is_valid(hd_slice_of(number)))
		return HD_ENOENT;

	err = hd_lockout_clear(desk, txn, 'u', number);
	if (err && err != HD_ENOENT)
		return err;
	other = hd_unknown_clear(desk, txn, number);
	return other == HD_ENOENT ? err : other;
}

int hd_desk_unlock_phone(struct hd_desk *desk, struct hd_txn *txn, const char *phone)
{
	if (!desk || !txn)
		return HD_EINVAL;
	if (!hd_phone_id_is_valid(hd_slice_of(phone)))
		return HD_ENOENT;
	return hd_lockout_clear(desk, txn, 'p', phone);
}

int hd_desk_get_lock(struct hd_desk *desk, struct hd_txn *txn, char kind, const char *name,
		     struct hd_desk_lock *lock)
{
	struct hd_lockout lockout;
	int err;

	if (!desk || !txn || !lock || (kind != 'u' && kind != 'p'))
		return HD_EINVAL;

	memset(lock, 0, sizeof(*lock));
	if (!hd_phone_id_is_valid(hd_slice_of(name)))
		return HD_ENOENT;
	err = hd_lockout_load(desk, txn, kind, name, &lockout);
	if (!err && kind == 'u' && lockout.last_ms == 0)
		err = hd_lockout_load(desk, txn, 'x', name, &lockout);
	if (err)
		return err;
	if (lockout.last_ms == 0)
		return HD_ENOENT;

	lock->failures = kind == 'p' ? (uint32_t)lockout.n_tries : lockout.failures;
	lock->locked_until_ms = lockout.locked_until_ms;
	return 0;
}
