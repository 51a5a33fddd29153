/* proxy_priv.h - what the files of proxy/ share. */
#ifndef HOTDESK_PROXY_PRIV_H
#define HOTDESK_PROXY_PRIV_H

#include <stdbool.h>

#include "hotdesk/location.h"
#include "hotdesk/proxy.h"

struct accepted_table;
struct alias;
struct response_context;
struct call;

/** Every call in progress; see call_priv.h. */
struct call_table {
	struct call *by_call_id, *all, *at; /* at: whose turn it is to be looked at */
	struct call_index *indexes;
	size_t n;
	uint64_t id;
	struct hd_sip_timer *timer;
	bool ticking;
};

struct hd_proxy {
	struct hd_proxy_options options;
	struct response_context *contexts; /* by Call-ID and CSeq, INVITE only; uthash */
	struct response_context *open;	   /* every one, linked */
	size_t n_open;
	struct call_table calls;
	struct accepted_table *accepted;
	struct hd_key alias_key;
};

/** What our Record-Route carries. */
struct route_token {
	uint32_t caller_tag; /* hash of the caller's From tag: tells the direction */
	struct hd_flow caller, callee;
	bool caller_flow_only; /* the caller's Contact cannot be reached, only its flow */
	bool callee_flow_only;
	bool caller_no_other, callee_no_other; /* once that has closed, nothing leads there */
	int64_t since_ms;		       /* wall clock */
	char caller_phone[HD_PHONE_ID_SIZE], callee_phone[HD_PHONE_ID_SIZE];
	char account[HD_PROXY_ACCOUNT_SIZE]; /* of ours where one side is a server; or "" */
	bool caller_is_server;		     /* that side */
	bool caller_private;		     /* veil.h; this is sealed then */
};
enum { TOKEN_SIZE = 500 };

/** dst has room for TOKEN_SIZE. */
void route_token_format(char *dst, const struct hd_key *key, const char *call_id,
			const struct route_token *token);
/** @return 0; HD_ENOENT: no token at all; HD_EACCESS: forged, or of another call */
HD_MUSTCHECK int route_token_parse(struct route_token *token, const struct hd_key *key,
				   const char *call_id, struct hd_slice user);
uint32_t route_tag_hash(const char *tag);

/** Puts into a token whose flows those are, as far as they are registered. */
void moved_remember(struct hd_proxy *proxy, struct route_token *token,
		    const struct hd_proxy_target *target);
/** What is registered for a phone. @return how many */
size_t moved_read(struct hd_proxy *proxy, const char *phone,
		  struct hd_binding bindings[HD_BINDINGS_MAX]);
bool moved_is_same(const struct hd_flow *one, const struct hd_flow *other);
/**
 * Where a phone is by now whose flow in the token is not registered any more.
 * @param binding receives the one with that Contact, else the newest made since the dialog began
 * @param caller which of the two
 * @return false: it is still there, or nowhere, or was not registered then
 */
bool moved_find(struct hd_binding *binding, struct hd_proxy *proxy, const struct route_token *token,
		const char *contact_uri, bool caller);

/**
 * Sends a request inside a dialog on without keeping anything (RFC 3261 16.11): its branch holds
 * where the request came to, and a MAC over that and where the response has to go. For UDP on
 * both sides, where the sender itself retransmits.
 * @param caller_flow that it came over
 * @return 0; an error: nothing was sent. fwd->msg is moved
 */
struct forward;
HD_MUSTCHECK int stateless_forward(struct hd_proxy *proxy, struct forward *fwd,
				   const char *caller_flow);

/** A request as it came, and from where. */
struct received {
	struct hd_msg *msg;
	const char *flow;
};

/** True for a sips: URI as text. */
bool secure_is_sips(const char *uri);
/** True for a request whose Request-URI, as it came, is sips:. */
bool secure_is_asked(const struct hd_msg *msg);
/** False for a sips: Request-URI on its way to a target without TLS. */
bool secure_may_leave(const char *ruri, const struct hd_target *target);
/**
 * Whether an initial request may go to a target under a new Request-URI: when it asked for sips:
 * both hops must be TLS.
 * @return 0 or HD_EUNSUPPORTED: secure_refuse()
 */
HD_MUSTCHECK int secure_check(const struct received *received, const char *ruri,
			      const struct hd_target *target);
/** 480 with the Warning of RFC 5630; ends the request. */
void secure_refuse(struct hd_request *req);
/**
 * Takes off a copy what its sender says about itself and has no right to say (RFC 3325 5).
 * @param received the request or response that it is a copy of
 * @return true: the sender is trusted, and what it says has stayed
 */
bool identity_clean(struct hd_proxy *proxy, struct hd_msg *copy, const struct hd_msg *received);
/** Takes it off where it asks for privacy and goes to somebody who is not trusted (RFC 3325 7). */
void identity_withhold(struct hd_msg *copy, bool trusted);

/** @return NULL: no memory */
struct accepted_table *accepted_table_new(void);
/** NULL-safe. */
void accepted_table_free(struct accepted_table *table);
/**
 * RFC 6026, timers L and M: the transactions of an INVITE over UDP are let go soon after the ACK of
 * its 2xx, and this is kept of them.
 * @param caller  the flow that it came over
 * @param branch  of our Via at the callee
 */
struct accepted_how {
	int64_t until_ms; /* monotonic; later than that of all before */
	bool renamed;	  /* the names of From and To are kept, for late responses */
	bool veiled;	  /* as of a struct record */
};
void accepted_add(struct hd_proxy *proxy, struct hd_msg *invite, const struct hd_flow *caller,
		  const char *branch, const struct accepted_how *how);
/** True for such an INVITE that has come again. */
bool accepted_is_repeated(struct hd_proxy *proxy, const struct hd_msg *invite);
/**
 * The caller's flow for a response of its callee that would go to it.
 * @param names receive what its From and its To get back; NULL: they stay
 * @param veiledp whether its Contact is to be veiled
 * @return NULL: it is none
 */
const struct hd_flow *accepted_caller(struct hd_proxy *proxy, const struct hd_msg *response,
				      const char *names[2], bool *veiledp);

/** What our Record-Route of a request is made of. */
struct record {
	struct route_token token;
	bool wanted; /* to be added when the hop is known */
	bool asked_secure, leaves_secure;
	bool withheld; /* identity_at_hop() */
	bool renamed;  /* From or To is another one than in the request as it came */
	bool veiled;   /* it has a Request-URI of veil.h: so will the Contact of its responses */
};
/**
 * Adds it: two where transport, family or listener differ (RFC 5658), the callee's side on top.
 * @param received what msg is a copy of
 */
HD_MUSTCHECK int record_route(struct hd_proxy *proxy, struct hd_msg *msg,
			      const struct record *record, struct hd_msg *received);

/** One request that is being forwarded to one target (RFC 3261 16.6). */
struct forward {
	struct hd_msg *msg; /* the copy to send; moved */
	struct hd_target target;
	struct record record;
	const char *what;    /* called number, for the log */
	unsigned q_permille; /* those with the highest are tried first, and all at once */
	char account[HD_PROXY_ACCOUNT_SIZE]; /* "": a phone */
	bool in_dialog, emergency;
	uint32_t answer_ms;
	/* Of a request inside a dialog until it is sent, where record.renamed. */
	const struct alias *alias;
	bool from_caller;
	/* Of an initial request, until response_context_begin() returns; else NULL. */
	const struct hd_proxy_target *initial;
};
/**
 * P-Asserted-Identity of a request that is set up: the target's identity where a trusted peer did
 * not name one; none where the caller asks for privacy (Privacy: id or user) and the target is not
 * trusted, and then, also for Privacy: header, a Contact of veil.h. A target that is a name is
 * judged when its hop is known: record.withheld.
 * @return 0, HD_EPARSE, HD_ENOMEM, or HD_ELIMIT: a Contact that is too long
 */
HD_MUSTCHECK int identity_assert(struct hd_proxy *proxy, struct forward *fwd,
				 const struct hd_proxy_target *target);
/** The same once the hop of a name is known; before its Record-Route. @return as veil_contact() */
HD_MUSTCHECK int identity_at_hop(struct hd_proxy *proxy, struct hd_msg *msg, struct record *record,
				 const struct hd_flow *hop);
/** Whether who sent an initial request is believed to say who has diverted it: a phone is not. */
bool identity_is_believed(struct hd_proxy *proxy, const struct hd_msg *received,
			  const struct hd_proxy_target *target);
/** What a phone says of that stays in the house: a server outside could take it for ours. */
void identity_clean_diversion(struct hd_proxy *proxy, struct hd_msg *copy,
			      const struct hd_msg *received, const struct hd_proxy_target *target);
/**
 * From of a request that is set up, where limits.rewrites_from: the target's identity, or anonymous
 * where the caller asks for privacy. As it came where it says the same, is anonymous, or has no tag
 * (RFC 2543: who has none is known by its From).
 * @return 0, HD_EPARSE, HD_ENOMEM, or HD_ELIMIT: it could not be put back
 */
HD_MUSTCHECK int identity_rename(struct hd_proxy *proxy, struct forward *fwd,
				 struct hd_msg *received, const struct hd_proxy_target *target);
/**
 * Makes the copy for one target, which borrows the target's texts.
 * @return 0; HD_EACCESS: a Route leads elsewhere; HD_EUNSUPPORTED: it is not secure; other errors
 */
HD_MUSTCHECK int forward_copy(struct forward *fwd, struct hd_proxy *proxy,
			      const struct received *received,
			      const struct hd_proxy_target *target);
/** Takes off a copy what is only for us, or no business of its sender. @return identity_clean() */
bool clean(struct hd_proxy *proxy, struct hd_msg *copy, const struct hd_msg *received);
void pop_own_routes(struct hd_proxy *proxy, struct hd_msg *msg);
/** A copy that lasts; msg is moved, also on error. @return 0 or HD_ENOMEM */
HD_MUSTCHECK int forward_keep(struct forward **keptp, struct forward *fwd);
/** Of a kept one. NULL-safe. */
void forward_free(struct forward *fwd);
/** The highest q first; the order of the same q stays. */
void forward_sort(struct forward *fwd, size_t n);
/**
 * Shares the Max-Breadth of a request out over those of its copies that are sent at once.
 * @param otherwise when it has none
 * @return false: there are more than that
 */
HD_MUSTCHECK bool forward_share_breadth(struct forward *fwd, size_t n, uint32_t otherwise);
/** Of a request as it came: the same when it comes back to be sent the same way. */
uint32_t forward_loop_hash(const struct hd_msg *msg);

/**
 * Makes the server transaction and the response context, sends; ends the request.
 * @param fwd n of them, the highest q first; their messages are moved
 */
void response_context_begin(struct hd_proxy *proxy, struct hd_request *req, struct forward *fwd,
			    size_t n);
/** The metrics are there before the first request is. */
void response_context_metrics(void);
void response_context_end_all(struct hd_proxy *proxy);
/** The ACK for a 2xx has passed: the context need not wait long, accepted_add() keeps the rest. */
void response_context_acked(struct hd_proxy *proxy, const char *call_id, uint32_t cseq);

/* ---- calls in progress (call.c) ------------------------------------------------------------- */

void calls_init(struct hd_proxy *proxy);
void calls_fini(struct hd_proxy *proxy);
void moves_init(void);
/** The metrics of challenge.c. */
void challenge_metrics(void);
/** A request inside a dialog, its target set: whether, and as whom, its challenges are answered. */
void challenge_expect(struct hd_proxy *proxy, struct forward *fwd, const struct route_token *token);
/**
 * An initial INVITE is being sent on.
 * @param holder receives the call and must stay where it is: it is NULL again when the call has
 * been answered or has ended; NULL from the start without memory
 */
void call_begin(struct call **holder, struct hd_proxy *proxy, struct hd_msg *msg,
		const struct forward *fwd);
/** It rings at another phone from now on: what the first of these targets says. */
void call_moved(struct call *call, const struct forward *fwd, bool divert);
void call_provisional(struct call *call, int status, const struct hd_msg *response);
/** @param token of the branch that answered */
void call_answered(struct call *call, struct hd_msg *response, const struct route_token *token);
/** CANCEL has come; what ends it comes later. cancel: or NULL */
void call_cancelled(struct call *call, struct hd_msg *cancel);
/** response: or NULL, when it was made here */
void call_refused(struct call *call, int status, struct hd_msg *response);
/** A request inside a dialog, ACK but not CANCEL, is being sent on. */
void calls_note_request(struct hd_proxy *proxy, struct hd_msg *msg,
			const struct route_token *token);
/** A final response to one; response NULL: none came, or none from the other side. */
void calls_note_response(struct hd_proxy *proxy, struct hd_msg *request, struct hd_msg *response,
			 int status);

#endif
