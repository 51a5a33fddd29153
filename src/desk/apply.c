/* apply.c - one login, logout or toggle, decided and written in one command; see desk.h. */
#include <string.h>

#include "desk_priv.h"

/* What a toggle came to when it was prepared holds: only a login brings a PIN's hash along. */
static void settle_toggle(struct hd_desk_situation *situation,
			  const struct hd_desk_request *request)
{
	if (situation->event == HD_DESK_EVENT_TOGGLE && !request->by_admin)
		situation->event =
			request->pin_hash[0] ? HD_DESK_EVENT_LOGIN : HD_DESK_EVENT_LOGOUT;
	else if (situation->event == HD_DESK_EVENT_TOGGLE)
		situation->event = hd_toggle_is_logout(situation->occupant) ? HD_DESK_EVENT_LOGOUT
									    : HD_DESK_EVENT_LOGIN;
}

/* Ends the desk sessions that the step names and leaves their phones to be told. */
static int do_endings(struct hd_txn *txn, struct hd_desk_request *request,
		      const struct hd_scene *scene, unsigned deeds)
{
	struct hd_desk *desk = request->desk;
	int err = 0;

	if (deeds & (HD_DESK_DO_END_HERE | HD_DESK_DO_END_OTHER)) {
		memcpy(request->left_user, scene->here.user, sizeof(request->left_user));
		err = hd_session_end(desk, txn, &scene->here);
		if (!err)
			err = hd_outbox_put(desk, txn, request->phone, request->now_ms);
	}
	if (!err && deeds & HD_DESK_DO_END_ELSEWHERE) {
		memcpy(request->left_phone, scene->there.phone, sizeof(request->left_phone));
		err = hd_session_end(desk, txn, &scene->there);
		if (!err)
			err = hd_outbox_put(desk, txn, scene->there.phone, request->now_ms);
	}
	return err;
}

static int do_begin(struct hd_txn *txn, struct hd_desk_request *request,
		    const struct hd_scene *scene)
{
	struct hd_desk_session *session = &request->session;
	int err;

	err = hd_str_set(session->user, sizeof(session->user), scene->number);
	if (!err)
		err = hd_str_set(session->phone, sizeof(session->phone), request->phone);
	if (err)
		return err;
	session->epoch = hd_txn_epoch(txn);
	session->since_ms = request->now_ms;
	session->way = request->way;

	err = hd_session_begin(request->desk, txn, session);
	return err ? err : hd_outbox_put(request->desk, txn, request->phone, request->now_ms);
}

/* Decides by the table and does it. */
static int decide(struct hd_txn *txn, struct hd_desk_request *request, const struct hd_scene *scene)
{
	bool login = scene->situation.event == HD_DESK_EVENT_LOGIN;
	struct hd_desk_step step;
	int err;

	hd_desk_decide(&scene->situation, &step);
	request->result = step.result;
	if (step.result == HD_DESK_RESULT_NO_PERMISSION)
		return hd_lockout_count(txn, request, scene->known);

	err = do_endings(txn, request, scene, step.deeds);
	if (!err && step.deeds & HD_DESK_DO_BEGIN)
		err = do_begin(txn, request, scene);
	if (err || !login || !hd_desk_result_is_success(step.result))
		return err;

	if (step.result == HD_DESK_RESULT_UNCHANGED)
		request->session = scene->here;
	if (request->by_admin)
		return 0;
	err = hd_lockout_clear(request->desk, txn, 'u', scene->number);
	return err == HD_ENOENT ? 0 : err;
}

static int write_audit(struct hd_txn *txn, const struct hd_desk_request *request,
		       const struct hd_scene *scene)
{
	struct hd_audit_entry entry = { .at_ms = request->now_ms,
					.event = scene->situation.event,
					.way = request->way,
					.result = request->result,
					.locked = request->locked_now };

	if (request->result > HD_DESK_RESULT_LOGGED_OUT && !request->locked_now)
		return 0;

	memcpy(entry.phone, request->phone, sizeof(entry.phone));
	memcpy(entry.left_phone, request->left_phone, sizeof(entry.left_phone));
	memcpy(entry.user, scene->number, strlen(scene->number));
	if (request->result != HD_DESK_RESULT_LOGGED_OUT)
		memcpy(entry.left_user, request->left_user, sizeof(entry.left_user));
	return hd_audit_add(request->desk, txn, &entry);
}

int hd_desk_apply(struct hd_txn *txn, void *arg)
{
	struct hd_desk_request *request = arg;
	struct hd_scene scene;
	int err;

	if (!txn || !request || !request->desk || request->event >= HD_DESK_EVENT_COUNT)
		return HD_EINVAL;

	hd_request_reset(request);
	err = hd_op_recall(txn, request);
	if (!err)
		err = hd_scene_read(txn, request, &scene);
	if (err)
		return err < 0 ? err : 0;

	settle_toggle(&scene.situation, request);
	if (scene.situation.event == HD_DESK_EVENT_LOGIN)
		err = hd_desk_authorize(txn, request, &scene);
	if (!err && request->result == HD_DESK_RESULT_AGAIN)
		err = decide(txn, request, &scene);
	if (!err)
		err = write_audit(txn, request, &scene);
	if (!err)
		err = hd_op_remember(txn, request);
	return err;
}
