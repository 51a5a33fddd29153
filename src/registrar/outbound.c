/* outbound.c - see outbound.h. */
#include "outbound.h"

enum { FLOW_TIMER_UDP_S = 29 }; /* RFC 5626 4.4.2: a NAT forgets UDP sooner */

bool hd_registrar_knows(struct hd_slice tag)
{
	return hd_slice_caseis(tag, "path") || hd_slice_caseis(tag, "outbound");
}

static bool announces(struct hd_msg *msg, const char *option)
{
	return hd_msg_has_option(msg, "Supported", option) ||
	       hd_msg_has_option(msg, "Require", option);
}

int hd_outbound_read(struct hd_outbound *outbound, struct hd_request *req, const char **phrasep)
{
	struct hd_msg *msg = hd_request_msg(req);

	/* A phone that does not announce Path gets the same: who put it there needs it. */
	if (hd_msg_path(msg, outbound->path, sizeof(outbound->path))) {
		*phrasep = "Path Too Long";
		return 400;
	}
	outbound->supported = announces(msg, "outbound");
	outbound->usable = hd_msg_via_count(msg) == 1 || hd_msg_path_has(msg, "ob");
	return 0;
}

int hd_outbound_apply(const struct hd_outbound *outbound, struct hd_binding *binding,
		      const char **phrasep)
{
	if (hd_str_set(binding->path, sizeof(binding->path), outbound->path)) {
		*phrasep = "Path Too Long";
		return 400;
	}
	if (!outbound->supported || !binding->instance_id[0])
		binding->reg_id = 0;
	if (binding->reg_id && !outbound->usable) {
		*phrasep = "First Hop Lacks Outbound Support";
		return 439;
	}
	return 0;
}

static void write_outbound(struct hd_buf *lines, const struct hd_registrar_options *options,
			   const struct hd_flow *flow)
{
	uint32_t timer_s = options->policy.flow_timer_s;

	hd_buf_adds(lines, "Require: outbound\r\n");
	if (timer_s == 0)
		return;
	if (flow->transport == 0 && timer_s > FLOW_TIMER_UDP_S)
		timer_s = FLOW_TIMER_UDP_S;
	hd_buf_addf(lines, "Flow-Timer: %u\r\n", timer_s);
}

static bool has_outbound(const struct hd_location_change *change)
{
	for (size_t i = 0; i < change->n_contacts; i++)
		if (change->contacts[i].reg_id && change->contacts[i].expires_at_ms)
			return true;
	return false;
}

void hd_outbound_write(struct hd_buf *lines, const struct hd_registrar_options *options,
		       struct hd_request *req, const struct hd_location_change *change)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_flow flow;
	char uri[160];
	const char *path;

	for (unsigned i = 0; (path = hd_msg_header(msg, "Path", i)); i++)
		hd_buf_addf(lines, "Path: %s\r\n", path);
	if (hd_flow_parse(&flow, hd_request_flow(req)))
		return;
	if (has_outbound(change))
		write_outbound(lines, options, &flow);
	if (options->policy.service_route && change->n_result &&
	    !hd_flow_local_uri(options->agent, &flow, uri, sizeof(uri)))
		hd_buf_addf(lines, "Service-Route: <%s;lr>\r\n", uri);
}
