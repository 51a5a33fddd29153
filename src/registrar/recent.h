/*
 * recent.h - addresses-of-record whose last change may be missing in a snapshot: it waits for
 * its commit.
 *
 * What a REGISTER gets after that, and whether it comes in order, cannot be read from the store
 * alone: it has to queue behind the change. Only one refresh after another need not.
 */
#ifndef HOTDESK_REGISTRAR_RECENT_H
#define HOTDESK_REGISTRAR_RECENT_H

#include <stdbool.h>
#include <stdint.h>

struct recent;

/** Zero-initialised is empty. */
struct recent_table {
	struct recent *entries;
};

/** A durable change is on its way, until recent_release(). */
void recent_hold(struct recent_table *table, const char *aor);
void recent_release(struct recent_table *table, const char *aor);
bool recent_is_held(const struct recent_table *table, const char *aor);

/** A mere refresh was answered that may be written until then. */
void recent_refresh(struct recent_table *table, const char *aor, int64_t until_ms,
		    const char *call_id, uint32_t cseq);
bool recent_has_refresh(struct recent_table *table, const char *aor, int64_t now_ms);
/** Whether another refresh comes in order after the last one (RFC 3261 10.3 step 7). */
bool recent_is_in_order(const struct recent_table *table, const char *aor, const char *call_id,
			uint32_t cseq);

void recent_fini(struct recent_table *table);

#endif
