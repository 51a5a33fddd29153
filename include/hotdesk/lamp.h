/*
 * lamp.h - `Event: dialog` (RFC 4235): the lamp on the Login key, and busy lamps.
 *
 * A phone that subscribes to one of our feature codes sees itself: off while it is free
 * (terminated), flashing while it types number and PIN (early), on while somebody is logged in
 * (confirmed). A phone that subscribes to a user's number sees that user's calls, at whatever phone
 * the user has them; one that subscribes to a phone's id sees the calls there. Each document is the
 * full state; a resource without a dialog has one that is terminated, because some phones do not
 * put out the lamp for an empty list.
 *
 * Who called without showing a number is anonymous here, too. Call-IDs and tags are not told:
 * they would let any phone take a call over (RFC 3891).
 *
 * Layer: 4 (notify).  May include: sip, xml, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_LAMP_H
#define HOTDESK_LAMP_H

#include "hotdesk/desk.h"
#include "hotdesk/plan.h"
#include "hotdesk/sip/notifier.h"
#include "hotdesk/store.h"

struct hd_lamps;

enum hd_lamp_state { HD_LAMP_TRYING, HD_LAMP_EARLY, HD_LAMP_CONFIRMED };

/** A call as one side of it sees it; texts are borrowed. */
struct hd_lamp_call {
	uint64_t id;
	enum hd_lamp_state state;
	bool recipient;		 /* it was called */
	const char *remote_uri;	 /* "" : not known */
	const char *remote_name; /* UTF-8, or "" */
	bool withheld;		 /* the other side does not want to be known */
	int64_t answered_ms;	 /* wall clock; 0: not yet */
};
typedef void hd_lamp_call_fn(void *arg, const struct hd_lamp_call *call);

struct hd_lamps_options {
	struct hd_notifier *notifier; /* all borrowed */
	struct hd_store *store;
	struct hd_directory *directory;
	struct hd_desk *desk;
	const struct hd_clock *clock;
	struct hd_feature_codes codes;
	/** Gives the calls in progress of a user, or of a phone: one of both is NULL. */
	void (*walk_calls)(void *arg, const char *user, const char *phone, hd_lamp_call_fn *fn,
			   void *fn_arg);
	void *arg;
};
/** Adds the package to the notifier. @return 0, HD_EINVAL, or as hd_notifier_add() */
HD_MUSTCHECK int hd_lamps_new(struct hd_lamps **lp, const struct hd_lamps_options *options);
/** After the notifier. NULL-safe. */
void hd_lamps_free(struct hd_lamps *lamps);
void hd_lamps_set_codes(struct hd_lamps *lamps, const struct hd_feature_codes *codes);

/** A login dialogue begins or ends at a phone. */
void hd_lamps_set_dialogue(struct hd_lamps *lamps, const char *phone, bool running);
bool hd_lamps_in_dialogue(const struct hd_lamps *lamps, const char *phone);
/** A phone's own lamp may have changed: login, logout. */
void hd_lamps_phone_changed(struct hd_lamps *lamps, const char *phone);
/** Calls of a user or a phone have changed; NULL or "" for none. */
void hd_lamps_calls_changed(struct hd_lamps *lamps, const char *user, const char *phone);

#endif
