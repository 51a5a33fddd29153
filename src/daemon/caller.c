/* caller.c - see caller.h. */
#include "caller.h"

#include <string.h>

int daemon_read_occupant(struct daemon *d, struct hd_txn *txn, const char *phone,
			 char user[HD_NUMBER_SIZE])
{
	struct hd_desk_session session;
	int err = hd_desk_get_by_phone(d->desk, txn, phone, &session);

	user[0] = '\0';
	if (!err)
		memcpy(user, session.user, HD_NUMBER_SIZE);
	return err == HD_ENOENT ? 0 : err;
}

/* A call without a name is better than none. */
static void read_name(struct daemon *d, struct hd_txn *txn, const struct daemon_caller *caller,
		      const char *phone, char name[HD_NAME_SIZE])
{
	struct hd_phone record;
	struct hd_user user;

	name[0] = '\0';
	if (!caller->user[0]) {
		if (!hd_phone_get(d->dir, txn, phone, &record))
			memcpy(name, record.label, HD_NAME_SIZE);
		hd_wipe(&record, sizeof(record));
	} else if (!hd_user_get(d->dir, txn, caller->user, &user)) {
		memcpy(name, user.name, HD_NAME_SIZE);
		hd_wipe(&user, sizeof(user));
	}
}

static int make_identity(struct daemon_caller *caller, struct daemon *d, struct hd_txn *txn,
			 const char *phone)
{
	struct hd_buf *b = &caller->identity;
	char name[HD_NAME_SIZE];

	read_name(d, txn, caller, phone, name);
	if (name[0]) {
		hd_buf_add_quoted(b, hd_slice_of(name));
		hd_buf_adds(b, " ");
	}
	hd_buf_adds(b, "<sip:");
	hd_uri_escape_user(b, hd_slice_of(caller->user[0] ? caller->user : phone));
	hd_buf_addf(b, "@%s>", d->domain_copy);
	return hd_buf_error(b);
}

int daemon_caller_read(struct daemon_caller *caller, struct daemon *d, struct hd_txn *txn,
		       const char *phone)
{
	int err;

	memset(caller, 0, sizeof(*caller));
	err = daemon_read_occupant(d, txn, phone, caller->user);
	return err ? err : make_identity(caller, d, txn, phone);
}

int daemon_caller_of_call(struct daemon_caller *caller, struct daemon *d, struct hd_txn *txn,
			  const struct hd_call *call)
{
	memset(caller, 0, sizeof(*caller));
	memcpy(caller->user, call->caller.user, HD_NUMBER_SIZE);
	return call->caller.phone[0] ? make_identity(caller, d, txn, call->caller.phone) : 0;
}

const char *daemon_caller_identity(const struct daemon_caller *caller)
{
	return caller->identity.len ? hd_buf_text(&caller->identity) : NULL;
}

void daemon_caller_fini(struct daemon_caller *caller)
{
	hd_buf_fini(&caller->identity);
}
