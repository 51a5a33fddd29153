/*
 * call.h - calls in progress: what the proxy sees of each INVITE dialog that goes through it.
 *
 * A call begins with an initial INVITE that is forwarded, and ends with its final failure, a BYE,
 * or when nothing shows any more that it lives: a session timer that ran out (RFC 4028), a phone
 * that has booted or gone since, or the longest time without a request inside the dialog. The
 * dialog itself needs none of this (proxy.h): a call that was forgotten, by a restart for example,
 * is learned again from the next INVITE, UPDATE, PRACK or INFO inside it, without users, names and
 * URIs. Dialogs of feature codes are no calls.
 *
 * Layer: 4 (proxy).  Thread: the SIP thread; a struct hd_call is plain values and may be copied.
 */
#ifndef HOTDESK_CALL_H
#define HOTDESK_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/mailbox.h"
#include "hotdesk/location.h"

struct hd_proxy;

enum hd_call_state {
	HD_CALL_TRYING,	    /* INVITE sent on */
	HD_CALL_EARLY,	    /* a provisional response other than 100 has come */
	HD_CALL_CONFIRMED,  /* answered */
	HD_CALL_TERMINATED, /* is told once, then the call is forgotten */
};

enum hd_call_end {
	HD_CALL_OPEN,	     /* not TERMINATED */
	HD_CALL_REFUSED,     /* not answered: `status` */
	HD_CALL_CANCELLED,   /* by the caller, before it was answered */
	HD_CALL_CALLER_LEFT, /* BYE */
	HD_CALL_CALLEE_LEFT,
	HD_CALL_LOST, /* 481 or 408 inside the dialog, timer ran out, phone gone: see above */
};

enum { HD_CALL_TAG_SIZE = 128, HD_CALL_URI_SIZE = 256 };

struct hd_call_party {
	char phone[HD_PHONE_ID_SIZE]; /* "" : not known */
	char user[HD_NUMBER_SIZE];    /* who sat there when the call began; "" : nobody, unknown */
	char uri[HD_CALL_URI_SIZE];   /* of From, To: as presented, without parameters */
	char name[HD_NAME_SIZE];      /* display name, UTF-8 without controls, "" : none */
};

struct hd_call {
	uint64_t id;			 /* of this life of the daemon: grows */
	char call_id[HD_CALL_ID_SIZE];	 /* cut when longer */
	char from_tag[HD_CALL_TAG_SIZE]; /* of the caller; "" when longer than any phone's */
	char to_tag[HD_CALL_TAG_SIZE];	 /* of the callee: who rings or has answered, or "" */
	struct hd_call_party caller, callee;
	char dialled[HD_CALL_URI_SIZE];	    /* Request-URI as it came */
	char diverted_by[HD_CALL_URI_SIZE]; /* of the last who forwarded it (RFC 5806), or "" */
	enum hd_call_state state;
	enum hd_call_end end;
	int status;	/* of the last response to the INVITE, 200 to 299 once CONFIRMED; or 0 */
	int cause;	/* Q.850, of a Reason (RFC 3326) in what ended it; 0: none */
	bool elsewhere; /* its CANCEL says that the call was completed elsewhere */
	bool to_user;	/* a user was called, no phone: while it rings it follows the user */
	bool withheld;	/* the caller asked for privacy (RFC 3323) or is anonymous */
	bool learned;	/* again: users, names and URIs are not known */
	char moved_from[HD_PHONE_ID_SIZE]; /* only while it is told: the callee's phone before */
	/* Wall clock; 0: has not happened. started_ms is kept when it is learned again. */
	int64_t started_ms, ringing_ms, answered_ms, ended_ms;
};

struct hd_msg;
/** What an INVITE says of its call: Call-ID, tag, names, URIs, privacy; nothing else is touched. */
void hd_call_describe(struct hd_call *call, struct hd_msg *invite);

/** @return "trying", "early", "confirmed", "terminated" */
const char *hd_call_state_name(enum hd_call_state state);

/**
 * Told of each call that begins, changes its state (or, while it rings, its callee's phone or tag)
 * or ends. A call that was not known may be told as TERMINATED at once: its BYE came, maybe
 * repeated. `call` stays where it is until it has been told as TERMINATED, and is borrowed; the
 * function must not call into the proxy but for those below.
 */
typedef void hd_call_fn(void *arg, const struct hd_call *call);

/** Calls of a phone that are not TERMINATED. */
unsigned hd_proxy_calls_of_phone(const struct hd_proxy *proxy, const char *phone);
/** Calls in progress. */
size_t hd_proxy_calls(const struct hd_proxy *proxy);
/** Walks; nothing may be changed meanwhile. A call from a phone to itself comes twice in the 2nd.
 */
void hd_proxy_walk_calls(const struct hd_proxy *proxy, hd_call_fn *fn, void *arg);
void hd_proxy_walk_calls_of_phone(const struct hd_proxy *proxy, const char *phone, hd_call_fn *fn,
				  void *arg);
void hd_proxy_walk_calls_of_user(const struct hd_proxy *proxy, const char *user, hd_call_fn *fn,
				 void *arg);

/**
 * A question of another thread: which of these phones are busy, and which calls are there. Posted
 * to the agent's mailbox by hd_calls_ask(), answered to reply_to. The asker owns it, zeroed but
 * for the first part, and must not touch it until `done`.
 */
struct hd_calls_question {
	struct hd_mailbox *reply_to;
	void (*done)(struct hd_calls_question *question);
	const char (*phones)[HD_PHONE_ID_SIZE]; /* n_phones of them, or NULL */
	size_t n_phones;
	char user[HD_NUMBER_SIZE]; /* copy the calls of this user, else of all */
	size_t calls_max;	   /* copy at most so many */
	/* answer */
	unsigned *busy;	       /* calls of each phone; room for n_phones */
	struct hd_call *calls; /* allocated, to be released with free(); NULL: none */
	size_t n_calls, calls_total;
	int err; /* 0, HD_ENOMEM, or HD_ESHUTDOWN: there is no proxy any more */
	/* the proxy's own */
	struct hd_proxy *const *proxy;
	struct hd_task task;
};
/** @param proxy where the pointer is: read on the SIP thread; NULL there means it has ended */
void hd_calls_ask(struct hd_mailbox *sip, struct hd_proxy *const *proxy,
		  struct hd_calls_question *question);

#endif
