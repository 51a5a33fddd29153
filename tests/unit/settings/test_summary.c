/* test_summary.c - what a PBX says of waiting messages: taken, refused, kept with the user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/summary.h"

static const struct {
	const char *body;
	const char *formatted; /* NULL: refused */
} rows[] = {
	{ "Messages-Waiting: yes\r\nMessage-Account: sip:*97@pbx.example.com\r\n"
	  "Voice-Message: 2/8 (0/2)\r\n",
	  "Messages-Waiting: yes\r\nMessage-Account: sip:*97@d.test\r\n"
	  "Voice-Message: 2/8 (0/2)\r\n" },
	{ "messages-waiting:no\nvoice-message : 0/0\n",
	  "Messages-Waiting: no\r\nVoice-Message: 0/0\r\n" },
	{ "Messages-Waiting: yes", "Messages-Waiting: yes\r\n" },
	{ "Messages-Waiting: YES\r\nFax-Message: 1/0\r\nVoice-Message: 4294967/0(1/0)\r\nX-New: "
	  "1\r\n"
	  "\r\nTo: <sip:alice@example.com>\r\nVoice-Message: bad\r\n",
	  "Messages-Waiting: yes\r\nVoice-Message: 4294967/0 (1/0)\r\nFax-Message: 1/0\r\n" },
	{ "Messages-Waiting: yes\r\nMessage-Account: sip:+4930@pbx\r\n",
	  "Messages-Waiting: yes\r\nMessage-Account: sip:+4930@d.test\r\n" },
	/* An account that could not be dialled here is left out. */
	{ "Messages-Waiting: yes\r\nMessage-Account: tel:123\r\n", "Messages-Waiting: yes\r\n" },
	{ "Messages-Waiting: yes\r\nMessage-Account: sip:a%0d%0aB@pbx\r\n",
	  "Messages-Waiting: yes\r\n" },
	{ "Messages-Waiting: yes\r\nMessage-Account: sip:@pbx\r\n", "Messages-Waiting: yes\r\n" },
	{ "", NULL },
	{ "\r\n\r\n", NULL },
	{ "Messages-Waiting: maybe\r\n", NULL },
	{ "Voice-Message: 1/0\r\nMessages-Waiting: yes\r\n", NULL },
	{ "Messages-Waiting: yes\r\nVoice-Message: -1/0\r\n", NULL },
	{ "Messages-Waiting: yes\r\nVoice-Message: 1\r\n", NULL },
	{ "Messages-Waiting: yes\r\nVoice-Message: 1/2 (3/4\r\n", NULL },
	{ "Messages-Waiting: yes\r\nVoice-Message: 99999999999999999999/0\r\n", NULL },
};

static void test_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hd_summary summary, again;
		struct hd_buf out = { 0 };
		int err = hd_summary_parse(&summary, hd_slice_of(rows[i].body));

		if (!rows[i].formatted) {
			assert_int_equal(err, HD_EPARSE);
			continue;
		}
		if (err)
			fail_msg("row %zu: expected 0, got %d", i, err);
		hd_summary_format(&out, &summary, "d.test");
		assert_string_equal(hd_buf_text(&out), rows[i].formatted);
		assert_int_equal(hd_summary_parse(&again, hd_slice_of(hd_buf_text(&out))), 0);
		assert_true(hd_summary_eq(&summary, &again));
		hd_buf_fini(&out);
	}
}

static void test_too_long(void **state)
{
	char body[HD_SUMMARY_BODY_MAX + 2];
	struct hd_summary summary;

	(void)state;
	memset(body, ' ', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	memcpy(body, "Messages-Waiting: yes\r\n", 23);
	assert_int_equal(hd_summary_parse(&summary, hd_slice_of(body)), HD_ELIMIT);
	body[sizeof(body) - 2] = '\0';
	assert_int_equal(hd_summary_parse(&summary, hd_slice_of(body)), 0);
}

struct deed {
	struct hd_settings_store *settings;
	struct hd_summary summary;
	bool forget, standard;
};

static int run(struct hd_txn *txn, void *arg)
{
	struct deed *deed = arg;
	struct hd_settings settings;

	hd_settings_standard(&settings);
	return deed->forget	? hd_settings_forget(deed->settings, txn, "201")
	       : deed->standard ? hd_settings_put(deed->settings, txn, "201", &settings)
				: hd_summary_put(deed->settings, txn, "201", &deed->summary);
}

static int stored(struct hd_store *store, struct deed *deed, struct hd_summary *summary)
{
	struct hd_txn *txn;
	int err;

	assert_int_equal(hd_store_begin_read(store, &txn), 0);
	err = hd_summary_get(deed->settings, txn, "201", summary);
	hd_store_end_read(txn);
	return err;
}

static void test_kept_until_forgotten(void **state)
{
	struct hd_store_options options = { 0 };
	struct hd_summary summary;
	struct deed deed = { 0 };
	struct hd_store *store;
	struct hd_key master = { 0 };

	(void)state;
	assert_int_equal(hd_store_open_mem(&store, &options), 0);
	assert_int_equal(hd_settings_new(&deed.settings, store, &master), 0);
	assert_int_equal(stored(store, &deed, &summary), HD_ENOENT);
	assert_int_equal(hd_summary_parse(&deed.summary, hd_slice_of(rows[0].body)), 0);
	assert_int_equal(hd_store_execute(store, run, &deed), 0);
	assert_int_equal(stored(store, &deed, &summary), 0);
	assert_true(hd_summary_eq(&summary, &deed.summary));
	/* Settings that become the standard take nothing else along. */
	deed.standard = true;
	assert_int_equal(hd_store_execute(store, run, &deed), 0);
	assert_int_equal(stored(store, &deed, &summary), 0);
	deed.forget = true;
	assert_int_equal(hd_store_execute(store, run, &deed), 0);
	assert_int_equal(stored(store, &deed, &summary), HD_ENOENT);
	hd_settings_free(deed.settings);
	hd_store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_kept_until_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
