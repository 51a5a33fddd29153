/* notify_world.h - a store, a phone "desk-1" and who tells it, on the stack of stack.h. */
#ifndef SIP_TIMER_NOTIFY_WORLD_H
#define SIP_TIMER_NOTIFY_WORLD_H

#include "hotdesk/notify.h"
#include "stack.h"

enum { RETRY_S = 30, RETRY_MAX_S = 100, FETCH_S = 20, TRIES = 3, RARE_S = 200 };

struct world {
	struct hd_store *store; /* its thread does not run: commit() does what it would do */
	struct hd_directory *dir;
	struct hd_desk *desk;
	struct hd_location *location;
	struct hd_device *device;
	struct hd_notify *notify;
	struct hd_desk_request login;
	struct hd_location_change change;
	struct hd_user user;
	struct hd_phone phone;
	struct hd_outbox_entry entry;
	const char *secret; /* kept for the phone; NULL: none */
	bool fetching;	    /* of the policy; notify_opens() takes it */
	bool busy;
	const char *patch; /* what the callback gives; NULL: an error */
};

/** For cmocka: *state is the struct stack, its arg the struct world. */
int world_setup(void **state);
int world_teardown(void **state);
/** A notify with the world's policy. */
void notify_opens(struct stack *s);
/** Ends it and begins another one, as a restart does. */
void notify_restarts(struct stack *s);
/** What waits for the store's thread is done. */
void commit(struct stack *s);
/** The phone is of this model from now on. */
void phone_is(struct stack *s, const char *model);
/** Its secret is kept, or (NULL) is not; the HA1s are of realm "hotdesk.test". */
void phone_has_secret(struct stack *s, const char *secret, bool kept);
void changes(struct stack *s, enum hd_desk_event event);
void registers(struct stack *s);
/** @return 0: the phone has yet to be told; HD_ENOENT: it was */
int outbox(struct stack *s);
void seen(struct stack *s, struct hd_device_seen *seen);

#endif
