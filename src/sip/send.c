/* send.c - messages without a transaction; see hotdesk/sip/agent.h. */
#include <stdlib.h>

#include <sofia-sip/nta_tag.h>

#include <utlist.h>

#include "hotdesk/base/log.h"
#include "hotdesk/sip/resolver.h"
#include "sip_priv.h"

enum { BRANCH_MAX = 96 };

/* One that waits for the address of its next hop. */
struct unsent {
	struct hd_agent *agent;
	struct hd_msg *msg;
	char via[HD_FLOW_TEXT_SIZE], branch[BRANCH_MAX];
	struct hd_lookup *lookup;
	bool starting;
	int err;
	struct unsent *prev, *next;
};

/* msg is moved. */
static int send_to(struct hd_agent *agent, struct hd_msg *msg, const struct hd_target *target,
		   const char *branch)
{
	tport_t *tport = NULL;
	char url[160];
	int err;

	err = hd_target_resolve(agent, target, &tport, url, sizeof(url));
	if (err) {
		hd_msg_free(msg);
		return err;
	}
	return nta_msg_tsend(agent->nta, msg_of(msg), URL_STRING_MAKE(url), NTATAG_TPORT(tport),
			     TAG_IF(branch, NTATAG_BRANCH_KEY(branch)), TAG_END()) < 0
		       ? HD_EGONE
		       : 0;
}

static void unlisted_free(struct unsent *u)
{
	hd_lookup_cancel(u->lookup);
	hd_msg_free(u->msg);
	free(u);
}

static void unsent_free(struct unsent *u)
{
	DL_DELETE(u->agent->unsent, u);
	unlisted_free(u);
}

void agent_forget_unsent(struct hd_agent *agent)
{
	struct unsent *next;

	for (struct unsent *u = agent->unsent; u; u = next) {
		next = u->next;
		unlisted_free(u);
	}
	agent->unsent = NULL;
}

static void on_found(void *arg, int err, const struct hd_hops *hops)
{
	struct unsent *u = arg;
	char uri[HD_HOP_TEXT_SIZE];
	const struct hd_target target = { .uri = uri, .via = u->via };
	struct hd_msg *msg = u->msg;

	u->err = err;
	if (!err) {
		u->msg = NULL;
		hd_hop_format(uri, sizeof(uri), &hops->hops[0]);
		u->err = send_to(u->agent, msg, &target, u->branch[0] ? u->branch : NULL);
	}
	if (u->starting)
		return;
	if (u->err)
		hd_info("sip", "message not sent: %s", hd_strerror(u->err));
	unsent_free(u);
}

static int send_by_name(struct hd_agent *agent, struct hd_msg *msg, const struct hd_target *target,
			const char *branch)
{
	struct unsent *u = calloc(1, sizeof(*u));
	int err;

	if (!u) {
		hd_msg_free(msg);
		return HD_ENOMEM;
	}
	u->agent = agent;
	u->msg = msg;
	DL_APPEND(agent->unsent, u);
	err = hd_str_set(u->via, sizeof(u->via), target->via);
	if (!err)
		err = hd_str_set(u->branch, sizeof(u->branch), branch);
	u->starting = true;
	if (!err)
		err = hd_resolver_find(&u->lookup, agent->resolver, target->uri, on_found, u);
	u->starting = false;
	if (!err && u->lookup)
		return 0;
	if (!err)
		err = u->err;
	unsent_free(u);
	return err;
}

int hd_agent_send(struct hd_agent *agent, struct hd_msg *msg, const struct hd_target *target,
		  const char *branch)
{
	return hd_target_is_name(target) ? send_by_name(agent, msg, target, branch)
					 : send_to(agent, msg, target, branch);
}

int hd_agent_send_response(struct hd_agent *agent, struct hd_msg *msg, const struct hd_flow *caller)
{
	tport_t *tport =
		caller->transport == 0 ? hd_primary_towards(agent, caller->listener, caller) : NULL;

	/* Removes the topmost Via by itself. */
	return nta_msg_tsend(agent->nta, msg_of(msg), NULL, NTATAG_TPORT(tport), TAG_END()) < 0
		       ? HD_EGONE
		       : 0;
}
