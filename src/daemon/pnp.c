/* pnp.c - what phones that ask the network are told, from the control thread to the SIP thread. */
#include <stdlib.h>
#include <string.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"

/*
 * Lists are the configuration's: it is freed when a later one has arrived at the SIP thread, and
 * this arrives before that.
 */
struct news {
	struct hd_task task;
	struct daemon *daemon;
	struct hd_pnp_policy policy;
	char url[HD_URL_SIZE];
};

static void run_news(struct hd_task *task)
{
	struct news *news = (struct news *)(void *)task;

	if (news->daemon->pnp)
		hd_pnp_set_policy(news->daemon->pnp, &news->policy);
	free(news);
}

void daemon_pnp_take(struct daemon *d)
{
	const struct hd_conf_provision *c = &d->conf->provision;
	struct news *news = calloc(1, sizeof(*news));

	if (!news) {
		hd_error("daemon", "provision.pnp: no memory, what was said before stays");
		return;
	}
	daemon_url(d, d->conf, news->url);
	news->daemon = d;
	news->policy = (struct hd_pnp_policy){
		.enabled = c->pnp,
		.url = news->url,
		.interfaces = (const char *const *)c->pnp_interfaces,
		.n_interfaces = c->n_pnp_interfaces,
		.token_networks = (const char *const *)c->pnp_token_networks,
		.n_token_networks = c->n_pnp_token_networks,
	};
	news->task.run = run_news;
	hd_mailbox_post(hd_agent_mailbox(d->agent), &news->task);
}
