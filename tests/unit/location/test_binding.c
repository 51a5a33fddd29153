/* test_binding.c - bindings as values. */
#include "fixture.h"

static struct hd_binding make(const char *uri, const char *instance, uint32_t reg_id)
{
	struct hd_binding b = { .reg_id = reg_id };

	fixture_set(b.contact_uri, sizeof(b.contact_uri), uri);
	fixture_set(b.instance_id, sizeof(b.instance_id), instance);
	return b;
}

static void test_match(void **state)
{
	static const struct {
		const char *uri_a, *instance_a;
		uint32_t reg_a;
		const char *uri_b, *instance_b;
		uint32_t reg_b;
		bool want;
	} rows[] = {
		{ "sip:u@h:5060", "", 0, "sip:u@h:5060", "", 0, true },
		{ "sip:u@h:5060", "", 0, "sip:u@h:5061", "", 0, false },
		{ "sip:u@h:5062;x=1", "", 0, "SIP:%75@H:5062;x=1", "", 0, true },
		{ "sip:U@h", "", 0, "sip:u@h", "", 0, false },
		{ "sip:u@h:1", "<urn:uuid:1>", 1, "sip:u@h:2", "<urn:uuid:1>", 1, true },
		{ "sip:u@h:1", "<urn:uuid:1>", 1, "sip:u@h:1", "<urn:uuid:1>", 2, false },
		{ "sip:u@h:1", "<urn:uuid:1>", 1, "sip:u@h:1", "<urn:uuid:2>", 1, false },
		/* Without a reg-id on both sides the instance is a parameter like any other. */
		{ "sip:u@h:1", "<urn:uuid:1>", 0, "sip:u@h:2", "<urn:uuid:1>", 0, false },
		{ "sip:u@h:1", "<urn:uuid:1>", 0, "sip:u@h:1", "<urn:uuid:2>", 0, true },
		{ "sip:u@h:1", "<urn:uuid:1>", 1, "sip:u@h:1", "", 0, true },
		{ "mailto:a@b", "", 0, "mailto:a@b", "", 0, true },
		{ "mailto:a@b", "", 0, "mailto:a@c", "", 0, false },
		{ "mailto:a@b", "", 0, "sip:a@b", "", 0, false },
		{ "sip:", "", 0, "sip:", "", 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct hd_binding a = make(rows[i].uri_a, rows[i].instance_a, rows[i].reg_a);
		struct hd_binding b = make(rows[i].uri_b, rows[i].instance_b, rows[i].reg_b);

		if (hd_binding_matches(&a, &b) != rows[i].want ||
		    hd_binding_matches(&b, &a) != rows[i].want)
			fail_msg("row %zu: %s and %s", i, rows[i].uri_a, rows[i].uri_b);
	}
}

static void test_refresh(void **state)
{
	struct hd_binding a = make("sip:u@h", "<urn:uuid:1>", 1), b = a;

	(void)state;
	b.expires_at_ms = 1;
	b.registered_at_ms = 2;
	b.cseq = 3;
	fixture_set(b.call_id, sizeof(b.call_id), "other");
	assert_true(hd_binding_is_refresh(&a, &b));
#define DIFFERS(change)                                                                            \
	do {                                                                                       \
		b = a;                                                                             \
		change;                                                                            \
		assert_false(hd_binding_is_refresh(&a, &b));                                       \
	} while (0)
	DIFFERS(b.q_permille = 1);
	DIFFERS(b.q_given = true);
	DIFFERS(b.reg_id = 2);
	DIFFERS(b.contact_uri[0] = 'S');
	DIFFERS(b.contact_params[0] = 'x');
	DIFFERS(b.flow[0] = 'x');
	DIFFERS(b.instance_id[0] = 'x');
	DIFFERS(b.user_agent[0] = 'x');
	DIFFERS(b.path[0] = 'x');
#undef DIFFERS
}

static void test_sort(void **state)
{
	struct hd_binding items[5] = { 0 };
	struct hd_binding_list list = { .items = items, .n = 5, .room = 5 };
	static const struct {
		uint16_t q;
		int64_t at;
	} rows[5] = { { 500, 5 }, { 1000, 1 }, { 500, 9 }, { 1000, 2 }, { 500, 5 } };
	static const uint32_t want[5] = { 3, 1, 2, 0, 4 };

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		items[i].q_permille = rows[i].q;
		items[i].registered_at_ms = rows[i].at;
		items[i].cseq = i;
	}
	hd_binding_list_sort(&list);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(items[i].cseq, want[i]);
}

static void test_codec(void **state)
{
	struct hd_binding items[2] = { 0 }, got[2];
	struct hd_binding_list list = { .items = items, .n = 2, .room = 2 };
	struct hd_binding_list back = { .items = got, .room = 2, .now_ms = 50 };
	uint8_t buf[HD_RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice record;

	(void)state;
	items[0] = make("sip:a@h", "<urn:uuid:1>", 7);
	items[0].cseq = UINT32_MAX;
	items[0].q_permille = 700;
	items[0].q_given = true;
	items[0].expires_at_ms = 100;
	items[0].registered_at_ms = 20;
	memset(items[0].path, 'p', sizeof(items[0].path) - 1);
	fixture_set(items[0].contact_params, sizeof(items[0].contact_params), "a=1;b");
	fixture_set(items[0].call_id, sizeof(items[0].call_id), "c@h");
	fixture_set(items[0].flow, sizeof(items[0].flow), "flow");
	fixture_set(items[0].user_agent, sizeof(items[0].user_agent), "snom");
	items[1] = make("sip:b@h", "", 0);
	items[1].expires_at_ms = 40;

	hd_encoder_init(&e, buf, sizeof(buf), HD_BINDING_VERSION);
	assert_ok(hd_binding_list_encode(&e, &list, &record));
	memset(got, 0, sizeof(got));
	assert_ok(hd_binding_list_decode(&back, record));
	assert_int_equal(back.n, 1);
	assert_int_equal(back.expired, 1);
	assert_int_equal(back.earliest_ms, 40);
	assert_memory_equal(&got[0], &items[0], sizeof(got[0]));

	/* A record cut short within its second binding is damaged, not half a list. */
	for (size_t len = 0; len < record.len; len++) {
		struct hd_slice cut = { record.ptr, len };
		int err;

		back.now_ms = 0;
		err = hd_binding_list_decode(&back, cut);
		if (err && err != HD_ECORRUPT)
			fail_msg("%zu of %zu bytes: %d", len, record.len, err);
		if (!err && len > 2 && back.n < 2)
			fail_msg("%zu of %zu bytes give %zu bindings", len, record.len, back.n);
	}
	buf[1] = HD_BINDINGS_MAX + 1;
	assert_int_equal(hd_binding_list_decode(&back, record), HD_ECORRUPT);
	buf[1] = 3;
	back.room = 2;
	back.now_ms = 1000;
	assert_int_equal(hd_binding_list_decode(&back, record), HD_ECORRUPT);
	buf[0] = HD_BINDING_VERSION + 1;
	assert_int_equal(hd_binding_list_decode(&back, record), HD_EVERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_codec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
