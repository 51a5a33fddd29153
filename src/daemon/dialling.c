/* dialling.c - how numbers are dialled and who may dial which: configuration to planner. */
#include <stdlib.h>
#include <string.h>

#include "dialling.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"

static struct hd_metric forbidden =
	HD_COUNTER("hotdeskd_calls_forbidden", NULL, "calls that a class of service did not allow");

static int copy_numbers(struct hd_number_plan *to, const struct hd_conf_plan *from)
{
	int err;

	err = hd_str_set(to->country, sizeof(to->country), from->country);
	if (!err)
		err = hd_str_set(to->area, sizeof(to->area), from->area);
	if (!err)
		err = hd_str_set(to->own, sizeof(to->own), from->own);
	if (!err)
		err = hd_str_set(to->outside, sizeof(to->outside), from->outside);
	if (!err)
		err = hd_str_set(to->national, sizeof(to->national), from->national);
	if (!err)
		err = hd_str_set(to->international, sizeof(to->international), from->international);
	to->emergency = (const char *const *)from->emergency;
	to->n_emergency = from->n_emergency;
	return err;
}

static int take_class(char to[HD_CLASS_SIZE], const struct hd_dialling *dialling, const char *key,
		      const char *name, struct hd_buf *errors)
{
	if (!hd_rights_has_class(dialling->rights, name)) {
		hd_buf_addf(errors, "rights.%s: \"%s\" is none of rights.classes\n", key, name);
		return HD_ENOENT;
	}
	return hd_str_set(to, HD_CLASS_SIZE, name);
}

int daemon_dialling_new(struct hd_dialling **dp, const struct hd_conf *conf, struct hd_buf *errors)
{
	const struct hd_conf_rights *c = &conf->rights;
	struct hd_dialling *dialling = calloc(1, sizeof(*dialling));
	struct hd_buf why = { 0 };
	int err;

	if (!dialling)
		return HD_ENOMEM;
	dialling->pickup_everybody = conf->codes.pickup_everybody;
	dialling->outside = conf->upstream.n_peers > 0;
	err = copy_numbers(&dialling->numbers, &conf->plan);
	if (!err)
		err = hd_str_set(dialling->voicemail, sizeof(dialling->voicemail),
				 conf->plan.voicemail);
	if (!err)
		err = hd_str_set(dialling->fallback, sizeof(dialling->fallback),
				 conf->plan.fallback);
	if (!err)
		err = hd_rights_new(&dialling->rights, (const char *const *)c->lists, c->n_lists,
				    (const char *const *)c->classes, c->n_classes, &why);
	if (err && why.len)
		hd_buf_addf(errors, "rights: %s\n", hd_buf_text(&why));
	if (!err)
		err = take_class(dialling->users, dialling, "users", c->users, errors);
	if (!err)
		err = take_class(dialling->free, dialling, "free", c->free, errors);
	if (!err)
		err = take_class(dialling->closed, dialling, "closed", c->closed, errors);
	hd_buf_fini(&why);
	if (err)
		daemon_dialling_free(dialling);
	else
		*dp = dialling;
	return err;
}

void daemon_dialling_free(struct hd_dialling *dialling)
{
	if (!dialling)
		return;
	hd_rights_free(dialling->rights);
	free(dialling);
}

int daemon_open_dialling(struct daemon *d)
{
	struct hd_buf errors = { 0 };
	int err;

	hd_metric_register(&forbidden);
	daemon_emergency_register_metrics();
	daemon_emergency_take(d, d->conf);
	d->planner.callbacks = d->callbacks;
	err = daemon_dialling_new(&d->control_dialling, d->conf, &errors);
	if (!err)
		err = daemon_dialling_new(&d->dialling, d->conf, &errors);
	if (err)
		hd_error("daemon", "%s", errors.len ? hd_buf_text(&errors) : hd_strerror(err));
	d->planner.dialling = d->dialling;
	hd_buf_fini(&errors);
	return err;
}

bool daemon_has_class(void *arg, const char *name)
{
	const struct daemon *d = arg;

	return hd_rights_has_class(d->control_dialling->rights, name);
}

/* ---- the SIP thread ------------------------------------------------------------------------- */

void daemon_dialling_take(struct daemon *d, struct hd_dialling *dialling)
{
	daemon_dialling_free(d->dialling);
	d->dialling = dialling;
	d->planner.dialling = dialling;
	hd_features_set_voicemail(d->features, dialling->voicemail[0] != '\0');
}

void daemon_forbid(struct daemon *d, struct hd_request *req, const char *phone,
		   const struct hd_plan *plan)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_buf lines = { 0 };
	char subject[64];
	struct hd_uri uri;

	hd_metric_add(&forbidden, 1);
	if (!hd_rights_has_class(d->dialling->rights, plan->class) && plan->class[0])
		hd_log_call(HD_LOG_WARNING, "route", hd_msg_call_id(msg),
			    "%s: class %s is none of rights.classes and may call nobody", phone,
			    plan->class);
	hd_msg_ruri(msg, &uri);
	hd_feature_mask(subject, sizeof(subject), &d->planner.codes, uri.user);
	hd_log_call(HD_LOG_INFO, "route", hd_msg_call_id(msg), "%s: calls %s (%s): 403, %s, %s",
		    phone, subject, hd_number_kind_name(plan->number.kind), plan->class, plan->why);
	/* Cause 21 of Q.850: call rejected. */
	hd_buf_addf(&lines,
		    "Reason: Q.850;cause=21;text=\"Outgoing call barred\"\r\n"
		    "Warning: 399 %s \"%s\"\r\n",
		    d->domain_copy, plan->why);
	hd_request_reply(req, 403, "Not Allowed By Class Of Service",
			 hd_buf_error(&lines) ? NULL : hd_buf_text(&lines));
	hd_buf_fini(&lines);
}
