/* reply.c - see reply.h. */
#include <string.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>

#include "reply.h"
#include "sip_priv.h"

/* A header with its text is written as it is. */
static bool set_text(msg_common_t *h, const char *text, size_t len)
{
	if (!text)
		return false;
	h->h_data = text;
	h->h_len = (usize_t)len;
	return true;
}

static int add_status(msg_t *reply, int status, const char *phrase)
{
	su_home_t *home = msg_home(reply);
	sip_status_t *st = sip_status_create(home, (unsigned)status, phrase, NULL);
	const char *const parts[] = { sip_version_2_0, phrase };
	size_t size = sizeof(" 200 \r\n");
	char number[HD_U32_SIZE], *line;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		size += strlen(parts[i]);
	hd_u32_format(number, (uint32_t)status);
	line = su_alloc(home, (isize_t)size);
	if (!st || !line ||
	    hd_str_join(
		    line, size,
		    (const char *[]){ sip_version_2_0, " ", number, " ", phrase, "\r\n", NULL }))
		return HD_ENOMEM;
	sip_object(reply)->sip_status = st;
	return set_text(st->st_common, line, strlen(line)) ? 0 : HD_ENOMEM;
}

/* Our own lines are not parsed to be written again: they go as one field that has their text. */
static int add_lines(msg_t *reply, const char *lines)
{
	su_home_t *home = msg_home(reply);
	sip_t *sip = sip_object(reply);
	msg_header_t *h = msg_header_alloc(home, sip_unknown_class, 0);
	size_t len = strlen(lines);

	if (!h || !set_text(h->sh_common, su_strndup(home, lines, (isize_t)len), len))
		return HD_ENOMEM;
	h->sh_unknown->un_name = h->sh_unknown->un_value = "";
	return msg_header_insert(reply, (msg_pub_t *)sip, h) < 0 ? HD_ENOMEM : 0;
}

static int add_no_body(msg_t *reply)
{
	static const char line[] = "Content-Length: 0\r\n";
	sip_content_length_t *l = sip_content_length_create(msg_home(reply), 0);

	if (!l)
		return HD_ENOMEM;
	sip_object(reply)->sip_content_length = l;
	return set_text(l->l_common, line, sizeof(line) - 1) ? 0 : HD_ENOMEM;
}

int hd_reply_fill(msg_t *reply, int status, const char *phrase, const char *lines)
{
	if (add_status(reply, status, phrase) || add_no_body(reply))
		return HD_ENOMEM;
	return lines && *lines ? add_lines(reply, lines) : 0;
}
