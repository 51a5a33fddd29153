/* resolver_order.c - what a URI says of its server, and the order of records; see resolver_priv.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/str.h"
#include "resolver_priv.h"

enum { UDP, TCP, TLS, PORT_SIP = 5060, PORT_SIPS = 5061 };

static const char *const transports[] = { "udp", "tcp", "tls" };

void hd_hop_format(char *dst, size_t size, const struct hd_hop *hop)
{
	char address[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(hop->family == 6 ? AF_INET6 : AF_INET, hop->address, address,
			sizeof(address));
	snprintf(dst, size,
		 hop->family == 6 ? "sip:[%s]:%u;transport=%s" : "sip:%s:%u;transport=%s", address,
		 hop->port, transports[hop->transport % RESOLVER_TRANSPORTS]);
}

/* ---- the URI -------------------------------------------------------------------------------- */

static bool host_is_numeric(struct resolver_uri *u)
{
	if (inet_pton(AF_INET, u->host, u->hop.address) == 1)
		u->hop.family = 4;
	else if (inet_pton(AF_INET6, u->host, u->hop.address) == 1)
		u->hop.family = 6;
	return u->hop.family != 0;
}

static int set_host(struct resolver_uri *u, struct hd_slice host)
{
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
		host.ptr++;
		host.len -= 2;
	} else if (host.len > 1 && host.ptr[host.len - 1] == '.') {
		host.len--;
	}
	if (hd_str_copy(u->host, sizeof(u->host), host))
		return HD_EINVAL;
	u->numeric = host_is_numeric(u);
	return u->numeric || dns_name_is_sound(u->host) ? 0 : HD_EINVAL;
}

static int set_transport(struct resolver_uri *u, struct hd_slice name)
{
	for (unsigned i = UDP; i <= TLS; i++) {
		if (!hd_slice_caseis(name, transports[i]))
			continue;
		u->has_transport = true;
		u->hop.transport =
			u->sips ? TLS : (uint8_t)i; /* RFC 3261 26.2.2: tcp of sips is TLS */
		return u->sips && i == UDP ? HD_EUNSUPPORTED : 0;
	}
	return HD_EUNSUPPORTED;
}

int resolver_uri_parse(struct resolver_uri *u, const char *text)
{
	struct hd_slice maddr, transport;
	struct hd_uri uri;
	int err = 0;

	memset(u, 0, sizeof(*u));
	if (hd_uri_parse(&uri, hd_slice_of(text)) || uri.scheme > HD_URI_SIPS)
		return HD_EINVAL;
	u->sips = uri.scheme == HD_URI_SIPS;
	u->hop.transport = u->sips ? TLS : UDP;
	if (hd_uri_param(&uri, "transport", &transport))
		err = set_transport(u, transport);
	if (err)
		return err;
	u->has_port = uri.port.len > 0;
	u->hop.port = u->has_port		? hd_uri_port(&uri)
		      : u->hop.transport == TLS ? PORT_SIPS
						: PORT_SIP;
	if (u->hop.port == 0)
		return HD_EINVAL;
	return set_host(u, hd_uri_param(&uri, "maddr", &maddr) ? maddr : uri.host);
}

/* ---- SRV (RFC 2782) ------------------------------------------------------------------------- */

static int compare_srv(const void *a, const void *b)
{
	const struct dns_record *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	/* Weight 0 in front: then it has its small chance. */
	return (x->preference != 0) - (y->preference != 0);
}

/* Moves one of n records, by the share of its weight, to the front. */
static void draw(struct dns_record *records, size_t n, resolver_random_fn *dice)
{
	struct dns_record drawn;
	uint32_t sum = 0, point;
	size_t i;

	for (i = 0; i < n; i++)
		sum += records[i].preference;
	point = dice(sum + 1);
	sum = 0;
	for (i = 0; i < n - 1; i++) {
		sum += records[i].preference;
		if (sum >= point)
			break;
	}
	drawn = records[i];
	memmove(records + 1, records, i * sizeof(*records));
	records[0] = drawn;
}

void srv_order(struct dns_record *records, size_t n, resolver_random_fn *dice)
{
	size_t end;

	qsort(records, n, sizeof(*records), compare_srv);
	for (size_t begin = 0; begin < n; begin = end) {
		for (end = begin; end < n && records[end].order == records[begin].order;)
			end++;
		for (size_t i = begin; i + 1 < end; i++)
			draw(records + i, end - i, dice);
	}
}

/* ---- NAPTR (RFC 3263 4.1) ------------------------------------------------------------------- */

bool naptr_transport(const struct dns_record *record, bool sips, uint8_t *transportp)
{
	static const struct {
		const char *service;
		uint8_t transport;
	} known[] = { { "SIP+D2U", UDP }, { "SIP+D2T", TCP }, { "SIPS+D2T", TLS } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!hd_slice_caseis(hd_slice_of(record->service), known[i].service))
			continue;
		*transportp = known[i].transport;
		return record->terminal && record->name[0] &&
		       (record->flag == 's' || record->flag == 'a') &&
		       (!sips || known[i].transport == TLS);
	}
	return false;
}

static int compare_naptr(const void *a, const void *b)
{
	const struct dns_record *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->preference > y->preference) - (x->preference < y->preference);
}

size_t naptr_order(struct dns_record *records, size_t n, bool sips,
		   const uint8_t families[RESOLVER_TRANSPORTS])
{
	size_t left = 0;
	uint8_t transport;

	for (size_t i = 0; i < n; i++)
		if (naptr_transport(&records[i], sips, &transport) && families[transport])
			records[left++] = records[i];
	qsort(records, left, sizeof(*records), compare_naptr);
	return left;
}
