/* test_contact.c - Contact values as a registrar reads them. */
#include "msg_text.h"

enum { ROOM = 4 };

struct got {
	struct hd_msg *msg;
	struct hd_contact c[ROOM];
	size_t n;
	bool star;
};

static void read_all(struct got *g, const char *lines)
{
	memset(g, 0, sizeof(*g));
	g->msg = invite_with(lines);
	g->n = ROOM;
	hd_msg_contacts(g->msg, g->c, &g->n, &g->star);
}

static void test_full(void **state)
{
	struct got g;

	(void)state;
	read_all(
		&g,
		"Contact: \"Desk\" <sip:desk-1@192.0.2.1:5070;transport=tcp>;q=0.75;expires=60;"
		"+sip.instance=\"<urn:uuid:1>\";reg-id=2;methods=\"INVITE, ACK\";expires-at=9\r\n");
	assert_int_equal(g.n, 1);
	assert_false(g.star);
	assert_string_equal(g.c[0].uri_text, "sip:desk-1@192.0.2.1:5070;transport=tcp");
	assert_slice_is(g.c[0].uri.user, "desk-1");
	assert_slice_is(g.c[0].uri.port, "5070");
	assert_int_equal(g.c[0].expires_s, 60);
	assert_int_equal(g.c[0].q_permille, 750);
	assert_string_equal(g.c[0].instance_id, "<urn:uuid:1>");
	assert_int_equal(g.c[0].reg_id, 2);
	assert_string_equal(g.c[0].params_text, ";q=0.75;+sip.instance=\"<urn:uuid:1>\";reg-id=2;"
						"methods=\"INVITE, ACK\";expires-at=9");
	hd_msg_free(g.msg);
}

static void test_bare(void **state)
{
	struct got g;

	(void)state;
	read_all(&g, "Contact: sip:desk-1@192.0.2.1;expires=5\r\n");
	assert_int_equal(g.n, 1);
	/* without <> the parameters are the field's: 20.10 */
	assert_string_equal(g.c[0].uri_text, "sip:desk-1@192.0.2.1");
	assert_int_equal(g.c[0].expires_s, 5);
	assert_int_equal(g.c[0].q_permille, -1);
	assert_string_equal(g.c[0].instance_id, "");
	assert_string_equal(g.c[0].params_text, "");
	assert_int_equal(g.c[0].reg_id, 0);
	hd_msg_free(g.msg);
}

static void test_escaped(void **state)
{
	struct got g;

	(void)state;
	read_all(&g, "Contact: <sip:plain@192.0.2.1>, \"a, <b\" <sip:d%2Fe%23@192.0.2.1>;q=1\r\n");
	assert_int_equal(g.n, 2);
	assert_string_equal(g.c[0].uri_text, "sip:plain@192.0.2.1");
	assert_string_equal(g.c[1].uri_text, "sip:d%2Fe%23@192.0.2.1");
	hd_msg_free(g.msg);
}

static void test_many(void **state)
{
	struct got g;

	(void)state;
	read_all(&g, "Contact: <sip:a@h>, <sip:b@h>;expires=0\r\nContact: <sip:c@h>\r\n"
		     "Contact: <sip:d@h>,<sip:e@h>,<sip:f@h>,<sip:g@h>\r\n");
	assert_int_equal(g.n, 7); /* more than the room, and only that was filled */
	assert_slice_is(g.c[0].uri.user, "a");
	assert_slice_is(g.c[1].uri.user, "b");
	assert_int_equal(g.c[1].expires_s, 0);
	assert_slice_is(g.c[2].uri.user, "c");
	assert_slice_is(g.c[3].uri.user, "d");
	hd_msg_free(g.msg);
}

static void test_star(void **state)
{
	struct got g;
	struct hd_uri uri;

	(void)state;
	read_all(&g, "Contact: *\r\nExpires: 0\r\n");
	assert_int_equal(g.n, 1);
	assert_true(g.star);
	assert_false(hd_msg_contact_uri(g.msg, &uri));
	hd_msg_free(g.msg);
	read_all(&g, "Contact: <sip:a@h>\r\n");
	assert_true(hd_msg_contact_uri(g.msg, &uri));
	assert_slice_is(uri.user, "a");
	hd_msg_free(g.msg);
}

static void test_expires(void **state)
{
	static const struct {
		const char *param;
		int64_t expires;
	} cases[] = {
		{ "expires=0", 0 },
		{ "Expires=30", 30 },
		{ "expires = 30", 30 },
		{ "expires=4294967295", INT32_MAX },
		{ "expires=99999999999999", INT32_MAX },
		{ "expires=-1", -1 },
		{ "expires=soon", -1 },
		{ "expires=1.5", -1 },
		{ "expires=", -1 },
		{ "expires", -1 },
		{ "x=1", -1 },
	};
	char line[128];
	struct got g;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "Contact: <sip:a@h>;%s\r\n", cases[i].param);
		read_all(&g, line);
		if (g.n && g.c[0].expires_s != cases[i].expires)
			fail_msg("%s: expected %lld, got %lld", cases[i].param,
				 (long long)cases[i].expires, (long long)g.c[0].expires_s);
		hd_msg_free(g.msg);
	}
}

static void test_q(void **state)
{
	static const struct {
		const char *q;
		int permille;
	} cases[] = {
		{ "0", 0 },	 { "1", 1000 },	   { "0.", 0 },	   { "1.", 1000 },
		{ "0.5", 500 },	 { "0.05", 50 },   { "0.005", 5 }, { "1.000", 1000 },
		{ "1.001", -2 }, { "0.0005", -2 }, { "2", -2 },	   { ".5", -2 },
		{ "-1", -2 },	 { "abc", -2 },	   { "0.x", -2 },
	};
	char line[128];
	struct got g;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "Contact: <sip:a@h>;q=%s\r\n", cases[i].q);
		read_all(&g, line);
		if (g.n && g.c[0].q_permille != cases[i].permille)
			fail_msg("q=%s: expected %d, got %d", cases[i].q, cases[i].permille,
				 g.c[0].q_permille);
		hd_msg_free(g.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),	cmocka_unit_test(test_bare),
		cmocka_unit_test(test_escaped), cmocka_unit_test(test_many),
		cmocka_unit_test(test_star),	cmocka_unit_test(test_expires),
		cmocka_unit_test(test_q),
	};

	return cmocka_run_group_tests(tests, msg_init, NULL);
}
