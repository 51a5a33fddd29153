/* location_priv.h - what the files of location/ share; the record decoder is fuzzed. */
#ifndef LOCATION_PRIV_H
#define LOCATION_PRIV_H

#include "hotdesk/base/record.h"
#include "hotdesk/location.h"

enum { HD_BINDING_VERSION = 1 };

struct hd_location {
	unsigned bindings; /* aor -> all its bindings, highest q and newest first */
	unsigned expiries; /* u64 earliest expiry, aor -> nothing: one entry per aor */
};

/* All the bindings of an address-of-record as they are stored. */
struct hd_binding_list {
	struct hd_binding *items;
	size_t n, room;
	int64_t earliest_ms; /* expiry of the first to go, also of those left out; 0 for none */
	int64_t now_ms;	     /* decode leaves out what expired by then */
	uint32_t expired;    /* how many were left out */
};

HD_MUSTCHECK int hd_binding_list_encode(struct hd_encoder *e, const struct hd_binding_list *list,
					struct hd_slice *out);
/* Fills no more than `room` items, the first ones. */
HD_MUSTCHECK int hd_binding_list_decode(struct hd_binding_list *list, struct hd_slice record);
void hd_binding_list_sort(struct hd_binding_list *list);
void hd_binding_list_remove(struct hd_binding_list *list, size_t i);
bool hd_binding_matches(const struct hd_binding *a, const struct hd_binding *b);
bool hd_binding_has_uri_of(const struct hd_binding *a, const struct hd_binding *b);
/* Whether they differ in nothing but expiry, Call-ID, CSeq and the time of registration. */
bool hd_binding_is_refresh(const struct hd_binding *a, const struct hd_binding *b);

/* @return 0; HD_ENOENT with an empty list; HD_ECORRUPT, HD_EVERSION, HD_EIO */
HD_MUSTCHECK int hd_location_load(struct hd_location *loc, struct hd_txn *txn, struct hd_slice aor,
				  struct hd_binding_list *list);
/* Writes list (an empty one is removed) and moves the entry of the index from old_ms. */
HD_MUSTCHECK int hd_location_save(struct hd_location *loc, struct hd_txn *txn, struct hd_slice aor,
				  struct hd_binding_list *list, int64_t old_ms);
HD_MUSTCHECK int hd_location_unindex(struct hd_location *loc, struct hd_txn *txn,
				     struct hd_slice aor, int64_t at_ms);

#endif
