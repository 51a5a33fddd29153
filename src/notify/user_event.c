/* user_event.c - see user_event.h. */
#include "user_event.h"

#include <stdlib.h>
#include <string.h>

static bool is_whole(const struct hd_user_event_options *o)
{
	return o && o->agent && o->notifier && o->store && o->desk && o->settings && o->domain &&
	       o->planner && o->clock;
}

int user_event_open(void **ep, size_t size, const struct hd_user_event_options *options,
		    const struct hd_package *package)
{
	struct hd_package added = *package;
	void *e;
	int err;

	if (!is_whole(options))
		return HD_EINVAL;
	e = calloc(1, size);
	if (!e)
		return HD_ENOMEM;
	memcpy(e, options, sizeof(*options));
	added.arg = e;
	err = hd_notifier_add(options->notifier, &added);
	if (err)
		free(e);
	else
		*ep = e;
	return err;
}

int user_event_begin(const struct hd_user_event_options *o, const char *phone,
		     char user[HD_NUMBER_SIZE], struct hd_txn **txnp)
{
	struct hd_desk_session session;
	int err = hd_store_begin_read(o->store, txnp);

	user[0] = '\0';
	if (err)
		return err;
	err = hd_desk_get_by_phone(o->desk, *txnp, phone, &session);
	if (!err)
		memcpy(user, session.user, HD_NUMBER_SIZE);
	if (!err || err == HD_ENOENT)
		return 0;
	hd_store_end_read(*txnp);
	return err;
}
