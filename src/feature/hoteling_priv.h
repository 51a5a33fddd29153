/* hoteling_priv.h - what hoteling.c, hoteling_xml.c and association.c share. */
#ifndef HOTDESK_FEATURE_HOTELING_PRIV_H
#define HOTDESK_FEATURE_HOTELING_PRIV_H

#include <uthash.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/hoteling.h"

enum { NONCE_BYTES = 16, NONCE_SIZE = 2 * NONCE_BYTES + 1 };

/* ---- bodies (hoteling_xml.c) ---------------------------------------------------------------- */

/** What a SetHoteling asks. */
struct set_hoteling {
	char guest[HD_NUMBER_SIZE]; /* "" : guest out */
	bool authenticated;	    /* the next two are there */
	char nonce[NONCE_SIZE];	    /* "" : none that could be ours */
	uint8_t response[HD_MD5_BYTES];
};
/** @return 0; HD_EPARSE, HD_ELIMIT, HD_EUNSUPPORTED, HD_ENOMEM */
HD_MUSTCHECK int set_hoteling_read(struct set_hoteling *set, struct hd_slice body);

struct hoteling_event {
	const char *guest; /* "" : nobody */
	int64_t left_s;	   /* of the association; below 0: no limit */
	const char *nonce; /* please authenticate; NULL or "": no */
};
void hoteling_event_write(struct hd_buf *body, const struct hoteling_event *event);
/** Whether the response proves the PIN; the same work for a PIN that is wrong. */
bool set_hoteling_proves(const struct set_hoteling *set, const char *pin);

/* ---- guests whose time is limited (association.c) ------------------------------------------- */

struct association {
	struct hd_hoteling *hoteling;
	char phone[HD_PHONE_ID_SIZE];
	char user[HD_NUMBER_SIZE];
	uint64_t epoch;
	int64_t until_ms; /* wall clock */
	struct hd_sip_timer *timer;
	struct hd_operation *operation;
	UT_hash_handle hh;
};

struct hd_hoteling {
	struct hd_hoteling_options options;
	struct association *associations; /* by phone */
};

/** Takes up, replaces or drops what there is for a phone. session: NULL for nobody */
void association_note(struct hd_hoteling *h, const char *phone,
		      const struct hd_desk_session *session);
/** @return seconds left, or -1: no limit */
int64_t association_left_s(const struct hd_hoteling *h, const char *phone);
void association_free(struct association *a);

#endif
