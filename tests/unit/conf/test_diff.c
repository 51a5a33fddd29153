/* test_diff.c - what differs, and what of it needs a restart. */
#include "conf_support.h"

/* One change, and in which list it must be named. */
struct change {
	const char *text, *fixed, *live;
};

static const struct change changes[] = {
	{ "", "", "" },
	{ "sip: {domain: hotdesk.local, t1_ms: 500}", "", "" },
	{ "sip: {domain: example.org}", "sip.domain, sip.realm", "" },
	{ "sip: {realm: r}", "sip.realm", "" },
	{ "sip: {listen: [udp:0.0.0.0:5060]}", "sip.listen", "" },
	{ "sip: {listen: [tcp:0.0.0.0:5060, udp:0.0.0.0:5060]}", "sip.listen", "" },
	{ "sip: {aliases: [a]}", "", "sip.aliases" },
	{ "sip: {source_rate: 1, source_burst: 2, source_exempt: [10.0.0.0/8]}", "",
	  "sip.source_rate, sip.source_burst, sip.source_exempt" },
	{ "sip: {timer_c_s: 200, t4_ms: 5001}", "sip.t4_ms", "sip.timer_c_s" },
	{ "auth: {algorithms: [SHA-256]}", "", "auth.algorithms" },
	{ "auth: {algorithms: [MD5, SHA-256]}", "", "" },
	{ "auth: {md5_only_agents: [x y]}", "", "auth.md5_only_agents" },
	{ "auth: {md5_only_agents: [baresip v1.0.0]}", "", "" },
	{ "desk: {occupied: refuse, login_code: '*9'}", "", "desk.login_code, desk.occupied" },
	{ "pin: {trivial: true, passes: 3, threads: 2, queue_max: 9}", "pin.threads",
	  "pin.trivial, pin.passes, pin.queue_max" },
	{ "plan: {emergency: ['112']}", "", "plan.emergency" },
	{ "admin: {timeout_s: 3}\nrun: {drain_s: 1}\n", "admin.timeout_s", "run.drain_s" },
	{ "store: {path: x, map_mib: 3}", "store.path, store.map_mib", "" },
	{ "admin: {socket_mode: '0600'}", "admin.socket_mode", "" },
	{ "admin: {socket_mode: '660'}", "", "" },
	{ "log: {level: debug, subsystems: [{subsystem: a, level: info}]}", "",
	  "log.level, log.subsystems" },
	{ "directory: {seed: x}\nsecurity: {key_file: y}\nrun: {status_file: z}\n",
	  "directory.seed, security.key_file, run.status_file", "" },
};

static void test_changes(void **state)
{
	struct hd_conf *before = load_good("");

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct hd_conf *after = load_good(changes[i].text);
		struct hd_buf fixed = { 0 }, live = { 0 };

		hd_conf_diff(before, after, &fixed, &live);
		/* 660 and 0660 are different texts of one mode. */
		assert_string_equal(hd_buf_text(&fixed), changes[i].fixed);
		assert_string_equal(hd_buf_text(&live), changes[i].live);
		hd_buf_fini(&fixed);
		hd_buf_fini(&live);
		hd_conf_free(after);
	}
	hd_conf_free(before);
}

/* A value other than the default that every rule accepts beside the defaults. */
static void other_value(char *dst, size_t size, const struct hd_key_info *key)
{
	static const char *const codes[] = { "login_code", "logout_code", "toggle_code" };
	unsigned long v = strtoul(key->standard, NULL, 10);

	switch (key->type) {
	case HD_KEY_NUMBER:
		snprintf(dst, size, "%lu", v < key->max ? v + 1 : v - 1);
		break;
	case HD_KEY_BOOL:
		snprintf(dst, size, "%s", strcmp(key->standard, "true") ? "true" : "false");
		break;
	case HD_KEY_CHOICE:
		snprintf(dst, size, "%s", key->choices[key->n_choices - 1].name);
		break;
	case HD_KEY_CHOICES:
		snprintf(dst, size, "[%s]", key->choices[0].name);
		break;
	case HD_KEY_LEVELS:
		snprintf(dst, size, "[{subsystem: sip, level: debug}]");
		break;
	case HD_KEY_LIST:
		snprintf(dst, size, "[\"%s\"]",
			 key->form == hd_form_listen		 ? "udp:127.0.0.1:0"
			 : key->form == hd_form_line		 ? "pbx sip:a.example"
			 : key->form == hd_form_network		 ? "10.0.0.0/8"
			 : key->form == hd_form_server		 ? "192.0.2.1"
			 : key->form == hd_form_http_listen	 ? "http:127.0.0.1:0"
			 : key->form == hd_form_interface	 ? "eth0"
			 : key->form == hd_form_group_list	 ? "sales=local"
			 : key->form == hd_form_number		 ? "119"
			 : key->form == hd_form_emergency_target ? "sip:sos@192.0.2.1"
								 : "other.example");
		break;
	default:
		snprintf(dst, size, "%s",
			 key->form == hd_form_mode	  ? "600"
			 : key->form == hd_form_login_key ? "7"
			 : key->form == hd_form_address	  ? "192.0.2.1"
			 : key->form == hd_form_logout	  ? "after 1h"
			 : key->form == hd_form_e164	  ? "+4930"
			 : key->form == hd_form_country || key->form == hd_form_area ||
					 key->form == hd_form_prefix
				 ? "49"
			 : key->form == hd_form_destination ? "'*97{number}'"
			 : key->form == hd_form_base_url    ? "https://other.example"
							    : "other");
		for (size_t i = 0; i < 3; i++) {
			if (!strcmp(key->name, codes[i]))
				snprintf(dst, size, "'*5%zu'", i);
		}
		if (key->form == hd_form_code_or_none)
			snprintf(dst, size, "'*60'");
	}
}

/* Each key of the table is seen when it changes, alone, and on the side where the table says. */
static void test_every_key(void **state)
{
	struct hd_conf *before = load_good("");

	(void)state;
	for (size_t i = 0; i < hd_n_keys; i++) {
		const struct hd_key_info *key = &hd_keys[i];
		struct hd_buf fixed = { 0 }, live = { 0 };
		char value[256], text[512], name[64];
		struct hd_conf *after;

		other_value(value, sizeof(value), key);
		snprintf(name, sizeof(name), "%s.%s", key->section, key->name);
		/* Read at once, also when no peer is there: a file that is there for sure. */
		if (!strcmp(name, "upstream.tls_ca"))
			snprintf(value, sizeof(value), "/proc/self/stat");
		snprintf(text, sizeof(text), "%s: {%s: %s%s}", key->section, key->name, value,
			 !strcmp(key->name, "tls_key")		 ? ", tls_certificate: c"
			 : !strcmp(key->name, "tls_certificate") ? ", tls_key: c"
			 : !strcmp(name, "sip.domain")		 ? ", realm: hotdesk.local"
								 : "");
		after = load_good(text);
		hd_conf_diff(before, after, &fixed, &live);
		if (!strstr(hd_buf_text(key->live ? &live : &fixed), name) ||
		    (key->live ? &fixed : &live)->len > 0)
			fail_msg("%s: fixed \"%s\" live \"%s\"", text, hd_buf_text(&fixed),
				 hd_buf_text(&live));
		hd_buf_fini(&fixed);
		hd_buf_fini(&live);
		hd_conf_free(after);
	}
	hd_conf_free(before);
}

static void test_keys(void **state)
{
	struct hd_buf keys = { 0 };
	size_t lines = 0;

	(void)state;
	hd_conf_keys(&keys);
	for (const char *p = hd_buf_text(&keys); *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, hd_n_keys);
	assert_int_equal(strncmp(hd_buf_text(&keys), "sip.domain\nsip.realm\n", 21), 0);
	assert_non_null(strstr(hd_buf_text(&keys), "\nrun.status_file\n"));
	hd_buf_fini(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
