/* user_event.h - what the packages about the user of a phone do alike. */
#ifndef NOTIFY_USER_EVENT_H
#define NOTIFY_USER_EVENT_H

#include "hotdesk/user_event.h"

/**
 * Adds a package whose functions get, as arg, `size` bytes: a copy of the options, then zeros.
 * @param ep receives them, to be released with free()
 * @return 0, HD_EINVAL (an option is missing), HD_ENOMEM, or as hd_notifier_add()
 */
HD_MUSTCHECK int user_event_open(void **ep, size_t size,
				 const struct hd_user_event_options *options,
				 const struct hd_package *package);
/** A snapshot, to be ended, and who sits at a phone: "" for nobody. @return 0, the store's error */
HD_MUSTCHECK int user_event_begin(const struct hd_user_event_options *options, const char *phone,
				  char user[HD_NUMBER_SIZE], struct hd_txn **txnp);

#endif
