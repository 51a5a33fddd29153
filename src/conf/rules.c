/* rules.c - everything that can be wrong between keys of hotdeskd.yaml. */
#include "conf_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "hotdesk/base/peer.h"

struct ctx {
	const struct hd_checked *checked;
	const char *folder;
	struct hd_report *report;
};

/* One key with its value, of the file or by default. */
struct value {
	const struct hd_key_info *key;
	const struct hd_node *node; /* NULL: absent */
	struct hd_slice text;	    /* of a single value; {NULL, 0} for null */
	bool usable;
};

static struct value value_of(const struct ctx *ctx, const char *section, const char *name)
{
	struct value v = { 0 };
	size_t first, n;

	hd_section_keys(section, &first, &n);
	for (size_t i = first; i < first + n; i++) {
		uint32_t index = ctx->checked->node[i];

		if (strcmp(hd_keys[i].name, name) != 0)
			continue;
		v.key = &hd_keys[i];
		v.usable = !ctx->checked->bad[i];
		v.text = hd_slice_of(v.key->standard);
		if (index) {
			v.node = &ctx->checked->tree->nodes[index];
			v.text = v.node->value;
		}
		if (v.node ? hd_node_is_null(v.node)
			   : v.key->nullable && hd_slice_is(v.text, "null"))
			v.text = (struct hd_slice){ NULL, 0 };
		break;
	}
	return v;
}

static unsigned line_of(const struct value *a, const struct value *b)
{
	return a->node ? a->node->line : b->node ? b->node->line : 1;
}

/* ---- numbers in order ------------------------------------------------------------------------ */

static const struct order {
	const char *section, *low, *high;
} orders[] = {
	{ "sip", "t1_ms", "t2_ms" },
	{ "sip", "connections_per_source", "connections_max" },
	{ "sip", "retry_after_min_s", "retry_after_max_s" },
	{ "registrar", "expires_min_s", "expires_max_s" },
	{ "registrar", "expires_min_s", "expires_default_s" },
	{ "registrar", "expires_default_s", "expires_max_s" },
	{ "desk", "lock_s", "lock_max_s" },
	{ "desk", "lock_after", "hard_lock_after" },
	{ "desk", "resync_retry_s", "resync_retry_max_s" },
	{ "media", "port_min", "port_max" },
	{ "provision", "connections_per_source", "connections_max" },
	{ "pin", "length_min", "length_max" },
	{ "upstream", "retry_s", "retry_max_s" },
	{ "store", "map_mib", "map_max_mib" },
	{ "store", "batch_max", "queue_max" },
};

static void check_order(const struct ctx *ctx, const struct order *order)
{
	struct value low = value_of(ctx, order->section, order->low);
	struct value high = value_of(ctx, order->section, order->high);
	uint64_t l = 0, h = 0;

	if (!low.usable || !high.usable || hd_u64_parse(&l, low.text, UINT32_MAX) ||
	    hd_u64_parse(&h, high.text, UINT32_MAX) || l <= h)
		return;
	hd_report_add(ctx->report, line_of(&low, &high),
		      "%s.%s: %llu%s is over %s.%s, expected at most its %llu%s", order->section,
		      order->low, (unsigned long long)l, low.node ? "" : " (the default)",
		      order->section, order->high, (unsigned long long)h,
		      high.node ? "" : " (the default)");
}

static void check_burst(const struct ctx *ctx, const char *section)
{
	struct value rate = value_of(ctx, section, "source_rate");
	struct value burst = value_of(ctx, section, "source_burst");

	if (rate.usable && burst.usable && hd_slice_is(burst.text, "0") &&
	    !hd_slice_is(rate.text, "0"))
		hd_report_add(ctx->report, line_of(&burst, &rate),
			      "%s.source_burst: 0 would refuse every request, expected 1 or more, "
			      "or %s.source_rate 0 for no limit",
			      section, section);
}

/* RTP takes an even port and RTCP the next; 0 is whatever the system gives. */
static void check_media_ports(const struct ctx *ctx)
{
	struct value low = value_of(ctx, "media", "port_min");
	struct value high = value_of(ctx, "media", "port_max");
	uint64_t l, h;

	if (!low.usable || !high.usable || hd_u64_parse(&l, low.text, UINT16_MAX) ||
	    hd_u64_parse(&h, high.text, UINT16_MAX) || l == 0 || l > h)
		return;
	if ((l + 1) / 2 * 2 + 1 > h)
		hd_report_add(ctx->report, line_of(&low, &high),
			      "media.port_min: %llu leaves no room up to media.port_max %llu, "
			      "expected an even port and the next one",
			      (unsigned long long)l, (unsigned long long)h);
}

/* ---- feature codes --------------------------------------------------------------------------- */

static const struct code {
	const char *section, *name;
	bool number; /* one may follow at once */
} codes[] = {
	{ "desk", "login_code", false },
	{ "desk", "logout_code", false },
	{ "desk", "toggle_code", false },
	{ "codes", "dnd_on", false },
	{ "codes", "dnd_off", false },
	{ "codes", "dnd_toggle", false },
	{ "codes", "forward_always", true },
	{ "codes", "forward_always_off", false },
	{ "codes", "forward_busy", true },
	{ "codes", "forward_busy_off", false },
	{ "codes", "forward_no_answer", true },
	{ "codes", "forward_no_answer_off", false },
	{ "codes", "forward_not_logged_in", true },
	{ "codes", "forward_not_logged_in_off", false },
	{ "codes", "rings", true },
	{ "codes", "pickup", true },
	{ "codes", "speed_dial", true },
};

/* CODE, CODE*NUMBER*PIN, CODE#: a second code that goes on with * or # could be both. */
static bool clash(struct hd_slice shorter, struct hd_slice longer, bool number)
{
	return shorter.len > 0 && shorter.len <= longer.len &&
	       memcmp(shorter.ptr, longer.ptr, shorter.len) == 0 &&
	       (number || shorter.len == longer.len || longer.ptr[shorter.len] == '*' ||
		longer.ptr[shorter.len] == '#');
}

static void check_two_codes(const struct ctx *ctx, const struct code *one, const struct code *other)
{
	struct value a = value_of(ctx, one->section, one->name);
	struct value b = value_of(ctx, other->section, other->name);

	if (!a.usable || !b.usable ||
	    (!clash(a.text, b.text, one->number) && !clash(b.text, a.text, other->number)))
		return;
	hd_report_add(ctx->report, line_of(&a, &b),
		      "%s.%s: \"%.*s\" cannot be told from %s.%s \"%.*s\", "
		      "expected codes that do not begin alike",
		      one->section, one->name, (int)a.text.len, a.text.ptr, other->section,
		      other->name, (int)b.text.len, b.text.ptr);
}

static void check_codes(const struct ctx *ctx)
{
	for (size_t i = 1; i < sizeof(codes) / sizeof(codes[0]); i++)
		for (size_t j = 0; j < i; j++)
			check_two_codes(ctx, &codes[i], &codes[j]);
}

/* ---- listeners and TLS ----------------------------------------------------------------------- */

static bool same_address(const char *a, const char *b)
{
	unsigned char x[sizeof(struct in6_addr)], y[sizeof(struct in6_addr)];
	int family = strchr(a, ':') ? AF_INET6 : AF_INET;
	size_t size = family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);

	return inet_pton(family, a, x) == 1 && inet_pton(family, b, y) == 1 &&
	       memcmp(x, y, size) == 0;
}

/* TCP and TLS share the ports of TCP; what is spelled alike was found before. */
static bool same_socket(const struct hd_listen *a, const struct hd_listen *b)
{
	return (a->transport == HD_UDP) == (b->transport == HD_UDP) && a->port == b->port &&
	       a->port != 0 && same_address(a->host, b->host);
}

static void check_listeners(const struct ctx *ctx, const struct value *listen)
{
	const char *section = listen->key->section;
	const struct hd_node *nodes = ctx->checked->tree->nodes;
	struct hd_listen a, b;

	for (uint32_t c = listen->node->child; c; c = nodes[c].next) {
		if (hd_listen_parse(&a, nodes[c].value))
			continue;
		for (uint32_t d = listen->node->child; d != c; d = nodes[d].next) {
			if (hd_listen_parse(&b, nodes[d].value) || !same_socket(&a, &b))
				continue;
			hd_report_add(ctx->report, nodes[c].line,
				      "%s.listen: \"%.*s\" is the same address and port as the "
				      "entry in line %u, expected another port",
				      section, (int)nodes[c].value.len, nodes[c].value.ptr,
				      nodes[d].line);
			break;
		}
	}
}

/* A section with listeners of which some need a certificate. */
static const struct tls_rule {
	const char *section, *ca;
	enum hd_transport transport;
	const char *name; /* of such a listener */
} tls_rules[] = {
	{ "sip", "tls_ca", HD_TLS, "a tls" },
	{ "provision", "tls_client_ca", HD_HTTPS, "an https" },
};

/* The first of them. */
static const struct hd_node *tls_listener(const struct ctx *ctx, const struct value *listen,
					  enum hd_transport transport)
{
	const struct hd_node *nodes = ctx->checked->tree->nodes;
	struct hd_listen one;

	for (uint32_t c = listen->node ? listen->node->child : 0; c; c = nodes[c].next) {
		if (!hd_listen_parse(&one, nodes[c].value) && one.transport == transport)
			return &nodes[c];
	}
	return NULL;
}

static void check_file(const struct ctx *ctx, const struct value *v)
{
	char *path = hd_path_resolve(ctx->folder, v->text);
	struct stat st;

	if (!path) {
		ctx->report->err = HD_ENOMEM;
		return;
	}
	if (stat(path, &st) || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS))
		hd_report_add(ctx->report, v->node->line, "%s.%s: %s: %s, expected a PEM file",
			      v->key->section, v->key->name, path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		hd_report_add(ctx->report, v->node->line,
			      "%s.%s: %s is no ordinary file, expected a PEM file", v->key->section,
			      v->key->name, path);
	free(path);
}

static void check_pair(const struct ctx *ctx, const struct tls_rule *rule,
		       const struct value files[2], const struct hd_node *needs)
{
	for (size_t i = 0; i < 2; i++) {
		const struct value *other = &files[1 - i];

		if (!files[i].usable || files[i].text.ptr)
			continue;
		if (needs)
			hd_report_add(ctx->report, needs->line,
				      "%s.listen: %s listener without %s.%s, expected the "
				      "path of a PEM file there",
				      rule->section, rule->name, rule->section, files[i].key->name);
		else if (other->usable && other->text.ptr)
			hd_report_add(ctx->report, other->node->line,
				      "%s.%s is set without %s.%s, expected both or none",
				      rule->section, other->key->name, rule->section,
				      files[i].key->name);
	}
}

static void check_tls(const struct ctx *ctx, const struct tls_rule *rule)
{
	const char *const names[] = { "tls_certificate", "tls_key", rule->ca };
	struct value listen = value_of(ctx, rule->section, "listen");
	const struct hd_node *needs = tls_listener(ctx, &listen, rule->transport);
	struct value files[3];

	if (listen.node && listen.usable)
		check_listeners(ctx, &listen);
	for (size_t i = 0; i < 3; i++)
		files[i] = value_of(ctx, rule->section, names[i]);
	check_pair(ctx, rule, files, needs);
	for (size_t i = 0; i < 3; i++) {
		if (needs && files[i].usable && files[i].text.ptr)
			check_file(ctx, &files[i]);
	}
}

/* ---- PBX and trunks -------------------------------------------------------------------------- */

/* Names from before this entry. */
static unsigned line_of_peer(const struct ctx *ctx, uint32_t first, uint32_t end, const char *name)
{
	const struct hd_node *nodes = ctx->checked->tree->nodes;
	struct hd_peer other;

	for (uint32_t c = first; c != end; c = nodes[c].next)
		if (!hd_peer_parse(&other, nodes[c].value, NULL) && strcmp(other.name, name) == 0)
			return nodes[c].line;
	return 0;
}

static void check_peers(const struct ctx *ctx)
{
	const struct hd_node *nodes = ctx->checked->tree->nodes;
	struct value v = value_of(ctx, "upstream", "peers"),
		     ca = value_of(ctx, "upstream", "tls_ca");
	struct hd_peer peer;
	const char *why;
	unsigned line;

	if (ca.node && ca.usable && ca.text.ptr)
		check_file(ctx, &ca);
	if (!v.node || !v.usable)
		return;
	for (uint32_t c = v.node->child; c; c = nodes[c].next) {
		if (hd_peer_parse(&peer, nodes[c].value, &why)) {
			hd_report_add(ctx->report, nodes[c].line, "upstream.peers: %s", why);
			continue;
		}
		if (peer.n_certificates && ca.usable && !ca.text.ptr)
			hd_report_add(
				ctx->report, nodes[c].line,
				"upstream.peers: %s has certificate= without upstream.tls_ca, "
				"expected the path of a PEM file there",
				peer.name);
		line = line_of_peer(ctx, v.node->child, c, peer.name);
		if (line)
			hd_report_add(ctx->report, nodes[c].line,
				      "upstream.peers: %s is the name of the entry in line %u, "
				      "expected another one",
				      peer.name, line);
	}
}

/* A destination at a peer that is not there would never be reached. */
static void check_destination(const struct ctx *ctx, const char *name)
{
	struct value v = value_of(ctx, "plan", name), peers = value_of(ctx, "upstream", "peers");
	struct hd_slice peer = hd_destination_peer(v.text);
	char text[HD_PEER_NAME_SIZE];

	if (!v.node || !v.usable || !peer.len || hd_str_copy(text, sizeof(text), peer))
		return;
	if (!peers.node || !line_of_peer(ctx, peers.node->child, 0, text))
		hd_report_add(ctx->report, v.node->line,
			      "plan.%s: \"%s\" is the name of none of upstream.peers", name, text);
}

/* ---- paths ----------------------------------------------------------------------------------- */

static void check_socket(const struct ctx *ctx)
{
	const size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	struct value v = value_of(ctx, "admin", "socket");
	char *path = v.usable ? hd_path_resolve(ctx->folder, v.text) : NULL;

	if (path && strlen(path) > max)
		hd_report_add(
			ctx->report, v.node ? v.node->line : 1,
			"admin.socket: a path of %zu bytes, expected at most %zu (the limit of "
			"Unix sockets)",
			strlen(path), max);
	else if (v.usable && !path)
		ctx->report->err = HD_ENOMEM;
	free(path);
}

void hd_check_rules(const struct hd_checked *checked, const char *folder, struct hd_report *report)
{
	const struct ctx ctx = { .checked = checked, .folder = folder, .report = report };

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		check_order(&ctx, &orders[i]);
	check_burst(&ctx, "sip");
	check_burst(&ctx, "provision");
	check_media_ports(&ctx);
	check_codes(&ctx);
	check_peers(&ctx);
	check_destination(&ctx, "voicemail");
	check_destination(&ctx, "fallback");
	for (size_t i = 0; i < sizeof(tls_rules) / sizeof(tls_rules[0]); i++)
		check_tls(&ctx, &tls_rules[i]);
	check_socket(&ctx);
}
