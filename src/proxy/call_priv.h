/* call_priv.h - what the files about calls share, and what the rest of proxy/ tells them. */
#ifndef HOTDESK_CALL_PRIV_H
#define HOTDESK_CALL_PRIV_H

#include <uthash.h>

#include "proxy_priv.h"

enum call_side { CALL_CALLER, CALL_CALLEE, CALL_SIDES };

/** A place in the list of the calls of one phone or one user. */
struct call_link {
	struct call *call;
	struct call_index *index; /* NULL: in none */
	struct call_link *prev, *next;
};

struct call {
	struct hd_call call;
	struct hd_proxy *proxy;
	struct call **holder;  /* of who keeps a pointer to it: set to NULL when it is forgotten */
	uint32_t caller_tag;   /* as in the route token */
	uint32_t session_s;    /* RFC 4028; 0: none */
	int64_t until_mono_ms; /* lost then */
	int64_t doubtful_mono_ms; /* a phone of it has gone or booted: lost then; 0: not */
	struct hd_flow flow[CALL_SIDES];
	/* Hash of the Call-ID that a phone registered with; 0: not known. */
	uint32_t registration[CALL_SIDES];
	struct call_link by_phone[CALL_SIDES], by_user[CALL_SIDES];
	struct call *prev, *next; /* all */
	struct call *same;	  /* further ones of that Call-ID: it went through us twice */
	UT_hash_handle hh;
};

/* ---- call_index.c --------------------------------------------------------------------------- */

/** Follows what phone and user of a side are now; without memory it is left out. */
void call_index_set(struct call *call, enum call_side side);
void call_index_clear(struct call *call);
/** Releases what is left. */
void call_index_fini(struct call_table *table);

/* ---- call.c --------------------------------------------------------------------------------- */

/** TERMINATED: told, and released. */
void call_end(struct call *call, enum hd_call_end end);

/* ---- call_watch.c: which calls are lost ----------------------------------------------------- */

/** Something shows that it lives. session_s: as agreed now (RFC 4028); 0: as before */
void call_watch_alive(struct call *call, uint32_t session_s);
/** From now on once a second, as long as there are calls. */
void call_watch_start(struct hd_proxy *proxy);
/** What it does then. */
void call_watch_look(struct hd_proxy *proxy);

#endif
