/*
 * hoteling.h - login by the event package x-broadworks-hoteling: Guest In and Guest Out of phones.
 *
 * A phone subscribes to its own address and is told who the guest is. A SUBSCRIBE inside the dialog
 * with SetHoteling asks for a login (guestAddress) or a logout (an empty one). A login is answered
 * by a NOTIFY with a nonce, and the phone proves the PIN by MD5(nonce ":" PIN) in another
 * SUBSCRIBE. A nonce is good for one answer of one subscription and one number, and for nonce_s.
 * The outcome is a NOTIFY: whoever is the guest then, nobody after a refusal, whatever its reason.
 * The desk operation is the same as for every other way, lock-outs included; users without
 * `hoteling` (settings.h) are refused as for a wrong PIN.
 *
 * A guest who came this way is logged out after association_s, not during a call. Each phone's
 * state is pushed whichever way it was changed.
 *
 * Layer: 4 (feature).  May include: sip, xml, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_HOTELING_H
#define HOTDESK_HOTELING_H

#include "hotdesk/desk_operation.h"
#include "hotdesk/settings.h"
#include "hotdesk/sip/notifier.h"

struct hd_hoteling;

struct hd_hoteling_options {
	struct hd_agent *agent; /* all borrowed */
	struct hd_notifier *notifier;
	struct hd_store *store;
	struct hd_desk *desk;
	struct hd_settings_store *settings;
	struct hd_operations *operations;
	const struct hd_clock *clock;
	uint32_t nonce_s;
	uint32_t association_s; /* 0: no limit */
	/** Whether a phone has a call; or NULL. */
	bool (*busy)(void *arg, const char *phone);
	void *arg;
};
/** Adds the package to the notifier. @return 0, HD_EINVAL, or as hd_notifier_add() */
HD_MUSTCHECK int hd_hoteling_new(struct hd_hoteling **hp,
				 const struct hd_hoteling_options *options);
/** After the notifier. NULL-safe. */
void hd_hoteling_free(struct hd_hoteling *h);
/** For nonces and guests from now on. */
void hd_hoteling_set_limits(struct hd_hoteling *h, uint32_t nonce_s, uint32_t association_s);
/** At start: guests who came before. */
void hd_hoteling_start(struct hd_hoteling *h);
/** Who sits at a phone has changed. */
void hd_hoteling_phone_changed(struct hd_hoteling *h, const char *phone);

#endif
