/*
 * feature.h - asking for a login, logout or toggle by feature code, in an INVITE or an INFO.
 *
 * CODE*NUMBER*PIN in the Request-URI acts at once: success on an INVITE is 200 with an SDP answer
 * whose stream is inactive, then BYE after the ACK; a refusal is 403 with a Reason, the same for
 * every cause. The login code alone in an INVITE opens the spoken dialogue: number and PIN are
 * asked for by prompts and come as telephone-events (RFC 4733) or by INFO (application/dtmf-relay,
 * application/dtmf, application/vnd.nortelnetworks.digits), or as a code in the Request-URI of an
 * INFO; the result is said, then BYE. The logout code alone says goodbye, the toggle does one or
 * the other. Every way ends in one desk command.
 *
 * A user's code changes what the user who is logged in there has set: 200 and BYE after the commit,
 * and 403 where nobody is logged in or it cannot be; a target that the user's class of service does
 * not allow is refused with a phrase and Warning that say so.
 *
 * Layer: 4.  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_FEATURE_H
#define HOTDESK_FEATURE_H

#include "hotdesk/desk_operation.h"
#include "hotdesk/device.h"
#include "hotdesk/media.h"
#include "hotdesk/plan.h"
#include "hotdesk/sip/agent.h"
#include "hotdesk/store.h"

struct hd_features;

/** What is said: DIRECTORY/LANGUAGE/NAME.wav (hd_sound_load()); tones where there is no file. */
struct hd_prompts;
/** Reads files: not on the SIP thread. @return 0 or HD_ENOMEM; what is missing is in the log */
HD_MUSTCHECK int hd_prompts_load(struct hd_prompts **pp, const char *directory);
/** NULL-safe. */
void hd_prompts_unref(struct hd_prompts *prompts);

/** Of the spoken dialogue. */
struct hd_dialogue_policy {
	uint32_t tries;			    /* numbers and PINs that may be wrong; 3 */
	uint32_t first_ms;		    /* to the first key after a prompt; 10000 */
	uint32_t digit_ms;		    /* to the next key; then the field is complete; 5000 */
	uint32_t reminders;		    /* when no key comes, before it ends; 2 */
	uint32_t number_length, pin_length; /* complete at this length; 0: not by length */
	uint32_t per_phone;		    /* open at once; one more ends the oldest */
	uint32_t silent_s; /* without any RTP of a phone that had sent some: it is gone */
	char language[HD_LANGUAGE_SIZE];  /* "": as the phone says */
	char address[HD_MEDIA_HOST_SIZE]; /* ours, in SDP; "": the one that leads to the phone */
};

struct hd_features_options {
	struct hd_agent *agent; /* all borrowed */
	struct hd_store *store;
	struct hd_directory *dir;
	struct hd_desk *desk;
	struct hd_operations *operations;   /* of the SIP thread */
	struct hd_settings_store *settings; /* NULL: users' codes are refused */
	struct hd_device *device;	    /* NULL: those of keys are */
	const struct hd_planner *planner;   /* of the SIP thread; NULL: every target is allowed */
	struct hd_feature_codes codes;
	uint32_t dialogue_s, dialogues_max;
	uint32_t t1_ms, t2_ms;
	const struct hd_clock *clock;
	struct hd_media *media;	    /* NULL: dialogues without sound, by INFO alone */
	struct hd_prompts *prompts; /* moved; needed with media */
	struct hd_dialogue_policy dialogue;
	/** The first login dialogue of a phone begins, the last one ends. Or NULL. */
	void (*running)(void *arg, const char *phone, bool running);
	/** What the user at a phone has set is another now; a key: it is in the outbox. Or NULL. */
	void (*settings_changed)(void *arg, const char *phone, bool key);
	void *arg;
};
HD_MUSTCHECK int hd_features_new(struct hd_features **fp,
				 const struct hd_features_options *options);
void hd_features_free(struct hd_features *features);
void hd_features_set_policy(struct hd_features *features, const struct hd_feature_codes *codes,
			    uint32_t dialogue_s, uint32_t dialogues_max);
/** For dialogues that begin from now on; prompts is moved, NULL keeps those that there are. */
void hd_features_set_dialogue(struct hd_features *features, const struct hd_dialogue_policy *policy,
			      struct hd_prompts *prompts);

/** Whether there is a voicemail for who forwards to no number; false at first. */
void hd_features_set_voicemail(struct hd_features *features, bool has_voicemail);
/** Keys that a user may have by HD_USER_CODE_SPEED_DIAL; 0 at first. */
void hd_features_set_keys_max(struct hd_features *features, uint32_t keys_max);

/**
 * An INVITE or INFO of an authenticated phone whose Request-URI is a feature code (parsed, wiped by
 * the caller afterwards). Ends the request. Other methods get 405.
 */
void hd_features_receive(struct hd_features *features, struct hd_request *req, const char *phone,
			 const struct hd_feature *code);
/**
 * An INVITE to a code that somebody else sees to: 200 and, after the ACK, BYE; ends the request.
 * @param code  of the configuration: what our Contact says
 * @param ended once, when the phone's call is over; not when the features end before
 * @return false: it was answered otherwise, and `ended` does not come
 */
HD_MUSTCHECK bool hd_features_answer(struct hd_features *features, struct hd_request *req,
				     const char *phone, const char *code, void (*ended)(void *arg),
				     void *arg);
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
