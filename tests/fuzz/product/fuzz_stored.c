/*
 * fuzz_stored.c - the decoders of stored records: any bytes decode or are refused, and what decodes
 * is the same after it was encoded again. The first byte chooses the decoder.
 */
#include <stdlib.h>
#include <string.h>

#include "desk/desk_priv.h"
#include "directory/directory_priv.h"
#include "location/location_priv.h"
#include "support/fuzz.h"

static uint8_t buf[2 * HD_RECORD_MAX];

static struct hd_encoder begin(uint8_t version)
{
	struct hd_encoder e;

	hd_encoder_init(&e, buf, sizeof(buf), version);
	return e;
}

static void expect(int ok)
{
	if (!ok)
		abort();
}

static void fuzz_user(struct hd_slice record)
{
	static struct hd_user a, b;
	struct hd_encoder e = begin(HD_USER_VERSION);

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	if (hd_user_decode(&a, record))
		return;
	expect(!hd_user_encode(&e, &a, &record) && !hd_user_decode(&b, record));
	expect(strcmp(a.name, b.name) == 0 && strcmp(a.pin_hash, b.pin_hash) == 0);
	expect(a.roaming == b.roaming && a.disabled == b.disabled);
	expect(a.changed_at_ms == b.changed_at_ms);
}

static void fuzz_phone(struct hd_slice record)
{
	static struct hd_phone a, b;
	struct hd_encoder e = begin(HD_PHONE_VERSION);

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	if (hd_phone_decode(&a, record))
		return;
	expect(!hd_phone_encode(&e, &a, &record) && !hd_phone_decode(&b, record));
	expect(strcmp(a.mac, b.mac) == 0 && strcmp(a.owner, b.owner) == 0);
	expect(strcmp(a.ha1_sha256, b.ha1_sha256) == 0 && a.disabled == b.disabled);
}

static void fuzz_bindings(struct hd_slice record)
{
	static struct hd_binding items_a[HD_BINDINGS_MAX], items_b[HD_BINDINGS_MAX];
	struct hd_binding_list a = { .items = items_a, .room = HD_BINDINGS_MAX };
	struct hd_binding_list b = { .items = items_b, .room = HD_BINDINGS_MAX };
	struct hd_encoder e = begin(HD_BINDING_VERSION);

	if (hd_binding_list_decode(&a, record))
		return;
	for (size_t i = 0; i < a.n; i++)
		expect(hd_binding_matches(&items_a[i], &items_a[i]));
	hd_binding_list_sort(&a);
	expect(!hd_binding_list_encode(&e, &a, &record) && !hd_binding_list_decode(&b, record));
	expect(a.n == b.n && a.earliest_ms == b.earliest_ms);
	for (size_t i = 0; i < a.n; i++) {
		expect(hd_binding_is_refresh(&items_a[i], &items_b[i]));
		expect(items_a[i].expires_at_ms == items_b[i].expires_at_ms);
	}
	if (a.n > 0)
		hd_binding_list_remove(&a, 0);
}

static void fuzz_session(struct hd_slice record)
{
	struct hd_desk_session a, b;
	struct hd_encoder e = begin(HD_SESSION_VERSION);

	if (hd_session_parse(&a, record))
		return;
	hd_session_encode(&e, &a);
	expect(!hd_encoder_finish(&e, &record) && !hd_session_parse(&b, record));
	expect(strcmp(a.user, b.user) == 0 && strcmp(a.phone, b.phone) == 0);
	expect(a.epoch == b.epoch && a.since_ms == b.since_ms && a.way == b.way);
	expect(hd_desk_way_name(a.way) != NULL);
}

static void fuzz_ops(struct hd_slice record)
{
	static struct hd_op_list a, b;
	struct hd_encoder e = begin(HD_OP_VERSION);

	if (hd_op_list_decode(&a, record))
		return;
	expect(!hd_op_list_encode(&e, &a, &record) && !hd_op_list_decode(&b, record));
	expect(a.n == b.n);
	for (size_t i = 0; i < a.n; i++)
		expect(a.items[i].result == b.items[i].result);
}

static void fuzz_lockout(struct hd_slice record)
{
	static struct hd_lockout a, b;
	struct hd_encoder e = begin(HD_LOCKOUT_VERSION);

	if (hd_lockout_decode(&a, record))
		return;
	expect(!hd_lockout_encode(&e, &a, &record) && !hd_lockout_decode(&b, record));
	expect(a.failures == b.failures && a.locked_until_ms == b.locked_until_ms);
	expect(a.last_ms == b.last_ms && a.n_tries == b.n_tries);
	expect(memcmp(a.tries, b.tries, sizeof(a.tries)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const decoders[])(struct hd_slice) = {
		fuzz_user, fuzz_phone, fuzz_bindings, fuzz_session, fuzz_ops, fuzz_lockout,
	};
	char *copy;

	if (len < 1)
		return 0;
	/* A copy of exactly this length, so that a read beyond it is seen. */
	copy = malloc(len > 1 ? len - 1 : 1);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, len - 1);
	decoders[data[0] % 6]((struct hd_slice){ copy, len - 1 });
	free(copy);
	return 0;
}
