/* reload.c - SIGHUP: what can change changes, what cannot is named. */
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "daemon_priv.h"
#include "dialling.h"
#include "hotdesk/base/log.h"
#include "hotdesk/sip/tls.h"
#include "upstream_priv.h"

/* New values on their way to the SIP thread; the old configuration is freed when they have arrived.
 */
struct handover {
	struct daemon *daemon;
	struct hd_conf *before, *after;
	char dummy[HD_PIN_HASH_SIZE]; /* at the new cost; "": the cost stays */
	struct hd_tls *tls;	      /* NULL: nobody listens for it */
	struct daemon_supply supply;  /* of the SIP thread */
	struct hd_prompts *prompts;   /* NULL: those that there are */
	struct hd_dialling *dialling;
	struct hd_task task;
};

static struct handover *handover_of(struct hd_task *task)
{
	return (struct handover *)((char *)task - offsetof(struct handover, task));
}

static void on_taken(struct hd_task *task)
{
	struct handover *h = handover_of(task);

	hd_conf_free(h->before);
	free(h);
}

static void take_dialogue(struct daemon *d, struct handover *h)
{
	struct hd_dialogue_policy dialogue;
	struct hd_media_options media;

	conf_dialogue(&dialogue, h->after);
	hd_features_set_dialogue(d->features, &dialogue, h->prompts);
	conf_media(&media, d, h->after);
	hd_media_set_limits(d->media, &media);
}

static void take(struct hd_task *task)
{
	struct handover *h = handover_of(task);
	struct daemon *d = h->daemon;
	struct hd_registrar_policy registrar;
	struct hd_notify_policy notify;
	struct hd_digest_options digest;
	struct hd_agent_limits limits;
	struct hd_proxy_limits proxy;
	struct hd_desk_policy desk;

	if (h->dummy[0])
		hd_desk_set_dummy(d->desk, h->dummy);
	if (h->tls)
		hd_agent_set_tls(d->agent, h->tls);
	conf_limits(&limits, h->after);
	hd_agent_set_limits(d->agent, &limits);
	hd_agent_set_aliases(d->agent, (const char *const *)h->after->sip.aliases,
			     h->after->sip.n_aliases);
	conf_registrar_policy(&registrar, h->after);
	hd_registrar_set_policy(d->registrar, &registrar);
	conf_desk_policy(&desk, h->after);
	conf_codes(&d->planner.codes, h->after);
	daemon_dialling_take(d, h->dialling);
	daemon_emergency_take(d, h->after);
	hd_operations_set_policy(d->operations, &desk);
	hd_features_set_keys_max(d->features, h->after->desk.own_keys);
	hd_features_set_policy(d->features, &d->planner.codes, h->after->desk.dialogue_s,
			       h->after->desk.dialogues_max);
	conf_notify_policy(&notify, h->after);
	hd_notify_set_policy(d->notify, &notify);
	daemon_render_set(&d->sip_render, d, h->after, &h->supply);
	take_dialogue(d, h);
	conf_proxy_limits(&proxy, h->after);
	hd_proxy_set_limits(d->proxy, &proxy);
	d->conf_calls = h->after->calls;
	conf_list_policy(&d->list_policy, h->after);
	hd_proxy_set_call_max(d->proxy, h->after->sip.call_max_s);
	if (conf_digest_options(&digest, d, h->after) || hd_digest_set_options(d->digest, &digest))
		hd_error("daemon", "auth: new values refused, the old ones stay");
	hd_auth_set_md5_only(d->auth, (const char *const *)h->after->auth.md5_only_agents,
			     h->after->auth.n_md5_only_agents);
	hd_wipe(&digest, sizeof(digest));
	daemon_events_take(d, h->after);
	daemon_upstream_take(d, h->after);
	h->task.run = on_taken;
	hd_mailbox_post(hd_loop_mailbox(d->loop), &h->task);
}

static void say(struct hd_buf *report, const char *line)
{
	hd_notice("daemon", "%s", line);
	if (report)
		hd_buf_addf(report, "%s\n", line);
}

static void say_changes(const struct hd_conf *before, const struct hd_conf *after,
			struct hd_buf *report)
{
	struct hd_buf fixed = { 0 }, live = { 0 }, line = { 0 };

	hd_conf_diff(before, after, &fixed, &live);
	hd_buf_addf(&line, "reload: changed: %s", live.len ? hd_buf_text(&live) : "nothing");
	say(report, hd_buf_text(&line));
	hd_buf_fini(&line);
	if (fixed.len) {
		hd_buf_addf(&line, "reload: these need a restart: %s", hd_buf_text(&fixed));
		say(report, hd_buf_text(&line));
	}
	hd_buf_fini(&line);
	hd_buf_fini(&fixed);
	hd_buf_fini(&live);
}

/* An unknown number must take as long as a PIN that is set from now on. */
static void take_pins(struct daemon *d, struct handover *h)
{
	const struct hd_conf_pin *pin = &h->after->pin;
	struct hd_pin_cost cost = { pin->memory_kib, pin->passes };

	hd_worker_set_queue_max(d->worker, pin->queue_max);
	hd_desk_set_audit_max(d->desk, h->after->desk.audit_max);
	if (cost.memory_kib == d->pin_cost.memory_kib && cost.passes == d->pin_cost.passes)
		return;
	if (hd_pin_dummy(h->dummy, &cost)) {
		h->dummy[0] = '\0';
		hd_error("daemon", "pin: no memory for the new cost, the old one stays");
		return;
	}
	d->pin_cost = cost;
}

static bool listens_for_tls(const struct hd_conf *conf)
{
	for (size_t i = 0; i < conf->sip.n_listen; i++)
		if (conf->sip.listen[i].transport == HD_TLS)
			return true;
	return false;
}

/* Also when no key has changed: certificates are renewed under their names. */
static int read_tls(struct hd_tls **tp, const struct daemon *d, const struct hd_conf *after,
		    struct hd_buf *errors)
{
	const struct hd_tls_files files = { after->sip.tls_certificate, after->sip.tls_key,
					    after->sip.tls_ca, after->upstream.tls_ca };

	return listens_for_tls(d->conf) ? hd_tls_new(tp, &files, errors) : 0;
}

/* Twice: each thread has its own. Also when no key has changed: templates are edited in place. */
static int read_supplies(struct daemon_supply supplies[2], const struct hd_conf *after,
			 struct hd_buf *errors)
{
	int err = daemon_supply_load(&supplies[0], after, errors);

	return err ? err : daemon_supply_load(&supplies[1], after, errors);
}

int daemon_reload(struct daemon *d, struct hd_buf *report)
{
	struct handover *h = calloc(1, sizeof(*h));
	struct hd_conf *after = NULL;
	struct daemon_supply supplies[2] = { 0 };
	struct daemon_phones_supply phones = { 0 };
	struct hd_dialling *dialling = NULL; /* of this thread */
	struct hd_buf errors = { 0 };
	int err;

	if (!h)
		return HD_ENOMEM;
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
			 (long long)hd_clock_mono_ms(d->clock) * 1000);
	err = hd_conf_load(&after, d->conf_path, &errors);
	if (!err)
		err = read_supplies(supplies, after, &errors);
	if (!err)
		err = read_tls(&h->tls, d, after, &errors);
	if (!err)
		err = daemon_dialling_new(&dialling, after, &errors);
	if (!err)
		err = daemon_dialling_new(&h->dialling, after, &errors);
	if (!err)
		err = daemon_phones_supply_load(&phones, d, after, &errors);
	if (err) {
		say(report, "reload: refused, the old configuration stays");
		say(report, errors.len ? hd_buf_text(&errors) : hd_strerror(err));
		hd_templates_free(supplies[0].templates);
		hd_templates_free(supplies[1].templates);
		hd_conf_free(after);
		hd_tls_free(h->tls);
		daemon_dialling_free(dialling);
		daemon_dialling_free(h->dialling);
		free(h);
		goto out;
	}
	say_changes(d->conf, after, report);
	h->daemon = d;
	h->before = d->conf;
	h->after = after;
	d->conf = after;
	daemon_dialling_free(d->control_dialling);
	d->control_dialling = dialling;
	conf_log(after);
	take_pins(d, h);
	if (hd_prompts_load(&h->prompts, after->dialogue.prompts))
		hd_error("daemon", "dialogue: no memory for the prompts, the old ones stay");
	daemon_control_take(d);
	daemon_render_set(&d->control_render, d, after, &supplies[0]);
	h->supply = supplies[1];
	daemon_provision_take(d, &phones);
	h->task.run = take;
	hd_mailbox_post(hd_agent_mailbox(d->agent), &h->task);
out:
	(void)sd_notify(0, "READY=1");
	hd_buf_fini(&errors);
	return err;
}
