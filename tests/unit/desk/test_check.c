/* test_check.c - the check finds each kind of disagreement, and names the first. */
#include "fixture.h"

struct plant {
	unsigned table;
	const char *key;
	struct hd_desk_session session;
};

static int plant_body(struct hd_txn *txn, void *arg)
{
	const struct plant *p = arg;
	uint8_t buf[HD_DESK_RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice record;

	hd_encoder_init(&e, buf, sizeof(buf), HD_SESSION_VERSION);
	hd_session_encode(&e, &p->session);
	assert_ok(hd_encoder_finish(&e, &record));
	return hd_txn_put(txn, p->table, hd_slice_of(p->key), record);
}

static int unplant_body(struct hd_txn *txn, void *arg)
{
	const struct plant *p = arg;

	return hd_txn_del(txn, p->table, hd_slice_of(p->key));
}

static void expect(struct test *t, uint64_t violations, const char *first)
{
	assert_ok(reading(t, check_body, ""));
	if (t->check.violations != violations || !strstr(t->check.first, first))
		fail_msg("%u violations, \"%s\"; expected %u, \"%s\"",
			 (unsigned)t->check.violations, t->check.first, (unsigned)violations,
			 first);
}

static void test_sound(void **state)
{
	struct test *t = *state;

	expect(t, 0, "");
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_result(login(t, "h3", "203"), LOGGED_IN);
	expect(t, 0, "");
	assert_int_equal(t->check.sessions, 2);
}

static void test_disagreement(void **state)
{
	struct test *t = *state;
	struct plant p = { .table = t->desk->users,
			   .key = "201",
			   .session = { .user = "201", .phone = "d2", .epoch = 1 } };

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_ok(hd_store_execute(t->store, plant_body, &p));
	expect(t, 2, "201: sits at a phone that does not say so");

	/* Two users at one phone. */
	assert_ok(hd_store_execute(t->store, unplant_body, &p));
	expect(t, 1, "d1: is the phone of a user who does not sit there");
	p.table = t->desk->phones;
	p.key = "d1";
	assert_ok(hd_store_execute(t->store, unplant_body, &p));
	expect(t, 0, "");
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	p = (struct plant){ .table = t->desk->users,
			    .key = "202",
			    .session = { .user = "202", .phone = "d1", .epoch = 1 } };
	assert_ok(hd_store_execute(t->store, plant_body, &p));
	expect(t, 1, "202: sits at a phone that does not say so");
	p.key = "203";
	assert_ok(hd_store_execute(t->store, plant_body, &p));
	expect(t, 2, "202: sits");
	assert_int_equal(t->check.sessions, 3);

	/* A record under another key. */
	p = (struct plant){ .table = t->desk->phones,
			    .key = "d3",
			    .session = { .user = "201", .phone = "d1", .epoch = 1 } };
	assert_ok(hd_store_execute(t->store, plant_body, &p));
	expect(t, 3, "");
}

static void test_epoch(void **state)
{
	struct test *t = *state;
	struct plant p = { .key = "201",
			   .session = { .user = "201", .phone = "d1", .epoch = UINT64_MAX } };

	p.table = t->desk->users;
	assert_ok(hd_store_execute(t->store, plant_body, &p));
	p.table = t->desk->phones;
	p.key = "d1";
	assert_ok(hd_store_execute(t->store, plant_body, &p));
	expect(t, 1, "later epoch");
}

static void test_directory(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "202"), LOGGED_IN);
	assert_result(login(t, "d2", "201"), LOGGED_IN);
	assert_ok(writing(t, remove_user_body, "202"));
	expect(t, 1, "202: has a desk session and is no user");
	assert_ok(writing(t, remove_phone_body, "d2"));
	expect(t, 2, "d2: has a desk session and is no phone");
	add_phone(t, "d2", "203");
	expect(t, 2, "who is not its owner");
}

static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .value = { "\x01\xff\xff\xff", 4 } };
	char name[HD_PHONE_ID_SIZE + 1];

	raw.table = t->desk->users;
	raw.key = hd_slice_of("201");
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	expect(t, 1, "201: record is damaged");
	raw.table = t->desk->phones;
	raw.key = hd_slice_of("d1");
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	expect(t, 2, "201: record is damaged");

	memset(name, 'x', sizeof(name));
	raw.key = (struct hd_slice){ name, sizeof(name) };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	raw.table = t->desk->users;
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	expect(t, 4, "201: record is damaged");
	assert_int_equal(hd_desk_check(t->desk, NULL, &t->check), HD_EINVAL);
}

static void test_wrong_key(void **state)
{
	struct test *t = *state;
	struct plant p = { .table = t->desk->users,
			   .key = "202",
			   .session = { .user = "201", .phone = "d1", .epoch = 1 } };

	assert_ok(hd_store_execute(t->store, plant_body, &p));
	expect(t, 1, "202: has the desk session of another user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_sound),	   T(test_disagreement), T(test_epoch),
		T(test_directory), T(test_damage),	 T(test_wrong_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
