/* test_route.c - number -> user -> desk session -> phone -> binding. */
#include <stdlib.h>

#include "unit/directory/fixture.h"

#include "hotdesk/plan.h"

#include "desk/desk_priv.h"

enum { NOW_MS = 1790000000 };

struct test {
	struct hd_store *store;
	struct hd_planner planner;
	struct hd_plan plan;
	struct hd_user user;
	struct hd_phone phone;
	struct hd_desk_request request;
	struct hd_location_change *change;
	const char *dialled;
	int64_t now_ms;
	uint32_t cseq;
};

static int put_user(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_user_put(t->planner.dir, txn, &t->user);
}

static int put_phone(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_put(t->planner.dir, txn, &t->phone);
}

static int remove_phone(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_remove(t->planner.dir, txn, t->dialled);
}

static void set_user(struct test *t, const char *number, bool disabled)
{
	t->user = (struct hd_user){ .roaming = true, .disabled = disabled };
	fixture_set(t->user.number, sizeof(t->user.number), number);
	assert_ok(hd_store_execute(t->store, put_user, t));
}

static void set_phone(struct test *t, const char *id, bool disabled)
{
	t->phone = (struct hd_phone){ .disabled = disabled };
	fixture_set(t->phone.id, sizeof(t->phone.id), id);
	assert_ok(hd_store_execute(t->store, put_phone, t));
}

static void register_at(struct test *t, const char *id, const char *const *uris, size_t n)
{
	struct hd_binding *b = t->change->contacts;

	memset(t->change, 0, sizeof(*t->change));
	t->change->loc = t->planner.loc;
	fixture_set(t->change->aor, sizeof(t->change->aor), id);
	t->change->now_ms = t->now_ms;
	t->change->n_contacts = n;
	t->change->max_contacts = HD_BINDINGS_MAX;
	for (size_t i = 0; i < n; i++, b++) {
		fixture_set(b->contact_uri, sizeof(b->contact_uri), uris[i]);
		fixture_set(b->call_id, sizeof(b->call_id), "c");
		b->cseq = ++t->cseq;
		b->q_permille = (uint16_t)(500 + 100 * i);
		b->expires_at_ms = t->now_ms + 60000;
	}
	assert_ok(hd_store_execute(t->store, hd_location_change, t->change));
}

static void register_phone(struct test *t, const char *id)
{
	static const char *const uri = "sip:x@192.0.2.1:5060";

	register_at(t, id, &uri, 1);
}

static void log_in(struct test *t, const char *number, const char *phone)
{
	t->request = (struct hd_desk_request){ .desk = t->planner.desk,
					       .event = HD_DESK_EVENT_LOGIN,
					       .by_admin = true,
					       .now_ms = t->now_ms };
	fixture_set(t->request.user, sizeof(t->request.user), number);
	fixture_set(t->request.phone, sizeof(t->request.phone), phone);
	assert_ok(hd_store_execute(t->store, hd_desk_apply, &t->request));
	assert_true(hd_desk_result_is_success(t->request.result));
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->change = calloc(1, sizeof(*t->change));
	assert_non_null(t->change);
	t->store = fixture_store();
	t->now_ms = NOW_MS;
	assert_ok(hd_directory_new(&t->planner.dir, t->store));
	assert_ok(hd_location_new(&t->planner.loc, t->store));
	assert_ok(hd_desk_new(&t->planner.desk, t->store, t->planner.dir));
	t->planner.codes =
		(struct hd_feature_codes){ .login = "*771", .logout = "*772", .toggle = "*770" };
	set_user(t, "201", false);
	set_user(t, "202", false);
	set_phone(t, "desk-1", false);
	set_phone(t, "desk-2", false);
	register_phone(t, "desk-1");
	register_phone(t, "desk-2");
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	hd_desk_free(t->planner.desk);
	hd_location_free(t->planner.loc);
	hd_directory_free(t->planner.dir);
	hd_store_close(t->store);
	free(t->change);
	free(t);
	return 0;
}

static int route(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_plan_route(&t->planner, txn, hd_slice_of(t->dialled), t->now_ms, &t->plan);
}

static void expect(struct test *t, const char *dialled, enum hd_plan_verdict verdict,
		   const char *phone)
{
	memset(&t->plan, 0xaa, sizeof(t->plan));
	t->dialled = dialled;
	assert_ok(fixture_read(t->store, route, t));
	if (t->plan.verdict != verdict)
		fail_msg("%s: verdict %d (%s), expected %d", dialled, (int)t->plan.verdict,
			 t->plan.why, (int)verdict);
	assert_non_null(t->plan.why);
	if (verdict == HD_PLAN_PHONE) {
		assert_string_equal(t->plan.phone, phone);
		assert_int_equal(t->plan.n_bindings, 1);
		assert_string_equal(t->plan.bindings[0].contact_uri, "sip:x@192.0.2.1:5060");
	} else {
		assert_int_equal(t->plan.n_bindings, 0);
	}
}

/* Invariant 3: from the login on, everything goes to the new phone only. */
static void test_user(void **state)
{
	struct test *t = *state;

	expect(t, "201", HD_PLAN_UNAVAILABLE, NULL);
	assert_string_equal(t->plan.user, "201");
	assert_string_equal(t->plan.phone, "");
	log_in(t, "201", "desk-1");
	expect(t, "201", HD_PLAN_PHONE, "desk-1");
	assert_string_equal(t->plan.user, "201");
	expect(t, "%32%301", HD_PLAN_PHONE, "desk-1");
	log_in(t, "201", "desk-2");
	expect(t, "201", HD_PLAN_PHONE, "desk-2");
	log_in(t, "202", "desk-2");
	expect(t, "201", HD_PLAN_UNAVAILABLE, NULL);
	expect(t, "202", HD_PLAN_PHONE, "desk-2");
}

static void test_phone(void **state)
{
	struct test *t = *state;

	expect(t, "desk-1", HD_PLAN_PHONE, "desk-1");
	assert_string_equal(t->plan.user, "");
	log_in(t, "201", "desk-1");
	expect(t, "desk-1", HD_PLAN_PHONE, "desk-1");
	set_phone(t, "desk-1", true);
	expect(t, "desk-1", HD_PLAN_UNAVAILABLE, NULL);
	expect(t, "201", HD_PLAN_UNAVAILABLE, NULL);
}

static void test_unregistered(void **state)
{
	struct test *t = *state;

	log_in(t, "201", "desk-1");
	t->now_ms += 59999;
	expect(t, "201", HD_PLAN_PHONE, "desk-1");
	t->now_ms += 1;
	expect(t, "201", HD_PLAN_UNAVAILABLE, NULL);
	expect(t, "desk-1", HD_PLAN_UNAVAILABLE, NULL);
	register_phone(t, "desk-1");
	expect(t, "201", HD_PLAN_PHONE, "desk-1");
}

static void test_unknown(void **state)
{
	struct test *t = *state;

	expect(t, "999", HD_PLAN_UNKNOWN, NULL);
	expect(t, "", HD_PLAN_UNKNOWN, NULL);
	expect(t, "20%1", HD_PLAN_UNKNOWN, NULL);
	expect(t, "20%00", HD_PLAN_UNKNOWN, NULL);
	expect(t, "a b", HD_PLAN_UNKNOWN, NULL);
	expect(t, "123456789012345678901234567890123456789012345678901234567890123456789",
	       HD_PLAN_UNKNOWN, NULL);
}

static void test_disabled_user(void **state)
{
	struct test *t = *state;

	log_in(t, "201", "desk-1");
	set_user(t, "201", true);
	expect(t, "201", HD_PLAN_UNAVAILABLE, NULL);
}

static void test_feature(void **state)
{
	struct test *t = *state;

	expect(t, "*771*201*471147%23", HD_PLAN_FEATURE, NULL);
	assert_int_equal(t->plan.feature.event, HD_DESK_EVENT_LOGIN);
	assert_string_equal(t->plan.feature.number, "201");
	assert_string_equal(t->plan.feature.pin, "471147");
	expect(t, "*772", HD_PLAN_FEATURE, NULL);
	assert_false(t->plan.feature.has_arguments);
	expect(t, "*771*201", HD_PLAN_FEATURE, NULL);
	assert_true(t->plan.feature.malformed);

	/* A code goes before a number of the same name. */
	set_user(t, "*772", false);
	expect(t, "*772", HD_PLAN_FEATURE, NULL);
}

/* A phone that went without its session: nobody is called, nothing fails. */
static void test_inconsistent(void **state)
{
	struct test *t = *state;

	log_in(t, "201", "desk-1");
	t->dialled = "desk-1";
	assert_ok(hd_store_execute(t->store, remove_phone, t));
	expect(t, "201", HD_PLAN_UNAVAILABLE, NULL);
	expect(t, "desk-1", HD_PLAN_UNKNOWN, NULL);
}

static bool is_us(const void *arg, const struct hd_uri *uri)
{
	return hd_slice_is(uri->host, arg);
}

/* RFC 5393: a binding to an address of ours is followed, each phone once, the highest q first. */
static void test_bindings_to_ourselves(void **state)
{
	static const char *const to_self[] = { "sip:desk-1@us" }, *const to_two[] = {
		"sip:desk-2@us"
	};
	static const char *const both[] = { "sip:desk-1@us;x=y", "sip:desk-2@us",
					    "sip:x@192.0.2.1:5060" };
	static const char *const more[] = { "sip:y@192.0.2.2",	    "sip:201@us",
					    "sip:x@192.0.2.1:5060", "sip:nobody@us",
					    "sips:%00@us",	    "sip:*772@us" };
	struct test *t = *state;

	t->planner.is_us = is_us;
	t->planner.arg = "us";
	register_at(t, "desk-1", to_self, 1);
	register_phone(t, "desk-1"); /* adds a real one: only that counts */
	expect(t, "desk-1", HD_PLAN_PHONE, "desk-1");
	t->now_ms += 100000;
	register_at(t, "desk-1", to_self, 1);
	expect(t, "desk-1", HD_PLAN_LOOP, NULL);
	t->now_ms += 100000;
	register_at(t, "desk-1", to_two, 1);
	expect(t, "desk-1", HD_PLAN_UNAVAILABLE, NULL);
	register_at(t, "desk-2", both, 3);
	expect(t, "desk-1", HD_PLAN_PHONE, "desk-1");
	expect(t, "desk-2", HD_PLAN_PHONE, "desk-2");

	t->now_ms += 100000;
	log_in(t, "201", "desk-2");
	register_at(t, "desk-1", more, 6);
	register_phone(t, "desk-2");
	t->dialled = "desk-1";
	assert_ok(fixture_read(t->store, route, t));
	assert_int_equal(t->plan.n_bindings, 2);
	assert_string_equal(t->plan.bindings[0].contact_uri, "sip:x@192.0.2.1:5060");
	assert_int_equal(t->plan.bindings[0].q_permille, 700);
	assert_string_equal(t->plan.bindings[1].contact_uri, "sip:y@192.0.2.2");
}

static void test_damage(void **state)
{
	static const char *const tables[] = { "binding", "phone", "desk_user", "user" };
	static const char *const keys[] = { "desk-1", "desk-1", "201", "201" };
	struct test *t = *state;
	struct fixture_raw raw = { .value = { "\x01\xff\xff\xff", 4 } };

	log_in(t, "201", "desk-1");
	t->dialled = "201";
	for (size_t i = 0; i < 4; i++) {
		raw.key = hd_slice_of(keys[i]);
		assert_ok(hd_store_table(t->store, tables[i], &raw.table));
		assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
		assert_int_equal(fixture_read(t->store, route, t), HD_ECORRUPT);
	}
	t->dialled = "desk-1";
	assert_int_equal(fixture_read(t->store, route, t), HD_ECORRUPT);
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;

	assert_int_equal(hd_plan_route(NULL, NULL, hd_slice_of("1"), 0, &t->plan), HD_EINVAL);
	assert_int_equal(hd_plan_route(&t->planner, NULL, hd_slice_of("1"), 0, &t->plan),
			 HD_EINVAL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_user),	       T(test_phone),
		T(test_unregistered),  T(test_unknown),
		T(test_disabled_user), T(test_feature),
		T(test_inconsistent),  T(test_damage),
		T(test_bad_arguments), T(test_bindings_to_ourselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
