/* desk_priv.h - what the files of desk/ share; the record decoders are fuzzed. */
#ifndef DESK_PRIV_H
#define DESK_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "hotdesk/audit.h"
#include "hotdesk/base/record.h"
#include "hotdesk/desk.h"

enum {
	HD_SESSION_VERSION = 1,
	HD_OP_VERSION = 1,
	HD_LOCKOUT_VERSION = 1,
	HD_OUTBOX_VERSION = 1,
	HD_AUDIT_VERSION = 1,
	HD_OPS_KEPT = 4, /* a phone */
	HD_DESK_RECORD_MAX = 2048,
};

struct hd_desk {
	struct hd_directory *dir; /* borrowed */
	unsigned users;		  /* number -> session */
	unsigned phones;	  /* phone id -> the same session */
	unsigned ops;		  /* phone id -> its last operations */
	unsigned lockouts;	  /* see lockout.c */
	unsigned outbox;	  /* phone id -> epoch, since */
	unsigned audit;		  /* epoch, sequence -> entry */
	char dummy[HD_PIN_HASH_SIZE];
	pthread_mutex_t dummy_lock;
	_Atomic uint32_t audit_max;
};

/* desk.c: a copy of the dummy. @return 0 or HD_ESTATE */
HD_MUSTCHECK int hd_dummy_get(struct hd_desk *desk, char pin_hash[HD_PIN_HASH_SIZE]);

/* session.c */
void hd_session_encode(struct hd_encoder *e, const struct hd_desk_session *session);
void hd_session_decode(struct hd_decoder *d, struct hd_desk_session *session);
HD_MUSTCHECK int hd_session_parse(struct hd_desk_session *session, struct hd_slice record);
HD_MUSTCHECK int hd_session_begin(struct hd_desk *desk, struct hd_txn *txn,
				  const struct hd_desk_session *session);
HD_MUSTCHECK int hd_session_end(struct hd_desk *desk, struct hd_txn *txn,
				const struct hd_desk_session *session);

/* table.c: whether a toggle means logout here. */
bool hd_toggle_is_logout(enum hd_desk_occupant occupant);

/* op.c: operations that were done, newest first. */
struct hd_op {
	uint8_t opid[HD_OPID_BYTES];
	enum hd_desk_result result;
	bool locked_now;
	int64_t retry_at_ms;
	struct hd_desk_session session;
	char left_phone[HD_PHONE_ID_SIZE];
	char left_user[HD_NUMBER_SIZE];
};
struct hd_op_list {
	struct hd_op items[HD_OPS_KEPT];
	size_t n;
};
HD_MUSTCHECK int hd_op_list_encode(struct hd_encoder *e, const struct hd_op_list *list,
				   struct hd_slice *out);
HD_MUSTCHECK int hd_op_list_decode(struct hd_op_list *list, struct hd_slice record);
/* Fills the results when the operation was done before. @return 1, 0, or the store's error */
HD_MUSTCHECK int hd_op_recall(struct hd_txn *txn, struct hd_desk_request *request);
HD_MUSTCHECK int hd_op_remember(struct hd_txn *txn, const struct hd_desk_request *request);

/* lockout.c */
struct hd_lockout {
	uint32_t failures; /* in a row; of a phone 0 */
	int64_t locked_until_ms;
	int64_t last_ms;
	size_t n_tries; /* of a phone: when, oldest first */
	int64_t tries[HD_DESK_TRIES_MAX];
};
enum { HD_LOCKOUT_KEY_SIZE = 2 + HD_PHONE_ID_SIZE };
struct hd_lockout_key {
	char text[HD_LOCKOUT_KEY_SIZE];
	struct hd_slice slice;
};
HD_MUSTCHECK int hd_lockout_encode(struct hd_encoder *e, const struct hd_lockout *lockout,
				   struct hd_slice *out);
HD_MUSTCHECK int hd_lockout_decode(struct hd_lockout *lockout, struct hd_slice record);
void hd_lockout_key_set(struct hd_lockout_key *key, char kind, const char *name);
/* A missing record is one of zeros. */
HD_MUSTCHECK int hd_lockout_load(struct hd_desk *desk, struct hd_txn *txn, char kind,
				 const char *name, struct hd_lockout *lockout);
HD_MUSTCHECK int hd_lockout_save(struct hd_desk *desk, struct hd_txn *txn, char kind,
				 const char *name, const struct hd_lockout *lockout);
/* Whether the phone or the number is locked now: result becomes PHONE_LOCKED or USER_LOCKED. */
HD_MUSTCHECK int hd_lockout_check(struct hd_txn *txn, struct hd_desk_request *request, bool known);
/* One more wrong try of the number at the phone; sets locked_now and retry_at_ms. */
HD_MUSTCHECK int hd_lockout_count(struct hd_txn *txn, struct hd_desk_request *request, bool known);
HD_MUSTCHECK int hd_lockout_clear(struct hd_desk *desk, struct hd_txn *txn, char kind,
				  const char *name);

/* unknown.c: keeps the counters of numbers that do not exist (kind 'x') bounded. */
HD_MUSTCHECK int hd_unknown_save(struct hd_txn *txn, const struct hd_desk_request *request,
				 const struct hd_lockout *old, const struct hd_lockout *lockout);
HD_MUSTCHECK int hd_unknown_clear(struct hd_desk *desk, struct hd_txn *txn, const char *name);

/* audit.c; epoch and sequence are filled in. */
HD_MUSTCHECK int hd_audit_add(struct hd_desk *desk, struct hd_txn *txn,
			      struct hd_audit_entry *entry);

/* prepare.c: what the store says about a request. */
struct hd_scene {
	struct hd_phone phone;
	struct hd_user user; /* the one concerned; zero when there is none or it is unknown */
	bool known;
	const char *number; /* of the user concerned: the one typed, else the occupant; "" */
	struct hd_desk_session here, there; /* at the phone; of the user elsewhere */
	struct hd_desk_situation situation;
};
void hd_request_reset(struct hd_desk_request *request);
/* @return 1 when the phone decides (unknown, disabled): result is set; 0; the store's error */
HD_MUSTCHECK int hd_scene_read(struct hd_txn *txn, struct hd_desk_request *request,
			       struct hd_scene *scene);

/* authorize.c: may this user log in, as far as the PIN tells. */
HD_MUSTCHECK int hd_desk_authorize(struct hd_txn *txn, struct hd_desk_request *request,
				   const struct hd_scene *scene);

#endif
