/*
 * pnp_priv.h - what the files of PnP share.
 *
 * pnp.c          who asks is answered, and told by NOTIFY
 * pnp_profile.c  what it is told: by its MAC, its vendor and where it asks from
 */
#ifndef PNP_PRIV_H
#define PNP_PRIV_H

#include "hotdesk/base/source.h"
#include "hotdesk/pnp.h"
#include "hotdesk/sip/multicast.h"

enum {
	PNP_ANSWERS_MAX = 64, /* NOTIFYs under way, and lately */
	PNP_STRANGERS = 64,   /* MACs that were logged */
	PNP_TAG_SIZE = 64,
};

/* One NOTIFY with a URL. */
struct pnp_answer {
	struct hd_pnp *pnp;
	char phone[HD_PHONE_ID_SIZE];
	uint64_t key; /* of Call-ID and From tag: a repeated SUBSCRIBE gets no second one */
	int64_t at_mono_ms;
	struct hd_orq *orq; /* NULL: it was answered */
};

struct pnp_stranger {
	char mac[HD_MAC_SIZE];
	int64_t at_mono_ms;
};

struct hd_pnp {
	struct hd_pnp_options options;
	struct hd_multicast *multicast;
	bool enabled;
	char url[HD_URL_SIZE];
	struct hd_networks token_networks;
	uint8_t seed[16]; /* of tags */
	struct pnp_answer answers[PNP_ANSWERS_MAX];
	struct pnp_stranger strangers[PNP_STRANGERS];
	size_t next_stranger;
	int64_t minute_mono_ms; /* when the count began */
	unsigned in_minute;
};

/* Who asks, from where, and how he is answered; all borrowed. */
struct pnp_asker {
	struct hd_msg *msg;
	const char *source;
	struct hd_address from;
	struct hd_target back;
	char tag[PNP_TAG_SIZE];
	uint64_t key;
};

/* What a known phone is told. */
struct pnp_profile {
	char phone[HD_PHONE_ID_SIZE];
	char url[HD_URL_SIZE];
	bool with_token;
};

void pnp_profile_metrics_register(void);
/**
 * What a phone that asks is to be told; fills asker's tag and key, too. The profile is to be wiped.
 * @return 0; HD_ENOENT: it asks for something else, or is nobody we know; the store's error
 */
HD_MUSTCHECK int pnp_profile_find(struct hd_pnp *pnp, struct pnp_asker *asker,
				  struct pnp_profile *profile);

#endif
