/* form.c - what single values must look like. */
#include "conf_priv.h"
#include "hotdesk/base/list_mode.h"
#include "hotdesk/base/logout.h"

#include <arpa/inet.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/base/uri.h"

enum { TEXT_MAX = 128, RULE_MAX = 1000, PATH_LEN_MAX = 1023, HOST_MAX = 253, LABEL_MAX = 63 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 1..max bytes, each alphanumeric or one of more. */
static bool consists_of(struct hd_slice s, size_t max, const char *more)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_alnum(s.ptr[i]) && (s.ptr[i] == '\0' || !strchr(more, s.ptr[i])))
			return false;
	}
	return s.len > 0 && s.len <= max;
}

bool hd_form_text(struct hd_slice s)
{
	return s.len > 0 && s.len <= TEXT_MAX && hd_utf8_is_text(s);
}

bool hd_form_path(struct hd_slice s)
{
	return s.len > 0 && s.len <= PATH_LEN_MAX && hd_utf8_is_text(s);
}

bool hd_form_realm(struct hd_slice s)
{
	return hd_form_text(s) && !memchr(s.ptr, '"', s.len) && !memchr(s.ptr, '\\', s.len);
}

/* ---- addresses ------------------------------------------------------------------------------- */

static bool is_address(int family, struct hd_slice s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	return !hd_str_copy(text, sizeof(text), s) && inet_pton(family, text, &addr) == 1;
}

/* RFC 3261 section 25: labels of alphanumerics and '-', the last one beginning with a letter. */
static bool is_host_name(struct hd_slice s)
{
	size_t label = 0;

	if (s.len == 0 || s.len > HOST_MAX || s.ptr[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i <= s.len; i++) {
		char c = i < s.len ? s.ptr[i] : '.';

		if (c == '.') {
			if (label == 0 || label > LABEL_MAX || s.ptr[i - 1] == '-')
				return false;
			if (i == s.len)
				return !is_digit(s.ptr[i - label]);
			label = 0;
		} else if (is_alnum(c) || (c == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
	}
	return false;
}

static bool is_bracketed(struct hd_slice s)
{
	return s.len > 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']' &&
	       is_address(AF_INET6, (struct hd_slice){ s.ptr + 1, s.len - 2 });
}

bool hd_form_host(struct hd_slice s)
{
	return is_address(AF_INET, s) || is_bracketed(s) || is_host_name(s);
}

static int port_parse(uint16_t *portp, struct hd_slice s)
{
	uint64_t port = 0;
	int err = s.len <= 5 ? hd_u64_parse(&port, s, UINT16_MAX) : HD_EPARSE;

	if (!err)
		*portp = (uint16_t)port;
	return err;
}

/* Cuts at the last colon. */
static bool split_port(struct hd_slice s, struct hd_slice *host, struct hd_slice *port)
{
	for (size_t i = s.len; i-- > 0;) {
		if (s.ptr[i] == ':') {
			*host = (struct hd_slice){ s.ptr, i };
			*port = (struct hd_slice){ s.ptr + i + 1, s.len - i - 1 };
			return true;
		}
	}
	return false;
}

bool hd_form_line(struct hd_slice s)
{
	return s.len > 0 && s.len <= 1024 && hd_utf8_is_text(s);
}

bool hd_form_alias(struct hd_slice s)
{
	struct hd_slice host, port;
	uint16_t number;

	return hd_form_host(s) || (split_port(s, &host, &port) && hd_form_host(host) &&
				   !port_parse(&number, port) && number > 0);
}

bool hd_form_server(struct hd_slice s)
{
	struct hd_slice host, port;
	uint16_t number;

	return is_address(AF_INET, s) || is_bracketed(s) ||
	       (split_port(s, &host, &port) && (is_address(AF_INET, host) || is_bracketed(host)) &&
		!port_parse(&number, port) && number > 0);
}

int hd_listen_parse(struct hd_listen *listen, struct hd_slice s)
{
	static const char *const names[] = {
		[HD_UDP] = "udp:",   [HD_TCP] = "tcp:",	    [HD_TLS] = "tls:",
		[HD_HTTP] = "http:", [HD_HTTPS] = "https:",
	};
	struct hd_slice host, port;
	size_t n;

	memset(listen, 0, sizeof(*listen));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = strlen(names[i]);
		if (s.len < n || memcmp(s.ptr, names[i], n) != 0)
			continue;
		listen->transport = (enum hd_transport)i;
		if (!split_port((struct hd_slice){ s.ptr + n, s.len - n }, &host, &port) ||
		    port_parse(&listen->port, port))
			return HD_EPARSE;
		if (is_bracketed(host))
			host = (struct hd_slice){ host.ptr + 1, host.len - 2 };
		else if (!is_address(AF_INET, host))
			return HD_EPARSE;
		return hd_str_copy(listen->host, sizeof(listen->host), host);
	}
	return HD_EPARSE;
}

bool hd_form_listen(struct hd_slice s)
{
	struct hd_listen listen;

	return hd_listen_parse(&listen, s) == 0 && listen.transport <= HD_TLS;
}

bool hd_form_http_listen(struct hd_slice s)
{
	struct hd_listen listen;

	return hd_listen_parse(&listen, s) == 0 && listen.transport >= HD_HTTP;
}

/* Without user, query and fragment: a token and a file name are added to it. */
bool hd_form_base_url(struct hd_slice s)
{
	size_t n = s.len > 8 && memcmp(s.ptr, "https://", 8) == 0  ? 8
		   : s.len > 7 && memcmp(s.ptr, "http://", 7) == 0 ? 7
								   : 0;
	struct hd_slice host;
	const char *slash;

	if (n == 0 || s.len > 256)
		return false;
	host = (struct hd_slice){ s.ptr + n, s.len - n };
	slash = memchr(host.ptr, '/', host.len);
	if (slash)
		host.len = (size_t)(slash - host.ptr);
	if (!hd_form_alias(host))
		return false;
	for (size_t i = n + host.len; i < s.len; i++)
		if (s.ptr[i] <= 0x20 || s.ptr[i] > 0x7e || strchr("?#%\\\"<>&'", s.ptr[i]) ||
		    (s.ptr[i] == '/' && s.ptr[i - 1] == '/'))
			return false;
	return true;
}

bool hd_form_interface(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '/')
			return false;
	return s.len > 0 && s.len < 16;
}

bool hd_form_network(struct hd_slice s)
{
	const char *slash = s.len ? memchr(s.ptr, '/', s.len) : NULL;
	unsigned char addr[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];
	size_t size = sizeof(struct in_addr);
	struct hd_slice host;
	uint64_t prefix;

	if (!slash)
		return false;
	host = (struct hd_slice){ s.ptr, (size_t)(slash - s.ptr) };
	if (hd_u64_parse(&prefix, (struct hd_slice){ slash + 1, s.len - host.len - 1 }, 128) ||
	    hd_str_copy(text, sizeof(text), host))
		return false;
	if (inet_pton(AF_INET, text, addr) != 1) {
		if (inet_pton(AF_INET6, text, addr) != 1)
			return false;
		size = sizeof(struct in6_addr);
	}
	if (prefix > size * 8)
		return false;
	/* Bits behind the prefix are a mistake: 10.0.0.5/8 was meant to be one of two things. */
	for (size_t bit = (size_t)prefix; bit < size * 8; bit++) {
		if (addr[bit / 8] & (0x80 >> bit % 8))
			return false;
	}
	return true;
}

/* ---- words ----------------------------------------------------------------------------------- */

bool hd_form_code(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!is_digit(c) && !(c >= 'A' && c <= 'D') && c != '*' && c != '#')
			return false;
	}
	return s.len > 0 && s.len <= 16;
}

bool hd_form_code_or_none(struct hd_slice s)
{
	return s.len == 0 || hd_form_code(s);
}

bool hd_form_mode(struct hd_slice s)
{
	size_t i = s.len == 4 && s.ptr[0] == '0' ? 1 : 0;

	if (s.len - i != 3)
		return false;
	for (; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '7')
			return false;
	}
	return true;
}

bool hd_form_login_key(struct hd_slice s)
{
	return hd_slice_is(s, "vendor") || hd_slice_is(s, "none") || hd_form_place(s);
}

bool hd_form_timezone(struct hd_slice s)
{
	return consists_of(s, 64, "_+-/") && s.ptr[0] != '/';
}

bool hd_form_phrase(struct hd_slice s)
{
	static const char *const names[] = { "{label}", "{user}", "{owner}", "{number}" };
	size_t known;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '{')
			continue;
		for (known = 0; known < sizeof(names) / sizeof(names[0]); known++)
			if (s.len - i >= strlen(names[known]) &&
			    memcmp(s.ptr + i, names[known], strlen(names[known])) == 0)
				break;
		if (known == sizeof(names) / sizeof(names[0]))
			return false;
	}
	return hd_form_text(s);
}

bool hd_form_subsystem(struct hd_slice s)
{
	return consists_of(s, 31, "_-");
}

bool hd_form_number(struct hd_slice s)
{
	return consists_of(s, 32, "._-*#");
}

bool hd_form_phone_id(struct hd_slice s)
{
	return consists_of(s, 64, "._-*#");
}

bool hd_form_pin(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.ptr[i]))
			return false;
	}
	return s.len > 0 && s.len <= 64;
}

bool hd_form_secret(struct hd_slice s)
{
	return hd_form_text(s);
}

bool hd_form_language(struct hd_slice s)
{
	return consists_of(s, 8, "-");
}

/* ---- numbers, classes of service, emergency calls -------------------------------------------- */

bool hd_form_class(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')
			return false;
	return consists_of(s, 32, "-_") && s.ptr[0] >= 'a';
}

bool hd_form_rule(struct hd_slice s)
{
	return s.len > 0 && s.len <= RULE_MAX && hd_utf8_is_text(s);
}

static bool is_of(struct hd_slice s, size_t max, const char *chars)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\0' || !strchr(chars, s.ptr[i]))
			return false;
	return s.len > 0 && s.len <= max;
}

bool hd_form_prefix(struct hd_slice s)
{
	return is_of(s, 8, "0123456789*#");
}

bool hd_form_area(struct hd_slice s)
{
	return is_of(s, 8, "0123456789");
}

bool hd_form_country(struct hd_slice s)
{
	return is_of(s, 4, "0123456789") && s.ptr[0] != '0';
}

bool hd_form_e164(struct hd_slice s)
{
	return s.len > 0 && s.ptr[0] == '+' &&
	       is_of((struct hd_slice){ s.ptr + 1, s.len - 1 }, 15, "0123456789");
}

bool hd_form_header(struct hd_slice s)
{
	return consists_of(s, 40, "-") && !is_digit(s.ptr[0]);
}

bool hd_form_emergency_target(struct hd_slice s)
{
	struct hd_uri uri;

	if (hd_form_phone_id(s))
		return true;
	return s.len <= 256 && !hd_uri_parse(&uri, s) && uri.scheme <= HD_URI_SIPS &&
	       uri.host.len > 0;
}

bool hd_form_logout(struct hd_slice s)
{
	struct hd_logout_rule rule;

	return s.len > 0 && s.len < HD_LOGOUT_SIZE && !hd_logout_rule_parse(&rule, s);
}

bool hd_form_list_mode(struct hd_slice s)
{
	enum hd_list_mode mode;

	return s.len > 0 && !hd_list_mode_parse(&mode, s);
}

bool hd_form_group_list(struct hd_slice s)
{
	struct hd_list_policy policy = { 0 };

	return !hd_list_policy_add(&policy, s);
}

bool hd_form_address(struct hd_slice s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	return !hd_str_copy(text, sizeof(text), s) && (inet_pton(AF_INET, text, &address) == 1 ||
						       inet_pton(AF_INET6, text, &address) == 1);
}

bool hd_form_mac(struct hd_slice s)
{
	char digits[12];
	uint8_t bytes[6];
	char between = s.len == 17 ? s.ptr[2] : '\0';

	if (s.len == 12)
		return !hd_hex_parse(bytes, sizeof(bytes), s);
	if (between != ':' && between != '-')
		return false;
	for (size_t i = 0, n = 0; i < s.len; i++) {
		if (i % 3 == 2 && s.ptr[i] != between)
			return false;
		if (i % 3 != 2)
			digits[n++] = s.ptr[i];
	}
	return !hd_hex_parse(bytes, sizeof(bytes), (struct hd_slice){ digits, sizeof(digits) });
}

bool hd_form_model(struct hd_slice s)
{
	return consists_of(s, 64, "._- +/");
}

bool hd_form_place(struct hd_slice s)
{
	uint64_t place = 0;

	return !hd_u64_parse(&place, s, 120) && place > 0;
}

bool hd_form_key_type(struct hd_slice s)
{
	static const char *const types[] = { "speed-dial", "blf", "line", "url", "call-list" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (hd_slice_is(s, types[i]))
			return true;
	return false;
}

bool hd_form_label(struct hd_slice s)
{
	return s.len > 0 && s.len <= 64 && hd_utf8_is_text(s);
}

bool hd_form_target(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || strchr("<>\"'`\\", s.ptr[i]))
			return false;
	return s.len > 0 && s.len <= 256;
}

int hd_bool_parse(bool *vp, struct hd_slice s)
{
	static const char *const yes[] = { "true", "yes", "on" }, *const no[] = { "false", "no",
										  "off" };

	for (size_t i = 0; i < 3; i++) {
		*vp = hd_slice_is(s, yes[i]);
		if (*vp || hd_slice_is(s, no[i]))
			return 0;
	}
	return HD_EPARSE;
}
