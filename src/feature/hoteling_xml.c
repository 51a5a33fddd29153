/* hoteling_xml.c - SetHoteling and HotelingEvent (phones.md names them); see hoteling_priv.h. */
#include <inttypes.h>
#include <string.h>

#include "hotdesk/base/uri.h"
#include "hotdesk/xml.h"
#include "hoteling_priv.h"

#define SPACE "http://schema.broadsoft.com/hoteling"

/* "201", "sip:201@example.com" or "201@example.com": the number. */
static int read_guest(char guest[HD_NUMBER_SIZE], const char *text)
{
	struct hd_slice s = hd_uri_bare_user(hd_slice_of(text));

	if (!s.len)
		return strchr(text, '@') ? HD_EPARSE : hd_str_set(guest, HD_NUMBER_SIZE, "");
	if (!hd_number_is_valid(s) || memchr(s.ptr, '*', s.len) || memchr(s.ptr, '#', s.len))
		return HD_EPARSE;
	return hd_str_copy(guest, HD_NUMBER_SIZE, s);
}

/* A nonce that is too long, or none, is no nonce of ours; a response that is none is an error. */
static int read_authentication(struct set_hoteling *set, const struct hd_xml *x, int data)
{
	const char *algorithm = hd_xml_text(x, hd_xml_child(x, data, SPACE, "algorithm"));
	const char *response = hd_xml_text(x, hd_xml_child(x, data, SPACE, "response"));

	set->authenticated = true;
	if (*algorithm && !hd_slice_caseis(hd_slice_of(algorithm), "MD5"))
		return HD_EPARSE;
	if (hd_str_set(set->nonce, sizeof(set->nonce),
		       hd_xml_text(x, hd_xml_child(x, data, SPACE, "nonce"))))
		set->nonce[0] = '\0';
	return hd_hex_parse(set->response, sizeof(set->response), hd_slice_of(response));
}

int set_hoteling_read(struct set_hoteling *set, struct hd_slice body)
{
	hd_xml_element guest, data;
	struct hd_xml *x;
	int err;

	memset(set, 0, sizeof(*set));
	err = hd_xml_parse(&x, body);
	if (err)
		return err;
	guest = hd_xml_child(x, 0, SPACE, "guestAddress");
	data = hd_xml_child(x, 0, SPACE, "authenticationData");
	if (!hd_xml_is(x, 0, SPACE, "SetHoteling") || guest < 0)
		err = HD_EPARSE;
	if (!err)
		err = read_guest(set->guest, hd_xml_text(x, guest));
	if (!err && data >= 0)
		err = read_authentication(set, x, data);
	hd_xml_free(x);
	return err;
}

void hoteling_event_write(struct hd_buf *body, const struct hoteling_event *event)
{
	hd_buf_adds(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			  "<HotelingEvent xmlns=\"" SPACE "\">");
	if (*event->guest) {
		hd_buf_adds(body, "<guestAddress>");
		hd_xml_escape(body, hd_slice_of(event->guest));
		hd_buf_adds(body, "</guestAddress>");
	} else {
		hd_buf_adds(body, "<guestAddress/>");
	}
	if (*event->guest && event->left_s >= 0)
		hd_buf_addf(body, "<expires>%" PRId64 "</expires>", event->left_s);
	if (event->nonce && *event->nonce)
		hd_buf_addf(body, "<authenticationData><nonce>%s</nonce></authenticationData>",
			    event->nonce);
	hd_buf_adds(body, "</HotelingEvent>\n");
}

bool set_hoteling_proves(const struct set_hoteling *set, const char *pin)
{
	struct hd_slice parts[] = { hd_slice_of(set->nonce), hd_slice_of(":"), hd_slice_of(pin) };
	uint8_t expected[HD_MD5_BYTES];
	bool proves;

	hd_md5(expected, parts, sizeof(parts) / sizeof(parts[0]));
	proves = hd_secret_eq(expected, set->response, sizeof(expected));
	hd_wipe(expected, sizeof(expected));
	return proves;
}
