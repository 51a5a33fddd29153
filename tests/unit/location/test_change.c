/* test_change.c - RFC 3261 10.3 steps 6 and 7; [REG-..] names the row of the conformance table. */
#include "fixture.h"

static void test_add_refresh_remove(void **state)
{
	struct test *t = *state;
	int64_t since_ms = t->now_ms;

	assert_ok(add(t, "sip:a@h:1", "c1", 1));
	assert_true(t->change->changed);
	t->now_ms += 1000;
	for (uint32_t cseq = 2; cseq < 5; cseq++) {
		assert_ok(add(t, "sip:a@h:1", "c1", cseq));
		assert_false(t->change->changed);
	}
	assert_string_equal(stored(t), "sip:a@h:1");
	assert_int_equal(t->got[0].cseq, 4);
	assert_int_equal(t->got[0].registered_at_ms, since_ms);
	assert_int_equal(t->got[0].expires_at_ms, t->now_ms + 600000);
	assert_ok(drop(t, "sip:a@h:1", "c1", 5));
	assert_true(t->change->changed);
	assert_string_equal(stored(t), "");
	assert_ok(fixture_read(t->store, check_index, t));
}

/* [REG-02] A request without Contact asks and changes nothing. */
static void test_fetch(void **state)
{
	struct test *t = *state;

	assert_ok(add(t, "sip:a@h:1", "c1", 5));
	request(t, "c1", 1);
	assert_ok(commit(t));
	assert_false(t->change->changed);
	assert_int_equal(t->change->n_result, 1);
	request(t, "c1", 1);
	assert_ok(preview(t));
	assert_int_equal(t->change->n_result, 1);
	assert_false(t->change->changed);
}

/* [REG-08, REG-46] The same Call-ID wants a higher CSeq, or nothing at all is done. */
static void test_order(void **state)
{
	struct test *t = *state;

	assert_ok(add(t, "sip:a@h:1", "c1", 100));
	assert_int_equal(drop(t, "sip:a@h:1", "c1", 50), HD_ESTALE);
	assert_int_equal(drop(t, "sip:a@h:1", "c1", 100), HD_ESTALE);
	assert_int_equal(add(t, "sip:a@h:1", "c1", 100), HD_ESTALE);
	assert_int_equal(add(t, "SIP:%61@H:1", "c1", 99), HD_ESTALE);
	assert_string_equal(stored(t), "sip:a@h:1");
	assert_int_equal(t->got[0].cseq, 100);
	request(t, "c1", 100);
	(void)contact(t, "sip:a@h:1", 600);
	assert_int_equal(preview(t), HD_ESTALE);
	assert_ok(drop(t, "sip:a@h:1", "c1", 101));
}

/* [REG-11] A phone that was restarted begins a new Call-ID with a low CSeq. */
static void test_restarted(void **state)
{
	struct test *t = *state;

	assert_ok(add(t, "sip:a@h:1", "c1", 100));
	assert_ok(add(t, "sip:a@h:1", "c2", 1));
	assert_false(t->change->changed);
	assert_int_equal(t->change->result[0].cseq, 1);
	assert_string_equal(t->change->result[0].call_id, "c2");
	/* Its former life is not remembered. */
	assert_ok(add(t, "sip:a@h:1", "c1", 1));
}

/* [REG-04, REG-09] */
static void test_star(void **state)
{
	struct test *t = *state;

	t->max = 3;
	assert_ok(add(t, "sip:a@h:1", "c1", 100));
	assert_ok(add(t, "sip:a@h:2", "c2", 7));
	request(t, "c1", 50);
	t->change->remove_all = true;
	assert_int_equal(commit(t), HD_ESTALE);
	request(t, "c1", 100);
	t->change->remove_all = true;
	assert_int_equal(commit(t), HD_ESTALE);
	assert_string_equal(stored(t), "sip:a@h:1 sip:a@h:2");

	request(t, "c1", 101);
	t->change->remove_all = true;
	assert_ok(preview(t));
	assert_true(t->change->changed);
	assert_string_equal(stored(t), "sip:a@h:1 sip:a@h:2");
	assert_ok(commit(t));
	assert_true(t->change->changed);
	assert_string_equal(stored(t), "");
	assert_ok(fixture_read(t->store, check_index, t));

	request(t, "c1", 102);
	t->change->remove_all = true;
	assert_ok(commit(t));
	assert_false(t->change->changed);

	request(t, "c9", 1);
	t->change->remove_all = true;
	(void)contact(t, "sip:a@h:1", 600);
	assert_int_equal(commit(t), HD_EINVAL);
}

/* [REG-38] One contact: the newest replaces the others. */
static void test_replace(void **state)
{
	struct test *t = *state;

	assert_ok(add(t, "sip:a@h:1", "c1", 1));
	assert_ok(add(t, "sip:a@h:2", "c2", 1));
	assert_true(t->change->changed);
	assert_string_equal(stored(t), "sip:a@h:2");

	/* A late copy of an older request of the same phone does not bring the old contact back. */
	assert_ok(add(t, "sip:a@h:3", "c2", 2));
	assert_int_equal(add(t, "sip:a@h:2", "c2", 1), HD_ESTALE);
	assert_string_equal(stored(t), "sip:a@h:3");

	/* Two at a time are one too many; an exchange within a request is not. */
	request(t, "c3", 1);
	(void)contact(t, "sip:a@h:4", 600);
	(void)contact(t, "sip:a@h:5", 600);
	assert_int_equal(commit(t), HD_ELIMIT);
	request(t, "c3", 1);
	(void)contact(t, "sip:a@h:3", 600);
	(void)contact(t, "sip:a@h:5", 600);
	assert_int_equal(commit(t), HD_ELIMIT);
	assert_string_equal(stored(t), "sip:a@h:3");
	request(t, "c3", 1);
	(void)contact(t, "sip:a@h:3", 0);
	(void)contact(t, "sip:a@h:5", 600);
	assert_ok(commit(t));
	assert_string_equal(stored(t), "sip:a@h:5");
	request(t, "c3", 2);
	(void)contact(t, "sip:a@h:6", 600);
	(void)contact(t, "sip:a@h:5", 0);
	assert_ok(commit(t));
	assert_string_equal(stored(t), "sip:a@h:6");
	assert_ok(fixture_read(t->store, check_index, t));
}

static void set_instance(struct hd_binding *b)
{
	fixture_set(b->instance_id, sizeof(b->instance_id), "<urn:uuid:1>");
	b->reg_id = 1;
}

/* One instance that moves and takes leave of its old address in the same request. */
static void test_move_of_an_instance(void **state)
{
	struct test *t = *state;
	static const char *const orders[][2] = { { "sip:a@h:2", "sip:a@h:1" },
						 { "sip:a@h:1", "sip:a@h:2" } };

	t->max = 2;
	for (uint32_t i = 0; i < 2; i++) {
		request(t, "c1", 1 + 2 * i);
		set_instance(contact(t, "sip:a@h:1", 600));
		assert_ok(commit(t));
		request(t, "c1", 2 + 2 * i);
		for (size_t k = 0; k < 2; k++)
			set_instance(contact(t, orders[i][k], orders[i][k][8] == '2' ? 600 : 0));
		assert_ok(commit(t));
		assert_string_equal(stored(t), "sip:a@h:2");
	}
}

/* [REG-31, REG-39] */
static void test_several(void **state)
{
	struct test *t = *state;

	t->max = 3;
	request(t, "c1", 1);
	contact(t, "sip:a@h:1", 600)->q_permille = 500;
	contact(t, "sip:a@h:2", 60)->q_permille = 700;
	(void)contact(t, "mailto:a@h", 600);
	assert_ok(commit(t));
	assert_string_equal(stored(t), "mailto:a@h sip:a@h:2 sip:a@h:1");
	assert_ok(fixture_read(t->store, check_index, t));

	/* The limit counts, and nothing of a request over it is stored. */
	request(t, "c2", 1);
	(void)contact(t, "sip:a@h:1", 0);
	(void)contact(t, "sip:a@h:8", 600);
	(void)contact(t, "sip:a@h:9", 600);
	assert_int_equal(commit(t), HD_ELIMIT);
	assert_string_equal(stored(t), "mailto:a@h sip:a@h:2 sip:a@h:1");

	/* [REG-03, REG-30] One goes, one was never there. */
	request(t, "c1", 2);
	(void)contact(t, "sip:a@h:2", 0);
	(void)contact(t, "sip:nobody@h", 0);
	assert_ok(commit(t));
	assert_string_equal(stored(t), "mailto:a@h sip:a@h:1");
	assert_ok(fixture_read(t->store, check_index, t));

	/* The newest of the same q comes first; a refresh does not make it newer. */
	t->now_ms += 1000;
	assert_ok(add(t, "sip:a@h:7", "c3", 1));
	assert_ok(add(t, "mailto:a@h", "c1", 3));
	assert_string_equal(stored(t), "sip:a@h:7 mailto:a@h sip:a@h:1");

	/* With one contact allowed again, the next registration leaves one. */
	t->max = 1;
	assert_ok(drop(t, "sip:a@h:7", "c3", 2));
	assert_string_equal(stored(t), "mailto:a@h sip:a@h:1");
	assert_ok(add(t, "mailto:a@h", "c1", 4));
	assert_true(t->change->changed);
	assert_string_equal(stored(t), "mailto:a@h");
	assert_ok(fixture_read(t->store, check_index, t));
}

/* [REG-26] All or nothing: the second of two contacts is out of order. */
static void test_atomic(void **state)
{
	struct test *t = *state;

	t->max = 4;
	assert_ok(add(t, "sip:a@h:1", "c1", 10));
	request(t, "c1", 5);
	(void)contact(t, "sip:a@h:2", 600);
	(void)contact(t, "sip:a@h:1", 600);
	assert_int_equal(commit(t), HD_ESTALE);
	assert_string_equal(stored(t), "sip:a@h:1");
	assert_int_equal(t->change->n_result, 0);
}

/* The same contact twice in one request is one binding, and the last word counts. */
static void test_twice_in_one(void **state)
{
	struct test *t = *state;

	t->max = 4;
	request(t, "c1", 1);
	contact(t, "sip:a@h:1", 600)->q_permille = 100;
	contact(t, "sip:a@H:1", 600)->q_permille = 200;
	assert_ok(commit(t));
	assert_string_equal(stored(t), "sip:a@H:1");
	assert_int_equal(t->got[0].q_permille, 200);
	request(t, "c1", 2);
	(void)contact(t, "sip:a@h:1", 600);
	(void)contact(t, "sip:a@h:1", 0);
	assert_ok(commit(t));
	assert_string_equal(stored(t), "");
}

static void test_instance(void **state)
{
	struct test *t = *state;

	t->max = 4;
	request(t, "c1", 1);
	for (uint32_t i = 1; i <= 2; i++) {
		struct hd_binding *b = contact(t, i == 1 ? "sip:a@h:1" : "sip:a@h:2", 600);

		fixture_set(b->instance_id, sizeof(b->instance_id), "<urn:uuid:1>");
		b->reg_id = i;
	}
	assert_ok(commit(t));
	assert_int_equal(t->n, 2);

	/* A new address of flow 2 takes the place of the old one. */
	t->now_ms += 5;
	request(t, "c1", 2);
	contact(t, "sip:a@h:3", 600)->reg_id = 2;
	fixture_set(t->change->contacts[0].instance_id, HD_INSTANCE_SIZE, "<urn:uuid:1>");
	assert_ok(commit(t));
	assert_true(t->change->changed);
	assert_string_equal(stored(t), "sip:a@h:3 sip:a@h:1");
}

static void test_preview(void **state)
{
	struct test *t = *state;

	request(t, "c1", 1);
	(void)contact(t, "sip:a@h:1", 600);
	assert_ok(preview(t));
	assert_true(t->change->changed);
	assert_string_equal(stored(t), "");
	assert_ok(commit(t));

	t->now_ms += 1000;
	request(t, "c1", 2);
	(void)contact(t, "sip:a@h:1", 600);
	assert_ok(preview(t));
	assert_false(t->change->changed);
	assert_int_equal(t->change->n_result, 1);
	assert_int_equal(t->change->result[0].expires_at_ms, t->now_ms + 600000);
	assert_string_equal(stored(t), "sip:a@h:1");
	assert_int_equal(t->got[0].cseq, 1);

	/* A new flow (the phone's NAT moved) has to be durable. */
	request(t, "c1", 2);
	fixture_set(contact(t, "sip:a@h:1", 600)->flow, HD_FLOW_SIZE, "udp:192.0.2.1:9999");
	assert_ok(preview(t));
	assert_true(t->change->changed);

	/* What has expired is no binding that could be refreshed. */
	t->now_ms += 700000;
	request(t, "c1", 1);
	(void)contact(t, "sip:a@h:1", 600);
	assert_ok(preview(t));
	assert_true(t->change->changed);
	assert_ok(commit(t));
	assert_ok(fixture_read(t->store, check_index, t));
}

/* Call-ID and CSeq of the request stand for contacts that carry none. */
static void test_common_call_id(void **state)
{
	struct test *t = *state;

	request(t, "c1", 9);
	contact(t, "sip:a@h:1", 600)->call_id[0] = '\0';
	t->change->contacts[0].cseq = 0;
	assert_ok(commit(t));
	assert_string_equal(t->got[0].call_id, "c1");
	assert_int_equal(t->got[0].cseq, 9);
	request(t, "c1", 9);
	contact(t, "sip:a@h:1", 600)->call_id[0] = '\0';
	assert_int_equal(commit(t), HD_ESTALE);
}

static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->loc->bindings,
				   .key = hd_slice_of("desk-1"),
				   .value = { "\x01\x09", 2 } };

	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(fixture_read(t->store, get_body, t), HD_ECORRUPT);
	assert_ok(add(t, "sip:a@h:1", "c1", 1));
	assert_true(t->change->changed);
	assert_string_equal(stored(t), "sip:a@h:1");

	raw.value = (struct hd_slice){ "\x02", 1 };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(add(t, "sip:a@h:1", "c1", 2), HD_EVERSION);
}

static void test_limits(void **state)
{
	struct test *t = *state;
	char uri[HD_CONTACT_SIZE];

	t->max = 100;
	request(t, "c1", 1);
	for (int i = 0; i < HD_BINDINGS_MAX; i++) {
		(void)snprintf(uri, sizeof(uri), "sip:a@h:%d", 1000 + i);
		(void)contact(t, uri, 600);
	}
	assert_ok(commit(t));
	assert_int_equal(t->n, HD_BINDINGS_MAX);
	assert_int_equal(add(t, "sip:a@h:1", "c1", 2), HD_ELIMIT);

	/* A list that does not fit a record is refused, not cut. */
	request(t, "c1", 2);
	for (int i = 0; i < HD_BINDINGS_MAX; i++) {
		struct hd_binding *b;

		(void)snprintf(uri, sizeof(uri), "sip:a@h:%d", 1000 + i);
		b = contact(t, uri, 600);
		memset(b->path, 'p', sizeof(b->path) - 1);
		memset(b->contact_params, 'p', sizeof(b->contact_params) - 1);
		memset(b->user_agent, 'p', sizeof(b->user_agent) - 1);
		memset(b->instance_id, 'p', sizeof(b->instance_id) - 1);
		memset(b->flow, 'p', sizeof(b->flow) - 1);
		memset(b->call_id, 'p', sizeof(b->call_id) - 1);
		memset(b->contact_uri + strlen(uri), '1', sizeof(b->contact_uri) - 1 - strlen(uri));
	}
	t->name = "desk-2";
	fixture_set(t->change->aor, sizeof(t->change->aor), "desk-2");
	assert_int_equal(commit(t), HD_ELIMIT);
	assert_string_equal(stored(t), "");
	t->name = NULL;

	t->max = 0;
	assert_ok(drop(t, "sip:a@h:1000", "c1", 3));
	assert_int_equal(t->n, HD_BINDINGS_MAX - 1);
	assert_ok(add(t, "sip:a@h:1001", "c1", 3));
	assert_int_equal(t->n, 1);
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;

	assert_int_equal(hd_location_change(NULL, t->change), HD_EINVAL);
	assert_int_equal(hd_location_preview(NULL, t->change), HD_EINVAL);
	assert_int_equal(hd_store_execute(t->store, hd_location_change, NULL), HD_EINVAL);
	request(t, "c", 1);
	(void)contact(t, "", 600);
	assert_int_equal(commit(t), HD_EINVAL);
	request(t, "c", 1);
	t->change->n_contacts = HD_LOCATION_CHANGES_MAX + 1;
	assert_int_equal(commit(t), HD_EINVAL);
	request(t, "c", 1);
	t->change->aor[0] = '\0';
	assert_int_equal(commit(t), HD_EINVAL);
	request(t, "c", 1);
	t->change->loc = NULL;
	assert_int_equal(commit(t), HD_EINVAL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_add_refresh_remove),
		T(test_fetch),
		T(test_order),
		T(test_restarted),
		T(test_star),
		T(test_replace),
		T(test_several),
		T(test_atomic),
		T(test_twice_in_one),
		T(test_instance),
		T(test_move_of_an_instance),
		T(test_preview),
		T(test_common_call_id),
		T(test_damage),
		T(test_limits),
		T(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
