/* sample.c - a made-up phone that templates are checked with; see view.h. */
#include <string.h>

#include "view.h"

static const char *const emergency[] = { "112", "110" };

static const struct hd_render_values values = {
	.domain = "hotdesk.example",
	.server = "192.0.2.1",
	.port = 5060,
	.transport = "udp",
	.url = "https://hotdesk.example/provision",
	.expires_s = 3600,
	.codes = { "*771", "*772", "*770", .user = { [HD_USER_CODE_PICKUP] = "*8" } },
	.login_key = HD_LOGIN_KEY_VENDOR,
	.language = "en",
	.zone = { .name = "Europe/Berlin",
		  .posix = "CET-1CEST,M3.5.0,M10.5.0/3",
		  .offset_s = 3600,
		  .has_dst = true,
		  .dst_offset_s = 3600,
		  .dst_begin = { 3, 5, 0, 2 },
		  .dst_end = { 10, 5, 0, 3 } },
	.ntp = "ntp.hotdesk.example",
	.emergency = emergency,
	.n_emergency = sizeof(emergency) / sizeof(emergency[0]),
};

static const struct hd_phone_key keys[] = {
	{ 3, HD_PHONE_KEY_SPEED_DIAL, "Reception", "100" },
	{ 4, HD_PHONE_KEY_BLF, "Ben", "202" },
	{ 5, HD_PHONE_KEY_URL, "Page", "https://hotdesk.example/" },
	{ 0, HD_PHONE_KEY_LINE, "Line", "" },
	{ 6, HD_PHONE_KEY_CALL_LIST, "", "missed" },
};

void view_sample_make(struct view_sample *s, const struct hd_vendor *vendor,
		      enum hd_face_state state)
{
	*s = (struct view_sample){
		.phone = { .id = "desk-101",
			   .label = "Desk 101",
			   .mac = "0004130000ab",
			   .owner = "201" },
		.user = { .number = "201", .name = "Anna Berg", .language = "de" },
		.owner = { .number = "201", .name = "Anna Berg" },
		.values = values,
	};
	memcpy(s->keys, keys, sizeof(s->keys));
	if (state == HD_FACE_FREE)
		s->phone.owner[0] = '\0';
	s->input = (struct view_input){
		.values = &s->values,
		.vendor = vendor,
		.phone = &s->phone,
		.user = state == HD_FACE_OCCUPIED ? &s->user : NULL,
		.owner = state == HD_FACE_FREE ? NULL : &s->owner,
		.phone_keys = s->keys,
		.user_keys = s->keys,
		.n_phone_keys = sizeof(keys) / sizeof(keys[0]),
		.n_user_keys = sizeof(keys) / sizeof(keys[0]),
		.secret = "secret",
		.token = "abcdefghijklmnopqrstuvwxyz",
	};
}
