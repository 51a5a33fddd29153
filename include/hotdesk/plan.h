/*
 * plan.h - from a request to what is to be done with it: feature code, phone, or a refusal.
 *
 * Values in, values out: no SIP message. The proxy and the feature module act on what it says.
 *
 * Layer: 2.  May include: base, store, directory, location, desk, settings.  Thread: any; inside a
 * snapshot.
 */
#ifndef HOTDESK_PLAN_H
#define HOTDESK_PLAN_H

#include "hotdesk/base/uri.h"
#include "hotdesk/callback.h"
#include "hotdesk/desk.h"
#include "hotdesk/directory.h"
#include "hotdesk/location.h"
#include "hotdesk/number.h"
#include "hotdesk/settings.h"

enum { HD_FEATURE_CODE_SIZE = 17 };

/** What users dial for themselves at the phone where they are; X(name, a number may follow). */
#define HD_USER_CODE_LIST(X)                                                                       \
	X(DND_ON, false)                                                                           \
	X(DND_OFF, false)                                                                          \
	X(DND_TOGGLE, false)                                                                       \
	X(FORWARD_ALWAYS, true)                                                                    \
	X(FORWARD_ALWAYS_OFF, false)                                                               \
	X(FORWARD_BUSY, true)                                                                      \
	X(FORWARD_BUSY_OFF, false)                                                                 \
	X(FORWARD_NO_ANSWER, true)                                                                 \
	X(FORWARD_NO_ANSWER_OFF, false)                                                            \
	X(FORWARD_NOT_LOGGED_IN, true)                                                             \
	X(FORWARD_NOT_LOGGED_IN_OFF, false)                                                        \
	X(RINGS, true)                                                                             \
	X(PICKUP, true)                                                                            \
	X(SPEED_DIAL, true)
enum hd_user_code {
	HD_USER_CODE_NONE, /* login, logout or toggle */
#define HD_USER_CODE_ENUM(name, number) HD_USER_CODE_##name,
	HD_USER_CODE_LIST(HD_USER_CODE_ENUM)
#undef HD_USER_CODE_ENUM
		HD_USER_CODES
};

/** The codes of the configuration; a code is 1..16 of 0-9 * # A-D, or "" for none. */
struct hd_feature_codes {
	char login[HD_FEATURE_CODE_SIZE];		/* "*771" */
	char logout[HD_FEATURE_CODE_SIZE];		/* "*772" */
	char toggle[HD_FEATURE_CODE_SIZE];		/* "*770" */
	char user[HD_USER_CODES][HD_FEATURE_CODE_SIZE]; /* the first one is none */
};

/**
 * A recognised code: CODE, CODE*NUMBER*PIN, with an optional final '#'. The longest code wins;
 * NUMBER holds no '*' and no '#', PIN only digits. Wipe it after use.
 *
 * A user's code: CODE, CODE NUMBER or CODE*NUMBER, with an optional final '#'. NUMBER is digits
 * and '*', perhaps with a '+' in front; of SPEED_DIAL the key's place, '*' and what it dials.
 */
struct hd_feature {
	enum hd_user_code code;
	enum hd_desk_event event; /* of HD_USER_CODE_NONE */
	bool has_arguments;
	bool malformed; /* begins as a code but is none of the forms: refuse, never route it on */
	char number[HD_NUMBER_SIZE];
	char pin[HD_PIN_SIZE];
};
/**
 * @param user the user part of the Request-URI, still escaped (%23, %2A accepted)
 * @return 0; HD_ENOENT: no feature code; HD_EINVAL
 */
HD_MUSTCHECK int hd_feature_parse(struct hd_feature *feature, const struct hd_feature_codes *codes,
				  struct hd_slice user);
/**
 * The user part for the log: "*771*201*471147" gives "*771*201*...", and what only looks like a
 * mistyped code is cut as well. Behind a user's code only a number of digits is shown. dst has
 * room for 64.
 */
void hd_feature_mask(char *dst, size_t size, const struct hd_feature_codes *codes,
		     struct hd_slice user);
/**
 * What a user has made a target, for log and audit: "0891234", and behind the first '*' or '#'
 * nothing, because a PIN could be there: "*...". dst has room for 64.
 */
void hd_target_mask(char *dst, size_t size, const char *to);
void hd_feature_wipe(struct hd_feature *feature);

enum hd_plan_verdict {
	HD_PLAN_PHONE,	     /* forward to `bindings`, those of `phone` and of whom they lead to */
	HD_PLAN_FEATURE,     /* `feature` is filled */
	HD_PLAN_UNKNOWN,     /* 404 */
	HD_PLAN_UNAVAILABLE, /* 480: user logged out, or the phone not registered */
	HD_PLAN_LOOP,	     /* 482: its bindings, or forwardings, lead back to itself only */
	HD_PLAN_BUSY,	     /* 486: a call to a user who does not want to be disturbed */
	HD_PLAN_OUTSIDE,     /* a number that nobody here has: `outside` */
	HD_PLAN_EMERGENCY,   /* `number` is one of the emergency numbers: no settings, no rights */
	HD_PLAN_FORBIDDEN,   /* 403: the class of service `class` does not allow it */
};

enum { HD_PLAN_FORWARDS_MAX = 10 };

/** A user whom a call leaves before it has rung there. */
struct hd_plan_forward {
	char user[HD_NUMBER_SIZE];
	char to[HD_NUMBER_SIZE]; /* as that user, or the administrator, has set it, without what
				    could be a PIN; "": too long */
	bool voicemail;		 /* nobody there is asked */
};

struct hd_plan {
	enum hd_plan_verdict verdict;
	struct hd_feature feature;
	char user[HD_NUMBER_SIZE];    /* the called user, or "" for a phone's own id */
	char phone[HD_PHONE_ID_SIZE]; /* where the request goes */
	struct hd_binding bindings[HD_BINDINGS_MAX];
	size_t n_bindings;
	/* Of a forwarded call: the user who was called first, and the last who forwarded it. */
	char called[HD_NUMBER_SIZE], diverted_by[HD_NUMBER_SIZE];
	const char *called_reason, *diverted_reason; /* of RFC 5806: why these two forwarded it */
	struct hd_plan_forward forwards[HD_PLAN_FORWARDS_MAX]; /* all of them, in that order */
	size_t n_forwards;
	const char *why; /* static text for the log: "user is logged out", ... */
	/*
	 * Of a call: what was dialled, and what it has become when nobody here has that: outside,
	 * or, HD_PLAN_UNKNOWN, perhaps an extension of a PBX behind us. "": it is no number.
	 */
	struct hd_number number, outside;
	char class[HD_CLASS_SIZE]; /* whose rights were looked at last */
};

enum { HD_DESTINATION_SIZE = 128 };

/** How numbers are dialled here, and who may dial which. Read-only. */
struct hd_dialling {
	struct hd_number_plan numbers;
	struct hd_rights *rights;
	char users[HD_CLASS_SIZE];  /* the class of users who have none of their own */
	char free[HD_CLASS_SIZE];   /* of phones without an owner where nobody is logged in */
	char closed[HD_CLASS_SIZE]; /* of phones whose owner is logged out */
	bool pickup_everybody;	    /* by number, also those of another group */
	bool outside;		    /* there is a way to numbers outside; else nobody has them */
	/*
	 * Where a user's voicemail is, and where calls to a user go who is logged out and has not
	 * said where: "": nowhere; a number or a phone's id; sip:USER@PEER, for the upstream peer
	 * of that name; a fallback also HD_FORWARD_VOICEMAIL. {number} is the user's.
	 */
	char voicemail[HD_DESTINATION_SIZE], fallback[HD_DESTINATION_SIZE];
};

struct hd_planner {
	struct hd_directory *dir; /* all borrowed */
	struct hd_location *loc;
	struct hd_desk *desk;
	struct hd_settings_store *settings; /* NULL: users have set nothing */
	struct hd_feature_codes codes;
	struct hd_callbacks *callbacks; /* NULL: none are kept */
	/* NULL: there are no numbers outside, and everybody may call everybody. */
	const struct hd_dialling *dialling;
	/** Whether a Contact is an address of ours. NULL: none is. */
	bool (*is_us)(const void *arg, const struct hd_uri *uri);
	const void *arg;
};
/**
 * RFC 3261 16.5 for a request to our domain: code, else user's number -> desk session -> phone ->
 * binding, else a phone's id -> binding. A binding to an address of ours is followed here, each
 * phone once, so that neither loops nor phones that name each other (RFC 5393) multiply a request.
 * @param user  user part of the Request-URI, escaped as it came
 * @return 0, or the store's error (answer 500)
 */
HD_MUSTCHECK int hd_plan_route(const struct hd_planner *planner, struct hd_txn *txn,
			       struct hd_slice user, int64_t now_ms, struct hd_plan *plan);
/**
 * The same for a call: what users have set counts (do not disturb, forward always), emergency
 * numbers come before everything, and numbers outside are known. A number that was dialled with
 * separators, or in full although it is of this house, finds its user.
 *
 * Whoever forwards may not make others pay for what their own class forbids: a forwarding that the
 * class of the forwarding user does not allow is HD_PLAN_FORBIDDEN. Whether the caller may call
 * `number` is hd_plan_authorize()'s to say.
 *
 * A user who is logged out, or whose phone is not registered, is reached where that user has said,
 * else at the fallback, at most once in a call. Fallback and voicemail are the administrator's, and
 * nobody's rights are looked at.
 */
HD_MUSTCHECK int hd_plan_call(const struct hd_planner *planner, struct hd_txn *txn,
			      struct hd_slice user, int64_t now_ms, struct hd_plan *plan);

/**
 * The plan of a call that a user sends on to the target of a forwarding: a number, a phone's id or
 * HD_FORWARD_VOICEMAIL. Judged by that user's class, as with hd_plan_call(); the user's own step is
 * not in `diverted_by`.
 */
HD_MUSTCHECK int hd_plan_forwarded(const struct hd_planner *planner, struct hd_txn *txn,
				   const char *by, const char *to, int64_t now_ms,
				   struct hd_plan *plan);

/**
 * The class of service of a phone: of the user who is logged in there, else of a free or closed
 * phone. Who or what cannot be read has the rights of a closed one.
 * @return 0 or the store's error
 */
HD_MUSTCHECK int hd_plan_class(const struct hd_planner *planner, struct hd_txn *txn,
			       const char *phone, char class[HD_CLASS_SIZE]);
/** Of a user. */
HD_MUSTCHECK int hd_plan_class_of_user(const struct hd_planner *planner, struct hd_txn *txn,
				       const char *number, char class[HD_CLASS_SIZE]);
/**
 * Whether a user may forward to a target, before it is set: it is judged as the call would be, by
 * the user's class; rights that change afterwards are found by hd_plan_call().
 * @return 0; HD_EACCESS: the class forbids it, or it is an emergency number; HD_EINVAL: it is a
 *         feature code; HD_ENOENT: no such user; the store's error
 */
HD_MUSTCHECK int hd_plan_may_forward(const struct hd_planner *planner, struct hd_txn *txn,
				     const char *by, const char *to, int64_t now_ms);
/**
 * The same for a key of the user's: emergency numbers and codes may be dialled by everybody.
 * @return as hd_plan_may_forward(); HD_EINVAL: a code that is malformed, or has a PIN in it
 */
HD_MUSTCHECK int hd_plan_may_dial(const struct hd_planner *planner, struct hd_txn *txn,
				  const char *by, const char *to, int64_t now_ms);
/**
 * Makes the plan of a call HD_PLAN_FORBIDDEN when a class does not allow its `number`; feature
 * codes and emergency calls are everybody's.
 */
void hd_plan_authorize(const struct hd_planner *planner, const char *class, struct hd_plan *plan);

#endif
