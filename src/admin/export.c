/*
 * export.c - the directory as the YAML that import reads. Credentials stay: importing it keeps
 * them.
 */
#include <string.h>

#include "admin_priv.h"

/* A code point that libyaml does not take as it stands, or takes for a line break. */
static bool must_escape(uint32_t c)
{
	return c == '"' || c == '\\' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
	       c == 0xfeff || c == 0xfffe || c == 0xffff;
}

/* One code point of text that is known to be UTF-8. */
static uint32_t code_point(const unsigned char *s, size_t *np)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c;
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	c = s[0] & mask[n];
	for (size_t i = 1; i < n && s[i]; i++)
		c = c << 6 | (s[i] & 0x3f);
	*np = n;
	return c;
}

static void text_write(struct hd_buf *b, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c;
	size_t n;

	hd_buf_adds(b, "\"");
	for (; *p; p += n) {
		c = code_point(p, &n);
		if (c == '"' || c == '\\')
			hd_buf_addf(b, "\\%c", (int)c);
		else if (must_escape(c))
			hd_buf_addf(b, "\\u%04x", (unsigned)c);
		else
			hd_buf_add(b, (struct hd_slice){ (const char *)p, n });
	}
	hd_buf_adds(b, "\"");
}

static void member(struct hd_buf *b, const char *key, const char *text)
{
	if (!text[0])
		return;
	hd_buf_addf(b, ", %s: ", key);
	text_write(b, text);
}

static int keys_write(struct hd_admin *admin, struct hd_txn *txn, struct hd_buf *b, char kind,
		      const char *name)
{
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX];
	size_t n = HD_PHONE_KEYS_MAX;
	int err;

	err = hd_device_keys_get(admin->o.device, txn, kind, name, keys, &n);
	if (err || n == 0)
		return err;
	hd_buf_adds(b, ", keys: [");
	for (size_t i = 0; i < n; i++) {
		hd_buf_addf(b, "%s\n      {type: %s", i ? "," : "",
			    hd_phone_key_name(keys[i].type));
		if (keys[i].place)
			hd_buf_addf(b, ", place: %u", keys[i].place);
		member(b, "label", keys[i].label);
		member(b, "value", keys[i].value);
		hd_buf_adds(b, "}");
	}
	hd_buf_adds(b, "]");
	return 0;
}

static int hoteling_write(struct hd_admin *admin, struct hd_txn *txn, struct hd_buf *b,
			  const char *number)
{
	struct hd_settings settings;
	int err = hd_settings_get(admin->o.settings, txn, number, &settings);

	if (!err && settings.hoteling)
		hd_buf_adds(b, ", hoteling: true");
	return err;
}

static int users_write(struct hd_admin *admin, struct hd_txn *txn, struct hd_buf *b)
{
	char last[HD_NUMBER_SIZE] = "";
	struct hd_user user;
	int err;

	hd_buf_adds(b, "users:");
	for (;;) {
		err = hd_user_next(admin->o.directory, txn, last, &user);
		if (err)
			break;
		memcpy(last, user.number, sizeof(last));
		hd_buf_addf(b, "\n  - {number: \"%s\"", user.number);
		member(b, "name", user.name);
		member(b, "language", user.language);
		member(b, "logout", user.logout);
		member(b, "group", user.group);
		member(b, "call_list", user.call_list);
		member(b, "class", user.class);
		hd_buf_addf(b, ", roaming: %s", user.roaming ? "true" : "false");
		if (user.disabled)
			hd_buf_adds(b, ", disabled: true");
		err = hoteling_write(admin, txn, b, user.number);
		if (!err)
			err = keys_write(admin, txn, b, 'u', user.number);
		if (err)
			return err;
		hd_buf_adds(b, "}");
	}
	hd_buf_adds(b, last[0] ? "\n" : " []\n");
	return err == HD_ENOENT ? 0 : err;
}

static int phones_write(struct hd_admin *admin, struct hd_txn *txn, struct hd_buf *b)
{
	char last[HD_PHONE_ID_SIZE] = "";
	struct hd_phone phone;
	int err;

	hd_buf_adds(b, "phones:");
	for (;;) {
		err = hd_phone_next(admin->o.directory, txn, last, &phone);
		if (err)
			break;
		memcpy(last, phone.id, sizeof(last));
		hd_buf_addf(b, "\n  - {id: \"%s\"", phone.id);
		member(b, "mac", phone.mac);
		member(b, "model", phone.model);
		member(b, "label", phone.label);
		member(b, "owner", phone.owner);
		member(b, "logout", phone.logout);
		member(b, "location", phone.location);
		if (phone.disabled)
			hd_buf_adds(b, ", disabled: true");
		err = keys_write(admin, txn, b, 'p', phone.id);
		if (err)
			return err;
		hd_buf_adds(b, "}");
	}
	hd_buf_adds(b, last[0] ? "\n" : " []\n");
	return err == HD_ENOENT ? 0 : err;
}

int export_write(struct hd_admin *admin, struct hd_txn *txn, struct hd_buf *out)
{
	char now[32];
	int err;

	hd_time_format(now, sizeof(now), hd_clock_wall_ms(admin->o.clock));
	hd_buf_addf(out,
		    "# hotdeskd directory, exported %s. PINs and secrets are not in it:\n"
		    "# importing it keeps those that are stored.\n",
		    now);
	err = users_write(admin, txn, out);
	if (!err)
		err = phones_write(admin, txn, out);
	return err ? err : hd_buf_error(out);
}

void export_get(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	struct hd_buf b = { 0 };
	struct hd_txn *txn = read_begin(admin, req);
	int err;

	if (!txn)
		return;
	err = export_write(admin, txn, &b);
	hd_store_end_read(txn);
	/* A damaged record is an error: a file that lacks somebody must not look whole. */
	if (err)
		hd_http_answer_error(req, err, "export: %s", hd_strerror(err));
	else
		hd_http_answer(req, 200, "application/yaml",
			       (struct hd_slice){ hd_buf_text(&b), b.len });
	hd_buf_fini(&b);
}
