/*
 * notify_priv.h - what the files of notify/ share: the set of phones that have yet to be told.
 *
 * notify.c  the set, and the events that come to it
 * resync.c  one phone: from the outbox to told
 * ask.c     a NOTIFY and its answer, challenges included
 * message.c the NOTIFY of a vendor
 * warn.c    a line of text on the screen
 * screen.c  the line on the idle screen, and what the phone itself keeps of calls
 * note.c    what came of it, in the store
 */
#ifndef NOTIFY_PRIV_H
#define NOTIFY_PRIV_H

#include <uthash.h>

#include "hotdesk/notify.h"
#include "hotdesk/sip/uac_auth.h"

/* X(name, text): where a phone stands. */
#define RESYNC_STATE_LIST(X)                                                                       \
	X(IDLE, "idle")		/* to be looked at */                                              \
	X(ASKING, "asking")	/* a NOTIFY is under way */                                        \
	X(FETCHING, "fetching") /* answered; it is to fetch before the timer */                    \
	X(STRIKING, "striking") /* told; the entry is being struck out */                          \
	X(PAUSED, "paused")	/* without success: again by the timer */                          \
	X(BUSY, "busy")		/* until its calls have ended */                                   \
	X(AWAY, "away")		/* until it registers */

enum resync_state {
#define RESYNC_STATE_ENUM(name, text) RESYNC_##name,
	RESYNC_STATE_LIST(RESYNC_STATE_ENUM)
#undef RESYNC_STATE_ENUM
};

/** Why a NOTIFY had no success; the order of resync.c's texts and of the metric. */
enum resync_failure {
	RESYNC_UNANSWERED, /* not there, or not now */
	RESYNC_REFUSED,	   /* it does not do what is asked */
	RESYNC_UNFETCHED,  /* it said yes, and did not */
};

/** The phone, as of the last look, and what it takes to write to it. */
struct resync_phone {
	struct hd_phone record;
	char secret[HD_SIP_SECRET_SIZE]; /* "": none is kept */
	const struct hd_vendor *vendor;
	struct hd_binding binding;
};

/** One phone that has yet to be told. */
struct resync {
	struct hd_notify *notify;
	char phone[HD_PHONE_ID_SIZE];
	enum resync_state state;
	uint64_t epoch;		 /* told up to here by the NOTIFY under way */
	int64_t since_ms;	 /* of that change */
	int64_t asked_at_ms;	 /* of the last NOTIFY, 0: none yet */
	int last_status;	 /* its answer */
	uint32_t tries;		 /* without success, in a row */
	uint32_t turn;		 /* of its bindings */
	enum resync_failure why; /* PAUSED */
	bool changed;		 /* the outbox has something newer than epoch */
	bool fetched;		 /* since asked_at_ms */
	bool whole;		 /* the body was all of it: there is nothing to fetch */
	bool can_fetch;		 /* there is a configuration for it here */
	bool must_fetch;	 /* to have been told */
	bool reported;
	bool was_away;
	int64_t due_mono_ms; /* of the next NOTIFY, after one without success */
	struct hd_orq *orq;
	struct hd_uac_auth *auth; /* of the NOTIFY under way; NULL: not challenged */
	char call_id[40], from_tag[9];
	uint32_t cseq;
	struct hd_sip_timer *timer; /* FETCHING, PAUSED, BUSY */
	UT_hash_handle hh;
};

struct hd_notify {
	struct hd_notify_options options;
	struct resync *resyncs;
	struct warning *warnings; /* sent, not yet answered */
	size_t n_warnings;
	struct screen *screens; /* of phones that have something yet to be told */
};

/* ---- notify.c -------------------------------------------------------------------------------- */

struct resync *notify_find(struct hd_notify *notify, const char *phone);

/* ---- resync.c -------------------------------------------------------------------------------- */

void resync_metrics_register(void);
void resync_free(struct resync *r);
/** Looks at the outbox and does what is to be done; r may be gone afterwards. */
void resync_look(struct resync *r);
/** The outbox has an entry of this epoch. */
void resync_wake(struct resync *r, uint64_t epoch);
void resync_bound(struct resync *r);
void resync_idle(struct resync *r);
void resync_fetched(struct resync *r, int64_t at_ms);
/**
 * The NOTIFY has its last answer.
 * @param response NULL: there is none, and status was made here
 */
void resync_answered(struct resync *r, const struct hd_msg *response, int status);
/** The entry was struck out, or not. */
void resync_struck_out(struct resync *r, int err);

/* ---- ask.c ----------------------------------------------------------------------------------- */

/**
 * Reads what is known of a phone; to be wiped.
 * @param turn which of its bindings, from 0, the newest
 * @return 0; HD_EGONE: not registered; HD_ENOENT: no such phone
 */
HD_MUSTCHECK int ask_read(const struct hd_notify *notify, const char *id, uint32_t turn,
			  struct resync_phone *phone);
/** An hd_uac_lookup_fn, argument a struct resync_phone: the line's own account. */
int ask_credentials(void *phone, struct hd_slice realm, struct hd_uac_credentials *credentials);
/** Sends a NOTIFY; resync_answered() follows. */
HD_MUSTCHECK int ask_send(struct resync *r, const struct resync_phone *phone);
/** Lets go of the NOTIFY under way. */
void ask_forget(struct resync *r);

/* ---- message.c ------------------------------------------------------------------------------- */

/**
 * The NOTIFY that makes this phone fetch, or that brings it what it needs: r->whole says which.
 * Its identity is r's call_id, from_tag and cseq.
 */
HD_MUSTCHECK int notify_message(struct resync *r, const struct resync_phone *phone,
				struct hd_msg **msgp);
/** A NOTIFY with an XML document of the phone's vendor. */
struct notify_document {
	const char *phone;
	const struct hd_vendor *vendor;
	const struct hd_binding *binding;
	const char *begin, *text, *end; /* the text is escaped */
	const char *call_id;		/* NULL: a new one */
	const char *from_tag;
	uint32_t cseq;
};
HD_MUSTCHECK int notify_document(const struct hd_notify *notify, const struct notify_document *d,
				 struct hd_msg **msgp);

/* ---- screen.c -------------------------------------------------------------------------------- */

void screen_bound(struct hd_notify *notify, const char *phone);
void screen_end_all(struct hd_notify *notify);

/* ---- warn.c ---------------------------------------------------------------------------------- */

void warn_end_all(struct hd_notify *notify);

/* ---- note.c ---------------------------------------------------------------------------------- */

/** Writes down that a NOTIFY was answered (or not), soon. */
void note_asked(struct resync *r);
/** Writes down that the phone was told, and strikes the entry out; resync_struck_out() follows. */
HD_MUSTCHECK int note_told(struct resync *r);

#endif
