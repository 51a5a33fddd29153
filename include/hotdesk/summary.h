/*
 * summary.h - what waits for a user at the PBX (RFC 3842, message-summary), as it was told last.
 *
 * Kept with the user, so that the lamp is right at whatever phone the user comes to, also after a
 * restart. Table "message_summaries" (key: number).
 *
 * Layer: 2 (settings).  May include: base, store.  Thread: any; inside the caller's transaction.
 */
#ifndef HOTDESK_SUMMARY_H
#define HOTDESK_SUMMARY_H

#include "hotdesk/settings.h"

enum {
	HD_SUMMARY_CLASSES = 5, /* voice, fax, pager, multimedia, text */
	HD_SUMMARY_ACCOUNT_SIZE = 65,
	HD_SUMMARY_BODY_MAX = 4096,
};

struct hd_summary_count {
	bool given, urgent_given;
	uint32_t fresh, old, urgent_fresh, urgent_old;
};
struct hd_summary {
	bool waiting;
	/* The user part of Message-Account, as a number to dial; "" : none */
	char account[HD_SUMMARY_ACCOUNT_SIZE];
	struct hd_summary_count counts[HD_SUMMARY_CLASSES];
};

/**
 * From a body application/simple-message-summary. Header fields of single messages, and classes
 * that nobody knows, are left out.
 * @return 0; HD_EPARSE: no Messages-Waiting first, or a count that is none; HD_ELIMIT
 */
HD_MUSTCHECK int hd_summary_parse(struct hd_summary *summary, struct hd_slice body);
/** The body, with Message-Account at a domain. */
void hd_summary_format(struct hd_buf *out, const struct hd_summary *summary, const char *domain);
bool hd_summary_eq(const struct hd_summary *a, const struct hd_summary *b);

/** @return 0; HD_ENOENT: nobody ever told; HD_ECORRUPT, HD_EVERSION, HD_EIO */
HD_MUSTCHECK int hd_summary_get(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
				struct hd_summary *summary);
HD_MUSTCHECK int hd_summary_put(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
				const struct hd_summary *summary);

#endif
