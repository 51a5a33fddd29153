/* recent.c - see recent.h. */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "hotdesk/base/record.h"
#include "hotdesk/directory.h"
#include "recent.h"

struct recent {
	char aor[HD_PHONE_ID_SIZE];
	int64_t until_ms; /* of the refresh; in the past: none */
	uint32_t held;
	uint32_t cseq;
	uint32_t call_id; /* hash */
	UT_hash_handle hh;
};

/* The oldest stands in front. One a time: a REGISTER adds no more. */
static void purge(struct recent_table *table, int64_t now_ms)
{
	struct recent *e = table->entries;

	if (!e || e->held || e->until_ms > now_ms)
		return;
	HASH_DEL(table->entries, e);
	free(e);
}

/* The entry, at the end of the table; NULL without memory. */
static struct recent *entry_of(struct recent_table *table, const char *aor)
{
	struct recent *e;

	HASH_FIND_STR(table->entries, aor, e);
	if (e) {
		HASH_DEL(table->entries, e);
	} else {
		e = calloc(1, sizeof(*e));
		if (!e || hd_str_set(e->aor, sizeof(e->aor), aor)) {
			free(e);
			return NULL;
		}
	}
	HASH_ADD_STR(table->entries, aor, e);
	return e;
}

static struct recent *find(const struct recent_table *table, const char *aor)
{
	struct recent *e;

	HASH_FIND_STR(table->entries, aor, e);
	return e;
}

static uint32_t call_id_hash(const char *call_id)
{
	return hd_crc32c(call_id, strlen(call_id));
}

void recent_hold(struct recent_table *table, const char *aor)
{
	struct recent *e = entry_of(table, aor);

	if (e)
		e->held++;
}

void recent_release(struct recent_table *table, const char *aor)
{
	struct recent *e = find(table, aor);

	if (e && e->held)
		e->held--;
}

bool recent_is_held(const struct recent_table *table, const char *aor)
{
	const struct recent *e = find(table, aor);

	return e && e->held;
}

void recent_refresh(struct recent_table *table, const char *aor, int64_t until_ms,
		    const char *call_id, uint32_t cseq)
{
	struct recent *e = entry_of(table, aor);

	if (!e)
		return;
	e->until_ms = until_ms;
	e->call_id = call_id_hash(call_id);
	e->cseq = cseq;
}

bool recent_has_refresh(struct recent_table *table, const char *aor, int64_t now_ms)
{
	const struct recent *e;

	purge(table, now_ms);
	e = find(table, aor);
	return e && e->until_ms > now_ms;
}

bool recent_is_in_order(const struct recent_table *table, const char *aor, const char *call_id,
			uint32_t cseq)
{
	const struct recent *e = find(table, aor);

	return !e || e->call_id != call_id_hash(call_id) || cseq > e->cseq;
}

void recent_fini(struct recent_table *table)
{
	struct recent *e = table->entries, *next;

	HASH_CLEAR(hh, table->entries);
	for (; e; e = next) {
		next = e->hh.next;
		free(e);
	}
}
