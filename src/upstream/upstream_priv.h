/* upstream_priv.h - what the files of upstream/ share. */
#ifndef UPSTREAM_PRIV_H
#define UPSTREAM_PRIV_H

#include <uthash.h>

#include "hotdesk/upstream.h"

struct upstream_peer {
	struct hd_upstreams *u;
	struct hd_peer peer;
	bool up;
	int status;
	int64_t changed_ms;
	struct hd_sip_timer *timer; /* until the next OPTIONS; NULL: not probed */
	struct hd_orq *orq;	    /* while one is out */
};

enum { REGISTRATION_KEY_SIZE = HD_UPSTREAM_ACCOUNT_SIZE };

/** One of ours at a peer. */
struct registration {
	struct hd_upstreams *u;
	char key[REGISTRATION_KEY_SIZE]; /* as hd_upstream_account() */
	UT_hash_handle hh;
	char call_id[33];
	uint32_t cseq;
	uint32_t expires_s; /* what we ask for: Min-Expires may have raised it */
	uint32_t pass;	    /* the last one that wanted it */
	bool wanted;	    /* someone is logged in */
	bool registered;    /* as far as we know there is a binding of ours */
	bool noted;	    /* in the store */
	bool queued;	    /* waits for its turn */
	bool busy;	    /* it is its turn: written down, sent, or struck out */
	bool raised;	    /* a 423 was obeyed in this attempt */
	bool again;	    /* what it is about has changed: at once, and as for the first time */
	unsigned failures;  /* in a row */
	uint32_t account;   /* hash of the one that it is made with */
	struct hd_account known; /* of the last REGISTER, also when it is gone */
	/* Not NULL: an old one, at what its peer was; no more in the hash, and only to end. */
	struct hd_peer *left;
	int64_t leave_until_ms;
	struct hd_sip_timer *timer;
	struct hd_orq *orq;
	struct hd_uac_auth *auth;
	struct registration *prev, *next;     /* the queue */
	struct registration *younger, *older; /* of those that leave */
	struct hd_command command;
	bool note; /* for the command */
};

struct hd_upstreams {
	struct hd_upstreams_options o;
	struct hd_upstream_policy policy;
	struct upstream_peer *peers[HD_PEERS_MAX]; /* by order */
	size_t n_peers;
	struct hd_account account; /* that was asked for last */

	struct registration *registrations; /* by key */
	struct registration *queue;
	struct registration *leaving; /* by `older`: what is unregistered where it was */
	size_t in_flight;
	struct hd_sip_timer *pump;
	double tokens;
	int64_t filled_ms;

	struct hd_sip_timer *look; /* a pass over the desk sessions */
	char after[REGISTRATION_KEY_SIZE];
	uint32_t pass;
	bool looking, again, loaded;
};

/** @return NULL: there is no such peer (any more) */
const struct upstream_peer *peer_of_account(const struct hd_upstreams *u, const char *account);
void probe_start(struct upstream_peer *p);
void probe_stop(struct upstream_peer *p);
void probe_metrics(void);

/* ---- registrations.c: which there are to be -------------------------------------------------- */

HD_MUSTCHECK int registrations_init(struct hd_upstreams *u);
void registrations_fini(struct hd_upstreams *u);
void registrations_metrics(void);
void registration_free(struct registration *r);
/** A peer has another URI: what is registered there is to be anew. */
void registrations_renew(struct hd_upstreams *u, const char *peer);
/** What is registered at a peer as it has been is unregistered there, whatever comes instead. */
void registrations_leave(struct hd_upstreams *u, const struct hd_peer *peer);
/** @return NULL: it is configured no more */
const struct hd_peer *registration_peer(const struct registration *r);

/* ---- register.c: one REGISTER ---------------------------------------------------------------- */

/** Sends it. @return 0; an error: it cannot be sent */
HD_MUSTCHECK int register_send(struct registration *r);
/**
 * What came of it (registrations.c).
 * @param status  of the final answer; 408, 503: of our own
 * @param value_s of a 2xx, what was granted; of others Retry-After, 0: none
 */
void register_done(struct registration *r, int status, uint32_t value_s);

#endif
