/* large.c - see large.h. */
#include "large.h"

#include <string.h>

#include <sofia-sip/msg_header.h>

enum { TCP = 1 };

static size_t header_size(const sip_header_t *h)
{
	char buf[1024];
	issize_t n;

	if (h->sh_data)
		return h->sh_len;
	n = msg_header_e(buf, sizeof(buf), (const msg_header_t *)h, 0);
	return n > 0 ? (size_t)n : 0;
}

static size_t size_on_the_wire(const struct hd_msg *msg)
{
	size_t n = VIA_BYTES;

	for (const sip_header_t *h = first_header(msg_of(msg)); h;
	     h = (const sip_header_t *)h->sh_succ)
		n += header_size(h);
	return n;
}

static bool is_large(const struct hd_agent *agent, const struct hd_msg *msg)
{
	const uint32_t max = agent->options.limits.udp_max_bytes;

	return max && size_on_the_wire(msg) > max;
}

bool hd_target_takes_tcp(struct hd_agent *agent, const struct hd_msg *msg,
			 const struct hd_target *target)
{
	return !hd_target_is_udp(target) || (!target->flow && is_large(agent, msg));
}

bool large_move_to_tcp(struct hd_agent *agent, const struct hd_msg *msg,
		       const struct hd_target *target, char *url, tport_t **tportp)
{
	static const char udp[] = ";transport=udp";
	size_t n = strlen(url), suffix = sizeof(udp) - 1;
	const struct hd_target there = { .uri = url };
	struct hd_flow to;
	tport_t *tport;

	if (target->flow || n < suffix || strcmp(url + n - suffix, udp) != 0 ||
	    !is_large(agent, msg))
		return false;
	if (hd_target_flow(agent, &there, &to))
		return false;
	tport = hd_listener_for(agent, TCP, &to, target->via);
	if (!tport)
		return false;
	memcpy(url + n - 3, "tcp", 3);
	*tportp = tport;
	return true;
}
