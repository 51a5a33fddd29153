/* test_dialling.c - who may call what from which phone, and where it goes: in tables. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/directory/fixture.h"

#include "hotdesk/plan.h"

enum { NOW_MS = 1790000000 };

static const char *const emergency[] = { "112", "144" };
static const char *const lists[] = { "mobile: +4917~", "premium: +49900~ 118~" };
static const char *const classes[] = {
	"house: allow emergency internal",
	"office: deny premium 29X; allow internal local mobile; deny +4940666; allow national",
	"boss: allow internal local national international",
};

struct test {
	struct hd_store *store;
	struct hd_planner planner;
	struct hd_dialling dialling;
	struct hd_user user;
	struct hd_phone phone;
	struct hd_desk_request request;
	struct hd_settings settings;
	const char *from, *dialled;
	const char *const *contacts;
	size_t n_contacts;
	struct hd_plan plan;
};

static int put_user(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;
	int err = hd_user_put(t->planner.dir, txn, &t->user);

	return err ? err : hd_settings_put(t->planner.settings, txn, t->user.number, &t->settings);
}

static int put_phone(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_put(t->planner.dir, txn, &t->phone);
}

/* @param forward always to there; "": nowhere */
static void set_user(struct test *t, const char *number, const char *class, const char *forward)
{
	t->user = (struct hd_user){ .roaming = true };
	fixture_set(t->user.number, sizeof(t->user.number), number);
	fixture_set(t->user.class, sizeof(t->user.class), class);
	hd_settings_standard(&t->settings);
	t->settings.forward[HD_FORWARD_ALWAYS].active = forward[0] != '\0';
	fixture_set(t->settings.forward[HD_FORWARD_ALWAYS].to, HD_FORWARD_TO_SIZE, forward);
	assert_ok(hd_store_execute(t->store, put_user, t));
}

static void set_phone(struct test *t, const char *id, const char *owner)
{
	t->phone = (struct hd_phone){ .disabled = false };
	fixture_set(t->phone.id, sizeof(t->phone.id), id);
	fixture_set(t->phone.owner, sizeof(t->phone.owner), owner);
	assert_ok(hd_store_execute(t->store, put_phone, t));
}

static void log_in(struct test *t, const char *number, const char *phone)
{
	t->request = (struct hd_desk_request){ .desk = t->planner.desk,
					       .event = HD_DESK_EVENT_LOGIN,
					       .by_admin = true,
					       .now_ms = NOW_MS };
	fixture_set(t->request.user, sizeof(t->request.user), number);
	fixture_set(t->request.phone, sizeof(t->request.phone), phone);
	assert_ok(hd_store_execute(t->store, hd_desk_apply, &t->request));
	assert_true(hd_desk_result_is_success(t->request.result));
}

static int setup(void **state)
{
	const struct hd_key master = { { 7 } };
	struct test *t = calloc(1, sizeof(*t));
	struct hd_buf why = { 0 };

	assert_non_null(t);
	t->store = fixture_store();
	assert_ok(hd_directory_new(&t->planner.dir, t->store));
	assert_ok(hd_location_new(&t->planner.loc, t->store));
	assert_ok(hd_desk_new(&t->planner.desk, t->store, t->planner.dir));
	assert_ok(hd_settings_new(&t->planner.settings, t->store, &master));
	t->planner.codes =
		(struct hd_feature_codes){ .login = "*771", .logout = "*772", .toggle = "*770" };
	t->dialling = (struct hd_dialling){
		.outside = true,
		.numbers = { "49", "30", "0", "0", "00", emergency, 2, "+493055" },
		.users = "office",
		.free = "house",
		.closed = "none",
	};
	assert_ok(hd_rights_new(&t->dialling.rights, lists, 2, classes, 3, &why));
	t->planner.dialling = &t->dialling;
	set_user(t, "201", "", "");
	set_user(t, "202", "boss", "");
	set_user(t, "291", "gone", "");
	set_user(t, "+49309999", "", "");
	set_phone(t, "desk-1", "");
	set_phone(t, "desk-2", "");
	set_phone(t, "desk-3", "");
	set_phone(t, "desk-4", "");
	set_phone(t, "home", "202");
	log_in(t, "201", "desk-1");
	log_in(t, "202", "desk-2");
	log_in(t, "291", "desk-3");
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	hd_rights_free(t->dialling.rights);
	hd_settings_free(t->planner.settings);
	hd_desk_free(t->planner.desk);
	hd_location_free(t->planner.loc);
	hd_directory_free(t->planner.dir);
	hd_store_close(t->store);
	free(t);
	return 0;
}

static int call(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;
	char class[HD_CLASS_SIZE];
	int err;

	err = hd_plan_call(&t->planner, txn, hd_slice_of(t->dialled), NOW_MS, &t->plan);
	if (!err)
		err = hd_plan_class(&t->planner, txn, t->from, class);
	if (!err)
		hd_plan_authorize(&t->planner, class, &t->plan);
	return err;
}

static void expect(struct test *t, const char *from, const char *dialled,
		   enum hd_plan_verdict verdict)
{
	memset(&t->plan, 0xaa, sizeof(t->plan));
	t->from = from;
	t->dialled = dialled;
	assert_ok(fixture_read(t->store, call, t));
	if (t->plan.verdict != verdict)
		fail_msg("%s calls %s: verdict %d (%s, class %s), expected %d", from, dialled,
			 (int)t->plan.verdict, t->plan.why, t->plan.class, (int)verdict);
}

enum {
	HERE = HD_PLAN_UNAVAILABLE, /* found; nothing is registered in this test */
	OUT = HD_PLAN_OUTSIDE,
	NO = HD_PLAN_FORBIDDEN,
	SOS = HD_PLAN_EMERGENCY,
	NONE = HD_PLAN_UNKNOWN,
	CODE = HD_PLAN_FEATURE,
};

static void test_rights(void **state)
{
	static const struct {
		const char *dialled;
		/* by 201 (office), 202 (boss), 291 (class is gone), a free, a closed phone */
		int by[5];
	} rows[] = {
		{ "112", { SOS, SOS, SOS, SOS, SOS } },
		{ "0112", { SOS, SOS, SOS, SOS, SOS } },
		{ "1-4-4", { SOS, SOS, SOS, SOS, SOS } },
		{ "*772", { CODE, CODE, CODE, CODE, CODE } },
		{ "201", { HERE, HERE, NO, HERE, NO } },
		{ "20-2", { HERE, HERE, NO, HERE, NO } },
		{ "desk-4", { HERE, HERE, NO, HERE, NO } },
		{ "291", { NO, HERE, NO, HERE, NO } },
		{ "250", { NONE, NONE, NO, NONE, NO } },
		{ "+493055201", { HERE, HERE, NO, HERE, NO } },
		{ "055291", { NO, HERE, NO, HERE, NO } },
		{ "003055250", { NONE, NONE, NO, NONE, NO } },
		{ "09999", { HERE, HERE, NO, HERE, NO } },
		{ "01234", { OUT, OUT, NO, NO, NO } },
		{ "001711", { OUT, OUT, NO, NO, NO } },
		{ "+49-171(1)", { OUT, OUT, NO, NO, NO } },
		{ "0040666", { NO, OUT, NO, NO, NO } },
		{ "0040667", { OUT, OUT, NO, NO, NO } },
		{ "009001", { NO, OUT, NO, NO, NO } },
		{ "%2B49900%31", { NO, OUT, NO, NO, NO } },
		{ "0118", { NO, OUT, NO, NO, NO } },
		{ "0033123", { OUT, OUT, NO, NO, NO } },
		{ "00033123", { NO, OUT, NO, NO, NO } },
		/* bad input: nowhere, and never by another's right */
		{ "", { NONE, NONE, NO, NONE, NO } },
		{ "anna", { NONE, NONE, NO, NONE, NO } },
		{ "%2530%2531234", { NONE, NONE, NO, NONE, NO } },
		{ "01234%", { NONE, NONE, NO, NONE, NO } },
		{ "01234%00", { NONE, NONE, NO, NONE, NO } },
		{ "0+491711", { NONE, NONE, NO, NONE, NO } },
		{ "00033123456789012345678901234567890", { NONE, NONE, NO, NONE, NO } },
	};
	static const char *const from[] = { "desk-1", "desk-2", "desk-3", "desk-4", "home" };
	struct test *t = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t p = 0; p < 5; p++)
			expect(t, from[p], rows[i].dialled, (enum hd_plan_verdict)rows[i].by[p]);
	expect(t, "no-phone", "201", HD_PLAN_FORBIDDEN);
	expect(t, "no-phone", "112", HD_PLAN_EMERGENCY);
}

static void test_outside(void **state)
{
	struct test *t = *state;

	expect(t, "desk-1", "001711", HD_PLAN_OUTSIDE);
	assert_string_equal(t->plan.outside.e164, "+491711");
	assert_string_equal(t->plan.number.e164, "+491711");
	assert_string_equal(t->plan.class, "office");
	assert_string_equal(t->plan.user, "");
	expect(t, "desk-1", "09999", HD_PLAN_UNAVAILABLE);
	assert_string_equal(t->plan.user, "+49309999");
	/* An extension of a PBX behind us, as far as we know. */
	expect(t, "desk-1", "2-50", HD_PLAN_UNKNOWN);
	assert_string_equal(t->plan.outside.dialled, "250");
	expect(t, "desk-1", "anna", HD_PLAN_UNKNOWN);
	assert_string_equal(t->plan.outside.dialled, "");
	/* Without a line prefix every number that nobody here has is outside. */
	t->dialling.numbers.outside[0] = '\0';
	expect(t, "desk-1", "250", HD_PLAN_OUTSIDE);
	assert_string_equal(t->plan.outside.e164, "+4930250");
	expect(t, "desk-1", "201", HD_PLAN_UNAVAILABLE);
	expect(t, "desk-1", "55201", HD_PLAN_UNAVAILABLE);
	assert_string_equal(t->plan.user, "201");
	expect(t, "desk-1", "anna", HD_PLAN_UNKNOWN);
	/* Without a way there nobody has them, and that is no matter of classes. */
	t->dialling.outside = false;
	expect(t, "desk-1", "250", HD_PLAN_UNKNOWN);
	expect(t, "desk-2", "001711", HD_PLAN_UNKNOWN);
	/* As before where nothing is configured. */
	t->planner.dialling = NULL;
	expect(t, "home", "250", HD_PLAN_UNKNOWN);
	expect(t, "home", "112", HD_PLAN_UNKNOWN);
}

/* A forwarding is a call of who forwards, whoever calls. */
static void test_forwarding(void **state)
{
	static const struct {
		const char *class, *to; /* of 201 */
		int verdict;		/* of a call by the boss */
	} rows[] = {
		{ "", "01234", OUT },	  { "", "00033123", NO },   { "boss", "00033123", OUT },
		{ "house", "01234", NO }, { "house", "202", HERE }, { "", "291", NO },
		{ "", "*21", NONE },	  { "boss", "112", NO },    { "boss", "0112", NO },
		{ "house", "250", NONE }, { "gone", "202", NO },    { "", "+493055202", HERE },
	};
	struct test *t = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_user(t, "201", rows[i].class, rows[i].to);
		expect(t, "desk-2", "201", (enum hd_plan_verdict)rows[i].verdict);
		assert_string_equal(t->plan.called, "201");
	}
	set_user(t, "201", "house", "250");
	expect(t, "desk-2", "201", HD_PLAN_UNKNOWN);
	assert_string_equal(t->plan.outside.dialled, "250");
	/* In a row: each by its own class. */
	set_user(t, "201", "house", "+49309999");
	set_user(t, "+49309999", "boss", "00033123");
	expect(t, "desk-4", "201", HD_PLAN_OUTSIDE);
	assert_string_equal(t->plan.outside.e164, "+33123");
	assert_string_equal(t->plan.diverted_by, "+49309999");
	set_user(t, "+49309999", "house", "00033123");
	expect(t, "desk-2", "201", HD_PLAN_FORBIDDEN);
	assert_string_equal(t->plan.class, "house");
	set_user(t, "+49309999", "", "20.1");
	expect(t, "desk-2", "201", HD_PLAN_LOOP);
}

/* ---- before it is set ----------------------------------------------------------------------- */

struct target {
	struct test *t;
	const char *by, *to;
	bool key;
	int got;
};

static int may(struct hd_txn *txn, void *arg)
{
	struct target *g = arg;

	g->got = (g->key ? hd_plan_may_dial : hd_plan_may_forward)(&g->t->planner, txn, g->by,
								   g->to, NOW_MS);
	return 0;
}

static void test_targets(void **state)
{
	static const struct {
		const char *by, *to;
		int forward, dial;
	} rows[] = {
		{ "201", "202", 0, 0 },
		{ "201", "desk-4", 0, 0 },
		{ "201", "291", HD_EACCESS, HD_EACCESS },
		{ "202", "291", 0, 0 },
		{ "201", "001711", 0, 0 },
		{ "201", "00033123", HD_EACCESS, HD_EACCESS },
		{ "202", "00033123", 0, 0 },
		{ "201", "+49900123", HD_EACCESS, HD_EACCESS },
		{ "201", "0118", HD_EACCESS, HD_EACCESS },
		{ "201", "+493055202", 0, 0 },
		{ "201", "055291", HD_EACCESS, HD_EACCESS },
		{ "291", "202", HD_EACCESS, HD_EACCESS }, /* a class that is gone */
		{ "291", "112", HD_EACCESS, 0 },
		{ "201", "112", HD_EACCESS, 0 },
		{ "201", "0112", HD_EACCESS, 0 },
		{ "201", "250", 0, 0 }, /* perhaps an extension of a PBX */
		{ "201", "*772", HD_EINVAL, 0 },
		{ "201", "*771*201*471147", HD_EINVAL, HD_EINVAL },
		{ "201", "*771*x", HD_EINVAL, HD_EINVAL },
		{ "201", "voicemail", 0, 0 },
		{ "999", "202", HD_ENOENT, HD_ENOENT },
	};
	struct test *t = *state;
	struct target g = { .t = t };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		g.by = rows[i].by;
		g.to = rows[i].to;
		for (int key = 0; key < 2; key++) {
			g.key = key;
			assert_ok(fixture_read(t->store, may, &g));
			if (g.got != (key ? rows[i].dial : rows[i].forward))
				fail_msg("%s %s %s: %d, expected %d", g.by,
					 key ? "dials" : "forwards to", g.to, g.got,
					 key ? rows[i].dial : rows[i].forward);
		}
	}
	/* What somebody else forwards to is that one's matter. */
	set_user(t, "202", "house", "00033123");
	g = (struct target){ .t = t, .by = "201", .to = "202" };
	assert_ok(fixture_read(t->store, may, &g));
	assert_int_equal(g.got, 0);
	/* The class counts also where there is no way outside yet. */
	t->dialling.outside = false;
	g.to = "00033123";
	assert_ok(fixture_read(t->store, may, &g));
	assert_int_equal(g.got, HD_EACCESS);
}

/* ---- nobody is there --------------------------------------------------------------------------*/

static int put_settings(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_settings_put(t->planner.settings, txn, t->user.number, &t->settings);
}

/* @param to while not logged in; "": nothing is said */
static void set_not_logged_in(struct test *t, const char *number, const char *class, const char *to)
{
	set_user(t, number, class, "");
	t->settings.forward[HD_FORWARD_NOT_LOGGED_IN].active = to[0] != '\0';
	fixture_set(t->settings.forward[HD_FORWARD_NOT_LOGGED_IN].to, HD_FORWARD_TO_SIZE, to);
	assert_ok(hd_store_execute(t->store, put_settings, t));
}

static void set_destinations(struct test *t, const char *voicemail, const char *fallback)
{
	fixture_set(t->dialling.voicemail, sizeof(t->dialling.voicemail), voicemail);
	fixture_set(t->dialling.fallback, sizeof(t->dialling.fallback), fallback);
}

static int register_there(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;
	struct hd_location_change change = {
		.loc = t->planner.loc,
		.now_ms = NOW_MS,
		.n_contacts = t->n_contacts,
		.max_contacts = 2,
	};

	fixture_set(change.aor, sizeof(change.aor), t->dialled);
	for (size_t i = 0; i < t->n_contacts; i++) {
		struct hd_binding *b = &change.contacts[i];

		fixture_set(b->contact_uri, sizeof(b->contact_uri), t->contacts[i]);
		fixture_set(b->call_id, sizeof(b->call_id), "c");
		b->expires_at_ms = NOW_MS + 60000;
	}
	return hd_location_change(txn, &change);
}

static void register_at(struct test *t, const char *id, const char *const *contacts, size_t n)
{
	t->dialled = id;
	t->contacts = contacts;
	t->n_contacts = n;
	assert_ok(hd_store_execute(t->store, register_there, t));
}

static void register_phone(struct test *t, const char *id)
{
	static const char *const contact = "sip:x@192.0.2.1";

	register_at(t, id, &contact, 1);
}

static void expect_at(struct test *t, const char *dialled, const char *user, const char *by,
		      const char *reason)
{
	expect(t, "desk-2", dialled, HD_PLAN_PHONE);
	assert_string_equal(t->plan.user, user);
	assert_string_equal(t->plan.diverted_by, by);
	if (by[0])
		assert_string_equal(t->plan.diverted_reason, reason);
}

/* USER>TO, a voicemail with '!'. */
static void expect_forwards(const struct test *t, const char *wanted)
{
	char text[HD_PLAN_FORWARDS_MAX * 2 * HD_NUMBER_SIZE] = "";

	for (size_t i = 0; i < t->plan.n_forwards; i++) {
		const struct hd_plan_forward *f = &t->plan.forwards[i];

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s>%s%s ", f->user,
			 f->to, f->voicemail ? "!" : "");
	}
	assert_string_equal(text, wanted);
}

static void test_not_logged_in(void **state)
{
	static const struct {
		const char *class, *to; /* of 203, who is logged out */
		int verdict;
	} rows[] = {
		{ "", "01234", OUT },	 { "house", "01234", NO }, { "", "112", NO },
		{ "", "*772", NONE },	 { "", "999", NONE },	   { "", "voicemail", NONE },
		{ "boss", "0033", OUT }, { "house", "202", HERE },
	};
	struct test *t = *state;

	set_not_logged_in(t, "203", "", "");
	expect(t, "desk-2", "203", HD_PLAN_UNAVAILABLE);
	assert_string_equal(t->plan.why, "user is logged out");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_not_logged_in(t, "203", rows[i].class, rows[i].to);
		expect(t, "desk-2", "203", (enum hd_plan_verdict)rows[i].verdict);
		if (t->plan.verdict != HD_PLAN_UNAVAILABLE)
			assert_string_equal(t->plan.diverted_by, "203");
	}
	/* 202 sits at a phone that is not registered, and 201 at one that is. */
	register_phone(t, "desk-1");
	expect(t, "desk-2", "202", HD_PLAN_UNAVAILABLE);
	assert_string_equal(t->plan.why, "phone is not registered");
	set_not_logged_in(t, "202", "house", "201");
	expect_at(t, "202", "201", "202", "unavailable");
	set_not_logged_in(t, "203", "house", "202");
	expect_at(t, "203", "201", "202", "unavailable");
	assert_string_equal(t->plan.called, "203");
	assert_string_equal(t->plan.called_reason, "unavailable");
	expect_forwards(t, "203>202 202>201 ");
	/* Nobody who is there goes by it. */
	set_not_logged_in(t, "201", "", "202");
	expect_at(t, "201", "201", "", "");
	set_not_logged_in(t, "202", "", "203");
	expect(t, "desk-2", "203", HD_PLAN_LOOP);
	assert_true(t->plan.n_forwards <= HD_PLAN_FORWARDS_MAX);
	expect(t, "desk-2", "202", HD_PLAN_LOOP);
}

static void test_fallback(void **state)
{
	struct test *t = *state;

	register_phone(t, "desk-1");
	set_not_logged_in(t, "203", "gone", "");
	set_destinations(t, "", "201");
	expect_at(t, "203", "201", "203", "unavailable");
	expect_at(t, "202", "201", "202", "unavailable");
	set_destinations(t, "", "203");
	expect(t, "desk-2", "203", HD_PLAN_UNAVAILABLE);
	expect(t, "desk-2", "202", HD_PLAN_UNAVAILABLE);
	set_destinations(t, "", "nobody");
	expect(t, "desk-2", "203", HD_PLAN_UNAVAILABLE);
	set_destinations(t, "", "voicemail"); /* which is nowhere */
	expect(t, "desk-2", "203", HD_PLAN_UNAVAILABLE);
	set_destinations(t, "00033{number}", "voicemail"); /* nobody's rights are looked at */
	expect(t, "desk-2", "203", HD_PLAN_OUTSIDE);
	assert_string_equal(t->plan.outside.e164, "+33203");
	assert_string_equal(t->plan.outside.peer, "");
	set_destinations(t, "sip:*97{number}@pbx", "voicemail");
	expect(t, "desk-2", "203", HD_PLAN_OUTSIDE);
	assert_string_equal(t->plan.outside.dialled, "*97203");
	assert_string_equal(t->plan.outside.peer, "pbx");
	assert_string_equal(t->plan.diverted_by, "203");
	expect_forwards(t, "203>voicemail! ");
	set_destinations(t, "", "sip:*98{number}@pbx");
	expect(t, "desk-2", "203", HD_PLAN_OUTSIDE);
	expect_forwards(t, "203>*98203 ");
	/* A user may say that, too, and does not need the right to call there. */
	set_destinations(t, "sip:*97{number}@pbx", "201");
	set_not_logged_in(t, "203", "gone", "voicemail");
	expect(t, "desk-2", "203", HD_PLAN_OUTSIDE);
	assert_string_equal(t->plan.outside.peer, "pbx");
	set_user(t, "201", "house", "203");
	expect(t, "desk-2", "201", HD_PLAN_OUTSIDE);
	assert_string_equal(t->plan.outside.dialled, "*97203");
	assert_string_equal(t->plan.called_reason, "unconditional");
}

static bool is_us(const void *arg, const struct hd_uri *uri)
{
	return hd_slice_is(uri->host, arg);
}

/* However many bindings lead to users who forward to each other: so many are followed. */
static void test_loops_of_bindings(void **state)
{
	static const char *const contacts[] = { "sip:204@us;a=1", "sip:204@us;a=2" };
	struct test *t = *state;

	t->planner.is_us = is_us;
	t->planner.arg = "us";
	set_user(t, "204", "", "205");
	set_user(t, "205", "", "206");
	set_user(t, "206", "", "205");
	expect(t, "desk-2", "204", HD_PLAN_LOOP);
	assert_int_equal(t->plan.n_forwards, HD_PLAN_FORWARDS_MAX);
	register_at(t, "desk-4", contacts, 2);
	expect(t, "desk-2", "desk-4", HD_PLAN_UNAVAILABLE);
	assert_int_equal(t->plan.n_forwards, 0);
	/* The user there has said where calls go then. */
	set_not_logged_in(t, "201", "", "204");
	register_at(t, "desk-1", contacts, 1);
	expect(t, "desk-2", "201", HD_PLAN_LOOP);
	assert_true(t->plan.n_forwards <= HD_PLAN_FORWARDS_MAX);
}

/* One that was set before it was refused, or before the code was one. */
static void test_target_with_a_pin(void **state)
{
	struct test *t = *state;

	set_user(t, "203", "", "*771*201*471147");
	expect(t, "desk-2", "203", HD_PLAN_UNKNOWN);
	expect_forwards(t, "203>*771*201*... ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forwarding, setup, teardown),
		cmocka_unit_test_setup_teardown(test_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_logged_in, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fallback, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loops_of_bindings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_target_with_a_pin, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
