/*
 * keys.c - every key of hotdeskd.yaml: the one list behind checks, defaults, libcyaml's schema,
 * comparison and documents (conf/hotdeskd.yaml and hotdeskd.yaml.5 are tested against it).
 */
#include "conf_priv.h"
#include "hotdesk/base/peer.h"

#define RAW(member) offsetof(struct hd_conf_raw, member)
#define IN(sec, key) RAW(conf.sec.key)

enum { FIXED = false, LIVE = true };
enum { DAY_S = 86400, MONTH_S = 30 * DAY_S };

#define NUMBER(sec, key, lo, hi, std, when)                                                        \
	{                                                                                          \
		.section = #sec, .name = #key, .type = HD_KEY_NUMBER, .live = (when),              \
		.offset = IN(sec, key), .size = sizeof(uint32_t), .min = (lo), .max = (hi),        \
		.standard = (std)                                                                  \
	}
#define BOOL(sec, key, std, when)                                                                  \
	{                                                                                          \
		.section = #sec, .name = #key, .type = HD_KEY_BOOL, .live = (when),                \
		.offset = IN(sec, key), .size = sizeof(bool), .standard = (std)                    \
	}
#define TEXT(sec, key, place, std, when, frm, words)                                               \
	{                                                                                          \
		.section = #sec, .name = #key, .type = HD_KEY_TEXT, .live = (when),                \
		.offset = (place), .standard = (std), .form = (frm), .expected = (words)           \
	}
#define PATH(sec, key, place, std, none, when)                                                     \
	{                                                                                          \
		.section = #sec, .name = #key, .type = HD_KEY_PATH, .live = (when),                \
		.nullable = (none), .offset = (place), .standard = (std), .form = hd_form_path,    \
		.expected = "the path of a file or folder"                                         \
	}
#define LIST(sec, key, place, count, lo, hi, std, when, frm, words)                                \
	{                                                                                          \
		.section = #sec, .name = #key, .type = HD_KEY_LIST, .live = (when),                \
		.offset = (place), .count_offset = (count), .size = sizeof(char *), .min = (lo),   \
		.max = (hi), .standard = (std), .form = (frm), .expected = (words)                 \
	}
#define NULLABLE(sec, key, frm, words)                                                             \
	{                                                                                          \
		.section = #sec, .name = #key, .type = HD_KEY_TEXT, .live = LIVE,                  \
		.nullable = true, .offset = IN(sec, key), .standard = "null", .form = (frm),       \
		.expected = (words)                                                                \
	}
#define CODE(key, std)                                                                             \
	TEXT(codes, key, IN(codes, key), std, LIVE, hd_form_code_or_none,                          \
	     CODE_WORDS ", or nothing for none")
#define CHOICE(sec, key, kind, place, bytes, std, when, list)                                      \
	{                                                                                          \
		.section = #sec, .name = #key, .type = (kind), .live = (when), .offset = (place),  \
		.size = (bytes), .standard = (std), .choices = (list),                             \
		.n_choices = sizeof(list) / sizeof((list)[0])                                      \
	}

static const struct hd_choice algorithms[] = {
	{ "SHA-256", HD_ALGORITHM_SHA256 },
	{ "MD5", HD_ALGORITHM_MD5 },
};
static const struct hd_choice occupied[] = { { "replace", 0 }, { "refuse", 1 } };
static const struct hd_choice transports[] = {
	{ "udp", HD_UDP },
	{ "tcp", HD_TCP },
	{ "tls", HD_TLS },
};
static const struct hd_choice identities[] = {
	{ "pai", HD_IDENTITY_PAI },
	{ "from", HD_IDENTITY_FROM },
	{ "both", HD_IDENTITY_BOTH },
};
static const struct hd_choice login_codes[] = {
	{ "toggle", HD_LOGIN_CODE_TOGGLE },
	{ "login", HD_LOGIN_CODE_LOGIN },
};
static const struct hd_choice formats[] = {
	{ "auto", HD_LOG_AUTO },
	{ "stderr", HD_LOG_STDERR },
	{ "journal", HD_LOG_JOURNAL },
};
static const struct hd_choice lists[] = {
	{ "central", HD_LIST_CENTRAL },
	{ "local", HD_LIST_LOCAL },
	{ "off", HD_LIST_OFF },
};
const struct hd_choice hd_log_levels[] = {
	{ "error", HD_LOG_ERROR }, { "warning", HD_LOG_WARNING }, { "notice", HD_LOG_NOTICE },
	{ "info", HD_LOG_INFO },   { "debug", HD_LOG_DEBUG },
};
_Static_assert(sizeof(hd_log_levels) / sizeof(hd_log_levels[0]) == HD_LOG_LEVELS, "levels");

#define DOMAIN_WORDS "a host name, an IPv4 address, or an IPv6 address in []"
#define ALIAS_WORDS DOMAIN_WORDS ", also with :PORT"
#define LISTEN_WORDS "\"udp:ADDRESS:PORT\", \"tcp:...\" or \"tls:...\", an IPv6 address in []"
#define HTTP_WORDS "\"https:ADDRESS:PORT\" or \"http:...\", an IPv6 address in []"
#define URL_WORDS "https://HOST or http://..., also with :PORT and /PATH, up to 256 characters"
#define NETWORK_WORDS "a network such as 10.0.0.0/8 or 2001:db8::/32, no bits set behind the prefix"
#define NUMBER_WORDS "a number of 1 to 32 of 0-9 A-Z a-z . _ - * #"
#define SERVER_WORDS "an IPv4 address, or an IPv6 address in [], also with :PORT"
#define PHRASE_WORDS                                                                               \
	"1 to 128 bytes of text, in which {label}, {user}, {owner} and {number} are filled in"
#define PREFIX_WORDS "1 to 8 digits, * and #"
#define DESTINATION_WORDS                                                                          \
	"a number, the id of a phone or sip:USER@PEER, at most once with {number} in it"
#define RULE_WORDS(what) "\"" what "\" of up to 1000 bytes, in quotes"
#define CLASS_WORDS "the name of a class of service: 1 to 32 of a-z 0-9 - _, a letter first"
#define CODE_WORDS "1 to 16 of the keys 0-9 A-D * #"

const struct hd_key_info hd_keys[] = {
	TEXT(sip, domain, IN(sip, domain), "hotdesk.local", FIXED, hd_form_host, DOMAIN_WORDS),
	{ .section = "sip",
	  .name = "realm",
	  .type = HD_KEY_TEXT,
	  .nullable = true,
	  .offset = IN(sip, realm),
	  .standard = "null",
	  .form = hd_form_realm,
	  .expected = "1 to 128 bytes of text without \" and \\" },
	LIST(sip, aliases, IN(sip, aliases), IN(sip, n_aliases), 0, 64, "[]", LIVE, hd_form_alias,
	     ALIAS_WORDS),
	LIST(sip, listen, RAW(listen), RAW(n_listen), 1, 32,
	     "[\"udp:0.0.0.0:5060\", \"tcp:0.0.0.0:5060\"]", FIXED, hd_form_listen, LISTEN_WORDS),
	PATH(sip, tls_certificate, IN(sip, tls_certificate), "null", true, LIVE),
	PATH(sip, tls_key, IN(sip, tls_key), "null", true, LIVE),
	PATH(sip, tls_ca, IN(sip, tls_ca), "null", true, LIVE),
	NUMBER(sip, source_rate, 0, 1000000, "200", LIVE),
	NUMBER(sip, source_burst, 0, 1000000, "400", LIVE),
	NUMBER(sip, emergency_rate, 1, 1000000, "20", LIVE),
	NUMBER(sip, emergency_burst, 1, 1000000, "60", LIVE),
	LIST(sip, source_exempt, IN(sip, source_exempt), IN(sip, n_source_exempt), 0, 64,
	     "[127.0.0.0/8, \"::1/128\"]", LIVE, hd_form_network, NETWORK_WORDS),
	LIST(sip, trusted, IN(sip, trusted), IN(sip, n_trusted), 0, 64, "[]", LIVE, hd_form_network,
	     NETWORK_WORDS),
	CHOICE(sip, identity, HD_KEY_CHOICE, IN(sip, identity), sizeof(enum hd_conf_identity),
	       "pai", LIVE, identities),
	NUMBER(sip, transactions_max, 1, 1000000, "10000", LIVE),
	NUMBER(sip, transactions_kept_max, 1, 10000000, "50000", LIVE),
	NUMBER(sip, retry_after_min_s, 1, 3600, "5", LIVE),
	NUMBER(sip, retry_after_max_s, 1, 3600, "30", LIVE),
	NUMBER(sip, connections_max, 1, 1000000, "4096", LIVE),
	NUMBER(sip, connections_per_source, 1, 1000000, "256", LIVE),
	NUMBER(sip, message_max_bytes, 2048, 1048576, "65536", FIXED),
	NUMBER(sip, header_max, 16, 1024, "128", LIVE),
	NUMBER(sip, udp_max_bytes, 500, 65535, "1300", LIVE),
	NUMBER(sip, udp_receive_bytes, 4096, 1073741824, "8388608", FIXED),
	NUMBER(sip, send_queue_max, 16, 1000000, "1000", FIXED),
	NUMBER(sip, max_forwards, 1, 255, "70", LIVE),
	NUMBER(sip, max_breadth, 1, 1000000, "60", LIVE),
	NUMBER(sip, first_message_s, 1, 3600, "10", LIVE),
	NUMBER(sip, half_message_s, 1, 3600, "5", LIVE),
	NUMBER(sip, idle_s, 1, 7 * DAY_S, "7200", FIXED),
	NUMBER(sip, tcp_keepalive_s, 1, 7200, "60", LIVE),
	NUMBER(sip, tcp_timeout_s, 1, 3600, "30", LIVE),
	NUMBER(sip, timer_c_s, 1, DAY_S, "185", LIVE),
	NUMBER(sip, call_max_s, 1, 7 * DAY_S, "43200", LIVE),
	NUMBER(sip, t1_ms, 10, 10000, "500", FIXED),
	NUMBER(sip, t2_ms, 10, 60000, "4000", FIXED),
	NUMBER(sip, t4_ms, 10, 60000, "5000", FIXED),
	LIST(sip, dns_servers, IN(sip, dns_servers), IN(sip, n_dns_servers), 0, 8, "[]", FIXED,
	     hd_form_server, SERVER_WORDS),
	NUMBER(sip, dns_timeout_ms, 100, 60000, "5000", FIXED),
	NUMBER(sip, dns_lookups_max, 1, 65536, "256", LIVE),
	NUMBER(sip, dns_cache_max, 1, 1000000, "1024", LIVE),
	NUMBER(sip, dns_ttl_max_s, 0, 7 * DAY_S, "3600", LIVE),
	NUMBER(sip, dns_negative_s, 0, DAY_S, "60", LIVE),
	BOOL(sip, sofia_guard, "true", FIXED),
	NUMBER(sip, sofia_log_level, 0, 9, "1", FIXED),

	CHOICE(auth, algorithms, HD_KEY_CHOICES, RAW(algorithms), sizeof(uint32_t),
	       "[SHA-256, MD5]", LIVE, algorithms),
	NUMBER(auth, nonce_s, 1, DAY_S, "300", LIVE),
	NUMBER(auth, nonces_max, 64, 8388608, "16384", FIXED),
	BOOL(auth, without_qop, "true", LIVE),
	LIST(auth, md5_only_agents, IN(auth, md5_only_agents), IN(auth, n_md5_only_agents), 0, 64,
	     "[baresip v1.0.0]", LIVE, hd_form_text, "1 to 128 bytes of text"),

	NUMBER(registrar, expires_min_s, 1, 3600, "60", LIVE),
	NUMBER(registrar, expires_max_s, 1, MONTH_S, "7200", LIVE),
	NUMBER(registrar, expires_default_s, 1, MONTH_S, "3600", LIVE),
	NUMBER(registrar, contacts_max, 1, 8, "1", LIVE),
	BOOL(registrar, soft_refresh, "true", LIVE),
	BOOL(registrar, service_route, "true", LIVE),
	NUMBER(registrar, flow_timer_s, 0, 3600, "120", LIVE),

	NUMBER(events, expires_min_s, 1, 3600, "60", LIVE),
	NUMBER(events, expires_max_s, 1, MONTH_S, "7200", LIVE),
	NUMBER(events, expires_default_s, 1, MONTH_S, "3600", LIVE),
	NUMBER(events, subscriptions_max, 1, 1000000, "20000", LIVE),
	NUMBER(events, phone_max, 1, 10000, "256", LIVE),
	NUMBER(events, notify_rate, 0, 1000, "10", LIVE),

	TEXT(desk, login_code, IN(desk, login_code), "*771", LIVE, hd_form_code, CODE_WORDS),
	TEXT(desk, logout_code, IN(desk, logout_code), "*772", LIVE, hd_form_code, CODE_WORDS),
	TEXT(desk, toggle_code, IN(desk, toggle_code), "*770", LIVE, hd_form_code, CODE_WORDS),
	CHOICE(desk, occupied, HD_KEY_CHOICE, RAW(occupied), sizeof(uint8_t), "replace", LIVE,
	       occupied),
	NUMBER(desk, dialogue_s, 1, 600, "120", LIVE),
	NUMBER(desk, dialogues_max, 1, 1000000, "1000", LIVE),
	NUMBER(desk, lock_after, 1, 1000, "5", LIVE),
	NUMBER(desk, lock_s, 1, MONTH_S, "900", LIVE),
	NUMBER(desk, lock_max_s, 1, MONTH_S, "86400", LIVE),
	NUMBER(desk, hard_lock_after, 1, 1000000, "50", LIVE),
	NUMBER(desk, phone_tries, 1, 1000, "10", LIVE),
	NUMBER(desk, phone_window_s, 1, DAY_S, "600", LIVE),
	NUMBER(desk, phone_lock_s, 1, DAY_S, "600", LIVE),
	NUMBER(desk, unknown_max, 1, 1000000, "10000", LIVE),
	NUMBER(desk, guest_s, 0, MONTH_S, "43200", LIVE),
	NUMBER(desk, resync_retry_s, 1, 3600, "5", LIVE),
	NUMBER(desk, resync_retry_max_s, 1, DAY_S, "300", LIVE),
	NUMBER(desk, resync_fetch_s, 1, 3600, "30", LIVE),
	NUMBER(desk, resync_tries, 1, 1000, "5", LIVE),
	NUMBER(desk, resync_rare_s, 1, DAY_S, "3600", LIVE),
	TEXT(desk, logout, IN(desk, logout), "never", LIVE, hd_form_logout, HD_LOGOUT_WORDS),
	NUMBER(desk, logout_warning_s, 0, 3600, "60", LIVE),
	BOOL(desk, own_name, "false", LIVE),
	NUMBER(desk, own_keys, 0, 120, "20", LIVE),
	NUMBER(desk, audit_max, 1, 10000000, "10000", LIVE),

	CODE(dnd_on, "*78"),
	CODE(dnd_off, "*79"),
	CODE(dnd_toggle, "*76"),
	CODE(forward_always, "*72"),
	CODE(forward_always_off, "*73"),
	CODE(forward_busy, "*90"),
	CODE(forward_busy_off, "*91"),
	CODE(forward_no_answer, "*92"),
	CODE(forward_no_answer_off, "*93"),
	CODE(forward_not_logged_in, "*94"),
	CODE(forward_not_logged_in_off, "*95"),
	CODE(rings, "*96"),
	CODE(pickup, "*8"),
	CODE(speed_dial, "*75"),
	BOOL(codes, pickup_everybody, "false", LIVE),

	PATH(dialogue, prompts, IN(dialogue, prompts), "/usr/share/hotdeskd/prompts", false, LIVE),
	{ .section = "dialogue",
	  .name = "language",
	  .type = HD_KEY_TEXT,
	  .live = LIVE,
	  .nullable = true,
	  .offset = IN(dialogue, language),
	  .standard = "null",
	  .form = hd_form_language,
	  .expected = "a language such as de or pt-BR" },
	NUMBER(dialogue, tries, 1, 100, "3", LIVE),
	NUMBER(dialogue, first_s, 1, 600, "10", LIVE),
	NUMBER(dialogue, digit_s, 1, 60, "5", LIVE),
	NUMBER(dialogue, reminders, 0, 10, "2", LIVE),
	NUMBER(dialogue, number_length, 0, 32, "0", LIVE),
	NUMBER(dialogue, pin_length, 0, 64, "0", LIVE),
	NUMBER(dialogue, per_phone, 1, 100, "2", LIVE),

	{ .section = "media",
	  .name = "address",
	  .type = HD_KEY_TEXT,
	  .live = LIVE,
	  .nullable = true,
	  .offset = IN(media, address),
	  .standard = "null",
	  .form = hd_form_address,
	  .expected = "an IPv4 or IPv6 address" },
	NUMBER(media, port_min, 0, 65534, "16384", LIVE),
	NUMBER(media, port_max, 0, 65535, "20479", LIVE),
	NUMBER(media, silent_s, 0, 3600, "30", LIVE),

	LIST(plan, emergency, IN(plan, emergency), IN(plan, n_emergency), 0, 64,
	     "[\"112\", \"110\", \"911\"]", LIVE, hd_form_number, NUMBER_WORDS),
	NUMBER(plan, ring_s, 1, 30, "5", LIVE),
	NULLABLE(plan, country, hd_form_country, "a country code of 1 to 4 digits, such as 49"),
	NULLABLE(plan, area, hd_form_area, "an area code of 1 to 8 digits"),
	NULLABLE(plan, own, hd_form_e164, "how numbers of this house begin, such as +4930123"),
	NULLABLE(plan, outside, hd_form_prefix, PREFIX_WORDS),
	NULLABLE(plan, national, hd_form_prefix, PREFIX_WORDS),
	NULLABLE(plan, international, hd_form_prefix, PREFIX_WORDS),
	NULLABLE(plan, voicemail, hd_form_destination, DESTINATION_WORDS),
	NULLABLE(plan, fallback, hd_form_destination, DESTINATION_WORDS),

	LIST(rights, lists, IN(rights, lists), IN(rights, n_lists), 0, 256, "[]", LIVE,
	     hd_form_rule, RULE_WORDS("NAME: PATTERN ...")),
	LIST(rights, classes, IN(rights, classes), IN(rights, n_classes), 1, 256,
	     "[\"house: allow emergency internal\", "
	     "\"country: allow emergency internal local national\", "
	     "\"world: allow emergency internal local national international\"]",
	     LIVE, hd_form_rule, RULE_WORDS("NAME: allow ... deny ...")),
	TEXT(rights, users, IN(rights, users), "country", LIVE, hd_form_class, CLASS_WORDS),
	TEXT(rights, free, IN(rights, free), "house", LIVE, hd_form_class, CLASS_WORDS),
	TEXT(rights, closed, IN(rights, closed), "house", LIVE, hd_form_class, CLASS_WORDS),

	LIST(emergency, targets, IN(emergency, targets), IN(emergency, n_targets), 0, 8, "[]", LIVE,
	     hd_form_emergency_target, "a number, the id of a phone, or a SIP URI"),
	NULLABLE(emergency, location_header, hd_form_header, "the name of a header field"),
	NUMBER(emergency, callback_s, 60, 7 * DAY_S, "3600", LIVE),

	NUMBER(pin, length_min, 4, 64, "6", LIVE),
	NUMBER(pin, length_max, 4, 64, "32", LIVE),
	BOOL(pin, trivial, "false", LIVE),
	NUMBER(pin, memory_kib, 8, 1048576, "19456", LIVE),
	NUMBER(pin, passes, 1, 16, "2", LIVE),
	NUMBER(pin, threads, 1, 64, "1", FIXED),
	NUMBER(pin, queue_max, 1, 65536, "64", LIVE),

	PATH(store, path, IN(store, path), "/var/lib/hotdeskd", false, FIXED),
	NUMBER(store, map_mib, 1, 1048576, "1024", FIXED),
	NUMBER(store, map_max_mib, 1, 1048576, "65536", FIXED),
	NUMBER(store, batch_max, 1, 65536, "256", FIXED),
	NUMBER(store, batch_wait_us, 0, 1000000, "10000", FIXED),
	NUMBER(store, soft_delay_ms, 1, 5000, "5000", FIXED),
	NUMBER(store, queue_max, 1, 1000000, "8192", FIXED),

	PATH(directory, seed, RAW(conf.directory_seed), "null", true, FIXED),

	PATH(security, key_file, RAW(conf.key_file), "/var/lib/hotdeskd/master.key", false, FIXED),

	PATH(admin, socket, IN(admin, socket), "/run/hotdeskd/admin.sock", false, FIXED),
	TEXT(admin, socket_mode, RAW(socket_mode), "0660", FIXED, hd_form_mode,
	     "three octal digits, also with a 0 in front"),
	NUMBER(admin, connections_max, 1, 10000, "64", FIXED),
	NUMBER(admin, timeout_s, 1, 3600, "30", FIXED),

	PATH(provision, templates, IN(provision, templates), "null", true, LIVE),
	NULLABLE(provision, server, hd_form_alias, ALIAS_WORDS),
	CHOICE(provision, transport, HD_KEY_CHOICE, IN(provision, transport),
	       sizeof(enum hd_transport), "udp", LIVE, transports),
	TEXT(provision, login_key, IN(provision, login_key), "vendor", LIVE, hd_form_login_key,
	     "vendor, none or a place from 1 to 120"),
	NUMBER(provision, call_list_key, 0, 120, "0", LIVE),
	CHOICE(provision, login_code, HD_KEY_CHOICE, IN(provision, login_code),
	       sizeof(enum hd_login_code), "toggle", LIVE, login_codes),
	BOOL(provision, login_form, "true", LIVE),
	BOOL(provision, hoteling, "false", LIVE),
	BOOL(provision, feature_sync, "true", LIVE),
	TEXT(provision, language, IN(provision, language), "en", LIVE, hd_form_language,
	     "a language such as de or pt-BR"),
	NULLABLE(provision, timezone, hd_form_timezone, "a time zone such as Europe/Berlin"),
	NULLABLE(provision, ntp, hd_form_host, DOMAIN_WORDS),
	NULLABLE(provision, text_login, hd_form_phrase, PHRASE_WORDS),
	NULLABLE(provision, text_logout, hd_form_phrase, PHRASE_WORDS),
	NULLABLE(provision, text_owner, hd_form_phrase, PHRASE_WORDS),
	NULLABLE(provision, text_free, hd_form_phrase, PHRASE_WORDS),
	NULLABLE(provision, text_occupied, hd_form_phrase, PHRASE_WORDS),
	NULLABLE(provision, text_closed, hd_form_phrase, PHRASE_WORDS),
	BOOL(provision, keep_secrets, "false", LIVE),
	LIST(provision, listen, RAW(http_listen), RAW(n_http_listen), 0, 16, "[]", FIXED,
	     hd_form_http_listen, HTTP_WORDS),
	{ .section = "provision",
	  .name = "url",
	  .type = HD_KEY_TEXT,
	  .live = LIVE,
	  .nullable = true,
	  .offset = IN(provision, url),
	  .standard = "null",
	  .form = hd_form_base_url,
	  .expected = URL_WORDS },
	PATH(provision, tls_certificate, IN(provision, tls_certificate), "null", true, LIVE),
	PATH(provision, tls_key, IN(provision, tls_key), "null", true, LIVE),
	PATH(provision, tls_client_ca, IN(provision, tls_client_ca), "null", true, LIVE),
	LIST(provision, plain_networks, IN(provision, plain_networks),
	     IN(provision, n_plain_networks), 0, 64, "[]", LIVE, hd_form_network, NETWORK_WORDS),
	BOOL(provision, digest, "true", LIVE),
	BOOL(provision, pnp, "false", LIVE),
	LIST(provision, pnp_interfaces, IN(provision, pnp_interfaces),
	     IN(provision, n_pnp_interfaces), 0, 32, "[]", LIVE, hd_form_interface,
	     "the name of a network interface, such as eth0"),
	LIST(provision, pnp_token_networks, IN(provision, pnp_token_networks),
	     IN(provision, n_pnp_token_networks), 0, 64, "[]", LIVE, hd_form_network,
	     NETWORK_WORDS),
	NUMBER(provision, source_rate, 0, 1000000, "50", LIVE),
	NUMBER(provision, source_burst, 0, 1000000, "200", LIVE),
	LIST(provision, source_exempt, IN(provision, source_exempt), IN(provision, n_source_exempt),
	     0, 64, "[127.0.0.0/8, \"::1/128\"]", LIVE, hd_form_network, NETWORK_WORDS),
	NUMBER(provision, failures_max, 0, 1000000, "20", LIVE),
	NUMBER(provision, failures_window_s, 1, DAY_S, "600", LIVE),
	NUMBER(provision, connections_max, 1, 100000, "1024", LIVE),
	NUMBER(provision, connections_per_source, 1, 100000, "64", LIVE),
	NUMBER(provision, timeout_s, 1, 3600, "20", LIVE),

	BOOL(calls, record, "true", LIVE),
	NUMBER(calls, keep_days, 1, 36500, "90", LIVE),
	NUMBER(calls, keep_max, 1, 1000000, "1000", LIVE),
	CHOICE(calls, list, HD_KEY_CHOICE, IN(calls, list), sizeof(enum hd_list_mode), "central",
	       LIVE, lists),
	LIST(calls, group_lists, IN(calls, group_lists), IN(calls, n_group_lists), 0,
	     HD_LIST_GROUPS_MAX, "[]", LIVE, hd_form_group_list,
	     "a group and its list, such as sales=local; central, local or off"),
	NUMBER(calls, shown, 1, 1000, "50", LIVE),
	BOOL(calls, missed_on_phones, "true", LIVE),
	BOOL(calls, clear_phones, "true", LIVE),

	LIST(upstream, peers, IN(upstream, peers), IN(upstream, n_peers), 0, HD_PEERS_MAX, "[]",
	     LIVE, hd_form_line, "NAME sip:HOST and then KEY=VALUE, 1 to 1024 bytes"),
	NUMBER(upstream, answer_ms, 100, 32000, "4000", LIVE),
	NUMBER(upstream, register_rate, 1, 10000, "50", LIVE),
	NUMBER(upstream, register_max, 1, 10000, "100", LIVE),
	NUMBER(upstream, sent_back_max, 1, 10000, "20", LIVE),
	NUMBER(upstream, retry_s, 1, 3600, "30", LIVE),
	NUMBER(upstream, retry_max_s, 1, DAY_S, "1800", LIVE),
	PATH(upstream, tls_ca, IN(upstream, tls_ca), "null", true, LIVE),

	CHOICE(log, format, HD_KEY_CHOICE, IN(log, format), sizeof(enum hd_log_format), "auto",
	       LIVE, formats),
	CHOICE(log, level, HD_KEY_CHOICE, IN(log, level), sizeof(enum hd_log_level), "info", LIVE,
	       hd_log_levels),
	{ .section = "log",
	  .name = "subsystems",
	  .type = HD_KEY_LEVELS,
	  .live = LIVE,
	  .offset = IN(log, subsystems),
	  .count_offset = IN(log, n_subsystems),
	  .size = sizeof(struct hd_conf_log_level),
	  .max = 32,
	  .standard = "[]",
	  .form = hd_form_subsystem,
	  .expected = "the name of a subsystem such as registrar" },

	PATH(run, status_file, RAW(conf.status_file), "null", true, FIXED),
	{ .section = "run",
	  .name = "drain_s",
	  .type = HD_KEY_NUMBER,
	  .live = LIVE,
	  .offset = RAW(conf.drain_s),
	  .size = sizeof(uint32_t),
	  .max = 600,
	  .standard = "5" },
};

const size_t hd_n_keys = sizeof(hd_keys) / sizeof(hd_keys[0]);
_Static_assert(sizeof(hd_keys) / sizeof(hd_keys[0]) <= HD_KEYS_MAX, "HD_KEYS_MAX");

const char *const hd_sections[] = { "sip",	 "auth",      "registrar", "events",	"desk",
				    "codes",	 "dialogue",  "media",	   "plan",	"rights",
				    "emergency", "pin",	      "store",	   "directory", "security",
				    "admin",	 "provision", "calls",	   "upstream",	"log",
				    "run" };
const size_t hd_n_sections = sizeof(hd_sections) / sizeof(hd_sections[0]);
_Static_assert(sizeof(hd_sections) / sizeof(hd_sections[0]) <= HD_SECTIONS_MAX, "HD_SECTIONS_MAX");

void hd_section_keys(const char *section, size_t *firstp, size_t *np)
{
	size_t i = 0, n = 0;
	struct hd_slice name = hd_slice_of(section);

	while (i < hd_n_keys && !hd_slice_is(name, hd_keys[i].section))
		i++;
	while (i + n < hd_n_keys && n < HD_SECTION_KEYS_MAX &&
	       hd_slice_is(name, hd_keys[i + n].section))
		n++;
	*firstp = i;
	*np = n;
}

void hd_conf_keys(struct hd_buf *out)
{
	for (size_t i = 0; i < hd_n_keys; i++)
		hd_buf_addf(out, "%s.%s\n", hd_keys[i].section, hd_keys[i].name);
}
