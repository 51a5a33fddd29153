/* peer.c - see hotdesk/base/peer.h. */
#include <string.h>

#include "hotdesk/base/peer.h"
#include "hotdesk/base/uri.h"

static const char *const modes[] = { "trust", "register", "user" };
static const char *const forms[] = { "e164", "plain", "national", "dialled" };
enum { N_MODES = sizeof(modes) / sizeof(modes[0]), N_FORMS = sizeof(forms) / sizeof(forms[0]) };

const char *hd_peer_mode_name(enum hd_peer_mode mode)
{
	return modes[mode];
}

/* Up to a separator; what follows it stays in *rest. @return false at the end */
static bool next_part(struct hd_slice *part, struct hd_slice *rest, char separator)
{
	size_t n = 0;

	while (separator == ' ' && rest->len && *rest->ptr == ' ') {
		rest->ptr++;
		rest->len--;
	}
	if (!rest->len)
		return false;
	while (n < rest->len && rest->ptr[n] != separator)
		n++;
	*part = (struct hd_slice){ rest->ptr, n };
	rest->ptr += n;
	rest->len -= n;
	if (rest->len) {
		rest->ptr++;
		rest->len--;
	}
	return true;
}

static bool is_name(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			    s.ptr[i]))
			return false;
	return s.len > 0 && s.len < HD_PEER_NAME_SIZE;
}

static int find(const char *const *names, size_t n, struct hd_slice value)
{
	for (size_t i = 0; i < n; i++)
		if (hd_slice_is(value, names[i]))
			return (int)i;
	return -1;
}

/* Where the user part goes: behind the scheme. */
static size_t scheme_len(const char *uri)
{
	return (size_t)(strchr(uri, ':') - uri) + 1;
}

static const char *take_uri(struct hd_peer *peer, struct hd_slice text)
{
	struct hd_slice transport;
	struct hd_uri uri;

	if (hd_str_copy(peer->uri, sizeof(peer->uri), text) || hd_uri_parse(&uri, text) ||
	    uri.scheme > HD_URI_SIPS || !uri.host.len || uri.user.len || uri.headers.len ||
	    !hd_uri_port(&uri))
		return "URI: expected sip:HOST or sips:HOST, also with :PORT and ;transport=";
	if (hd_uri_param(&uri, "transport", &transport) && !hd_slice_caseis(transport, "udp") &&
	    !hd_slice_caseis(transport, "tcp") && !hd_slice_caseis(transport, "tls"))
		return "URI: expected the transport udp, tcp or tls";
	return NULL;
}

static const char *take_networks(struct hd_networks *nets, struct hd_slice list)
{
	struct hd_slice part;
	char text[64];

	while (next_part(&part, &list, ','))
		if (nets->n == HD_NETWORKS_MAX || hd_str_copy(text, sizeof(text), part) ||
		    hd_network_parse(&nets->nets[nets->n++], text))
			return "from: expected up to 64 addresses or networks, commas between them";
	return NULL;
}

static bool is_domain(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.",
			    s.ptr[i]))
			return false;
	return s.len > 0 && s.len < HD_PEER_DOMAIN_SIZE;
}

static const char *take_certificates(struct hd_peer *peer, struct hd_slice list)
{
	struct hd_slice part;

	while (next_part(&part, &list, ','))
		if (peer->n_certificates == HD_PEER_CERTIFICATES_MAX || !is_domain(part) ||
		    hd_str_copy(peer->certificates[peer->n_certificates++], HD_PEER_DOMAIN_SIZE,
				part))
			return "certificate: expected up to 4 domains, commas between them";
	return NULL;
}

static bool is_pattern(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.ptr[i];

		if (!strchr("0123456789*#X", c) && !(c == '+' && i == 0) &&
		    !(c == '~' && i + 1 == s.len))
			return false;
	}
	return s.len > 0 && s.len < HD_PEER_PATTERN_SIZE;
}

static bool is_prefix(struct hd_slice s)
{
	return is_pattern(s) && !memchr(s.ptr, 'X', s.len) && !memchr(s.ptr, '~', s.len);
}

static const char *take_routes(struct hd_peer *peer, struct hd_slice list)
{
	struct hd_slice part;

	while (next_part(&part, &list, ','))
		if (peer->n_routes == HD_PEER_ROUTES_MAX || !is_pattern(part) ||
		    hd_str_copy(peer->routes[peer->n_routes++], HD_PEER_PATTERN_SIZE, part))
			return "routes: expected up to 32 patterns of 0-9 * # X, a + in front, a ~ "
			       "at the end";
	return NULL;
}

static const char *take_strips(struct hd_peer *peer, struct hd_slice list)
{
	struct hd_slice part;

	while (next_part(&part, &list, ','))
		if (peer->n_strips == HD_PEER_STRIPS_MAX || !is_prefix(part) ||
		    hd_str_copy(peer->strips[peer->n_strips++], HD_PEER_PATTERN_SIZE, part))
			return "strip: expected up to 8 beginnings of numbers";
	return NULL;
}

static const char *take_number(uint32_t *np, struct hd_slice value, uint32_t min, uint32_t max,
			       const char *why)
{
	uint64_t n;

	if (hd_u64_parse(&n, value, max) || n < min)
		return why;
	*np = (uint32_t)n;
	return NULL;
}

static const char *take(struct hd_peer *peer, struct hd_slice key, struct hd_slice value)
{
	int i;

	if (hd_slice_is(key, "mode")) {
		i = find(modes, N_MODES, value);
		peer->mode = i < 0 ? HD_PEER_TRUST : (enum hd_peer_mode)i;
		return i < 0 ? "mode: expected trust, register or user" : NULL;
	}
	if (hd_slice_is(key, "form")) {
		i = find(forms, N_FORMS, value);
		return i < 0 || hd_str_set(peer->form, sizeof(peer->form), forms[i])
			       ? "form: expected e164, plain, national or dialled"
			       : NULL;
	}
	if (hd_slice_is(key, "from"))
		return take_networks(&peer->from, value);
	if (hd_slice_is(key, "certificate"))
		return take_certificates(peer, value);
	if (hd_slice_is(key, "routes"))
		return take_routes(peer, value);
	if (hd_slice_is(key, "strip"))
		return take_strips(peer, value);
	if (hd_slice_is(key, "order"))
		return take_number(&peer->order, value, 0, 65535, "order: expected 0 to 65535");
	if (hd_slice_is(key, "expires"))
		return take_number(&peer->expires_s, value, 60, 86400,
				   "expires: expected 60 to 86400 seconds");
	if (hd_slice_is(key, "probe"))
		return take_number(&peer->probe_s, value, 0, 3600,
				   "probe: expected 0 to 3600 seconds");
	return "unknown key, expected mode, from, certificate, routes, form, strip, order, expires "
	       "or probe";
}

static const char *parse(struct hd_peer *peer, struct hd_slice line)
{
	struct hd_slice part, key;
	const char *why = NULL;

	memset(peer, 0, sizeof(*peer));
	memcpy(peer->form, "e164", sizeof("e164"));
	peer->expires_s = 3600;
	peer->probe_s = 30;
	if (!next_part(&part, &line, ' ') || !is_name(part) ||
	    hd_str_copy(peer->name, sizeof(peer->name), part))
		return "name: expected 1 to 32 of a-z A-Z 0-9 . _ -";
	if (!next_part(&part, &line, ' '))
		return "URI: expected sip:HOST or sips:HOST behind the name";
	why = take_uri(peer, part);
	while (!why && next_part(&part, &line, ' ')) {
		key = (struct hd_slice){ part.ptr, 0 };
		while (key.len < part.len && part.ptr[key.len] != '=')
			key.len++;
		if (key.len + 1 >= part.len)
			return "expected KEY=VALUE";
		part.ptr += key.len + 1;
		part.len -= key.len + 1;
		why = take(peer, key, part);
	}
	return why;
}

int hd_peer_parse(struct hd_peer *peer, struct hd_slice line, const char **whyp)
{
	const char *why = parse(peer, line);

	if (whyp)
		*whyp = why;
	return why ? HD_EPARSE : 0;
}

void hd_peer_uri(struct hd_buf *out, const struct hd_peer *peer, const char *user)
{
	size_t n = scheme_len(peer->uri);

	hd_buf_add(out, (struct hd_slice){ peer->uri, n });
	hd_uri_escape_user(out, hd_slice_of(user));
	hd_buf_addf(out, "@%s", peer->uri + n);
}

struct hd_slice hd_peer_domain(const struct hd_peer *peer)
{
	const char *host = peer->uri + scheme_len(peer->uri);

	return (struct hd_slice){ host, strcspn(host, ";?") };
}
