/* test_outbox.c - invariant 4: the phones concerned have yet to be told. */
#include "fixture.h"

/* The phones of the outbox in their order, separated by blanks. */
static const char *outbox(struct test *t)
{
	static char text[512];
	char after[HD_PHONE_ID_SIZE] = "";

	text[0] = '\0';
	while (!reading(t, outbox_next_body, after)) {
		size_t len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? " " : "",
			       t->entry.phone);
		memcpy(after, t->entry.phone, sizeof(after));
	}
	return text;
}

static void test_who_is_told(void **state)
{
	struct test *t = *state;

	assert_string_equal(outbox(t), "");
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_string_equal(outbox(t), "d1");
	assert_ok(reading(t, outbox_get_body, "d1"));
	assert_int_equal(t->entry.epoch, t->r.session.epoch);
	assert_int_equal(t->entry.since_ms, START_MS);

	empty_outbox(t);
	assert_result(login(t, "d2", "201"), MOVED);
	assert_string_equal(outbox(t), "d1 d2");
	empty_outbox(t);
	assert_result(login(t, "d3", "202"), LOGGED_IN);
	assert_result(login(t, "d2", "202"), MOVED); /* 201 loses d2 */
	assert_string_equal(outbox(t), "d2 d3");
	empty_outbox(t);
	assert_result(logout(t, "d2"), LOGGED_OUT);
	assert_string_equal(outbox(t), "d2");
	empty_outbox(t);
	assert_result(logout(t, "d2"), UNCHANGED);
	assert_result(guess(t, "d2", "201"), WRONG_PIN);
	assert_string_equal(outbox(t), "");
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d2", "201"), LOGGED_IN);
	assert_string_equal(outbox(t), "d2");
}

static int tell(struct test *t, const char *phone, uint64_t epoch)
{
	t->done = (struct hd_outbox_done){ .desk = t->desk, .epoch = epoch };
	fixture_set(t->done.phone, sizeof(t->done.phone), phone);
	return hd_store_execute(t->store, hd_outbox_done, &t->done);
}

/* What happened after the telling began stays to be told. */
static void test_later_ones_stay(void **state)
{
	struct test *t = *state;
	uint64_t first, second;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_ok(reading(t, outbox_get_body, "d1"));
	first = t->entry.epoch;
	assert_result(logout(t, "d1"), LOGGED_OUT);
	assert_ok(reading(t, outbox_get_body, "d1"));
	second = t->entry.epoch;
	assert_true(second > first);
	assert_ok(tell(t, "d1", first));
	assert_string_equal(outbox(t), "d1");
	assert_ok(tell(t, "d1", second));
	assert_string_equal(outbox(t), "");
	assert_ok(tell(t, "d1", second));
	assert_ok(tell(t, "nobody", 1));
	assert_ok(tell(t, "", 1));
}

/* An entry that cannot be read is still an entry: told once too often rather than never. */
static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->desk->outbox,
				   .key = hd_slice_of("d1"),
				   .value = { "\x01\x01", 2 } };
	char name[HD_PHONE_ID_SIZE + 1];

	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_string_equal(outbox(t), "d1");
	assert_int_equal(reading(t, outbox_get_body, "d1"), HD_ECORRUPT);
	empty_outbox(t);
	assert_string_equal(outbox(t), "");

	memset(name, 'x', sizeof(name));
	raw.key = (struct hd_slice){ name, sizeof(name) };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(reading(t, outbox_next_body, ""), HD_ECORRUPT);
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;

	assert_int_equal(hd_outbox_get(t->desk, NULL, "d1", &t->entry), HD_EINVAL);
	assert_int_equal(hd_outbox_next(t->desk, NULL, "d1", &t->entry), HD_EINVAL);
	assert_int_equal(hd_outbox_done(NULL, &t->done), HD_EINVAL);
	assert_int_equal(hd_store_execute(t->store, hd_outbox_done, NULL), HD_EINVAL);
	assert_int_equal(reading(t, outbox_get_body, "a b"), HD_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_who_is_told),
		T(test_later_ones_stay),
		T(test_damage),
		T(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
