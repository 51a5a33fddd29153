/*
 * feature.h - asking for a login, logout or toggle by feature code, in an INVITE or an INFO.
 *
 * CODE*NUMBER*PIN in the Request-URI acts at once. The login code alone in an INVITE opens a dialog
 * in which number and PIN follow by INFO: as digits (application/dtmf-relay, application/dtmf),
 * each ended by
 * '#', '*' begins again; or as a code in the Request-URI. Every way ends in one desk command, and
 * the answer comes after its commit. Success on an INVITE is 200 with an SDP answer whose stream is
 * inactive, then BYE after the ACK; a refusal is 403 with a Reason, the same for every cause.
 *
 * Layer: 4.  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_FEATURE_H
#define HOTDESK_FEATURE_H

#include "hotdesk/desk_operation.h"
#include "hotdesk/plan.h"
#include "hotdesk/sip/agent.h"
#include "hotdesk/store.h"

struct hd_features;

struct hd_features_options {
	struct hd_agent *agent; /* all borrowed */
	struct hd_store *store;
	struct hd_desk *desk;
	struct hd_operations *operations; /* of the SIP thread */
	struct hd_feature_codes codes;
	uint32_t dialogue_s, dialogues_max;
	uint32_t t1_ms, t2_ms;
};
HD_MUSTCHECK int hd_features_new(struct hd_features **fp,
				 const struct hd_features_options *options);
void hd_features_free(struct hd_features *features);
void hd_features_set_policy(struct hd_features *features, const struct hd_feature_codes *codes,
			    uint32_t dialogue_s, uint32_t dialogues_max);

/**
 * An INVITE or INFO of an authenticated phone whose Request-URI is a feature code (parsed, wiped by
 * the caller afterwards). Ends the request. Other methods get 405.
 */
void hd_features_receive(struct hd_features *features, struct hd_request *req, const char *phone,
			 const struct hd_feature *code);
enum hd_features_claim {
	HD_FEATURES_NOT_OURS, /* of no dialog of ours; not ended */
	HD_FEATURES_ENDED,
	/** Of ours, but from another flow than the INVITE: authenticate it and ask again; or, an
	 * ACK, drop it. Not ended. */
	HD_FEATURES_UNPROVED,
};
/**
 * A request inside a dialog of ours: ACK, BYE, INFO, re-INVITE.
 * @param phone that the digest says it is from; NULL: not asked for. The flow vouches then.
 */
HD_MUSTCHECK enum hd_features_claim hd_features_receive_in_dialog(struct hd_features *features,
								  struct hd_request *req,
								  const char *phone);

#endif
