/* destination.c - where a call goes by configuration: a number, a phone, or USER at a peer. */
#include <string.h>

#include "conf_priv.h"

enum { DESTINATION_MAX = 95, USER_MAX = 64 };

static const char hole[] = "{number}", scheme[] = "sip:";

static bool begins(struct hd_slice s, const char *with)
{
	size_t len = strlen(with);

	return s.len >= len && memcmp(s.ptr, with, len) == 0;
}

/* What stays of it when a number is filled in: another hole is no character of any form. */
static struct hd_slice fill(char dst[DESTINATION_MAX + 1], struct hd_slice s)
{
	const char *at = memmem(s.ptr, s.len, hole, sizeof(hole) - 1);
	size_t head = at ? (size_t)(at - s.ptr) : s.len, rest = at ? head + sizeof(hole) - 1 : head;

	memcpy(dst, s.ptr, head);
	if (at)
		dst[head] = '0';
	memcpy(dst + head + (at != NULL), s.ptr + rest, s.len - rest);
	return (struct hd_slice){ dst, head + (at != NULL) + s.len - rest };
}

struct hd_slice hd_destination_peer(struct hd_slice s)
{
	const char *at = begins(s, scheme) && s.len > 0 ? memchr(s.ptr, '@', s.len) : NULL;

	return at ? (struct hd_slice){ at + 1, (size_t)(s.ptr + s.len - at - 1) }
		  : (struct hd_slice){ NULL, 0 };
}

bool hd_form_destination(struct hd_slice s)
{
	struct hd_slice peer = hd_destination_peer(s);
	char text[DESTINATION_MAX + 1];

	if (s.len == 0 || s.len > DESTINATION_MAX)
		return false;
	if (peer.ptr) {
		s.ptr += sizeof(scheme) - 1;
		s.len -= sizeof(scheme) + peer.len;
		if (!hd_form_number(peer)) /* names of peers are made of the same */
			return false;
	}
	s = fill(text, s);
	if (s.len > 1 && s.ptr[0] == '+') {
		s.ptr++;
		s.len--;
	}
	return peer.ptr ? s.len < USER_MAX / 2 && hd_form_number(s) : hd_form_phone_id(s);
}
