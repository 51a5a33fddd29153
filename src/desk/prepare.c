/* prepare.c - looks at the desk before anything is hashed or written; see hd_desk_prepare(). */
#include <string.h>

#include "desk_priv.h"

void hd_request_reset(struct hd_desk_request *request)
{
	request->result = HD_DESK_RESULT_AGAIN;
	memset(&request->session, 0, sizeof(request->session));
	request->left_phone[0] = request->left_user[0] = '\0';
	request->locked_now = request->repeated = false;
	request->retry_at_ms = 0;
}

/* The phone itself. @return 1 when it decides, 0, or the store's error */
static int read_phone(struct hd_txn *txn, struct hd_desk_request *request, struct hd_scene *scene)
{
	int err;

	err = hd_phone_get(request->desk->dir, txn, request->phone, &scene->phone);
	if (err && err != HD_ENOENT)
		return err;
	if (err)
		request->result = HD_DESK_RESULT_UNKNOWN_PHONE;
	else if (scene->phone.disabled)
		request->result = HD_DESK_RESULT_DISABLED;
	return request->result != HD_DESK_RESULT_AGAIN;
}

/* The user concerned, and where that user sits. */
static int read_user(struct hd_txn *txn, const struct hd_desk_request *request,
		     struct hd_scene *scene)
{
	struct hd_desk *desk = request->desk;
	int err;

	err = hd_user_get(desk->dir, txn, scene->number, &scene->user);
	if (err && err != HD_ENOENT)
		return err;
	scene->known = !err;

	err = hd_desk_get_by_user(desk, txn, scene->number, &scene->there);
	if (err && err != HD_ENOENT)
		return err;
	if (!err && strcmp(scene->there.phone, request->phone) != 0)
		scene->situation.elsewhere = true;
	else
		memset(&scene->there, 0, sizeof(scene->there));
	return 0;
}

int hd_scene_read(struct hd_txn *txn, struct hd_desk_request *request, struct hd_scene *scene)
{
	struct hd_desk_situation *situation = &scene->situation;
	int err;

	memset(scene, 0, sizeof(*scene));
	err = read_phone(txn, request, scene);
	if (err)
		return err;
	err = hd_desk_get_by_phone(request->desk, txn, request->phone, &scene->here);
	if (err && err != HD_ENOENT)
		return err;

	scene->number = request->user[0] ? request->user : scene->here.user;
	err = read_user(txn, request, scene);
	if (err)
		return err;

	situation->event = request->event;
	if (!scene->here.user[0])
		situation->occupant = HD_DESK_NOBODY;
	else if (strcmp(scene->here.user, scene->number) == 0)
		situation->occupant = HD_DESK_SELF;
	else
		situation->occupant = HD_DESK_OTHER;
	if (!scene->phone.owner[0])
		situation->kind = HD_DESK_FREE;
	else if (strcmp(scene->phone.owner, scene->number) == 0)
		situation->kind = HD_DESK_OWN;
	else
		situation->kind = HD_DESK_FOREIGN;
	situation->roaming = scene->user.roaming;
	situation->refuse_occupied = request->policy.refuse_occupied;
	situation->by_admin = request->by_admin;
	return 0;
}

static bool wants_login(const struct hd_desk_request *request, const struct hd_scene *scene)
{
	if (request->event == HD_DESK_EVENT_TOGGLE)
		return !hd_toggle_is_logout(scene->situation.occupant);
	return request->event == HD_DESK_EVENT_LOGIN;
}

int hd_desk_prepare(struct hd_txn *txn, struct hd_desk_request *request)
{
	struct hd_scene scene;
	int err;

	if (!txn || !request || !request->desk || request->event >= HD_DESK_EVENT_COUNT)
		return HD_EINVAL;

	hd_request_reset(request);
	request->pin_hash[0] = '\0';
	request->pin_ok = false;
	request->by_dummy = false;
	err = hd_op_recall(txn, request);
	if (!err)
		err = hd_scene_read(txn, request, &scene);
	if (err)
		return err < 0 ? err : 0;
	if (request->by_admin || !wants_login(request, &scene))
		return 0;

	err = hd_lockout_check(txn, request, scene.known);
	if (err || request->result != HD_DESK_RESULT_AGAIN)
		return err;
	err = hd_dummy_get(request->desk, request->pin_hash);
	request->by_dummy = !scene.known || !scene.user.pin_hash[0];
	if (!err && !request->by_dummy)
		memcpy(request->pin_hash, scene.user.pin_hash, sizeof(request->pin_hash));
	return err;
}
