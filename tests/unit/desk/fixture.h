/* fixture.h - a desk with users and phones; PINs are right or wrong by word, not by hash. */
#ifndef UNIT_DESK_FIXTURE_H
#define UNIT_DESK_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "unit/directory/fixture.h"

#include "desk/desk_priv.h"

#define START_MS INT64_C(1790000000000)
#define DUMMY "dummy-hash"

struct test {
	struct hd_store *store;
	struct hd_directory *dir;
	struct hd_desk *desk;
	struct hd_desk_policy policy;
	int64_t now_ms;
	struct hd_user user;
	struct hd_phone phone;
	struct hd_desk_request r;
	struct hd_desk_session session;
	struct hd_outbox_entry entry;
	struct hd_outbox_done done;
	struct hd_audit_entry audit;
	struct hd_desk_audit check;
	struct hd_desk_lock lock;
	const char *name;
	char kind;
	uint32_t sequence, ended;
	uint64_t epoch, count;
	enum hd_desk_way way;
};

static const struct hd_desk_policy default_policy = {
	.lock_after = 5,
	.lock_s = 900,
	.lock_max_s = 86400,
	.hard_lock_after = 50,
	.phone_tries = 10,
	.phone_window_s = 600,
	.phone_lock_s = 600,
	.unknown_max = 10000,
};

#define BODY(name, call)                                                                           \
	static inline int name(struct hd_txn *txn, void *arg)                                      \
	{                                                                                          \
		struct test *t = arg;                                                              \
                                                                                                   \
		return call;                                                                       \
	}

BODY(put_user_body, hd_user_put(t->dir, txn, &t->user))
BODY(put_phone_body, hd_phone_put(t->dir, txn, &t->phone))
BODY(get_user_body, hd_user_get(t->dir, txn, t->name, &t->user))
BODY(get_phone_body, hd_phone_get(t->dir, txn, t->name, &t->phone))
BODY(remove_user_body, hd_user_remove(t->dir, txn, t->name))
BODY(remove_phone_body, hd_phone_remove(t->dir, txn, t->name))
BODY(prepare_body, hd_desk_prepare(txn, &t->r))
BODY(apply_body, hd_desk_apply(txn, &t->r))
BODY(by_user_body, hd_desk_get_by_user(t->desk, txn, t->name, &t->session))
BODY(by_phone_body, hd_desk_get_by_phone(t->desk, txn, t->name, &t->session))
BODY(next_session_body, hd_desk_next(t->desk, txn, t->name, &t->session))
BODY(count_body, hd_desk_count(t->desk, txn, &t->count))
BODY(outbox_get_body, hd_outbox_get(t->desk, txn, t->name, &t->entry))
BODY(outbox_next_body, hd_outbox_next(t->desk, txn, t->name, &t->entry))
BODY(audit_next_body, hd_audit_next(t->desk, txn, t->epoch, t->sequence, &t->audit))
BODY(check_body, hd_desk_check(t->desk, txn, &t->check))
BODY(lock_body, hd_desk_get_lock(t->desk, txn, t->kind, t->name, &t->lock))
BODY(unlock_user_body, hd_desk_unlock_user(t->desk, txn, t->name))
BODY(unlock_phone_body, hd_desk_unlock_phone(t->desk, txn, t->name))
BODY(end_user_body, hd_desk_end_user(t->desk, txn, t->name, t->now_ms, t->way))
BODY(end_phone_body, hd_desk_end_phone(t->desk, txn, t->name, t->now_ms, t->way))
BODY(forget_user_body, hd_desk_forget_user(t->desk, txn, t->name, t->now_ms, t->way))
BODY(forget_phone_body, hd_desk_forget_phone(t->desk, txn, t->name, t->now_ms, t->way))
BODY(settle_body, hd_desk_settle(t->desk, txn, t->now_ms, t->way, &t->ended))

static inline int reading(struct test *t, in_txn_fn *fn, const char *name)
{
	t->name = name;
	return fixture_read(t->store, fn, t);
}

static inline int writing(struct test *t, in_txn_fn *fn, const char *name)
{
	t->name = name;
	return hd_store_execute(t->store, fn, t);
}

static inline void add_user(struct test *t, const char *number, bool roaming)
{
	t->user = (struct hd_user){ .roaming = roaming };
	fixture_set(t->user.number, sizeof(t->user.number), number);
	(void)snprintf(t->user.pin_hash, sizeof(t->user.pin_hash), "hash-of-%s", number);
	assert_ok(hd_store_execute(t->store, put_user_body, t));
}

static inline void add_phone(struct test *t, const char *id, const char *owner)
{
	t->phone = (struct hd_phone){ .disabled = false };
	fixture_set(t->phone.id, sizeof(t->phone.id), id);
	fixture_set(t->phone.owner, sizeof(t->phone.owner), owner);
	assert_ok(hd_store_execute(t->store, put_phone_body, t));
}

static inline void disable_user(struct test *t, const char *number, bool disabled)
{
	assert_ok(reading(t, get_user_body, number));
	t->user.disabled = disabled;
	assert_ok(hd_store_execute(t->store, put_user_body, t));
}

static inline void disable_phone(struct test *t, const char *id, bool disabled)
{
	assert_ok(reading(t, get_phone_body, id));
	t->phone.disabled = disabled;
	assert_ok(hd_store_execute(t->store, put_phone_body, t));
}

static inline void open_desk(struct test *t)
{
	assert_ok(hd_directory_new(&t->dir, t->store));
	assert_ok(hd_desk_new(&t->desk, t->store, t->dir));
	hd_desk_set_dummy(t->desk, DUMMY);
}

/*
 * 201, 202 may roam, 203 may not, 204 has no PIN. d1, d2, d3 are free, h1 is 201's and h3 is 203's.
 */
static inline void furnish(struct test *t)
{
	add_user(t, "201", true);
	add_user(t, "202", true);
	add_user(t, "203", false);
	add_user(t, "204", true);
	t->user.pin_hash[0] = '\0';
	assert_ok(hd_store_execute(t->store, put_user_body, t));
	add_phone(t, "d1", "");
	add_phone(t, "d2", "");
	add_phone(t, "d3", "");
	add_phone(t, "h1", "201");
	add_phone(t, "h3", "203");
}

static inline int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->store = fixture_store();
	t->policy = default_policy;
	t->now_ms = START_MS;
	t->way = HD_DESK_WAY_ADMIN;
	open_desk(t);
	furnish(t);
	*state = t;
	return 0;
}

static inline int teardown(void **state)
{
	struct test *t = *state;

	hd_desk_free(t->desk);
	hd_directory_free(t->dir);
	hd_store_close(t->store);
	free(t);
	return 0;
}

/* A new request with an operation id of its own; user may be "". */
static inline struct hd_desk_request *ask(struct test *t, enum hd_desk_event event,
					  const char *phone, const char *user)
{
	static uint32_t serial;

	t->r = (struct hd_desk_request){
		.desk = t->desk, .policy = t->policy, .event = event, .now_ms = t->now_ms
	};
	serial++;
	memcpy(t->r.opid, &serial, sizeof(serial));
	fixture_set(t->r.phone, sizeof(t->r.phone), phone);
	fixture_set(t->r.user, sizeof(t->r.user), user);
	return &t->r;
}

/* What the feature module does with a request: prepare, verify, apply. */
static inline enum hd_desk_result play(struct test *t, bool pin_right)
{
	assert_ok(fixture_read(t->store, prepare_body, t));
	if (t->r.result != HD_DESK_RESULT_AGAIN)
		return t->r.result;
	t->r.pin_ok = t->r.pin_hash[0] && pin_right && strcmp(t->r.pin_hash, DUMMY) != 0;
	assert_ok(hd_store_execute(t->store, apply_body, t));
	return t->r.result;
}

static inline enum hd_desk_result login(struct test *t, const char *phone, const char *user)
{
	(void)ask(t, HD_DESK_EVENT_LOGIN, phone, user);
	return play(t, true);
}

static inline enum hd_desk_result guess(struct test *t, const char *phone, const char *user)
{
	(void)ask(t, HD_DESK_EVENT_LOGIN, phone, user);
	return play(t, false);
}

static inline enum hd_desk_result logout(struct test *t, const char *phone)
{
	(void)ask(t, HD_DESK_EVENT_LOGOUT, phone, "");
	return play(t, false);
}

static inline enum hd_desk_result toggle(struct test *t, const char *phone, const char *user)
{
	(void)ask(t, HD_DESK_EVENT_TOGGLE, phone, user);
	return play(t, true);
}

static inline enum hd_desk_result by_admin(struct test *t, enum hd_desk_event event,
					   const char *phone, const char *user)
{
	ask(t, event, phone, user)->by_admin = true;
	t->r.way = HD_DESK_WAY_ADMIN;
	assert_ok(hd_store_execute(t->store, apply_body, t));
	return t->r.result;
}

#define assert_result(call, want)                                                                  \
	assert_string_equal(hd_desk_result_name(call), hd_desk_result_name(HD_DESK_RESULT_##want))

/* Who sits at a phone, "" for nobody; both tables have to say so. */
static inline const char *sitting(struct test *t, const char *phone)
{
	static char user[HD_NUMBER_SIZE];

	user[0] = '\0';
	if (reading(t, by_phone_body, phone) == 0) {
		memcpy(user, t->session.user, sizeof(user));
		assert_ok(reading(t, by_user_body, user));
		assert_string_equal(t->session.phone, phone);
	}
	return user;
}

static inline void assert_sound(struct test *t)
{
	assert_ok(reading(t, check_body, ""));
	if (t->check.violations > 0)
		fail_msg("%s", t->check.first);
}

static inline uint32_t failures(struct test *t, char kind, const char *name)
{
	int err;

	t->kind = kind;
	err = reading(t, lock_body, name);
	if (err)
		assert_int_equal(err, HD_ENOENT);
	return t->lock.failures;
}

static inline bool is_in_outbox(struct test *t, const char *phone)
{
	int err = reading(t, outbox_get_body, phone);

	if (err)
		assert_int_equal(err, HD_ENOENT);
	return !err;
}

static inline void empty_outbox(struct test *t)
{
	while (!reading(t, outbox_next_body, "")) {
		t->done = (struct hd_outbox_done){ .desk = t->desk, .epoch = t->entry.epoch };
		memcpy(t->done.phone, t->entry.phone, sizeof(t->done.phone));
		assert_ok(hd_store_execute(t->store, hd_outbox_done, &t->done));
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
