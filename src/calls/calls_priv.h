/* calls_priv.h - what the files of calls/ share; the decoders are fuzzed. */
#ifndef CALLS_PRIV_H
#define CALLS_PRIV_H

#include "hotdesk/base/record.h"
#include "hotdesk/calls.h"

enum { CALLS_RECORD_MAX = 1536, HASH_IN_KEY = 4, CALLS_ENTRY_VERSION = 1, CALLS_OPEN_VERSION = 1 };

struct hd_calls {
	unsigned entries, open, unseen;
};

HD_MUSTCHECK int calls_entry_encode(struct hd_encoder *e, const struct hd_calls_entry *entry,
				    struct hd_slice *out);
/** Fills all but key and owner. */
HD_MUSTCHECK int calls_entry_decode(struct hd_calls_entry *entry, struct hd_slice record);
HD_MUSTCHECK int calls_record_encode(struct hd_encoder *e, const struct hd_calls_record *record,
				     bool closed, struct hd_slice *out);
/** Fills all but hash. @param closedp receives whether its entries have been written */
HD_MUSTCHECK int calls_record_decode(struct hd_calls_record *record, bool *closedp,
				     struct hd_slice bytes);

/** owner NUL time hash; dst has room for HD_CALLS_KEY_MAX. @return its length; 0: no owner */
size_t calls_key(uint8_t *dst, const char *owner, int64_t started_ms, const uint8_t *hash);
/** Length of the owner in a key, or 0 when it is none. */
size_t calls_key_owner(struct hd_slice key);
int64_t calls_key_time(struct hd_slice key);

/** How many entries a query fits. @param np in: no need to count further, out: how many */
HD_MUSTCHECK int calls_count(struct hd_calls *calls, struct hd_txn *txn,
			     const struct hd_calls_query *query, uint32_t *np);

/* ---- unseen.c -------------------------------------------------------------------------------- */

/** @param more 1 or -1 */
HD_MUSTCHECK int calls_unseen_add(struct hd_calls *calls, struct hd_txn *txn, const char *owner,
				  const char *phone, int more);
/** @param phone NULL: of all */
HD_MUSTCHECK int calls_unseen_forget(struct hd_calls *calls, struct hd_txn *txn, const char *owner,
				     const char *phone);

#endif
