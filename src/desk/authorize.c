/* authorize.c - whether the PIN, and what it was verified against, lets a user in. */
#include <string.h>

#include "desk_priv.h"

static int refuse(struct hd_txn *txn, struct hd_desk_request *request, const struct hd_scene *scene,
		  enum hd_desk_result result)
{
	request->result = result;
	return hd_lockout_count(txn, request, scene->known);
}

/*
 * Leaves AGAIN when the user may go on to the table. Everything that is counted here is a refusal
 * that a guesser must not be able to tell from a wrong PIN.
 */
int hd_desk_authorize(struct hd_txn *txn, struct hd_desk_request *request,
		      const struct hd_scene *scene)
{
	const char *hash = scene->user.pin_hash;
	int err;

	if (request->by_admin) {
		if (!scene->known)
			request->result = HD_DESK_RESULT_UNKNOWN_USER;
		else if (scene->user.disabled)
			request->result = HD_DESK_RESULT_DISABLED;
		return 0;
	}

	err = hd_lockout_check(txn, request, scene->known);
	if (err || request->result != HD_DESK_RESULT_AGAIN)
		return err;
	if (!scene->known)
		return refuse(txn, request, scene, HD_DESK_RESULT_UNKNOWN_USER);

	/* A user without a PIN was verified against the dummy, as one who does not exist. */
	if (request->by_dummy ? hash[0] != '\0' : strcmp(hash, request->pin_hash) != 0) {
		request->result = HD_DESK_RESULT_WRONG_PIN;
		return 0;
	}
	if (!hash[0] || !request->pin_ok)
		return refuse(txn, request, scene, HD_DESK_RESULT_WRONG_PIN);
	if (scene->user.disabled)
		return refuse(txn, request, scene, HD_DESK_RESULT_DISABLED);
	return 0;
}
