/*
 * proxy.h - the stateful proxy (RFC 3261 section 16): one target, or a few of one phone (forking).
 *
 * Every dialog that is set up through us carries our Record-Route, whose user part is a token: how
 * to reach the caller and the callee, who they are, and a MAC over that and the Call-ID. So
 * requests inside a dialog need no memory here, outlive a restart, and nobody without a token of
 * ours is relayed anywhere. A phone that registers from elsewhere in between gets them there.
 *
 * Layer: 4.  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_PROXY_H
#define HOTDESK_PROXY_H

#include "hotdesk/base/secret.h"
#include "hotdesk/call.h"
#include "hotdesk/sip/agent.h"
#include "hotdesk/sip/uac_auth.h"

struct hd_proxy;
struct hd_store;
struct hd_location;

/** Values that a reload may change. */
struct hd_proxy_limits {
	uint32_t timer_c_s;
	uint32_t max_forwards, max_breadth; /* of a request that names none */
	uint32_t accepted_max;		    /* calls of which late copies are recognised */
	/* Where the identity of a target goes: P-Asserted-Identity, From. */
	bool asserts_identity, rewrites_from;
};

struct hd_proxy_options {
	struct hd_agent *agent; /* borrowed */
	const char *realm;	/* borrowed: whose credentials are removed */
	struct hd_key key;	/* copied: of the tokens; the same after a restart */
	struct hd_proxy_limits limits;
	uint32_t t1_ms, t2_ms;
	const struct hd_clock *clock; /* borrowed */
	/** Borrowed; where phones have moved to during a dialog. NULL: they have not. */
	struct hd_store *store;
	struct hd_location *location;
	uint32_t call_max_s; /* a call without a request inside its dialog is lost then; 0: 12 h */
	hd_call_fn *call;    /* told of calls (call.h), or NULL */
	/**
	 * A call is about to be refused to its caller; or NULL. It may call hd_proxy_divert().
	 * @return true: that was done, and it goes on
	 */
	bool (*refused)(void *arg, const struct hd_call *call, int status);
	/** Whose account at a target is meant: for hd_proxy_target.account; or NULL. */
	int (*credentials)(void *arg, const char *account, struct hd_slice realm,
			   struct hd_uac_credentials *credentials);
	/** Whether a URI leads to the server that an account is for; or NULL: to none. */
	bool (*is_server)(void *arg, const char *account, const struct hd_uri *uri);
	void *arg;
};
HD_MUSTCHECK int hd_proxy_new(struct hd_proxy **pp, const struct hd_proxy_options *options);
/** Ends the open response contexts. NULL-safe. */
void hd_proxy_free(struct hd_proxy *proxy);
void hd_proxy_set_limits(struct hd_proxy *proxy, const struct hd_proxy_limits *limits);
void hd_proxy_set_call_max(struct hd_proxy *proxy, uint32_t call_max_s);
/** Response contexts that are open. */
size_t hd_proxy_open(const struct hd_proxy *proxy);

/** What the Route header fields (or, from a strict router, the Request-URI) say. */
enum hd_proxy_route {
	HD_PROXY_NO_ROUTE, /* none, or only ours without a token: a request for the planner */
	HD_PROXY_DIALOG,   /* a token of ours that fits, inside its dialog: forward by it */
	HD_PROXY_FORGED,   /* a token that does not fit */
	HD_PROXY_FOREIGN,  /* first Route is not us */
};
enum hd_proxy_route hd_proxy_classify(struct hd_proxy *proxy, struct hd_request *req);

/**
 * RFC 3261 16.3: Max-Forwards, Proxy-Require, and RFC 5393 4.2: a request that comes back to us as
 * it was before loops. RFC 6026: an INVITE that was answered 2xx and comes again is absorbed.
 * @return false: it was answered, or absorbed, and ended
 */
HD_MUSTCHECK bool hd_proxy_validate(struct hd_proxy *proxy, struct hd_request *req);

enum { HD_PROXY_TARGETS_MAX = 8, HD_PROXY_ACCOUNT_SIZE = 80 };

/** Where an initial request goes: one binding. */
struct hd_proxy_target {
	const char *contact_uri; /* becomes the Request-URI */
	const char *flow;
	const char *path;   /* of the binding, RFC 3327; NULL or "": none */
	bool outbound;	    /* the binding can be reached by its flow only (RFC 5626) */
	const char *user;   /* called number or phone, for the log */
	const char *phone;  /* who is called */
	const char *caller; /* the phone that was authenticated, or NULL */
	bool called;	    /* `user` is a user's number that was called, not the phone's id */
	const char *caller_user, *callee_user; /* who sits at those phones; NULL or "": nobody */
	const char *identity; /* caller as P-Asserted-Identity (RFC 3325) names it, or NULL */
	/*
	 * Who calls for help does not withhold who that is; whatever one target says, a 6xx too,
	 * the next is asked.
	 */
	bool emergency;
	const char *diversion; /* lines of RFC 5806 in place of what the phone sent, or NULL */
	/** What makes the phone answer by itself, in place of what the caller sent; or NULL. */
	const char *alert;
	unsigned q_permille; /* of the Contact, 0 to 1000 */
	/**
	 * A server behind us, not a phone; or NULL. Its challenges are answered here, with
	 * options.credentials for this account, and never passed on. The request goes again with
	 * another branch and the same CSeq: to raise it, a proxy would have to renumber everything
	 * in the dialog from then on, and who challenges without state (as RFC 3261 26.3.2.4
	 * wants) sees no difference. Refused credentials are as good as 503.
	 *
	 * Of several servers the one with the next lower q is asked only when this one gives no
	 * answer, cannot be reached, or says 503; whatever else it says is final.
	 */
	const char *account;
	uint32_t answer_ms; /* a call that has no answer by then, not even 100, goes on; 0: 64*T1 */
	/**
	 * Our account at a server that calls; or NULL: a phone does. Either account stands in the
	 * token: when the server challenges a request inside the dialog that was on its way to
	 * it, that is answered in the same way, and with 403 when it cannot be.
	 */
	const char *caller_account;
};
/**
 * Forwards an initial request of an authenticated phone, or an ACK without a dialog; ends it.
 * @param targets n of them, 1 to HD_PROXY_TARGETS_MAX: those with the highest q at once, those of
 * the next lower when all of these have failed
 */
void hd_proxy_forward(struct hd_proxy *proxy, struct hd_request *req,
		      const struct hd_proxy_target *targets, size_t n);
/**
 * A call rings, or is about to, where the user who is called sits no more: it is cancelled there
 * (with a Reason that keeps it out of the list of missed calls) and goes on to these targets, in
 * the same server transaction. Whoever answers first has it: the old phone, too, when its 2xx
 * crosses with the CANCEL.
 * @param id of the call
 * @return false: it has been answered, cancelled or refused by now, or no target can be reached;
 * then everything is as it was
 */
bool hd_proxy_move(struct hd_proxy *proxy, uint64_t id, const struct hd_proxy_target *targets,
		   size_t n);
/** The same to somebody else, for whom the call is from now on; whom it leaves has missed it. */
bool hd_proxy_divert(struct hd_proxy *proxy, uint64_t id, const struct hd_proxy_target *targets,
		     size_t n);
/**
 * The same to who picks it up: it is for whoever sits there from now on, and where it rang it is
 * not missed.
 */
bool hd_proxy_pick_up(struct hd_proxy *proxy, uint64_t id, const struct hd_proxy_target *targets,
		      size_t n);
/** Forwards a request (ACK included) that was HD_PROXY_DIALOG; ends it. */
void hd_proxy_forward_in_dialog(struct hd_proxy *proxy, struct hd_request *req);
/** A response to no transaction: passed on when its branch proves that we sent the request. */
void hd_proxy_response(struct hd_proxy *proxy, struct hd_msg *response);

#endif
