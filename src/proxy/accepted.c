/* accepted.c - what is kept of an INVITE whose 2xx was acknowledged; see proxy_priv.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "proxy_priv.h"

enum { KEY_SIZE = 16 };

/* 250 bytes for 64*T1, where the transactions themselves are 12 KB. */
struct accepted {
	uint8_t request[KEY_SIZE];  /* of its Call-ID, CSeq and Via */
	uint8_t response[KEY_SIZE]; /* of our branch and its Via */
	int64_t until_ms;
	bool veiled;
	struct hd_flow caller;
	UT_hash_handle hh_request, hh_response;
	struct accepted *prev, *next; /* the oldest first */
	char *names[2];		      /* of From and To as they came; NULL: nothing was renamed */
};

struct accepted_table {
	struct accepted *by_request, *by_response, *list;
};

struct accepted_table *accepted_table_new(void)
{
	return calloc(1, sizeof(struct accepted_table));
}

static void accepted_free(struct accepted *a)
{
	if (!a)
		return;
	free(a->names[0]);
	free(a->names[1]);
	free(a);
}

static void forget(struct accepted_table *table, struct accepted *a)
{
	assert(a && table->by_request && table->by_response);
	HASH_DELETE(hh_request, table->by_request, a);
	HASH_DELETE(hh_response, table->by_response, a);
	DL_DELETE(table->list, a);
	accepted_free(a);
}

void accepted_table_free(struct accepted_table *table)
{
	if (!table)
		return;
	while (table->list)
		forget(table, table->list);
	free(table);
}

static bool make_key(uint8_t key[KEY_SIZE], const struct hd_proxy *proxy, const char *name,
		     const struct hd_msg *msg, unsigned via)
{
	struct hd_buf address = { 0 };
	uint8_t mac[HD_MAC_BYTES];
	uint32_t number = hd_msg_cseq(msg);
	struct hd_slice parts[] = {
		hd_slice_of(name),
		{ (const char *)&number, sizeof(number) },
		{ NULL, 0 },
	};

	if (!hd_msg_via_address(msg, via, &address) || hd_buf_error(&address)) {
		hd_buf_fini(&address);
		return false;
	}
	parts[2].ptr = hd_buf_text(&address);
	parts[2].len = address.len;
	hd_mac(mac, &proxy->options.key, parts, sizeof(parts) / sizeof(parts[0]));
	hd_buf_fini(&address);
	memcpy(key, mac, KEY_SIZE);
	return true;
}

static void sweep(struct accepted_table *table, int64_t now_ms)
{
	while (table->list && table->list->until_ms <= now_ms)
		forget(table, table->list);
}

static bool keep_names(struct accepted *a, struct hd_msg *invite)
{
	struct hd_buf name = { 0 };

	for (int to = 0; to < 2; to++) {
		hd_msg_party(invite, to, &name);
		a->names[to] = hd_buf_take(&name);
		hd_buf_fini(&name);
	}
	return a->names[0] && a->names[1];
}

void accepted_add(struct hd_proxy *proxy, struct hd_msg *invite, const struct hd_flow *caller,
		  const char *branch, const struct accepted_how *how)
{
	struct accepted_table *table = proxy->accepted;
	struct accepted *a = calloc(1, sizeof(*a)), *known = NULL;

	sweep(table, hd_clock_mono_ms(proxy->options.clock));
	if (!a || (how->renamed && !keep_names(a, invite)) ||
	    !make_key(a->request, proxy, hd_msg_call_id(invite), invite, 0) ||
	    !make_key(a->response, proxy, branch, invite, 0)) {
		accepted_free(a);
		return;
	}
	HASH_FIND(hh_request, table->by_request, a->request, KEY_SIZE, known);
	if (known)
		forget(table, known);
	while (HASH_CNT(hh_request, table->by_request) >= proxy->options.limits.accepted_max)
		forget(table, table->list);
	a->until_ms = how->until_ms;
	a->veiled = how->veiled;
	a->caller = *caller;
	HASH_ADD(hh_request, table->by_request, request, KEY_SIZE, a);
	HASH_ADD(hh_response, table->by_response, response, KEY_SIZE, a);
	DL_APPEND(table->list, a);
}

bool accepted_is_repeated(struct hd_proxy *proxy, const struct hd_msg *invite)
{
	struct accepted *a = NULL;
	uint8_t key[KEY_SIZE];

	sweep(proxy->accepted, hd_clock_mono_ms(proxy->options.clock));
	if (!proxy->accepted->list || !make_key(key, proxy, hd_msg_call_id(invite), invite, 0))
		return false;
	HASH_FIND(hh_request, proxy->accepted->by_request, key, KEY_SIZE, a);
	return a != NULL;
}

const struct hd_flow *accepted_caller(struct hd_proxy *proxy, const struct hd_msg *response,
				      const char *names[2], bool *veiledp)
{
	struct accepted *a = NULL;
	uint8_t key[KEY_SIZE];

	sweep(proxy->accepted, hd_clock_mono_ms(proxy->options.clock));
	if (!proxy->accepted->list || !make_key(key, proxy, hd_msg_branch(response), response, 1))
		return NULL;
	HASH_FIND(hh_response, proxy->accepted->by_response, key, KEY_SIZE, a);
	if (!a)
		return NULL;
	names[0] = a->names[0];
	names[1] = a->names[1];
	*veiledp = a->veiled;
	return &a->caller;
}
