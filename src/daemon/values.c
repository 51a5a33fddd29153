/* values.c - configuration to the options of the parts. */
#include <string.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"

void conf_list_policy(struct hd_list_policy *policy, const struct hd_conf *conf)
{
	memset(policy, 0, sizeof(*policy));
	policy->standard = conf->calls.list;
	for (size_t i = 0; i < conf->calls.n_group_lists; i++)
		if (hd_list_policy_add(policy, hd_slice_of(conf->calls.group_lists[i])))
			hd_error("daemon", "calls.group_lists: %s: left out",
				 conf->calls.group_lists[i]);
}

void conf_desk_policy(struct hd_desk_policy *policy, const struct hd_conf *conf)
{
	const struct hd_conf_desk *c = &conf->desk;

	*policy = (struct hd_desk_policy){
		.refuse_occupied = c->refuse_occupied,
		.lock_after = c->lock_after,
		.lock_s = c->lock_s,
		.lock_max_s = c->lock_max_s,
		.hard_lock_after = c->hard_lock_after,
		.phone_tries = c->phone_tries,
		.phone_window_s = c->phone_window_s,
		.phone_lock_s = c->phone_lock_s,
		.unknown_max = c->unknown_max,
	};
}

/* The configuration's check has held the codes to the room there is. */
static void set(char *dst, size_t size, const char *src)
{
	if (hd_str_set(dst, size, src))
		hd_error("daemon", "%s: too long, left empty", src);
}

void conf_codes(struct hd_feature_codes *codes, const struct hd_conf *conf)
{
	const struct hd_conf_codes *c = &conf->codes;
	const char *const texts[HD_USER_CODES] = {
		[HD_USER_CODE_DND_ON] = c->dnd_on,
		[HD_USER_CODE_DND_OFF] = c->dnd_off,
		[HD_USER_CODE_DND_TOGGLE] = c->dnd_toggle,
		[HD_USER_CODE_FORWARD_ALWAYS] = c->forward_always,
		[HD_USER_CODE_FORWARD_ALWAYS_OFF] = c->forward_always_off,
		[HD_USER_CODE_FORWARD_BUSY] = c->forward_busy,
		[HD_USER_CODE_FORWARD_BUSY_OFF] = c->forward_busy_off,
		[HD_USER_CODE_FORWARD_NO_ANSWER] = c->forward_no_answer,
		[HD_USER_CODE_FORWARD_NO_ANSWER_OFF] = c->forward_no_answer_off,
		[HD_USER_CODE_FORWARD_NOT_LOGGED_IN] = c->forward_not_logged_in,
		[HD_USER_CODE_FORWARD_NOT_LOGGED_IN_OFF] = c->forward_not_logged_in_off,
		[HD_USER_CODE_RINGS] = c->rings,
		[HD_USER_CODE_PICKUP] = c->pickup,
		[HD_USER_CODE_SPEED_DIAL] = c->speed_dial,
	};

	set(codes->login, sizeof(codes->login), conf->desk.login_code);
	set(codes->logout, sizeof(codes->logout), conf->desk.logout_code);
	set(codes->toggle, sizeof(codes->toggle), conf->desk.toggle_code);
	for (unsigned i = 1; i < HD_USER_CODES; i++)
		set(codes->user[i], sizeof(codes->user[i]), texts[i]);
}

void conf_registrar_policy(struct hd_registrar_policy *policy, const struct hd_conf *conf)
{
	const struct hd_conf_registrar *c = &conf->registrar;

	*policy = (struct hd_registrar_policy){
		.expires_min_s = c->expires_min_s,
		.expires_max_s = c->expires_max_s,
		.expires_default_s = c->expires_default_s,
		.contacts_max = c->contacts_max,
		.soft_refresh = c->soft_refresh,
		.service_route = c->service_route,
		.flow_timer_s = c->flow_timer_s,
	};
}

void conf_notify_policy(struct hd_notify_policy *policy, const struct hd_conf *conf)
{
	const struct hd_conf_desk *c = &conf->desk;

	*policy = (struct hd_notify_policy){
		.retry_s = c->resync_retry_s,
		.retry_max_s = c->resync_retry_max_s,
		.fetch_s = c->resync_fetch_s,
		.tries = c->resync_tries,
		.rare_s = c->resync_rare_s,
		.fetching = conf->provision.n_listen > 0,
	};
}

void conf_proxy_limits(struct hd_proxy_limits *limits, const struct hd_conf *conf)
{
	const struct hd_conf_sip *c = &conf->sip;

	*limits = (struct hd_proxy_limits){
		.timer_c_s = c->timer_c_s,
		.max_forwards = c->max_forwards,
		.max_breadth = c->max_breadth,
		.accepted_max = c->transactions_kept_max,
		.asserts_identity = c->identity & HD_IDENTITY_PAI,
		.rewrites_from = c->identity & HD_IDENTITY_FROM,
	};
}

void conf_limits(struct hd_agent_limits *limits, const struct hd_conf *conf)
{
	const struct hd_conf_sip *c = &conf->sip;

	*limits = (struct hd_agent_limits){
		.transactions_max = c->transactions_max,
		.transactions_kept_max = c->transactions_kept_max,
		.retry_after_min_s = c->retry_after_min_s,
		.retry_after_max_s = c->retry_after_max_s,
		.emergency = (const char *const *)conf->plan.emergency,
		.n_emergency = conf->plan.n_emergency,
		.header_max = c->header_max,
		.udp_max_bytes = c->udp_max_bytes,
		.source_rate = c->source_rate,
		.source_burst = c->source_burst,
		.emergency_rate = c->emergency_rate,
		.emergency_burst = c->emergency_burst,
		.source_exempt = (const char *const *)c->source_exempt,
		.n_source_exempt = c->n_source_exempt,
		.trusted = (const char *const *)c->trusted,
		.n_trusted = c->n_trusted,
		.timer_c_s = c->timer_c_s,
		.connections_max = c->connections_max,
		.connections_per_source = c->connections_per_source,
		.first_message_s = c->first_message_s,
		.half_message_s = c->half_message_s,
		.dns_lookups_max = c->dns_lookups_max,
		.dns_cache_max = c->dns_cache_max,
		.dns_ttl_max_s = c->dns_ttl_max_s,
		.dns_negative_s = c->dns_negative_s,
		.tcp_keepalive_s = c->tcp_keepalive_s,
		.tcp_timeout_s = c->tcp_timeout_s,
	};
}

void conf_log(const struct hd_conf *conf)
{
	hd_log_set_format(conf->log.format);
	hd_log_clear_subsystem_levels();
	hd_log_set_level(conf->log.level);
	for (size_t i = 0; i < conf->log.n_subsystems; i++)
		if (hd_log_set_subsystem_level(conf->log.subsystems[i].subsystem,
					       conf->log.subsystems[i].level))
			hd_warn("daemon", "%s: too many subsystem levels",
				conf->log.subsystems[i].subsystem);
}

int conf_digest_options(struct hd_digest_options *options, const struct daemon *d,
			const struct hd_conf *conf)
{
	memset(options, 0, sizeof(*options));
	options->realm = d->realm_copy;
	options->md5 = conf->auth.md5;
	options->sha256 = conf->auth.sha256;
	options->without_qop = conf->auth.without_qop;
	options->nonce_s = conf->auth.nonce_s;
	options->used_max = conf->auth.nonces_max;
	options->clock = d->clock;
	hd_key_derive(&options->key, &d->master, "digest nonce");
	return options->md5 || options->sha256 ? 0 : HD_EINVAL;
}

void conf_dialogue(struct hd_dialogue_policy *p, const struct hd_conf *conf)
{
	const struct hd_conf_dialogue *c = &conf->dialogue;

	memset(p, 0, sizeof(*p));
	p->tries = c->tries;
	p->first_ms = c->first_s * 1000;
	p->digit_ms = c->digit_s * 1000;
	p->reminders = c->reminders;
	p->number_length = c->number_length;
	p->pin_length = c->pin_length;
	p->per_phone = c->per_phone;
	p->silent_s = conf->media.silent_s;
	/* Their forms were checked: both fit. */
	if (hd_str_set(p->language, sizeof(p->language), c->language) ||
	    hd_str_set(p->address, sizeof(p->address), conf->media.address))
		p->language[0] = p->address[0] = '\0';
}

void conf_media(struct hd_media_options *o, const struct daemon *d, const struct hd_conf *conf)
{
	memset(o, 0, sizeof(*o));
	o->clock = d->clock;
	o->port_min = (uint16_t)conf->media.port_min;
	o->port_max = (uint16_t)conf->media.port_max;
	/* The result of a logout is said, too. */
	o->streams_max = conf->desk.dialogues_max * 2;
}
