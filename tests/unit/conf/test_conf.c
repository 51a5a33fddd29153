/* test_conf.c - defaults, values, and each way to be wrong with its line. */
#include "conf_support.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- good files ------------------------------------------------------------------------------ */

static void test_defaults(void **state)
{
	struct hd_conf *c = load_good("");

	(void)state;
	assert_string_equal(c->sip.domain, "hotdesk.local");
	assert_string_equal(c->sip.realm, "hotdesk.local");
	assert_int_equal(c->sip.n_aliases, 0);
	assert_int_equal(c->sip.n_listen, 2);
	assert_int_equal(c->sip.listen[0].transport, HD_UDP);
	assert_string_equal(c->sip.listen[0].host, "0.0.0.0");
	assert_int_equal(c->sip.listen[0].port, 5060);
	assert_int_equal(c->sip.listen[1].transport, HD_TCP);
	assert_null(c->sip.tls_certificate);
	assert_null(c->sip.tls_key);
	assert_null(c->sip.tls_ca);
	assert_int_equal(c->sip.t1_ms, 500);
	assert_int_equal(c->sip.timer_c_s, 185);
	assert_int_equal(c->sip.retry_after_min_s, 5);
	assert_int_equal(c->plan.n_emergency, 3);
	assert_string_equal(c->plan.emergency[0], "112");
	assert_int_equal(c->drain_s, 5);
	assert_int_equal(c->sip.message_max_bytes, 65536);
	assert_int_equal(c->sip.n_source_exempt, 2);
	assert_string_equal(c->sip.source_exempt[1], "::1/128");
	assert_true(c->sip.sofia_guard);
	assert_true(c->auth.md5 && c->auth.sha256 && c->auth.without_qop);
	assert_int_equal(c->auth.n_md5_only_agents, 1);
	assert_string_equal(c->auth.md5_only_agents[0], "baresip v1.0.0");
	assert_int_equal(c->registrar.expires_max_s, 7200);
	assert_true(c->registrar.soft_refresh);
	assert_string_equal(c->desk.login_code, "*771");
	assert_string_equal(c->desk.logout_code, "*772");
	assert_string_equal(c->desk.toggle_code, "*770");
	assert_false(c->desk.refuse_occupied);
	assert_int_equal(c->desk.lock_max_s, 86400);
	assert_int_equal(c->pin.length_min, 6);
	assert_false(c->pin.trivial);
	assert_string_equal(c->store.path, "/var/lib/hotdeskd");
	assert_int_equal(c->store.soft_delay_ms, 5000);
	assert_string_equal(c->admin.socket, "/run/hotdeskd/admin.sock");
	assert_int_equal(c->admin.socket_mode, 0660);
	assert_int_equal(c->log.format, HD_LOG_AUTO);
	assert_int_equal(c->log.level, HD_LOG_INFO);
	assert_int_equal(c->log.n_subsystems, 0);
	assert_null(c->directory_seed);
	assert_string_equal(c->key_file, "/var/lib/hotdeskd/master.key");
	assert_null(c->status_file);
	hd_conf_free(c);
}

/* Also an empty section, a document mark, comments, a byte order mark, CR LF. */
static void test_nothing_said(void **state)
{
	static const char *const texts[] = {
		"",	    "\n\n",	   "# only a comment\n",     "---\n",
		"{}",	    "---\n...\n",  "sip:\nlog: ~\nrun: {}",  "\xef\xbb\xbfsip:\n",
		"sip:\r\n", "sip: null\n", "%YAML 1.1\n---\nsip:\n",
	};
	struct hd_conf *empty = load_good("");

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct hd_conf *conf = load_good(texts[i]);
		struct hd_buf diff = { 0 };

		hd_conf_diff(empty, conf, &diff, &diff);
		assert_string_equal(hd_buf_text(&diff), "");
		hd_buf_fini(&diff);
		hd_conf_free(conf);
	}
	hd_conf_free(empty);
}

static void test_values(void **state)
{
	struct hd_conf *c =
		load_good("sip:\n"
			  "  domain: Office.Example\n"
			  "  realm: \"B\xc3\xbcro \xe2\x82\xac\"\n"
			  "  aliases: [192.0.2.1, '[2001:db8::1]:5070', pbx.example:5060]\n"
			  "  listen: ['tls:[::]:0', udp:192.0.2.1:65535]\n"
			  "  tls_certificate: /proc/self/status\n"
			  "  tls_key: /proc/self/status\n"
			  "  source_rate: 0\n"
			  "  source_exempt: []\n"
			  "  trusted: [192.0.2.7/32]\n"
			  "  sofia_guard: off\n"
			  "auth: {algorithms: [MD5]}\n"
			  "desk: {occupied: refuse, login_code: '*1'}\n"
			  "admin: {socket_mode: 600}\n"
			  "log:\n"
			  "  level: debug\n"
			  "  format: journal\n"
			  "  subsystems:\n"
			  "    - {subsystem: sip, level: error}\n"
			  "    - level: notice\n"
			  "      subsystem: desk\n");

	(void)state;
	assert_string_equal(c->sip.domain, "Office.Example");
	assert_string_equal(c->sip.realm, "B\xc3\xbcro \xe2\x82\xac");
	assert_int_equal(c->sip.n_aliases, 3);
	assert_string_equal(c->sip.aliases[1], "[2001:db8::1]:5070");
	assert_int_equal(c->sip.listen[0].transport, HD_TLS);
	assert_string_equal(c->sip.listen[0].host, "::");
	assert_int_equal(c->sip.listen[0].port, 0);
	assert_int_equal(c->sip.listen[1].port, 65535);
	assert_string_equal(c->sip.tls_key, "/proc/self/status");
	assert_int_equal(c->sip.source_rate, 0);
	assert_int_equal(c->sip.n_source_exempt, 0);
	assert_int_equal(c->sip.n_trusted, 1);
	assert_string_equal(c->sip.trusted[0], "192.0.2.7/32");
	assert_false(c->sip.sofia_guard);
	assert_true(c->auth.md5);
	assert_false(c->auth.sha256);
	assert_true(c->desk.refuse_occupied);
	assert_string_equal(c->desk.login_code, "*1");
	assert_int_equal(c->admin.socket_mode, 0600);
	assert_int_equal(c->log.level, HD_LOG_DEBUG);
	assert_int_equal(c->log.format, HD_LOG_JOURNAL);
	assert_int_equal(c->log.n_subsystems, 2);
	assert_string_equal(c->log.subsystems[1].subsystem, "desk");
	assert_int_equal(c->log.subsystems[1].level, HD_LOG_NOTICE);
	hd_conf_free(c);
}

/* Nothing is expanded, and no character gets lost on the way through libcyaml. */
static void test_text_is_kept(void **state)
{
	struct hd_conf *c =
		load_good("store: {path: \"/x/${HOME}\\\\\\\"%s\\u0085\\u2028 \\U0001F600'#: -\"}\n"
			  "sip: {realm: \"null\", domain: 'true'}\n");

	(void)state;
	assert_string_equal(c->store.path,
			    "/x/${HOME}\\\"%s\xc2\x85\xe2\x80\xa8 \xf0\x9f\x98\x80'#: -");
	assert_string_equal(c->sip.domain, "true");
	hd_conf_free(c);
}

static void test_paths(void **state)
{
	struct hd_buf errors = { 0 };
	struct hd_conf *c = NULL;
	const struct hd_slice text = hd_slice_of("store: {path: data}\nrun: {status_file: /s}\n"
						 "directory: {seed: ../users.yaml}\n");

	(void)state;
	assert_int_equal(hd_conf_parse(&c, text, "/etc/hd/x.yaml", &errors), 0);
	assert_string_equal(c->store.path, "/etc/hd/data");
	assert_string_equal(c->status_file, "/s");
	assert_string_equal(c->directory_seed, "/etc/hd/../users.yaml");
	assert_string_equal(c->key_file, "/var/lib/hotdeskd/master.key");
	hd_conf_free(c);
	assert_int_equal(hd_conf_parse(&c, text, "/x.yaml", &errors), 0);
	assert_string_equal(c->store.path, "/data");
	hd_conf_free(c);
	assert_int_equal(hd_conf_parse(&c, text, "x.yaml", &errors), 0);
	assert_string_equal(c->store.path, "data");
	hd_conf_free(c);
	hd_buf_fini(&errors);
}

/* ---- refused files --------------------------------------------------------------------------- */

#define LIST_OF_SECTIONS                                                                           \
	"sip, auth, registrar, events, desk, codes, dialogue, media, plan, rights, emergency, "    \
	"pin, store, directory, "                                                                  \
	"security, admin, provision, calls, upstream, log or run"
#define LISTEN "\"udp:ADDRESS:PORT\", \"tcp:...\" or \"tls:...\", an IPv6 address in []"
#define HOST "a host name, an IPv4 address, or an IPv6 address in []"
#define NETWORK "a network such as 10.0.0.0/8 or 2001:db8::/32, no bits set behind the prefix"

static const struct refused files[] = {
	/* keys */
	{ "sip:\n  domian: x\n",
	  "t.yaml:2: sip: unknown key \"domian\", did you mean \"domain\"?\n" },
	{ "spi: {}\n", "t.yaml:1: unknown key \"spi\", did you mean \"sip\"?\n" },
	{ "\nlisten: []\n", "t.yaml:2: unknown key \"listen\", expected it under \"sip:\"\n" },
	{ "sip:\n  lock_s: 3\n",
	  "t.yaml:2: sip: unknown key \"lock_s\", expected it under \"desk:\"\n" },
	{ "banana: 3\n", "t.yaml:1: unknown key \"banana\", expected " LIST_OF_SECTIONS "\n" },
	{ "run: {banana: 1}\n",
	  "t.yaml:1: run: unknown key \"banana\", expected status_file or drain_s\n" },
	{ "471147: 3\n", "t.yaml:1: unknown key (no name), expected " LIST_OF_SECTIONS "\n" },
	{ "sip:\n  t1_ms: 500\n  t2_ms: 4000\n  t1_ms: 500\n",
	  "t.yaml:4: sip.t1_ms is there twice, first in line 2, expected once\n" },
	{ "sip:\n  t1_ms: 500\nlog:\nsip:\n",
	  "t.yaml:4: sip is there twice, first in line 1, expected once\n" },
	{ "sip: 3\n", "t.yaml:1: sip is a single value, expected \"key: value\" lines\n" },
	{ "sip:\n  - t1_ms\n", "t.yaml:1: sip is a list, expected \"key: value\" lines\n" },
	{ "hello\n", "t.yaml:1: the file is a single value, expected \"key: value\" lines\n" },
	{ "- a\n", "t.yaml:1: the file is a list, expected \"key: value\" lines\n" },
	/* numbers */
	{ "sip:\n  t1_ms: 9\n", "t.yaml:2: sip.t1_ms: 9 is out of range, expected 10 to 10000\n" },
	{ "sip: {t1_ms: 99999999999999999999999}\n",
	  "t.yaml:1: sip.t1_ms: 99999999999999999999 is out of range, expected 10 to 10000\n" },
	{ "sip: {t1_ms: -500}\n",
	  "t.yaml:1: sip.t1_ms: \"-500\", expected a whole number from 10 to 10000\n" },
	{ "sip: {t1_ms: 0500}\n",
	  "t.yaml:1: sip.t1_ms: \"0500\", expected a whole number from 10 to 10000\n" },
	{ "sip: {t1_ms: 0x1f4}\n",
	  "t.yaml:1: sip.t1_ms: \"0x1f4\", expected a whole number from 10 to 10000\n" },
	{ "sip: {t1_ms: 5e2}\n",
	  "t.yaml:1: sip.t1_ms: \"5e2\", expected a whole number from 10 to 10000\n" },
	{ "sip: {t1_ms: 500 ms}\n",
	  "t.yaml:1: sip.t1_ms: \"500 ms\", expected a whole number from 10 to 10000\n" },
	{ "sip: {t1_ms: '500'}\n",
	  "t.yaml:1: sip.t1_ms: \"500\" in quotes, expected a whole number from 10 to 10000\n" },
	{ "sip:\n  t1_ms:\n",
	  "t.yaml:2: sip.t1_ms: empty, expected a whole number from 10 to 10000\n" },
	{ "sip:\n  t1_ms:\n    - 5\n",
	  "t.yaml:2: sip.t1_ms: a list, expected a whole number from 10 to 10000\n" },
	/* truth values and choices */
	{ "pin: {trivial: maybe}\n", "t.yaml:1: pin.trivial: \"maybe\", expected true or false\n" },
	{ "pin: {trivial: 'true'}\n",
	  "t.yaml:1: pin.trivial: \"true\" in quotes, expected true or false\n" },
	{ "desk: {occupied: kick}\n",
	  "t.yaml:1: desk.occupied: \"kick\", expected replace or refuse\n" },
	{ "log: {level: 7}\n",
	  "t.yaml:1: log.level: \"7\", expected error, warning, notice, info or debug\n" },
	{ "log: {format: []}\n",
	  "t.yaml:1: log.format: a list, expected auto, stderr or journal\n" },
	{ "auth:\n  algorithms: [MD5, SHA-1]\n",
	  "t.yaml:2: auth.algorithms: \"SHA-1\", expected SHA-256 or MD5\n" },
	{ "auth: {algorithms: []}\n", "t.yaml:1: auth.algorithms: 0 entries, expected 1 to 2\n" },
	{ "auth: {algorithms: [MD5, MD5]}\n",
	  "t.yaml:1: auth.algorithms: \"MD5\" is there twice, first in line 1, expected once\n" },
	{ "auth: {algorithms: MD5}\n",
	  "t.yaml:1: auth.algorithms: \"MD5\", expected a list of names\n" },
	/* texts */
	{ "sip: {domain: a b}\n", "t.yaml:1: sip.domain: \"a b\", expected " HOST "\n" },
	{ "sip: {domain: null}\n", "t.yaml:1: sip.domain: empty, expected " HOST "\n" },
	{ "sip: {domain: 10.0.0.256}\n",
	  "t.yaml:1: sip.domain: \"10.0.0.256\", expected " HOST "\n" },
	{ "sip: {realm: 'a\"b'}\n",
	  "t.yaml:1: sip.realm: \"a?b\", expected 1 to 128 bytes of text without \" and \\, or "
	  "null\n" },
	{ "store: {path: \"a\\0b\"}\n",
	  "t.yaml:1: store.path: \"a?b\", expected the path of a file or folder\n" },
	{ "admin: {socket_mode: '0680'}\n",
	  "t.yaml:1: admin.socket_mode: \"0680\", expected three octal digits, also with a 0 in "
	  "front\n" },
	{ "desk: {login_code: '*7x'}\n",
	  "t.yaml:1: desk.login_code: \"*7x\", expected 1 to 16 of the keys 0-9 A-D * #\n" },
	/* lists */
	{ "sip:\n  listen: udp:0.0.0.0:5060\n",
	  "t.yaml:2: sip.listen: \"udp:0.0.0.0:5060\", expected a list of " LISTEN "\n" },
	{ "sip:\n  listen: []\n", "t.yaml:2: sip.listen: 0 entries, expected 1 to 32\n" },
	{ "sip:\n  listen:\n    - udp:0.0.0.0:5060\n    - sctp:0.0.0.0:5060\n"
	  "    - udp:example.org:5060\n    - udp:0.0.0.0:65536\n    - udp:0.0.0.0\n"
	  "    - udp:::1:5060\n    -\n    - [a]\n",
	  "t.yaml:4: sip.listen: \"sctp:0.0.0.0:5060\", expected " LISTEN "\n"
	  "t.yaml:5: sip.listen: \"udp:example.org:5060\", expected " LISTEN "\n"
	  "t.yaml:6: sip.listen: \"udp:0.0.0.0:65536\", expected " LISTEN "\n"
	  "t.yaml:7: sip.listen: \"udp:0.0.0.0\", expected " LISTEN "\n"
	  "t.yaml:8: sip.listen: \"udp:::1:5060\", expected " LISTEN "\n"
	  "t.yaml:9: sip.listen: empty, expected " LISTEN "\n"
	  "t.yaml:10: sip.listen: a list, expected " LISTEN "\n" },
	{ "sip:\n  listen:\n    - udp:[::1]:5060\n    - tcp:[::1]:5060\n    - udp:[::1]:5060\n",
	  "t.yaml:5: sip.listen: \"udp:[::1]:5060\" is there twice, first in line 3, expected "
	  "once\n" },
	{ "sip:\n  listen:\n    - udp:[::1]:5060\n    - udp:[0::1]:5060\n",
	  "t.yaml:4: sip.listen: \"udp:[0::1]:5060\" is the same address and port as the entry in "
	  "line 3, expected another port\n" },
	{ "sip:\n  source_exempt:\n    - 10.0.0.0/8\n    - 10.0.0.1/8\n    - 10.0.0.0\n"
	  "    - 10.0.0.0/33\n    - 2001:db8::/129\n    - 2001:db8::/32\n",
	  "t.yaml:4: sip.source_exempt: \"10.0.0.1/8\", expected " NETWORK "\n"
	  "t.yaml:5: sip.source_exempt: \"10.0.0.0\", expected " NETWORK "\n"
	  "t.yaml:6: sip.source_exempt: \"10.0.0.0/33\", expected " NETWORK "\n"
	  "t.yaml:7: sip.source_exempt: \"2001:db8::/129\", expected " NETWORK "\n" },
	{ "sip: {aliases: [a, B, A]}\n",
	  "t.yaml:1: sip.aliases: \"A\" is there twice, first in line 1, expected once\n" },
	{ "log:\n  subsystems:\n    - {subsystem: sip, level: loud}\n    - {subsystem: sip}\n"
	  "    - {subsystem: 'a b', level: info, colour: red}\n    - sip\n    -\n",
	  "t.yaml:3: log.subsystems: level: \"loud\", expected error, warning, notice, info or "
	  "debug\n"
	  "t.yaml:4: log.subsystems: an entry without level, expected {subsystem: NAME, level: "
	  "LEVEL}\n"
	  "t.yaml:5: log.subsystems[]: unknown key \"colour\", expected subsystem or level\n"
	  "t.yaml:5: log.subsystems: subsystem: \"a b\", expected the name of a subsystem such as "
	  "registrar\n"
	  "t.yaml:6: log.subsystems[] is a single value, expected \"key: value\" lines\n"
	  "t.yaml:7: log.subsystems: an entry without subsystem, expected {subsystem: NAME, level: "
	  "LEVEL}\n"
	  "t.yaml:4: log.subsystems: \"sip\" is there twice, first in line 3, expected once\n" },
	/* between keys */
	{ "registrar:\n  expires_min_s: 60\n  expires_max_s: 30\n  expires_default_s: 45\n",
	  "t.yaml:2: registrar.expires_min_s: 60 is over registrar.expires_max_s, expected at "
	  "most its 30\n"
	  "t.yaml:2: registrar.expires_min_s: 60 is over registrar.expires_default_s, expected at "
	  "most its 45\n"
	  "t.yaml:4: registrar.expires_default_s: 45 is over registrar.expires_max_s, expected at "
	  "most its 30\n" },
	{ "\npin: {length_max: 5}\n",
	  "t.yaml:2: pin.length_min: 6 (the default) is over pin.length_max, expected at most its "
	  "5\n" },
	{ "sip: {t1_ms: 5000}\n",
	  "t.yaml:1: sip.t1_ms: 5000 is over sip.t2_ms, expected at most its 4000 (the "
	  "default)\n" },
	{ "media: {port_min: 20479}\n",
	  "t.yaml:1: media.port_min: 20479 leaves no room up to media.port_max 20479, expected an "
	  "even port and the next one\n" },
	{ "media:\n  port_min: 7000\n  port_max: 7000\n",
	  "t.yaml:2: media.port_min: 7000 leaves no room up to media.port_max 7000, expected an "
	  "even port and the next one\n" },
	{ "sip: {source_burst: 0}\n",
	  "t.yaml:1: sip.source_burst: 0 would refuse every request, expected 1 or more, or "
	  "sip.source_rate 0 for no limit\n" },
	{ "desk:\n  login_code: '*1'\n  logout_code: '*1'\n",
	  "t.yaml:3: desk.logout_code: \"*1\" cannot be told from desk.login_code \"*1\", expected "
	  "codes that do not begin alike\n" },
	{ "desk:\n  toggle_code: '*771*5'\n",
	  "t.yaml:2: desk.toggle_code: \"*771*5\" cannot be told from desk.login_code \"*771\", "
	  "expected codes that do not begin alike\n" },
	{ "sip:\n  listen:\n    - tls:0.0.0.0:5061\n",
	  "t.yaml:3: sip.listen: a tls listener without sip.tls_certificate, expected the path of "
	  "a PEM file there\n"
	  "t.yaml:3: sip.listen: a tls listener without sip.tls_key, expected the path of a PEM "
	  "file there\n" },
	{ "sip:\n  tls_key: nowhere.pem\n",
	  "t.yaml:2: sip.tls_key is set without sip.tls_certificate, expected both or none\n" },
	{ "sip:\n  listen: [tls:0.0.0.0:5061, tcp:0.0.0.0:5061]\n  tls_key: /\n"
	  "  tls_certificate: no/where\n",
	  "t.yaml:2: sip.listen: \"tcp:0.0.0.0:5061\" is the same address and port as the entry in "
	  "line 2, expected another port\n"
	  "t.yaml:4: sip.tls_certificate: no/where: No such file or directory, expected a PEM "
	  "file\n"
	  "t.yaml:3: sip.tls_key: / is no ordinary file, expected a PEM file\n" },
	/* several at once, of every kind; a bad value takes no part in what follows */
	{ "sip:\n  domian: x\n  t1_ms: many\n  t2_ms: 20\ndesk: {lock_s: 100000}\nlog: {level: "
	  "x}\n",
	  "t.yaml:2: sip: unknown key \"domian\", did you mean \"domain\"?\n"
	  "t.yaml:3: sip.t1_ms: \"many\", expected a whole number from 10 to 10000\n"
	  "t.yaml:6: log.level: \"x\", expected error, warning, notice, info or debug\n"
	  "t.yaml:5: desk.lock_s: 100000 is over desk.lock_max_s, expected at most its 86400 (the "
	  "default)\n" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct hd_buf errors = { 0 };
		struct hd_conf *conf = NULL;
		int err = hd_conf_parse(&conf, hd_slice_of(files[i].text), "t.yaml", &errors);

		if (err != HD_EPARSE || strcmp(hd_buf_text(&errors), files[i].errors) != 0)
			print_error("file %zu:\n%s\n", i, files[i].text);
		assert_string_equal(hd_buf_text(&errors), files[i].errors);
		assert_int_equal(err, HD_EPARSE);
		assert_null(conf);
		hd_buf_fini(&errors);
	}
}

/* Every number of the table refuses what is just outside of its range, and takes the ends. */
static void test_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < hd_n_keys; i++) {
		const struct hd_key_info *key = &hd_keys[i];
		uint64_t values[] = { (uint64_t)key->min - 1, key->min, key->max,
				      (uint64_t)key->max + 1 };

		if (key->type != HD_KEY_NUMBER)
			continue;
		for (size_t v = key->min ? 0 : 1; v < 4; v++) {
			struct hd_buf errors = { 0 };
			struct hd_conf *conf = NULL;
			char text[128];
			bool out = v == 0 || v == 3;
			int err;

			snprintf(text, sizeof(text), "%s: {%s: %llu}", key->section, key->name,
				 (unsigned long long)values[v]);
			err = hd_conf_parse(&conf, hd_slice_of(text), "t", &errors);
			if (!!strstr(hd_buf_text(&errors), "out of range") != out)
				fail_msg("%s: %s", text, hd_buf_text(&errors));
			if (out)
				assert_int_equal(err, HD_EPARSE);
			hd_conf_free(err ? NULL : conf);
			hd_buf_fini(&errors);
		}
	}
}

/* Errors beyond a number are counted only: a hostile file cannot make megabytes of them. */
static void test_many_errors(void **state)
{
	struct hd_buf text = { 0 }, errors = { 0 };
	struct hd_conf *conf = NULL;

	(void)state;
	for (int i = 0; i < 200; i++)
		hd_buf_adds(&text, "sip: {}\n");
	assert_int_equal(hd_conf_parse(&conf, hd_slice_of(hd_buf_text(&text)), "t", &errors),
			 HD_EPARSE);
	assert_non_null(strstr(hd_buf_text(&errors), "t:51: sip is there twice"));
	assert_null(strstr(hd_buf_text(&errors), "t:52:"));
	assert_non_null(strstr(hd_buf_text(&errors), "t: 149 more errors\n"));
	hd_buf_fini(&text);
	hd_buf_fini(&errors);
}

static void test_load(void **state)
{
	char path[] = "/tmp/hd_test_conf_XXXXXX";
	int fd = mkstemp(path);
	struct hd_buf errors = { 0 };
	struct hd_conf *conf = NULL;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "store: {path: s}\n", 17), 17);
	assert_int_equal(hd_conf_load(&conf, path, &errors), 0);
	assert_string_equal(conf->store.path, "/tmp/s");
	hd_conf_free(conf);
	assert_int_equal(ftruncate(fd, (off_t)100 * 1024 * 1024), 0);
	assert_int_equal(hd_conf_load(&conf, path, &errors), HD_EPARSE);
	assert_non_null(strstr(hd_buf_text(&errors), ":1: too big, expected at most 262144 bytes"));
	hd_buf_fini(&errors);
	close(fd);
	unlink(path);
	assert_int_equal(hd_conf_load(&conf, path, &errors), HD_ESYSTEM);
	assert_non_null(strstr(hd_buf_text(&errors), ": cannot be read: No such file"));
	hd_buf_fini(&errors);
	assert_int_equal(hd_conf_load(&conf, "/", &errors), HD_ESYSTEM);
	hd_buf_fini(&errors);
	assert_int_equal(hd_conf_load(NULL, path, &errors), HD_EINVAL);
	hd_conf_free(NULL);
}

static void test_long_socket(void **state)
{
	struct hd_buf text = { 0 }, errors = { 0 };
	struct hd_conf *conf = NULL;

	(void)state;
	hd_buf_adds(&text, "admin:\n  socket: /");
	for (int i = 0; i < 107; i++)
		hd_buf_adds(&text, "s");
	assert_int_equal(hd_conf_parse(&conf, hd_slice_of(hd_buf_text(&text)), "t", &errors),
			 HD_EPARSE);
	assert_string_equal(hd_buf_text(&errors),
			    "t:2: admin.socket: a path of 108 bytes, expected "
			    "at most 107 (the limit of Unix sockets)\n");
	hd_buf_fini(&text);
	hd_buf_fini(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_nothing_said),
		cmocka_unit_test(test_values),	 cmocka_unit_test(test_text_is_kept),
		cmocka_unit_test(test_paths),	 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ranges),	 cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_load),	 cmocka_unit_test(test_long_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
