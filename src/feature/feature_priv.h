/* feature_priv.h - what the files of feature/ share. */
#ifndef HOTDESK_FEATURE_PRIV_H
#define HOTDESK_FEATURE_PRIV_H

#include <uthash.h>

#include "hotdesk/feature.h"
#include "hotdesk/sip/overload.h"

enum {
	DIALOG_ID_SIZE = HD_SHA256_BYTES,
	TAG_SIZE = 64,
	DIGITS_SIZE = HD_NUMBER_SIZE + HD_PIN_SIZE
};

struct operation;

/** An INVITE dialog of which we are the UAS. */
struct dialog {
	struct hd_features *features;
	uint8_t id[DIALOG_ID_SIZE]; /* hash of Call-ID and local tag */
	struct hd_irq *irq; /* until the ACK, for the 2xx's retransmissions (RFC 3261 13.3.1.4) */
	struct hd_orq *bye;
	struct hd_sip_timer *timer;
	enum { WAITING_ACK, OPEN, CLOSING } state;
	bool close_on_ack;
	uint32_t waited_ms, interval_ms;
	char phone[HD_PHONE_ID_SIZE];
	char call_id[HD_CALL_ID_SIZE];
	char local_tag[TAG_SIZE], remote_tag[TAG_SIZE * 2];
	char local_uri[2 * HD_CONTACT_SIZE], remote_uri[HD_CONTACT_SIZE]; /* of To, From */
	char remote_contact[HD_CONTACT_SIZE], local_contact[256];
	char flow[HD_FLOW_TEXT_SIZE];
	char *routes;		    /* "Route: ...\r\n" lines of the route set, or NULL */
	char *answer;		    /* SDP */
	uint32_t cseq, remote_cseq; /* the last of ours and of theirs */
	bool taken;		    /* a digit came with remote_cseq */
	enum hd_desk_event event;
	char digits[DIGITS_SIZE];
	size_t n_digits, n_hash;
	struct operation *operation; /* under way */
	UT_hash_handle hh;
};

/** A request that waits for the desk's answer. */
struct operation {
	struct hd_features *features;
	struct hd_irq *irq;    /* to be answered; NULL when it was cancelled or has been */
	struct dialog *dialog; /* whose digits it came from, or NULL */
	bool invite;
	enum hd_desk_event event;
	char phone[HD_PHONE_ID_SIZE];
	struct hd_operation *desk; /* under way, or NULL */
	struct operation *prev, *next;
};

struct hd_features {
	struct hd_features_options options;
	struct dialog *dialogs;
	struct operation *operations;
};

/** NULL without memory. Give it to hd_irq_new() with operation_on_irq(), then begin or free it. */
struct operation *operation_new(struct hd_features *f);
void operation_on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg);
/** Asks the desk and answers the irq, which it takes, by itself; dialog may be NULL. */
void operation_begin(struct operation *op, struct hd_irq *irq, struct dialog *dialog,
		     const char *phone, const struct hd_feature *code);
/** The dialog, if any, learns of it. */
void operation_free(struct operation *op);

/**
 * Answers an INVITE with 200 and opens the dialog; takes the irq. With close_on_ack the BYE follows
 * the ACK; without, digits are awaited.
 * @return false: the INVITE was answered with an error
 */
HD_MUSTCHECK bool dialog_open(struct hd_features *f, struct hd_irq *irq, const char *phone,
			      enum hd_desk_event event, bool close_on_ack);
/** BYE with a Reason ("" for none). */
void dialog_close(struct dialog *d, const char *reason);
void dialog_free(struct dialog *d);
struct dialog *dialog_find(struct hd_features *f, struct hd_msg *msg);
void dialog_receive(struct dialog *d, struct hd_request *req);

/**
 * The digit of an INFO body (phones.md 2c): application/dtmf-relay "Signal=5", application/dtmf "5"
 * or "10" for '*', "11" for '#'.
 * @return '0'..'9', '*', '#', 'A'..'D', or 0
 */
char digit_of_info(const char *content_type, struct hd_slice body);

extern const char refusal_reason[];

#endif
