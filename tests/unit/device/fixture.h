/* fixture.h - a memory store, a directory and devices, and short ways into their transactions. */
#ifndef UNIT_DEVICE_FIXTURE_H
#define UNIT_DEVICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/device.h"
#include "hotdesk/directory.h"
#include "hotdesk/store.h"

#include "device/device_priv.h"

#define assert_ok(expr) assert_int_equal((expr), 0)

struct fixture {
	struct hd_store *store;
	struct hd_directory *dir;
	struct hd_device *device;
	struct hd_key master;
	uint32_t removed; /* by a repair */
};

static inline int fixture_setup(void **state)
{
	const struct hd_store_options options = { 0 };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_ok(hd_secret_init());
	memset(&f->master, 7, sizeof(f->master));
	assert_ok(hd_store_open_mem(&f->store, &options));
	assert_ok(hd_directory_new(&f->dir, f->store));
	assert_ok(hd_device_new(&f->device, f->store, &f->master));
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	hd_device_free(f->device);
	hd_directory_free(f->dir);
	hd_store_close(f->store);
	free(f);
	return 0;
}

/* One write whose arguments are plain values: what nearly every test needs. */
struct fixture_write {
	struct fixture *f;
	char what; /* 'k' keys, 's' secret, 'e' enrol, 'r' renew, 'f' forget, 'v' seen, 'A' all */
	char kind;
	const char *name;
	const struct hd_phone_key *keys;
	size_t n;
	const char *secret;
	const struct hd_device_seen *seen;
	uint8_t place;
	const struct hd_user *user;
	const struct hd_phone *phone;
	unsigned table;
	struct hd_slice key, value;
};

static inline int fixture_run(struct hd_txn *txn, void *arg)
{
	const struct fixture_write *w = arg;
	struct hd_device *device = w->f->device;

	switch (w->what) {
	case 'k':
		return hd_device_keys_put(device, txn, w->kind, w->name, w->keys, w->n);
	case '1':
		return hd_device_key_put(device, txn, w->kind, w->name, w->keys);
	case '0':
		return hd_device_key_remove(device, txn, w->kind, w->name, w->place);
	case 's':
		return hd_device_secret_put(device, txn, w->name, hd_slice_of(w->secret));
	case 'e':
		return hd_device_enroll(device, txn, w->name);
	case 'A':
		return hd_device_enroll_all(device, txn, w->f->dir);
	case 'r':
		return hd_device_token_renew(device, txn, w->name);
	case 'f':
		return hd_device_forget(device, txn, w->kind, w->name);
	case 'v':
		return hd_device_seen_put(device, txn, w->name, w->seen);
	case 'U':
		return hd_user_put(w->f->dir, txn, w->user);
	case 'P':
		return hd_phone_put(w->f->dir, txn, w->phone);
	case 'X':
		return hd_txn_put(txn, w->table, w->key, w->value);
	default:
		return HD_EINVAL;
	}
}

#define WRITE(f_, what_, ...)                                                                      \
	hd_store_execute((f_)->store, fixture_run,                                                 \
			 &(struct fixture_write){ .f = (f_), .what = (what_), __VA_ARGS__ })

static inline struct hd_txn *fixture_read(struct fixture *f)
{
	struct hd_txn *txn = NULL;

	assert_ok(hd_store_begin_read(f->store, &txn));
	return txn;
}

static inline int fixture_token(struct fixture *f, const char *phone, char token[HD_TOKEN_SIZE])
{
	struct hd_txn *txn = fixture_read(f);
	int err = hd_device_token(f->device, txn, phone, token);

	hd_store_end_read(txn);
	return err;
}

static inline int fixture_by_token(struct fixture *f, const char *token,
				   char phone[HD_PHONE_ID_SIZE])
{
	struct hd_txn *txn = fixture_read(f);
	int err = hd_device_by_token(f->device, txn, hd_slice_of(token), phone);

	hd_store_end_read(txn);
	return err;
}

static inline int fixture_secret(struct fixture *f, const char *phone,
				 char secret[HD_SIP_SECRET_SIZE])
{
	struct hd_txn *txn = fixture_read(f);
	int err = hd_device_secret_get(f->device, txn, phone, secret);

	hd_store_end_read(txn);
	return err;
}

static inline int fixture_keys(struct fixture *f, char kind, const char *name,
			       struct hd_phone_key *keys, size_t *np)
{
	struct hd_txn *txn = fixture_read(f);
	int err = hd_device_keys_get(f->device, txn, kind, name, keys, np);

	hd_store_end_read(txn);
	return err;
}

/* The raw record, to see that something was written, or was not. */
static inline size_t fixture_raw(struct fixture *f, unsigned table, const char *key, uint8_t *dst,
				 size_t room)
{
	struct hd_txn *txn = fixture_read(f);
	struct hd_slice value;
	int err = hd_txn_get(txn, table, hd_slice_of(key), &value);
	size_t n = 0;

	if (!err) {
		assert_true(value.len <= room);
		memcpy(dst, value.ptr, value.len);
		n = value.len;
	}
	hd_store_end_read(txn);
	return n;
}

#endif
