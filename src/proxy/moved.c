/* moved.c - phones that have a new address while their dialogs go on; see proxy_priv.h. */
#include <string.h>

#include "hotdesk/base/log.h"
#include "proxy_priv.h"

bool moved_is_same(const struct hd_flow *one, const struct hd_flow *other)
{
	return one->transport == other->transport && one->family == other->family &&
	       one->port == other->port &&
	       memcmp(one->address, other->address, sizeof(one->address)) == 0;
}

size_t moved_read(struct hd_proxy *proxy, const char *phone,
		  struct hd_binding bindings[HD_BINDINGS_MAX])
{
	size_t n = HD_BINDINGS_MAX;
	struct hd_txn *txn;
	int err;

	if (!proxy->options.location || !*phone)
		return 0;
	err = hd_store_begin_read(proxy->options.store, &txn);
	if (!err) {
		err = hd_location_get(proxy->options.location, txn, phone,
				      hd_clock_wall_ms(proxy->options.clock), bindings, &n);
		hd_store_end_read(txn);
	}
	if (err)
		hd_warn("proxy", "%s: where it is: %s", phone, hd_strerror(err));
	return err ? 0 : n;
}

static bool is_there(const struct hd_binding *bindings, size_t n, const struct hd_flow *flow)
{
	struct hd_flow at;

	for (size_t i = 0; i < n; i++)
		if (!hd_flow_parse(&at, bindings[i].flow) && moved_is_same(&at, flow))
			return true;
	return false;
}

/* A device that calls but is not registered moves nowhere, whoever else shares its account. */
void moved_remember(struct hd_proxy *proxy, struct route_token *token,
		    const struct hd_proxy_target *target)
{
	struct hd_binding bindings[HD_BINDINGS_MAX];
	size_t n;

	token->since_ms = hd_clock_wall_ms(proxy->options.clock);
	if (target->phone && hd_str_set(token->callee_phone, HD_PHONE_ID_SIZE, target->phone))
		token->callee_phone[0] = '\0';
	if (!target->caller)
		return;
	n = moved_read(proxy, target->caller, bindings);
	if (!is_there(bindings, n, &token->caller) ||
	    hd_str_set(token->caller_phone, HD_PHONE_ID_SIZE, target->caller))
		token->caller_phone[0] = '\0';
}

bool moved_find(struct hd_binding *binding, struct hd_proxy *proxy, const struct route_token *token,
		const char *contact_uri, bool caller)
{
	struct hd_binding bindings[HD_BINDINGS_MAX];
	const char *phone = caller ? token->caller_phone : token->callee_phone;
	const struct hd_flow *flow = caller ? &token->caller : &token->callee;
	const struct hd_binding *best;
	size_t n = moved_read(proxy, phone, bindings);

	if (is_there(bindings, n, flow))
		return false;
	best = hd_binding_moved(bindings, n, contact_uri, token->since_ms);
	if (best)
		*binding = *best;
	return best != NULL;
}
