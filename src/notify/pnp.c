/* pnp.c - see hotdesk/pnp.h: who asks is answered, and told by NOTIFY. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/base/secret.h"
#include "pnp_priv.h"

#define GROUP "224.0.1.75"

enum {
	PORT = 5060,
	SOURCE_SIZE = 64,
	REPEATED_S = 32, /* a copy of a SUBSCRIBE may come so long (RFC 3261 Timer F) */
};

static struct hd_metric answered =
	HD_COUNTER("hotdeskd_pnp", "result=\"answered\"", "Phones that asked for their URL");

int hd_pnp_new(struct hd_pnp **pp, const struct hd_pnp_options *options)
{
	struct hd_pnp *pnp;

	if (!pp || !options || !options->agent || !options->store || !options->directory ||
	    !options->device)
		return HD_EINVAL;
	pnp = calloc(1, sizeof(*pnp));
	if (!pnp)
		return HD_ENOMEM;
	pnp->options = *options;
	hd_random_bytes(pnp->seed, sizeof(pnp->seed));
	hd_metric_register(&answered);
	pnp_profile_metrics_register();
	*pp = pnp;
	return 0;
}

void hd_pnp_free(struct hd_pnp *pnp)
{
	if (!pnp)
		return;
	hd_multicast_free(pnp->multicast);
	for (size_t i = 0; i < PNP_ANSWERS_MAX; i++)
		hd_orq_free(pnp->answers[i].orq);
	free(pnp);
}

/* ---- telling it ------------------------------------------------------------------------------ */

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct pnp_answer *a = arg;

	(void)response;
	if (status < 200)
		return;
	hd_log(status < 300 ? HD_LOG_DEBUG : HD_LOG_INFO, "notify", "%s: NOTIFY with its URL: %d",
	       a->phone, status);
	hd_orq_free(orq);
	a->orq = NULL;
}

static bool is_told(const struct pnp_answer *a, uint64_t key, int64_t now_ms)
{
	return a->key == key && a->at_mono_ms &&
	       now_ms - a->at_mono_ms < REPEATED_S * INT64_C(1000);
}

/*
 * A place for an answer: the phone's own, whose older one is given up, or the one that has been
 * done for the longest time. @return NULL: this one was told, or there is no room
 */
static struct pnp_answer *answer_new(struct hd_pnp *pnp, const struct pnp_asker *asker,
				     const char *phone)
{
	int64_t now_ms = hd_clock_mono_ms(pnp->options.clock);
	struct pnp_answer *place = NULL;

	for (size_t i = 0; i < PNP_ANSWERS_MAX; i++) {
		struct pnp_answer *a = &pnp->answers[i];

		if (is_told(a, asker->key, now_ms))
			return NULL;
		if (strcmp(a->phone, phone) == 0)
			place = a;
		else if (!a->orq && (!place || (strcmp(place->phone, phone) != 0 &&
						a->at_mono_ms < place->at_mono_ms)))
			place = a;
	}
	if (!place || hd_str_set(place->phone, sizeof(place->phone), phone))
		return NULL;
	hd_orq_free(place->orq);
	place->orq = NULL;
	place->pnp = pnp;
	place->key = asker->key;
	place->at_mono_ms = now_ms;
	return place;
}

static int make(const struct pnp_asker *asker, const struct pnp_profile *profile, const char *local,
		struct hd_msg **msgp)
{
	const char *event = hd_msg_header(asker->msg, "Event", 0);
	const char *contact = asker->back.uri;
	struct hd_new_request nr = { .method = "NOTIFY", .cseq = 1 };
	struct hd_buf from = { 0 }, lines = { 0 };
	struct hd_contact own[1];
	size_t n = 1;
	bool star;
	int err;

	hd_msg_contacts(asker->msg, own, &n, &star);
	if (n > 0 && !star && own[0].uri.scheme <= HD_URI_SIPS)
		contact = own[0].uri_text;
	hd_buf_addf(&from, "%s;tag=%s", hd_msg_header(asker->msg, "To", 0), asker->tag);
	hd_buf_addf(
		&lines,
		"Contact: <%s>\r\nEvent: %s\r\nSubscription-State: terminated;reason=timeout\r\n"
		"Content-Type: application/url\r\n",
		local, event);
	nr.ruri = contact;
	nr.from = hd_buf_text(&from);
	nr.to = hd_msg_header(asker->msg, "From", 0);
	nr.call_id = hd_msg_call_id(asker->msg);
	nr.lines = hd_buf_text(&lines);
	nr.body = hd_slice_of(profile->url);
	err = hd_buf_error(&from);
	if (!err)
		err = hd_buf_error(&lines);
	if (!err)
		err = hd_msg_new_request(msgp, &nr);
	hd_buf_fini(&from);
	hd_buf_fini(&lines);
	return err;
}

static int local_uri(struct hd_pnp *pnp, const struct pnp_asker *asker, char *dst, size_t size)
{
	struct hd_flow flow;
	int err = hd_target_flow(pnp->options.agent, &asker->back, &flow);

	return err ? err : hd_flow_local_uri(pnp->options.agent, &flow, dst, size);
}

static void tell(struct hd_pnp *pnp, const struct pnp_asker *asker,
		 const struct pnp_profile *profile, const char *local)
{
	struct pnp_answer *a = answer_new(pnp, asker, profile->phone);
	struct hd_msg *msg;
	int err;

	if (!a)
		return;
	err = make(asker, profile, local, &msg);
	if (!err)
		err = hd_orq_new(&a->orq, pnp->options.agent, msg, &asker->back, on_response, a);
	if (err) {
		a->orq = NULL;
		hd_warn("notify", "%s: its URL was not sent to %s: %s", profile->phone,
			asker->source, hd_strerror(err));
		return;
	}
	hd_metric_add(&answered, 1);
	hd_info("notify", "%s: asked from %s for its configuration: gets its URL, %s",
		profile->phone, asker->source,
		profile->with_token ? "with its secret" : "without a secret");
}

static void ok_lines(char *dst, size_t size, const char *local)
{
	snprintf(dst, size, "Contact: <%s>\r\nExpires: 0\r\n", local);
}

static void on_multicast(void *arg, const struct hd_multicast_request *request)
{
	struct hd_pnp *pnp = arg;
	struct pnp_asker asker = {
		.msg = request->msg,
		.source = request->source,
		.from = request->from,
		.back = { .uri = request->uri },
	};
	char local[160], lines[256];
	struct pnp_profile profile;

	if (!pnp_profile_find(pnp, &asker, &profile)) {
		if (!local_uri(pnp, &asker, local, sizeof(local))) {
			ok_lines(lines, sizeof(lines), local);
			hd_multicast_reply(pnp->multicast, request, 200, asker.tag, lines);
			tell(pnp, &asker, &profile, local);
		} else {
			hd_warn("notify", "%s: no UDP listener reaches %s", profile.phone,
				request->source);
		}
	}
	hd_wipe(&profile, sizeof(profile));
}

static void on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	(void)arg;
	(void)irq;
	(void)event;
	(void)msg;
}

bool hd_pnp_receive(struct hd_pnp *pnp, struct hd_request *req)
{
	struct pnp_asker asker = { .msg = hd_request_msg(req) };
	char local[160], lines[256], source[SOURCE_SIZE]; /* the request will be gone */
	struct pnp_profile profile;
	struct hd_network from;
	struct hd_irq *irq;
	bool taken = false;

	asker.back.flow = hd_request_flow(req);
	asker.source = source;
	if (hd_str_set(source, sizeof(source), hd_request_source(req)) ||
	    hd_network_parse(&from, source))
		return false;
	asker.from = from.address;
	if (pnp_profile_find(pnp, &asker, &profile) || local_uri(pnp, &asker, local, sizeof(local)))
		goto out;
	taken = true;
	/* Its answer is repeated by the transaction, and the tag is of its making. */
	if (hd_irq_new(&irq, req, on_irq, NULL))
		goto out;
	asker.msg = hd_irq_msg(irq);
	asker.back.flow = hd_irq_flow(irq);
	if (!hd_str_set(asker.tag, sizeof(asker.tag), hd_irq_tag(irq))) {
		ok_lines(lines, sizeof(lines), local);
		hd_irq_reply(irq, 200, NULL, lines, (struct hd_slice){ NULL, 0 });
		tell(pnp, &asker, &profile, local);
	} else {
		hd_irq_reply(irq, 500, NULL, NULL, (struct hd_slice){ NULL, 0 });
	}
	hd_irq_free(irq);
out:
	hd_wipe(&profile, sizeof(profile));
	return taken;
}

/* ---- policy ---------------------------------------------------------------------------------- */

void hd_pnp_set_policy(struct hd_pnp *pnp, const struct hd_pnp_policy *policy)
{
	const struct hd_multicast_options options = {
		.agent = pnp->options.agent,
		.group = GROUP,
		.port = PORT,
		.interfaces = policy->interfaces,
		.n_interfaces = policy->n_interfaces,
		.receive = on_multicast,
		.arg = pnp,
	};

	if (pnp->multicast &&
	    (!policy->enabled ||
	     !hd_multicast_is_for(pnp->multicast, policy->interfaces, policy->n_interfaces))) {
		hd_multicast_free(pnp->multicast);
		pnp->multicast = NULL;
	}
	pnp->enabled = policy->enabled;
	if (hd_str_set(pnp->url, sizeof(pnp->url), policy->url))
		pnp->url[0] = '\0';
	hd_networks_set(&pnp->token_networks, "notify", policy->token_networks,
			policy->n_token_networks);
	if (!pnp->enabled)
		return;
	if (!pnp->url[0])
		hd_warn("notify", "provision.pnp: nothing is served to phones: nobody is answered");
	else if (!pnp->multicast && hd_multicast_new(&pnp->multicast, &options))
		hd_warn("notify", "provision.pnp: only phones that ask us alone are answered");
}
