/* stateless.c - requests inside a dialog that leave nothing behind here; see proxy_priv.h. */
#include <string.h>

#include "alias.h"
#include "hotdesk/base/log.h"
#include "veil.h"

enum {
	MAC_BYTES = 12,
	PREFIX = sizeof("z9hG4bKst") - 1,
	WHERE_AT = PREFIX + 2 * MAC_BYTES,
	WHERE_SIZE = 2 * (1 + 16) + 1,
	NAME_SIZE = 2 + (ALIAS_PARTY_SIZE * 4 + 2) / 3 + 1,
	REST_SIZE = WHERE_SIZE + NAME_SIZE,
	VEILED = 128, /* beside the number of a listener: the response's Contact gets a veil */
	BRANCH_SIZE = WHERE_AT + REST_SIZE,
};
static const char prefix[] = "z9hG4bKst";

/* The listener and the address of ours that the request came to: there the response leaves. */
static void where_format(char where[WHERE_SIZE], const struct hd_flow *caller, bool is_veiled)
{
	static const uint8_t none[sizeof(caller->local)];
	const uint8_t listener = caller->listener | (is_veiled ? VEILED : 0);

	hd_hex_format(where, &listener, 1);
	if (memcmp(caller->local, none, sizeof(none)) != 0)
		hd_hex_format(where + 2, caller->local, caller->family == 6 ? 16 : 4);
}

static int where_parse(struct hd_flow *caller, bool *veiledp, const char *where)
{
	const struct hd_slice listener = { where, 2 };
	const struct hd_slice local = { where + 2, strcspn(where + 2, "~") };

	memset(caller, 0, sizeof(*caller));
	caller->family = local.len == 32 ? 6 : 4;
	if (hd_hex_parse(&caller->listener, 1, listener))
		return HD_EPARSE;
	*veiledp = caller->listener & VEILED;
	caller->listener &= VEILED - 1;
	return local.len ? hd_hex_parse(caller->local, caller->family == 6 ? 16 : 4, local) : 0;
}

/* What the response gets back: after "~f" the caller's own name, after "~t" the shown one. */
static void name_format(char name[NAME_SIZE], const struct forward *fwd)
{
	const char *text;

	if (!fwd->alias) {
		name[0] = '\0';
		return;
	}
	text = fwd->from_caller ? fwd->alias->own : fwd->alias->shown;
	name[0] = '~';
	name[1] = fwd->from_caller ? 'f' : 't';
	hd_base64url_format(name + 2, text, strlen(text));
}

/* @param names for From and To: where text holds one */
static int name_parse(const char *names[2], char text[ALIAS_PARTY_SIZE], const char *name)
{
	size_t n = ALIAS_PARTY_SIZE - 1;

	names[0] = names[1] = NULL;
	if (!*name)
		return 0;
	if ((name[1] != 'f' && name[1] != 't') ||
	    hd_base64url_parse(text, &n, hd_slice_of(name + 2)))
		return HD_EPARSE;
	text[n] = '\0';
	names[name[1] == 't'] = text;
	return 0;
}

/* @param via index of the Via that the response will go by */
static bool branch_format(char branch[BRANCH_SIZE], const struct hd_key *key, struct hd_msg *msg,
			  unsigned via, const char *rest)
{
	uint8_t mac[HD_MAC_BYTES];
	uint32_t cseq = hd_msg_cseq(msg);
	struct hd_buf address = { 0 };
	struct hd_slice parts[4] = {
		hd_slice_of(hd_msg_call_id(msg)),
		{ (const char *)&cseq, sizeof(cseq) },
	};

	if (!hd_msg_via_address(msg, via, &address) || hd_buf_error(&address)) {
		hd_buf_fini(&address);
		return false;
	}
	parts[2].ptr = hd_buf_text(&address);
	parts[2].len = address.len;
	parts[3] = hd_slice_of(rest);
	hd_mac(mac, key, parts, 4);
	hd_buf_fini(&address);
	memcpy(branch, prefix, sizeof(prefix));
	hd_hex_format(branch + PREFIX, mac, MAC_BYTES);
	return !hd_str_set(branch + WHERE_AT, REST_SIZE, rest);
}

int stateless_forward(struct hd_proxy *proxy, struct forward *fwd, const char *caller_flow)
{
	char branch[BRANCH_SIZE], rest[REST_SIZE];
	struct hd_flow caller;

	if (hd_flow_parse(&caller, caller_flow)) {
		hd_msg_free(fwd->msg);
		return HD_EINVAL;
	}
	where_format(rest, &caller, fwd->record.veiled);
	if (hd_msg_method(fwd->msg) != HD_METHOD_ACK)
		name_format(rest + strlen(rest), fwd);
	if (!branch_format(branch, &proxy->options.key, fwd->msg, 0, rest)) {
		hd_msg_free(fwd->msg);
		return HD_ENOMEM;
	}
	return hd_agent_send(proxy->options.agent, fwd->msg, &fwd->target, branch);
}

/* @param names that From and To get; NULL: they stay */
static void send_on(struct hd_proxy *proxy, struct hd_msg *response, const struct hd_flow *caller,
		    const char *const names[2], bool is_veiled)
{
	struct hd_msg *copy = hd_msg_copy(response);

	if (copy && is_veiled && veil_contact(proxy, copy)) {
		hd_msg_free(copy);
		copy = NULL;
	}
	for (int to = 0; copy && to < 2; to++)
		if (names[to] && hd_msg_set_party(copy, to, names[to]))
			hd_log_call(HD_LOG_WARNING, "proxy", hd_msg_call_id(response),
				    "%s is not put back", to ? "To" : "From");
	if (copy && identity_clean(proxy, copy, response))
		identity_withhold(copy, hd_flow_is_trusted(proxy->options.agent, caller));
	if (!copy || hd_agent_send_response(proxy->options.agent, copy, caller))
		hd_log_call(HD_LOG_DEBUG, "proxy", hd_msg_call_id(response), "response not sent");
}

/* RFC 4320 4.2: no 408 for a non-INVITE; RFC 6026 7.2: nothing that we did not ask for. */
static bool was_asked_for(struct hd_proxy *proxy, struct hd_msg *response, struct hd_flow *caller,
			  bool *veiledp)
{
	const char *branch = hd_msg_branch(response);
	enum hd_method method = hd_msg_cseq_method(response);
	char expected[BRANCH_SIZE];

	return strncmp(branch, prefix, PREFIX) == 0 && strlen(branch) >= WHERE_AT + 2 &&
	       method != HD_METHOD_INVITE && method != HD_METHOD_ACK &&
	       hd_msg_status(response) != 408 && hd_msg_status(response) != 100 &&
	       !where_parse(caller, veiledp, branch + WHERE_AT) &&
	       branch_format(expected, &proxy->options.key, response, 1, branch + WHERE_AT) &&
	       strlen(branch) == strlen(expected) &&
	       hd_secret_eq(branch, expected, strlen(expected));
}

void hd_proxy_response(struct hd_proxy *proxy, struct hd_msg *response)
{
	const struct hd_flow *late = NULL;
	char name[ALIAS_PARTY_SIZE];
	const char *names[2];
	struct hd_flow caller;
	bool is_veiled = false;

	if (hd_msg_cseq_method(response) == HD_METHOD_INVITE && hd_msg_status(response) >= 200 &&
	    hd_msg_status(response) < 300)
		late = accepted_caller(proxy, response, names, &is_veiled);
	if (late) {
		send_on(proxy, response, late, names, is_veiled);
		return;
	}
	if (!was_asked_for(proxy, response, &caller, &is_veiled) ||
	    name_parse(names, name, strchrnul(hd_msg_branch(response) + WHERE_AT, '~')))
		return;
	if (hd_msg_status(response) >= 200)
		calls_note_response(proxy, NULL, response, hd_msg_status(response));
	send_on(proxy, response, &caller, names, is_veiled);
}
