/* context_priv.h - a response context and its branches (RFC 3261 16.7). */
#ifndef HOTDESK_CONTEXT_PRIV_H
#define HOTDESK_CONTEXT_PRIV_H

#include <uthash.h>

#include "hotdesk/base/peer.h"
#include "proxy_priv.h"

enum { KEY_SIZE = 132, CALL_ID_SIZE = 120 };

/** What is kept of a request to a server behind us, to send it again (challenge.c). */
struct upstream {
	struct forward fwd; /* its message is a copy without our Via */
	struct hd_uac_auth *auth;
	char uri[HD_PEER_URI_SIZE], account[HD_PROXY_ACCOUNT_SIZE], flow[HD_FLOW_TEXT_SIZE];
};

struct branch {
	struct response_context *rc;
	struct branch *next;
	struct hd_orq *orq;
	struct record record;
	/* INVITE: Timer C, then the wait for a final response or for repeated 2xx. Others: 100. */
	struct hd_sip_timer *timer;
	enum { WAITING, TRYING, PROCEEDING, CANCELLED, ACCEPTED, ENDED } state;
	bool separate;		   /* allocated by itself */
	bool moved;		   /* the user has left its phone: its failure is not the call's */
	bool emergency;		   /* the others are asked whatever this one says */
	struct upstream *upstream; /* of a server behind us; NULL: of a phone */
	struct forward *later;	 /* WAITING: its turn comes when those of a higher q have failed */
	int status;		 /* ENDED: without a 2xx */
	const char *phrase;	 /* of a status made here; NULL: the RFC's */
	char via[64];		 /* ACCEPTED: our branch, or "" */
	int64_t until_ms;	 /* ACCEPTED: monotonic, Timer M of RFC 6026 */
	struct hd_msg *response; /* with several branches: what was received, our Via removed */
};

struct response_context {
	struct hd_proxy *proxy;
	struct hd_irq *irq;
	struct call *call; /* of an initial INVITE, until it is answered; or NULL */
	bool invite;
	bool hashed;
	bool accepted;	    /* a 2xx was forwarded */
	bool acked;	    /* and the ACK of it */
	bool closed;	    /* cancelled, or a 6xx came: nothing new is tried */
	bool veiled;	    /* and their Contact a veil: veil.h */
	bool renamed;	    /* responses get the names of their request back: alias.h */
	bool tried;	    /* not an INVITE: a 100 was sent */
	char key[KEY_SIZE]; /* cut Call-ID and CSeq */
	char what[40];
	UT_hash_handle hh;
	struct response_context *prev, *next;
	struct branch *branches; /* n_branches of them */
	size_t n_branches;
	struct branch own[]; /* those it began with */
};

/** Before branch_send(). @return NULL: no memory; then its challenges are not answered */
struct upstream *upstream_new(const struct forward *fwd);
/** NULL-safe. */
void upstream_free(struct upstream *up);
/**
 * A 401 or 407 has come.
 * @return true: the request goes again, and the branch may have ended by that
 */
bool upstream_challenged(struct branch *b, struct hd_msg *response);

/** In front of the others. */
void branch_add(struct response_context *rc, struct branch *b);
/** fwd->msg is moved; the branch may have ended at once. */
void branch_send(struct branch *b, struct forward *fwd);
/** reason: of RFC 3326, or NULL */
void branch_cancel(struct branch *b, const char *reason);
void branch_end(struct branch *b, int status, const char *phrase);
bool branch_is_pending(const struct branch *b);
/** Something has ended: does what is now to be done. The context may be gone afterwards. */
void response_context_settle(struct response_context *rc);

/** Of those that have all failed, the one whose response is the caller's. */
struct branch *best_branch(struct response_context *rc);
/** When it is a challenge: those of the others as well. */
void best_add_challenges(struct response_context *rc, struct branch *best);

#endif
