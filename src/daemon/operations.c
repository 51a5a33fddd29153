/* operations.c - logins and logouts on the SIP and the control thread; see desk_operation.h. */
#include <string.h>

#include "daemon_priv.h"

int daemon_open_operations(struct daemon *d, struct hd_operations **osp, struct hd_mailbox *mailbox)
{
	struct hd_operations_options o = {
		.store = d->store,
		.dir = d->dir,
		.desk = d->desk,
		.worker = d->worker,
		.mailbox = mailbox,
		.clock = d->clock,
		.changed = osp == &d->operations ? daemon_desk_changed : daemon_wake_notify,
		.arg = d,
	};
	int err;

	o.pepper = d->pepper;
	conf_desk_policy(&o.policy, d->conf);
	err = hd_operations_new(osp, &o);
	hd_wipe(&o.pepper, sizeof(o.pepper));
	return err;
}
