/* fixture.h - a memory store with call lists, a call to write into it, and pages out of it. */
#ifndef UNIT_CALLS_FIXTURE_H
#define UNIT_CALLS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calls/calls_priv.h"

enum { PAGE = 50 };
static const int64_t noon = 1800000000000;

struct test {
	struct hd_store *store;
	struct hd_calls *calls;
	struct hd_calls_entry page[PAGE];
	size_t n;
	uint64_t removed;
};

static inline void text(char *dst, size_t size, const char *src)
{
	assert_int_equal(hd_str_set(dst, size, src), 0);
}

static inline int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_int_equal(hd_store_open_mem(&t->store, &(struct hd_store_options){ 0 }), 0);
	assert_int_equal(hd_calls_new(&t->calls, t->store), 0);
	*state = t;
	return 0;
}

static inline int teardown(void **state)
{
	struct test *t = *state;

	hd_calls_free(t->calls);
	hd_store_close(t->store);
	free(t);
	return 0;
}

/* 201 at desk-1 has called 202 at desk-2, who answered after 3 s and talked for 60. */
static inline struct hd_calls_record call_of(const char *call_id, int64_t started_ms)
{
	struct hd_calls_record r = {
		.started_ms = started_ms,
		.ringing_ms = started_ms + 1000,
		.answered_ms = started_ms + 4000,
		.ended_ms = started_ms + 64500,
		.status = 200,
		.cause = 16,
		.final = true,
	};

	hd_calls_hash(r.hash, call_id, "tag");
	text(r.caller.owner, sizeof(r.caller.owner), "201");
	text(r.caller.phone, sizeof(r.caller.phone), "desk-1");
	text(r.caller.number, sizeof(r.caller.number), "201");
	text(r.caller.name, sizeof(r.caller.name), "Anna");
	text(r.callee.owner, sizeof(r.callee.owner), "202");
	text(r.callee.phone, sizeof(r.callee.phone), "desk-2");
	text(r.callee.number, sizeof(r.callee.number), "202");
	text(r.callee.name, sizeof(r.callee.name), "Ben");
	return r;
}

static inline void write(struct test *t, struct hd_calls_record *records, size_t n)
{
	struct hd_calls_batch batch = { .calls = t->calls, .records = records, .n = n };

	assert_int_equal(hd_store_execute(t->store, hd_calls_write, &batch), 0);
}

static inline int close_open(struct test *t)
{
	struct hd_calls_batch batch = { .calls = t->calls };

	return hd_store_execute(t->store, hd_calls_close, &batch);
}

static inline void page(struct test *t, const struct hd_calls_query *query, size_t room)
{
	struct hd_txn *txn;

	t->n = room;
	assert_int_equal(hd_store_begin_read(t->store, &txn), 0);
	assert_int_equal(hd_calls_page(t->calls, txn, query, t->page, &t->n), 0);
	hd_store_end_read(txn);
}

static inline size_t list(struct test *t, const char *owner)
{
	page(t, &(struct hd_calls_query){ .owner = owner }, PAGE);
	return t->n;
}

static inline void sweep_all(struct test *t, struct hd_calls_sweep *sweep)
{
	struct hd_txn *txn;

	do {
		assert_int_equal(hd_store_begin_read(t->store, &txn), 0);
		assert_int_equal(hd_calls_look(txn, sweep), 0);
		hd_store_end_read(txn);
		assert_int_equal(hd_store_execute(t->store, hd_calls_sweep, sweep), 0);
	} while (sweep->at_len);
}

static inline bool is_202(const void *arg, struct hd_txn *txn, const char *owner)
{
	assert_non_null(txn);
	return *(const bool *)arg && strcmp(owner, "202") == 0;
}

#endif
