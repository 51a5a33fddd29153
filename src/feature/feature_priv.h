/* feature_priv.h - what the files of feature/ share. */
#ifndef HOTDESK_FEATURE_PRIV_H
#define HOTDESK_FEATURE_PRIV_H

#include <uthash.h>

#include "dialogue.h"
#include "hotdesk/feature.h"
#include "hotdesk/sip/offer.h"
#include "hotdesk/sip/overload.h"
#include "prompt.h"

enum { DIALOG_ID_SIZE = HD_SHA256_BYTES, TAG_SIZE = 64, ADDRESS_SIZE = 96, EARLY_KEYS = 32 };

struct operation;

/** What a dialog is for. */
enum dialog_kind {
	DIALOG_SILENT, /* 200, ACK, BYE: it was done by the INVITE */
	DIALOG_LOGIN,  /* number and PIN are asked for */
	DIALOG_RESULT, /* it was done, and what came of it is said */
};

/** Offer and answer with one stream of ours. */
struct session {
	struct hd_stream *stream; /* NULL: silent, inactive */
	char address[HD_MEDIA_HOST_SIZE];
	char signalling[HD_MEDIA_HOST_SIZE]; /* where their SIP comes from */
	uint64_t id;
	uint32_t version;
	uint8_t key[HD_SDP_KEY_BYTES]; /* ours, of SRTP; wiped with it */
	bool has_key, offered;	       /* our offer waits for its answer in the ACK */
	char *text;		       /* what we described last */
};

/** An INVITE dialog of which we are the UAS. */
struct dialog {
	struct hd_features *features;
	uint8_t id[DIALOG_ID_SIZE]; /* hash of Call-ID and local tag */
	struct hd_irq *irq;   /* until the ACK, for the 2xx's retransmissions (RFC 3261 13.3.1.4) */
	uint32_t invite_cseq; /* of the INVITE whose ACK is awaited */
	struct hd_orq *bye;
	struct hd_sip_timer *timer;   /* of the 2xx */
	struct hd_sip_timer *limit;   /* of it all */
	struct hd_sip_timer *talking; /* of the dialogue's silence */
	enum { WAITING_ACK, OPEN, CLOSING } state;
	enum dialog_kind kind;
	bool close_on_ack;
	uint32_t waited_ms, interval_ms;
	char phone[HD_PHONE_ID_SIZE];
	char call_id[HD_CALL_ID_SIZE];
	char local_tag[TAG_SIZE], remote_tag[TAG_SIZE * 2];
	char local_uri[2 * HD_CONTACT_SIZE], remote_uri[HD_CONTACT_SIZE]; /* of To, From */
	char remote_contact[HD_CONTACT_SIZE], local_contact[256];
	char flow[HD_FLOW_TEXT_SIZE];
	char local_address[ADDRESS_SIZE], remote_address[ADDRESS_SIZE]; /* for a SecurityEvent */
	char *routes;		    /* "Route: ...\r\n" lines of the route set, or NULL */
	uint32_t cseq, remote_cseq; /* the last of ours and of theirs */
	bool taken;		    /* a digit came with remote_cseq */
	enum hd_desk_event event;
	struct session session;
	struct hd_prompts *prompts;
	char language[HD_LANGUAGE_SIZE];
	struct dialogue dialogue; /* of kind LOGIN */
	enum prompt result[RESULT_PROMPTS_MAX];
	size_t n_result;	/* of kind RESULT */
	char early[EARLY_KEYS]; /* by RTP, which may overtake the ACK; wiped */
	size_t n_early;
	uint32_t asked;		     /* how often, for the operation's id */
	struct hd_operation *asking; /* by the dialogue's keys */
	struct operation *operation; /* by a code in an INFO */
	int64_t opened_ms;
	void (*ended)(void *arg); /* told of it; or NULL */
	void *arg;
	UT_hash_handle hh;
};

/** A request that waits for the desk's answer. */
struct operation {
	struct hd_features *features;
	struct hd_irq *irq;    /* to be answered; NULL when it was cancelled or has been */
	struct dialog *dialog; /* whose digits it came from, or NULL */
	bool invite, code_alone;
	enum hd_desk_event event;
	char phone[HD_PHONE_ID_SIZE];
	struct hd_operation *desk; /* under way, or NULL */
	struct operation *prev, *next;
};

struct hd_features {
	struct hd_features_options options;
	bool has_voicemail;
	uint32_t keys_max;
	struct setting *settings; /* under way */
	struct dialog *dialogs;
	struct operation *operations;
};

/** To be begun, with the irq of the request, or freed. NULL: the request has been ended. */
struct operation *operation_new(struct hd_features *f, struct hd_request *req,
				struct hd_irq **irqp);
/** Asks the desk and answers the irq, which it takes, by itself; dialog may be NULL. */
void operation_begin(struct operation *op, struct hd_irq *irq, struct dialog *dialog,
		     const char *phone, const struct hd_feature *code);
/** The dialog, if any, learns of it. */
void operation_free(struct operation *op);

/* ---- setting.c: what users set by code ------------------------------------------------------ */

/** Ends the request. */
void setting_begin(struct hd_features *f, struct hd_request *req, const char *phone,
		   const struct hd_feature *code);
/** Before the store goes. */
void settings_free(struct hd_features *f);

/* ---- dialog.c: life ------------------------------------------------------------------------- */

struct dialog_plan {
	const char *phone;
	const char *code;	  /* NULL: that of the event */
	void (*ended)(void *arg); /* or NULL */
	void *arg;
	enum hd_desk_event event;
	enum dialog_kind kind;
	const struct hd_operation_result *result; /* of kind RESULT */
};
/**
 * Answers an INVITE with 200 and opens the dialog; takes the irq.
 * @return false: the INVITE was answered with an error
 */
HD_MUSTCHECK bool dialog_open(struct hd_features *f, struct hd_irq *irq,
			      const struct dialog_plan *plan);
void dialog_free(struct dialog *d);
struct dialog *dialog_find(struct hd_features *f, struct hd_msg *msg);
/** Room for one more of this phone: the oldest that is too many ends. */
void dialogs_make_room(struct hd_features *f, const char *phone);

/* ---- dialog_send.c: what we send ------------------------------------------------------------ */

/** BYE with a Reason ("" for none). */
void dialog_close(struct dialog *d, const char *reason);
/** 200 to the INVITE of d->irq, again and again until its ACK. */
void dialog_send_ok(struct dialog *d);
/** Of d->timer and d->limit. */
void dialog_on_timer(void *dialog);
void dialog_on_limit(void *dialog);
void dialog_on_irq(void *dialog, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg);

/* ---- dialog_receive.c: requests inside ------------------------------------------------------ */

void dialog_receive(struct dialog *d, struct hd_request *req);
/** Status of an error of a session: 488, 400, 500. */
int status_of(int err);

/* ---- talk.c: dialogue, stream and desk brought together ------------------------------------- */

/** The ACK is there: the dialogue begins, or the result is said. */
void talk_begin(struct dialog *d);
void talk_key(struct dialog *d, char key, enum key_way way);
void talk_end(struct dialog *d);
/** Of the dialog's stream. */
extern const struct hd_stream_events talk_stream_events;
/** Of d->talking. */
void talk_on_timer(void *dialog);
/** The language of who is known by the phone alone. */
void talk_set_language(struct dialog *d, struct hd_msg *invite);

/* ---- session.c: offer and answer ------------------------------------------------------------ */

/**
 * The first offer, or none: then we make one. Opens the stream and leaves in session.text what goes
 * into the 200.
 * @return 0; HD_EUNSUPPORTED, HD_EPARSE (488); HD_EBUSY (no stream to spare); HD_ENOMEM,
 *         HD_ESYSTEM
 */
HD_MUSTCHECK int session_open(struct dialog *d, struct hd_slice offer);
/** Without sound: an inactive stream. @return as session_open() */
HD_MUSTCHECK int session_open_silent(struct dialog *d, struct hd_slice offer);
/** Another offer; on an error all stays as it is. @return as session_open() */
HD_MUSTCHECK int session_change(struct dialog *d, struct hd_slice offer);
/** The answer to our offer. @return as session_open() */
HD_MUSTCHECK int session_answered(struct dialog *d, struct hd_slice answer);
void session_close(struct session *s);

/**
 * The digit of an INFO body (phones.md 2c): application/dtmf-relay "Signal=5", application/dtmf "5"
 * or "10" for '*', "11" for '#', application/vnd.nortelnetworks.digits "d=5".
 * @return '0'..'9', '*', '#', 'A'..'D', or 0
 */
char digit_of_info(const char *content_type, struct hd_slice body);

extern const char refusal_reason[];

#endif
