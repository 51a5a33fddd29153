/* dialog_info.c - see dialog_info.h. */
#include <inttypes.h>

#include "dialog_info.h"
#include "hotdesk/xml.h"

#define ANONYMOUS "sip:anonymous@anonymous.invalid" /* RFC 3323 4.1.1.3 */

static void add(struct hd_buf *body, const char *before, const char *text, const char *after)
{
	hd_buf_adds(body, before);
	hd_xml_escape(body, hd_slice_of(text));
	hd_buf_adds(body, after);
}

void dialog_info_begin(struct hd_buf *body, uint32_t version, const char *entity)
{
	hd_buf_addf(body,
		    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"%u\" "
		    "state=\"full\"",
		    version);
	add(body, " entity=\"", entity, "\">\n");
}

void dialog_info_add_state(struct hd_buf *body, const char *state)
{
	hd_buf_addf(body, "<dialog id=\"0\">\n<state>%s</state>\n</dialog>\n", state);
}

static void add_remote(struct hd_buf *body, const struct hd_lamp_call *call)
{
	const char *uri = call->withheld ? ANONYMOUS : call->remote_uri;
	const char *name = call->withheld ? "Anonymous" : call->remote_name;

	if (!*uri)
		return;
	hd_buf_adds(body, "<remote>\n<identity");
	if (*name)
		add(body, " display=\"", name, "\"");
	add(body, ">", uri, "</identity>\n");
	add(body, "<target uri=\"", uri, "\"/>\n</remote>\n");
}

void dialog_info_add_call(struct hd_buf *body, const struct hd_lamp_call *call, const char *entity,
			  int64_t duration_s)
{
	static const char *const states[] = { "trying", "early", "confirmed" };

	hd_buf_addf(body, "<dialog id=\"%" PRIu64 "\" direction=\"%s\">\n<state>%s</state>\n",
		    call->id, call->recipient ? "recipient" : "initiator", states[call->state]);
	if (duration_s >= 0)
		hd_buf_addf(body, "<duration>%" PRId64 "</duration>\n", duration_s);
	add(body, "<local>\n<identity>", entity, "</identity>\n");
	add(body, "<target uri=\"", entity, "\"/>\n</local>\n");
	add_remote(body, call);
	hd_buf_adds(body, "</dialog>\n");
}

void dialog_info_end(struct hd_buf *body)
{
	hd_buf_adds(body, "</dialog-info>\n");
}
