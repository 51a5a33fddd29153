/* stateless.c - requests inside a dialog that leave nothing behind here; see proxy_priv.h. */
#include <string.h>

#include "hotdesk/base/log.h"
#include "proxy_priv.h"

enum { MAC_BYTES = 12, BRANCH_SIZE = 48 };
static const char prefix[] = "z9hG4bKst";

/* @param via index of the Via that the response will go by */
static bool branch_format(char branch[BRANCH_SIZE], const struct hd_key *key, struct hd_msg *msg,
			  unsigned via)
{
	uint8_t mac[HD_SHA256_BYTES];
	uint32_t cseq = hd_msg_cseq(msg);
	struct hd_buf address = { 0 };
	struct hd_slice parts[3] = {
		hd_slice_of(hd_msg_call_id(msg)),
		{ (const char *)&cseq, sizeof(cseq) },
	};

	if (!hd_msg_via_address(msg, via, &address) || hd_buf_error(&address)) {
		hd_buf_fini(&address);
		return false;
	}
	parts[2].ptr = hd_buf_text(&address);
	parts[2].len = address.len;
	hd_hmac_sha256(mac, key, parts, 3);
	hd_buf_fini(&address);
	memcpy(branch, prefix, sizeof(prefix));
	hd_hex_format(branch + sizeof(prefix) - 1, mac, MAC_BYTES);
	return true;
}

int stateless_forward(struct hd_proxy *proxy, struct forward *fwd)
{
	char branch[BRANCH_SIZE];

	if (!branch_format(branch, &proxy->options.key, fwd->msg, 0)) {
		hd_msg_free(fwd->msg);
		return HD_ENOMEM;
	}
	return hd_agent_send(proxy->options.agent, fwd->msg, &fwd->target, branch);
}

static void send_on(struct hd_proxy *proxy, struct hd_msg *response)
{
	struct hd_msg *copy = hd_msg_copy(response);

	if (copy)
		identity_clean(proxy, copy, response);
	if (copy && hd_agent_send_response(proxy->options.agent, copy))
		hd_log_call(HD_LOG_DEBUG, "proxy", hd_msg_call_id(response), "response not sent");
}

void hd_proxy_response(struct hd_proxy *proxy, struct hd_msg *response)
{
	const char *branch = hd_msg_branch(response);
	enum hd_method method = hd_msg_cseq_method(response);
	char expected[BRANCH_SIZE];

	if (method == HD_METHOD_INVITE && hd_msg_status(response) >= 200 &&
	    hd_msg_status(response) < 300 && accepted_is_late(proxy, response)) {
		send_on(proxy, response);
		return;
	}
	/* RFC 4320 4.2: no 408 for a non-INVITE; RFC 6026 7.2: nothing that we did not ask for. */
	if (strncmp(branch, prefix, sizeof(prefix) - 1) != 0 || method == HD_METHOD_INVITE ||
	    method == HD_METHOD_ACK || hd_msg_status(response) == 408 ||
	    hd_msg_status(response) == 100 ||
	    !branch_format(expected, &proxy->options.key, response, 1) ||
	    strlen(branch) != strlen(expected) || !hd_secret_eq(branch, expected, strlen(expected)))
		return;
	if (hd_msg_status(response) >= 200)
		calls_note_response(proxy, NULL, response, hd_msg_status(response));
	send_on(proxy, response);
}
