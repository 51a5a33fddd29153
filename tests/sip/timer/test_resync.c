/* test_resync.c - each vendor's NOTIFY; challenges; fetches; calls in progress. */
#include "notify_world.h"

#define NOTIFY "NOTIFY sip:desk-1@127.0.0.1"

static void fetches(struct stack *s)
{
	struct world *w = s->arg;

	hd_notify_fetched(w->notify, "desk-1", hd_clock_wall_ms(&s->clock.clock));
	commit(s);
}

static void is_told(struct stack *s)
{
	struct hd_device_seen d;

	commit(s);
	assert_int_equal(outbox(s), HD_ENOENT);
	seen(s, &d);
	assert_int_equal(d.unheard, 0);
	assert_true(d.told_at_ms >= d.asked_at_ms && d.asked_at_ms > 0);
	stack_advance(s, 3 * RARE_S * 1000);
	peer_expect_nothing(&s->callee);
}

/* ---- vendors --------------------------------------------------------------------------------- */

static void test_vendors(void **state)
{
	static const struct {
		const char *model, *event, *type;
	} rows[] = {
		{ "yealink-t46u", "Event: check-sync;reboot=false\r\n", "" },
		{ "snom-d785", "Event: check-sync;reboot=false\r\n", "" },
		{ "grandstream-grp2612", "Event: resync\r\n", "" },
		{ "polycom-vvx350", "Event: check-sync\r\n",
		  "Content-Type: application/simple-message-summary\r\n" },
		{ "cisco-spa504g", "Event: resync\r\n", "" },
		{ "cisco-cp-8865", "Event: resync\r\n", "" },
		{ "fanvil-x4u", "Event: check-sync\r\n", "" },
		{ "mitel-6867i", "Event: aastra-xml\r\n", "Content-Type: application/xml\r\n" },
		{ "gigaset-n870", "Event: check-sync;reboot=false\r\n", "" },
		{ "", "Event: check-sync;reboot=false\r\n",
		  "Content-Type: application/simple-message-summary\r\n" },
	};
	struct stack *s = *state;

	registers(s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		phone_is(s, rows[i].model);
		changes(s, i % 2 ? HD_DESK_EVENT_LOGOUT : HD_DESK_EVENT_LOGIN);
		peer_expect(&s->callee, NOTIFY);
		assert_string_equal(peer_lines(&s->callee, "Event"), rows[i].event);
		assert_string_equal(peer_lines(&s->callee, "Content-Type"), rows[i].type);
		assert_string_equal(peer_lines(&s->callee, "Content-Length"),
				    "Content-Length: 0\r\n");
		peer_answer(s, &s->callee, "200 OK", "t");
		commit(s);
	}
	is_told(s);
}

/* The COMfortel's keys are in the NOTIFY; without them it is asked to fetch. */
static void test_patch(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	phone_is(s, "comfortel-d-400");
	w->patch = "<configuration/>";
	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect(&s->callee, NOTIFY);
	assert_string_equal(peer_lines(&s->callee, "Event"), "Event: check-sync\r\n");
	assert_string_equal(peer_lines(&s->callee, "Content-Type"),
			    "Content-Type: application/xml\r\n");
	assert_non_null(strstr(s->callee.got, "\r\n\r\n<configuration/>"));
	peer_answer(s, &s->callee, "200 OK", "t");
	commit(s);
	assert_int_equal(outbox(s), HD_ENOENT);

	w->patch = NULL;
	changes(s, HD_DESK_EVENT_LOGOUT);
	peer_expect(&s->callee, NOTIFY);
	assert_string_equal(peer_lines(&s->callee, "Content-Type"), "");
	peer_answer(s, &s->callee, "200 OK", "t");
	is_told(s);
}

/* With the keys in the body it need not fetch, without them it must; in vain, the other way. */
static void test_patch_or_fetch(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	phone_is(s, "comfortel-d-400");
	phone_has_secret(s, "geheim", true);
	w->patch = "<configuration/>";
	w->fetching = true;
	notify_restarts(s);
	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect(&s->callee, NOTIFY);
	peer_answer(s, &s->callee, "513 Message Too Large", "t");
	commit(s);
	assert_int_equal(outbox(s), 0);
	stack_advance(s, RETRY_S * 1000);
	peer_expect(&s->callee, NOTIFY);
	assert_string_equal(peer_lines(&s->callee, "Content-Length"), "Content-Length: 0\r\n");
	peer_answer(s, &s->callee, "200 OK", "t");
	commit(s);
	assert_int_equal(outbox(s), 0);
	fetches(s);
	is_told(s);
}

/* ---- challenges ------------------------------------------------------------------------------ */

/* The challenge of the phone, and the answer that it expects. */
static void challenged(struct stack *s, const char *status, const char *challenge)
{
	char line[512];

	snprintf(line, sizeof(line), "%s\r\n%s: %s", status,
		 strncmp(status, "407", 3) == 0 ? "Proxy-Authenticate" : "WWW-Authenticate",
		 challenge);
	peer_answer(s, &s->callee, line, "t");
}

static void hex_of(char *out, const char *format, ...)
{
	uint8_t sum[HD_MD5_BYTES];
	char text[512];
	struct hd_slice part;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	part = hd_slice_of(text);
	hd_md5(sum, &part, 1);
	hd_hex_format(out, sum, sizeof(sum));
}

/* What the phone computes over what it got (RFC 2617, MD5). */
static void is_answered(struct stack *s, const char *header, const char *realm, const char *nonce,
			const char *nc)
{
	char ha1[33], ha2[33], response[33], cnonce[64] = "", part[256];
	const char *line = peer_lines(&s->callee, header), *at;

	hex_of(ha1, "desk-1:%s:geheim", realm);
	hex_of(ha2, "NOTIFY:sip:desk-1@127.0.0.1:%u", s->callee.port);
	if (nc) {
		at = strstr(line, "cnonce=\"");
		assert_non_null(at);
		assert_int_equal(sscanf(at, "cnonce=\"%63[^\"]", cnonce), 1);
		hex_of(response, "%s:%s:%s:%s:auth:%s", ha1, nonce, nc, cnonce, ha2);
		snprintf(part, sizeof(part), "qop=auth, nc=%s", nc);
		assert_non_null(strstr(line, part));
	} else {
		hex_of(response, "%s:%s:%s", ha1, nonce, ha2);
		assert_null(strstr(line, "qop"));
	}
	snprintf(part, sizeof(part), "response=\"%s\"", response);
	if (!strstr(line, part))
		fail_msg("expected %s in %s", part, line);
}

static void asked(struct stack *s, const char *model)
{
	phone_is(s, model);
	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect(&s->callee, NOTIFY);
	assert_string_equal(peer_lines(&s->callee, "CSeq"), "CSeq: 1 NOTIFY\r\n");
}

/* Cisco: its own realm; the secret is kept. */
static void test_challenged(void **state)
{
	struct stack *s = *state;
	char call_id[DATAGRAM_SIZE], from[DATAGRAM_SIZE];

	phone_has_secret(s, "geheim", true);
	asked(s, "cisco-spa504g");
	snprintf(call_id, sizeof(call_id), "%s", peer_lines(&s->callee, "Call-ID"));
	snprintf(from, sizeof(from), "%s", peer_lines(&s->callee, "From"));
	challenged(s, "401 Unauthorized",
		   "Digest realm=\"spa504g\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"");
	peer_expect(&s->callee, NOTIFY);
	assert_string_equal(peer_lines(&s->callee, "CSeq"), "CSeq: 2 NOTIFY\r\n");
	assert_string_equal(peer_lines(&s->callee, "Call-ID"), call_id);
	assert_string_equal(peer_lines(&s->callee, "From"), from);
	assert_string_equal(peer_lines(&s->callee, "Event"), "Event: resync\r\n");
	is_answered(s, "Authorization", "spa504g", "n1", "00000001");
	assert_int_equal(outbox(s), 0);
	peer_answer(s, &s->callee, "200 OK", "t");
	is_told(s);
}

/* Without qop, as a proxy would ask, over a stale nonce. */
static void test_challenged_stale(void **state)
{
	struct stack *s = *state;

	phone_has_secret(s, "geheim", true);
	asked(s, "grandstream-gxp2170");
	challenged(s, "407 Proxy Authentication Required", "Digest realm=\"gs\", nonce=\"n1\"");
	peer_expect(&s->callee, NOTIFY);
	is_answered(s, "Proxy-Authorization", "gs", "n1", NULL);
	challenged(s, "407 Proxy Authentication Required",
		   "Digest realm=\"gs\", nonce=\"n2\", stale=TRUE");
	peer_expect(&s->callee, NOTIFY);
	assert_string_equal(peer_lines(&s->callee, "CSeq"), "CSeq: 3 NOTIFY\r\n");
	is_answered(s, "Proxy-Authorization", "gs", "n2", NULL);
	peer_answer(s, &s->callee, "200 OK", "t");
	is_told(s);
}

/* An imported HA1 serves for the realm that it is of, and for no other. */
static void test_challenged_ha1(void **state)
{
	struct stack *s = *state;

	phone_has_secret(s, "geheim", false);
	asked(s, "cisco-cp-8865");
	challenged(s, "401 Unauthorized",
		   "Digest realm=\"hotdesk.test\", nonce=\"n\", qop=\"auth\"");
	peer_expect(&s->callee, NOTIFY);
	is_answered(s, "Authorization", "hotdesk.test", "n", "00000001");
	peer_answer(s, &s->callee, "200 OK", "t");
	commit(s);
	assert_int_equal(outbox(s), HD_ENOENT);

	changes(s, HD_DESK_EVENT_LOGOUT);
	peer_expect(&s->callee, NOTIFY);
	challenged(s, "401 Unauthorized", "Digest realm=\"8865\", nonce=\"n\", qop=\"auth\"");
	peer_expect_nothing(&s->callee);
	commit(s);
	assert_int_equal(outbox(s), 0);
}

/* A wrong secret: one retry, then it counts as refused, is reported, and comes rarely. */
static void test_challenged_in_vain(void **state)
{
	static const int gaps[] = { RETRY_S, 2 * RETRY_S, RARE_S, RARE_S };
	struct stack *s = *state;
	struct hd_device_seen d;

	phone_has_secret(s, "geheim", true);
	asked(s, "cisco-spa504g");
	for (unsigned i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		challenged(s, "401 Unauthorized", "Digest realm=\"spa\", nonce=\"n\"");
		peer_expect(&s->callee, NOTIFY);
		challenged(s, "401 Unauthorized", "Digest realm=\"spa\", nonce=\"n\"");
		peer_expect_nothing(&s->callee);
		commit(s);
		assert_int_equal(outbox(s), 0);
		seen(s, &d);
		assert_int_equal(d.last_status, 401);
		assert_int_equal(d.unheard, i + 1);
		stack_advance(s, gaps[i] * 1000 - 1);
		peer_expect_nothing(&s->callee);
		stack_advance(s, 1);
		peer_expect(&s->callee, NOTIFY);
	}
	peer_answer(s, &s->callee, "200 OK", "t");
	is_told(s);
}

/* ---- fetches --------------------------------------------------------------------------------- */

static void fetching(struct stack *s, const char *model)
{
	((struct world *)s->arg)->fetching = true;
	phone_has_secret(s, "geheim", true);
	notify_restarts(s);
	phone_has_secret(s, "geheim", true);
	asked(s, model);
}

static void test_fetched(void **state)
{
	struct stack *s = *state;

	fetching(s, "yealink-t46u");
	peer_answer(s, &s->callee, "200 OK", "t");
	commit(s);
	assert_int_equal(outbox(s), 0);
	stack_advance(s, FETCH_S * 1000 - 1);
	fetches(s);
	is_told(s);
}

/* A phone that cannot be given a configuration is told when it has answered, whatever it says. */
static void test_nothing_to_fetch(void **state)
{
	struct stack *s = *state;

	((struct world *)s->arg)->fetching = true;
	phone_has_secret(s, "geheim", false);
	notify_restarts(s);
	asked(s, "yealink-t46u");
	peer_answer(s, &s->callee, "489 Bad Event", "t");
	is_told(s);
}

/* Quicker than its own answer; one from before the NOTIFY tells nothing. */
static void test_fetched_early(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	fetching(s, "yealink-t46u");
	hd_notify_fetched(w->notify, "desk-1", hd_clock_wall_ms(&s->clock.clock) - 1);
	hd_notify_fetched(w->notify, "desk-2", hd_clock_wall_ms(&s->clock.clock));
	commit(s);
	assert_int_equal(outbox(s), 0);
	fetches(s);
	peer_answer(s, &s->callee, "200 OK", "t");
	is_told(s);
}

/* It says yes and does nothing: 20 s each time, then 30, 60 s, then rarely; late is told, too. */
static void test_unfetched(void **state)
{
	static const int gaps[] = { RETRY_S, 2 * RETRY_S, RARE_S };
	struct stack *s = *state;
	struct hd_device_seen d;

	fetching(s, "polycom-vvx350");
	for (unsigned i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		peer_answer(s, &s->callee, "200 OK", "t");
		commit(s);
		stack_advance(s, (FETCH_S + gaps[i]) * 1000 - 1);
		peer_expect_nothing(&s->callee);
		stack_advance(s, 1);
		peer_expect(&s->callee, NOTIFY);
		assert_int_equal(outbox(s), 0);
		seen(s, &d);
		assert_int_equal(d.unheard, i + 1);
	}
	peer_answer(s, &s->callee, "200 OK", "t");
	stack_advance(s, (FETCH_S + 1) * 1000);
	fetches(s);
	is_told(s);
}

/* What restarts at each NOTIFY and does not fetch is not driven round and round. */
static void test_restarts_each_time(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	fetching(s, "polycom-vvx350");
	peer_answer(s, &s->callee, "200 OK", "t");
	hd_notify_bound(w->notify, "desk-1");
	stack_advance(s, FETCH_S * 1000);
	hd_notify_bound(w->notify, "desk-1");
	stack_advance(s, RETRY_S * 1000 - 1);
	peer_expect_nothing(&s->callee);
	stack_advance(s, 1);
	peer_expect(&s->callee, NOTIFY);
	fetches(s);
	peer_answer(s, &s->callee, "200 OK", "t");
	is_told(s);
}

/* Somebody else comes while it is to fetch: it may have fetched too early, and is asked again. */
static void test_changes_meanwhile(void **state)
{
	struct stack *s = *state;

	fetching(s, "snom-d785");
	peer_answer(s, &s->callee, "200 OK", "t");
	stack_advance(s, 1000);
	changes(s, HD_DESK_EVENT_LOGOUT);
	peer_expect(&s->callee, NOTIFY);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect_nothing(&s->callee);
	peer_answer(s, &s->callee, "200 OK", "t");
	peer_expect(&s->callee, NOTIFY);
	peer_answer(s, &s->callee, "200 OK", "t");
	stack_advance(s, 1000);
	fetches(s);
	is_told(s);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void test_busy(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	phone_is(s, "polycom-vvx350");
	registers(s);
	w->busy = true;
	changes(s, HD_DESK_EVENT_LOGIN);
	stack_advance(s, 3 * RARE_S * 1000);
	hd_notify_bound(w->notify, "desk-1");
	peer_expect_nothing(&s->callee);
	hd_notify_idle(w->notify, "desk-1"); /* of two calls one has ended */
	peer_expect_nothing(&s->callee);
	w->busy = false;
	hd_notify_idle(w->notify, "desk-1");
	stack_settle(s);
	peer_expect(&s->callee, NOTIFY);
	peer_answer(s, &s->callee, "200 OK", "t");
	is_told(s);
}

/* An event that got lost is missed for a minute. */
static void test_busy_unheard(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	phone_is(s, "cisco-spa504g");
	registers(s);
	w->busy = true;
	changes(s, HD_DESK_EVENT_LOGIN);
	w->busy = false;
	stack_advance(s, 60000);
	peer_expect(&s->callee, NOTIFY);
	peer_answer(s, &s->callee, "200 OK", "t");
	is_told(s);
}

static void test_busy_undisturbed(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	w->busy = true;
	asked(s, "yealink-t46u");
	peer_answer(s, &s->callee, "200 OK", "t");
	is_told(s);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_vendors),
		TEST(test_patch),
		TEST(test_patch_or_fetch),
		TEST(test_challenged),
		TEST(test_challenged_stale),
		TEST(test_challenged_ha1),
		TEST(test_challenged_in_vain),
		TEST(test_fetched),
		TEST(test_nothing_to_fetch),
		TEST(test_fetched_early),
		TEST(test_unfetched),
		TEST(test_restarts_each_time),
		TEST(test_changes_meanwhile),
		TEST(test_busy),
		TEST(test_busy_unheard),
		TEST(test_busy_undisturbed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
