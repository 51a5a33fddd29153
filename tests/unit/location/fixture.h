/* fixture.h - a location service on a memory store. */
#ifndef UNIT_LOCATION_FIXTURE_H
#define UNIT_LOCATION_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "unit/directory/fixture.h"

#include "location/location_priv.h"

enum { NOW = 1790000000 };

struct test {
	struct hd_store *store;
	struct hd_location *loc;
	int64_t now_ms;
	uint32_t max;
	struct hd_location_change *change;
	struct hd_binding got[HD_BINDINGS_MAX];
	size_t n;
	char aor[HD_PHONE_ID_SIZE];
	const char *name;
	uint64_t count;
	struct hd_location_sweep sweep;
	bool expired;
};

static inline int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->change = calloc(1, sizeof(*t->change));
	assert_non_null(t->change);
	t->store = fixture_store();
	assert_ok(hd_location_new(&t->loc, t->store));
	t->now_ms = NOW * INT64_C(1000);
	t->max = 1;
	*state = t;
	return 0;
}

static inline int teardown(void **state)
{
	struct test *t = *state;

	hd_location_free(t->loc);
	hd_store_close(t->store);
	free(t->change);
	free(t);
	return 0;
}

/* Begins a REGISTER; contact() adds to it, commit() or preview() ends it. */
static inline void request(struct test *t, const char *call_id, uint32_t cseq)
{
	memset(t->change, 0, sizeof(*t->change));
	t->change->loc = t->loc;
	fixture_set(t->change->aor, sizeof(t->change->aor), t->name ? t->name : "desk-1");
	fixture_set(t->change->call_id, sizeof(t->change->call_id), call_id);
	t->change->cseq = cseq;
	t->change->now_ms = t->now_ms;
	t->change->max_contacts = t->max;
}

static inline struct hd_binding *contact(struct test *t, const char *uri, int64_t expires_s)
{
	struct hd_binding *b = &t->change->contacts[t->change->n_contacts++];

	fixture_set(b->contact_uri, sizeof(b->contact_uri), uri);
	fixture_set(b->call_id, sizeof(b->call_id), t->change->call_id);
	fixture_set(b->flow, sizeof(b->flow), "udp:192.0.2.1:5060");
	b->cseq = t->change->cseq;
	b->q_permille = 1000;
	b->expires_at_ms = expires_s > 0 ? t->now_ms + expires_s * 1000 : 0;
	return b;
}

static inline int preview_body(struct hd_txn *txn, void *arg)
{
	return hd_location_preview(txn, arg);
}

static inline int preview(struct test *t)
{
	return fixture_read(t->store, preview_body, t->change);
}

static inline int get_body(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	t->n = HD_BINDINGS_MAX;
	return hd_location_get(t->loc, txn, t->name ? t->name : "desk-1", t->now_ms, t->got, &t->n);
}

/* What is stored must be what the change said. */
static inline int commit(struct test *t)
{
	int err = hd_store_execute(t->store, hd_location_change, t->change);

	if (err)
		return err;
	assert_ok(fixture_read(t->store, get_body, t));
	assert_int_equal(t->n, t->change->n_result);
	for (size_t i = 0; i < t->n; i++) {
		assert_string_equal(t->got[i].contact_uri, t->change->result[i].contact_uri);
		assert_int_equal(t->got[i].cseq, t->change->result[i].cseq);
		assert_int_equal(t->got[i].expires_at_ms, t->change->result[i].expires_at_ms);
	}
	return 0;
}

static inline int add(struct test *t, const char *uri, const char *call_id, uint32_t cseq)
{
	request(t, call_id, cseq);
	(void)contact(t, uri, 600);
	return commit(t);
}

static inline int drop(struct test *t, const char *uri, const char *call_id, uint32_t cseq)
{
	request(t, call_id, cseq);
	(void)contact(t, uri, 0);
	return commit(t);
}

/* The stored contacts in their order, separated by blanks. */
static inline const char *stored(struct test *t)
{
	static char text[HD_BINDINGS_MAX * HD_CONTACT_SIZE];
	size_t len = 0;

	text[0] = '\0';
	assert_ok(fixture_read(t->store, get_body, t));
	for (size_t i = 0; i < t->n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? " " : "",
					t->got[i].contact_uri);
	return text;
}

/* Every record has one entry of the index, at its earliest expiry, and there are no others. */
static inline int check_index(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;
	struct hd_slice key = { NULL, 0 }, value, record;
	uint64_t n = 0, records;

	while (!hd_txn_next(txn, t->loc->expiries, key, &key, &value)) {
		struct hd_binding item;
		struct hd_binding_list list = { .items = &item, .room = 1, .now_ms = INT64_MAX };
		struct hd_slice aor = { key.ptr + 8, key.len - 8 };

		assert_ok(hd_txn_get(txn, t->loc->bindings, aor, &record));
		assert_ok(hd_binding_list_decode(&list, record));
		assert_int_equal(list.earliest_ms, hd_key_get_u64((const uint8_t *)key.ptr));
		n++;
	}
	assert_ok(hd_txn_count(txn, t->loc->bindings, &records));
	assert_int_equal(n, records);
	return 0;
}

#endif
