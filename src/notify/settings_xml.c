/* settings_xml.c - see settings_xml.h. */
#include <string.h>

#include "hotdesk/base/uri.h"
#include "hotdesk/xml.h"
#include "settings_xml.h"

#define SPACE "http://www.ecma-international.org/standards/ecma-323/csta/ed3"

static const char *const types[SETTINGS_FORWARDS] = {
	[HD_FORWARD_ALWAYS] = "forwardImmediate",
	[HD_FORWARD_BUSY] = "forwardBusy",
	[HD_FORWARD_NO_ANSWER] = "forwardNoAns",
};

/* ---- reading -------------------------------------------------------------------------------- */

static const char *text_of(const struct hd_xml *x, const char *name)
{
	return hd_xml_text(x, hd_xml_child(x, 0, SPACE, name));
}

static int read_bool(bool *onp, const char *text)
{
	*onp = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
	return *onp || strcmp(text, "false") == 0 || strcmp(text, "0") == 0 ? 0 : HD_EPARSE;
}

/* "202", "sip:202@example.com": the number. */
static int read_target(char to[HD_FORWARD_TO_SIZE], const char *text)
{
	struct hd_slice s = hd_uri_bare_user(hd_slice_of(text));

	if (s.len && !hd_forward_to_is_valid(s))
		return HD_EPARSE;
	return hd_str_copy(to, HD_FORWARD_TO_SIZE, s);
}

static int read_forwarding(struct settings_change *change, const struct hd_xml *x)
{
	const char *type = text_of(x, "forwardingType"), *rings = text_of(x, "ringCount");
	uint64_t n = 0;
	int err;

	while (change->item < SETTINGS_FORWARDS && strcmp(type, types[change->item]) != 0)
		change->item++;
	if (change->item == SETTINGS_FORWARDS)
		return HD_EPARSE;
	err = read_bool(&change->on, text_of(x, "activateForward"));
	if (!err)
		err = read_target(change->to, text_of(x, "forwardDN"));
	/* Phones say 0 where they have no such thing. */
	if (!err && *rings && hd_u64_parse(&n, hd_slice_of(rings), HD_RINGS_MAX))
		err = HD_EPARSE;
	change->rings = change->item == HD_FORWARD_NO_ANSWER ? (uint8_t)n : 0;
	return err;
}

int settings_change_read(struct settings_change *change, struct hd_slice body)
{
	struct hd_xml *x;
	int err;

	memset(change, 0, sizeof(*change));
	err = hd_xml_parse(&x, body);
	if (err)
		return err;
	if (hd_xml_is(x, 0, SPACE, "SetDoNotDisturb")) {
		change->item = SETTINGS_ITEM_DND;
		err = read_bool(&change->on, text_of(x, "doNotDisturbOn"));
	} else if (hd_xml_is(x, 0, SPACE, "SetForwarding")) {
		err = read_forwarding(change, x);
	} else {
		err = HD_EPARSE;
	}
	hd_xml_free(x);
	return err;
}

void settings_change_apply(const struct settings_change *change, struct hd_settings *settings)
{
	struct hd_forward *forward;

	if (change->item == SETTINGS_ITEM_DND) {
		settings->dnd = change->on;
		return;
	}
	forward = &settings->forward[change->item];
	forward->active = change->on;
	if (change->to[0])
		memcpy(forward->to, change->to, sizeof(forward->to));
	if (change->rings)
		settings->rings = change->rings;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void add_element(struct hd_buf *body, const char *name, const char *text)
{
	hd_buf_addf(body, "<%s>", name);
	hd_xml_escape(body, hd_slice_of(text));
	hd_buf_addf(body, "</%s>", name);
}

static const char *word(bool on)
{
	return on ? "true" : "false";
}

void settings_xml_write(struct hd_buf *body, const struct hd_settings *settings, unsigned item,
			const char *device)
{
	const char *root = item == SETTINGS_ITEM_DND ? "DoNotDisturbEvent" : "ForwardingEvent";

	hd_buf_addf(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"" SPACE "\">",
		    root);
	add_element(body, "device", device);
	if (item == SETTINGS_ITEM_DND) {
		add_element(body, "doNotDisturbOn", word(settings->dnd));
	} else {
		const struct hd_forward *forward = &settings->forward[item];

		add_element(body, "forwardingType", types[item]);
		add_element(body, "forwardStatus", word(forward->active));
		add_element(body, "forwardTo", forward->to);
		if (item == HD_FORWARD_NO_ANSWER)
			hd_buf_addf(body, "<ringCount>%u</ringCount>", settings->rings);
	}
	hd_buf_addf(body, "</%s>\n", root);
}

unsigned settings_xml_differ(const struct hd_settings *one, const struct hd_settings *other)
{
	unsigned bits = one->dnd != other->dnd ? 1U << SETTINGS_ITEM_DND : 0;

	for (unsigned i = 0; i < SETTINGS_FORWARDS; i++)
		if (one->forward[i].active != other->forward[i].active ||
		    strcmp(one->forward[i].to, other->forward[i].to) != 0)
			bits |= 1U << i;
	if (one->rings != other->rings)
		bits |= 1U << HD_FORWARD_NO_ANSWER;
	return bits;
}
