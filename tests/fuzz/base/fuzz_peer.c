/* fuzz_peer.c - one line of upstream.peers: what is taken can be called, and keeps its limits. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/peer.h"
#include "hotdesk/base/uri.h"
#include "support/fuzz.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void texts_check(const char *texts, size_t size, size_t n, size_t max)
{
	require(n <= max);
	for (size_t i = 0; i < n; i++)
		require(texts[i * size] && strnlen(texts + i * size, size) < size);
}

static void uri_check(const struct hd_peer *peer)
{
	struct hd_slice domain = hd_peer_domain(peer);
	struct hd_buf text = { 0 };
	struct hd_uri bare, called;

	require(!hd_uri_parse(&bare, hd_slice_of(peer->uri)) && !bare.user.len && bare.host.len);
	require(domain.len >= bare.host.len && domain.ptr >= peer->uri &&
		domain.ptr + domain.len <= peer->uri + strlen(peer->uri));
	hd_peer_uri(&text, peer, "+49#1");
	require(!hd_buf_error(&text));
	require(!hd_uri_parse(&called, hd_slice_of(hd_buf_text(&text))));
	require(hd_slice_is(called.user, "+49%231") && hd_slice_eq(called.host, bare.host) &&
		called.scheme == bare.scheme && hd_uri_port(&called) == hd_uri_port(&bare));
	hd_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_peer peer;
	const char *why;
	int err;

	err = hd_peer_parse(&peer, (struct hd_slice){ (const char *)data, len }, &why);
	require(!err == !why);
	if (err)
		return 0;
	require(peer.name[0] && strnlen(peer.name, sizeof(peer.name)) < sizeof(peer.name));
	require(hd_peer_mode_name(peer.mode) && peer.form[0] && peer.from.n <= HD_NETWORKS_MAX);
	require(peer.order <= 65535 && peer.expires_s >= 60 && peer.expires_s <= 86400 &&
		peer.probe_s <= 3600);
	texts_check(peer.routes[0], HD_PEER_PATTERN_SIZE, peer.n_routes, HD_PEER_ROUTES_MAX);
	texts_check(peer.strips[0], HD_PEER_PATTERN_SIZE, peer.n_strips, HD_PEER_STRIPS_MAX);
	texts_check(peer.certificates[0], HD_PEER_DOMAIN_SIZE, peer.n_certificates,
		    HD_PEER_CERTIFICATES_MAX);
	uri_check(&peer);
	return 0;
}
