/* caller.h - who a request of ours is from, as others are told. */
#ifndef HOTDESK_DAEMON_CALLER_H
#define HOTDESK_DAEMON_CALLER_H

#include "daemon_priv.h"

struct daemon_caller {
	char user[HD_NUMBER_SIZE]; /* who sits at the phone; "": nobody */
	/* "Anna Berg" <sip:201@example.org>; of a phone where nobody sits: its label and id. */
	struct hd_buf identity;
};

/**
 * The caller of a request of a phone, inside a read of the store.
 * @return 0, HD_ENOMEM or the store's error; daemon_caller_fini() in any case
 */
HD_MUSTCHECK int daemon_caller_read(struct daemon_caller *caller, struct daemon *d,
				    struct hd_txn *txn, const char *phone);
/** The same of a call that has begun: who sat there then. Without an identity: nobody of ours. */
HD_MUSTCHECK int daemon_caller_of_call(struct daemon_caller *caller, struct daemon *d,
				       struct hd_txn *txn, const struct hd_call *call);
/** For a target: NULL when nobody of ours calls. */
const char *daemon_caller_identity(const struct daemon_caller *caller);
void daemon_caller_fini(struct daemon_caller *caller);
/** Who sits at a phone, "" for nobody. @return 0 or the store's error */
HD_MUSTCHECK int daemon_read_occupant(struct daemon *d, struct hd_txn *txn, const char *phone,
				      char user[HD_NUMBER_SIZE]);

#endif
