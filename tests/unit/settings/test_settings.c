/* test_settings.c - what is stored of a user's settings, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/record.h"
#include "hotdesk/settings.h"

struct world {
	struct hd_store *store;
	struct hd_settings_store *settings;
};

static struct hd_key key(uint8_t first)
{
	struct hd_key k;

	memset(&k, first, sizeof(k));
	return k;
}

static int setup(void **state)
{
	struct hd_store_options options = { 0 };
	struct world *w = calloc(1, sizeof(*w));
	struct hd_key master = key(1);

	assert_non_null(w);
	assert_int_equal(hd_store_open_mem(&w->store, &options), 0);
	assert_int_equal(hd_settings_new(&w->settings, w->store, &master), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	hd_settings_free(w->settings);
	hd_store_close(w->store);
	free(w);
	return 0;
}

/* One command: what is given is written. */
struct deed {
	struct world *w;
	const char *number;
	const struct hd_settings *settings; /* or NULL: */
	bool hoteling;
	const char *pin;
	bool forget;
};

static int run(struct hd_txn *txn, void *arg)
{
	const struct deed *d = arg;

	if (d->forget)
		return hd_settings_forget(d->w->settings, txn, d->number);
	if (d->settings)
		return hd_settings_put(d->w->settings, txn, d->number, d->settings);
	return hd_settings_put_hoteling(d->w->settings, txn, d->number, d->hoteling,
					hd_slice_of(d->pin));
}

static int put(struct world *w, const char *number, const struct hd_settings *settings)
{
	struct deed d = { .w = w, .number = number, .settings = settings };

	return hd_store_execute(w->store, run, &d);
}

static int put_hoteling(struct world *w, const char *number, bool hoteling, const char *pin)
{
	struct deed d = { .w = w, .number = number, .hoteling = hoteling, .pin = pin };

	return hd_store_execute(w->store, run, &d);
}

static struct hd_settings get(struct world *w, const char *number)
{
	struct hd_settings settings;
	struct hd_txn *txn;

	assert_int_equal(hd_store_begin_read(w->store, &txn), 0);
	assert_int_equal(hd_settings_get(w->settings, txn, number, &settings), 0);
	hd_store_end_read(txn);
	return settings;
}

static int get_pin(struct world *w, struct hd_settings_store *settings, const char *number,
		   char pin[HD_PIN_SIZE])
{
	struct hd_txn *txn;
	int err;

	assert_int_equal(hd_store_begin_read(w->store, &txn), 0);
	err = hd_settings_get_pin(settings, txn, number, pin);
	hd_store_end_read(txn);
	return err;
}

static void set_target(struct hd_settings *st, enum hd_forward_when when, const char *to)
{
	assert_int_equal(hd_str_set(st->forward[when].to, HD_FORWARD_TO_SIZE, to), 0);
}

static void test_standard_and_back(void **state)
{
	struct world *w = *state;
	struct hd_settings st = get(w, "201");

	assert_false(st.dnd || st.hoteling || st.has_pin);
	assert_int_equal(st.rings, HD_RINGS_STANDARD);
	st.dnd = true;
	st.rings = 7;
	st.forward[HD_FORWARD_BUSY].active = true;
	set_target(&st, HD_FORWARD_BUSY, "202");
	set_target(&st, HD_FORWARD_ALWAYS, "0301234");
	assert_int_equal(put(w, "201", &st), 0);
	st = get(w, "201");
	assert_true(st.dnd);
	assert_int_equal(st.rings, 7);
	assert_true(st.forward[HD_FORWARD_BUSY].active);
	assert_string_equal(st.forward[HD_FORWARD_BUSY].to, "202");
	assert_false(st.forward[HD_FORWARD_ALWAYS].active);
	assert_false(get(w, "202").dnd);
	hd_settings_standard(&st);
	assert_int_equal(put(w, "201", &st), 0);
	assert_false(get(w, "201").dnd);
}

/* A record as it was before there were calls for who is logged out, without and with a PIN. */
static int put_old(struct hd_txn *txn, void *arg)
{
	static const uint8_t sealed[HD_PIN_SIZE - 1 + HD_SEAL_BYTES];
	const bool *with_pin = arg;
	uint8_t buf[512];
	struct hd_slice value;
	struct hd_encoder e;

	hd_encoder_init(&e, buf, sizeof(buf), 1);
	hd_encode_u8(&e, (uint8_t)(8 | (*with_pin ? 6 : 0)));
	hd_encode_u8(&e, 4);
	hd_encode_str(&e, "202");
	hd_encode_str(&e, "");
	hd_encode_str(&e, "203");
	if (*with_pin)
		hd_encode_bytes(&e, sealed, sizeof(sealed));
	return hd_encoder_finish(&e, &value) ? HD_ELIMIT
					     : hd_txn_put(txn, 0, hd_slice_of("201"), value);
}

static void test_not_logged_in(void **state)
{
	struct world *w = *state;
	struct hd_settings st;

	for (int i = 0; i < 2; i++) {
		bool with_pin = i == 1;

		assert_int_equal(hd_store_execute(w->store, put_old, &with_pin), 0);
		st = get(w, "201");
		assert_true(st.forward[HD_FORWARD_ALWAYS].active);
		assert_string_equal(st.forward[HD_FORWARD_NO_ANSWER].to, "203");
		assert_false(st.forward[HD_FORWARD_NOT_LOGGED_IN].active);
		assert_string_equal(st.forward[HD_FORWARD_NOT_LOGGED_IN].to, "");
		assert_int_equal(st.has_pin, with_pin);
		st.forward[HD_FORWARD_NOT_LOGGED_IN].active = true;
		set_target(&st, HD_FORWARD_NOT_LOGGED_IN, HD_FORWARD_VOICEMAIL);
		assert_int_equal(put(w, "201", &st), 0);
		st = get(w, "201");
		assert_true(st.forward[HD_FORWARD_NOT_LOGGED_IN].active);
		assert_string_equal(st.forward[HD_FORWARD_NOT_LOGGED_IN].to, "voicemail");
		assert_string_equal(st.forward[HD_FORWARD_ALWAYS].to, "202");
		assert_int_equal(st.has_pin, with_pin);
	}
}

static void test_refused(void **state)
{
	static const struct {
		bool active;
		const char *to;
		uint8_t rings;
	} rows[] = {
		{ true, "", 3 },     { true, "201", 3 }, { false, "2 02", 3 },
		{ false, "a@b", 3 }, { true, "202", 0 }, { true, "202", HD_RINGS_MAX + 1 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hd_settings st;

		hd_settings_standard(&st);
		st.forward[HD_FORWARD_ALWAYS].active = rows[i].active;
		set_target(&st, HD_FORWARD_ALWAYS, rows[i].to);
		st.rings = rows[i].rings;
		assert_int_equal(put(w, "201", &st), HD_EINVAL);
	}
	assert_false(get(w, "201").forward[HD_FORWARD_ALWAYS].active);
}

static void test_pin_is_kept_only_for_hoteling(void **state)
{
	struct world *w = *state;
	char pin[HD_PIN_SIZE];
	struct hd_settings st;

	assert_int_equal(put_hoteling(w, "201", false, "471147"), 0);
	assert_int_equal(get_pin(w, w->settings, "201", pin), HD_ENOENT);
	assert_int_equal(put_hoteling(w, "201", true, NULL), 0);
	assert_true(get(w, "201").hoteling);
	assert_int_equal(get_pin(w, w->settings, "201", pin), HD_ENOENT);
	assert_int_equal(put_hoteling(w, "201", true, "471147"), 0);
	assert_int_equal(get_pin(w, w->settings, "201", pin), 0);
	assert_string_equal(pin, "471147");

	st = get(w, "201");
	st.dnd = true;
	assert_int_equal(put(w, "201", &st), 0);
	assert_int_equal(put_hoteling(w, "201", true, NULL), 0);
	assert_int_equal(get_pin(w, w->settings, "201", pin), 0);
	assert_true(get(w, "201").dnd);
	assert_int_equal(put_hoteling(w, "201", false, NULL), 0);
	assert_int_equal(get_pin(w, w->settings, "201", pin), HD_ENOENT);
	assert_true(get(w, "201").dnd);
}

static void test_pin_of_another_key(void **state)
{
	struct world *w = *state;
	struct hd_settings_store *other;
	struct hd_key master = key(2);
	char pin[HD_PIN_SIZE];

	assert_int_equal(put_hoteling(w, "201", true, "471147"), 0);
	assert_int_equal(hd_settings_new(&other, w->store, &master), 0);
	assert_int_equal(get_pin(w, other, "201", pin), HD_ECORRUPT);
	assert_string_equal(pin, "");
	hd_settings_free(other);
}

static void test_forget(void **state)
{
	struct world *w = *state;
	struct deed d = { .w = w, .number = "201", .forget = true };

	assert_int_equal(hd_store_execute(w->store, run, &d), 0);
	assert_int_equal(put_hoteling(w, "201", true, "471147"), 0);
	assert_int_equal(hd_store_execute(w->store, run, &d), 0);
	assert_false(get(w, "201").hoteling);
}

/* ---- one thing at a time -------------------------------------------------------------------- */

struct one {
	struct world *w;
	const struct hd_settings_change *change;
	struct hd_settings after;
	int got;
};

static int change_run(struct hd_txn *txn, void *arg)
{
	struct one *one = arg;

	one->got = hd_settings_change(one->w->settings, txn, "201", one->change, &one->after);
	return one->got;
}

/* What log and audit are told of it: "forward always on > 202". */
static void expect_change(struct world *w, const struct hd_settings_change *change,
			  const char *want)
{
	struct one one = { .w = w, .change = change };
	struct hd_buf text = { 0 };
	int err = hd_store_execute(w->store, change_run, &one);

	hd_settings_change_describe(&text, change, err ? NULL : &one.after);
	if (!err)
		hd_buf_addf(&text, " > %s", hd_settings_change_target(change, &one.after));
	assert_string_equal(hd_buf_text(&text), want);
	hd_buf_fini(&text);
}

static void test_change(void **state)
{
	static const struct {
		struct hd_settings_change change;
		const char *want;
	} rows[] = {
		{ { .what = HD_CHANGE_DND, .on = HD_CHANGE_TOGGLE }, "do not disturb on > " },
		{ { .what = HD_CHANGE_DND, .on = HD_CHANGE_TOGGLE }, "do not disturb off > " },
		{ { .what = HD_CHANGE_FORWARD, .on = HD_CHANGE_ON, .to = "202" },
		  "forward always on > 202" },
		{ { .what = HD_CHANGE_FORWARD, .on = HD_CHANGE_OFF }, "forward always off > " },
		{ { .what = HD_CHANGE_FORWARD, .on = HD_CHANGE_ON }, "forward always on > 202" },
		{ { .what = HD_CHANGE_FORWARD, .on = HD_CHANGE_TOGGLE }, "forward always off > " },
		{ { .what = HD_CHANGE_FORWARD, .on = HD_CHANGE_ON, .to = "201" },
		  "forward always on" },
		{ { .what = HD_CHANGE_FORWARD, .when = HD_FORWARD_BUSY, .on = HD_CHANGE_ON },
		  "forward busy on" },
		{ { .what = HD_CHANGE_FORWARD,
		    .when = HD_FORWARD_BUSY,
		    .on = HD_CHANGE_ON,
		    .has_voicemail = true },
		  "forward busy on > voicemail" },
		{ { .what = HD_CHANGE_RINGS, .rings = 5 }, "5 rings > " },
		{ { .what = HD_CHANGE_RINGS, .rings = 21 }, "21 rings" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_change(*state, &rows[i].change, rows[i].want);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_standard_and_back),
		TEST(test_not_logged_in),
		TEST(test_refused),
		TEST(test_pin_is_kept_only_for_hoteling),
		TEST(test_pin_of_another_key),
		TEST(test_forget),
		TEST(test_change),
	};

	if (hd_secret_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
